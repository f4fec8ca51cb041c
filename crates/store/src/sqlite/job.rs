//! One waiting write: its steps, how they are carried out in a savepoint, and where its verdict
//! goes once the commit is on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tokio::sync::oneshot;

use super::apply::apply;
use super::failure::Failure;
use super::find::find;
use super::session::Session;
use crate::change::Change;
use crate::decision::{Asks, Decision, Step, Verdict};
use crate::error::Error;
use crate::lookup::{Current, Lookup};

/// Most times that one step may say that it must know more.
const ROUNDS_MAX: usize = 64;

/// A write whose outcome has a type that the writer does not know.
pub(crate) trait Work: Send {
    /// Decides and writes, inside the transaction of a group.
    fn run(&mut self, session: &Session, room: Room) -> Ran;
    /// Takes back whatever `run` came to.
    fn fail(&mut self, error: Error);
    /// Tells the caller how it ended. After the commit, or after the rollback.
    fn answer(self: Box<Self>);
    /// True where the last run left changes in the transaction.
    fn has_written(&self) -> bool;
    /// What the last run failed with, where that says something about the disk.
    fn trouble(&self) -> Option<Error>;
    /// Since when it waits.
    fn since(&self) -> Instant;
    /// Looks up outside the transaction what `run` will then believe (a seeded fault).
    #[cfg(feature = "faults")]
    fn look_before(&mut self, session: &Session);
}

/// Whose the transaction of a run is so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Room {
    /// This write's alone.
    Own,
    /// That of others before it, too.
    Shared,
}

/// How a run left the transaction.
#[derive(Debug, PartialEq)]
pub(crate) enum Ran {
    /// As it was, with this write's changes or without them.
    Settled,
    /// Rolled back by the database, with all that the group had done; or by this write, which had
    /// it for itself.
    Lost,
    /// As it was: this write wants a transaction that nobody has written in.
    Deferred,
}

/// More records than this are inserted without a savepoint around them, in a transaction that is
/// theirs to roll back. Within a savepoint each statement takes longer the more pages have been
/// changed since: SQLite keeps the pages as they were in one chain, and walks it with each.
const SHARING_ROWS_MAX: u64 = 1000;

/// What a write's changes would be undone by.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    /// There are none yet.
    Nothing,
    /// A savepoint.
    Savepoint,
    /// The transaction.
    Transaction,
}

/// Why a write was not carried out.
enum Halt {
    /// It failed.
    Failed(Error),
    /// It has to wait for a transaction of its own.
    Deferred,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A write that waits.
pub(crate) struct Job<O> {
    steps: Vec<Step<O>>,
    since: Instant,
    verdict: Result<Verdict<O>, Error>,
    has_written: bool,
    has_panicked: bool,
    receipt: oneshot::Sender<Result<Verdict<O>, Error>>,
    #[cfg(feature = "faults")]
    before: Option<Vec<Option<Result<Current, Error>>>>,
}

impl<O> Job<O> {
    pub(crate) fn new(
        steps: Vec<Step<O>>,
        receipt: oneshot::Sender<Result<Verdict<O>, Error>>,
    ) -> Self {
        Self {
            steps,
            since: Instant::now(),
            verdict: Err(Error::Busy("the store is closing")),
            has_written: false,
            has_panicked: false,
            receipt,
            #[cfg(feature = "faults")]
            before: None,
        }
    }

    fn first_look(&self, session: &Session, step: usize, earlier: &[O]) -> Result<Current, Error> {
        #[cfg(feature = "faults")]
        if let Some(Some(before)) = self.before.as_ref().map(|before| &before[step]) {
            return before.clone();
        }
        match &self.steps[step].asks {
            Asks::This(lookup) => look(session, lookup, step),
            Asks::Of(lookup) => look(session, &lookup(earlier), step),
        }
    }

    fn carry_out(
        &self,
        session: &Session,
        room: Room,
        open: &mut Open,
    ) -> Result<Verdict<O>, Halt> {
        let mut outcomes = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            let mut current = self.first_look(session, number, &outcomes)?;
            let mut rounds = 0;
            loop {
                match (step.decide)(&current, &outcomes) {
                    Decision::Commit { outcome, changes } => {
                        if *open == Open::Nothing && changes.iter().any(is_large) {
                            if room == Room::Shared {
                                return Err(Halt::Deferred);
                            }
                            *open = Open::Transaction;
                        }
                        for change in &changes {
                            open_savepoint(session, open, number)?;
                            apply(session, change, number)?;
                        }
                        outcomes.push(outcome);
                        break;
                    }
                    Decision::Refuse(outcome) => {
                        return Ok(Verdict::Refused { step: number, outcome });
                    }
                    Decision::More(lookup) => {
                        rounds += 1;
                        if rounds > ROUNDS_MAX {
                            let why = "a decision never had enough".to_owned();
                            return Err(Halt::Failed(Error::Broken(why)));
                        }
                        let more = look(session, &lookup, number)?;
                        current.roots.extend(more.roots);
                        current.remembered = more.remembered.or(current.remembered);
                        current.credential = more.credential.or(current.credential);
                        current.sessions.extend(more.sessions);
                    }
                }
            }
        }
        Ok(Verdict::Committed(outcomes))
    }
}

