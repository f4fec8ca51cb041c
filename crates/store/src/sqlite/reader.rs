//! Reads start on the caller's own thread, under a budget of steps; one that exceeds it is
//! stopped and begun again in the pool.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::failure::Failure;
use super::find::snapshot;
use super::heavy::Heavy;
use super::open::Source;
use super::pool::Pool;
use super::session::Session;
use crate::error::Error;
use crate::lookup::{Current, Lookup, Pick};

/// Steps of SQLite's machine between two looks at the budget.
const STEPS_BETWEEN_LOOKS: i32 = 500;
/// Connections kept for reads on the caller's thread; more are opened when they are all in use.
const CONNECTIONS_KEPT: usize = 16;
/// How long a read on the caller's thread waits for a lock (there is one while the log is
/// recovered); after that it goes to the pool, which has the time.
const LOCK_WAIT: Duration = Duration::ZERO;

/// Read connections, and the pool behind them.
pub(crate) struct Readers {
    source: Source,
    idle: Mutex<Vec<Inline>>,
    pool: Pool,
    heavy: Heavy,
    /// For lists that are read to their end: apart, so that they and the long reads do not keep
    /// each other waiting.
    parts: Pool,
}

/// True where the index of searched text is asked. What it does within one step of SQLite's
/// machine has no bound that a budget of steps could notice.
fn searches(lookup: &Lookup) -> bool {
    lookup.roots.iter().any(|node| {
        let filter = match &node.pick {
            Pick::Page(page) => &page.filter,
            Pick::Groups(groups) => &groups.filter,
            Pick::Number(filter) => filter,
            Pick::Key(_) | Pick::Related { .. } | Pick::Dependents { .. } | Pick::NextId => {
                return false;
            }
        };
        filter.search().is_some()
    })
}

/// A connection and the steps that its present read has left.
struct Inline {
    session: Session,
    budget: Arc<AtomicI64>,
}

impl Readers {
    pub(crate) fn new(source: Source) -> Self {
        let threads = source.options.read_threads;
        let pool = Pool::new(source.clone(), threads);
        let parts = Pool::new(source.clone(), threads.div_ceil(2));
        Self { source, idle: Mutex::default(), pool, heavy: Heavy::default(), parts }
    }

    /// Answers a lookup, from one snapshot.
    pub(crate) async fn read(&self, lookup: Lookup) -> Result<Current, Error> {
        if searches(&lookup) {
            return self.pool.read(lookup).await;
        }
        if self.pool.is_crowded() && self.heavy.knows(&lookup) {
            return self.long(lookup).await;
        }
        match self.inline(&lookup) {
            Ok(current) => {
                self.source.meters.read();
                Ok(current)
            }
            Err(failure) if failure.is_interrupt() || failure.is_busy() => {
                self.heavy.remember(&lookup);
                self.long(lookup).await
            }
            Err(failure) => Err(self.told(failure)),
        }
    }

    async fn long(&self, lookup: Lookup) -> Result<Current, Error> {
        let found = self.pool.read(lookup).await;
        self.source.meters.long_read(found.as_ref().err());
        found
    }

    /// Answers a lookup on another thread, of a lower priority, and makes something of it there.
    pub(crate) async fn read_part<T: Send + 'static>(
        &self,
        lookup: Lookup,
        then: impl FnOnce(Current) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.parts.read_part(lookup, then).await
    }

    /// Proves that the database answers.
    pub(crate) fn ping(&self) -> Result<(), Error> {
        let inline = self.take().map_err(|failure| self.told(failure))?;
        let layout = "SELECT value FROM _methodical_meta WHERE name = 'layout'";
        let found = inline
            .session
            .statement(layout)
            .and_then(|mut statement| Ok(statement.query_row([], |row| row.get::<_, i64>(0))?));
        match found {
            Ok(_) => {
                self.give_back(inline);
                Ok(())
            }
            Err(failure) if failure.is_busy() => Ok(()),
            Err(failure) => Err(self.told(failure)),
        }
    }

    fn inline(&self, lookup: &Lookup) -> Result<Current, Failure> {
        let inline = self.take()?;
        let steps = i64::try_from(self.source.options.read_steps_max).unwrap_or(i64::MAX);
        inline.budget.store(steps, Ordering::Relaxed);
        let found = snapshot(&inline.session, lookup);
        let is_trusted = match &found {
            Ok(_) => true,
            Err(failure) => failure.is_interrupt() || failure.is_busy(),
        };
        if is_trusted && inline.session.connection.is_autocommit() {
            self.give_back(inline);
            self.source.anchor.hold(&self.source);
        }
        found
    }

    fn take(&self) -> Result<Inline, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(inline) => Ok(inline),
            None => self.connect(),
        }
    }

    fn give_back(&self, inline: Inline) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < CONNECTIONS_KEPT {
            idle.push(inline);
        }
    }

    fn connect(&self) -> Result<Inline, Failure> {
        let mut session = self.source.reader(LOCK_WAIT)?;
        let budget = Arc::new(AtomicI64::new(i64::MAX));
        let left = Arc::clone(&budget);
        let step = i64::from(STEPS_BETWEEN_LOOKS);
        session.connection.progress_handler(
            STEPS_BETWEEN_LOOKS,
            Some(move || left.fetch_sub(step, Ordering::Relaxed) < step),
        )?;
        Ok(Inline { session, budget })
    }

    fn told(&self, failure: Failure) -> Error {
        failure.told(&self.source.catalog.model, 0, 0)
    }
}
