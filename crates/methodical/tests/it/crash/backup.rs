//! Backups while clients write, restored and held against what was acknowledged before they began;
//! and backups and restores that are killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::audit::audit;
use super::bank::{self, Payment, Promise};
use super::crowd::{Crowd, Errand};
use crate::property::chance::{Chance, rounds, setting};
use crate::support::server::Server;

const CLIENTS: usize = 8;
const BACKUPS: usize = 6;
const KILLS: usize = 24;

fn methodical(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_methodical"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn succeed(arguments: &[&str]) {
    let output = methodical(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("the program runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {words}{said}");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The same answers to the same keys, although every entity tag is another.
fn replays(server: &Server, promises: &[Promise]) {
    let step = promises.len().div_ceil(20).max(1);
    for promise in promises.iter().step_by(step) {
        let again = server.client().send(&promise.payment.request());
        assert_eq!(again.status, 201, "{}", again.show());
        assert_eq!(again.field("idempotent-replayed").as_deref(), Some("true"));
        assert_eq!(again.content, promise.answer.content);
        let found = server.client().get(&format!("/api/payments/{}", promise.id));
        assert_eq!(found.text(), promise.answer.text());
        assert_ne!(found.field("etag"), promise.answer.field("etag"), "the tag of before");
    }
}

#[test]
fn what_was_acknowledged_before_a_backup_began_is_in_it() {
    let mut server = bank::options().start();
    let home = server.home().to_owned();
    let crowd = Crowd::<Payment>::gather("backup", CLIENTS);
    crowd.point_at(Some(server.address()));
    let mut backups: Vec<(PathBuf, Vec<Promise>)> = Vec::new();
    for number in 0..BACKUPS {
        crowd.await_more(40);
        let promises = crowd.promises();
        let file = home.join(format!("{number}.db.zst"));
        succeed(&["backup", text(&home), text(&file)]);
        backups.push((file, promises));
    }
    crowd.await_more(20);
    drop(crowd);
    assert!(server.terminate().success());
    for (file, promises) in &backups {
        succeed(&["restore", text(&home), text(file)]);
        succeed(&["check", text(&home), "--database"]);
        audit(&server.database(), promises);
    }
    let (_, promises) = backups.last().expect("there are backups");
    server.restart();
    replays(&server, promises);
}

#[test]
fn a_backup_that_is_killed_leaves_no_half_file_under_its_name() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 1));
    let mut server = bank::options().start();
    let home = server.home().to_owned();
    let crowd = Crowd::<Payment>::gather("killed", 2);
    crowd.point_at(Some(server.address()));
    crowd.await_more(100);
    let mut whole = 0;
    for number in 0..rounds(KILLS) {
        let file = home.join(format!("k{number}.db.zst"));
        let mut child =
            methodical(&["backup", text(&home), text(&file)]).spawn().expect("the program starts");
        std::thread::sleep(Duration::from_micros(chance.next() % 60_000));
        // It may have ended by itself.
        drop(child.kill());
        let ended = child.wait().expect("a child");
        if file.exists() {
            whole += 1;
        } else {
            assert!(!ended.success(), "it says that it is done, and there is no file");
        }
    }
    // The next one is not in the way of those that were killed, and sweeps behind them.
    let file = home.join("last.db.zst");
    succeed(&["backup", text(&home), text(&file)]);
    assert!(!home.join("data.db-backup-copy").exists());
    crowd.await_more(10);
    drop(crowd);
    assert!(server.terminate().success());
    for entry in fs::read_dir(&home).expect("a folder") {
        let path = entry.expect("an entry").path();
        if text(&path).ends_with(".db.zst") {
            succeed(&["restore", text(&home), text(&path)]);
        }
    }
    assert!(whole <= rounds(KILLS));
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_database_or_the_new() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 1));
    let mut server = bank::options().start();
    let home = server.home().to_owned();
    let crowd = Crowd::<Payment>::gather("restore", 4);
    crowd.point_at(Some(server.address()));
    crowd.await_more(60);
    let before = crowd.promises();
    let file = home.join("one.db.zst");
    succeed(&["backup", text(&home), text(&file)]);
    crowd.await_more(30);
    drop(crowd);
    // As a crash leaves it: with a log.
    server.kill();
    for _ in 0..rounds(KILLS) {
        let mut child =
            methodical(&["restore", text(&home), text(&file)]).spawn().expect("the program starts");
        std::thread::sleep(Duration::from_micros(chance.next() % 60_000));
        // It may have ended by itself.
        drop(child.kill());
        child.wait().expect("a child");
        server.restart();
        // Old or new: all that was promised before the backup is there.
        let total = super::audit::total(&server.client());
        assert!(total >= before.len() as u64, "{total} of {}", before.len());
        server.kill();
        audit_what_is_there(&server, &before);
    }
    succeed(&["restore", text(&home), text(&file)]);
    succeed(&["check", text(&home), "--database"]);
    for entry in fs::read_dir(&home).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert!(!text(&path).ends_with("-exchange") && !text(&path).ends_with("-restore"));
    }
}

fn audit_what_is_there(server: &Server, promises: &[Promise]) {
    audit(&server.database(), promises);
}
