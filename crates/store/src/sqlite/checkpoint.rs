//! Moves the log ahead of the database over into the database, beside the writes and not within
//! them.
//!
//! A checkpoint within a commit makes that write, and all that wait behind it, wait for thousands
//! of pages and for the disk. A thread of its own stops nobody: it moves what is there, while the
//! log grows on. But the log begins anew only when all of it has been moved, and under full load
//! that never happens by itself. So the writer moves the small rest, after its answers have left.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::failure::Failure;
use super::open::Source;
use super::session::Session;
use crate::error::Error;

/// Pages that the log holds before they are moved: 16 MiB.
const PAGES: u64 = 4_000;
/// Pages beyond which the writer helps: the disk cannot follow otherwise.
const PAGES_HELP: u64 = 64_000;
/// A rest that the writer moves in a moment.
const PAGES_REST: u64 = 1_000;
/// Passes by which the thread makes the rest small; each is shorter than the last.
const PASSES: u32 = 4;
/// How long the thread waits where a read that goes on, or a failure, is in its way.
const PAUSE: Duration = Duration::from_millis(100);

const MOVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// How long the log is.
#[derive(Default)]
pub(crate) struct Log {
    pages: AtomicU64,
    /// Pages at which the writer helps next.
    help_at: AtomicU64,
    is_rung: AtomicBool,
    has_rest: AtomicBool,
    is_needed: AtomicBool,
    turn: Mutex<()>,
    passes: AtomicU64,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    is_asked: bool,
    is_over: bool,
}

/// What a checkpoint came to, in pages of the log.
struct Moved {
    log: u64,
    done: u64,
}

fn move_over(session: &Session, log: &Log) -> Result<Moved, Failure> {
    // One at a time, so that none begins that does not know of the failure of the one before.
    let _turn = log.turn.lock().unwrap_or_else(PoisonError::into_inner);
    if log.is_needed() {
        return Ok(Moved { log: 1, done: 0 });
    }
    let moved = || -> Result<Moved, Failure> {
        let mut statement = session.statement(MOVE)?;
        let (log, done): (i64, i64) =
            statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
        let number = |pages| u64::try_from(pages).unwrap_or(0);
        Ok(Moved { log: number(log), done: number(done) })
    };
    moved().inspect_err(|failure| log.note_failure(failure))
}

impl Log {
    /// Called by SQLite after each commit of the writer.
    pub(crate) fn note(&self, pages: i32) {
        let pages = u64::try_from(pages).unwrap_or(0);
        self.pages.store(pages, Ordering::Relaxed);
        let is_due = pages >= PAGES && !self.has_rest.load(Ordering::Relaxed);
        if is_due && !self.is_rung.swap(true, Ordering::Relaxed) {
            self.state().is_asked = true;
            self.bell.notify_one();
        }
    }

    /// True once the database could not be synced. A pass beside the writes moves pages that only
    /// a later one syncs, and a system that reports a failed sync may have dropped what was waiting
    /// for it. Which pages those were is not known, so the log, which has all of them, stays whole
    /// until the next start reads it from its beginning.
    pub(crate) fn is_needed(&self) -> bool {
        self.is_needed.load(Ordering::SeqCst)
    }

    fn note_failure(&self, failure: &Failure) {
        if failure.is_failed_sync() {
            self.is_needed.store(true, Ordering::SeqCst);
        }
    }

    /// Called by the writer when its answers have left: moves a small rest, so that the log begins
    /// anew; or helps where it has grown far too long.
    pub(crate) fn finish(&self, session: &Session) {
        let pages = self.pages.load(Ordering::Relaxed);
        let helps = pages >= PAGES_HELP && pages >= self.help_at.load(Ordering::Relaxed);
        if !helps && !self.has_rest.load(Ordering::Relaxed) {
            return;
        }
        self.has_rest.store(false, Ordering::Relaxed);
        self.help_at.store(pages + PAGES, Ordering::Relaxed);
        // A log that is not moved is only longer; the thread tries again.
        if let Ok(moved) = move_over(session, self)
            && moved.log == moved.done
        {
            self.pages.store(0, Ordering::Relaxed);
            self.help_at.store(0, Ordering::Relaxed);
        }
    }

    /// Pages that the log holds that may not have been moved.
    pub(crate) fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    /// How often the thread has moved pages.
    pub(crate) fn passes(&self) -> u64 {
        self.passes.load(Ordering::Relaxed)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to move. False at the end.
    fn is_asked(&self) -> bool {
        let mut state = self.state();
        while !state.is_asked && !state.is_over {
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_asked = false;
        !state.is_over
    }

    /// Waits a moment, or until the end.
    fn pause(&self) {
        let state = self.state();
        if !state.is_over {
            drop(self.bell.wait_timeout(state, PAUSE));
        }
    }
}

/// The thread.
pub(crate) struct Mover {
    log: Arc<Log>,
    thread: JoinHandle<()>,
}

impl Mover {
    /// Starts it.
    pub(crate) fn start(source: Source) -> Result<Self, Error> {
        let log = Arc::clone(&source.log);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || run(&source))
            .map_err(|error| Error::Broken(format!("no thread for checkpoints: {error}")))?;
        Ok(Self { log, thread })
    }

    /// Ends it, and waits for it.
    pub(crate) fn end(self) {
        self.log.state().is_over = true;
        self.log.bell.notify_one();
        // A panic has been reported where it happened.
        drop(self.thread.join());
    }
}

fn run(source: &Source) {
    let mut session = None;
    while source.log.is_asked() {
        if pass(source, &mut session).is_err() {
            // A connection that has failed is not trusted again.
            session = None;
            source.log.pause();
        }
        source.log.is_rung.store(false, Ordering::Relaxed);
    }
}

/// Moves what is there, until the rest is small.
fn pass(source: &Source, kept: &mut Option<Session>) -> Result<(), Failure> {
    source.at_home()?;
    let session = match kept {
        Some(session) => session,
        None => kept.insert(source.mover()?),
    };
    for _ in 0..PASSES {
        let moved = move_over(session, &source.log)?;
        source.log.passes.fetch_add(1, Ordering::Relaxed);
        if moved.done < moved.log {
            // Somebody still reads an older state: the next commit asks again.
            source.log.pause();
            return Ok(());
        }
        if source.log.pages() < moved.log + PAGES_REST {
            break;
        }
    }
    source.log.has_rest.store(true, Ordering::Relaxed);
    Ok(())
}
