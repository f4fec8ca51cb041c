//! One waiting write: its steps, how they are carried out in a savepoint, and where its verdict
//! goes once the commit is on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tokio::sync::oneshot;

use super::apply::apply;
use super::find::find;
use super::session::Session;
use crate::decision::{Asks, Decision, Step, Verdict};
use crate::error::Error;
use crate::lookup::{Current, Lookup};

/// Most times that one step may say that it must know more.
const ROUNDS_MAX: usize = 64;

/// A write whose outcome has a type that the writer does not know.
pub(crate) trait Work: Send {
    /// Decides and writes, inside the transaction of a group.
    fn run(&mut self, session: &Session) -> Ran;
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

/// How a run left the transaction.
#[derive(Debug, PartialEq)]
pub(crate) enum Ran {
    /// As it was, with this write's changes or without them.
    Settled,
    /// Rolled back by the database, with all that the group had done.
    Lost,
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

    fn carry_out(&self, session: &Session, open: &mut bool) -> Result<Verdict<O>, Error> {
        let mut outcomes = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            let mut current = self.first_look(session, number, &outcomes)?;
            let mut rounds = 0;
            loop {
                match (step.decide)(&current, &outcomes) {
                    Decision::Commit { outcome, changes } => {
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
                            return Err(Error::Broken("a decision never had enough".to_owned()));
                        }
                        let more = look(session, &lookup, number)?;
                        current.roots.extend(more.roots);
                        current.remembered = more.remembered.or(current.remembered);
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
fn open_savepoint(session: &Session, open: &mut bool, step: usize) -> Result<(), Error> {
    if !*open {
        session
            .run("SAVEPOINT work")
            .map_err(|failure| failure.told(&session.catalog.model, 0, step))?;
        *open = true;
    }
    Ok(())
}

impl<O: Send> Work for Job<O> {
    fn run(&mut self, session: &Session) -> Ran {
        let mut open = false;
        let decided = catch_unwind(AssertUnwindSafe(|| self.carry_out(session, &mut open)));
        self.has_panicked = decided.is_err();
        self.verdict = decided.unwrap_or_else(|panic| {
            Err(Error::Broken(format!("a decision panicked: {}", message(panic.as_ref()))))
        });
        let keeps = matches!(self.verdict, Ok(Verdict::Committed(_)));
        let closed = match (open, keeps) {
            (false, _) => Ok(()),
            (true, true) => session.run("RELEASE work"),
            (true, false) => {
                // What the undone changes taught about ids is no longer true.
                if let Some(kept) = &session.next_ids {
                    kept.borrow_mut().clear();
                }
                session.run("ROLLBACK TO work").and_then(|()| session.run("RELEASE work"))
            }
        };
        // Some failures (a full disk, an I/O error, RAISE(ROLLBACK)) end the whole transaction,
        // whatever savepoints it had: only autocommit tells.
        let is_lost = closed.is_err() || session.connection.is_autocommit();
        if is_lost && self.verdict.is_ok() {
            self.verdict = Err(match closed {
                Err(failure) => failure.told(&session.catalog.model, 0, 0),
                Ok(()) => Error::Broken("the database ended the transaction".to_owned()),
            });
        }
        self.has_written = open && self.verdict.is_ok() && keeps;
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
