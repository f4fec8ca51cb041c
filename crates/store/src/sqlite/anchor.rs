//! Holds the newest state open while nobody writes, which makes reads cheaper and changes nothing
//! that they see.
//!
//! SQLite counts the locks on the log's index within a process: a read of a state that another
//! connection of this process holds already takes no system call to lock it, and none to let it
//! go. Both together are a tenth of what the answer to a GET takes. A read finds out by itself
//! which state is the newest, so that a commit of another process is seen at once all the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::open::Source;
use super::session::Session;

/// How long nobody must have written. It also leaves gaps for another process that wants to move
/// the log into the database: the anchor is let go whenever the writer looks around.
const QUIET: Duration = Duration::from_millis(20);
/// Any statement that reads makes a transaction hold its state.
const LOOK: &str = "SELECT value FROM _methodical_meta WHERE name = 'layout'";

/// A read that is open while nobody writes.
#[derive(Default)]
pub(crate) struct Anchor {
    is_held: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    let_go: Option<Instant>,
    is_over: bool,
}

impl Anchor {
    /// Holds the newest state, if it has been quiet. To be called after a read; waits for nobody.
    pub(crate) fn hold(&self, source: &Source) {
        if self.is_held.load(Ordering::Relaxed) {
            return;
        }
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let is_quiet = state.let_go.is_none_or(|at| at.elapsed() >= QUIET);
        if state.is_over || !is_quiet || self.is_held.load(Ordering::Relaxed) {
            return;
        }
        match state.begin(source) {
            Ok(()) => self.is_held.store(true, Ordering::Relaxed),
            // Reads go on without it; the next attempt is not before the quiet time is over.
            Err(_) => (state.session, state.let_go) = (None, Some(Instant::now())),
        }
    }

    /// Lets go, so that neither a commit nor a checkpoint has it in its way; from now on it has to
    /// be quiet again.
    pub(crate) fn let_go(&self) {
        self.release(false);
    }

    /// Lets go for good.
    pub(crate) fn end(&self) {
        self.release(true);
    }

    fn release(&self, is_over: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_over |= is_over;
        state.let_go = Some(Instant::now());
        let ended = state.session.as_ref().is_some_and(|session| {
            session.connection.is_autocommit() || session.run("COMMIT").is_ok()
        });
        if !ended || is_over {
            // Closing a connection ends its read, whatever state it is in.
            state.session = None;
        }
        self.is_held.store(false, Ordering::Relaxed);
    }
}

impl State {
    fn begin(&mut self, source: &Source) -> Result<(), Failure> {
        let session = match self.session.take() {
            Some(session) => session,
            None => source.reader(Duration::ZERO)?,
        };
        session.run("BEGIN")?;
        session.statement(LOOK)?.query_row([], |row| row.get::<_, i64>(0))?;
        self.session = Some(session);
        Ok(())
    }
}
