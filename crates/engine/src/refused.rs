//! What was refused of late because of who asked, or how often: a sample in memory, beside the log
//! of the program, which has all of it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use model::value::Timestamp;

/// Most refusals that are remembered; the oldest goes first.
pub(crate) const REFUSALS_MAX: usize = 1_000;

/// A refusal. Nothing of what was sent is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// When.
    pub(crate) at: Timestamp,
    /// The status.
    pub(crate) status: u16,
    /// The slug of the problem.
    pub(crate) kind: &'static str,
    /// The pattern of the route.
    pub(crate) route: &'static str,
    /// From where.
    pub(crate) address: Option<IpAddr>,
    /// Who asked, as kind and id; none where nobody had signed in.
    pub(crate) actor: Option<Arc<str>>,
    /// The id of the request.
    pub(crate) request: String,
}

/// The sample.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<VecDeque<Refused>>);

impl Refusals {
    /// Remembers one.
    pub(crate) fn note(&self, refused: Refused) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REFUSALS_MAX {
            all.pop_front();
        }
        all.push_back(refused);
    }

    /// So many of them, the newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Refused> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().take(limit).cloned().collect()
    }
}
