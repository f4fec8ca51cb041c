//! Imports that are killed, and imports beside a server that goes on writing.

use std::fmt::Write;
use std::process::Stdio;
use std::time::Duration;

use super::{Project, assert_sound, fed, good, program, run};
use crate::property::chance::{Chance, rounds, setting};
use crate::support::client::Request;
use crate::support::server::Options;

const DECLARATION: &str = "[resources.users]\nsearch = [\"name\"]\n\
    fields.name = { type = \"string\", minLength = 1 }\n\
    fields.number = { type = \"integer\", unique = true, optional = true }\n\
    [resources.nodes]\nid = \"text\"\n\
    fields.next = { references = \"nodes\", optional = true }\n";

const ROWS: u64 = 1_500;

/// Rows without ids: whatever is created twice has two of them. Every 50th is faulty.
fn users() -> String {
    let mut rows = String::new();
    for number in 0..ROWS {
        let name = if number % 50 == 49 { "" } else { "Somebody" };
        writeln!(rows, "{{\"name\":\"{name}\",\"number\":{number}}}").expect("memory");
    }
    rows
}

/// A chain from its end: every row waits for the one behind it, but for pairs.
fn nodes() -> String {
    let mut rows = String::new();
    for number in 0..600 {
        let next = if number % 3 == 2 { number } else { number + 1 };
        writeln!(rows, "{{\"id\":\"n{number}\",\"next\":\"n{next}\"}}").expect("memory");
    }
    rows
}

/// Kills imports of a file at moments that look random, until one ends by itself. How many ended.
fn killed(project: &Project, arguments: &[&str], chance: &mut Chance) -> u32 {
    let mut kills = 0;
    loop {
        let mut child = program("import", project.home(), arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let patience = Duration::from_micros(40_000 + chance.next() % 300_000);
        std::thread::sleep(patience);
        if child.try_wait().expect("a child").is_some() {
            return kills;
        }
        // It may end just now.
        drop(child.kill());
        child.wait().expect("a child");
        kills += 1;
        assert!(kills < 500, "no run gets anywhere");
    }
}

#[test]
fn an_import_that_is_killed_goes_on_and_creates_nothing_twice() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 1));
    for _ in 0..rounds(3) {
        let project = Project::of(DECLARATION);
        let file = project.file("users.ndjson", &users());
        let name = file.to_str().expect("a path");
        let arguments = ["users", name, "--chunk", "20"];
        killed(&project, &arguments, &mut chance);
        let said = run("import", project.home(), &arguments);
        let faulty = ROWS / 50;
        assert_eq!(said.sum(), (ROWS, ROWS - faulty, faulty), "{}", said.err);
        let count = "SELECT count(*), count(DISTINCT number), max(id) FROM users";
        let good = ROWS - faulty;
        assert_eq!(project.ask(count), [format!("{good}|{good}|{good}")]);
        let faults = std::fs::read_to_string(project.path("users.ndjson.faults.ndjson"));
        assert_eq!(faults.expect("faults").lines().count() as u64, faulty);
        assert_sound(&project.path("data.db"));
    }
}

#[test]
fn rows_that_wait_are_not_forgotten_by_a_kill() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 2));
    for _ in 0..rounds(2) {
        let project = Project::of(DECLARATION);
        let file = project.file("nodes.ndjson", &nodes());
        let name = file.to_str().expect("a path");
        let arguments = ["nodes", name, "--chunk", "5"];
        killed(&project, &arguments, &mut chance);
        let said = good("import", project.home(), &arguments);
        assert_eq!(said.sum(), (600, 600, 0), "{}", said.err);
        assert_eq!(project.ask("SELECT count(*) FROM nodes"), ["600"]);
        assert_eq!(project.ask("SELECT count(*) FROM _methodical_imports_waiting"), ["0"]);
        assert_sound(&project.path("data.db"));
    }
}

