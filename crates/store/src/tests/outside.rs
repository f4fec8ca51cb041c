//! Edits by a person with `sqlite3`: what the server keeps stays true.

use std::time::Duration;

use super::*;

async fn edited(text: &str) -> Bench {
    let bench = Bench::new();
    let mut ascii = user(1, "Ann");
    ascii.updated_at = Timestamp(4_000_000_000_000);
    bench
        .commit(vec![
            insert(USERS, ascii),
            insert(USERS, user(2, "Ben")),
            insert(USERS, user(3, "C")),
        ])
        .await
        .unwrap();
    bench.outside().execute_batch(text).unwrap();
    bench
}

#[tokio::test]
async fn an_insert_gets_everything_that_the_server_would_have_set() {
    let bench = edited("INSERT INTO users (name) VALUES ('Zoë'), ('Max')").await;
    let found = bench.list(USERS).await;
    assert_eq!(ids(&found), ["1", "2", "3", "4", "5"]);
    let record = &found.rows[4].record;
    assert_eq!(record.values[NAME], text("Max"));
    assert_eq!(record.values[2], text("it's"), "declared defaults hold");
    assert_eq!(record.values[3], Some(Value::Boolean(true)));
    assert!(record.version.birth > 0 && record.created_at == record.updated_at);
    assert_ne!(record.version.birth, found.rows[3].record.version.birth);
    bench.assert_true();

    let by = |name: &str| page(USERS, equal(NAME, Value::Text(name.to_owned())), &[], 9);
    assert_eq!(ids(&bench.find(by("MAX")).await), ["5"], "ASCII is folded at once");
    for _ in 0..100 {
        if ids(&bench.find(by("ZOË")).await) == ["4"] {
            // Five inserts, and the fold that moved the record in lists.
            assert_eq!(bench.change(USERS).await, 6);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("text beyond ASCII was never folded");
}

#[tokio::test]
async fn an_update_is_another_version_and_later() {
    let bench = edited("UPDATE users SET name = 'ANNA' WHERE id = 1").await;
    let record = bench.get(USERS, Id::Integer(1)).await.unwrap();
    assert_eq!(record.version, Version { birth: 7_001, counter: 2 });
    assert_eq!(
        record.updated_at,
        Timestamp(4_000_000_000_001),
        "strictly, whatever the clock says"
    );
    let by = page(USERS, equal(NAME, Value::Text("anna".to_owned())), &[], 9);
    assert_eq!(ids(&bench.find(by).await), ["1"]);
    let stale = bench.commit(vec![renamed(&user(1, "Ann"), "lost")]).await;
    assert_eq!(stale, Err(Error::Moved { step: 0 }));
    bench.commit(vec![renamed(&record, "won")]).await.unwrap();
    bench.assert_true();
}

#[tokio::test]
async fn every_edit_moves_the_counter_and_is_logged() {
    let bench = edited("SELECT 1").await;
    let outside = bench.outside();
    let mut change = bench.change(USERS).await;
    for (edit, logged) in [
        ("INSERT INTO users (id, name) VALUES (9, 'x')", "insert 9"),
        ("UPDATE users SET score = 2.5 WHERE id = 9", "update 9"),
        ("UPDATE users SET updatedAt = '2030-01-01T00:00:00.000Z' WHERE id = 9", "update 9"),
        ("DELETE FROM users WHERE id = 9", "delete 9"),
        ("UPDATE users SET id = 8 WHERE id = 3", "delete 3|insert 8"),
    ] {
        outside.execute_batch(edit).unwrap();
        let now = bench.change(USERS).await;
        assert!(now > change, "{edit}");
        change = now;
        let rows = logged.split('|').count();
        let log: String = outside
            .query_row(
                "SELECT group_concat(entry, '|') FROM (SELECT operation || ' ' || id AS entry FROM \
                 (SELECT * FROM _methodical_changes ORDER BY position DESC LIMIT ?) \
                 ORDER BY position)",
                [i64::try_from(rows).unwrap()],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(log, logged, "{edit}");
        bench.assert_true();
    }
    let moved = bench.get(USERS, Id::Integer(8)).await.unwrap();
    assert_ne!(moved.version.birth, 7_003, "under another id it is another record");
}

#[tokio::test]
async fn replaced_rows_are_counted_and_logged() {
    let bench = edited(
        "INSERT OR REPLACE INTO users (id, name, username) VALUES (1, 'new', 'u2');
         INSERT OR IGNORE INTO users (id, name) VALUES (3, 'ignored');
         INSERT OR REPLACE INTO users (id, name) VALUES (20, 'other');
         UPDATE OR REPLACE users SET username = 'U3' WHERE id = 20;",
    )
    .await;
    // What SQL could not settle at once, the server does soon.
    for _ in 0..100 {
        let found = bench.list(USERS).await;
        assert_eq!(ids(&found), ["1", "20"]);
        if found.total.unwrap().records == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bench.assert_true();
    let log: i64 = bench
        .outside()
        .query_row(
            "SELECT count(*) FROM _methodical_changes WHERE operation = 'delete'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(log, 3);
}

#[tokio::test]
async fn a_row_that_was_spared_and_then_moved_is_not_counted_as_gone() {
    let bench = edited(
        "INSERT OR IGNORE INTO users (id, name) VALUES (1, 'ignored');
         INSERT INTO users (id, name) VALUES (2, 'x') ON CONFLICT DO UPDATE SET name = 'y';
         UPDATE users SET id = id + 10 WHERE id < 3;
         INSERT INTO users (name) VALUES ('one more');",
    )
    .await;
    let outside = bench.outside();
    let left = "SELECT count(*) FROM _methodical_suspect";
    while outside.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ids(&bench.list(USERS).await), ["3", "11", "12", "13"]);
    bench.assert_true();
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_the_table_itself() {
    let bench = edited("SELECT 1").await;
    let outside = bench.outside();
    outside.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    for edit in [
        "INSERT INTO users (name) VALUES (NULL)",
        "INSERT INTO users (name, username) VALUES ('x', 'U1')",
        "INSERT INTO users (name, active) VALUES ('x', 2)",
        "INSERT INTO users (name, extra) VALUES ('x', '{')",
        "INSERT INTO users (name, score) VALUES ('x', 'high')",
        "INSERT INTO users (id, name) VALUES (-1, 'x')",
        "INSERT INTO lines (id, \"order\") VALUES ('a b', 1)",
        "INSERT INTO tokens (id, label) VALUES ('A', 'x')",
        "INSERT INTO orders (customer) VALUES (99)",
        "INSERT INTO orders (number) VALUES (0)",
        "INSERT INTO orders (number) VALUES (9007199254740992)",
        "INSERT INTO orders (kind) VALUES ('other')",
        "UPDATE users SET createdAt = '2026-02-06' WHERE id = 1",
    ] {
        assert!(outside.execute_batch(edit).is_err(), "{edit}");
    }
    outside.execute_batch("INSERT INTO tokens (label) VALUES ('drawn')").unwrap();
    let token = bench.list(3).await.rows.remove(0).record;
    assert!(model::model::IdKind::Uuid.read(&token.id.to_string()).is_some());
    bench.assert_true();
}

/// What an old shell makes of the schema cannot be tried here: its `json_valid(NULL)` is 0.
#[test]
fn absent_json_is_allowed_by_name() {
    let bench = Bench::new();
    let schema: String = bench
        .outside()
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'users'", [], |row| row.get(0))
        .unwrap();
    assert!(schema.contains(r#"CHECK ("extra" IS NULL OR json_valid("extra"))"#), "{schema}");
}
