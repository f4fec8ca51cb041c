//! Every write that the program can make, on one screen. Applied in one function a backend.

use model::model::ResourceIndex;
use model::record::{Record, Version};
use model::value::Id;

use crate::lookup::Remembered;

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
