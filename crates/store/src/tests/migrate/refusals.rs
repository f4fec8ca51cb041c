//! What keeps a migration from being done: data, hands, other programs, newer versions.

use super::*;
use crate::migrate::Obstacle;

/// What stands in the way of a declaration; nothing changes by it.
fn obstacles(before: &str, rows: &str, after: &str) -> Vec<Obstacle> {
    let ground = Ground::new(before, rows);
    let all = "SELECT name, sql FROM sqlite_schema";
    let was = ground.ask(all);
    let planned = ground.plan(after).obstacles;
    let Applied::Refused(plan) = ground.migrate(after, DataLoss::Allowed) else {
        panic!("it was done: {after}");
    };
    assert_eq!(plan.obstacles, planned);
    assert_eq!(ground.ask(all), was);
    assert_eq!(ground.ask("SELECT count(*) FROM _methodical_migrations"), "0");
    let refused = ground.open(after).unwrap_err();
    assert!(matches!(&refused, OpenError::Changed { why } if why.contains("does not fit")));
    drop(ground.open(before).unwrap());
    planned
}

#[test]
fn data_that_breaks_a_new_constraint_is_listed_by_id() {
    let text = |keys: &str| format!("[resources.a]\nfields.x = {{ type = \"string\"{keys} }}\n");
    let rows = "INSERT INTO a (x) VALUES ('abc'), ('Abc'), ('12'), ('abc'), ('3.5')";
    let cases: [(&str, &str, &[&str]); 9] = [
        (", maxLength = 2", "`x` must be at most 2 characters long", &["1", "2", "4", "5"]),
        (", pattern = \"^[a-z]+$\"", "`x` must match the pattern", &["2", "3", "5"]),
        (", format = \"email\"", "`x` must be", &["1", "2", "3", "4", "5"]),
        (", enum = [\"abc\", \"12\"]", "`x` must be one of", &["2", "5"]),
        (", unique = true", "`x` shall be unique, and another record has the same", &["1", "4"]),
        (
            ", unique = true, ignoreCase = true",
            "`x` shall be unique, and another record has the same",
            &["1", "2", "4"],
        ),
        ("!integer", "`x` is not a whole number", &["1", "2", "4", "5"]),
        ("!number", "`x` is not a number", &["1", "2", "4"]),
        ("!boolean", "`x` is not true or false", &["1", "2", "3", "4", "5"]),
    ];
    for (keys, what, ids) in cases {
        let after = match keys.strip_prefix('!') {
            Some(kind) => format!("[resources.a]\nfields.x = {{ type = \"{kind}\" }}\n"),
            None => text(keys),
        };
        let found = obstacles(&text(""), rows, &after);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.starts_with(what), "{}", found[0].what);
        assert_eq!(found[0].ids, ids, "{keys}");
        assert_eq!((found[0].rows as usize, found[0].resource.as_str()), (ids.len(), "a"));
    }
}

