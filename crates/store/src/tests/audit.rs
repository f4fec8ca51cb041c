//! The check of a database, and its repair: everything that is broken on purpose is found, and
//! what is derived is mended.

use super::*;
use crate::care::audit::{About, Audit, Mend, audit, repair};
use crate::care::error::CareError;

/// A closed database with a few records.
async fn closed() -> Bench {
    let bench = Bench::new();
    for id in 1..=30 {
        bench.commit(vec![insert(USERS, user(id, "Ärger"))]).await.unwrap();
        bench.commit(vec![insert(ORDERS, order(id, Some(id), id))]).await.unwrap();
    }
    bench.commit(vec![renamed(&user(1, "Ärger"), "Öl")]).await.unwrap();
    bench.commit(vec![remove(ORDERS, &order(30, None, 1))]).await.unwrap();
    bench.commit(vec![insert(LINES, line("a", 1, Some(2), None))]).await.unwrap();
    bench.commit(vec![Change::Remember(answer(5, 60_000))]).await.unwrap();
    bench.writer().close();
    bench
}

fn checked(bench: &Bench) -> Audit {
    audit(&bench.path(), &bench.model).unwrap()
}

fn texts(audit: &Audit) -> String {
    audit.findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[tokio::test]
async fn a_sound_database_is_sound_while_it_is_served_too() {
    let bench = Bench::new();
    bench.commit(vec![insert(USERS, user(1, "Ä"))]).await.unwrap();
    let found = checked(&bench);
    assert!(found.is_sound() && found.findings.is_empty(), "{}", texts(&found));
    assert!(matches!(repair(&bench.path(), &bench.model), Err(CareError::Served)));
    let found = checked(&closed().await);
    assert!(found.findings.is_empty(), "{}", texts(&found));
    assert_eq!(found.compared.len(), 9);
}

#[tokio::test]
async fn what_is_derived_is_found_and_rebuilt() {
    let cases: &[(&str, About, &str)] = &[
        (
            "UPDATE _methodical_resource SET total = 7 WHERE name = 'users'",
            About::Totals,
            "users: the total says 7 records, and there are 30",
        ),
        (
            "UPDATE _methodical_resource SET change = 0 WHERE name = 'users'",
            About::Totals,
            "users: the change counter has not moved",
        ),
        ("DROP TRIGGER _methodical_users_insert", About::Schema, "_methodical_users_insert"),
        ("DROP INDEX \"users(name)\"", About::Schema, "the index users(name) of users is missing"),
        (
            "DROP TRIGGER _methodical_users_update; CREATE TRIGGER _methodical_users_update \
             AFTER DELETE ON users BEGIN SELECT 1; END",
            About::Schema,
            "is another than declared",
        ),
        ("UPDATE _methodical_principals SET keys = 9", About::Keys, "kept wrong for 1 principals"),
        ("DELETE FROM _methodical_principals", About::Keys, "kept wrong for 1 principals"),
        (
            "DROP TRIGGER _methodical_users_update; DROP TRIGGER _methodical_users_touch; \
             UPDATE users SET _version = 4, name = 'Zorn', _fold_name = 'zorn' WHERE id = 3",
            About::Changes,
            "does not tell of the present version of records: 3",
        ),
        (
            "DROP TRIGGER _methodical_orders_delete; DELETE FROM orders WHERE id IN (4, 5)",
            About::Changes,
            "tells of records that are not there: 4, 5",
        ),
        (
            "DROP TRIGGER _methodical_orders_insert; \
             INSERT INTO orders (id, customer, number) VALUES (30, 1, 99)",
            About::Changes,
            "tells of another life of records: 30",
        ),
        ("UPDATE users SET _fold_name = 'wrong' WHERE id IN (7, 8)", About::Folds, "records: 7, 8"),
        ("UPDATE users SET name = 'ÄÖÜ' WHERE id = 7", About::Pending, "edits from outside"),
    ];
    for (harm, about, said) in cases {
        let bench = closed().await;
        let outside = bench.outside();
        outside.execute_batch(harm).unwrap();
        drop(outside);
        let found = checked(&bench);
        let finding = found
            .findings
            .iter()
            .find(|finding| finding.about == *about && finding.to_string().contains(said));
        assert!(finding.is_some(), "{harm}:\n{}", texts(&found));
        let told = repair(&bench.path(), &bench.model).unwrap();
        assert!(!told.done.is_empty() && told.left.findings.is_empty(), "{harm}: {told:?}");
        let one = *about != About::Totals || told.done.len() == 1;
        assert!(one, "more was touched than was wrong: {:?}", told.done);
        let change = |name: &str| -> i64 {
            let text = "SELECT change FROM _methodical_resource WHERE name = ?";
            bench.outside().query_row(text, [name], |row| row.get(0)).unwrap()
        };
        assert!(change("users") >= 31, "{harm}: no list gets back an old tag");
        crate::open(&options(&bench.folder), Arc::clone(&bench.model), &mut seedless).unwrap();
    }
}

#[tokio::test]
async fn an_index_that_disagrees_with_its_table_is_built_anew() {
    let bench = closed().await;
    let outside = bench.outside();
    // For a while SQLite takes the index for one of another column.
    let known = |column: &str| {
        format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET \
             sql = 'CREATE INDEX \"users(name)\" ON \"users\" (\"{column}\")' \
             WHERE name = 'users(name)';"
        )
    };
    outside.execute_batch(&known("note")).unwrap();
    drop(outside);
    let outside = bench.outside();
    outside.execute_batch("INSERT INTO users (name, note) VALUES ('Q', 'x')").unwrap();
    outside.execute_batch(&known("_fold_name")).unwrap();
    drop(outside);
    let found = checked(&bench);
    assert!(found.findings.iter().any(|finding| finding.about == About::Indexes));
    let told = repair(&bench.path(), &bench.model).unwrap();
    assert!(told.done[0].contains("every index") && told.left.is_sound(), "{told:?}");
}

