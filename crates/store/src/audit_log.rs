//! The audit log: who changed what, when and from where, written in the transaction of the change.

use model::model::ResourceIndex;
use model::value::{Id, Timestamp};

/// One committed write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done: `create`, `update`, `delete`, `login`, `logout`, `password`, `revoke`,
    /// `import`.
    pub operation: &'static str,
    /// To a record of this resource, where it is about one.
    pub resource: Option<ResourceIndex>,
    /// Its id; `None` where it is about many records.
    pub record: Option<Id>,
    /// How many records it is about.
    pub records: u64,
    /// From which address; empty for a command of the operator.
    pub address: String,
    /// The id of the request, as answers and the log of the program have it.
    pub request: String,
}

/// Who did something. Text, so that it outlives the record or the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `nobody`, `user`, `key` or `operator`.
    pub kind: &'static str,
    /// The id of the user, or the number of the key.
    pub id: Option<String>,
}

/// Which acts are wanted, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acts {
    /// Before this number (exclusive); `None`: from the newest.
    pub before: Option<i64>,
    /// Of this kind of actor.
    pub actor: Option<String>,
    /// Of the actor with this id.
    pub actor_id: Option<String>,
    /// Of this operation.
    pub operation: Option<String>,
    /// About this resource.
    pub resource: Option<ResourceIndex>,
    /// About this record.
    pub record: Option<Id>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// How many at most.
    pub limit: u32,
}

/// An act as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: they grow.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// `nobody`, `user`, `key` or `operator`.
    pub actor: String,
    /// The id of the user, or the number of the key.
    pub actor_id: Option<String>,
    /// What was done.
    pub operation: String,
    /// The name of the resource, where it was about one.
    pub resource: Option<String>,
    /// The id of the record, as text.
    pub record: Option<String>,
    /// How many records it was about.
    pub records: u64,
    /// From where.
    pub address: String,
    /// The id of the request.
    pub request: String,
}