fn look(session: &Session, lookup: &Lookup, step: usize) -> Result<Current, Error> {
    find(session, lookup).map_err(|failure| failure.told(&session.catalog.model, 0, step))
}

/// A savepoint is opened before the first change: a write that is refused needs none.
fn open_savepoint(session: &Session, open: &mut Open, step: usize) -> Result<(), Error> {
    if *open == Open::Nothing {
        session
            .run("SAVEPOINT work")
            .map_err(|failure| failure.told(&session.catalog.model, 0, step))?;
        *open = Open::Savepoint;
    }
    Ok(())
}

fn is_large(change: &Change) -> bool {
    match change {
        Change::InsertMany(many) => many.rows.rows() > SHARING_ROWS_MAX,
        Change::Insert { .. }
        | Change::Update { .. }
        | Change::Delete { .. }
        | Change::Remember(_)
        | Change::OpenSession(..)
        | Change::EndSessions { .. }
        | Change::SealSession { .. }
        | Change::Act(_)
        | Change::SettleJob(..)
        | Change::PutCode(_)
        | Change::EndCodes(_)
        | Change::Confirm { .. }
        | Change::Enqueue(_) => false,
    }
}

/// Ends what a write had open: its changes stay in the transaction, or are undone.
fn close(session: &Session, open: Open, keeps: bool) -> Result<(), Failure> {
    if !keeps
        && open != Open::Nothing
        && let Some(kept) = &session.next_ids
    {
        // What the undone changes taught about ids is no longer true.
        kept.borrow_mut().clear();
    }
    match (open, keeps) {
        (Open::Nothing, _) | (Open::Transaction, true) => Ok(()),
        (Open::Savepoint, true) => session.run("RELEASE work"),
        (Open::Savepoint, false) => {
            session.run("ROLLBACK TO work").and_then(|()| session.run("RELEASE work"))
        }
        // Where the database has ended it by itself there is nothing to end.
        (Open::Transaction, false) if session.connection.is_autocommit() => Ok(()),
        (Open::Transaction, false) => session.run("ROLLBACK"),
    }
}

impl<O: Send> Work for Job<O> {
    fn run(&mut self, session: &Session, room: Room) -> Ran {
        let mut open = Open::Nothing;
        let decided = catch_unwind(AssertUnwindSafe(|| self.carry_out(session, room, &mut open)));
        self.has_panicked = decided.is_err();
        self.verdict = match decided {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(Halt::Failed(error))) => Err(error),
            Ok(Err(Halt::Deferred)) => return Ran::Deferred,
            Err(panic) => {
                Err(Error::Broken(format!("a decision panicked: {}", message(panic.as_ref()))))
            }
        };
        let keeps = matches!(self.verdict, Ok(Verdict::Committed(_)));
        let closed = close(session, open, keeps);
        // Some failures (a full disk, an I/O error, RAISE(ROLLBACK)) end the whole transaction,
        // whatever savepoints it had: only autocommit tells.
        let is_lost = closed.is_err() || session.connection.is_autocommit();
        let is_undone = open == Open::Transaction && !keeps && closed.is_ok();
        if is_lost && !is_undone && self.verdict.is_ok() {
            self.verdict = Err(match closed {
                Err(failure) => failure.told(&session.catalog.model, 0, 0),
                Ok(()) => Error::Broken("the database ended the transaction".to_owned()),
            });
        }
        self.has_written = open != Open::Nothing && self.verdict.is_ok() && keeps;
        if is_lost { Ran::Lost } else { Ran::Settled }
    }

    fn has_written(&self) -> bool {
        self.has_written
    }

    fn trouble(&self) -> Option<Error> {
        match &self.verdict {
            Err(error @ (Error::Full | Error::Broken(_))) if !self.has_panicked => {
                Some(error.clone())
            }
            _ => None,
        }
    }

    fn fail(&mut self, error: Error) {
        self.has_written = false;
        self.verdict = Err(error);
    }

    fn answer(self: Box<Self>) {
        // Nobody may be waiting any more: the write stands all the same.
        drop(self.receipt.send(self.verdict));
    }

    fn since(&self) -> Instant {
        self.since
    }

    #[cfg(feature = "faults")]
    fn look_before(&mut self, session: &Session) {
        let looks = self.steps.iter().enumerate();
        let looks = looks.map(|(number, step)| match &step.asks {
            Asks::This(lookup) => Some(look(session, lookup, number)),
            Asks::Of(_) => None,
        });
        self.before = Some(looks.collect());
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