#[test]
fn what_is_absent_or_names_nothing_stands_in_the_way_too() {
    let optional = "[resources.a]\nfields.x = { type = \"integer\", optional = true }\n";
    let rows = "INSERT INTO a (x) VALUES (1), (NULL), (7)";
    let found = obstacles(optional, rows, "[resources.a]\nfields.x = { type = \"integer\" }\n");
    assert_eq!(found[0].what, "`x` is absent, and it is required");
    assert_eq!(found[0].ids, ["2"]);

    let added = format!("{optional}fields.y = {{ type = \"string\" }}\n");
    let found = obstacles(optional, rows, &added);
    assert_eq!(found[0].what, "`y` is new and required: give it a default, or make it optional");
    assert_eq!(found[0].rows, 3);

    let refers = "[resources.a]\nfields.x = { references = \"a\", optional = true }\n";
    let found = obstacles(optional, rows, refers);
    assert_eq!(
        (found[0].what.as_str(), &*found[0].ids),
        ("`x` names no record of a", &["3".to_owned()][..])
    );

    let elsewhere = "[resources.a]\nfields.x = { references = \"b\", optional = true }\n\
                     [resources.b]\nfields.y = { type = \"string\" }\n";
    let found = obstacles(optional, rows, elsewhere);
    assert_eq!(found[0].ids, ["1", "3"]);

    let uuid = "[resources.a]\nid = \"uuid\"\nfields.x = { type = \"integer\", optional = true }\n";
    let found = obstacles(optional, rows, uuid);
    assert_eq!(found[0].what, "the id cannot be one of id = \"uuid\"");

    let far = "[resources.a]\nfields.x = { type = \"integer\", format = \"int64\" }\n";
    let rows_far = "INSERT INTO a (x) VALUES (9007199254740991), (9007199254740993)";
    let found = obstacles(far, rows_far, "[resources.a]\nfields.x = { type = \"integer\" }\n");
    assert_eq!(found[0].ids, ["2"]);
    let found = obstacles(far, rows_far, "[resources.a]\nfields.x = { type = \"number\" }\n");
    assert_eq!(found[0].what, "`x` has more digits than binary64 can hold");
    assert_eq!(found[0].ids, ["2"]);

    let plain = "[resources.a]\nfields.x = { type = \"string\" }\n";
    let hashed = "[resources.a]\nlogin = [\"y\"]\nfields.x = { type = \"string\", \
                  format = \"password\" }\nfields.y = { type = \"string\", unique = true, \
                  optional = true }\n";
    let found = obstacles(plain, "INSERT INTO a (x) VALUES ('secret')", hashed);
    assert!(found[0].what.contains("cannot become"), "{}", found[0].what);
}

#[test]
fn a_hundred_ids_are_listed_and_all_are_counted() {
    let body = |most: u32| {
        format!("[resources.a]\nfields.x = {{ type = \"integer\", maximum = {most} }}\n")
    };
    let rows = "INSERT INTO a (x) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                LIMIT 250) SELECT i FROM n";
    let found = obstacles(&body(1000), rows, &body(10));
    assert_eq!((found[0].rows, found[0].ids.len(), found[0].ids[0].as_str()), (240, 100, "11"));
}

#[test]
fn what_takes_long_is_not_done_by_whoever_opens_the_store() {
    let one = "[resources.a]\nfields.x = { type = \"integer\" }\n";
    let rows = "INSERT INTO a (x) VALUES (1), (2), (3)";
    let ground = Ground::new(one, rows);
    let open = |body: &str| {
        let mut options = ground.options();
        options.migrate_rows_max = 3;
        crate::open(&options, reading(body), &mut seedless)
    };
    let number = "[resources.a]\nfields.x = { type = \"number\" }\n";
    let refused = open(number).unwrap_err().to_string();
    assert!(refused.contains("more than a moment"), "{refused}");
    assert!(refused.contains("change the type of `x` from integer to number, 3 rows"), "{refused}");
    // A description is changed in a moment, whatever the number of rows.
    let opened = open(
        "[resources.a]\nfields.x = { type = \"integer\" }\n\
                       fields.y = { type = \"integer\", default = 4 }\n",
    )
    .unwrap();
    let (plan, _) = opened.migrated.clone().unwrap();
    assert_eq!(plan.summary(), "a: add field `y`, 4 in every record that is there");
    drop(opened);
    assert_eq!(ground.ask("SELECT y FROM a"), "4\n4\n4");
}

#[test]
fn a_database_that_was_changed_by_hand_is_recognised() {
    let body = "[resources.a]\nsearch = [\"x\"]\nfields.x = { type = \"string\", index = true }\n";
    let longer = format!("{body}fields.y = {{ type = \"string\", optional = true }}\n");
    for (edit, said) in [
        ("DROP INDEX \"a(x)\"", "the index \"a(x)\" is gone; it was made by\nCREATE INDEX"),
        ("DROP TRIGGER _methodical_a_touch", "the trigger \"_methodical_a_touch\" is gone"),
        ("ALTER TABLE a ADD COLUMN z TEXT", "the table \"a\" was altered"),
        ("ALTER TABLE a RENAME TO b", "the table \"a\" is gone"),
        ("DROP TABLE \"_methodical_search(a)\"", "the table \"_methodical_search(a)\" is gone"),
        ("DROP TABLE _methodical_keys", "the table \"_methodical_keys\" is gone"),
    ] {
        let ground = Ground::new(body, "INSERT INTO a (x) VALUES ('x')");
        ground.sql().execute_batch(edit).unwrap();
        for body in [body, &longer] {
            let refused = ground.open(body).unwrap_err();
            assert!(matches!(&refused, OpenError::ByHand(_)), "{edit}: {refused}");
            assert!(refused.to_string().contains(said), "{edit}: {refused}");
        }
        let options = ground.options();
        let planned = crate::plan(&options, &reading(&longer), &mut |_| {}).unwrap_err();
        assert!(matches!(planned, OpenError::ByHand(_)));
        let done = crate::migrate(&options, reading(&longer), DataLoss::Allowed, &mut |_| {});
        assert!(matches!(done.unwrap_err(), OpenError::ByHand(_)));
    }
}

