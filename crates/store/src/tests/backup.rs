//! Backups and restoring: under load, over pipes, damaged, interrupted.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::care::backup::{Made, Pace, Plan, Progress, Target, backup, last, retain};
use crate::care::beside::{backup_name, backups, beside};
use crate::care::error::CareError;
use crate::care::restore::{Fit, Restored, restore};
use crate::care::{status, vacuum};

fn plan(bench: &Bench) -> Plan {
    Plan {
        database: bench.path(),
        now: clock(),
        pace: Pace::Quick,
        log_bytes_max: 1 << 32,
        program: "0.1.0".to_owned(),
    }
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(super) fn back_up(bench: &Bench, name: &str) -> PathBuf {
    let file = bench.folder.path().join(name);
    backup(&plan(bench), Target::File(&file), &mut go_on).unwrap();
    file
}

pub(super) fn restored(bench: &Bench, file: &std::path::Path) -> Result<Restored, CareError> {
    let bytes = std::fs::read(file).unwrap();
    let mut watch = |_, _| ControlFlow::Continue(());
    restore(&bench.path(), &bench.model, &bytes[..], clock(), &mut watch)
}

fn names(bench: &Bench) -> Vec<String> {
    let entries = std::fs::read_dir(bench.folder.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Ends the server; the folder stays.
fn stop(bench: &Bench) {
    bench.writer().close();
}

pub(super) fn again(bench: &Bench) -> Opened {
    crate::open(&options(&bench.folder), Arc::clone(&bench.model), &mut seedless).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_under_load_holds_all_that_was_acknowledged_before_it_began() {
    let bench = Bench::new();
    let writer = bench.writer().clone();
    let (over, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let writing = tokio::spawn({
        let (over, acknowledged) = (Arc::clone(&over), Arc::clone(&acknowledged));
        async move {
            let mut id = 0;
            while !over.load(Ordering::SeqCst) {
                id += 1;
                let record = user(id, &"long ".repeat(200));
                let changes = vec![insert(USERS, record), insert(ORDERS, order(id, Some(id), 1))];
                let step = step(move |_| commit((), changes.clone()));
                writer.transact(vec![step]).await.unwrap();
                acknowledged.store(id, Ordering::SeqCst);
            }
        }
    });
    for round in 0..4 {
        while acknowledged.load(Ordering::SeqCst) < 60 * (round + 1) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let (plan, file) = (plan(&bench), bench.folder.path().join(format!("{round}.db.zst")));
        let pace = if round % 2 == 0 { Pace::Quick } else { Pace::Gentle };
        let plan = Plan { pace, ..plan };
        let made =
            tokio::task::spawn_blocking(move || backup(&plan, Target::File(&file), &mut go_on));
        let header = made.await.unwrap().unwrap().header;
        let rows = |name: &str| header.resources.iter().find(|(n, _)| n == name).unwrap().1;
        assert!(rows("users") >= before.unsigned_abs(), "{} of {before}", rows("users"));
        assert_eq!(rows("users"), rows("orders"), "one commit is in it whole or not at all");
    }
    over.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    stop(&bench);
    for round in 0..4 {
        restored(&bench, &bench.folder.path().join(format!("{round}.db.zst"))).unwrap();
        let audit = crate::care::audit::audit(&bench.path(), &bench.model).unwrap();
        assert!(audit.findings.is_empty(), "{:?}", audit.findings);
        let outside = bench.outside();
        let count = |table: &str| -> i64 {
            let text = format!("SELECT count(*) FROM {table}");
            outside.query_row(&text, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count("users"), count("orders"));
        assert!(count("users") >= 60 * (round + 1));
    }
}

#[tokio::test]
async fn a_restored_database_revives_no_tag_and_gives_no_id_twice_and_knows_its_keys() {
    let bench = Bench::new();
    let changes = vec![insert(USERS, user(1, "A")), Change::Remember(answer(5, 60_000))];
    bench.commit(changes).await.unwrap();
    let file = back_up(&bench, "one.db.zst");
    bench.commit(vec![insert(USERS, user(2, "B"))]).await.unwrap();
    bench.commit(vec![insert(ORDERS, order(1, Some(1), 1))]).await.unwrap();
    stop(&bench);
    let told = restored(&bench, &file).unwrap();
    assert_eq!((told.fit, told.header.records(), told.ids_continue), (Fit::Fits, 1, true));
    let opened = again(&bench);
    assert!(!opened.fresh);
    assert_ne!(opened.epoch, bench.opened.epoch);
    assert_eq!(opened.secret, bench.opened.secret, "or no remembered key would be found");
    let ask = |resource| {
        let lookup = Lookup {
            remembered: Some([5; 16]),
            roots: vec![Node::new(resource, Pick::NextId)],
            ..Lookup::default()
        };
        Step::alone(lookup, |current: &Current| {
            commit((current.remembered.clone(), current.roots[0].next_id), vec![])
        })
    };
    let verdict = opened.writer.transact(vec![ask(USERS), ask(ORDERS)]).await.unwrap();
    let kept = Some(answer(5, 60_000));
    assert_eq!(verdict, Verdict::Committed(vec![(kept.clone(), Some(3)), (kept, Some(2))]));
    opened.writer.close();
    drop(opened);

    let aside = told.aside.unwrap();
    let old = Connection::open(&aside).unwrap();
    let users: i64 = old.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(users, 2, "the database of before is whole");
    drop(old);
    // Undone by hand, as the command says.
    std::fs::rename(&aside, bench.path()).unwrap();
    assert_eq!(again(&bench).epoch, bench.opened.epoch);
}

#[tokio::test]
async fn a_database_that_was_killed_is_backed_up_and_set_aside_with_its_log() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    // As a killed server leaves it: a log that nobody has moved over.
    let killed = tempfile::tempdir().unwrap();
    for part in ["", "-wal"] {
        let to = beside(&killed.path().join("data.db"), part);
        std::fs::copy(beside(&bench.path(), part), to).unwrap();
    }
    let log = std::fs::metadata(killed.path().join("data.db-wal")).unwrap().len();
    assert!(log > 0, "there is a log");
    let file = killed.path().join("k.db.zst");
    let plan = Plan { database: killed.path().join("data.db"), ..plan(&bench) };
    let made = backup(&plan, Target::File(&file), &mut go_on).unwrap();
    assert_eq!(made.header.records(), 1);
    let bytes = std::fs::read(&file).unwrap();
    let mut watch = |_, _| ControlFlow::Continue(());
    let told = restore(&plan.database, &bench.model, &bytes[..], clock(), &mut watch).unwrap();
    let aside = Connection::open(told.aside.unwrap()).unwrap();
    let users: i64 = aside.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(users, 1, "what was in the log only");
    assert!(!beside(&plan.database, "-wal").exists());
}

#[tokio::test]
async fn what_cannot_be_restored_replaces_nothing() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let file = back_up(&bench, "one.db.zst");
    assert!(matches!(restored(&bench, &file), Err(CareError::Served)), "while a server runs");
    stop(&bench);
    let before = (names(&bench), std::fs::read(bench.path()).unwrap());
    let whole = std::fs::read(&file).unwrap();
    let wrong = bench.folder.path().join("wrong");
    let refuse = |bytes: &[u8], said: &str| {
        std::fs::write(&wrong, bytes).unwrap();
        let fault = restored(&bench, &wrong).unwrap_err();
        assert!(fault.to_string().contains(said), "{fault}");
        std::fs::remove_file(&wrong).unwrap();
        assert_eq!((names(&bench), std::fs::read(bench.path()).unwrap()), before);
    };
    refuse(b"a letter", "not a backup");
    refuse(&std::fs::read(bench.path()).unwrap(), "not a backup");
    refuse(&whole[..whole.len() - 9], "cut off");
    refuse(&whole[..whole.len() / 2], "cut off");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    refuse(&changed, "damaged");
    let mut stopping = |_, _| ControlFlow::Break(());
    let fault = restore(&bench.path(), &bench.model, &whole[..], clock(), &mut stopping);
    assert!(matches!(fault, Err(CareError::Stopped)));
    assert_eq!((names(&bench), std::fs::read(bench.path()).unwrap()), before);
}

#[tokio::test]
async fn an_interrupted_restore_is_told_and_settled_by_the_next_start() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let file = back_up(&bench, "one.db.zst");
    stop(&bench);
    // Killed after the old database was moved and before the new one came.
    std::fs::write(beside(&bench.path(), "-restore"), "half").unwrap();
    std::fs::write(beside(&bench.path(), "-exchange"), "aside.db").unwrap();
    std::fs::rename(bench.path(), bench.folder.path().join("aside.db")).unwrap();
    for refused in [
        status::status(&bench.path(), clock()).map(drop),
        backup(&plan(&bench), Target::File(&file), &mut go_on).map(drop),
        crate::care::audit::audit(&bench.path(), &bench.model).map(drop),
    ] {
        assert!(matches!(refused, Err(CareError::Interrupted)), "{refused:?}");
    }
    let opened = again(&bench);
    assert!(!opened.fresh);
    assert_eq!(opened.epoch, bench.opened.epoch, "the old one is back");
    assert_eq!(names(&bench).iter().filter(|name| name.contains("-restore")).count(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_behind_a_link_is_backed_up_and_restored_where_it_lies() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(bench.path(), &link).unwrap();
    let file = elsewhere.path().join("one.db.zst");
    let plan = Plan { database: link.clone(), ..plan(&bench) };
    backup(&plan, Target::File(&file), &mut go_on).unwrap();
    assert_eq!(last(&link), last(&bench.path()));
    stop(&bench);
    let bytes = std::fs::read(&file).unwrap();
    let mut watch = |_, _| ControlFlow::Continue(());
    restore(&link, &bench.model, &bytes[..], clock(), &mut watch).unwrap();
    assert!(link.is_symlink(), "the link stays one");
    assert_ne!(again(&bench).epoch, bench.opened.epoch);
}

#[tokio::test]
async fn another_declaration_is_restored_and_said() {
    let bench = Bench::new();
    let file = back_up(&bench, "one.db.zst");
    stop(&bench);
    let other = declared(&DECLARATION.replace("[\"string\", \"null\"]", "\"string\""));
    let bytes = std::fs::read(&file).unwrap();
    let mut watch = |_, _| ControlFlow::Continue(());
    let told = restore(&bench.path(), &other, &bytes[..], clock(), &mut watch).unwrap();
    assert_eq!(told.fit, Fit::Differs);
}

#[tokio::test]
async fn a_backup_is_there_whole_or_not_at_all() {
    let bench = Bench::new();
    for id in 1..400 {
        bench.commit(vec![insert(USERS, user(id, &"long ".repeat(500)))]).await.unwrap();
    }
    let file = bench.folder.path().join("one.db.zst");
    let before = names(&bench);
    let at: [fn(Progress) -> bool; 2] = [
        |progress| matches!(progress, Progress::Copied(..)),
        |progress| matches!(progress, Progress::Written(..)),
    ];
    for is_there in at {
        let mut stop = |progress| {
            if is_there(progress) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let fault = backup(&plan(&bench), Target::File(&file), &mut stop).unwrap_err();
        assert!(matches!(fault, CareError::Stopped));
        let mut left = names(&bench);
        left.retain(|name| name != "data.db-backup");
        assert_eq!(left, before);
        assert!(last(&bench.path()).unwrap().error.unwrap().contains("stopped"));
    }
    // One that was killed leaves both of its files: the next one removes them.
    let stale = bench.folder.path().join(format!("{}.part", backup_name(&bench.path(), clock())));
    std::fs::write(&stale, "half").unwrap();
    std::fs::write(beside(&bench.path(), "-backup-copy"), "half").unwrap();
    back_up(&bench, "one.db.zst");
    assert!(!stale.exists() && !beside(&bench.path(), "-backup-copy").exists());
    let note = last(&bench.path()).unwrap();
    assert_eq!((note.error, note.file), (None, Some(file.clone())));
    let fault = backup(&plan(&bench), Target::File(&file), &mut go_on).unwrap_err();
    assert!(matches!(fault, CareError::Exists(_)));
}

#[tokio::test]
async fn a_pipe_gets_the_same_bytes() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let file = back_up(&bench, "one.db.zst");
    let mut piped = Vec::new();
    let made: Made = backup(&plan(&bench), Target::Stream(&mut piped), &mut go_on).unwrap();
    assert_eq!(piped, std::fs::read(file).unwrap());
    assert_eq!(made.bytes, piped.len() as u64);
}

#[tokio::test]
async fn a_log_that_grows_too_much_ends_a_backup_and_not_the_writes() {
    let bench = Bench::new();
    for id in 1..400 {
        bench.commit(vec![insert(USERS, user(id, &"long ".repeat(600)))]).await.unwrap();
    }
    // The database is copied in several steps, and the log is above this after the first.
    let plan = Plan { log_bytes_max: 4_096, ..plan(&bench) };
    let file = bench.folder.path().join("one.db.zst");
    let fault = backup(&plan, Target::File(&file), &mut go_on).unwrap_err();
    assert!(matches!(fault, CareError::LogTooLarge { most: 4_096, .. }), "{fault}");
    assert!(!file.exists() && !beside(&bench.path(), "-backup-copy").exists());
    assert!(last(&bench.path()).unwrap().error.unwrap().contains("backup.log"));
    bench.commit(vec![insert(USERS, user(400, "A"))]).await.unwrap();
}

#[tokio::test]
async fn a_damaged_database_is_not_backed_up_over_good_ones() {
    let bench = Bench::new();
    for id in 1..200 {
        bench.commit(vec![insert(USERS, user(id, &"long ".repeat(100)))]).await.unwrap();
    }
    stop(&bench);
    let mut bytes = std::fs::read(bench.path()).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x55);
    std::fs::write(bench.path(), bytes).unwrap();
    let file = bench.folder.path().join("one.db.zst");
    let fault = backup(&plan(&bench), Target::File(&file), &mut go_on).unwrap_err();
    assert!(matches!(fault, CareError::Damaged(_)), "{fault}");
    assert!(!file.exists());
}

#[test]
fn the_oldest_backups_go() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("data.db");
    for day in 1..=5 {
        let at = Timestamp::parse(&format!("2026-11-0{day}T00:00:00.000Z")).unwrap();
        std::fs::write(folder.path().join(backup_name(&database, at)), "").unwrap();
    }
    std::fs::write(folder.path().join("data-mine.db.zst"), "").unwrap();
    assert_eq!(retain(&database, folder.path(), 2).unwrap().len(), 3);
    let left = backups(&database, folder.path()).unwrap();
    assert_eq!(left.len(), 2);
    assert!(left[0].to_str().unwrap().contains("20261104"));
    assert!(folder.path().join("data-mine.db.zst").exists(), "only what this program made");
}

#[tokio::test]
async fn a_status_tells_sizes_and_a_vacuum_gives_back() {
    let bench = Bench::new();
    for id in 1..300 {
        bench.commit(vec![insert(USERS, user(id, &"long ".repeat(500)))]).await.unwrap();
    }
    for id in 1..280 {
        bench.commit(vec![remove(USERS, &user(id, ""))]).await.unwrap();
    }
    bench.commit(vec![Change::Remember(answer(5, 60_000))]).await.unwrap();
    let told = status::status(&bench.path(), clock()).unwrap();
    assert!(told.is_served);
    assert!(told.free_pages > 100 && told.log_bytes > 0, "{told:?}");
    assert_eq!((told.keys, told.keys_expired, told.backup), (1, 0, None));
    let users = told.resources.iter().find(|kept| kept.name == "users").unwrap();
    assert_eq!((users.records, users.change), (20, 578));
    assert_eq!(told.changes.entries, 578);
    assert_eq!(told.changes.last.unwrap().0, 578);
    assert!(matches!(vacuum::vacuum(&bench.path()), Err(CareError::Served)));
    stop(&bench);
    let closed = status::status(&bench.path(), clock()).unwrap();
    assert!(!closed.is_served && told.optimized.is_none());
    assert!(closed.optimized.is_some(), "at the latest at the end");
    let gained = vacuum::vacuum(&bench.path()).unwrap();
    assert!(gained.after < gained.before / 2, "{gained:?}");
    let audit = crate::care::audit::audit(&bench.path(), &bench.model).unwrap();
    assert!(audit.findings.is_empty(), "{:?}", audit.findings);
    let none = bench.folder.path().join("none.db");
    assert!(matches!(status::status(&none, clock()), Err(CareError::Missing(_))));
    assert!(matches!(vacuum::vacuum(&none), Err(CareError::Missing(_))));
    assert_eq!(names(&bench).iter().filter(|name| name.starts_with("none")).count(), 0);
}
