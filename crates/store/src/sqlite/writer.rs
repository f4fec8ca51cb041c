//! The one thread that writes, and its queue.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::value::Timestamp;
use rusqlite::config::DbConfig;
use tokio::sync::oneshot;

use super::checkpoint::Mover;
use super::group::{Desk, Message, Trouble};
use super::job::Job;
use super::open::Base;
use super::stamps::Stamps;
use crate::credential::Used;
use crate::decision::{Step, Verdict};
use crate::error::Error;

/// How often an idle writer looks for edits from outside and for what has expired.
const IDLE: Duration = Duration::from_millis(250);
/// How soon it looks again while there is more to do.
const EAGER: Duration = Duration::from_millis(5);
/// Rounds of groups after which upkeep has a turn although writes keep coming.
const ROUNDS_BEFORE_UPKEEP: u32 = 512;

/// The queue in front of the writer's thread.
pub(crate) struct Writers {
    inbox: Mutex<Sender<Message>>,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
    is_closed: AtomicBool,
    trouble: Trouble,
    thread: Mutex<Option<JoinHandle<()>>>,
    folder: PathBuf,
    stamps: Arc<Stamps>,
}

impl Writers {
    /// Starts the thread. It holds the claim on the database until it ends.
    pub(crate) fn start(base: Base) -> Result<Self, Error> {
        let (inbox, queue) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let trouble = Trouble::default();
        let stamps = Arc::new(Stamps::default());
        let waiting_max = base.source.options.write_queue_max;
        let mut desk = Desk {
            session: base.session,
            source: base.source,
            seen: 0,
            // Whatever was edited while no server ran is mended first.
            is_edited: true,
            trouble: Arc::clone(&trouble),
            is_closing: false,
            expected: 0,
            held: Instant::now(),
            waiting: Arc::clone(&waiting),
            stamps: Arc::clone(&stamps),
            // Whatever was deleted while no server ran.
            orphans: Some(0),
            orphans_sought: Instant::now(),
            tended: Instant::now(),
        };
        desk.seen = desk.data_version().map_err(|failure| desk.told(failure))?;
        let claim = base.claim;
        let file = desk.source.options.path.clone();
        let file = file.canonicalize().unwrap_or(file);
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        let mover = Mover::start(desk.source.clone())?;
        let thread = std::thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || {
                desk.serve(&queue);
                mover.end();
                desk.leave();
                drop(claim);
            })
            .map_err(|error| Error::Broken(format!("no thread for writes: {error}")))?;
        Ok(Self {
            inbox: Mutex::new(inbox),
            waiting,
            waiting_max,
            is_closed: AtomicBool::new(false),
            trouble,
            thread: Mutex::new(Some(thread)),
            folder,
            stamps,
        })
    }

    /// Notes when a session or key was used.
    pub(crate) fn note_used(&self, used: Used, at: Timestamp) {
        self.stamps.note(used, at);
    }

    /// The folder that the database lies in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Hands a write to the thread and waits for its verdict.
    pub(crate) async fn transact<O: Send + 'static>(
        &self,
        steps: Vec<Step<O>>,
    ) -> Result<Verdict<O>, Error> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Error::Busy("the store is closing"));
        }
        let (receipt, verdict) = oneshot::channel();
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Busy("too many writes are waiting"));
        }
        let work = Message::Work(Box::new(Job::new(steps, receipt)));
        let sent = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).send(work);
        if sent.is_err() {
            return Err(Error::Busy("the store is closing"));
        }
        // Without a verdict the write was never begun: the thread answers all that it takes.
        verdict.await.unwrap_or(Err(Error::Busy("the store is closing")))
    }

    /// Finishes what is queued, moves the log into the database and lets go of it.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        // A thread that has ended needs no message.
        drop(self.inbox.lock().unwrap_or_else(PoisonError::into_inner).send(Message::Close));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the thread has been reported where it happened.
            drop(thread.join());
        }
    }

    /// How many writes wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Says whether a write would succeed, as far as is known.
    pub(crate) fn ready(&self) -> Result<(), Error> {
        let ended = |thread: &JoinHandle<()>| thread.is_finished();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_none_or(ended) {
            return Err(Error::Busy("the store is closing"));
        }
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.close();
    }
}

impl Desk {
    fn serve(&mut self, inbox: &Receiver<Message>) {
        let mut patience = EAGER;
        let mut rounds = 0;
        while !self.is_closing {
            match inbox.recv_timeout(patience) {
                Ok(Message::Work(work)) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    self.groups(work, inbox);
                    rounds += 1;
                    if rounds < ROUNDS_BEFORE_UPKEEP {
                        continue;
                    }
                }
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            rounds = 0;
            patience = if self.upkeep() { EAGER } else { IDLE };
        }
        self.finish(inbox);
    }

    /// Serves what was queued before the end.
    fn finish(&mut self, inbox: &Receiver<Message>) {
        while let Ok(message) = inbox.try_recv() {
            if let Message::Work(work) = message {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                self.groups(work, inbox);
            }
        }
    }

    /// Leaves one whole file behind.
    fn leave(&mut self) {
        self.source.anchor.end();
        let now = (self.session.options.clock)();
        // On a disk that takes no writes there is nothing more to be done.
        drop(self.stamp_all());
        self.roll_back();
        drop(self.optimize(now));
        if self.source.log.is_needed() {
            let stays = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            drop(self.session.connection.set_db_config(stays, true));
            return;
        }
        // Readers may still hold the log: then the next start finds it, and nothing is lost.
        drop(self.session.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
}
