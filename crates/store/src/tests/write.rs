//! Changes, one by one, and what each refuses.

use super::*;

#[tokio::test]
async fn unique_values_name_their_fields() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "A"))]).await.unwrap();
    let taken = |resource, fields| Err(Error::Taken { resource, fields, step: 0 });

    let mut rival = user(2, "B");
    rival.values[USERNAME] = text("U1");
    assert_eq!(bench.commit(vec![insert(USERS, rival)]).await, taken(USERS, vec![USERNAME]));
    assert_eq!(bench.commit(vec![insert(USERS, user(1, "C"))]).await, taken(USERS, vec![]));
    bench.commit(vec![insert(ORDERS, order(1, Some(1), 7))]).await.unwrap();
    let group = bench.commit(vec![insert(ORDERS, order(2, Some(1), 7))]).await;
    assert_eq!(group, taken(ORDERS, vec![0, 1]));
    bench.assert_true();
}

#[tokio::test]
async fn references_neither_dangle_nor_are_left_dangling() {
    let bench = Bench::new();
    let dangling = Err(Error::Dangling { step: 0 });
    assert_eq!(bench.commit(vec![insert(ORDERS, order(1, Some(1), 1))]).await, dangling);
    let changes = vec![
        insert(USERS, user(1, "A")),
        insert(USERS, user(2, "B")),
        insert(ORDERS, order(1, Some(1), 1)),
        insert(LINES, line("a", 1, Some(2), None)),
        insert(LINES, line("b", 1, None, Some("a"))),
        insert(LINES, line("c", 1, None, Some("b"))),
    ];
    bench.commit(changes).await.unwrap();
    assert_eq!(bench.commit(vec![remove(USERS, &user(1, "A"))]).await, dangling);

    // Cleared: the line is another version now, and says so in the log.
    bench.commit(vec![remove(USERS, &user(2, "B"))]).await.unwrap();
    let cleared = bench.get(LINES, Id::Text("a".to_owned())).await.unwrap();
    assert_eq!((cleared.values[GIVER].clone(), cleared.version.counter), (None, 2));
    assert!(cleared.updated_at > clock());

    // Cascaded, through a table that refers to itself.
    bench.commit(vec![remove(ORDERS, &order(1, Some(1), 1))]).await.unwrap();
    assert_eq!(bench.list(LINES).await.rows.len(), 0);
    bench.assert_true();
    let deletes: i64 = bench
        .outside()
        .query_row(
            "SELECT count(*) FROM _methodical_changes WHERE operation = 'delete'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(deletes, 1 + 1 + 3);
}

#[tokio::test]
async fn the_version_is_repeated_in_the_write() {
    let bench = Bench::new();
    let first = user(1, "A");
    bench.commit(vec![insert(USERS, first.clone())]).await.unwrap();
    bench.commit(vec![renamed(&first, "B")]).await.unwrap();
    let moved = Err(Error::Moved { step: 0 });
    assert_eq!(bench.commit(vec![renamed(&first, "C")]).await, moved);
    assert_eq!(bench.commit(vec![remove(USERS, &first)]).await, moved);
    let mut reborn = bench.get(USERS, Id::Integer(1)).await.unwrap();
    assert_eq!((reborn.values[NAME].clone(), reborn.version.counter), (text("B"), 2));
    reborn.version.birth += 1;
    assert_eq!(bench.commit(vec![remove(USERS, &reborn)]).await, moved);
}

#[tokio::test]
async fn an_answer_is_remembered_until_it_expires() {
    let bench = Bench::new();
    let kept = answer(1, 1_000);
    bench.commit(vec![Change::Remember(kept.clone())]).await.unwrap();
    let lookup = Lookup { remembered: Some([1; 16]), ..Lookup::default() };
    let found = bench.reader().read(lookup.clone()).await.unwrap().remembered;
    assert_eq!(found, Some(kept));

    let gone = answer(2, -1);
    bench.commit(vec![Change::Remember(gone)]).await.unwrap();
    let lookup = Lookup { remembered: Some([2; 16]), ..Lookup::default() };
    assert_eq!(bench.reader().read(lookup).await.unwrap().remembered, None);
    bench.commit(vec![Change::Remember(answer(2, 50))]).await.unwrap();
}

#[tokio::test]
async fn keys_are_bounded_per_principal_and_swept() {
    let bench = Bench::with(|options| options.keys_max = 2);
    bench.commit(vec![Change::Remember(answer(1, -5))]).await.unwrap();
    bench.commit(vec![Change::Remember(answer(2, 60_000))]).await.unwrap();
    let other = Remembered { principal: [2; 16], ..answer(9, 60_000) };
    bench.commit(vec![Change::Remember(other)]).await.unwrap();
    let third = || vec![insert(USERS, user(1, "A")), Change::Remember(answer(3, 60_000))];
    let mut tried = bench.commit(third()).await;
    if tried.is_err() {
        assert_eq!(tried, Err(Error::TooManyKeys));
        assert_eq!(bench.get(USERS, Id::Integer(1)).await, None, "all of a write or nothing");
        for _ in 0..100 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            tried = bench.commit(third()).await;
            if tried.is_ok() {
                break;
            }
        }
    }
    assert_eq!(tried, Ok(Verdict::Committed(vec![()])));
    assert_eq!(bench.commit(vec![Change::Remember(answer(4, 9))]).await, Err(Error::TooManyKeys));
}

#[tokio::test]
async fn ids_are_never_given_twice() {
    let bench = Bench::new();
    let next = || Lookup::of(Node::new(USERS, Pick::NextId));
    let create = || {
        Step::alone(next(), |current: &Current| {
            let id = current.roots[0].next_id.unwrap();
            commit(id, vec![insert(USERS, user(id, "N"))])
        })
    };
    let verdict = bench.writer().transact(vec![create(), create()]).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![1, 2]));
    bench.commit(vec![remove(USERS, &user(2, "N"))]).await.unwrap();
    let verdict = bench.writer().transact(vec![create()]).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![3]));
    // A client's own id moves the sequence past it.
    bench.commit(vec![insert(USERS, user(40, "P"))]).await.unwrap();
    bench.outside().execute("INSERT INTO users (id, name) VALUES (50, 'out')", []).unwrap();
    let verdict = bench.writer().transact(vec![create()]).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![51]));
    let refused =
        bench.writer().transact(vec![create(), step(|_| Decision::Refuse(0))]).await.unwrap();
    assert_eq!(refused, Verdict::Refused { step: 1, outcome: 0 });
    let verdict = bench.writer().transact(vec![create()]).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![52]));
}

#[tokio::test]
async fn a_decision_may_ask_for_more() {
    let bench = Bench::new();
    bench
        .commit(vec![insert(USERS, user(1, "A")), insert(ORDERS, order(5, Some(1), 1))])
        .await
        .unwrap();
    let step =
        Step::alone(
            Lookup::of(Node::key(ORDERS, Id::Integer(5))),
            |current: &Current| match current.roots.as_slice() {
                [_] => Decision::More(Lookup::of(Node::key(USERS, Id::Integer(1)))),
                [order, user] => commit((order.rows.len(), user.rows.len()), vec![]),
                _ => Decision::Refuse((0, 0)),
            },
        );
    let verdict = bench.writer().transact(vec![step]).await.unwrap();
    assert_eq!(verdict, Verdict::Committed(vec![(1, 1)]));
    let endless = Step::<()>::alone(Lookup::default(), |_| Decision::More(Lookup::default()));
    assert!(matches!(bench.writer().transact(vec![endless]).await, Err(Error::Broken(_))));
}
