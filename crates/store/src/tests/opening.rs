//! Opening: fresh, again, changed, twice, and what is not ours.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test]
async fn a_fresh_database_is_seeded_once_whatever_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let model = declared(DECLARATION);
    let options = options(&folder);
    let mut calls = 0;
    let mut seed = || {
        calls += 1;
        Ok(vec![(ORDERS, order(1, Some(1), 1)), (USERS, user(1, "A"))])
    };
    let first = crate::open(&options, Arc::clone(&model), &mut seed).unwrap();
    assert!(first.fresh);
    first.writer.close();
    let again = crate::open(&options, Arc::clone(&model), &mut seed).unwrap();
    assert_eq!((again.fresh, calls), (false, 1));
    assert_eq!((again.epoch, again.secret), (first.epoch, first.secret));
    let lookup = Lookup::of(Node::key(USERS, Id::Integer(1)));
    let found = again.reader.read(lookup).await.unwrap();
    assert_eq!(found.roots[0].rows[0].record, user(1, "A"));
    assert_eq!(again.reader.ping(), Ok(()));
}

#[test]
fn a_seed_that_does_not_fit_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = declared(DECLARATION);
    let options = options(&folder);
    let wrong: [(Vec<(ResourceIndex, Record)>, &str); 3] = [
        (vec![(ORDERS, order(1, Some(7), 1))], "orders 1: `customer` names users 7"),
        (vec![(USERS, user(1, "A")), (USERS, user(1, "B"))], "another record has this id"),
        (
            vec![(USERS, user(1, "A")), {
                let mut rival = user(2, "B");
                rival.values[USERNAME] = text("U1");
                (USERS, rival)
            }],
            "users 2: another record has the same username",
        ),
    ];
    for (records, said) in wrong {
        let error = crate::open(&options, Arc::clone(&model), &mut || Ok(records.clone()));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let mut failing = || Err("seed/users.ndjson:3: no".to_owned());
    let error = crate::open(&options, Arc::clone(&model), &mut failing).unwrap_err();
    assert_eq!(error, OpenError::Seed("seed/users.ndjson:3: no".to_owned()));
    let opened = crate::open(&options, model, &mut seedless).unwrap();
    assert!(opened.fresh, "the file is as good as new");
}

#[test]
fn a_second_server_is_refused() {
    let bench = Bench::new();
    let options = options(&bench.folder);
    assert_eq!(refused(&options, &bench.model), OpenError::Locked);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut linked = options.clone();
    linked.path = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(&options.path, &linked.path).unwrap();
    assert_eq!(refused(&linked, &bench.model), OpenError::Locked, "under another name too");
    let Bench { folder, model, opened } = bench;
    drop(opened);
    crate::open(&options, model, &mut seedless).unwrap();
    drop(folder);
}

#[tokio::test]
async fn the_order_of_resources_is_not_a_change() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let Bench { folder, opened, .. } = bench;
    drop(opened);
    let (head, rest) = DECLARATION.split_once("[resources.users]").unwrap();
    let (users, others) = rest.split_once("[resources.orders]").unwrap();
    let turned = format!("{head}[resources.orders]{others}\n[resources.users]{users}");
    let opened = crate::open(&options(&folder), declared(&turned), &mut seedless).unwrap();
    let lookup = Lookup::of(page(3, Filter::all(), &[], 10));
    let found = opened.reader.read(lookup).await.unwrap().roots.remove(0);
    assert_eq!((ids(&found), found.total.unwrap().records), (vec!["1".to_owned()], 1));
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let model = declared(DECLARATION);
    let options = options(&folder);
    std::fs::write(&options.path, "a letter, not a database, and long enough to be read").unwrap();
    assert!(matches!(refused(&options, &model), OpenError::NotADatabase(_)));
    std::fs::remove_file(&options.path).unwrap();

    let other = Connection::open(&options.path).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(other);
    assert_eq!(refused(&options, &model), OpenError::NotOurs);
    std::fs::remove_file(&options.path).unwrap();

    drop(crate::open(&options, Arc::clone(&model), &mut seedless).unwrap());
    let ours = Connection::open(&options.path).unwrap();
    ours.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(ours);
    assert_eq!(refused(&options, &model), OpenError::NewerVersion { theirs: 99, ours: 6 });
    let ours = Connection::open(&options.path).unwrap();
    ours.execute_batch("PRAGMA user_version = 1").unwrap();
    drop(ours);
    let older = refused(&options, &model);
    assert_eq!(older, OpenError::OlderVersion { theirs: 1, ours: 6 });
    assert!(older.to_string().contains("begin anew with another --database and copy"));

    let mut nowhere = options;
    nowhere.path = folder.path().join("no/such/folder/data.db");
    assert!(matches!(refused(&nowhere, &model), OpenError::Io(_)));
}

