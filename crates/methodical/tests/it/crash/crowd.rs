//! Clients at the same time, each of which pays one payment after the other and sends each again,
//! with the same key, until it has an answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::bank::{Payment, Promise};
use crate::support::answer::Answer;
use crate::support::client::{Client, Request};
use crate::support::server::await_that;

/// What every client sees and writes to.
#[derive(Default)]
struct Shared {
    /// Where the server is; None while it is down.
    address: RwLock<Option<SocketAddr>>,
    is_over: AtomicBool,
    is_given_up: AtomicBool,
    acknowledged: AtomicUsize,
    promises: Mutex<Vec<Promise>>,
    /// How often a status that is no success was met.
    refusals: Mutex<BTreeMap<u16, usize>>,
    faults: Mutex<Vec<String>>,
}

/// The clients.
pub(super) struct Crowd {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

/// What they came to.
pub(super) struct Harvest {
    /// What was acknowledged.
    pub(super) promises: Vec<Promise>,
    /// How often a status that is no success was met.
    pub(super) refusals: BTreeMap<u16, usize>,
}

impl Crowd {
    /// So many clients; their payments bear this name.
    pub(super) fn gather(name: &str, clients: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let client = |number: usize| {
            let shared = Arc::clone(&shared);
            let whose = format!("{name}.{number}");
            std::thread::spawn(move || shared.live(&whose))
        };
        let clients = (0..clients).map(client).collect();
        Self { shared, clients }
    }

    /// Tells them where the server is, or that it is down.
    pub(super) fn point_at(&self, address: Option<SocketAddr>) {
        *self.shared.address.write().expect("no panic") = address;
    }

    /// How many payments were acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// How many requests were refused so far.
    pub(super) fn refused(&self) -> usize {
        self.shared.refusals.lock().expect("no panic").values().sum()
    }

    /// Waits until so many more were acknowledged. A fault of any client ends it.
    pub(super) fn await_more(&self, number: usize) {
        let goal = self.acknowledged() + number;
        await_that(&format!("{number} more payments are acknowledged"), || {
            let faults = self.shared.faults.lock().expect("no panic");
            assert!(faults.is_empty(), "{}", faults.join("\n"));
            assert!(
                !self.clients.iter().any(JoinHandle::is_finished),
                "a client met an answer that nobody may get: see its panic"
            );
            self.acknowledged() >= goal
        });
    }

    /// The promises so far.
    pub(super) fn promises(&self) -> Vec<Promise> {
        self.shared.promises.lock().expect("no panic").clone()
    }

    /// Ends it: payments that have begun are retried until they have an answer.
    pub(super) fn disperse(mut self) -> Harvest {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().expect("a client met an answer that nobody may get");
        }
        let shared = Arc::clone(&self.shared);
        let faults = shared.faults.lock().expect("no panic");
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        let promises = shared.promises.lock().expect("no panic").clone();
        let refusals = shared.refusals.lock().expect("no panic").clone();
        Harvest { promises, refusals }
    }
}

impl Drop for Crowd {
    /// Ends it at once: payments that have begun stay in doubt.
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.is_given_up.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn live(&self, whose: &str) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let payment = Payment::new(whose, number);
            let Some(answer) = self.insist(&payment.request()) else { return };
            match Promise::read(payment, answer) {
                Ok(promise) => {
                    self.promises.lock().expect("no panic").push(promise);
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Err(fault) => return self.faults.lock().expect("no panic").push(fault),
            }
        }
    }

    /// Sends a request until it is answered with 201.
    fn insist(&self, request: &Request) -> Option<Answer> {
        while !self.is_given_up.load(Ordering::Relaxed) {
            let address = *self.address.read().expect("no panic");
            let answer = address.map(|address| Client::new(address).try_send(request));
            match answer {
                Some(Ok(answer)) if answer.status == 201 => return Some(answer),
                Some(Ok(answer)) => {
                    // 409: the first one with this key is not finished. 5xx: the disk.
                    let known = matches!(answer.status, 409 | 500 | 503 | 507);
                    assert!(known, "a payment was answered with\n{}", answer.show());
                    *self.refusals.lock().expect("no panic").entry(answer.status).or_default() += 1;
                }
                Some(Err(_)) | None => {}
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }
}
