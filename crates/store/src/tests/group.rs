//! Writes that share a commit: each is judged alone, whatever befalls the others.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;

/// A write that holds the thread until it is let go.
struct Hold {
    go: Arc<AtomicBool>,
    ended: tokio::task::JoinHandle<()>,
}

impl Hold {
    async fn the_thread_of(bench: &Bench) -> Self {
        let (go, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (waits, begins) = (Arc::clone(&go), Arc::clone(&begun));
        let hold = step(move |_| {
            begins.store(true, Ordering::SeqCst);
            while !waits.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Decision::Refuse(())
        });
        let writer = bench.writer().clone();
        let ended = tokio::spawn(async move { drop(writer.transact(vec![hold]).await.unwrap()) });
        while !begun.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self { go, ended }
    }

    async fn let_go(self) {
        self.go.store(true, Ordering::SeqCst);
        self.ended.await.unwrap();
    }
}

/// Transacts so many writes at once: the thread is held until all are queued.
pub(super) async fn together<O: Send + 'static>(
    bench: &Bench,
    writes: Vec<Vec<Step<O>>>,
) -> Vec<Result<Verdict<O>, Error>> {
    let hold = Hold::the_thread_of(bench).await;
    let mut tasks = Vec::new();
    for steps in writes {
        let writer = bench.writer().clone();
        tasks.push(tokio::spawn(async move { writer.transact(steps).await }));
        // The one thread of the test polls it once, which queues it.
        tokio::task::yield_now().await;
    }
    hold.let_go().await;
    let mut verdicts = Vec::new();
    for task in tasks {
        verdicts.push(task.await.unwrap());
    }
    verdicts
}

fn creating(id: i64) -> Vec<Step<i64>> {
    vec![step(move |_| commit(id, vec![insert(USERS, user(id, "N"))]))]
}

#[tokio::test]
async fn a_failing_write_leaves_the_others_of_its_group_alone() {
    let bench = Bench::with(|options| options.group_time_max = Duration::from_secs(1));
    let panicking = vec![step(|_| -> Decision<i64> { panic!("no such luck") })];
    let half = vec![
        step(|_| commit(5, vec![insert(USERS, user(5, "undone"))])),
        step(|_| commit(6, vec![insert(ORDERS, order(1, Some(77), 1))])),
    ];
    let seen =
        vec![Step::alone(Lookup::of(Node::key(USERS, Id::Integer(5))), |current: &Current| {
            commit(i64::try_from(current.roots[0].rows.len()).unwrap(), vec![])
        })];
    let refusing = vec![
        step(|_| commit(8, vec![insert(USERS, user(8, "undone"))])),
        step(|_| Decision::Refuse(80)),
    ];
    let writes = vec![creating(1), panicking, creating(1), half, seen, refusing, creating(2)];
    let verdicts = together(&bench, writes).await;
    assert_eq!(verdicts[0], Ok(Verdict::Committed(vec![1])));
    let panicked = "a decision panicked: no such luck".to_owned();
    assert_eq!(verdicts[1], Err(Error::Broken(panicked)));
    assert_eq!(verdicts[2], Err(Error::Taken { resource: USERS, fields: vec![], step: 0 }));
    assert_eq!(verdicts[3], Err(Error::Dangling { step: 1 }));
    assert_eq!(verdicts[4], Ok(Verdict::Committed(vec![0])), "what was undone is not seen");
    assert_eq!(verdicts[5], Ok(Verdict::Refused { step: 1, outcome: 80 }));
    assert_eq!(verdicts[6], Ok(Verdict::Committed(vec![2])));
    assert_eq!(ids(&bench.list(USERS).await), ["1", "2"]);
    bench.assert_true();
    assert_eq!(bench.writer().ready(), Ok(()), "a panic says nothing about the disk");
}

#[tokio::test]
async fn steps_see_the_changes_of_those_before_them() {
    let bench = Bench::new();
    let first = step(|_| commit(0, vec![insert(USERS, user(1, "A"))]));
    let second = Step::alone(Lookup::of(Node::key(USERS, Id::Integer(1))), |current: &Current| {
        let found = &current.roots[0].rows[0].record;
        commit(1, vec![renamed(found, "B")])
    });
    let verdict = bench.writer().transact(vec![first, second]).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![0, 1]));
    assert_eq!(bench.get(USERS, Id::Integer(1)).await.unwrap().values[NAME], text("B"));
}

