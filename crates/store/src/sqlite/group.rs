//! Group commit: waiting writes share one transaction, a savepoint each, and every answer leaves
//! after the commit. A group that the database rolls back is run again, one write at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::job::{Ran, Room, Work};
use super::open::Source;
use super::session::Session;
use super::stamps::Stamps;
use crate::error::Error;

/// How long one group waits, in all, for writes that are probably on their way: less than the
/// sync that it saves them.
const GATHERING: Duration = Duration::from_micros(100);

/// What reaches the writer's thread.
pub(crate) enum Message {
    /// A write.
    Work(Box<dyn Work>),
    /// Finish what is queued, then end.
    Close,
}

/// What keeps the store from writing, shared with those who ask whether it is ready.
pub(crate) type Trouble = Arc<Mutex<Option<Error>>>;

/// What the writer's thread owns.
pub(crate) struct Desk {
    pub(crate) session: Session,
    pub(crate) source: Source,
    /// `data_version` as last seen: it moves when another process has committed.
    pub(crate) seen: i64,
    /// True from an edit from outside until what it left undone is done.
    pub(crate) is_edited: bool,
    /// What the last write failed with for want of a working disk, until one succeeds.
    pub(crate) trouble: Trouble,
    /// When this writer last let go of the lock of the database.
    pub(crate) held: Instant,
    /// How many writes the last group had.
    pub(crate) expected: usize,
    /// How many writes wait in the queue.
    pub(crate) waiting: Arc<AtomicUsize>,
    /// True once Close was met.
    pub(crate) is_closing: bool,
    /// What was last used when.
    pub(crate) stamps: Arc<Stamps>,
    /// How far the sessions were looked through for those whose users are gone.
    pub(crate) orphans: Option<i64>,
    /// When that was last done.
    pub(crate) orphans_sought: Instant,
    /// When what the query planner knows was last looked after.
    pub(crate) tended: Instant,
}

impl Desk {
    /// Runs a group that begins with this write and takes what waits behind it; and another one
    /// for as long as a write wants to be the first of its own.
    pub(crate) fn groups(&mut self, first: Box<dyn Work>, inbox: &Receiver<Message>) {
        let mut next = Some(first);
        while let Some(first) = next {
            next = self.group(first, inbox);
        }
    }

    /// Runs a group. What is given back has to be the first of the next one.
    fn group(
        &mut self,
        mut first: Box<dyn Work>,
        inbox: &Receiver<Message>,
    ) -> Option<Box<dyn Work>> {
        #[cfg(feature = "faults")]
        let mut early = self.look_before(&mut first, inbox);
        if let Err(error) = self.begin(self.waiting_since(first.as_ref())) {
            first.fail(error);
            first.answer();
            #[cfg(feature = "faults")]
            for mut work in early {
                work.fail(Error::Busy("the group could not begin"));
                work.answer();
            }
            return None;
        }
        let started = Instant::now();
        let options = Arc::clone(&self.session.options);
        let mut group: Vec<Box<dyn Work>> = Vec::new();
        let (mut next, mut deferred) = (Some(first), None);
        let mut patience = GATHERING;
        while let Some(mut work) = next.take() {
            let room = if group.is_empty() { Room::Own } else { Room::Shared };
            match work.run(&self.session, room) {
                Ran::Settled => group.push(work),
                Ran::Lost => {
                    group.push(work);
                    self.again(group);
                    return None;
                }
                Ran::Deferred => {
                    deferred = Some(work);
                    break;
                }
            }
            #[cfg(feature = "faults")]
            if let Some(work) = early.pop() {
                next = Some(work);
                continue;
            }
            if group.len() < options.group_writes_max && started.elapsed() < options.group_time_max
            {
                next = self.take(inbox).or_else(|| self.expect(inbox, group.len(), &mut patience));
            }
        }
        self.expected = group.len();
        match self.commit() {
            Ok(()) => {
                self.learn(&group);
                self.source.meters.group(group.len());
                group.into_iter().for_each(Work::answer);
                self.source.log.finish(&self.session);
            }
            Err(error) => {
                if let [alone] = group.as_mut_slice() {
                    alone.fail(error);
                }
                self.again(group);
            }
        }
        #[cfg(feature = "faults")]
        for mut work in early {
            self.alone(&mut work);
            work.answer();
        }
        deferred
    }

    fn take(&mut self, inbox: &Receiver<Message>) -> Option<Box<dyn Work>> {
        inbox.try_recv().ok().and_then(|message| self.open(message))
    }

    /// Waits a little for those who were answered just now: they are on their way back, and a
    /// commit of their own would cost them more. A lone writer is never waited for.
    fn expect(
        &mut self,
        inbox: &Receiver<Message>,
        already: usize,
        patience: &mut Duration,
    ) -> Option<Box<dyn Work>> {
        if already >= self.expected || patience.is_zero() {
            return None;
        }
        let begun = Instant::now();
        let message = inbox.recv_timeout(*patience).ok();
        *patience = patience.saturating_sub(begun.elapsed());
        message.and_then(|message| self.open(message))
    }

