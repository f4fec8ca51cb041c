//! The side that reads. It has no way to write: not in its type, and not in its connections.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::lookup::{Current, Lookup};
use crate::sqlite::reader::Readers;

/// Answers lookups, each from one snapshot. Cheap to clone.
#[derive(Clone)]
pub struct Reader(Arc<Readers>);

impl fmt::Debug for Reader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Reader")
    }
}

impl Reader {
    pub(crate) fn new(readers: Readers) -> Self {
        Self(Arc::new(readers))
    }

    /// Answers a lookup. It is read on the caller's thread when the future is first polled; where
    /// that takes too many steps, on a thread of the pool. Dropping the future stops the read.
    ///
    /// # Errors
    /// `TooSlow` past the deadline, with the index that is missing; `Busy` where too many long
    /// reads wait; `Broken`.
    pub async fn read(&self, lookup: Lookup) -> Result<Current, Error> {
        self.0.read(lookup).await
    }

    /// Answers a lookup that is a part of something long, always on a thread of a lower priority
    /// than those of the requests, and makes something of the answer on that thread. Dropping the
    /// future stops the read.
    ///
    /// # Errors
    /// `TooSlow` past the deadline, which runs from its turn on; `Broken`, also where making
    /// something of it panicked.
    pub async fn read_part<T: Send + 'static>(
        &self,
        lookup: Lookup,
        then: impl FnOnce(Current) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.0.read_part(lookup, then).await
    }

    /// Proves that the database answers.
    ///
    /// # Errors
    /// `Broken`, with a text for the log.
    pub fn ping(&self) -> Result<(), Error> {
        self.0.ping()
    }
}
