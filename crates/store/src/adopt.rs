//! Databases that are not ours: read whole, in one snapshot and without a way to write to them, and
//! copied into a fresh one of ours.

use std::path::Path;
use std::sync::Arc;

use model::adopt::foreign::Foreign;
use model::adopt::plan::Plan;
use model::model::Model;
use model::value::Timestamp;

use crate::options::Options;
use crate::sqlite::adopt::{Strange, copy, inspect};

/// A database that is not ours, open for reading.
pub struct Adoptee(Strange);

/// How far a long work is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress<'a> {
    /// The table that is worked on.
    pub table: &'a str,
    /// Its rows that are done.
    pub rows: u64,
    /// Its rows in all, where they are counted already.
    pub of: Option<u64>,
}

/// Is told of progress.
pub type Watch<'a> = &'a mut dyn FnMut(Progress<'_>);

/// Cells that found no place in their records.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// The table.
    pub table: usize,
    /// The column.
    pub column: usize,
    /// Why.
    pub why: &'static str,
    /// How many.
    pub count: u64,
    /// The ids of the first hundred of these records.
    pub ids: Vec<String>,
}

/// What copying came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Copied {
    /// Records, one number a resource.
    pub records: Vec<u64>,
    /// Cells that found no place.
    pub left: Vec<Left>,
}

/// Why a database cannot be adopted. Nothing was changed in it, whatever it is.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// It is no SQLite database, or an encrypted one.
    #[error(
        "this is not a database of SQLite, or it is encrypted; name the file that your program \
         opens, decrypted"
    )]
    NotADatabase,
    /// It is one of ours.
    #[error(
        "this is a database of Methodical's already: serve it with its declaration, there is \
         nothing to adopt"
    )]
    Ours,
    /// A program that was killed left a journal behind, which only a writer can undo.
    #[error(
        "its last writer was killed in the middle of a transaction, which has to be undone first: \
         open the file once with its own program, or with sqlite3, and adopt it then"
    )]
    HotJournal,
    /// Somebody writes all the time.
    #[error("another program has it locked; try again when that is done")]
    Locked,
    /// SQLite finds the file corrupt.
    #[error("it is damaged ({0}); repair it first, for example with `sqlite3 FILE .recover`")]
    Damaged(String),
    /// Nothing to adopt.
    #[error("there is no table in it")]
    Empty,
    /// Records that break what is declared, although the database's own rules should have kept
    /// them.
    #[error("some rows do not fit what their own table asks:\n{}", .0.join("\n"))]
    Unfit(Vec<String>),
    /// No room for the copy.
    #[error("the disk is full; make room and try again")]
    NoRoom,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl Adoptee {
    /// Opens a database that is not ours, read-only. What is read from now on is of one moment,
    /// whatever other programs do.
    ///
    /// # Errors
    /// What it is instead, and what to do.
    pub fn open(path: &Path) -> Result<Self, AdoptError> {
        Strange::open(path).map(Self)
    }

    /// Reads its schema, and every row once.
    ///
    /// # Errors
    /// What kept it from being read.
    pub fn inspect(&self, watch: Watch<'_>) -> Result<Foreign, AdoptError> {
        inspect::read(&self.0, watch)
    }

    /// Reads every row as `copy` would, and writes nothing.
    ///
    /// # Errors
    /// What would keep it from being copied.
    pub fn try_copy(
        &self,
        foreign: &Foreign,
        plan: &Plan,
        model: &Arc<Model>,
        watch: Watch<'_>,
    ) -> Result<Copied, AdoptError> {
        copy::run(&self.0, foreign, plan, model, None, watch)
    }

    /// Copies every row into a database that is made for it at the path of the options, where there
    /// must be none. Whoever makes it visible under its name does so afterwards: one that is not
    /// whole is of no use.
    ///
    /// # Errors
    /// What kept it from being copied.
    pub fn copy(
        &self,
        foreign: &Foreign,
        plan: &Plan,
        model: &Arc<Model>,
        (options, now): (&Options, Timestamp),
        watch: Watch<'_>,
    ) -> Result<Copied, AdoptError> {
        copy::run(&self.0, foreign, plan, model, Some((options, now)), watch)
    }
}
