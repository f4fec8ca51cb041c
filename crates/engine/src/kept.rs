//! Lists as they were last rendered, each with the states of its tables. While they stand still,
//! asking again takes one look at their change counters instead of a query.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use contract::table::Operation;
use model::model::Model;
use store::lookup::Current;

use crate::answer::Answer;
use crate::call::Call;
use crate::outcome::Outcome;
use crate::representation::{self, lines::Format};

/// Most bytes of content and queries that are kept. Whoever asks chooses how many queries there
/// are, so beyond that all of them are forgotten.
const BYTES_MAX: usize = 8 << 20;
/// A larger answer is not kept: few of them would push out many.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// The kept lists of all resources.
pub(crate) struct Kept {
    shelves: Mutex<Shelves>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often a list was answered from what was kept, and how often it was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptFigures {
    /// From what was kept.
    pub hits: u64,
    /// By a query.
    pub misses: u64,
}

struct Shelves {
    /// One a resource, by the query component as it was sent.
    lists: Vec<HashMap<String, Arc<List>>>,
    bytes: usize,
}

/// A list as it was last rendered.
pub(crate) struct List {
    states: Vec<i64>,
    answer: Answer,
}

impl List {
    /// The answer, if every table is still in the state that it was rendered from. The counters
    /// are read anew each time, so that edits from outside count as well.
    pub(crate) fn answer(&self, current: &Current) -> Option<Answer> {
        (current.states == self.states).then(|| self.answer.clone())
    }
}

impl Kept {
    /// Empty shelves.
    pub(crate) fn new(model: &Model) -> Self {
        let lists = model.resources.iter().map(|_| HashMap::new()).collect();
        let shelves = Mutex::new(Shelves { lists, bytes: 0 });
        Self { shelves, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// A kept list was the answer.
    pub(crate) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// How it does.
    pub(crate) fn figures(&self) -> KeptFigures {
        let counted = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        KeptFigures { hits: counted(&self.hits), misses: counted(&self.misses) }
    }

    /// What was kept of the list that a call asks for.
    pub(crate) fn find(&self, call: &Call) -> Option<Arc<List>> {
        let query = name(call)?;
        let query = query.as_ref();
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.lists.get(call.routed.resource?)?.get(query).cloned()
    }

    /// Renders a list and keeps it; any other outcome stays as it is.
    pub(crate) fn keep(&self, call: &Call, outcome: Outcome) -> Outcome {
        let (Outcome::Listed(seen), Some(query)) = (&outcome, name(call)) else { return outcome };
        let query = query.as_ref();
        self.misses.fetch_add(1, Ordering::Relaxed);
        let states = seen.states.clone();
        let answer = representation::render(call, outcome);
        let bytes = answer.content.len() + query.len();
        if bytes <= ANSWER_BYTES_MAX {
            let list = Arc::new(List { states, answer: answer.clone() });
            let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
            shelves.put(call, query, list, bytes);
        }
        Outcome::Rendered(answer)
    }
}

impl Shelves {
    fn put(&mut self, call: &Call, query: &str, list: Arc<List>, bytes: usize) {
        if self.bytes + bytes > BYTES_MAX {
            self.lists.iter_mut().for_each(HashMap::clear);
            self.bytes = 0;
        }
        let (resource, _) = call.resource();
        if let Some(old) = self.lists[resource].insert(query.to_owned(), list) {
            self.bytes -= old.answer.content.len() + query.len();
        }
        self.bytes += bytes;
    }
}

/// What tells a list from the others of its resource: the query, and what of the tables the caller
/// sees. A query that came as content is not kept: its answer names other fields, and it is seldom
/// asked twice. Nor is another format than JSON, or what the clock decides on.
fn name(call: &Call) -> Option<Cow<'_, str>> {
    let row = call.routed.row;
    let json = Format::of(call.media) == Format::Json;
    if row.operation != Operation::List || !row.accepts.is_empty() || !json {
        return None;
    }
    let query = call.routed.query.as_deref().unwrap_or_default();
    let digest = call.digest();
    match digest.is_empty() {
        true => Some(Cow::Borrowed(query)),
        false if call.admitted.sight.is_timed_for(&call.tables) => None,
        // No query as it is sent has a space in it.
        false => Some(Cow::Owned(format!("{digest} {query}"))),
    }
}