#[tokio::test]
async fn remembered_answers_and_ids_outlive_a_restart() {
    let bench = Bench::new();
    let changes = vec![insert(USERS, user(7, "A")), Change::Remember(answer(5, 60_000))];
    bench.commit(changes).await.unwrap();
    bench.commit(vec![remove(USERS, &user(7, "A"))]).await.unwrap();
    let Bench { folder, model, opened } = bench;
    opened.writer.close();
    drop(opened);
    let opened = crate::open(&options(&folder), model, &mut seedless).unwrap();
    let step = Step::alone(
        Lookup {
            remembered: Some([5; 16]),
            states: vec![],
            roots: vec![Node::new(USERS, Pick::NextId)],
            ..Lookup::default()
        },
        |current: &Current| commit((current.remembered.clone(), current.roots[0].next_id), vec![]),
    );
    let verdict = opened.writer.transact(vec![step]).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![(Some(answer(5, 60_000)), Some(8))]));
}

#[cfg(unix)]
#[test]
fn a_file_that_may_only_be_read_is_refused_at_the_start() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let path = bench.path();
    let Bench { folder, model, opened } = bench;
    opened.writer.close();
    drop(opened);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    // An administrator may write all the same.
    if std::fs::OpenOptions::new().write(true).open(&path).is_err() {
        assert_eq!(refused(&options(&folder), &model), OpenError::ReadOnly);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_write_is_acknowledged_into_a_file_that_is_gone() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let aside = bench.folder.path().join("aside.db");
    std::fs::rename(bench.path(), &aside).unwrap();
    assert!(matches!(bench.reader().ping(), Err(Error::Busy(_))), "nor is another file read");
    let deadline = Instant::now() + Duration::from_secs(10);
    while bench.writer().ready().is_ok() {
        assert!(Instant::now() < deadline, "/readyz says so before a write is lost");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let lost = bench.commit(vec![insert(USERS, user(2, "B"))]).await.unwrap_err();
    assert!(matches!(&lost, Error::Busy(why) if why.contains("removed or replaced")), "{lost}");
    assert!(!bench.path().exists(), "no empty database takes its place");

    std::fs::write(bench.path(), "another file").unwrap();
    bench.commit(vec![insert(USERS, user(2, "B"))]).await.unwrap_err();

    std::fs::rename(&aside, bench.path()).unwrap();
    bench.commit(vec![insert(USERS, user(2, "B"))]).await.unwrap();
    assert_eq!(bench.writer().ready(), Ok(()));
    assert_eq!(bench.list(USERS).await.rows.len(), 2);
}

/// The permissions of a file.
#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_is_for_its_owner_alone_and_keeps_the_mode_that_it_was_given() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let beside = |end: &str| crate::care::beside::beside(&bench.path(), end);
    for end in ["", "-wal", "-shm"] {
        assert_eq!(mode(&beside(end)), 0o600, "{end}");
    }
    let attached =
        crate::transfer::attach(&options(&bench.folder), Arc::clone(&bench.model)).unwrap();
    let copy = bench.folder.path().join("copy.db");
    attached.copy(&copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    let shared = tempfile::tempdir().unwrap();
    let path = shared.path().join("data.db");
    std::fs::copy(&copy, &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let opened = crate::open(&options(&shared), Arc::clone(&bench.model), &mut seedless).unwrap();
    assert_eq!(mode(&path), 0o640);
    opened.writer.close();
}

/// A file and its journal, as a process leaves them that is killed while it writes.
fn torn(folder: &TempDir) -> PathBuf {
    let from = folder.path().join("killed.db");
    let connection = Connection::open(&from).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; CREATE TABLE gone (x);",
        )
        .unwrap();
    connection.execute_batch("DROP TABLE gone; BEGIN; CREATE TABLE t (x)").unwrap();
    for _ in 0..50 {
        connection.execute("INSERT INTO t VALUES (randomblob(3000))", []).unwrap();
    }
    let to = folder.path().join("data.db");
    for end in ["", "-journal"] {
        let name = |path| crate::care::beside::beside(path, end);
        std::fs::copy(name(&from), name(&to)).unwrap();
    }
    to
}

#[test]
fn what_a_killed_process_left_half_made_is_made_anew() {
    use crate::care::error::CareError;
    let model = declared(DECLARATION);
    let folder = tempfile::tempdir().unwrap();
    torn(&folder);
    let options = options(&folder);
    let attached = crate::transfer::attach(&options, Arc::clone(&model)).map(drop);
    assert_eq!(attached, Err(OpenError::Missing));
    let path = torn(&folder);
    let looked = crate::care::status::status(&path, clock());
    assert!(matches!(looked, Err(CareError::Unmade(_))), "{looked:?}");
    crate::open(&options, Arc::clone(&model), &mut seedless).unwrap().writer.close();
    crate::transfer::attach(&options, model).map(drop).unwrap();
}
