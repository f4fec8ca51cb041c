//! Every write that the program can make, on one screen. Applied in one function a backend.

use std::sync::Arc;

use model::model::ResourceIndex;
use model::record::{Record, Version};
use model::value::{Id, Timestamp};

use crate::lookup::Remembered;
use crate::spool::Spool;

/// One write. The change counter, the total and the change log follow by themselves.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new record, complete with id, version and times.
    Insert {
        /// Of this resource.
        resource: ResourceIndex,
        /// The record.
        record: Record,
    },
    /// New records, all of them or none.
    InsertMany(Many),
    /// A record replaced by its next version.
    Update {
        /// Of this resource.
        resource: ResourceIndex,
        /// The version that was decided on; repeated in the WHERE.
        expected: Version,
        /// The record as it shall be.
        record: Record,
    },
    /// A record removed.
    Delete {
        /// Of this resource.
        resource: ResourceIndex,
        /// Its id.
        id: Id,
        /// The version that was decided on; repeated in the WHERE.
        expected: Version,
    },
    /// An answer kept for an Idempotency-Key.
    Remember(Remembered),
}

/// New records, in order. Where the tables refuse rows, as many as can be are named
/// (`Error::Rows`).
#[derive(Clone, Debug, PartialEq)]
pub struct Many {
    /// Of this resource.
    pub resource: ResourceIndex,
    /// Their ids, where they bring them, and their values.
    pub rows: Arc<Spool>,
    /// The integer id of the first, where they bring none; the next ones follow.
    pub first_id: i64,
    /// What the version of the first is born with; the next ones follow.
    pub birth: i64,
    /// When they are created.
    pub at: Timestamp,
}
