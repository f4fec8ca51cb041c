//! Every write that the program can make, on one screen. Applied in one function a backend.

use std::sync::Arc;

use model::model::{FieldIndex, ResourceIndex};
use model::query::Filter;
use model::record::{Record, Version};
use model::value::{Id, Timestamp};

use crate::audit_log::Act;
use crate::code::Code;
use crate::credential::{Session, TokenHash, Which};
use crate::lookup::Remembered;
use crate::queue::{Fate, Job};
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
    /// A new session under the hash of its token. Its number is drawn by the store.
    OpenSession(TokenHash, Session),
    /// Sessions of a user end.
    EndSessions {
        /// Whose.
        user: Id,
        /// Which of them.
        which: Which,
    },
    /// A session goes on under another password.
    SealSession {
        /// Its number.
        number: i64,
        /// The new seal.
        seal: [u8; 16],
    },
    /// An entry of the audit log.
    Act(Act),
    /// Something to be done outside, once this is committed.
    Enqueue(Job),
    /// What becomes of a job, by its number.
    SettleJob(i64, Fate),
    /// A code that is sent.
    PutCode(Code),
    /// Every code of a user ends.
    EndCodes(Id),
    /// A user has shown that an address is its own.
    Confirm {
        /// Who.
        user: Id,
        /// The address.
        address: String,
        /// When.
        at: Timestamp,
    },
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
    /// What has to be true of each of them once it is there; a row of which it is not is refused
    /// (`Error::Rows`).
    pub must: Filter,
    /// For reference fields: which records they may name, for others do not exist for the caller.
    pub referred: Vec<(FieldIndex, Filter)>,
}
