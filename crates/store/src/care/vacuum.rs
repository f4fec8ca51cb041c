//! Gives back to the disk what deleted records have left, by command: the database is written anew,
//! which takes the room of a second one and nobody may write meanwhile.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::beside::beside;
use super::error::CareError;
use super::restore::claimed;
use crate::sqlite::copy::look;

/// What a vacuum came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vacuumed {
    /// Bytes before, log included.
    pub before: u64,
    /// Bytes after.
    pub after: u64,
}

/// Vacuums.
///
/// # Errors
/// A server runs, or there is no room; the database is as it was.
pub fn vacuum(database: &Path) -> Result<Vacuumed, CareError> {
    drop(look(database)?);
    let (database, held) = claimed(database)?;
    let size = || -> u64 {
        let sizes = ["", "-wal"].map(|part| std::fs::metadata(beside(&database, part)));
        sizes.into_iter().flatten().map(|found| found.len()).sum()
    };
    let before = size();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&database, flags)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; VACUUM; PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);",
    )?;
    drop(connection);
    let after = size();
    drop(held);
    Ok(Vacuumed { before, after })
}
