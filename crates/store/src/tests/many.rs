//! Many records in one change: all of them or none, with every row named that cannot be.

use std::time::Duration;

use super::group::together;
use super::*;
use crate::change::Many;
use crate::error::{Refusal, RefusedRow};

const LABEL: FieldIndex = 0;
const TOKENS: ResourceIndex = 3;

fn name(number: i64) -> Vec<Option<Value>> {
    let user = user(number, &format!("N{number}"));
    user.values
}

/// A change of these rows: an id where they bring one, and their values.
fn many(
    bench: &Bench,
    resource: ResourceIndex,
    first_id: i64,
    rows: Vec<(Option<&str>, Vec<Option<Value>>)>,
) -> Change {
    let mut spooling = bench.writer().spool();
    for (line, (id, values)) in (2..).zip(rows) {
        let id = id.map(|id| Id::Text(id.to_owned()));
        spooling.push(line, id.as_ref(), &values).unwrap();
    }
    let rows = Arc::new(spooling.finish().unwrap());
    Change::InsertMany(Many {
        resource,
        rows,
        first_id,
        birth: i64::MAX,
        at: clock(),
        must: Filter::all(),
        referred: Vec::new(),
    })
}

fn people(bench: &Bench, first_id: i64, number: i64) -> Change {
    many(bench, USERS, first_id, (0..number).map(|at| (None, name(first_id + at))).collect())
}

fn taken(row: u64, fields: Vec<FieldIndex>) -> RefusedRow {
    RefusedRow { row, line: u32::try_from(row).unwrap() + 2, why: Refusal::Taken(fields) }
}

fn dangling(row: u64, fields: Vec<FieldIndex>) -> RefusedRow {
    RefusedRow { row, line: u32::try_from(row).unwrap() + 2, why: Refusal::Dangling(fields) }
}

