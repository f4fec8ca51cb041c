//! Migrations by the real program: the command, what a server does by itself, and kills meanwhile.

mod command;
mod kill;
mod serve;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use tempfile::TempDir;

use super::support::server::{Options, Server, open};

/// A folder with a declaration.
struct Home(TempDir);

/// How a command ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Home {
    fn new(declaration: &str) -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        home.declare(declaration);
        home
    }

    /// A folder whose database was made and filled.
    fn filled(declaration: &str, rows: &str) -> Self {
        let home = Self::new(declaration);
        home.make();
        home.sql().execute_batch(rows).expect("rows");
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn database(&self) -> PathBuf {
        self.path().join("data.db")
    }

    fn declare(&self, declaration: &str) {
        let text = open(&format!("title = \"T\"\n{declaration}"));
        std::fs::write(self.path().join("methodical.toml"), text).expect("written");
    }

    /// Makes the database, by a server that ends at once.
    fn make(&self) {
        let mut server = Server::over(self.path(), Options::default());
        assert_eq!(server.terminate().code(), Some(0));
    }

    fn sql(&self) -> Connection {
        Connection::open(self.database()).expect("a database")
    }

    /// `methodical migrate` with arguments.
    fn migrate(&self, arguments: &[&str]) -> Ended {
        self.run("migrate", arguments)
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Ended {
        let done = self.command(command, arguments).output().expect("the program runs");
        Ended {
            code: done.status.code(),
            out: String::from_utf8(done.stdout).expect("UTF-8"),
            err: String::from_utf8(done.stderr).expect("UTF-8"),
        }
    }

    fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_methodical"));
        program.arg(command).arg(self.path()).args(arguments).stdin(Stdio::null());
        program
    }
}
