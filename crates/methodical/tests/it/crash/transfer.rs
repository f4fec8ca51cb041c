//! Money that is moved between two accounts by a batch: whoever is killed when, there is never half
//! of a transfer, and each that was acknowledged was done exactly once.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use super::audit::{Books, audit};
use super::bank::{self, ACCOUNTS};
use crate::property::chance::{Chance, rounds, setting};
use crate::support::answer::Answer;
use crate::support::client::{Client, Request};
use crate::support::server::await_that;

const CLIENTS: u64 = 4;
const KILLS: usize = 25;
/// What every account has at first.
const BALANCE: i64 = 1000;

/// What every client sees and writes to.
#[derive(Default)]
struct Shared {
    /// Where the server is; None while it is down.
    address: RwLock<Option<SocketAddr>>,
    is_over: AtomicBool,
    /// The test has failed: nobody insists any more.
    is_given_up: AtomicBool,
    /// The markers of the transfers that were acknowledged.
    done: Mutex<HashSet<String>>,
    /// How many were refused because somebody else was faster.
    late: Mutex<usize>,
}

/// Lets the clients go where the test fails, which waits for them.
struct Giving<'a>(&'a Shared);

impl Drop for Giving<'_> {
    fn drop(&mut self) {
        self.0.is_given_up.store(std::thread::panicking(), Ordering::Relaxed);
    }
}

#[test]
fn a_transfer_is_done_whole_or_not_at_all_whenever_the_server_is_killed() {
    let seed = setting("METHODICAL_TEST_SEED", 4);
    let mut server = bank::options().start();
    let shared = Shared::default();
    std::thread::scope(|scope| {
        let giving = Giving(&shared);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn({
                    let shared = &shared;
                    move || shared.live(number, Chance::new(seed + number))
                })
            })
            .collect();
        let mut chance = Chance::new(seed);
        for _ in 0..rounds(KILLS) {
            *shared.address.write().expect("no panic") = Some(server.address());
            let goal = shared.done() + chance.below(15) + 1;
            await_that("more transfers are acknowledged", || {
                let has_failed = clients.iter().any(|client| client.is_finished());
                assert!(!has_failed, "a client met an answer that nobody may get");
                shared.done() >= goal
            });
            std::thread::sleep(Duration::from_micros(chance.next() % 3_000));
            *shared.address.write().expect("no panic") = None;
            server.kill();
            balance(&server.database(), &shared.done.lock().expect("no panic"));
            server.restart();
        }
        *shared.address.write().expect("no panic") = Some(server.address());
        shared.is_over.store(true, Ordering::Relaxed);
        drop(giving);
    });
    server.kill();
    let done = shared.done.lock().expect("no panic");
    balance(&server.database(), &done);
    let made = Books::of(&server.database()).texts("SELECT marker FROM transfers");
    assert_eq!(made.len(), done.len(), "what was not acknowledged in the end was not done");
    assert!(*shared.late.lock().expect("no panic") > 0, "nobody met anybody: the test is too easy");
}

/// Every account has what it had at first, less what went out, and what came in; every transfer
/// that was acknowledged is there, once.
fn balance(database: &Path, done: &HashSet<String>) {
    audit(database, &[]);
    let books = Books::of(database);
    let faults = books.texts(&format!(
        "SELECT 'account ' || id || ' has ' || balance FROM accounts AS a \
         WHERE balance <> {BALANCE} \
         - (SELECT coalesce(sum(amount), 0) FROM transfers WHERE source = a.id) \
         + (SELECT coalesce(sum(amount), 0) FROM transfers WHERE target = a.id) \
         UNION ALL SELECT 'done twice: ' || marker FROM transfers GROUP BY marker \
         HAVING count(*) > 1",
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let made: HashSet<_> = books.texts("SELECT marker FROM transfers").into_iter().collect();
    let lost: Vec<_> = done.iter().filter(|marker| !made.contains(*marker)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

impl Shared {
    fn done(&self) -> usize {
        self.done.lock().expect("no panic").len()
    }

    fn live(&self, client: u64, mut chance: Chance) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let source = chance.next() % u64::from(ACCOUNTS) + 1;
            let target = (source + chance.next() % 3) % u64::from(ACCOUNTS) + 1;
            let amount = i64::try_from(chance.next() % 97 + 1).expect("small");
            let marker = format!("transfer-{client}-{number}-{:-<20}", "");
            let request = self.transfer(source, target, amount, &marker);
            let answer = self.insist(&request);
            match answer.status {
                200 => {
                    let results = &answer.json()["results"];
                    assert_eq!(results[0]["body"]["marker"], marker.as_str(), "{}", answer.show());
                    self.done.lock().expect("no panic").insert(marker);
                }
                // The accounts have moved since they were read.
                _ => *self.late.lock().expect("no panic") += 1,
            }
        }
    }

    /// A batch that moves money between two accounts as they are now.
    fn transfer(&self, source: u64, target: u64, amount: i64, marker: &str) -> Request {
        let account = |id: u64| {
            let found = self.insist(&Request::new("GET", &format!("/api/accounts/{id}")));
            let balance = found.json()["balance"].as_i64().expect("a balance");
            (balance, found.field("etag").expect("a tag").replace('"', "\\\""))
        };
        let (from, into) = (account(source), account(target));
        let change = |member: &str, balance: i64, tag: &str| {
            format!(
                r#"{{"method":"PATCH","path":"/api/accounts/$1.{member}",
                    "headers":{{"If-Match":"{tag}"}},"body":{{"balance":{balance}}}}}"#
            )
        };
        let content = format!(
            r#"{{"operations":[{{"method":"POST","path":"/api/transfers","body":
                {{"source":{source},"target":{target},"amount":{amount},"marker":"{marker}"}}}},
                {},{}]}}"#,
            change("source", from.0 - amount, &from.1),
            change("target", into.0 + amount, &into.1),
        );
        Request::new("POST", "/api/batch").field("idempotency-key", marker).json(content)
    }

    /// Sends a request until it is decided: done, or refused because its condition is false.
    fn insist(&self, request: &Request) -> Answer {
        loop {
            assert!(!self.is_given_up.load(Ordering::Relaxed), "the test has failed elsewhere");
            let address = *self.address.read().expect("no panic");
            match address.map(|address| Client::new(address).try_send(request)) {
                Some(Ok(answer)) if matches!(answer.status, 200 | 412) => return answer,
                Some(Ok(answer)) => {
                    // 409: the first one with this key is not finished. 503: it is ending.
                    let known = matches!(answer.status, 409 | 503);
                    assert!(known, "a transfer was answered with\n{}", answer.show());
                }
                Some(Err(_)) | None => {}
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
