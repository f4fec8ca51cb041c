//! Threads for reads that take long: a bounded number of them, a bounded queue, a deadline each.
//! A read whose asker has left is stopped. One that would wait so long that its deadline would come
//! while it is carried out is not taken: its work would come to nothing, and that of others wait.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::failure::Failure;
use super::find::snapshot;
use super::open::Source;

use super::session::Session;
use crate::error::Error;
use crate::lookup::{Current, Lookup};
use crate::options::Options;
use crate::priority;
use crate::sql::advice::missing_index;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 2_000;
/// How long a thread without work stays.
const LINGER: Duration = Duration::from_secs(30);
/// Which part of its time a read may wait for its turn.
const WAIT_SHARE: u32 = 4;
/// How long a read is taken to need before the first was measured.
const FIRST_GUESS: Duration = Duration::from_millis(50);
/// How many reads the mean looks back on, more or less.
const MEAN_OF: u32 = 8;

/// The pool. Its threads end with it.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    source: Source,
    threads_max: usize,
    state: Mutex<State>,
    /// How long the queue is, for whoever only looks.
    waiting: AtomicUsize,
    work: Condvar,
}

struct State {
    queue: VecDeque<Ask>,
    /// How long a read has taken lately.
    mean: Duration,
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
        let queue = VecDeque::new();
        let state = State { queue, mean: FIRST_GUESS, threads: 0, idle: 0, is_closed: false };
        let (state, waiting, work) = (Mutex::new(state), AtomicUsize::new(0), Condvar::new());
        Self { shared: Arc::new(Shared { source, threads_max, state, waiting, work }) }
    }

    /// Reads on a thread of the pool. Dropping the future stops the statement.
    pub(crate) async fn read(&self, lookup: Lookup) -> Result<Current, Error> {
        self.ask(lookup, Some(Instant::now()), |current| current).await
    }

    /// True where reads wait for their turn.
    pub(crate) fn is_crowded(&self) -> bool {
        self.shared.waiting.load(Ordering::Relaxed) > 0
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
        if ask.since.is_some() && state.is_full(options, self.shared.threads_max) {
            return Err(Error::Busy("too many long reads are waiting"));
        }
        state.queue.push_back(ask);
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        if state.idle < state.queue.len() && state.threads < self.shared.threads_max {
            state.threads += 1;
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("store-read".to_owned());
            if let Err(error) = thread.spawn(move || shared.serve()) {
                state.threads -= 1;
                if state.threads == 0 {
                    state.queue.pop_back();
                    self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                    return Err(Error::Broken(format!("no thread for a long read: {error}")));
                }
            }
        }
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }
}

impl State {
    /// True where one more read would wait too long.
    fn is_full(&self, options: &Options, threads_max: usize) -> bool {
        let waiting = self.queue.len();
        let before = u32::try_from(waiting / threads_max.max(1)).unwrap_or(u32::MAX);
        waiting >= options.read_queue_max
            || self.mean.saturating_mul(before) > options.read_deadline / WAIT_SHARE
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
            let begun = Instant::now();
            let answer = self.answer(&mut session, &ask);
            self.measured(begun.elapsed());
            let tell = ask.tell;
            // A panic has been reported where it happened, and the asker sees that nothing comes.
            drop(catch_unwind(AssertUnwindSafe(|| tell(answer))));
        }
    }

    fn measured(&self, time: Duration) {
        let mut state = self.lock();
        state.mean = (state.mean * (MEAN_OF - 1) + time) / MEAN_OF;
    }

    fn next(&self) -> Option<Ask> {
        let mut state = self.lock();
        loop {
            if let Some(ask) = state.queue.pop_front() {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
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