async fn next_id(bench: &Bench, resource: ResourceIndex) -> i64 {
    let lookup = Lookup::of(Node::new(resource, Pick::NextId));
    let decide = |current: &Current| commit(current.roots[0].next_id, vec![]);
    match bench.writer().transact(vec![Step::alone(lookup, decide)]).await {
        Ok(Verdict::Committed(outcomes)) => outcomes[0].unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_records_are_created_in_order_with_versions_of_their_own() {
    let bench = Bench::new();
    bench.commit(vec![people(&bench, 1, 3), people(&bench, 4, 2)]).await.unwrap();
    let found = bench.list(USERS).await;
    assert_eq!(ids(&found), ["1", "2", "3", "4", "5"]);
    for (number, row) in (1..).zip(&found.rows) {
        assert_eq!(row.record.values, name(number));
        assert_eq!(row.record.version.counter, 1);
        assert_eq!((row.record.created_at, row.record.updated_at), (clock(), clock()));
    }
    let births: Vec<i64> = found.rows.iter().map(|row| row.record.version.birth).collect();
    assert_eq!(births[..3], [i64::MAX, 0, 1], "distinct, and never negative");
    assert_eq!(next_id(&bench, USERS).await, 6);
    bench.assert_true();
    let label = |text: &str| vec![self::text(text)];
    let rows = vec![(Some("b"), label("x")), (Some("a"), label("y"))];
    bench.commit(vec![many(&bench, TOKENS, 0, rows)]).await.unwrap_err();
    let uuid = |last| format!("018f3c5e-7b1a-7c3d-9e4f-00000000000{last}");
    let (one, two) = (uuid(1), uuid(2));
    let rows = vec![(Some(two.as_str()), label("x")), (Some(one.as_str()), label("y"))];
    bench.commit(vec![many(&bench, TOKENS, 0, rows)]).await.unwrap();
    assert_eq!(ids(&bench.list(TOKENS).await), [one, two]);
}

#[tokio::test]
async fn every_row_that_is_refused_is_named_and_nothing_is_written() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A")), insert(USERS, user(2, "B"))]).await.unwrap();
    let mut rows: Vec<_> = (3..8).map(|number| (None, name(number))).collect();
    rows[1].1[USERNAME] = text("U1");
    rows[3].1[USERNAME] = text("u3");
    let refused = bench.commit(vec![many(&bench, USERS, 3, rows)]).await;
    let named = vec![taken(1, vec![USERNAME]), taken(3, vec![USERNAME])];
    assert_eq!(refused, Err(Error::Rows { resource: USERS, refused: named, step: 0 }));
    assert_eq!(ids(&bench.list(USERS).await), ["1", "2"]);
    assert_eq!(next_id(&bench, USERS).await, 3, "ids of what was undone are given again");
    bench.assert_true();
    bench.commit(vec![people(&bench, 3, 2)]).await.unwrap();
    assert_eq!(ids(&bench.list(USERS).await), ["1", "2", "3", "4"]);
    assert_eq!(bench.writer().ready(), Ok(()));
}

#[tokio::test]
async fn a_row_may_refer_to_what_is_there_and_to_the_rows_above_it() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let order = |customer: i64, number: i64| {
        let plain = text("plain");
        (None, vec![Some(Value::Integer(customer)), Some(Value::Integer(number)), plain])
    };
    let rows = vec![order(1, 1), order(9, 2), order(1, 1), order(8, 1)];
    let refused = bench.commit(vec![many(&bench, ORDERS, 1, rows)]).await;
    let named =
        vec![dangling(1, vec![CUSTOMER]), taken(2, vec![0, 1]), dangling(3, vec![CUSTOMER])];
    assert_eq!(refused, Err(Error::Rows { resource: ORDERS, refused: named, step: 0 }));
    bench.commit(vec![many(&bench, ORDERS, 1, vec![order(1, 1), order(1, 2)])]).await.unwrap();

    let line = |id, above: Option<&str>| (Some(id), line("", 1, None, above).values);
    let rows = vec![line("a", None), line("b", Some("a")), line("c", Some("c"))];
    bench.commit(vec![many(&bench, LINES, 0, rows)]).await.unwrap();
    assert_eq!(ids(&bench.list(LINES).await), ["a", "b", "c"]);
    // What refers to a refused row has no fault of its own; what refers to one below it has.
    let rows = vec![line("a", None), line("d", Some("e")), line("e", Some("d")), line("f", None)];
    let refused = bench.commit(vec![many(&bench, LINES, 0, rows)]).await;
    let named = vec![taken(0, vec![]), dangling(1, vec![2])];
    assert_eq!(refused, Err(Error::Rows { resource: LINES, refused: named, step: 0 }));
    assert_eq!(bench.list(LINES).await.rows.len(), 3);
    bench.assert_true();
}

#[tokio::test]
async fn at_most_a_hundred_refused_rows_are_named() {
    let bench = Bench::new();
    let id = "018f3c5e-7b1a-7c3d-9e4f-1a2b3c4d5e6f";
    let rows = (0..300).map(|_| (Some(id), vec![text("same")])).collect();
    let Err(Error::Rows { refused, .. }) = bench.commit(vec![many(&bench, TOKENS, 0, rows)]).await
    else {
        panic!("taken ids are taken")
    };
    assert_eq!(refused.len(), 100);
    assert_eq!(refused[0].row, 1);
    assert!(matches!(&refused[0].why, Refusal::Taken(by) if by.is_empty() || *by == [LABEL]));
    assert!(bench.list(TOKENS).await.rows.is_empty());
}

#[tokio::test]
async fn rows_that_lie_on_the_disk_are_written_again_with_a_lost_group() {
    let bench = Bench::with(|options| options.group_time_max = Duration::from_secs(5));
    bench
        .outside()
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON orders WHEN NEW.number = 13 \
             BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END",
        )
        .unwrap();
    let bulk = people(&bench, 1, 8_000);
    let Change::InsertMany(Many { rows, .. }) = &bulk else { unreachable!() };
    assert_eq!(rows.rows(), 8_000);
    let good = vec![step(move |_| commit(1, vec![bulk.clone()]))];
    let bad = vec![step(|_| commit(2, vec![insert(ORDERS, order(1, Some(1), 13))]))];
    let later = people(&bench, 8_001, 1);
    let last = vec![step(move |_| commit(3, vec![later.clone()]))];
    let verdicts = together(&bench, vec![good, bad, last]).await;
    assert_eq!(verdicts[0], Ok(Verdict::Committed(vec![1])));
    assert!(matches!(&verdicts[1], Err(Error::Broken(text)) if text.contains("unlucky")));
    assert_eq!(verdicts[2], Ok(Verdict::Committed(vec![3])));
    let outside = bench.outside();
    let count: i64 = outside.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 8_001);
    bench.assert_true();
}

