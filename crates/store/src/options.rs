//! How a store is opened: where it lies, and every bound that it keeps.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::setting::Settings;
use model::value::Timestamp;

use crate::credential::NewKey;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file.
    pub path: PathBuf,
    /// Steps of the database's machine that a read may take on the caller's thread.
    pub read_steps_max: u64,
    /// How long a read may take in the pool, waiting included.
    pub read_deadline: Duration,
    /// Threads of the pool.
    pub read_threads: usize,
    /// Most reads that wait for a thread of the pool.
    pub read_queue_max: usize,
    /// Most writes that share a commit.
    pub group_writes_max: usize,
    /// Longest time that a group of writes is collected.
    pub group_time_max: Duration,
    /// Most writes that wait.
    pub write_queue_max: usize,
    /// How long a write waits for a database that another process has locked.
    pub write_deadline: Duration,
    /// Most keys remembered for one principal.
    pub keys_max: u64,
    /// Where counting what a filter leaves stops, and how many of the newest matches are ranked.
    pub count_rows_max: u64,
    /// Longest chain of references that a deletion follows.
    pub cascade_levels_max: u32,
    /// How long an entry of the change log is kept.
    pub change_retention: Duration,
    /// Most sessions of one user.
    pub sessions_max: u64,
    /// How long an entry of the audit log is kept.
    pub audit_retention: Duration,
    /// The key that a database gets which has never had one: without it nobody could do anything.
    pub first_key: Option<NewKey>,
    /// Tables with fewer rows are migrated by whoever opens the store, unless data is lost by it.
    pub migrate_rows_max: u64,
    /// The clock, by which remembered answers expire.
    pub clock: fn() -> Timestamp,
    /// Most pages of the file, for tests of a full disk.
    #[cfg(test)]
    pub(crate) pages_max: Option<u32>,
}

impl Options {
    /// The options that the settings ask for, with the system's clock.
    #[must_use]
    pub fn from(settings: &Settings, path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            read_steps_max: settings.read_steps_max,
            read_deadline: settings.read_deadline,
            read_threads: settings.read_threads,
            read_queue_max: settings.read_queue_max,
            group_writes_max: settings.group_writes_max,
            group_time_max: settings.group_time_max,
            write_queue_max: settings.write_queue_max,
            write_deadline: settings.write_deadline,
            keys_max: settings.keys_max,
            count_rows_max: settings.count_rows_max,
            cascade_levels_max: settings.cascade_levels_max,
            change_retention: settings.change_retention,
            sessions_max: settings.sessions_max,
            audit_retention: settings.audit_retention,
            first_key: None,
            migrate_rows_max: settings.migrate_rows_max,
            clock: now,
            #[cfg(test)]
            pages_max: None,
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "whether an answer has expired is judged in the transaction that reads it; who wants \
              another clock sets `Options::clock`"
)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