#[test]
fn a_pipe_goes_on_under_its_key() {
    let project = Project::of(DECLARATION);
    let rows = users();
    // A pipe that ends early inside a row is an interruption, too.
    let cut = &rows.as_bytes()[..rows.len() / 2];
    let arguments = ["users", "-", "--key", "nightly", "--chunk", "20"];
    let mut child = program("import", project.home(), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut pipe, cut).expect("it reads");
    crate::support::server::await_that("some rows are there", || {
        project.path("data.db").exists()
            && !project.ask("SELECT name FROM sqlite_schema WHERE name = 'users'").is_empty()
            && project.ask("SELECT count(*) > 100 FROM users") == ["1"]
    });
    child.kill().expect("it is killed");
    child.wait().expect("a child");
    drop(pipe);
    let said = fed("import", project.home(), &arguments, rows.as_bytes());
    assert_eq!(said.sum().0, ROWS, "{}", said.err);
    assert!(said.err.contains("went on behind row"), "{}", said.err);
    let count = "SELECT count(*) = count(DISTINCT number), max(id) = count(*) FROM users";
    assert_eq!(project.ask(count), ["1|1"]);
    let again = fed("import", project.home(), &arguments, rows.as_bytes());
    assert!(again.code == 1 && again.err.contains("another --key"), "{}", again.err);
}

#[test]
fn a_file_that_has_changed_since_it_was_interrupted_is_noticed() {
    let project = Project::of(DECLARATION);
    let broken = "name\nA\nB\nC\n\"D\n";
    let file = project.file("users.csv", broken);
    let name = file.to_str().expect("a path");
    let arguments = ["users", name];
    assert_eq!(run("import", project.home(), &arguments).code, 1);
    project.file("users.csv", "name\nA\nX\nC\nD\n");
    let said = run("import", project.home(), &arguments);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("the first 3 rows, and they are no longer"), "{}", said.err);
    project.file("users.csv", "name\nA\nB\n");
    assert!(run("import", project.home(), &arguments).err.contains("no longer what they were"));
    assert_eq!(project.ask("SELECT count(*) FROM users"), ["3"]);
    project.file("users.csv", "name\nA\nB\nC\nD\nE\n");
    assert_eq!(good("import", project.home(), &arguments).sum(), (5, 5, 0));
    // Finished, and another content by now: that is another import.
    project.file("users.csv", "name\nF\n");
    assert_eq!(good("import", project.home(), &arguments).sum(), (1, 1, 0));
    assert_eq!(project.ask("SELECT group_concat(name, '') FROM users"), ["ABCDEF"]);
}

#[test]
fn beside_a_server_that_writes_everything_of_both_is_there() {
    let project = Project::of(DECLARATION);
    let server = Options::folder(project.home()).start();
    let home = server.home().to_owned();
    let rows = users();
    let importing = std::thread::spawn(move || {
        let arguments = ["users", "-", "--chunk", "100", "--faults", "/dev/null"];
        fed("import", &home, &arguments, rows.as_bytes())
    });
    let client = server.client();
    let mut own = Vec::new();
    while !importing.is_finished() {
        let answer = client.send(&Request::new("POST", "/api/users").json(r#"{"name": "own"}"#));
        assert_eq!(answer.status, 201, "{}", answer.show());
        own.push(answer.json()["id"].as_i64().expect("an id"));
    }
    let said = importing.join().expect("it ends");
    let good = ROWS - ROWS / 50;
    assert_eq!(said.sum().1, good, "{}", said.err);
    let all = good + own.len() as u64;
    let list = client.send(&Request::new("GET", "/api/users?limit=1"));
    assert_eq!(list.json()["total"], all, "{}", list.show());
    let found = client.send(&Request::new("GET", "/api/users?q=somebody&count=exact&limit=1"));
    assert_eq!(found.json()["total"], good, "{}", found.show());
    own.sort_unstable();
    own.dedup();
    let kept = "SELECT count(*) FROM users WHERE name = 'own'";
    let database = server.database();
    assert_eq!(super::ask(&database, kept), [own.len().to_string()]);
    assert_sound(&database);
}
