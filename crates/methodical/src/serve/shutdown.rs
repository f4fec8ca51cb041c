//! Stopping without dropping anything: every connection is told once and may finish what it has
//! accepted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Every open connection. Each has a bell of its own, so that waiting costs no shared lock.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    stopping: AtomicBool,
    number: AtomicU64,
    bells: Mutex<HashMap<u64, Arc<Notify>>>,
    empty: Notify,
}

impl Connections {
    /// Counts a connection in.
    pub(crate) fn enter(self: &Arc<Self>) -> Stop {
        let bell = Arc::new(Notify::new());
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.bells().insert(number, Arc::clone(&bell));
        if self.stopping.load(Ordering::SeqCst) {
            bell.notify_one();
        }
        Stop { connections: Arc::clone(self), number, bell }
    }

    /// Tells every connection to finish. One that is counted in later is told at once.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for bell in self.bells().values() {
            bell.notify_one();
        }
    }

    /// Waits until no connection is open.
    pub(crate) async fn drained(&self) {
        while self.count() > 0 {
            self.empty.notified().await;
        }
    }

    /// How many connections are open.
    pub(crate) fn count(&self) -> usize {
        self.bells().len()
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<u64, Arc<Notify>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one connection knows of the end. Counts it out when it is dropped.
#[derive(Debug)]
pub(crate) struct Stop {
    connections: Arc<Connections>,
    number: u64,
    bell: Arc<Notify>,
}

impl Stop {
    /// True once the server stops.
    pub(crate) fn is_set(&self) -> bool {
        self.connections.stopping.load(Ordering::Relaxed)
    }

    /// Ready once the server stops.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.bell.notified()
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        let mut bells = self.connections.bells();
        bells.remove(&self.number);
        if bells.is_empty() {
            self.connections.empty.notify_one();
        }
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To finish what was accepted, and to end: SIGTERM and SIGINT.
    End,
    /// To hand over to a new process: SIGUSR2.
    HandOver,
}

/// The signals that the program listens to.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    succeed: Signal,
}

impl Signals {
    /// Listens to them from now on.
    ///
    /// # Errors
    /// The system gives none.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            succeed: signal(SignalKind::user_defined2())?,
        })
    }

    /// Ready at the next of them.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.succeed.recv() => Asked::HandOver,
        }
    }

    /// Ready at the next that asks to end.
    pub(crate) async fn end(&mut self) {
        while self.next().await != Asked::End {}
    }
}

#[cfg(test)]
mod tests {
    use super::Connections;
    use std::sync::Arc;

    #[tokio::test]
    async fn each_connection_is_told_once_and_counted_out() {
        let connections = Arc::new(Connections::default());
        connections.drained().await;
        let before = connections.enter();
        assert!(!before.is_set());
        connections.stop();
        let after = connections.enter();
        before.notified().await;
        after.notified().await;
        assert!(before.is_set() && after.is_set());
        drop((before, after));
        connections.drained().await;
        assert_eq!(connections.count(), 0);
    }
}
