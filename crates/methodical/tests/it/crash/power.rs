//! Power that is cut: what was not synced is gone.

use std::time::Duration;

use super::audit::{audit, complaints, confirm, total};
use super::bank::{self, Payment, Promise};
use super::crowd::{Crowd, Errand};
use super::disk::{ALWAYS, Disk, LIE, Operation, Place};
use crate::property::chance::{Chance, rounds, setting};

const CLIENTS: usize = 8;
const CUTS: usize = 30;

#[test]
fn every_payment_was_synced_before_it_was_acknowledged() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 2));
    let disk = Disk::new();
    let mut server = disk.under(bank::options()).start();
    let crowd = Crowd::<Payment>::gather("power", CLIENTS);
    for round in 0..rounds(CUTS) {
        crowd.point_at(Some(server.address()));
        crowd.await_more(chance.below(30) + 1);
        std::thread::sleep(Duration::from_micros(chance.next() % 3_000));
        crowd.point_at(None);
        server.kill();
        // All of what was not synced is lost, or any part of it.
        disk.cut((round % 2 == 1).then_some(&mut chance));
        audit(&disk.database(), &crowd.promises());
        server.restart();
    }
    crowd.point_at(Some(server.address()));
    let harvest = crowd.disperse();
    confirm(&server.client(), &harvest.promises);
    assert_eq!(total(&server.client()), harvest.promises.len() as u64);
    server.kill();
    disk.cut(None);
    audit(&disk.database(), &harvest.promises);
}

#[test]
fn a_power_cut_loses_what_was_acknowledged_without_a_sync_so_that_the_test_above_can_fail() {
    let disk = Disk::new();
    let mut server = disk.under(bank::options()).start();
    let crowd = Crowd::<Payment>::gather("lie", CLIENTS);
    // What PRAGMA synchronous = NORMAL comes to: commits do not sync the log.
    disk.fail(Operation::Sync, Place::Log, LIE, 0, ALWAYS);
    crowd.point_at(Some(server.address()));
    crowd.await_more(50);
    crowd.point_at(None);
    let promises = crowd.promises();
    server.kill();
    disk.cut(None);
    let complaints = complaints(&disk.database(), &promises);
    let lost = complaints.iter().filter(|complaint| complaint.contains("lost")).count();
    assert!(lost > 0, "nothing was lost: the disk does not forget, {complaints:?}");
}

#[test]
fn what_a_killed_process_wrote_is_synced_before_the_next_one_acknowledges_it() {
    let disk = Disk::new();
    let mut server = disk.under(bank::options()).start();
    let payment = Payment::new("twice", 1);
    // Killed between writing and syncing: nobody was told, so that the client asks again.
    disk.fail(Operation::Sync, Place::Log, LIE, 0, ALWAYS);
    server.client().send(&payment.request());
    server.kill();
    disk.heal();
    server.restart();
    let answer = server.client().send(&payment.request());
    assert_eq!(answer.status, 201, "{}", answer.show());
    let promise = Promise::read(payment, answer).expect("a promise");
    server.kill();
    disk.cut(None);
    audit(&disk.database(), &[promise]);
}

#[test]
fn a_fresh_database_is_whole_or_not_there_whenever_the_power_goes() {
    // The cut comes right after the address is printed: no write of a client has synced anything.
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 3));
    for round in 0..rounds(6) {
        let disk = Disk::new();
        let mut server = disk.under(bank::options()).start();
        server.kill();
        disk.cut((round % 2 == 1).then_some(&mut chance));
        server.restart();
        assert_eq!(total(&server.client()), 0);
        let accounts = server.client().get("/api/accounts").json();
        assert_eq!(accounts["total"], 4);
    }
}