#[test]
fn what_somebody_else_keeps_beside_ours_stays() {
    let body = "[resources.a]\nfields.x = { type = \"integer\" }\n\
                fields.y = { type = \"string\" }\n";
    let ground = Ground::new(
        body,
        "INSERT INTO a (x, y) VALUES (1, 'one');\
         CREATE TABLE notes (a INTEGER REFERENCES a (id), seen INTEGER);\
         INSERT INTO notes VALUES (1, 0);\
         CREATE INDEX by_both ON a (x, y);\
         CREATE VIEW ones AS SELECT y FROM a WHERE x = 1;\
         CREATE TRIGGER seen AFTER UPDATE OF y ON a BEGIN UPDATE notes SET seen = seen + 1; END;",
    );
    let number = body.replace("\"integer\"", "\"number\"");
    ground.migrated_beside(&number);
    assert_eq!(ground.ask("SELECT y FROM ones"), "'one'");
    ground.sql().execute("UPDATE a SET y = 'two'", []).unwrap();
    assert_eq!(ground.ask("SELECT seen FROM notes"), "1");
    assert_eq!(ground.ask("SELECT tbl_name FROM sqlite_schema WHERE name = 'by_both'"), "'a'");
    // Under a new name it is found all the same.
    let renamed = number.replace("fields.y = {", "fields.z = { was = \"y\",");
    ground.migrated_beside(&renamed);
    assert_eq!(ground.ask("SELECT * FROM ones"), "'two'");

    let gone = "[resources.a]\nfields.x = { type = \"number\" }\n";
    let refused = crate::migrate(&ground.options(), reading(gone), DataLoss::Allowed, &mut |_| {});
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("is not of Methodical's making"), "{refused}");
    drop(ground.open(&renamed).unwrap());

    let taken = format!("{renamed}[resources.notes]\nfields.x = {{ type = \"string\" }}\n");
    let plan = ground.plan(&taken);
    assert!(plan.obstacles[0].what.contains("table or view notes of somebody else's"));
}

#[test]
fn other_programs_and_other_versions_are_told_apart() {
    let body = "[resources.a]\nfields.x = { type = \"integer\" }\n";
    let other = body.replace("integer", "number");
    let ground = Ground::new(body, "");
    let options = ground.options();
    let migrate = || crate::migrate(&options, reading(&other), DataLoss::Allowed, &mut |_| {});
    let served = ground.open(body).unwrap();
    assert_eq!(migrate().unwrap_err(), OpenError::Locked);
    assert_eq!(ground.plan(&other).steps.len(), 1, "to look is allowed");
    drop(served);
    let raw = |text: &str| ground.sql().execute_batch(text).unwrap();
    raw("PRAGMA user_version = 99");
    assert!(matches!(migrate().unwrap_err(), OpenError::NewerVersion { theirs: 99, .. }));
    raw("PRAGMA user_version = 1");
    assert!(matches!(migrate().unwrap_err(), OpenError::OlderVersion { theirs: 1, .. }));
    raw("PRAGMA user_version = 6; UPDATE _methodical_meta SET value = '{}' WHERE name = 'shape'");
    assert!(migrate().unwrap_err().to_string().contains("newer version of Methodical: use that"));
    let nowhere = tempfile::tempdir().unwrap();
    let missing = crate::plan(&super::options(&nowhere), &reading(body), &mut |_| {}).unwrap_err();
    assert_eq!(missing, OpenError::Missing);
    assert!(std::fs::read_dir(nowhere.path()).unwrap().next().is_none(), "looking makes nothing");
}