    fn open(&mut self, message: Message) -> Option<Box<dyn Work>> {
        match message {
            Message::Work(work) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Some(work)
            }
            Message::Close => {
                self.is_closing = true;
                None
            }
        }
    }

    /// Runs a lost group again, a transaction each, so that only those fail that cannot succeed.
    fn again(&mut self, group: Vec<Box<dyn Work>>) {
        self.roll_back();
        self.held = Instant::now();
        self.source.meters.lost();
        let is_alone = group.len() == 1;
        for mut work in group {
            if !is_alone {
                self.alone(&mut work);
            }
            self.learn(std::slice::from_ref(&work));
            work.answer();
        }
    }

    /// Learns from finished writes whether the disk works.
    fn learn(&self, group: &[Box<dyn Work>]) {
        if group.iter().any(|work| work.has_written()) {
            self.set_trouble(None);
        } else if let Some(error) = group.iter().find_map(|work| work.trouble()) {
            self.set_trouble(Some(error));
        }
    }

    pub(crate) fn trouble(&self) -> Option<Error> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_trouble(&self, error: Option<Error>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    fn alone(&mut self, work: &mut Box<dyn Work>) {
        if let Err(error) = self.begin(self.waiting_since(work.as_ref())) {
            return work.fail(error);
        }
        if work.run(&self.session, Room::Own) == Ran::Lost {
            // Its verdict is the error that lost the transaction.
            return self.roll_back();
        }
        if let Err(error) = self.commit() {
            self.roll_back();
            work.fail(error);
        }
    }

    /// Since when a write waits for another process: not while our own writes went before it,
    /// which can take their time.
    fn waiting_since(&self, work: &dyn Work) -> Instant {
        work.since().max(self.held)
    }

    /// Begins a transaction, waiting for another process until the deadline of a write that waits
    /// since then.
    pub(crate) fn begin(&mut self, since: Instant) -> Result<(), Error> {
        self.at_home()?;
        self.source.anchor.let_go();
        let mut is_reopened = false;
        loop {
            let begun = self.session.run("BEGIN IMMEDIATE").and_then(|()| self.look_outside());
            let Err(failure) = begun else { return Ok(()) };
            self.roll_back();
            if failure.is_busy() {
                if since.elapsed() >= self.session.options.write_deadline {
                    return Err(self.told(failure));
                }
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            let error = self.told(failure);
            self.set_trouble(Some(error.clone()));
            if is_reopened || !self.reopen() {
                return Err(error);
            }
            is_reopened = true;
        }
    }

    /// Fails, and is not ready, where the database is no longer the file that was opened.
    pub(crate) fn at_home(&self) -> Result<(), Error> {
        self.source.at_home().map_err(|failure| {
            let error = self.told(failure);
            self.set_trouble(Some(error.clone()));
            error
        })
    }

    /// Commits; nothing is acknowledged before.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        let indexed = self.session.index_written();
        let committed =
            indexed.and_then(|()| self.session.run("COMMIT")).map_err(|failure| self.told(failure));
        self.held = Instant::now();
        committed
    }

    /// Ends a transaction that is still open, and forgets what it taught.
    pub(crate) fn roll_back(&mut self) {
        if let Some(kept) = &self.session.next_ids {
            kept.borrow_mut().clear();
        }
        self.session.unindexed.borrow_mut().clear();
        if !self.session.connection.is_autocommit() && self.session.run("ROLLBACK").is_err() {
            self.reopen();
        }
    }

    /// A connection that an I/O error has left in doubt is replaced.
    fn reopen(&mut self) -> bool {
        let opened = self.source.at_home().and_then(|()| self.source.writer());
        match opened {
            Ok(session) => {
                self.session = session;
                // The numbers of another connection do not compare with the old ones.
                self.seen = self.data_version().unwrap_or(0);
                self.is_edited = true;
                true
            }
            Err(_) => false,
        }
    }

    /// Notes whether another process has committed since the last look.
    pub(crate) fn look_outside(&mut self) -> Result<(), Failure> {
        let now = self.data_version()?;
        if now != self.seen {
            self.seen = now;
            self.is_edited = true;
            if let Some(kept) = &self.session.next_ids {
                kept.borrow_mut().clear();
            }
        }
        Ok(())
    }

    pub(crate) fn data_version(&self) -> Result<i64, Failure> {
        let mut statement = self.session.statement("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    pub(crate) fn told(&self, failure: Failure) -> Error {
        failure.told(&self.session.catalog.model, 0, 0)
    }

    /// The seeded fault: what every write of the group must know is looked up before it begins.
    #[cfg(feature = "faults")]
    fn look_before(
        &mut self,
        first: &mut Box<dyn Work>,
        inbox: &Receiver<Message>,
    ) -> Vec<Box<dyn Work>> {
        use crate::fault::{Fault, on};
        let mut early = Vec::new();
        // A version that is not repeated shows only where what was decided on is not the present.
        if !on(Fault::PreconditionOutsideTransaction) && !on(Fault::No412Repeat) {
            return early;
        }
        std::thread::sleep(Duration::from_millis(20));
        while let Some(work) = self.take(inbox) {
            early.push(work);
        }
        first.look_before(&self.session);
        early.iter_mut().for_each(|work| work.look_before(&self.session));
        early.reverse();
        early
    }
}