/// Inserts under the next id, and a reference to what the step before made.
fn chain() -> Vec<Step<i64>> {
    let first = Step::alone(Lookup::of(Node::new(USERS, Pick::NextId)), |current: &Current| {
        let id = current.roots[0].next_id.unwrap();
        commit(id, vec![insert(USERS, user(id, "A"))])
    });
    let second = Step {
        asks: Asks::Of(Box::new(|earlier: &[i64]| {
            Lookup::of(Node::key(USERS, Id::Integer(earlier[0])))
        })),
        decide: Box::new(|current: &Current, earlier: &[i64]| {
            assert_eq!(ids(&current.roots[0]), [earlier[0].to_string()]);
            commit(70, vec![insert(ORDERS, order(earlier[0] + 100, Some(earlier[0]), 1))])
        }),
    };
    let third = Step {
        asks: Asks::This(Lookup::default()),
        decide: Box::new(|_: &Current, earlier: &[i64]| commit(earlier.iter().sum(), vec![])),
    };
    vec![first, second, third]
}

#[tokio::test]
async fn steps_look_up_and_decide_by_the_outcomes_of_those_before_them() {
    let bench = Bench::new();
    let verdict = bench.writer().transact(chain()).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![1, 70, 71]));
    assert_eq!(ids(&bench.list(ORDERS).await), ["101"]);
    bench.assert_true();
}

#[tokio::test]
async fn steps_of_a_lost_group_see_the_outcomes_of_their_second_run() {
    let bench = Bench::with(|options| options.group_time_max = Duration::from_secs(1));
    bench
        .outside()
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON users WHEN NEW.id = 13 \
             BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END",
        )
        .unwrap();
    // Alone, the first write is refused, so that the chain gets another id than it had at first.
    let once = AtomicBool::new(true);
    let first = vec![step(move |_| match once.swap(false, Ordering::SeqCst) {
        true => commit(1, vec![insert(USERS, user(1, "N"))]),
        false => Decision::Refuse(0),
    })];
    let verdicts = together(&bench, vec![first, chain(), creating(13)]).await;
    assert_eq!(verdicts[0], Ok(Verdict::Refused { step: 0, outcome: 0 }));
    assert_eq!(verdicts[1], Ok(Verdict::Committed(vec![1, 70, 71])));
    assert!(matches!(&verdicts[2], Err(Error::Broken(text)) if text.contains("unlucky")));
    assert_eq!(ids(&bench.list(ORDERS).await), ["101"]);
    bench.assert_true();
}

#[tokio::test]
async fn a_step_that_fails_undoes_those_before_it_and_asks_none_after_it() {
    let bench = Bench::new();
    let mut steps = chain();
    steps.truncate(2);
    steps.push(step(|_| Decision::Refuse(7)));
    steps.push(step(|_| -> Decision<i64> { panic!("is not asked") }));
    let verdict = bench.writer().transact(steps).await.unwrap();
    assert_eq!(verdict, Verdict::Refused { step: 2, outcome: 7 });
    assert!(bench.list(USERS).await.rows.is_empty());
    let mut steps = chain();
    steps.push(step(|_| commit(0, vec![insert(ORDERS, order(5, Some(77), 1))])));
    let failed = bench.writer().transact(steps).await.unwrap_err();
    assert_eq!((failed.step(), Error::Full.step()), (Some(3), None));
    let verdict = bench.writer().transact(chain()).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![1, 70, 71]), "an id that was undone is free");
}

#[tokio::test]
async fn a_group_that_the_database_rolls_back_is_run_again_one_by_one() {
    let bench = Bench::with(|options| options.group_time_max = Duration::from_secs(1));
    bench
        .outside()
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON users WHEN NEW.id = 13 \
             BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END",
        )
        .unwrap();
    let writes = vec![creating(1), creating(2), creating(13), creating(3)];
    let verdicts = together(&bench, writes).await;
    assert_eq!(verdicts[0], Ok(Verdict::Committed(vec![1])));
    assert_eq!(verdicts[1], Ok(Verdict::Committed(vec![2])));
    assert!(matches!(&verdicts[2], Err(Error::Broken(text)) if text.contains("unlucky")));
    assert_eq!(verdicts[3], Ok(Verdict::Committed(vec![3])));
    assert_eq!(ids(&bench.list(USERS).await), ["1", "2", "3"]);
    bench.assert_true();
}

