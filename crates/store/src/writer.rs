//! The side that writes: decisions, committed together with others that wait.

use std::fmt;
use std::sync::Arc;

use model::value::Timestamp;

use crate::credential::Used;
use crate::decision::{Step, Verdict};
use crate::error::Error;
use crate::spool::Spooling;
use crate::sqlite::writer::Writers;

/// Commits decisions. Cheap to clone; the last clone to go closes the store.
#[derive(Clone)]
pub struct Writer(Arc<Writers>);

impl fmt::Debug for Writer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Writer")
    }
}

impl Writer {
    pub(crate) fn new(writers: Arc<Writers>) -> Self {
        Self(writers)
    }

    /// Decides and commits, all steps or none. The verdict comes after the commit is on disk,
    /// refusals too. A future that is dropped does not undo its write.
    ///
    /// # Errors
    /// Nothing was written then. `Taken`, `Dangling`, `TooDeep`, `Moved` and `TooManyKeys` are
    /// about this write; `Full`, `Busy` and `Broken` about the store.
    pub async fn transact<O: Send + 'static>(
        &self,
        steps: Vec<Step<O>>,
    ) -> Result<Verdict<O>, Error> {
        self.0.transact(steps).await
    }

    /// Notes when a session or key was used, in memory: a few dozen nanoseconds. It is written
    /// down once a minute, when no write waits, and moves no change counter.
    pub fn note_used(&self, used: Used, at: Timestamp) {
        self.0.note_used(used, at);
    }

    /// An empty spool for the rows of a `Change::InsertMany`. What does not stay in memory lies
    /// beside the database.
    #[must_use]
    pub fn spool(&self) -> Spooling {
        Spooling::new(self.0.folder())
    }

    /// Finishes what is queued and closes the database; later writes are `Busy`. Blocks until
    /// that is done.
    pub fn close(&self) {
        self.0.close();
    }

    /// Says whether a write would succeed, as far as is known.
    ///
    /// # Errors
    /// What the last write failed with, where that was the disk's fault; it is tried again by
    /// itself.
    pub fn ready(&self) -> Result<(), Error> {
        self.0.ready()
    }
}
