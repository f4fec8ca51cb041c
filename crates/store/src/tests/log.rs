//! The change log: whoever follows it from any position on ends with what is there, whoever wrote.

use std::collections::BTreeMap;
use std::time::Duration;

use model::query::{Comparison, Path};

use super::*;
use crate::change::Many;
use crate::log::{After, Log, Operation, Since};

async fn since(bench: &Bench, after: After, resource: Option<ResourceIndex>, limit: u32) -> Log {
    asked(bench, Since { after, resource, limit, seen: Vec::new() }).await
}

async fn asked(bench: &Bench, since: Since) -> Log {
    let lookup = Lookup { log: Some(since), ..Lookup::default() };
    bench.reader().read(lookup).await.unwrap().log.unwrap()
}

/// What somebody has who follows the log.
#[derive(Default)]
struct Follower {
    position: i64,
    /// Which records of each resource it sees; empty: all.
    seen: Vec<Filter>,
    records: BTreeMap<(ResourceIndex, String), Record>,
}

impl Follower {
    /// Reads on to the end, in pages of this many.
    async fn follow(&mut self, bench: &Bench, limit: u32) {
        loop {
            let (after, seen) = (After::Position(self.position), self.seen.clone());
            let log = asked(bench, Since { after, resource: None, limit, seen }).await;
            assert!(log.entries.len() <= limit as usize);
            assert!(!log.is_gone);
            for entry in log.entries {
                assert!(entry.position > self.position && entry.position <= log.end);
                self.position = entry.position;
                let key = (entry.resource, entry.id.to_string());
                match entry.record {
                    Some(record) => drop(self.records.insert(key, record)),
                    None => drop(self.records.remove(&key)),
                }
            }
            self.position = log.end;
            if log.end >= log.newest {
                return;
            }
        }
    }

    async fn assert_is_present(&self, bench: &Bench) {
        let mut present = BTreeMap::new();
        for resource in 0..bench.model.resources.len() {
            let seen = self.seen.get(resource).cloned().unwrap_or_else(Filter::all);
            for row in bench.find(page(resource, seen, &[], 10_000)).await.rows {
                present.insert((resource, row.record.id.to_string()), row.record);
            }
        }
        assert_eq!(self.records, present);
    }
}

/// A sequence that looks random and is the same in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, most: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        i64::try_from((self.0 >> 33) % most).unwrap()
    }
}

/// One write, by the server or by somebody else. Many of them are refused, which is no fault.
async fn write(bench: &Bench, dice: &mut Dice) {
    let id = dice.below(12) + 1;
    let other = dice.below(12) + 1;
    match dice.below(9) {
        0 => drop(bench.commit(vec![insert(USERS, user(id, "new"))]).await),
        1 => {
            if let Some(record) = bench.get(USERS, Id::Integer(id)).await {
                bench.commit(vec![renamed(&record, "renamed")]).await.unwrap();
            }
        }
        2 => {
            if let Some(record) = bench.get(USERS, Id::Integer(id)).await {
                drop(bench.commit(vec![remove(USERS, &record)]).await);
            }
        }
        3 => {
            let line = line(&format!("l{other}"), id, Some(other), Some("l1"));
            let order = insert(ORDERS, order(id, Some(other), id));
            drop(bench.commit(vec![order, insert(LINES, line)]).await);
        }
        4 => {
            if let Some(record) = bench.get(ORDERS, Id::Integer(id)).await {
                bench.commit(vec![remove(ORDERS, &record)]).await.unwrap();
            }
        }
        5 => {
            let mut spooling = bench.writer().spool();
            for number in 0..3 {
                let record = user(100 + id * 40 + other * 3 + number, "many");
                spooling.push(1, None, &record.values).unwrap();
            }
            let rows = Arc::new(spooling.finish().unwrap());
            let first_id = 100 + id * 40 + other * 3;
            let at = clock();
            let many = Many {
                resource: USERS,
                rows,
                first_id,
                birth: other,
                at,
                must: Filter::all(),
                referred: Vec::new(),
            };
            drop(bench.commit(vec![Change::InsertMany(many)]).await);
        }
        6 => drop(bench.outside().execute(
            "INSERT OR REPLACE INTO users (id, name, username) VALUES (?, 'replaced', ?)",
            (id, format!("u{other}")),
        )),
        7 => drop(bench.outside().execute(
            "UPDATE OR REPLACE users SET username = ? WHERE id = ?",
            (format!("U{other}"), id),
        )),
        _ => drop(
            bench
                .outside()
                .execute("UPDATE users SET id = ?, name = 'moved' WHERE id = ?", (other, id)),
        ),
    }
}

