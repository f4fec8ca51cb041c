//! The queue of what is to be done outside once a write is committed: mail today. A job exists
//! together with the change that asked for it, or not at all, and is done at least once.

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

/// A job that waits, or that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number in the queue.
    pub number: i64,
    /// Its id.
    pub id: String,
    /// What is to be done.
    pub kind: String,
    /// What it needs for that.
    pub payload: String,
    /// When it is due.
    pub due: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub fault: Option<String>,
    /// When it was given up, where it was.
    pub failed_at: Option<Timestamp>,
}

/// Which jobs are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jobs {
    /// Those that are due by then and that nobody is at, the oldest first, so many at most.
    Due(Timestamp, u32),
    /// All that wait or were given up, the oldest first, so many at most.
    All(u32),
}

/// What becomes of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Somebody is at it until then; after that it is anybody's again.
    Claimed(Timestamp),
    /// It is done.
    Done,
    /// It failed, and is tried again then.
    Later(Timestamp, String),
    /// It failed for good.
    GivenUp(Timestamp, String),
    /// It is tried again at once, as often as a new one, whatever was before.
    Again(Timestamp),
}
