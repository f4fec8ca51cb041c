//! Why a database could not be cared for. The texts are for the operator; nothing was replaced.

use std::io;
use std::path::Path;

use crate::error::OpenError;

/// Why a backup was not made, a database not restored, not checked or not vacuumed.
#[derive(Debug, thiserror::Error)]
pub enum CareError {
    /// There is no database.
    #[error("there is no database {0}; `methodical serve` makes one")]
    Missing(String),
    /// There is a file, and nothing was made in it.
    #[error(
        "{0} is there and has no tables yet: a first start did not get to its end. Nothing is \
         lost; `methodical serve` says what kept it, and makes them once that is mended"
    )]
    Unmade(String),
    /// A restore was interrupted between two files.
    #[error(
        "a restore was interrupted; nothing is lost: `methodical serve`, or the same restore once \
         more, finishes it or takes it back first"
    )]
    Interrupted,
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A server has the database open.
    #[error("a server is running on this database; stop it first (SIGTERM), then try again")]
    Served,
    /// Another backup is on its way.
    #[error("another backup of this database is being made; wait for it")]
    Underway,
    /// A file of this name exists.
    #[error("{0} exists, and nothing is overwritten; choose another name")]
    Exists(String),
    /// SQLite finds pages damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The log ahead of the database grew too much while it was copied.
    #[error(
        "given up: while the database was copied, the log of new writes grew to {grown} bytes, \
         above `backup.log` ({most} bytes); choose a quieter time, or raise `backup.log` where \
         the disk has room"
    )]
    LogTooLarge {
        /// Its size.
        grown: u64,
        /// The setting.
        most: u64,
    },
    /// The file is no backup of ours.
    #[error("this is not a backup made by `methodical backup`: it begins otherwise")]
    NotABackup,
    /// A later format.
    #[error("this backup has format {0}, made by a newer version of Methodical; use that version")]
    NewerFormat(u64),
    /// The end is missing.
    #[error(
        "the backup is cut off ({0}): a copy or download that was not finished, or a full disk; \
         use another one"
    )]
    CutOff(String),
    /// Bytes have changed since it was made.
    #[error("the backup is damaged ({0}): its bytes are not those that were written; use another")]
    BackupDamaged(String),
    /// What is inside is sound as a file, and no database of ours.
    #[error("what the backup holds cannot be used: {0}")]
    Unusable(String),
    /// A file could not be read or written.
    #[error("{0}")]
    Io(String),
    /// No room on the disk.
    #[error("no room on the disk for {0}; make room and try again")]
    NoRoom(String),
    /// A statement failed.
    #[error("the database failed: {0}")]
    Failed(String),
    /// Whoever asked for it wants it no more.
    #[error("stopped before it was done")]
    Stopped,
}

impl CareError {
    /// A failure with a file, named.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull {
            return Self::NoRoom(path.display().to_string());
        }
        Self::Io(format!("{}: {error}", path.display()))
    }
}

impl From<rusqlite::Error> for CareError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            Some(rusqlite::ErrorCode::DiskFull) => Self::NoRoom("the database".to_owned()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
