//! Databases that were damaged on purpose: told at the start, in words, and never written to.

use super::*;
use crate::care::audit::{About, audit};

/// A closed database of a few hundred pages.
async fn large() -> Bench {
    let bench = Bench::new();
    for id in 1..=400 {
        bench.commit(vec![insert(USERS, user(id, &"long ".repeat(400)))]).await.unwrap();
    }
    bench.writer().close();
    bench
}

fn told(bench: &Bench) -> OpenError {
    let before = std::fs::read(bench.path()).unwrap();
    let error = refused(&options(&bench.folder), &bench.model);
    assert_eq!(std::fs::read(bench.path()).unwrap(), before, "{error}");
    error
}

#[tokio::test]
async fn a_damaged_database_is_told_in_words() {
    let bench = large().await;
    let whole = std::fs::read(bench.path()).unwrap();
    let put = |bytes: &[u8]| std::fs::write(bench.path(), bytes).unwrap();

    put(&whole[..whole.len() / 2]);
    let error = told(&bench);
    assert!(
        matches!(&error, OpenError::Damaged(why) if why.contains("its end is lost")),
        "{error}"
    );

    put(&whole[..100]);
    assert!(told(&bench).is_damage(), "{}", told(&bench));

    let mut harmed = whole.clone();
    harmed[..100].fill(0xff);
    put(&harmed);
    let error = told(&bench);
    let said = matches!(&error, OpenError::NotADatabase(why) if why.contains("has to stand"));
    assert!(said, "{error}");

    for page in [1, 40, 100] {
        let mut harmed = whole.clone();
        harmed[page * 4096..(page + 1) * 4096].fill(0x55);
        put(&harmed);
        let error = told(&bench);
        assert!(matches!(error, OpenError::Damaged(_)), "page {page}: {error}");
    }

    put(&whole);
    crate::open(&options(&bench.folder), Arc::clone(&bench.model), &mut seedless).unwrap();
}

#[tokio::test]
async fn what_is_missing_is_named() {
    for (harm, said) in [
        ("DROP TABLE tokens", "the table \"tokens\" is gone"),
        ("DROP TABLE _methodical_meta", "no such table: _methodical_meta"),
        ("ALTER TABLE lines DROP COLUMN giver", "the table \"lines\""),
        ("DELETE FROM _methodical_meta WHERE name = 'epoch'", "a line of _methodical_meta"),
    ] {
        let bench = Bench::new();
        bench.writer().close();
        let outside = bench.outside();
        // What names a column holds it.
        let dropped = if harm.contains("lines") {
            "DROP INDEX \"lines(giver)\"; DROP TRIGGER _methodical_lines_touch;"
        } else {
            ""
        };
        outside.execute_batch(&format!("PRAGMA foreign_keys = OFF; {dropped} {harm}")).unwrap();
        drop(outside);
        let error = refused(&options(&bench.folder), &bench.model);
        let (OpenError::Incomplete(why) | OpenError::ByHand(why)) = &error else {
            panic!("{harm}: {error}")
        };
        assert!(why.contains(said) && error.is_damage(), "{harm}: {error}");
    }
}

#[tokio::test]
async fn a_check_says_which_pages_are_damaged_and_stops_there() {
    let bench = large().await;
    let mut harmed = std::fs::read(bench.path()).unwrap();
    harmed[100 * 4096..101 * 4096].fill(0x55);
    std::fs::write(bench.path(), &harmed).unwrap();
    let found = audit(&bench.path(), &bench.model).unwrap();
    assert!(!found.is_sound());
    assert!(found.findings.iter().all(|finding| finding.about == About::Pages));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_read_says_what_to_look_at() {
    use std::os::unix::fs::PermissionsExt;
    let bench = large().await;
    std::fs::set_permissions(bench.path(), std::fs::Permissions::from_mode(0o000)).unwrap();
    // An administrator may read all the same.
    if std::fs::File::open(bench.path()).is_err() {
        let error = refused(&options(&bench.folder), &bench.model);
        assert!(error.to_string().contains("may read and write"), "{error}");
    }
}