#[test]
fn a_trigger_of_another_version_is_renewed() {
    let body = "[resources.a]\nfields.x = { type = \"integer\" }\n";
    let ground = Ground::new(body, "INSERT INTO a (x) VALUES (1)");
    // As if an older program had written them otherwise.
    ground
        .sql()
        .execute_batch(
            "DROP TRIGGER _methodical_a_touch;\
             UPDATE _methodical_meta SET value = json_remove(value, '$._methodical_a_touch') \
             WHERE name = 'objects'",
        )
        .unwrap();
    let opened = ground.open(body).unwrap();
    assert_eq!(
        opened.migrated.clone().unwrap().0.summary(),
        "a: renew what keeps the bookkeeping true"
    );
    drop(opened);
    ground.assert_as_made(body);
}

#[test]
fn plans_are_written_down() {
    let body = |kind: &str| format!("[resources.a]\nfields.x = {{ type = \"{kind}\" }}\n");
    let ground = Ground::new(&body("integer"), "INSERT INTO a (x) VALUES (1)");
    ground.migrated(&body("number"), DataLoss::Refused);
    ground.migrated(&body("string"), DataLoss::Refused);
    let history = crate::history(&ground.options()).unwrap();
    assert_eq!(history.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(history[0].after, history[1].before);
    assert_eq!(history[1].after, reading(&body("string")).table_digest());
    assert_eq!(
        history[0].plan["steps"][0]["says"],
        "change the type of `x` from integer to number"
    );
    assert_eq!(history[0].at, super::super::clock());
}

#[test]
fn who_sees_a_record_is_kept_from_the_next_start_on() {
    let body = |read: &str| {
        format!(
            "[resources.users]\nlogin = [\"name\"]\n\
             fields.name = {{ type = \"string\", unique = true }}\n\
             fields.password = {{ type = \"string\", format = \"password\" }}\n\
             [resources.notes]\nsearch = [\"text\"]\naccess.read = {read}\n\
             fields.text = {{ type = \"string\" }}\n\
             fields.rate = {{ type = \"number\", default = 0.1 }}\n\
             fields.author = {{ references = \"users\", owner = true }}\n"
        )
    };
    let fill = "INSERT INTO users (name, password) VALUES ('Ann', '$argon2id$x');\
                INSERT INTO notes (text, author) VALUES ('a', 1)";
    let ground = Ground::new(&body("\"signed-in\""), fill);
    let was = || ground.ask("SELECT was FROM _methodical_changes ORDER BY position DESC LIMIT 1");
    ground.sql().execute_batch("UPDATE notes SET text = 'b'").unwrap();
    assert_eq!(was(), "NULL");
    let owner = body("[\"owner\"]");
    let opened = ground.open(&owner).unwrap();
    let says = "notes: keep `author` in the change log: who sees a record depends on it";
    assert_eq!(opened.migrated.clone().unwrap().0.summary(), says);
    drop(opened);
    ground.assert_as_made(&owner);
    assert!(ground.open(&owner).unwrap().migrated.is_none(), "once");
    ground.sql().execute_batch("UPDATE notes SET text = 'c'").unwrap();
    assert_eq!(was(), r#"'{"author":1}'"#);
    let rule = body("{ who = [\"owner\"], when = \"record.rate < 1.0\" }");
    ground.migrated(&rule, DataLoss::Refused);
    ground.sql().execute_batch("UPDATE notes SET rate = 0.1 + 0.2").unwrap();
    assert_eq!(was(), r#"'{"rate":0.1,"author":1}'"#);
    ground.sql().execute_batch("DELETE FROM notes").unwrap();
    let exact = "SELECT json_extract(was, '$.rate') = 0.1 + 0.2 FROM _methodical_changes \
                 ORDER BY position DESC LIMIT 1";
    assert_eq!(ground.ask(exact), "1");
    ground.migrated(&body("\"anyone\""), DataLoss::Refused);
}
