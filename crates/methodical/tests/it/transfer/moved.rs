//! What is exported and imported into a fresh project is the same, value for value.

use std::fs;
use std::path::Path;

use super::{Project, assert_sound, everything, fed, good, run};
use crate::property::chance::Chance;
use crate::support::client::Request;
use crate::support::server::{Options, Server, tests};

fn lab() -> Project {
    let declaration = fs::read_to_string(tests().join("support/lab/methodical.toml"));
    Project::of(&declaration.expect("the lab"))
}

/// Records of every kind, some of them changed, some deleted, some edited from outside.
fn furnish(server: &Server) {
    let client = server.client();
    let send = |method: &str, path: &str, content: &str| {
        let answer = client.send(&Request::new(method, path).json(content));
        assert!(answer.status < 300, "{}", answer.show());
    };
    let mut chance = Chance::new(7);
    for number in 0..60 {
        let title = format!("Note {number} äöü \\\"quoted\\\", and\\nlines");
        let more = match chance.below(4) {
            0 => r#", "rating": 5, "weight": 0.1, "tags": ["a", "b,c"], "meta": null"#,
            1 => r#", "big": -9223372036854775808, "meta": {"deep": [1, {"x": "y"}]}"#,
            2 => r#", "hidden": "a secret", "at": "2026-02-06T10:30:00+01:00", "done": true"#,
            _ => r#", "tags": [], "meta": "", "body": "", "code": "C""#,
        };
        send(
            "POST",
            "/api/notes",
            &format!(r#"{{"title": "{title}", "slug": "S{number}"{more}}}"#),
        );
        send("POST", "/api/things", &format!(r#"{{"name": "=1+{number}"}}"#));
        send("POST", "/api/reviews", r#"{"reviewer": null, "text": " "}"#);
    }
    for number in 1..30 {
        send("PATCH", &format!("/api/notes/{number}"), r#"{"body": "again"}"#);
    }
    send("PUT", "/api/labels/red.1~x", r##"{"color": "#f00"}"##);
    send("PUT", "/api/counters/4503599627370496", r#"{"value": 1}"#);
    send("POST", "/api/parents", r#"{"name": "p"}"#);
    send("POST", "/api/children", r#"{"parent": 1}"#);
    send("POST", "/api/followers", r#"{"parent": 1}"#);
    send("DELETE", "/api/notes/31", "{}");
    let outside = rusqlite::Connection::open(server.database()).expect("a database");
    outside
        .execute_batch(
            "UPDATE notes SET title = 'edited outside' WHERE id = 40;
             INSERT INTO notes (title) VALUES ('inserted outside');",
        )
        .expect("edits");
}

fn assert_same(from: &Path, to: &Path) {
    let (from, to) = (everything(from), everything(to));
    assert!(from.len() > 200, "there is something to compare");
    assert_eq!(from, to);
}

#[test]
fn a_folder_of_files_makes_the_same_records_again() {
    let server = Options::lab().start();
    furnish(&server);
    for format in ["ndjson", "csv"] {
        let fresh = lab();
        let folder = fresh.path("out");
        let folder = folder.to_str().expect("a path");
        good("export", server.home(), &["--output", folder, "--with-secrets", "--format", format]);
        let said = good("import", fresh.home(), &[folder, "--chunk", "17"]);
        let (rows, created, faulty) = said.sum();
        assert_eq!((rows, faulty), (created, 0));
        assert_same(&server.database(), &fresh.path("data.db"));
        assert_sound(&fresh.path("data.db"));
        let again = good("import", fresh.home(), &[folder]);
        assert!(again.err.contains("imported before"), "{}", again.err);
        assert_same(&server.database(), &fresh.path("data.db"));
    }
}

#[test]
fn one_stream_through_a_pipe_makes_the_same_records_again() {
    let server = Options::lab().start();
    furnish(&server);
    let stream = good("export", server.home(), &["--with-secrets"]).out;
    // Into a project that is served already: its records answer at once, and are found.
    let fresh = Options::lab().start();
    let said = fed("import", fresh.home(), &["-"], &stream);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_same(&server.database(), &fresh.database());
    assert_sound(&fresh.database());
    let found = fresh.client().send(&Request::new("GET", "/api/notes?q=again&count=exact"));
    assert_eq!(found.json()["total"], 29, "{}", found.show());
    let next = fresh.client().send(&Request::new("POST", "/api/notes").json(r#"{"title":"x"}"#));
    assert_eq!(next.json()["id"], 62, "{}", next.show());
}

#[test]
fn nobody_is_shown_what_is_hidden_unless_it_is_asked_for() {
    let server = Options::shop().start();
    let users = good("export", server.home(), &["users"]);
    assert!(!users.out.windows(6).any(|bytes| bytes == b"argon2"));
    assert!(users.err.contains("users.password"), "{}", users.err);
    let users = good("export", server.home(), &["users", "--with-secrets"]);
    assert!(users.out.windows(6).any(|bytes| bytes == b"argon2"));
    let file = server.home().join("users.ndjson");
    let name = file.to_str().expect("a path");
    good("export", server.home(), &["users", "--with-secrets", "--output", name]);
    assert_eq!(fs::read(&file).expect("a file"), users.out);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o77, 0, "nobody else may read it");
    }
}

#[test]
fn an_export_is_of_one_moment_while_others_write() {
    let declaration = "[resources.accounts]\nfields.balance = { type = \"integer\" }\n";
    let project = Project::of(declaration);
    let rows = "{\"balance\":10}\n".repeat(400);
    fed("import", project.home(), &["accounts", "-"], rows.as_bytes());
    let database = project.path("data.db");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = std::thread::spawn(move || {
        let outside = rusqlite::Connection::open(database).expect("a database");
        outside.busy_timeout(std::time::Duration::from_secs(20)).expect("a timeout");
        let mut chance = Chance::new(3);
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let (from, to) = (chance.below(400) + 1, chance.below(400) + 1);
            outside
                .execute_batch(&format!(
                    "BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = {from};
                     UPDATE accounts SET balance = balance + 1 WHERE id = {to}; COMMIT;"
                ))
                .expect("a transfer");
        }
    });
    for _ in 0..5 {
        let said = good("export", project.home(), &["accounts"]);
        let text = String::from_utf8(said.out).expect("text");
        let balances = text.lines().map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).expect("a record");
            record["balance"].as_i64().expect("a balance")
        });
        assert_eq!(balances.sum::<i64>(), 4_000);
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().expect("the writer ends");
}

#[test]
fn without_a_database_an_export_says_so_and_makes_none() {
    let project = lab();
    let said = run("export", project.home(), &["notes"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("no database yet"), "{}", said.err);
    assert!(!project.path("data.db").exists());
}
