//! What the store counts, and the sizes that it can tell: for whoever watches it.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use model::value::Timestamp;

use crate::care::backup::last;
use crate::care::beside::beside;
use crate::error::Error;
use crate::sqlite::checkpoint::Log;
use crate::sqlite::copy::look;
use crate::sqlite::queue;
use crate::sqlite::writer::Writers;

/// Upper bounds of the sizes of groups that are counted apart; one more counts all above.
pub const GROUP_SIZES: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// Counters of an open store. Each is a relaxed addition where it is counted.
#[derive(Default)]
pub(crate) struct Meters {
    groups: [AtomicU64; GROUP_SIZES.len() + 1],
    writes: AtomicU64,
    lost: AtomicU64,
    inline: AtomicU64,
    pooled: AtomicU64,
    slow: AtomicU64,
    refused: AtomicU64,
}

impl Meters {
    /// A group of so many writes was committed.
    pub(crate) fn group(&self, writes: usize) {
        let writes = writes as u64;
        let at = GROUP_SIZES.partition_point(|most| *most < writes);
        self.groups[at].fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(writes, Ordering::Relaxed);
    }

    /// A group was lost, and run again one by one.
    pub(crate) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// A read was answered on the thread that asked.
    pub(crate) fn read(&self) {
        self.inline.fetch_add(1, Ordering::Relaxed);
    }

    /// A read went to the pool, and ended like this.
    pub(crate) fn long_read(&self, error: Option<&Error>) {
        self.pooled.fetch_add(1, Ordering::Relaxed);
        match error {
            Some(Error::TooSlow { .. }) => self.slow.fetch_add(1, Ordering::Relaxed),
            Some(Error::Busy(_)) => self.refused.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

/// What an open store has counted, and how large it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Writes that wait.
    pub waiting: u64,
    /// Commits by the number of writes that they held: `GROUP_SIZES`, and above.
    pub groups: [u64; GROUP_SIZES.len() + 1],
    /// Writes in all groups, refused ones included.
    pub writes: u64,
    /// Groups that were lost and run again one by one.
    pub lost: u64,
    /// Reads answered on the thread that asked.
    pub inline: u64,
    /// Reads that went to the pool.
    pub pooled: u64,
    /// Of these, those that were stopped at their deadline.
    pub slow: u64,
    /// Of these, those that were refused because too many waited.
    pub refused: u64,
    /// Idempotency-Keys that are remembered.
    pub keys: u64,
    /// Jobs that wait to be done outside.
    pub jobs: u64,
    /// Jobs that were given up.
    pub jobs_failed: u64,
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Bytes of the log ahead of it, on the disk.
    pub log_bytes: u64,
    /// Pages of the log that were not moved over when a write last ended.
    pub log_pages: u64,
    /// Passes of the thread that moves them.
    pub checkpoints: u64,
    /// Pages without content.
    pub free_pages: u64,
    /// When the last backup was tried, if one was.
    pub backup_at: Option<Timestamp>,
    /// True where it failed.
    pub backup_failed: bool,
}

/// Tells the figures of an open store. Cheap to clone; keeps nothing open.
#[derive(Clone)]
pub struct Measures {
    meters: Arc<Meters>,
    log: Arc<Log>,
    writers: Weak<Writers>,
    path: PathBuf,
}

impl fmt::Debug for Measures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Measures")
    }
}

impl Measures {
    pub(crate) fn new(
        meters: Arc<Meters>,
        log: Arc<Log>,
        writers: &Arc<Writers>,
        path: PathBuf,
    ) -> Self {
        Self { meters, log, writers: Arc::downgrade(writers), path }
    }

    /// The figures of this moment. Reads the database for a moment; what cannot be read is 0.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let counted = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let size = |part| std::fs::metadata(beside(&self.path, part)).map_or(0, |f| f.len());
        let (keys, free_pages, [jobs, jobs_failed]) = self.looked_up().unwrap_or_default();
        let meters = &self.meters;
        let backup = last(&self.path);
        Figures {
            waiting: self.writers.upgrade().map_or(0, |writers| writers.waiting() as u64),
            groups: std::array::from_fn(|at| counted(&meters.groups[at])),
            writes: counted(&meters.writes),
            lost: counted(&meters.lost),
            inline: counted(&meters.inline),
            pooled: counted(&meters.pooled),
            slow: counted(&meters.slow),
            refused: counted(&meters.refused),
            keys,
            jobs,
            jobs_failed,
            database_bytes: size(""),
            log_bytes: size("-wal"),
            log_pages: self.log.pages(),
            checkpoints: self.log.passes(),
            free_pages,
            backup_at: backup.as_ref().and_then(|note| Timestamp::parse(&note.at)),
            backup_failed: backup.is_some_and(|note| note.error.is_some()),
        }
    }

    fn looked_up(&self) -> Option<(u64, u64, [u64; 2])> {
        let connection = look(&self.path).ok()?;
        let number = |text: &str| -> Option<u64> {
            let found: i64 = connection.query_row(text, [], |row| row.get(0)).ok()?;
            u64::try_from(found).ok()
        };
        Some((
            number("SELECT coalesce(sum(keys), 0) FROM _methodical_principals")?,
            number("PRAGMA freelist_count")?,
            [number(queue::WAITING)?, number(queue::GIVEN_UP)?],
        ))
    }
}