async fn settle(bench: &Bench) {
    let outside = bench.outside();
    let left = "SELECT (SELECT count(*) FROM _methodical_suspect) + \
                (SELECT count(*) FROM _methodical_refold)";
    while outside.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn whoever_follows_the_log_ends_with_what_is_there() {
    for seed in 0..12 {
        let bench = Bench::new();
        let mut dice = Dice(seed);
        let mut early = Follower::default();
        for round in 0..6 {
            for _ in 0..12 {
                write(&bench, &mut dice).await;
            }
            settle(&bench).await;
            early.follow(&bench, 1 + round * 3).await;
            early.assert_is_present(&bench).await;
        }
        let mut late = Follower::default();
        late.follow(&bench, 100).await;
        late.assert_is_present(&bench).await;
        bench.assert_true();
    }
}

/// A declaration whose change log keeps what says who sees a user, and an order.
fn watched() -> Arc<Model> {
    let mut model = Model::clone(&declared(DECLARATION));
    model.resources[USERS].watched =
        vec![Column::Field(NAME), Column::Field(USERNAME), Column::Field(4), Column::CreatedAt];
    model.resources[ORDERS].watched = vec![Column::Field(CUSTOMER), Column::Field(1)];
    Arc::new(model)
}

#[tokio::test]
async fn whoever_sees_some_records_ends_with_those_and_hears_of_no_others() {
    let text = |text: &str| Value::Text(text.to_owned());
    let own = |field, value| Filter::equal(Column::Field(field), value);
    let of_customer = Filter::Compare {
        path: Path { through: vec![CUSTOMER], column: Column::Id },
        comparison: Comparison::Greater(Value::Integer(4)),
    };
    let views = [
        vec![own(NAME, text("RENAMED")).negated(), of_customer, Filter::all(), Filter::all()],
        vec![
            own(NAME, text("renamed")).or(own(USERNAME, text("U3"))).or(own(4, Value::Number(0.5))),
            own(1, Value::Integer(3)).negated(),
            Filter::nothing(),
            Filter::all(),
        ],
        vec![
            own(USERNAME, text("u3")),
            Filter::Compare {
                path: Path::from(Column::Id),
                comparison: Comparison::Less(Value::Integer(5)),
            },
            Filter::nothing(),
            Filter::nothing(),
        ],
    ];
    for seed in 0..12 {
        let bench = Bench::of_model(watched(), |_| {});
        let mut dice = Dice(seed);
        let seen = &views[usize::try_from(seed % 3).unwrap()];
        let mut early = Follower { seen: seen.clone(), ..Follower::default() };
        for round in 0..6 {
            for _ in 0..12 {
                write(&bench, &mut dice).await;
            }
            settle(&bench).await;
            early.follow(&bench, 1 + round * 3).await;
            early.assert_is_present(&bench).await;
        }
        let mut late = Follower { seen: seen.clone(), ..Follower::default() };
        late.follow(&bench, 100).await;
        late.assert_is_present(&bench).await;
        bench.assert_true();
        drop(bench);
    }
}

#[tokio::test]
async fn what_was_never_seen_is_never_told_of() {
    let bench = Bench::of_model(watched(), |_| {});
    let seen = vec![equal(NAME, Value::Text("ann".to_owned())); 4];
    let told = async |after| {
        let after = After::Position(after);
        let log = asked(&bench, Since { after, resource: None, limit: 99, seen: seen.clone() });
        let log = log.await;
        assert_eq!(log.end, log.newest);
        let entry = |entry: &crate::log::Entry| (entry.position, entry.record.is_some());
        log.entries.iter().map(entry).collect::<Vec<_>>()
    };
    let (ann, ben) = (user(1, "Ann"), user(2, "Ben"));
    bench.commit(vec![insert(USERS, ann.clone()), insert(USERS, ben.clone())]).await.unwrap();
    assert_eq!(told(0).await, [(1, true)]);
    bench.commit(vec![renamed(&ann, "Zoe"), renamed(&ben, "Bob")]).await.unwrap();
    // The one has left the view; of the other there is nothing to say.
    assert_eq!(told(0).await, [(3, false)]);
    bench.outside().execute_batch("UPDATE users SET name = 'ANN' WHERE id = 2").unwrap();
    assert_eq!(told(4).await, [(5, true)]);
    bench.outside().execute_batch("UPDATE users SET name = 'x', score = 3 WHERE id = 2").unwrap();
    assert_eq!(told(4).await, [(6, false)]);
    bench.outside().execute_batch("DELETE FROM users").unwrap();
    assert_eq!(told(6).await, []);
    // An entry from before anything was kept says nothing of who had seen the record.
    bench.outside().execute_batch("UPDATE _methodical_changes SET was = NULL").unwrap();
    assert_eq!(told(0).await, []);
}

#[tokio::test]
async fn an_entry_says_what_was_done_and_to_which_version() {
    let bench = Bench::new();
    assert_eq!(since(&bench, After::Oldest, None, 9).await.end, 0);
    let ann = user(1, "Ann");
    bench.commit(vec![insert(USERS, ann.clone()), insert(USERS, user(2, "Ben"))]).await.unwrap();
    bench.commit(vec![renamed(&ann, "Anna")]).await.unwrap();
    let anna = bench.get(USERS, Id::Integer(1)).await.unwrap();
    let ben = bench.get(USERS, Id::Integer(2)).await.unwrap();
    bench.commit(vec![remove(USERS, &ben)]).await.unwrap();
    let log = since(&bench, After::Oldest, None, 9).await;
    assert_eq!((log.oldest, log.newest, log.end), (1, 4, 4));
    let told: Vec<_> = log
        .entries
        .iter()
        .map(|entry| (entry.position, entry.operation, entry.version, entry.record.as_ref()))
        .collect();
    assert_eq!(
        told,
        [
            (1, Operation::Insert, ann.version, Some(&anna)),
            (2, Operation::Insert, ben.version, None),
            (3, Operation::Update, anna.version, Some(&anna)),
            (4, Operation::Delete, ben.version, None),
        ]
    );
    let newest = since(&bench, After::Newest, None, 9).await;
    assert_eq!((newest.end, newest.entries.len()), (4, 0));
    let beyond = since(&bench, After::Position(99), None, 9).await;
    assert_eq!((beyond.end, beyond.entries.len(), beyond.is_gone), (4, 0, false));
}

#[tokio::test]
async fn of_one_resource_a_bounded_part_is_looked_through_at_a_time() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) \
                INSERT INTO orders (id, number) SELECT i, i FROM n";
    bench.outside().execute_batch(fill).unwrap();
    bench.commit(vec![insert(USERS, user(2, "B"))]).await.unwrap();
    let first = since(&bench, After::Oldest, Some(USERS), 9).await;
    assert_eq!((first.entries.len(), first.end, first.newest), (1, 5_000, 6_001));
    let second = since(&bench, After::Position(first.end), Some(USERS), 9).await;
    assert_eq!((second.entries.len(), second.end), (1, 6_001));
    let full = since(&bench, After::Oldest, Some(USERS), 1).await;
    assert_eq!((full.entries.len(), full.end), (1, 1));
}

