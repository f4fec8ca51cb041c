//! Threads for reads that take long: a bounded number of them, a bounded queue, a deadline each.
//! A read whose asker has left is stopped.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::failure::Failure;
use super::find::snapshot;
use super::open::Source;

use super::session::Session;
use crate::error::Error;
use crate::lookup::{Current, Lookup};
use crate::priority;
use crate::sql::advice::missing_index;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 2_000;
/// How long a thread without work stays.
const LINGER: Duration = Duration::from_secs(30);

/// The pool. Its threads end with it.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    source: Source,
    threads_max: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Ask>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

struct Ask {
    lookup: Lookup,
    /// Since when the deadline runs; for a part of a long list only from its turn on, because each
    /// has waited for its own client before.
    since: Option<Instant>,
    is_left: Arc<AtomicBool>,
    /// What is done with the answer, on the thread that has found it.
    tell: Box<dyn FnOnce(Result<Current, Error>) + Send>,
}

/// Tells the pool that nobody waits for the answer any more.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Pool {
    /// A pool of so many threads, each of which begins when there is work for it.
    pub(crate) fn new(source: Source, threads_max: usize) -> Self {
        let (state, work) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { source, threads_max, state, work }) }
    }

    /// Reads on a thread of the pool. Dropping the future stops the statement.
    pub(crate) async fn read(&self, lookup: Lookup) -> Result<Current, Error> {
        self.ask(lookup, Some(Instant::now()), |current| current).await
    }

    /// Reads a part of something long, and makes something of it there. It waits its turn however
    /// long the others take: a list that has begun is not broken off because many are read.
    pub(crate) async fn read_part<T: Send + 'static>(
        &self,
        lookup: Lookup,
        then: impl FnOnce(Current) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.ask(lookup, None, then).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        lookup: Lookup,
        since: Option<Instant>,
        then: impl FnOnce(Current) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (receipt, answer) = oneshot::channel();
        let leaving = Leaving(Arc::new(AtomicBool::new(false)));
        let is_left = Arc::clone(&leaving.0);
        // Nobody may be waiting any more.
        let tell = Box::new(move |answer: Result<Current, Error>| {
            drop(receipt.send(answer.map(then)));
        });
        self.submit(Ask { lookup, since, is_left, tell })?;
        let answer = answer.await;
        drop(leaving);
        let lost = || Error::Broken("a long read came to nothing; the log says why".to_owned());
        answer.unwrap_or_else(|_| Err(lost()))
    }

    fn submit(&self, ask: Ask) -> Result<(), Error> {
        let options = &self.shared.source.options;
        let mut state = self.shared.lock();
        if ask.since.is_some() && state.queue.len() >= options.read_queue_max {
            return Err(Error::Busy("too many long reads are waiting"));
        }
        state.queue.push_back(ask);
        if state.idle < state.queue.len() && state.threads < self.shared.threads_max {
            state.threads += 1;
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("store-read".to_owned());
            if let Err(error) = thread.spawn(move || shared.serve()) {
                state.threads -= 1;
                if state.threads == 0 {
                    state.queue.pop_back();
                    return Err(Error::Broken(format!("no thread for a long read: {error}")));
                }
            }
        }
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of one thread.
    fn serve(&self) {
        // A read is here because it is long: the short ones of the workers go first.
        priority::lower();
        let mut session = None;
        while let Some(ask) = self.next() {
            if ask.is_left.load(Ordering::Relaxed) {
                continue;
            }
            let answer = self.answer(&mut session, &ask);
            let tell = ask.tell;
            // A panic has been reported where it happened, and the asker sees that nothing comes.
            drop(catch_unwind(AssertUnwindSafe(|| tell(answer))));
        }
    }

    fn next(&self) -> Option<Ask> {
        let mut state = self.lock();
        loop {
            if let Some(ask) = state.queue.pop_front() {
                return Some(ask);
            }
            if state.is_closed {
                break;
            }
            state.idle += 1;
            let (woken, waited) =
                self.work.wait_timeout(state, LINGER).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        None
    }

    fn answer(&self, kept: &mut Option<Session>, ask: &Ask) -> Result<Current, Error> {
        let model = &self.source.catalog.model;
        let told = |failure: Failure| failure.told(model, 0, 0);
        let too_slow = || Error::TooSlow { index: missing_index(model, &ask.lookup) };
        let deadline = ask.since.unwrap_or_else(Instant::now) + self.source.options.read_deadline;
        if Instant::now() >= deadline {
            return Err(too_slow());
        }
        let mut session = match kept.take() {
            Some(session) => session,
            None => self.source.long_reader(self.source.options.read_deadline).map_err(told)?,
        };
        let is_left = Arc::clone(&ask.is_left);
        let is_over = move || is_left.load(Ordering::Relaxed) || Instant::now() >= deadline;
        session
            .connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(is_over))
            .map_err(|error| told(error.into()))?;
        let found = snapshot(&session, &ask.lookup);
        let is_sound = session.connection.is_autocommit();
        match found {
            Ok(current) => {
                *kept = is_sound.then_some(session);
                Ok(current)
            }
            Err(failure) if failure.is_interrupt() => {
                *kept = is_sound.then_some(session);
                Err(too_slow())
            }
            // A connection that has failed is not trusted again.
            Err(failure) => Err(told(failure)),
        }
    }
}