#[tokio::test]
async fn a_refusal_that_rested_on_lost_changes_is_judged_again() {
    let bench = Bench::with(|options| options.group_time_max = Duration::from_secs(1));
    bench
        .outside()
        .execute_batch(
            "CREATE TABLE quota (n); INSERT INTO quota VALUES (1); \
             CREATE TRIGGER once BEFORE INSERT ON users WHEN NEW.id = 13 \
             BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END",
        )
        .unwrap();
    // The second write refuses because of the first; both are lost with the third. Alone, the
    // first succeeds again, so the refusal stands: it was decided on what is there.
    let refusing =
        vec![Step::alone(Lookup::of(Node::key(USERS, Id::Integer(1))), |current: &Current| {
            match current.roots[0].rows.len() {
                0 => commit(100, vec![]),
                _ => Decision::Refuse(101),
            }
        })];
    let verdicts = together(&bench, vec![creating(1), refusing, creating(13)]).await;
    assert_eq!(verdicts[1], Ok(Verdict::Refused { step: 0, outcome: 101 }));
    assert_eq!(ids(&bench.list(USERS).await), ["1"]);
}

#[tokio::test]
async fn many_writers_lose_nothing() {
    let bench = Bench::new();
    let mut tasks = Vec::new();
    for id in 1..=300 {
        let writer = bench.writer().clone();
        tasks.push(tokio::spawn(async move { writer.transact(creating(id)).await }));
    }
    for task in tasks {
        assert!(task.await.unwrap().is_ok());
    }
    let outside = bench.outside();
    let count: i64 = outside.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 300);
    bench.assert_true();
}

#[tokio::test]
async fn a_full_queue_and_a_closing_store_are_busy() {
    let bench = Bench::with(|options| options.write_queue_max = 1);
    let verdicts = together(&bench, vec![creating(1), creating(2), creating(3)]).await;
    let busy = verdicts.iter().filter(|verdict| matches!(verdict, Err(Error::Busy(_)))).count();
    assert_eq!(busy, 2, "one place in the queue: {verdicts:?}");
    bench.writer().close();
    let late = bench.writer().transact(creating(9)).await;
    assert_eq!(late, Err(Error::Busy("the store is closing")));
    assert!(bench.writer().ready().is_err());
}

#[tokio::test]
async fn what_was_queued_before_the_end_is_answered() {
    let bench = Bench::new();
    let hold = Hold::the_thread_of(&bench).await;
    let writer = bench.writer().clone();
    let queued = tokio::spawn(async move { writer.transact(creating(1)).await });
    tokio::task::yield_now().await;
    let writer = bench.writer().clone();
    let closed = tokio::task::spawn_blocking(move || writer.close());
    hold.let_go().await;
    closed.await.unwrap();
    assert_eq!(queued.await.unwrap(), Ok(Verdict::Committed(vec![1])));
}

#[tokio::test]
async fn a_locked_database_is_waited_for_and_then_busy() {
    let bench = Bench::with(|options| options.write_deadline = Duration::from_millis(400));
    let outside = bench.outside();
    outside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let blocked = bench.writer().transact(creating(1)).await;
    assert!(matches!(blocked, Err(Error::Busy(_))), "{blocked:?}");
    let writer = bench.writer().clone();
    let waiting = tokio::spawn(async move { writer.transact(creating(2)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    outside.execute_batch("ROLLBACK").unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(Verdict::Committed(vec![2])));
}

#[tokio::test]
async fn a_full_disk_fails_only_what_does_not_fit() {
    let bench = Bench::with(|options| {
        options.group_time_max = Duration::from_secs(1);
        options.pages_max = Some(75);
    });
    let big = |id: i64| {
        let mut record = user(id, "N");
        record.values[NAME] = text(&"x".repeat(400_000));
        vec![step(move |_| commit(id, vec![insert(USERS, record.clone())]))]
    };
    let verdicts = together(&bench, vec![creating(1), big(2), creating(3)]).await;
    assert_eq!(verdicts[0], Ok(Verdict::Committed(vec![1])));
    assert_eq!(verdicts[1], Err(Error::Full));
    assert_eq!(verdicts[2], Ok(Verdict::Committed(vec![3])));
    assert_eq!(ids(&bench.list(USERS).await), ["1", "3"]);
    bench.assert_true();
    assert_eq!(together(&bench, vec![big(4)]).await[0], Err(Error::Full));
    assert_eq!(bench.writer().ready(), Err(Error::Full));
    for _ in 0..200 {
        if bench.writer().ready().is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the disk was never tried again");
}
