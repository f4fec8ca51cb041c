//! The commands that care for a database, and the numbers that the server tells: what they say,
//! what they refuse, and that they are true.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use super::support::client::{Client, Request};
use super::support::server::{Options, Server, await_that};

fn methodical(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Both streams of a command that ends so.
fn run(arguments: &[&str], code: i32) -> (String, String) {
    let output = methodical(arguments);
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{out}\n{err}");
    (out, err)
}

fn create(server: &Server, name: &str) -> i64 {
    let content = format!(r#"{{"name":"{name}","email":"a@example.org"}}"#);
    let answer = server.admin().send(&Request::new("POST", "/api/users").json(content));
    assert_eq!(answer.status, 201, "{}", answer.show());
    answer.json()["id"].as_i64().expect("an id")
}

#[test]
fn a_backup_and_a_restore_say_what_they_did_and_how_to_undo_it() {
    let mut server = Options::shop().start();
    let home = text(server.home()).to_owned();
    let kept = create(&server, "Kept");
    let (out, err) = run(&["backup", &home], 0);
    let file = out.trim().to_owned();
    assert!(file.contains("/backups/data-") && file.ends_with("Z.db.zst"), "{file}");
    assert!(err.contains(&format!("methodical restore {home} {file}")), "{err}");
    let lost = create(&server, "Lost");
    let old = server.admin().get(&format!("/api/users/{kept}"));
    let (_, err) = run(&["restore", &home, &file], 1);
    assert!(err.contains("server is running") && err.contains("Nothing was replaced"), "{err}");
    assert!(server.terminate().success());

    let (_, err) = run(&["restore", &home, &file], 0);
    assert!(err.contains("To undo this") && err.contains("data.db-before-"), "{err}");
    server.restart();
    let found = server.admin().get(&format!("/api/users/{kept}"));
    assert_eq!((found.status, found.text()), (200, old.text()));
    let tag = old.field("etag").expect("a tag");
    let request = Request::new("GET", &format!("/api/users/{kept}")).field("if-none-match", &tag);
    assert_eq!(server.admin().send(&request).status, 200, "no old tag is good");
    assert_eq!(server.admin().get(&format!("/api/users/{lost}")).status, 404);
    assert!(create(&server, "New") > lost, "no id is given twice");
    assert!(server.terminate().success());

    // The commands that it printed undo it.
    let undo = err.split("no server running:\n").nth(1).expect("commands");
    let undo: String = undo.lines().take_while(|line| !line.starts_with("To serve")).collect();
    let undo = undo.replace("    ", "\n");
    let done = Command::new("sh").args(["-ec", &undo]).status().expect("a shell");
    assert!(done.success(), "{undo}");
    server.restart();
    assert_eq!(server.admin().get(&format!("/api/users/{lost}")).status, 200);
}

#[test]
fn a_cursor_of_before_a_restore_is_refused() {
    let mut server = Options::shop().set("limits.offset", "2").start();
    let home = text(server.home()).to_owned();
    let list = server.admin().get("/api/users?page=2&limit=2&sort=name");
    let next = list.json()["next"].as_str().expect("a next page").to_owned();
    assert!(next.contains("cursor="), "{next}");
    assert_eq!(server.admin().get(&next).status, 200);
    let file = server.home().join("one.db.zst");
    run(&["backup", &home, text(&file)], 0);
    assert!(server.terminate().success());
    run(&["restore", &home, text(&file)], 0);
    server.restart();
    assert_eq!(server.admin().get(&next).status, 400);
}

#[test]
fn a_backup_goes_through_pipes() {
    let mut server = Options::shop().start();
    let home = text(server.home()).to_owned();
    let kept = create(&server, "Piped");
    let output = methodical(&["backup", &home, "-"]);
    assert!(output.status.success() && output.stdout.len() > 1000);
    assert!(server.terminate().success());
    fs::remove_file(server.database()).expect("a database");
    let mut child = Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(["restore", &home, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(&output.stdout).expect("it reads");
    drop(pipe);
    assert!(child.wait().expect("a child").success());
    server.restart();
    assert_eq!(server.admin().get(&format!("/api/users/{kept}")).status, 200);
}

#[test]
fn a_status_says_how_it_is_and_vacuum_waits_for_the_end_of_the_server() {
    let mut server = Options::shop().start();
    let home = text(server.home()).to_owned();
    let (out, _) = run(&["status", &home], 0);
    assert!(out.contains("server       runs") && out.contains("none was made yet"), "{out}");
    let (out, _) = run(&["status", &home, "--json"], 0);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&told["served"], &told["fitsDeclaration"]), (&Value::Bool(true), &true.into()));
    assert_eq!(told["resources"]["users"]["records"], 42);
    assert_eq!((&told["sessions"], &told["apiKeys"]), (&0.into(), &1.into()));
    assert_eq!(told["audit"]["entries"], 1, "the key of the first start");
    assert!(told["audit"]["oldest"].is_string(), "{told}");
    let (_, err) = run(&["vacuum", &home], 1);
    assert!(err.contains("server is running"), "{err}");
    assert!(server.terminate().success());
    let (_, err) = run(&["vacuum", &home], 0);
    assert!(err.contains("given back"), "{err}");
    let (out, _) = run(&["status", &home], 0);
    assert!(out.contains("server       does not run"), "{out}");
    server.restart();
    let empty = tempfile::tempdir().expect("a folder");
    run(&["init", text(&empty.path().join("new"))], 0);
    for command in ["status", "vacuum", "backup"] {
        let (_, err) = run(&[command, text(&empty.path().join("new"))], 1);
        assert!(err.contains("there is no database"), "{err}");
    }
}

#[test]
fn a_check_finds_what_a_repair_mends() {
    let mut server = Options::shop().start();
    let home = text(server.home()).to_owned();
    let (out, _) = run(&["check", &home, "--database"], 0);
    assert!(out.contains("is sound"), "{out}");
    let (_, err) = run(&["check", &home, "--database", "--repair"], 1);
    assert!(err.contains("server is running"), "{err}");
    assert!(server.terminate().success());
    let outside = Connection::open(server.database()).expect("a database");
    outside
        .execute_batch("UPDATE _methodical_resource SET total = 7 WHERE name = 'users'")
        .expect("an edit");
    drop(outside);
    let (out, err) = run(&["check", &home, "--database"], 1);
    assert!(out.contains("derived: users: the total says 7 records, and there are 42"), "{out}");
    assert!(err.contains("--database --repair"), "{err}");
    let (out, _) = run(&["check", &home, "--database", "--repair"], 0);
    assert!(out.contains("repaired: users: the total is 42 now"), "{out}");
    run(&["check", &home, "--repair"], 2);
}

#[test]
fn a_damaged_database_is_told_at_the_start_with_what_can_be_done() {
    let mut server = Options::shop().start();
    let home = text(server.home()).to_owned();
    let (out, _) = run(&["backup", &home], 0);
    let file = out.trim().to_owned();
    assert!(server.terminate().success());
    let whole = fs::read(server.database()).expect("a database");
    let serve = ["serve", &home, "--listen", "127.0.0.1:0"];
    let middle = whole.len() / 2 / 4096 * 4096;
    let mut holed = whole.clone();
    holed[middle..middle + 4096].fill(0);
    let harmed: [(&[u8], &str); 4] = [
        (&whole[..middle], "its end is lost"),
        (b"<html>not found</html>", "not an SQLite database"),
        (&holed, "damaged"),
        (&whole[..20], "not an SQLite database"),
    ];
    for (bytes, said) in harmed {
        fs::write(server.database(), bytes).expect("a file");
        let (out, err) = run(&serve, 1);
        assert!(err.contains(said) && out.is_empty(), "{said}: {err}");
        let steps = [
            format!("methodical restore {home} {file}"),
            format!("methodical check {home} --database"),
            ".recover".to_owned(),
        ];
        for step in steps {
            assert!(err.contains(&step), "{step}: {err}");
        }
        assert_eq!(fs::read(server.database()).expect("a file"), bytes, "it was written to");
    }
    // The first way out works.
    run(&["restore", &home, &file], 0);
    server.restart();
    assert_eq!(server.admin().get("/api/users/1").status, 200);
}

#[test]
fn the_server_backs_up_by_itself_keeps_some_and_says_when_it_cannot() {
    let options = Options::shop().set("backup.every", "200ms").set("backup.keep", "2");
    let mut server = options.start();
    let folder = server.home().join("backups");
    let names = || -> Vec<String> {
        let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|n| n.into_string().expect("UTF-8")).collect();
        names.retain(|name| name.ends_with(".db.zst"));
        names.sort();
        names
    };
    await_that("there are backups", || names().len() == 2);
    let first = names();
    await_that("the oldest went", || !names().contains(&first[0]) && names().len() <= 2);
    let home = text(server.home()).to_owned();
    // No folder can be where a file is.
    fs::remove_dir_all(&folder).expect("a folder");
    fs::write(&folder, "").expect("a file");
    server.await_log("no backup was made");
    fs::remove_file(&folder).expect("a file");
    assert!(server.terminate().success());
    let (out, _) = run(&["status", &home], 0);
    assert!(out.contains("backup "), "{out}");
}

/// The value of a sample.
fn sample(page: &str, name: &str) -> Option<u64> {
    let line = page
        .lines()
        .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn metrics_count_what_was_asked() {
    let server = Options::shop().set("metrics.listen", "127.0.0.1:0").start();
    server.await_log("/metrics");
    let log = server.log();
    let (_, rest) = log.split_once("metrics are served at http://").expect("an address");
    let (address, _) = rest.split_once('/').expect("a path");
    let metrics = Client::new(address.parse::<SocketAddr>().expect("an address"));
    let page = || {
        let answer = metrics.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.show());
        let kind = answer.field("content-type").expect("a media type");
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        answer.text()
    };
    for _ in 0..3 {
        server.admin().get("/api/users?limit=2");
    }
    server.admin().get("/api/users/1");
    server.admin().get("/api/users/999999");
    server.client().get("/secret-path-of-somebody");
    let request = Request::new("POST", "/api/users")
        .field("idempotency-key", "\"a-key-of-more-than-22-characters\"")
        .json(r#"{"name":"A","email":"a@example.org"}"#);
    assert_eq!(server.admin().send(&request).status, 201);
    let series = |route: &str, method: &str, status: u16| {
        format!(
            "methodical_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
        )
    };
    await_that("all of them are counted", || {
        sample(&page(), &series("/{resource}", "POST", 201)) == Some(1)
    });
    let page = page();
    for (name, value) in [
        (series("/{resource}", "GET", 200), 3),
        (series("/{resource}/{id}", "GET", 200), 1),
        (series("/{resource}/{id}", "GET", 404), 1),
        (series("-", "GET", 404), 1),
        ("methodical_write_group_size_count".to_owned(), 1),
        ("methodical_write_group_size_sum".to_owned(), 1),
        ("methodical_list_cache_total{outcome=\"hit\"}".to_owned(), 2),
        ("methodical_list_cache_total{outcome=\"miss\"}".to_owned(), 1),
        ("methodical_keys".to_owned(), 1),
        ("methodical_jobs".to_owned(), 0),
        ("methodical_jobs_failed".to_owned(), 0),
        ("methodical_write_queue".to_owned(), 0),
        ("methodical_reads_total{path=\"pool\"}".to_owned(), 0),
        ("methodical_reads_too_slow_total".to_owned(), 0),
        ("methodical_backup_failed".to_owned(), 0),
    ] {
        assert_eq!(sample(&page, &name), Some(value), "{name} in\n{page}");
    }
    let timed = "methodical_request_seconds_count{route=\"/{resource}\",method=\"GET\"}";
    assert_eq!(sample(&page, timed), Some(3));
    assert!(sample(&page, "methodical_log_bytes").is_some_and(|bytes| bytes > 0));
    assert!(!page.contains("secret-path") && !page.contains("limit") && !page.contains("999999"));
    let head = metrics.send(&Request::new("HEAD", "/metrics"));
    assert!(head.status == 200 && head.content.is_empty());
    let wrong = metrics.send(&Request::new("POST", "/metrics").json("{}"));
    assert_eq!((wrong.status, wrong.field("allow").as_deref()), (405, Some("GET, HEAD")));
    assert_eq!(metrics.get("/api/users").status, 404, "the API is elsewhere");
    assert_eq!(server.client().get("/metrics").status, 404, "and so is this");
}
