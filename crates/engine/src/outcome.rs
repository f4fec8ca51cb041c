//! What happened, before it has a form.

use model::record::Record;
use store::lookup::Found;

use crate::representation::Answer;

/// What an operation came to.
pub(crate) enum Outcome {
    /// A page of records.
    Listed(Found),
    /// One record.
    Fetched(Record),
    /// A record that is new.
    Created(Record),
    /// A record replaced by PUT.
    Replaced(Record),
    /// A record changed by PATCH.
    Patched(Record),
    /// A record removed.
    Deleted,
    /// What the target can do.
    Described,
    /// A document that the program brings along.
    Document(Vec<u8>),
    /// A state of the process, never kept.
    State(Vec<u8>),
    /// An answer that has its form already: rendered to be remembered with its write.
    Rendered(Answer),
    /// A remembered answer.
    Replayed(Answer),
}
