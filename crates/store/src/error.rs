//! What can go wrong in a store, in its own words. No statuses.

use model::model::{FieldIndex, ResourceIndex};

/// Why a lookup or a write did not succeed. Nothing was written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A value, or a group of values, is taken.
    #[error("a unique value is taken")]
    Taken {
        /// In this resource.
        resource: ResourceIndex,
        /// By these fields; empty: by the id.
        fields: Vec<FieldIndex>,
        /// The step of the write that met it.
        step: usize,
    },
    /// A reference names no record, or a record that is still referred to would go.
    #[error("a reference would dangle")]
    Dangling {
        /// The step of the write that met it.
        step: usize,
    },
    /// A deletion would go along a longer chain of references than is allowed.
    #[error("a deletion would go too deep")]
    TooDeep {
        /// The step of the write that met it.
        step: usize,
    },
    /// Rows of many cannot be inserted; `FAULTY_ROWS_MAX` of them are named.
    #[error("rows are refused")]
    Rows {
        /// In this resource.
        resource: ResourceIndex,
        /// The rows, in order.
        refused: Vec<RefusedRow>,
        /// The step of the write that met them.
        step: usize,
    },
    /// The record changed between the decision and the write.
    #[error("the record is no longer in the version that was decided on")]
    Moved {
        /// The step of the write that met it.
        step: usize,
    },
    /// More keys than one principal may have.
    #[error("too many keys are remembered for this principal")]
    TooManyKeys,
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
    /// The queue is full, the database is locked by another process, or the store is closing.
    #[error("the store is busy: {0}")]
    Busy(&'static str),
    /// The deadline of a read passed. The index that would serve it is told where one is missing.
    #[error("the read took too long")]
    TooSlow {
        /// What to declare: `index = true` for orders.quantity.
        index: Option<String>,
    },
    /// A fault of the database or the disk; the text is for the log only.
    #[error("the database failed: {0}")]
    Broken(String),
}

impl Error {
    /// The step of the write that met it, where it is about one.
    #[must_use]
    pub fn step(&self) -> Option<usize> {
        match self {
            Self::Taken { step, .. }
            | Self::Dangling { step }
            | Self::TooDeep { step }
            | Self::Rows { step, .. }
            | Self::Moved { step } => Some(*step),
            Self::TooManyKeys
            | Self::Full
            | Self::Busy(_)
            | Self::TooSlow { .. }
            | Self::Broken(_) => None,
        }
    }
}

/// A row that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its number, from 0.
    pub row: u64,
    /// The line of the content that it began at.
    pub line: u32,
    /// Why.
    pub why: Refusal,
}

/// Why a row is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A value, or a group of values, is taken by these fields; none: the id is.
    Taken(Vec<FieldIndex>),
    /// These fields name records that are not there.
    Dangling(Vec<FieldIndex>),
    /// It is not what each of them must be (`Many::must`).
    Forbidden,
}

/// Why a store could not be opened. The texts are for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A second server, or a program that holds its lock.
    #[error(
        "the database is in use by another `methodical serve` or `methodical migrate`, or locked \
         by another program; stop that one first, or choose another file with --database"
    )]
    Locked,
    /// The declaration is another one, and this is more than is done without being asked.
    #[error("the declaration has changed since the database was made: {why}")]
    Changed {
        /// What about the change has to be asked for.
        why: String,
    },
    /// Somebody has changed our tables.
    #[error(
        "the database was changed by hand, and is not what it was made as:\n{0}\nChange it back, \
         or restore a backup; nothing was changed now"
    )]
    ByHand(String),
    /// The plan could not be carried out to its end. Nothing was changed.
    #[error("the database was not migrated, and nothing was changed: {0}")]
    NotMigrated(String),
    /// There is no file.
    #[error("there is no database yet: `methodical serve` makes it")]
    Missing,
    /// A file of somebody else's.
    #[error(
        "the file is not a database of Methodical's; choose another one with --database, \
         nothing was changed in this one"
    )]
    NotOurs,
    /// SQLite cannot make anything of the file.
    #[error("the file is not an SQLite database, or its first page is damaged: {0}")]
    NotADatabase(String),
    /// SQLite finds the file corrupt.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// Tables or columns that there should be.
    #[error("the database is not complete: {0}")]
    Incomplete(String),
    /// Made by a newer program.
    #[error(
        "the database was made by a newer version of Methodical (layout {theirs}, this one knows \
         {ours}); use that version"
    )]
    NewerVersion {
        /// The layout of the file.
        theirs: i32,
        /// The newest layout that this program knows.
        ours: i32,
    },
    /// Made by an older program, in a layout that this one does not read.
    #[error(
        "the database was made by an older version of Methodical (layout {theirs}, this one needs \
         {ours}), and there is no upgrade yet; use that version, or begin anew with another \
         --database and copy the records over, by sqlite3 (ATTACH the old file, INSERT INTO … \
         SELECT the declared columns) or by GET and POST"
    )]
    OlderVersion {
        /// The layout of the file.
        theirs: i32,
        /// The layout that this program knows.
        ours: i32,
    },
    /// No room to make the database.
    #[error("the disk is full; make room and start again")]
    NoRoom,
    /// The file may be read, but not written to.
    #[error(
        "the database is read-only for this user; make the file and its folder writable, or \
         choose another file with --database"
    )]
    ReadOnly,
    /// The file cannot be opened or written.
    #[error("the database cannot be opened: {0}")]
    Io(String),
    /// The seed does not fit. Nothing was made.
    #[error("the seed does not fit: {0}")]
    Seed(String),
}

impl OpenError {
    /// True where the file itself has suffered: a backup is the way back.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::NotADatabase(_) | Self::Damaged(_) | Self::Incomplete(_) | Self::ByHand(_)
        )
    }
}
