//! What cannot be adopted, what is in the way, and what another program does meanwhile.

use std::fs;
use std::process::Output;

use rusqlite::Connection;

use super::{adopt, source, text};

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn without_a_folder_nothing_is_touched_and_the_output_is_a_declaration() {
    let home = tempfile::tempdir().expect("a folder");
    let path = source("blog", home.path());
    let out = home.path().join("api");
    let bare = adopt(&[text(&path)]);
    assert!(bare.status.success(), "{}", words(&bare));
    let checked = adopt(&[&format!("sqlite:{}", text(&path)), text(&out), "--check"]);
    assert!(checked.status.success(), "{}", words(&checked));
    assert_eq!(bare.stdout, checked.stdout);
    assert!(words(&bare).is_empty(), "{}", words(&bare));
    let left: Vec<_> = fs::read_dir(home.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let declaration = String::from_utf8(bare.stdout).expect("text");
    assert!(declaration.contains("comments.text: 1 (it is a BLOB): 13"), "{declaration}");
    let reading = model::declaration::read(&declaration);
    assert!(reading.model.is_some(), "{:?}", reading.complaints);
    // The same as the one that is written, but for the report.
    assert!(adopt(&[text(&path), text(&out)]).status.success());
    let written = fs::read_to_string(out.join("methodical.toml")).expect("a declaration");
    let bare = |text: &str| -> Vec<String> {
        let is_said = |line: &&str| !line.is_empty() && !line.starts_with('#');
        text.lines().filter(is_said).map(str::to_owned).collect()
    };
    assert_eq!(bare(&written), bare(&declaration));
}

#[test]
fn what_cannot_be_adopted_is_told_what_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    fs::write(
        at("letter.db"),
        "Dear Sir or Madam, this is a letter and no database at all. ".repeat(20),
    )
    .expect("a file");
    drop(Connection::open(at("empty.db")).expect("a database"));
    fs::write(at("empty.db"), "").expect("a file");
    let path = source("shop", home.path());
    let out = at("api");
    assert!(adopt(&[text(&path), text(&out)]).status.success());
    for (name, says) in [
        ("nowhere.db", "no such file"),
        ("letter.db", "not a database of SQLite"),
        ("empty.db", "no table"),
        ("api/data.db", "serve it"),
    ] {
        let output = adopt(&[text(&at(name)), text(&at("new"))]);
        let words = words(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {words}");
        assert!(words.contains(name) && words.contains(says), "{name}: {words}");
        assert!(!at("new").exists() && !at("new.adopting").exists(), "{name}");
    }
    let output = adopt(&[text(&path), text(&out)]);
    assert!(words(&output).contains("not empty"), "{}", words(&output));
    assert_eq!(adopt(&[]).status.code(), Some(2));
}

#[test]
fn what_a_killed_adoption_left_is_cleared_away_and_one_at_work_is_not() {
    let home = tempfile::tempdir().expect("a folder");
    let path = source("shop", home.path());
    let (out, stage) = (home.path().join("api"), home.path().join("api.adopting"));
    fs::create_dir(&stage).expect("a folder");
    fs::write(stage.join("data.db"), "half of a database").expect("a file");
    fs::write(stage.join("data.db-wal"), "half of a log").expect("a file");
    let lock = fs::File::create(stage.join("lock")).expect("a lock");
    lock.lock().expect("a lock");
    let output = adopt(&[text(&path), text(&out)]);
    assert!(words(&output).contains("another `methodical adopt`"), "{}", words(&output));
    assert!(stage.join("data.db").exists() && !out.exists());
    drop(lock);
    // An empty folder is as good as none.
    fs::create_dir(&out).expect("a folder");
    let output = adopt(&[text(&path), text(&out)]);
    assert!(output.status.success(), "{}", words(&output));
    assert!(out.join("data.db").exists() && !stage.exists());
    let database = Connection::open(out.join("data.db")).expect("a database");
    let whole: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(whole, "ok");
}

#[test]
fn a_program_that_writes_meanwhile_is_not_disturbed_and_half_a_transaction_is_not_seen() {
    let home = tempfile::tempdir().expect("a folder");
    let path = source("shop", home.path());
    let other = Connection::open(&path).expect("the source");
    let mode: String =
        other.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).expect("a mode");
    assert_eq!(mode, "wal");
    other.execute_batch("INSERT INTO counter VALUES (7, 'seven')").expect("a commit");
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO counter VALUES (8, 'eight')").expect("half");
    let out = home.path().join("api");
    let output = adopt(&[text(&path), text(&out)]);
    assert!(output.status.success(), "{}", words(&output));
    other.execute_batch("COMMIT").expect("the other half");
    let database = Connection::open(out.join("data.db")).expect("a database");
    let seen: Vec<String> = database
        .prepare("SELECT what FROM counter ORDER BY id_ DESC LIMIT 2")
        .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect())
        .expect("rows");
    assert_eq!(seen, ["seven", "three"]);
}

#[test]
fn rows_that_break_the_rules_of_their_own_table_stop_it_or_the_rule() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("odd.db");
    let database = Connection::open(&path).expect("a database");
    database
        .execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT CHECK (n > 0), \
             s TEXT CHECK (s IN ('x', 'y')), c VARCHAR(3)); \
             CREATE TABLE b (id INTEGER PRIMARY KEY, g TEXT CHECK (g GLOB '[a-z]*'), \
             e TEXT COLLATE NOCASE UNIQUE); \
             PRAGMA ignore_check_constraints = ON; \
             INSERT INTO a VALUES (1, 0, 'z', 'four'), (2, 1, 'x', 'one'); \
             INSERT INTO b VALUES (1, 'ok', 'ä'), (2, NULL, 'Ä'), (3, NULL, 'z');",
        )
        .expect("a schema");
    let output = adopt(&[text(&path)]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", words(&output));
    for says in [
        "a.n: CHECK (n > 0): the field cannot say it",
        "a.s: CHECK (s IN ('x', 'y')): the field cannot say it",
        "a.c: VARCHAR(3): there is text of 4 characters",
        "b: UNIQUE (e): 1 rows are the same as others but for the case of letters",
    ] {
        assert!(told.contains(says), "{says} is not in\n{told}");
    }
    database
        .execute_batch("PRAGMA ignore_check_constraints = ON; UPDATE b SET g = '9' WHERE id = 2")
        .expect("an edit");
    let out = home.path().join("api");
    let output = adopt(&[text(&path), text(&out)]);
    let words = words(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("b 2: g: "), "{words}");
    assert!(!out.exists() && !home.path().join("api.adopting").exists());
}
