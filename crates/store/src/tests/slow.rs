//! Reads that take long: the pool, its deadline, and askers who leave.

use std::time::{Duration, Instant};

use super::*;

fn crowded(deadline: Duration, threads: usize) -> Bench {
    let bench = Bench::with(|options| {
        options.read_steps_max = 2_000;
        options.read_deadline = deadline;
        options.read_threads = threads;
        options.read_queue_max = 4;
        options.count_rows_max = 1_000_000_000;
    });
    bench
        .outside()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
             INSERT INTO orders (kind, number) SELECT 'plain', i FROM n",
        )
        .unwrap();
    bench
}

fn by_kind(sort: &[(Column, bool)]) -> Lookup {
    Lookup::of(page(ORDERS, equal(KIND, Value::Text("plain".to_owned())), sort, 1))
}

#[tokio::test]
async fn a_read_over_its_budget_is_answered_by_the_pool() {
    let bench = crowded(Duration::from_secs(30), 2);
    let found = bench.reader().read(by_kind(&[])).await.unwrap();
    assert_eq!(found.roots[0].total.unwrap().records, 20_000);
    // The connection that was stopped is as good as before.
    assert!(bench.get(ORDERS, Id::Integer(1)).await.is_some());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_threads_of_the_pool_give_way_to_the_others() {
    /// Field 19 of `/proc/…/stat`, counted behind the name, which may hold anything.
    fn niceness(stat: &str) -> i64 {
        let behind = stat.rsplit_once(')').unwrap().1;
        behind.split_whitespace().nth(16).unwrap().parse().unwrap()
    }
    let own = niceness(&std::fs::read_to_string("/proc/thread-self/stat").unwrap());
    let bench = crowded(Duration::from_secs(30), 1);
    bench.reader().read(by_kind(&[])).await.unwrap();
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let stats = threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("stat")));
    // One that has ended meanwhile has none.
    let stats: Vec<String> = stats.filter_map(Result::ok).collect();
    let nice = |stat: &&String| niceness(stat) == (own + 10).min(19);
    assert!(stats.iter().any(|stat| stat.contains("(store-read)") && nice(&stat)), "{stats:?}");
    assert!(stats.iter().filter(|stat| !stat.contains("(store-read)")).all(|s| niceness(s) == own));
}

#[tokio::test]
async fn a_read_past_its_deadline_names_the_index() {
    let bench = crowded(Duration::from_millis(1), 2);
    let sort = [(Column::Field(KIND), false)];
    let slow = |index: &str| Err(Error::TooSlow { index: Some(index.to_owned()) });
    let kind = "`index = true` for orders.kind";
    assert_eq!(bench.reader().read(by_kind(&[])).await, slow(kind));
    let sorted = Lookup::of(page(ORDERS, Filter::all(), &sort, 1));
    assert_eq!(bench.reader().read(sorted).await, slow(kind));
    let newest = by_kind(&[(Column::CreatedAt, true)]);
    let both = "`index = [[\"kind\", \"createdAt\"]]` in [resources.orders]";
    assert_eq!(bench.reader().read(newest).await, slow(both));
    assert!(bench.get(ORDERS, Id::Integer(1)).await.is_some());
}

#[tokio::test]
async fn a_read_is_stopped_when_its_asker_leaves() {
    let bench = crowded(Duration::from_secs(60), 1);
    // One thread: while the first read runs, the second cannot.
    let endless = || {
        let roots = (0..400).map(|_| by_kind(&[]).roots.remove(0)).collect();
        Lookup { roots, ..Lookup::default() }
    };
    let reader = bench.reader().clone();
    let abandoned = tokio::spawn(async move { reader.read(endless()).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    abandoned.abort();
    let begun = Instant::now();
    bench.reader().read(by_kind(&[])).await.unwrap();
    let took = begun.elapsed();
    let begun = Instant::now();
    bench.reader().read(endless()).await.unwrap();
    assert!(took < begun.elapsed() / 4, "{took:?} behind a read of {:?}", begun.elapsed());
}

#[tokio::test]
async fn the_queue_of_long_reads_is_bounded() {
    let bench = crowded(Duration::from_secs(60), 1);
    let mut tasks = Vec::new();
    for _ in 0..30 {
        let reader = bench.reader().clone();
        tasks.push(tokio::spawn(async move { reader.read(by_kind(&[])).await }));
    }
    let mut busy = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error, Error::Busy(_)), "{error}");
                busy += 1;
            }
        }
    }
    assert!(busy > 0, "thirty at once, five of them taken");
}
