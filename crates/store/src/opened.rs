//! What opening a store comes to.

use crate::reader::Reader;
use crate::writer::Writer;

/// An open store.
#[derive(Clone, Debug)]
pub struct Opened {
    /// For whoever may only read.
    pub reader: Reader,
    /// For whoever may write.
    pub writer: Writer,
    /// Drawn when the database was made: part of every ETag, so that another database, or a
    /// restored one, never revives an old tag.
    pub epoch: u64,
    /// Drawn when the database was made: keys the hashes of fingerprints and cursors.
    pub secret: [u8; 32],
    /// True where the database was made just now, and seeded.
    pub fresh: bool,
}

/// Why a store could not be opened. The texts are for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A second server, or a program that holds its lock.
    #[error(
        "the database is in use by another `methodical serve`, or locked by another program; stop \
         that one first, or choose another file with --database"
    )]
    Locked,
    /// The declaration no longer fits the tables.
    #[error(
        "the declaration changed since the database was made (it was {was}, it is {now}); \
         migrations come next: until then undo the change, or begin anew with another --database"
    )]
    Changed {
        /// The digest that the tables were made for.
        was: String,
        /// The digest of the declaration.
        now: String,
    },
    /// A file of somebody else's.
    #[error(
        "the file is not a database of Methodical's; choose another one with --database, \
         nothing was changed in this one"
    )]
    NotOurs,
    /// SQLite finds the file corrupt.
    #[error("the database is damaged ({0}); restore a backup")]
    Damaged(String),
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
    /// No room to make the database.
    #[error("the disk is full; make room and start again")]
    NoRoom,
    /// The file cannot be opened or written.
    #[error("the database cannot be opened: {0}")]
    Io(String),
    /// The seed does not fit. Nothing was made.
    #[error("the seed does not fit: {0}")]
    Seed(String),
}
