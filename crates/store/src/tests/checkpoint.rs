//! The log ahead of the database: moved over beside the writes, begun anew under load, and bounded
//! while somebody reads an old state.

use std::time::{Duration, Instant};

use super::*;

/// Commits until so many pages have gone through the log.
async fn write(bench: &Bench, commits: i64, first: i64) {
    for id in first..first + commits {
        let changes = (0..20).map(|n| insert(USERS, user(id * 20 + n, &"long ".repeat(600))));
        bench.commit(changes.collect()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_begins_anew_although_writes_never_rest() {
    let bench = Bench::new();
    write(&bench, 400, 1).await;
    let figures = bench.opened.measures.figures();
    let (log, database) = (figures.log_bytes, figures.database_bytes);
    // 32 MiB and more went through it; without a checkpoint all of that would be there.
    assert!(figures.checkpoints > 0 && database > 8 << 20, "{figures:?}");
    assert!(log < 30 << 20, "{log} bytes of log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_read_holds_the_log_and_nothing_else() {
    let bench = Bench::new();
    write(&bench, 1, 1).await;
    let outside = bench.outside();
    outside.execute_batch("BEGIN; SELECT count(*) FROM users;").unwrap();
    write(&bench, 300, 2).await;
    let grown = bench.opened.measures.figures().log_bytes;
    assert!(grown > 16 << 20, "{grown} bytes: the read sees its state still");
    outside.execute_batch("COMMIT").unwrap();
    // From now on the log is moved over, and begins anew.
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut next = 302;
    loop {
        write(&bench, 5, next).await;
        next += 5;
        let figures = bench.opened.measures.figures();
        if figures.log_pages < 4_000 {
            break;
        }
        assert!(Instant::now() < deadline, "{figures:?}");
    }
    bench.assert_true();
}

#[tokio::test]
async fn reads_and_writes_are_counted() {
    let bench = Bench::new();
    bench
        .commit(vec![insert(USERS, user(1, "A")), Change::Remember(answer(5, 60_000))])
        .await
        .unwrap();
    bench.list(USERS).await;
    let figures = bench.opened.measures.figures();
    assert_eq!((figures.writes, figures.groups[0], figures.lost), (1, 1, 0));
    assert_eq!((figures.inline, figures.pooled, figures.keys, figures.waiting), (1, 0, 1, 0));
    assert!(figures.database_bytes + figures.log_bytes > 4096);
}
