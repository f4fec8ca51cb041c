//! What `methodical migrate` prints, and how it ends.

use super::*;

const PEOPLE: &str = "[resources.people]\naccess = { read = \"admin\" }\n\
                      fields.name = { type = \"string\" }\n\
                      fields.age = { type = \"string\", optional = true }\n";
const ROWS: &str = "INSERT INTO people (name, age) VALUES ('Ann', '7'), ('Bob', NULL), \
                    ('Cid', 'old'), ('Dee', '007')";

#[test]
fn a_plan_is_shown_and_then_carried_out_and_then_written_down() {
    let home = Home::filled(PEOPLE, ROWS);
    let same = home.migrate(&[]);
    assert_eq!(same.code, Some(0));
    assert!(same.out.ends_with("fits the declaration: there is nothing to do.\n"), "{}", same.out);
    assert_eq!(same.err, "");

    home.declare(
        "[resources.users]\nwas = \"people\"\naccess = { read = \"admin\" }\n\
         fields.title = { type = \"string\", was = \"name\", unique = true, maxLength = 9 }\n\
         fields.age = { type = \"string\", optional = true }\n\
         fields.rank = { type = \"integer\", default = 3 }\n\
         [resources.pets]\naccess = { read = \"admin\" }\nfields.of = { references = \"users\" }\n",
    );
    let planned = home.migrate(&[]);
    assert_eq!(planned.code, Some(0), "{}", planned.err);
    let database = home.database().display().to_string();
    let expected = format!(
        "{database}: 6 steps in one transaction, less than 0.1 s.\n\
         Writes wait until its end, reads go on.\n\
         \n  1. pets: add the resource\n     0 rows; only the schema changes\n  \
         2. users: rename the resource, it was `people`\n     4 rows; an index is built of them; \
         writes wait for a moment\n  \
         3. users: rename field `name` to `title`\n     4 rows; an index is built of them; writes \
         wait for a moment\n  \
         4. users: constrain `title`: `maxLength` 9\n     4 rows; all are read, none is written; \
         writes wait for a moment\n  \
         5. users: add field `rank`, 3 in every record that is there\n     4 rows; only the schema \
         changes\n  \
         6. users: make `title` unique\n     4 rows; an index is built of them; writes wait for a \
         moment\n"
    );
    assert_eq!(planned.out, expected);
    assert!(planned.err.contains("--apply"), "{}", planned.err);
    assert_eq!(home.migrate(&["--history"]).out, "No plan was carried out on this database yet.\n");

    let applied = home.migrate(&["--apply"]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    assert_eq!(applied.out, expected);
    assert!(!home.path().join("data.db-wal").exists(), "one whole file is left");
    assert!(applied.err.starts_with("Done in "), "no progress but on a terminal: {}", applied.err);
    assert!(home.migrate(&["--apply"]).out.contains("nothing to do"));
    let history = home.migrate(&["--history"]).out;
    assert!(history.starts_with("1. 20") && history.contains("users: make `title` unique"));
    let json = home.migrate(&["--history", "--json"]).out;
    let entry: serde_json::Value = serde_json::from_str(&json).expect("one object a line");
    assert_eq!(entry["plan"]["steps"][2]["action"], "renameField");
}

#[test]
fn what_does_not_fit_is_listed_and_what_goes_is_said() {
    let home = Home::filled(PEOPLE, ROWS);
    home.declare(&PEOPLE.replace("age = { type = \"string\"", "age = { type = \"integer\""));
    for arguments in [&[][..], &["--apply"], &["--apply", "--allow-data-loss"]] {
        let refused = home.migrate(arguments);
        assert_eq!(refused.code, Some(1));
        let listed = "Existing data does not fit:\n\n  \
                      people: `age` is not a whole number in 1 record\n     3\n";
        assert!(refused.out.ends_with(listed), "{}", refused.out);
        assert!(refused.err.contains("1 obstacle: change these records"), "{}", refused.err);
    }
    home.sql().execute("DELETE FROM people WHERE id = 3", []).expect("deleted");
    let refused = home.migrate(&["--apply"]);
    assert_eq!(refused.code, Some(1));
    let lost = "LOSES DATA: how the values of `age` are written (1 record: 4)";
    assert!(refused.out.contains(lost), "{}", refused.out);
    assert!(refused.err.contains("--apply --allow-data-loss"), "{}", refused.err);
    let plan: serde_json::Value =
        serde_json::from_str(&home.migrate(&["--json"]).out).expect("JSON");
    assert_eq!(plan["steps"][0]["loses"]["ids"][0], "4");
    assert_eq!(home.migrate(&["--apply", "--allow-data-loss"]).code, Some(0));
    let ages: String = home
        .sql()
        .query_row("SELECT group_concat(coalesce(age, 'none')) FROM people", [], |row| row.get(0))
        .expect("a row");
    assert_eq!(ages, "7,none,7");
}

#[test]
fn wrong_usage_and_what_is_not_there() {
    let home = Home::new(PEOPLE);
    assert_eq!(home.migrate(&["--allow-data-loss"]).code, Some(2));
    assert_eq!(home.migrate(&["--history", "--apply"]).code, Some(2));
    assert_eq!(home.migrate(&["--aply"]).code, Some(2));
    for arguments in [&[][..], &["--apply"], &["--history"]] {
        let missing = home.migrate(arguments);
        assert_eq!(missing.code, Some(1));
        assert!(missing.err.contains("there is no database yet"), "{}", missing.err);
    }
    assert!(!home.database().exists());
    home.declare("nonsense");
    assert_eq!(home.migrate(&[]).code, Some(1));
}

#[test]
fn a_running_server_is_not_migrated_under() {
    let home = Home::new(PEOPLE);
    let server = Server::over(home.path(), Options::default());
    home.declare(&format!("{PEOPLE}fields.rank = {{ type = \"integer\", optional = true }}\n"));
    let planned = home.migrate(&[]);
    assert_eq!(planned.code, Some(0), "to look is allowed: {}", planned.err);
    let refused = home.migrate(&["--apply"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("in use by another `methodical serve`"), "{}", refused.err);
    drop(server);
    assert_eq!(home.migrate(&["--apply"]).code, Some(0));
}

#[test]
fn hands_and_newer_versions_are_told_what_to_do() {
    let home = Home::filled(PEOPLE, ROWS);
    home.sql().execute_batch("ALTER TABLE people DROP COLUMN age").expect("dropped");
    home.sql().execute_batch("DROP TRIGGER _methodical_people_touch").expect("dropped");
    for ended in [home.migrate(&[]), home.migrate(&["--apply"]), home.run("serve", &[])] {
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains("was changed by hand"), "{}", ended.err);
        assert!(ended.err.contains("the table \"people\" was altered; it was made by"));
        assert!(ended.err.contains("CREATE TRIGGER \"_methodical_people_touch\""));
        assert!(ended.err.contains("Change it back, or restore a backup"));
    }
    let home = Home::filled(PEOPLE, ROWS);
    home.sql().execute_batch("PRAGMA user_version = 99").expect("set");
    for ended in [home.migrate(&[]), home.migrate(&["--apply"]), home.run("serve", &[])] {
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains("newer version of Methodical"), "{}", ended.err);
    }
}
