//! Disks that are full or fail, while the server runs.

use super::audit::{audit, confirm, total};
use super::bank::{self, Payment, Promise};
use super::crowd::{Crowd, Errand};
use super::disk::{ALWAYS, Disk, EIO, ENOSPC, Operation, Place};
use crate::property::chance::{Chance, rounds, setting};
use crate::support::client::{Client, Request};
use crate::support::server::{Server, await_that};

const CLIENTS: usize = 16;
const STRIKES: usize = 12;
/// Payments whose pages are about enough for a checkpoint.
const CHECKPOINT: usize = 250;

/// Lets the disk fail again and again under a crowd; nobody mends anything. Then the power goes.
fn storm(name: &str, what: Operation, place: Place, error: i32) {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 4));
    let disk = Disk::new();
    // Writes that arrive during a sync are the next group.
    disk.slow_down(2_000);
    let mut server = disk.under(bank::options()).start();
    let crowd = Crowd::<Payment>::gather(name, CLIENTS);
    crowd.point_at(Some(server.address()));
    for strike in 0..rounds(STRIKES) {
        let before = disk.met(what, place);
        let (skip, count) = (chance.below(12), chance.below(4) + 1);
        let number = |number: usize| i32::try_from(number).expect("small");
        disk.fail(what, place, error, number(skip), number(count));
        await_that(&format!("{what:?} of {place:?} fails, strike {strike}"), || {
            disk.met(what, place) > before
        });
        crowd.await_more(CLIENTS);
    }
    // A commit that failed may stand in the log all the same, where the next start finds it.
    disk.fail(what, place, error, 0, ALWAYS);
    let before = crowd.refused();
    await_that("every client is refused", || crowd.refused() > before + 2 * CLIENTS);
    crowd.point_at(None);
    server.kill();
    disk.heal();
    server.restart();
    crowd.point_at(Some(server.address()));
    crowd.await_more(CLIENTS);
    let syncs = usize::try_from(disk.calls(Operation::Sync, Place::Log)).expect("a number");
    assert!(crowd.acknowledged() > syncs, "no two writes ever shared a commit");
    let harvest = crowd.disperse();
    confirm(&server.client(), &harvest.promises);
    assert_eq!(total(&server.client()), harvest.promises.len() as u64);
    server.kill();
    disk.cut(Some(&mut chance));
    audit(&disk.database(), &harvest.promises);
    server.restart();
    confirm(&server.client(), &harvest.promises);
}

#[test]
fn a_sync_that_fails_inside_a_group_loses_no_payment_and_doubles_none() {
    storm("sync", Operation::Sync, Place::Log, EIO);
}

#[test]
fn a_write_that_fails_inside_a_group_loses_no_payment_and_doubles_none() {
    storm("write", Operation::Write, Place::Log, EIO);
}

#[test]
fn a_disk_that_is_full_for_a_moment_loses_no_payment_and_doubles_none() {
    storm("full", Operation::Write, Place::Log, ENOSPC);
}

/// A server that has made some payments, and what it promised.
fn seasoned(disk: &Disk, name: &str) -> (Server, Vec<Promise>) {
    let server = disk.under(bank::options()).start();
    let promises = (0..20).map(|number| pay(&server.client(), Payment::new(name, number)));
    let promises = promises.collect();
    (server, promises)
}

fn pay(client: &Client, payment: Payment) -> Promise {
    let answer = client.send(&payment.request());
    assert_eq!(answer.status, 201, "{}", answer.show());
    Promise::read(payment, answer).expect("a promise")
}

