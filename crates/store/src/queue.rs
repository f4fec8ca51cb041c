//! The queue of what is to be done outside once a write is committed: mail today. A job exists
//! together with the change that asked for it, or not at all.

use model::value::Timestamp;

/// Something to be done outside, at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Names it for ever, to whoever carries it out too: every attempt has the same.
    pub id: String,
    /// What is to be done: one of the kinds that the runner knows.
    pub kind: &'static str,
    /// What it needs for that, as JSON text. May hold secrets, and is gone once the job is done.
    pub payload: String,
    /// Not before this time.
    pub due: Timestamp,
}
