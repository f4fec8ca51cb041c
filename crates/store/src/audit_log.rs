//! The audit log: who changed what, when and from where, written in the transaction of the change.

use std::sync::Arc;

use model::model::ResourceIndex;
use model::value::{Id, Timestamp};

use crate::spool::Spool;

/// Every kind of actor that an entry can name.
pub const ACTORS: &[&str] = &["nobody", "user", "key", "issuer", "operator"];
/// Every operation that an entry can name.
pub const OPERATIONS: &[&str] = &[
    "create",
    "update",
    "delete",
    "import",
    "login",
    "logout",
    "password",
    "confirm",
    "revoke",
    "create-key",
    "revoke-key",
];

/// One committed write.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done, one of OPERATIONS.
    pub operation: &'static str,
    /// To a record of this resource, where it is about one.
    pub resource: Option<ResourceIndex>,
    /// Its id; `None` where it is about many records.
    pub record: Option<Id>,
    /// How many records it is about.
    pub records: u64,
    /// Which these are, where there are many.
    pub ids: Ids,
    /// From which address; empty for a command of the operator.
    pub address: String,
    /// The id of the request, as answers and the log of the program have it.
    pub request: String,
}

/// Which records an act is about, where it is about many.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Ids {
    /// It is about one, or nobody has written down about which.
    #[default]
    Unnamed,
    /// All from the first to the last.
    Span(i64, i64),
    /// Those of these rows: an entry for each, where they are few.
    Rows(Arc<Spool>),
}

/// Who did something. Text, so that it outlives the record or the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// One of ACTORS.
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
    /// The ids of the first and the last, where it was about all from one to the other.
    pub span: Option<(i64, i64)>,
    /// From where.
    pub address: String,
    /// The id of the request.
    pub request: String,
}
