//! Every pick and every relation.

use super::*;
use model::query::Relation;

use crate::lookup::{Child, Total};

async fn peopled() -> Bench {
    let bench = Bench::new();
    let mut changes = Vec::new();
    for (id, name) in [(1, "Bob"), (2, "alice"), (3, "ÉCOLE"), (4, "Alice")] {
        changes.push(insert(USERS, user(id, name)));
    }
    changes.push(insert(ORDERS, order(10, Some(1), 1)));
    changes.push(insert(ORDERS, order(11, Some(1), 2)));
    changes.push(insert(ORDERS, order(12, None, 1)));
    changes.push(insert(LINES, line("a", 10, Some(2), None)));
    changes.push(insert(LINES, line("b", 11, None, Some("a"))));
    changes.push(insert(LINES, line("c", 11, Some(2), None)));
    assert_eq!(bench.commit(changes).await.unwrap(), Verdict::Committed(vec![()]));
    bench
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_written() {
    let bench = peopled().await;
    assert_eq!(bench.get(USERS, Id::Integer(2)).await, Some(user(2, "alice")));
    let mut bare = user(9, "x");
    bare.values = vec![text("x"), None, text(""), Some(Value::Boolean(false)), None, None];
    bench.commit(vec![insert(USERS, bare.clone())]).await.unwrap();
    assert_eq!(bench.get(USERS, Id::Integer(9)).await, Some(bare));
    assert_eq!(bench.get(USERS, Id::Integer(99)).await, None);
    let named = Id::Text("b".to_owned());
    assert_eq!(bench.get(LINES, named).await, Some(line("b", 11, None, Some("a"))));
}

#[tokio::test]
async fn filters_and_orders_fold_where_the_field_ignores_case() {
    let bench = peopled().await;
    let by = |name: &str| page(USERS, equal(NAME, Value::Text(name.to_owned())), &[], 10);
    assert_eq!(ids(&bench.find(by("ALICE")).await), ["2", "4"]);
    assert_eq!(ids(&bench.find(by("école")).await), ["3"]);
    let sorted = |descending| page(USERS, Filter::all(), &[(Column::Field(NAME), descending)], 10);
    assert_eq!(ids(&bench.find(sorted(false)).await), ["2", "4", "1", "3"]);
    assert_eq!(ids(&bench.find(sorted(true)).await), ["3", "1", "4", "2"]);
}

#[tokio::test]
async fn nulls_come_first_and_can_be_asked_for() {
    let bench = peopled().await;
    let by = Column::Field(CUSTOMER);
    let sorted = bench.find(page(ORDERS, Filter::all(), &[(by, false)], 10)).await;
    assert_eq!(ids(&sorted), ["12", "10", "11"]);
    let absent = bench.find(page(ORDERS, equal(CUSTOMER, Value::Null), &[], 10)).await;
    assert_eq!(ids(&absent), ["12"]);
    let both = Filter::All(vec![
        equal(CUSTOMER, Value::Integer(1)),
        Filter::All(vec![equal(1, Value::Integer(2))]),
    ]);
    assert_eq!(ids(&bench.find(page(ORDERS, both, &[], 10)).await), ["11"]);
}

#[tokio::test]
async fn totals_are_kept_counted_or_bounded() {
    let bench = Bench::with(|options| options.count_rows_max = 3);
    let changes = (1..=6).map(|id| insert(ORDERS, order(id, None, id)));
    bench.commit(changes.collect()).await.unwrap();
    let total = |records, is_lower_bound| Some(Total { records, is_lower_bound });
    let kind = |value: &str| equal(KIND, Value::Text(value.to_owned()));

    assert_eq!(bench.find(page(ORDERS, Filter::all(), &[], 2)).await.total, total(6, false));
    assert_eq!(bench.find(page(ORDERS, kind("plain"), &[], 2)).await.total, total(3, true));
    assert_eq!(bench.find(page(ORDERS, kind("plain"), &[], 9)).await.total, total(6, false));
    assert_eq!(bench.find(page(ORDERS, kind("odd"), &[], 9)).await.total, total(0, false));
    let mut exact = page(ORDERS, kind("plain"), &[], 2);
    if let Pick::Page(page) = &mut exact.pick {
        page.count = Count::Exact;
    }
    assert_eq!(bench.find(exact).await.total, total(6, false));
    let mut none = page(ORDERS, kind("plain"), &[], 2);
    if let Pick::Page(page) = &mut none.pick {
        page.count = Count::None;
        page.offset = 5;
    }
    let found = bench.find(none).await;
    assert_eq!((found.total, ids(&found)), (None, vec!["6".to_owned()]));
    let number = |filter| Node::new(ORDERS, Pick::Number(filter));
    assert_eq!(bench.find(number(Filter::all())).await.total, total(6, false));
    assert_eq!(bench.find(number(kind("plain"))).await.total, total(3, true));
}

#[tokio::test]
async fn relations_lead_both_ways_and_further() {
    let bench = peopled().await;
    let related = |resource, limit, children| Node {
        children,
        ..Node::new(resource, Pick::Related { each: 10, limit })
    };
    let up = Child { relation: Relation::References(CUSTOMER), node: related(USERS, 10, vec![]) };
    let giver = Child { relation: Relation::References(GIVER), node: related(USERS, 10, vec![]) };
    let down =
        Child { relation: Relation::ReferredBy(ORDER), node: related(LINES, 10, vec![giver]) };
    let mut node = page(ORDERS, Filter::all(), &[], 10);
    node.children = vec![up, down];
    let found = bench.find(node).await;
    let shape: Vec<_> = found
        .rows
        .iter()
        .map(|row| {
            let givers = row.children[1].rows.iter().map(|line| ids(&line.children[0]).join(""));
            (ids(&row.children[0]), ids(&row.children[1]), givers.collect::<Vec<_>>().join("|"))
        })
        .collect();
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        shape,
        [
            (words(&["1"]), words(&["a"]), "2".to_owned()),
            (words(&["1"]), words(&["b", "c"]), "|2".to_owned()),
            (words(&[]), words(&[]), String::new()),
        ]
    );

    let limited = Child { relation: Relation::ReferredBy(ORDER), node: related(LINES, 2, vec![]) };
    let mut node = page(ORDERS, Filter::all(), &[], 10);
    node.children = vec![limited];
    let found = bench.find(node).await;
    let cut = found.rows.iter().map(|row| (row.children[0].rows.len(), row.children[0].is_cut));
    assert_eq!(cut.collect::<Vec<_>>(), [(1, false), (1, true), (0, false)]);
}

