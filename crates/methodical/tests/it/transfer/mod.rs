//! Records out of one project and into another, by command.

mod interrupted;
mod moved;
mod references;
mod refused;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::server::open;

/// A folder with a declaration, and what is done there by command.
pub(crate) struct Project {
    home: TempDir,
}

impl Project {
    /// Of this declaration.
    pub(crate) fn of(declaration: &str) -> Self {
        let home = tempfile::Builder::new().prefix("methodical-it-").tempdir().expect("a folder");
        fs::write(home.path().join("methodical.toml"), open(declaration)).expect("a declaration");
        Self { home }
    }

    /// Its folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file into it.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        path
    }

    /// What a query says, row by row, cells between bars.
    pub(crate) fn ask(&self, query: &str) -> Vec<String> {
        ask(&self.path("data.db"), query)
    }
}

/// What a query says, row by row, cells between bars.
pub(crate) fn ask(database: &Path, query: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(database).expect("a database");
    let mut statement = database.prepare(query).expect("a query");
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells: rusqlite::Result<Vec<_>> = (0..columns)
            .map(|column| {
                Ok(match row.get_ref(column)? {
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    rusqlite::types::ValueRef::Real(number) => format!("{number:?}"),
                    rusqlite::types::ValueRef::Text(text) => {
                        String::from_utf8_lossy(text).into_owned()
                    }
                    rusqlite::types::ValueRef::Blob(bytes) => format!("{bytes:?}"),
                })
            })
            .collect();
        Ok(cells?.join("|"))
    });
    rows.expect("rows").collect::<rusqlite::Result<_>>().expect("rows")
}

/// The program with a command for this folder, started in it.
pub(crate) fn program(command: &str, home: &Path, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_methodical"));
    program.arg(command).arg(home).args(arguments).current_dir(home).stdin(Stdio::null());
    program
}

/// How a command ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: output.stdout, err }
    }

    /// What an import says to scripts.
    pub(crate) fn sum(&self) -> (u64, u64, u64) {
        let sum: Value = serde_json::from_slice(&self.out)
            .unwrap_or_else(|_| panic!("no summary, but {}", self.err));
        let number = |name: &str| sum[name].as_u64().expect("a number");
        (number("rows"), number("created"), number("faulty"))
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &str, home: &Path, arguments: &[&str]) -> Said {
    Said::of(program(command, home, arguments).output().expect("the program runs"))
}

/// Runs a command that has to succeed.
pub(crate) fn good(command: &str, home: &Path, arguments: &[&str]) -> Said {
    let said = run(command, home, arguments);
    assert_eq!(said.code, 0, "{command} {arguments:?}: {}", said.err);
    said
}

/// Runs a command that reads this.
pub(crate) fn fed(command: &str, home: &Path, arguments: &[&str], input: &[u8]) -> Said {
    let mut child = program(command, home, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let written = child.stdin.take().expect("a pipe").write_all(input);
    // What refuses the beginning does not read to the end.
    let is_heard = written.is_ok();
    let said = Said::of(child.wait_with_output().expect("it ends"));
    assert!(is_heard || said.code != 0, "it did not read to the end: {}", said.err);
    said
}

/// Every record of a database with all that is kept of it, and whether the books are right.
pub(crate) fn everything(database: &Path) -> Vec<String> {
    let tables = ask(database, "SELECT name FROM _methodical_resource ORDER BY name");
    let mut all = Vec::new();
    for table in tables {
        let columns = ask(
            database,
            &format!(
                "SELECT '\"' || name || '\"' FROM pragma_table_info('{table}') \
                 WHERE name <> '_number' ORDER BY cid"
            ),
        );
        let columns = columns.join(", ");
        all.push(format!("== {table}"));
        all.extend(ask(database, &format!("SELECT {columns} FROM \"{table}\" ORDER BY id")));
    }
    all
}

/// Fails where a total, the log, a fold or the full-text index does not say what the rows do.
pub(crate) fn assert_sound(database: &Path) {
    assert_eq!(ask(database, "PRAGMA integrity_check"), ["ok"]);
    assert_eq!(ask(database, "PRAGMA foreign_key_check"), [""; 0]);
    assert_eq!(ask(database, "SELECT name FROM _methodical_resource WHERE ours <> 0"), [""; 0]);
    let resources = ask(database, "SELECT resource || '|' || name FROM _methodical_resource");
    for line in resources {
        let (number, name) = line.split_once('|').expect("two cells");
        let wrong = format!(
            "SELECT 'total', total, n FROM _methodical_resource, \
             (SELECT count(*) AS n FROM \"{name}\") WHERE resource = {number} AND total <> n \
             UNION ALL SELECT 'not logged', id, _version FROM (SELECT id, _birth, _version FROM \
             \"{name}\" EXCEPT SELECT id, birth, version FROM _methodical_changes \
             WHERE resource = {number})"
        );
        assert_eq!(ask(database, &wrong), [""; 0], "{name}");
        let index = format!("_methodical_search({name})");
        let has_index = format!("SELECT name FROM sqlite_schema WHERE name = '{index}'");
        if !ask(database, &has_index).is_empty() {
            let check = format!("INSERT INTO \"{index}\" (\"{index}\") VALUES ('integrity-check')");
            let connection = rusqlite::Connection::open(database).expect("a database");
            connection.execute(&check, []).expect("a sound index");
            let counts = format!(
                "SELECT (SELECT count(*) FROM \"{index}\") - (SELECT count(*) FROM \"{name}\")"
            );
            assert_eq!(ask(database, &counts), ["0"], "{index}");
        }
    }
}