#[test]
fn a_full_disk_refuses_writes_with_507_and_serves_reads_until_there_is_room_again() {
    let disk = Disk::new();
    let (mut server, mut promises) = seasoned(&disk, "room");
    let client = server.client();
    let before = client.get("/api/payments");
    disk.fail(Operation::Write, Place::Log, ENOSPC, 0, ALWAYS);
    let refused: Vec<Payment> = (100..110).map(|number| Payment::new("room", number)).collect();
    for payment in &refused {
        let answer = client.send(&payment.request());
        assert_eq!(answer.status, 507, "{}", answer.show());
        let lists = client.get("/api/payments");
        assert_eq!(lists.text(), before.text());
        assert_eq!(lists.field("etag"), before.field("etag"), "nothing changed");
        confirm_reads(&client, &promises);
    }
    let one = format!("/api/payments/{}", promises[0].id);
    let patch = Request::new("PATCH", &one).json(r#"{"amount":5}"#);
    for change in [patch, Request::new("DELETE", &one)] {
        let answer = client.send(&change);
        assert_eq!(answer.status, 507, "{}", answer.show());
    }
    // Ready is who can write. Alive is who answers.
    assert!(client.get("/readyz").status >= 500);
    assert_eq!(client.get("/healthz").status, 200);
    disk.heal();
    assert_eq!(total(&client), promises.len() as u64, "what was refused is not there");
    for payment in refused {
        let promise = pay(&client, payment);
        assert_eq!(promise.answer.field("idempotent-replayed"), None, "it was refused before");
        promises.push(promise);
    }
    assert_eq!(client.get("/readyz").status, 200);
    assert_eq!(total(&client), promises.len() as u64);
    confirm(&client, &promises);
    server.kill();
    disk.cut(None);
    audit(&disk.database(), &promises);
}

/// Every record is as it was promised.
fn confirm_reads(client: &Client, promises: &[Promise]) {
    for promise in promises {
        let found = client.get(&format!("/api/payments/{}", promise.id));
        assert_eq!(found.status, 200, "{}", found.show());
        assert_eq!(found.text(), promise.answer.text());
    }
}

#[test]
fn a_read_that_fails_is_a_500_and_never_an_answer_that_is_not_true() {
    let disk = Disk::new();
    let (mut server, mut promises) = seasoned(&disk, "read");
    for (number, place) in [(100, Place::Log), (200, Place::Database)] {
        if matches!(place, Place::Database) {
            // The log is moved into the database at the end, and caches are empty at the start.
            assert!(server.terminate().success());
            server.restart();
        }
        let client = server.client();
        // Another commit, so that what readers have cached is no longer the present.
        promises.push(pay(&client, Payment::new("read", number)));
        disk.fail(Operation::Read, place, EIO, 0, ALWAYS);
        let mut failed = 0;
        for promise in &promises {
            let found = client.get(&format!("/api/payments/{}", promise.id));
            match found.status {
                200 => assert_eq!(found.text(), promise.answer.text()),
                500 | 503 => failed += 1,
                _ => panic!("{}", found.show()),
            }
        }
        let list = client.get("/api/payments?limit=100&sort=-amount");
        match list.status {
            200 => assert_eq!(list.json()["total"], promises.len()),
            500 | 503 => failed += 1,
            _ => panic!("{}", list.show()),
        }
        let payment = Payment::new("read", number + 1);
        let answer = client.send(&payment.request());
        assert!(matches!(answer.status, 201 | 500 | 503), "{}", answer.show());
        assert!(disk.met(Operation::Read, place) > 0, "nothing was read from the {place:?}");
        assert!(failed > 0, "no read of the {place:?} failed");
        disk.heal();
        confirm_reads(&client, &promises);
        let answer = client.send(&payment.request());
        assert_eq!(answer.status, 201, "{}", answer.show());
        promises.push(Promise::read(payment, answer).expect("a promise"));
        assert_eq!(total(&client), promises.len() as u64);
    }
    server.kill();
    disk.cut(None);
    audit(&disk.database(), &promises);
}

/// Moving the log into the database fails; the commits that it holds stand all the same.
///
/// `failures` are awaited: after a failed sync the log is needed as it is, so there is one only.
fn checkpoints(name: &str, what: Operation, failures: i32) {
    let disk = Disk::new();
    let mut server = disk.under(bank::options()).start();
    let crowd = Crowd::<Payment>::gather(name, CLIENTS);
    crowd.point_at(Some(server.address()));
    disk.fail(what, Place::Database, EIO, 0, failures);
    await_that("checkpoints fail", || {
        crowd.await_more(1);
        disk.met(what, Place::Database) >= failures
    });
    // Long enough for a checkpoint that would go on where the failed one stopped.
    crowd.await_more(4 * CHECKPOINT);
    crowd.await_more(CLIENTS);
    let harvest = crowd.disperse();
    assert!(harvest.refusals.is_empty(), "the commit stands: {:?}", harvest.refusals);
    server.kill();
    disk.cut(None);
    audit(&disk.database(), &harvest.promises);
    server.restart();
    confirm(&server.client(), &harvest.promises);
    // At the end too: the log stays, and the next start reads it.
    disk.fail(what, Place::Database, EIO, 0, ALWAYS);
    server.terminate();
    disk.heal();
    disk.cut(None);
    audit(&disk.database(), &harvest.promises);
}

#[test]
fn a_checkpoint_whose_writes_fail_loses_nothing() {
    checkpoints("move", Operation::Write, 3);
}

#[test]
fn a_checkpoint_whose_sync_fails_loses_nothing() {
    checkpoints("settle", Operation::Sync, 1);
}
