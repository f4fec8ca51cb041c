//! A database of somebody else's: opened read-only, in one snapshot.

pub(crate) mod check;
pub(crate) mod copy;
pub(crate) mod inspect;
pub(crate) mod keys;
pub(crate) mod relation;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod token;
pub(crate) mod view;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use model::adopt::foreign::Table;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::open::APPLICATION;
use crate::adopt::AdoptError;

/// How long a lock of another program is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database of somebody else's, with a read transaction that lasts as long as it is open.
pub(crate) struct Strange {
    pub(crate) connection: Connection,
    /// The name of its file without the ending.
    pub(crate) name: String,
}

impl Strange {
    pub(crate) fn open(path: &Path) -> Result<Self, AdoptError> {
        if !path.is_file() {
            return Err(AdoptError::Missing);
        }
        // Only the file that is named is closed to writing: keys are kept in temporary tables.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| told(&error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| told(&error))?;
        let begun = connection
            .execute_batch("PRAGMA trusted_schema = OFF; BEGIN")
            .and_then(|()| connection.query_row("PRAGMA application_id", [], |row| row.get(0)))
            .and_then(|application: i32| {
                // What is read first fixes the moment of all that is read.
                let count = "SELECT count(*) FROM sqlite_schema";
                connection.query_row(count, [], |row| row.get::<_, i64>(0))?;
                Ok(application)
            });
        if begun.map_err(|error| told(&error))? == APPLICATION {
            return Err(AdoptError::Ours);
        }
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
        Ok(Self { connection, name })
    }
}

/// A failure as whoever adopts should read it.
pub(crate) fn told(error: &rusqlite::Error) -> AdoptError {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => AdoptError::NotADatabase,
        Some(ErrorCode::DatabaseCorrupt) => AdoptError::Damaged(error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AdoptError::Locked,
        Some(ErrorCode::DiskFull) => AdoptError::NoRoom,
        Some(ErrorCode::ReadOnly) if extended == Some(ffi::SQLITE_READONLY_ROLLBACK) => {
            AdoptError::HotJournal
        }
        _ => AdoptError::Failed(error.to_string()),
    }
}

/// The name by which the number of a row is asked for, where the table's own columns leave one.
pub(crate) fn row_number(table: &Table) -> Option<&'static str> {
    let is_column =
        |name: &str| table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name))
}
