//! When sessions and keys were last used, gathered in memory: a request only notes it, and the
//! writer writes it down when nobody waits, once a minute for each of them.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::value::Timestamp;

use crate::credential::Used;

/// How long stamps are gathered.
const INTERVAL: Duration = Duration::from_secs(60);
/// Most credentials whose stamps wait. Of more than that some lose theirs of this minute.
const WAITING_MAX: usize = 100_000;

/// What waits to be written down.
#[derive(Debug)]
pub(crate) struct Stamps(Mutex<Waiting>);

#[derive(Debug)]
struct Waiting {
    gathered: HashMap<Used, Timestamp>,
    since: Instant,
    /// What is being written, a part at a time.
    due: Vec<(Used, Timestamp)>,
}

impl Default for Stamps {
    fn default() -> Self {
        let (gathered, due) = (HashMap::new(), Vec::new());
        Self(Mutex::new(Waiting { gathered, since: Instant::now(), due }))
    }
}

impl Stamps {
    /// Notes a use.
    pub(crate) fn note(&self, used: Used, at: Timestamp) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = waiting.gathered.len() < WAITING_MAX;
        match waiting.gathered.get_mut(&used) {
            Some(known) => *known = (*known).max(at),
            None if has_room => drop(waiting.gathered.insert(used, at)),
            None => {}
        }
    }

    /// True where a part is to be written.
    pub(crate) fn is_due(&self) -> bool {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ripe = !waiting.gathered.is_empty() && waiting.since.elapsed() >= INTERVAL;
        !waiting.due.is_empty() || is_ripe
    }

    /// The next part, of so many at most.
    pub(crate) fn part(&self, most: usize) -> Vec<(Used, Timestamp)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.due.is_empty() {
            waiting.due = take(&mut waiting.gathered).into_iter().collect();
            waiting.since = Instant::now();
        }
        let rest = waiting.due.len().saturating_sub(most);
        waiting.due.split_off(rest)
    }
}
