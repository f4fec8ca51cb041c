//! Stopping without dropping anything: every connection is told once and may finish what it has
//! accepted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