#[tokio::test]
async fn what_a_person_has_to_mend_is_named_and_left_alone() {
    let bench = closed().await;
    let outside = bench.outside();
    outside
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE id IN (2, 9)")
        .unwrap();
    drop(outside);
    let found = checked(&bench);
    let texts = texts(&found);
    assert!(texts.contains("orders have a reference to users that are not there"), "{texts}");
    assert!(texts.contains("orders: 2, 9\n"), "{texts}");
    assert!(texts.contains("lines: a\n"), "{texts}");
    assert!(found.findings.iter().all(|finding| finding.mend == Mend::Person));
    let told = repair(&bench.path(), &bench.model).unwrap();
    assert_eq!((told.done.len(), told.left.findings.len()), (0, 2));

    let outside = bench.outside();
    outside.execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE tokens").unwrap();
    drop(outside);
    let found = checked(&bench);
    assert!(found.findings.iter().any(|finding| {
        finding.about == About::Tables && finding.text.contains("the table tokens is missing")
    }));
}

#[tokio::test]
async fn twins_that_differ_by_case_alone_are_named_and_not_lost() {
    let bench = closed().await;
    let outside = bench.outside();
    outside
        .execute_batch(
            "UPDATE users SET username = 'Ünal' WHERE id = 3; \
                        UPDATE users SET username = 'ünal' WHERE id = 4;",
        )
        .unwrap();
    drop(outside);
    let told = repair(&bench.path(), &bench.model).unwrap();
    assert!(told.done.iter().any(|line| line.contains("but for its case: 4")), "{:?}", told.done);
    assert_eq!(told.left.findings.len(), 1);
}

#[tokio::test]
async fn only_the_first_ids_are_named() {
    let bench = closed().await;
    let outside = bench.outside();
    outside.execute_batch("UPDATE users SET _fold_name = 'wrong'").unwrap();
    drop(outside);
    let found = checked(&bench);
    assert!(texts(&found).ends_with("19, 20 and 10 more\n"), "{}", texts(&found));
}

#[tokio::test]
async fn a_search_index_that_says_something_else_is_found_and_filled_anew() {
    let declaration = "[resources.posts]\nsearch = [\"title\"]\n\
                       fields.title = { type = \"string\", optional = true }\n";
    let bench = Bench::of(declaration, |_| {});
    let outside = bench.outside();
    outside
        .execute_batch(
            "INSERT INTO posts (title) VALUES ('plain'), ('Café'), (NULL), ('gone');
             DELETE FROM posts WHERE title = 'gone';",
        )
        .unwrap();
    // The server looks at what is not ASCII within a moment.
    for _ in 0..200 {
        if checked(&bench).findings.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    bench.opened.writer.close();
    let sound = checked(&bench);
    assert!(sound.findings.is_empty(), "{}", texts(&sound));
    outside
        .execute_batch(
            "DELETE FROM \"_methodical_search(posts)\" WHERE rowid = 1;
             INSERT INTO \"_methodical_search(posts)\" (rowid, _text_title) VALUES (99, 'stray');",
        )
        .unwrap();
    let wrong = checked(&bench);
    assert_eq!(wrong.findings.len(), 2, "{}", texts(&wrong));
    assert_eq!(wrong.findings[0].ids, ["1"]);
    let repaired = repair(&bench.path(), &bench.model).unwrap();
    assert!(format!("{repaired:?}").contains("filled anew: 3"), "{repaired:?}");
    let mended = checked(&bench);
    assert!(mended.findings.is_empty(), "{}", texts(&mended));
}