#[tokio::test]
async fn several_roots_and_the_change_counter_come_from_one_snapshot() {
    let bench = peopled().await;
    let before = bench.change(USERS).await;
    bench.commit(vec![insert(USERS, user(5, "Eve"))]).await.unwrap();
    let lookup = Lookup {
        remembered: Some([3; 16]),
        states: vec![USERS, ORDERS],
        roots: vec![Node::key(USERS, Id::Integer(5)), page(ORDERS, Filter::all(), &[], 1)],
        ..Lookup::default()
    };
    let current = bench.reader().read(lookup).await.unwrap();
    assert_eq!(current.remembered, None);
    assert_eq!(current.roots[0].rows.len(), 1);
    assert!(current.states[0] > before, "every write moves the counter");
    assert_eq!(current.states.len(), 2);
    assert_eq!(current.roots[1].total, Some(Total { records: 3, is_lower_bound: false }));
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let bench = Bench::new();
    let options = options(&bench.folder);
    let source = crate::sqlite::open::Source::new(options, Arc::clone(&bench.model));
    let session = source.reader(std::time::Duration::ZERO).ok().unwrap();
    for text in [
        "DELETE FROM users",
        "INSERT INTO tokens (label) VALUES ('x')",
        "CREATE TABLE more (a)",
        "PRAGMA query_only = OFF",
        "ATTACH ':memory:' AS other",
    ] {
        assert!(session.connection.execute_batch(text).is_err(), "{text}");
    }
}