#[tokio::test]
async fn what_is_forgotten_is_told_and_nothing_is_forgotten_from_the_middle() {
    let bench = Bench::with(|options| options.change_retention = Duration::from_hours(1));
    let outside = bench.outside();
    for id in 1..=6 {
        bench.commit(vec![insert(USERS, user(id, "A"))]).await.unwrap();
    }
    // The clock was set back: the third is younger than the fourth and the fifth.
    let old = Timestamp(clock().0 - 7_200_000).text();
    let set = "UPDATE _methodical_changes SET at = CASE position WHEN 3 THEN ?1 ELSE ?2 END";
    outside.execute(set, [Timestamp(clock().0).text(), old]).unwrap();
    let oldest = "SELECT min(position) FROM _methodical_changes";
    while outside.query_row(oldest, [], |row| row.get::<_, i64>(0)).unwrap() < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    let log = since(&bench, After::Position(2), None, 9).await;
    let positions: Vec<_> = log.entries.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [3, 4, 5, 6]);
    let gone = since(&bench, After::Position(1), None, 9).await;
    assert!(gone.is_gone && gone.entries.is_empty());
    assert!(!since(&bench, After::Oldest, None, 9).await.is_gone);
}

#[tokio::test]
async fn many_that_are_hidden_leave_no_page_empty() {
    let bench = Bench::new();
    let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) \
                  INSERT INTO users (id, name, username) SELECT i, 'n', 'u' || i FROM n";
    bench.outside().execute_batch(insert).unwrap();
    let last = Comparison::Equal(Value::Integer(8_000));
    let last = Filter::Compare { path: Column::Id.into(), comparison: last };
    let nothing = || vec![Filter::nothing(); bench.model.resources.len()];
    let mut seen = nothing();
    seen[USERS] = last;
    let ask = |seen| Since { after: After::Position(0), resource: None, limit: 20, seen };
    let log = asked(&bench, ask(seen)).await;
    assert_eq!(log.entries.len(), 1, "{} of {}", log.end, log.newest);
    assert_eq!(log.end, log.newest);
    let log = asked(&bench, ask(nothing())).await;
    assert_eq!((log.entries.len(), log.end), (0, log.newest));
}
