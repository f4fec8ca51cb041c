//! How a database is: sizes, records, keys, change log, backups. Reads only, while a server runs
//! or none does.

use std::fs::{File, TryLockError};
use std::path::Path;

use model::value::Timestamp;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::backup::{self, Note};
use super::beside::beside;
use super::error::CareError;
use crate::sqlite::copy::look;
use crate::sqlite::queue;

const SESSIONS: &str = "SELECT count(*) FROM _methodical_sessions WHERE expires > ?";
const API_KEYS: &str =
    "SELECT count(*) FROM _methodical_api_keys WHERE expires IS NULL OR expires > ?";
const ACTS: &str = "SELECT count(*) FROM _methodical_audit";
const OLDEST_ACT: &str = "SELECT min(at) FROM _methodical_audit";

/// How a database is.
#[derive(Clone, Debug)]
pub struct Status {
    /// True where a server has claimed it.
    pub is_served: bool,
    /// Bytes of the database.
    pub bytes: u64,
    /// Bytes of the log ahead of it.
    pub log_bytes: u64,
    /// Bytes of a page.
    pub page_bytes: u64,
    /// Pages.
    pub pages: u64,
    /// Pages without content: `vacuum` gives them back.
    pub free_pages: u64,
    /// The digest of the declaration that its tables are for.
    pub declaration: String,
    /// Its resources, by name.
    pub resources: Vec<Kept>,
    /// Keys that are remembered.
    pub keys: u64,
    /// Those that have expired and are swept soon.
    pub keys_expired: u64,
    /// Sessions that are good.
    pub sessions: u64,
    /// API keys that are good.
    pub api_keys: u64,
    /// Jobs that wait to be done outside.
    pub jobs: u64,
    /// Jobs that were given up.
    pub jobs_failed: u64,
    /// Entries of the audit log.
    pub acts: u64,
    /// The time of the oldest of them.
    pub oldest_act: Option<Timestamp>,
    /// The change log.
    pub changes: Span,
    /// How the last backup ended.
    pub backup: Option<Note>,
    /// When the server last looked after what the query planner knows.
    pub optimized: Option<Timestamp>,
    /// When it was restored, and when that backup was made.
    pub restored: Option<String>,
}

/// What is kept of a resource.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Records.
    pub records: u64,
    /// The change counter.
    pub change: i64,
}

/// The change log from end to end.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Entries.
    pub entries: u64,
    /// The oldest position and its time.
    pub first: Option<(i64, String)>,
    /// The newest position and its time.
    pub last: Option<(i64, String)>,
}

/// Looks at a database.
///
/// # Errors
/// It is not there, is not ours, or cannot be read.
pub fn status(database: &Path, now: Timestamp) -> Result<Status, CareError> {
    let real = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let connection = look(&real)?;
    let number = |text: &str| -> rusqlite::Result<u64> {
        let found: i64 = connection.query_row(text, [], |row| row.get(0))?;
        Ok(u64::try_from(found).unwrap_or(0))
    };
    let size = |suffix: &str| std::fs::metadata(beside(&real, suffix)).map_or(0, |f| f.len());
    let value = "SELECT value FROM _methodical_meta WHERE name = ?";
    let optimized: Option<i64> =
        connection.query_row(value, ["optimized"], |row| row.get(0)).optional()?;
    let expired = "SELECT count(*) FROM _methodical_keys WHERE expires <= ?";
    let expired: i64 = connection.query_row(expired, [now.0], |row| row.get(0))?;
    // An older layout has none of these.
    let counted = |table: &str, text: &str, now: Option<i64>| -> rusqlite::Result<Option<i64>> {
        let has = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)";
        match connection.query_row(has, [table], |row| row.get(0))? {
            true => connection.query_row(text, params_from_iter(now), |row| row.get(0)),
            false => Ok(None),
        }
    };
    let at_least_0 = |found: Option<i64>| u64::try_from(found.unwrap_or(0)).unwrap_or(0);
    Ok(Status {
        is_served: is_served(&real),
        bytes: size(""),
        log_bytes: size("-wal"),
        page_bytes: number("PRAGMA page_size")?,
        pages: number("PRAGMA page_count")?,
        free_pages: number("PRAGMA freelist_count")?,
        declaration: connection.query_row(value, ["declaration"], |row| row.get(0))?,
        resources: resources(&connection)?,
        keys: number("SELECT coalesce(sum(keys), 0) FROM _methodical_principals")?,
        keys_expired: u64::try_from(expired).unwrap_or(0),
        sessions: at_least_0(counted("_methodical_sessions", SESSIONS, Some(now.0))?),
        api_keys: at_least_0(counted("_methodical_api_keys", API_KEYS, Some(now.0))?),
        jobs: at_least_0(counted("_methodical_jobs", queue::WAITING, None)?),
        jobs_failed: at_least_0(counted("_methodical_jobs", queue::GIVEN_UP, None)?),
        acts: at_least_0(counted("_methodical_audit", ACTS, None)?),
        oldest_act: counted("_methodical_audit", OLDEST_ACT, None)?.map(Timestamp),
        changes: Span {
            entries: number("SELECT count(*) FROM _methodical_changes")?,
            first: entry(&connection, "ASC")?,
            last: entry(&connection, "DESC")?,
        },
        backup: backup::last(&real),
        optimized: optimized.map(Timestamp),
        restored: connection.query_row(value, ["restored"], |row| row.get(0)).optional()?,
    })
}

fn resources(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let text = "SELECT name, total, change FROM _methodical_resource ORDER BY name";
    let mut statement = connection.prepare(text)?;
    let rows = statement.query_map([], |row| {
        let records: i64 = row.get(1)?;
        Ok(Kept {
            name: row.get(0)?,
            records: u64::try_from(records).unwrap_or(0),
            change: row.get(2)?,
        })
    })?;
    rows.collect()
}

fn entry(connection: &Connection, order: &str) -> rusqlite::Result<Option<(i64, String)>> {
    let text =
        format!("SELECT position, at FROM _methodical_changes ORDER BY position {order} LIMIT 1");
    connection.query_row(&text, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// True where a server has claimed a database. Asks by a shared lock, which is let go at once: a
/// server that starts at this very moment tries again.
#[must_use]
pub fn is_served(database: &Path) -> bool {
    let Ok(claim) = File::open(beside(database, "-serve")) else { return false };
    matches!(claim.try_lock_shared(), Err(TryLockError::WouldBlock))
}
