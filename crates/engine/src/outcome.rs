//! What happened, before it has a form.

use std::sync::Arc;

use bytes::Bytes;
use contract::problem::Problem;
use model::model::{Model, ResourceIndex};
use model::record::Record;
use model::value::{Id, Timestamp};
use store::audit_log::Entry;
use store::change::Change;
use store::log::Log;
use store::lookup::{Found, Lookup, Row, Total};

use crate::answer::Answer;
use crate::batch::Part;
use crate::call::Then;

/// What an operation came to.
pub(crate) enum Outcome {
    /// A page of records, or of groups.
    Listed(Seen<Found>),
    /// What matches in every resource.
    Searched(Seen<Hits>),
    /// A part of the change log.
    Changed(Log),
    /// One record, and what hangs on it.
    Fetched(Seen<Row>),
    /// A record that is new.
    Created(Record),
    /// So many records that are new.
    CreatedMany(u64, Ids),
    /// A record replaced by PUT.
    Replaced(Record),
    /// A record changed by PATCH.
    Patched(Record),
    /// A record removed.
    Deleted,
    /// Somebody has signed in.
    SignedIn(Box<SignedIn>),
    /// Somebody has signed out, and goes on there.
    SignedOut(Then),
    /// Something was done that there is nothing to show of; the word that says so, and where the
    /// client goes on.
    Settled(&'static str, Then),
    /// A part of the audit log.
    Audited(Vec<Entry>),
    /// What the target can do.
    Described,
    /// A document that the program brings along.
    Document(Vec<u8>),
    /// A state of the process, never kept.
    State(Vec<u8>),
    /// A page for people.
    Page(Vec<u8>),
    /// It will be done, if there is anything to do: which of both is not said.
    Accepted,
    /// What one operation of a batch came to.
    Part(Box<Part>),
    /// An answer that has its form already: rendered to be remembered with its write.
    Rendered(Answer),
    /// A remembered answer.
    Replayed(Answer),
}

/// A new session.
pub(crate) struct SignedIn {
    /// Its token.
    pub(crate) token: String,
    /// When it ends by itself.
    pub(crate) expires_at: Timestamp,
    /// Whose it is.
    pub(crate) user: Id,
    /// That record as the user itself sees it, if it does.
    pub(crate) shown: Option<Record>,
    /// The declaration as it is for that user.
    pub(crate) model: Arc<Model>,
    /// Where the client goes on.
    pub(crate) then: Then,
}

/// A page of what matches in every resource.
pub(crate) struct Hits {
    /// The best first.
    pub(crate) hits: Vec<Hit>,
    /// How many there are in all.
    pub(crate) total: Total,
    /// True where there is another page.
    pub(crate) has_next: bool,
}

/// A record that matches.
pub(crate) struct Hit {
    /// Of this resource.
    pub(crate) resource: ResourceIndex,
    /// The record.
    pub(crate) row: Row,
}

/// What was found, and the states of the tables that it was found in.
pub(crate) struct Seen<T> {
    /// What was found.
    pub(crate) found: T,
    /// One a table of the call.
    pub(crate) states: Vec<i64>,
}

/// The ids of many new records.
pub(crate) enum Ids {
    /// This one and those that follow it.
    From(i64),
    /// As JSON, between commas.
    Written(Bytes),
}

/// What a handler of a write comes to.
pub(crate) enum Decided {
    /// These changes, and this outcome once they are on disk.
    Done(Outcome, Vec<Change>),
    /// Nothing.
    Refused(Problem),
    /// More must be known.
    More(Lookup),
}
