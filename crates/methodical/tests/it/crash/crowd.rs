//! Clients at the same time, each of which does one errand after the other and sends each again,
//! with the same key, until it has an answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::answer::Answer;
use crate::support::client::{Client, Request};
use crate::support::server::await_that;

/// What a client wants done once.
pub(super) trait Errand: Sized + 'static {
    /// What was done, and how it was acknowledged.
    type Promise: Clone + Send;

    /// Number so-and-so of somebody.
    fn new(whose: &str, number: u32) -> Self;

    /// The request, the same at every retry.
    fn request(&self) -> Request;

    /// What a 201 promises; an error says what is wrong with the answer.
    fn promised(self, answer: Answer) -> Result<Self::Promise, String>;
}

/// What every client sees and writes to.
struct Shared<P> {
    /// Where the server is; None while it is down.
    address: RwLock<Option<SocketAddr>>,
    is_over: AtomicBool,
    is_given_up: AtomicBool,
    acknowledged: AtomicUsize,
    promises: Mutex<Vec<P>>,
    /// How often a status that is no success was met.
    refusals: Mutex<BTreeMap<u16, usize>>,
    faults: Mutex<Vec<String>>,
}

/// The clients.
pub(super) struct Crowd<E: Errand> {
    shared: Arc<Shared<E::Promise>>,
    clients: Vec<JoinHandle<()>>,
}

/// What they came to.
pub(super) struct Harvest<P> {
    /// What was acknowledged.
    pub(super) promises: Vec<P>,
    /// How often a status that is no success was met.
    pub(super) refusals: BTreeMap<u16, usize>,
}

impl<E: Errand> Crowd<E> {
    /// So many clients; their errands bear this name.
    pub(super) fn gather(name: &str, clients: usize) -> Self {
        let shared = Arc::new(Shared::<E::Promise> {
            address: RwLock::default(),
            is_over: AtomicBool::default(),
            is_given_up: AtomicBool::default(),
            acknowledged: AtomicUsize::default(),
            promises: Mutex::default(),
            refusals: Mutex::default(),
            faults: Mutex::default(),
        });
        let client = |number: usize| {
            let shared = Arc::clone(&shared);
            let whose = format!("{name}.{number}");
            std::thread::spawn(move || shared.live::<E>(&whose))
        };
        let clients = (0..clients).map(client).collect();
        Self { shared, clients }
    }

    /// Tells them where the server is, or that it is down.
    pub(super) fn point_at(&self, address: Option<SocketAddr>) {
        *self.shared.address.write().expect("no panic") = address;
    }

    /// How many errands were acknowledged so far.
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
        await_that(&format!("{number} more errands are acknowledged"), || {
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
    pub(super) fn promises(&self) -> Vec<E::Promise> {
        self.shared.promises.lock().expect("no panic").clone()
    }

    /// Ends it: errands that have begun are retried until they have an answer.
    pub(super) fn disperse(mut self) -> Harvest<E::Promise> {
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

impl<E: Errand> Drop for Crowd<E> {
    /// Ends it at once: errands that have begun stay in doubt.
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.is_given_up.store(true, Ordering::Relaxed);
    }
}

impl<P> Shared<P> {
    fn live<E: Errand<Promise = P>>(&self, whose: &str) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let errand = E::new(whose, number);
            let Some(answer) = self.insist(&errand.request()) else { return };
            match errand.promised(answer) {
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
                    assert!(known, "an errand was answered with\n{}", answer.show());
                    *self.refusals.lock().expect("no panic").entry(answer.status).or_default() += 1;
                }
                Some(Err(_)) | None => {}
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }
}