#[tokio::test]
async fn a_bulk_that_fills_the_disk_leaves_nothing_behind() {
    let bench = Bench::with(|options| options.pages_max = Some(80));
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    assert_eq!(bench.commit(vec![people(&bench, 2, 5_000)]).await, Err(Error::Full));
    assert_eq!(ids(&bench.list(USERS).await), ["1"]);
    bench.commit(vec![people(&bench, 2, 2)]).await.unwrap();
    assert_eq!(bench.list(USERS).await.rows.len(), 3);
    bench.assert_true();
}

/// Enough rows for a transaction of their own.
const LARGE: i64 = 1500;

#[tokio::test]
async fn a_large_bulk_has_a_transaction_of_its_own_among_others() {
    let bench = Bench::with(|options| options.group_time_max = Duration::from_secs(1));
    let writes = vec![
        vec![step(|_| commit(1, vec![insert(USERS, user(1, "before"))]))],
        writing(people(&bench, 10, LARGE), 2),
        vec![step(|_| commit(3, vec![insert(USERS, user(2, "behind"))]))],
        writing(people(&bench, 5000, LARGE), 4),
    ];
    let verdicts = together(&bench, writes).await;
    let outcomes: Vec<i64> = verdicts
        .into_iter()
        .map(|verdict| match verdict {
            Ok(Verdict::Committed(outcomes)) => outcomes[0],
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(outcomes, [1, 2, 3, 4]);
    assert_eq!(bench.list(USERS).await.total.unwrap().records, 3002);
    assert_eq!(next_id(&bench, USERS).await, 5000 + LARGE);
    bench.assert_true();
}

#[tokio::test]
async fn a_large_bulk_that_is_refused_leaves_nothing_and_takes_nobody_along() {
    let bench = Bench::with(|options| options.group_time_max = Duration::from_secs(1));
    let refusing = vec![
        Step::alone(Lookup::default(), {
            let change = people(&bench, 5000, LARGE);
            move |_: &Current| commit(0, vec![change.clone()])
        }),
        step(|_| Decision::Refuse(9)),
    ];
    let mut rows: Vec<_> = (0..LARGE).map(|at| (None, name(10 + at))).collect();
    rows[1200] = (None, name(10));
    let writes = vec![
        vec![step(|_| commit(1, vec![insert(USERS, user(1, "before"))]))],
        writing(many(&bench, USERS, 10, rows), 2),
        vec![step(|_| commit(3, vec![insert(USERS, user(2, "behind"))]))],
        refusing,
        vec![step(|_| commit(5, vec![insert(USERS, user(3, "last"))]))],
    ];
    let verdicts = together(&bench, writes).await;
    assert_eq!(verdicts[0], Ok(Verdict::Committed(vec![1])));
    assert!(matches!(&verdicts[1], Err(Error::Rows { .. })), "{:?}", verdicts[1]);
    assert_eq!(verdicts[2], Ok(Verdict::Committed(vec![3])));
    assert_eq!(verdicts[3], Ok(Verdict::Refused { step: 1, outcome: 9 }));
    assert_eq!(verdicts[4], Ok(Verdict::Committed(vec![5])));
    assert_eq!(ids(&bench.list(USERS).await), ["1", "2", "3"]);
    bench.assert_true();
}

fn writing(change: Change, outcome: i64) -> Vec<Step<i64>> {
    vec![step(move |_| commit(outcome, vec![change.clone()]))]
}

/// The same change for a caller who sees these of the records that are referred to, and may create
/// those.
fn held(change: Change, referred: Vec<(FieldIndex, Filter)>, must: Filter) -> Change {
    let Change::InsertMany(many) = change else { unreachable!() };
    Change::InsertMany(Many { must, referred, ..many })
}

#[tokio::test]
async fn a_record_that_is_not_seen_is_one_that_is_not_there() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A")), insert(USERS, user(2, "B"))]).await.unwrap();
    bench.commit(vec![insert(ORDERS, order(1, Some(1), 1))]).await.unwrap();
    let order = |customer: i64, number: i64| (None, order(1, Some(customer), number).values);
    let seen = || vec![(CUSTOMER, equal(NAME, Value::Text("a".to_owned())))];
    // 2 is hidden, 9 is not there. Rows that would be rivals once the hidden one is named.
    for absent in [2, 9] {
        let rows = vec![order(1, 2), order(absent, 1), order(absent, 1), order(1, 1), order(1, 3)];
        let change = held(many(&bench, ORDERS, 2, rows), seen(), Filter::all());
        let refused = vec![
            dangling(1, vec![CUSTOMER]),
            dangling(2, vec![CUSTOMER]),
            taken(3, vec![CUSTOMER, 1]),
        ];
        let found = bench.commit(vec![change]).await;
        assert_eq!(found, Err(Error::Rows { resource: ORDERS, refused, step: 0 }), "{absent}");
    }
    let rows = (2..700).map(|number| order(1, number)).collect();
    bench.commit(vec![held(many(&bench, ORDERS, 2, rows), seen(), Filter::all())]).await.unwrap();
    let line = |order: i64, above: Option<&str>| line("", order, Some(1), above).values;
    let referred = || {
        let mine = Filter::equal(Column::Id, Value::Text("mine".to_owned()));
        vec![
            (ORDER, Filter::equal(Column::Id, Value::Integer(1))),
            (GIVER, Filter::all()),
            (2, mine),
        ]
    };
    let hidden = many(&bench, LINES, 0, vec![(Some("hidden"), line(1, None))]);
    bench.commit(vec![hidden]).await.unwrap();
    // A row may name itself and the rows above it, which whoever sends them knows of.
    for absent in ["hidden", "nowhere"] {
        let rows = vec![
            (Some("a"), line(1, Some("a"))),
            (Some("b"), line(1, Some("a"))),
            (Some("c"), line(7, Some(absent))),
            (Some("d"), line(1, Some("c"))),
            (Some("e"), line(1, Some(absent))),
        ];
        let change = held(many(&bench, LINES, 0, rows), referred(), Filter::all());
        let refused = vec![dangling(2, vec![ORDER, 2]), dangling(4, vec![2])];
        let found = bench.commit(vec![change]).await;
        assert_eq!(found, Err(Error::Rows { resource: LINES, refused, step: 0 }), "{absent}");
    }
    assert_eq!(ids(&bench.list(LINES).await), ["hidden"]);
    bench.assert_true();
}

#[tokio::test]
async fn every_row_must_be_what_it_has_to_be() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A")), insert(USERS, user(2, "B"))]).await.unwrap();
    let of_a = Filter::Compare {
        path: model::query::Path { through: vec![CUSTOMER], column: Column::Field(NAME) },
        comparison: model::query::Comparison::Equal(Value::Text("a".to_owned())),
    };
    let must = || of_a.clone().and(equal(1, Value::Integer(650)).negated());
    let order = |customer: i64, number: i64| (None, order(1, Some(customer), number).values);
    let rows = |b: i64| (1..=700).map(|at| order(if at == b { 2 } else { 1 }, at)).collect();
    let refused = |rows: &[u64]| {
        let why = || Refusal::Forbidden;
        let row = |row: &u64| RefusedRow { row: *row, line: *row as u32 + 2, why: why() };
        let refused = rows.iter().map(row).collect();
        Err(Error::Rows { resource: ORDERS, refused, step: 0 })
    };
    let change = held(many(&bench, ORDERS, 1, rows(3)), Vec::new(), must());
    assert_eq!(bench.commit(vec![change]).await, refused(&[2, 649]));
    let change = held(many(&bench, ORDERS, 1, rows(0)), Vec::new(), must());
    assert_eq!(bench.commit(vec![change]).await, refused(&[649]));
    let change = held(many(&bench, ORDERS, 1, rows(0)), Vec::new(), of_a.clone());
    bench.commit(vec![change]).await.unwrap();
    assert_eq!(bench.list(ORDERS).await.total.unwrap().records, 700);
    bench.assert_true();
}
