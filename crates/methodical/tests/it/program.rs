//! The program from outside: how it starts, stops, reloads, logs, and refuses to start.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::support::client::Request;
use super::support::server::{Options, PATIENCE, Server};

fn methodical(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

fn refused(arguments: &[&str], code: i32) -> String {
    let output = methodical(arguments);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {words}");
    assert!(output.stdout.is_empty(), "{arguments:?} wrote to standard output");
    words
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn a_start_that_fails_says_what_to_do_next() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path().join("api");
    let words = refused(&["serve", text(&dir)], 1);
    assert!(words.contains(&format!("methodical init {}", text(&dir))), "{words}");
    let words = refused(&["serve", text(home.path())], 1);
    assert!(words.contains("methodical init"), "{words}");
    assert!(methodical(&["init", text(&dir)]).status.success());
    let words = refused(&["init", text(&dir)], 1);
    assert!(words.contains("methodical serve"), "{words}");
    refused(&["serve", text(&dir), "--set", "limits.target"], 2);
    refused(&["serve", text(&dir), "--lisen", "x"], 2);
    refused(&["serf"], 2);
    assert!(!dir.join("data.db").exists(), "a start that fails leaves no database");
    assert!(!dir.join("admin.key").exists(), "nor a key");
}

#[test]
fn a_busy_port_and_a_second_server_are_refused() {
    let server = Options::shop().start();
    let address = server.address().to_string();
    let words = refused(&["serve", text(server.home()), "--listen", &address], 1);
    assert!(words.contains("in use") && words.contains("--listen 127.0.0.1:0"), "{words}");
    let words = refused(&["serve", text(server.home()), "--listen", "127.0.0.1:0"], 1);
    assert!(words.contains("another `methodical serve`"), "{words}");
}

#[test]
fn init_serve_curl_works_for_somebody_who_has_read_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path().join("notes");
    assert!(methodical(&["init", text(&dir)]).status.success());
    let server = Options::folder(&dir).start();
    server.await_log("Try, in another terminal:");
    let log = server.log();
    assert!(log.contains("admin.key"), "it says where the key is: {log}");
    assert!(!log.contains(&server.admin_key()), "and not what it is: {log}");
    let line = log.lines().map(str::trim).find(|line| line.starts_with("KEY="));
    let line = line.expect("a line to paste");
    let commands: Vec<&str> =
        log.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(commands.len(), 3, "{log}");
    for command in commands {
        let output = Command::new("sh")
            .args(["-c", &format!("{line}; {command}")])
            .output()
            .expect("a shell");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.starts_with("HTTP/1.1 2"), "{command}: {answer}");
    }
}

/// Sends a signal by kill(1).
fn signal(server: &Server, name: &str) {
    let id = server.process_id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().expect("kill(1) runs");
    assert!(sent.success());
}

#[test]
fn sigterm_finishes_what_was_accepted() {
    let mut server = Options::shop().start();
    let client = server.client();
    let mut idle = client.connect();
    let mut reading = client.connect();
    let content = r#"{"value": "kept"}"#;
    let head = format!(
        "POST /api/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
        server.admin_key(),
        content.len()
    );
    reading.write(head.as_bytes()).expect("a head is sent");
    idle.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request is sent");
    assert_eq!(idle.answer("GET").expect("an answer").status, 200);
    signal(&server, "-TERM");
    server.await_log("stopping: ");
    assert!(client.try_connect().is_err(), "nothing new is accepted");
    assert!(idle.rest().is_empty(), "an idle connection is closed");
    reading.write(content.as_bytes()).expect("the content is sent");
    let answer = reading.answer("POST").expect("an answer");
    assert_eq!(answer.status, 201);
    drop(reading);
    assert_eq!(server.await_end().code(), Some(0));
    server.restart();
    let list = server.admin().get("/api/data?sort=-id&limit=1");
    assert!(String::from_utf8_lossy(&list.content).contains("kept"));
}

#[test]
fn a_second_signal_exits_at_once() {
    let mut server = Options::shop().start();
    let mut reading = server.client().connect();
    reading.write(b"POST /api/data HTTP/1.1\r\nHost: a\r\nContent-Le").expect("half a head");
    // The connection has to be accepted before the end begins.
    assert_eq!(server.client().get("/healthz").status, 200);
    signal(&server, "-INT");
    server.await_log("stopping: 1 connection");
    let start = Instant::now();
    signal(&server, "-INT");
    assert_ne!(server.await_end().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn watch_takes_over_what_is_valid_and_keeps_the_rest_out() {
    let server = Options::shop().argument("--watch").start();
    let file = server.home().join("methodical.toml");
    let text = std::fs::read_to_string(&file).expect("a declaration");
    assert_eq!(delete_user(&server, 42).status, 200);
    let demanding =
        text.replace("[resources.users]", "[resources.users]\npreconditions = \"required\"");
    std::fs::write(&file, &demanding).expect("written");
    server.await_log("is served from now on");
    assert_eq!(delete_user(&server, 41).status, 428);
    std::fs::write(&file, demanding.clone() + "\nnonsense\n").expect("written");
    server.await_log("it has errors");
    assert_eq!(delete_user(&server, 41).status, 428);
    let table = demanding.replace("[resources.data]", "[resources.data]\nfields.more = {}");
    std::fs::write(&file, table).expect("written");
    server.await_log("data: add field `more`");
    assert_eq!(delete_user(&server, 41).status, 428);
}

/// Deletes a user whom nothing refers to.
fn delete_user(server: &Server, id: u32) -> super::support::answer::Answer {
    server.admin().send(&Request::new("DELETE", &format!("/api/users/{id}")))
}

#[test]
fn the_log_has_one_line_a_request_and_no_value() {
    for format in ["text", "json"] {
        let server = Options::shop().set("log.format", format).start();
        let secret = "hush-hush-value";
        let client = server.admin();
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let list = Request::new("GET", &format!("/api/users?name={secret}&page=1"))
            .field("Cookie", secret)
            .field("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"))
            .field("Request-Id", secret);
        let answer = client.send(&list);
        assert_eq!(answer.status, 200);
        let id = answer.field("request-id").expect("a request id").to_owned();
        assert_ne!(id, secret, "no id is taken from outside");
        client.send(&Request::new("GET", &format!("/api/users?{secret}=1")));
        client.send(&Request::new("GET", &format!("/api/users?token={secret}")));
        client.send(&Request::new("GET", &format!("/{secret}/{secret}")));
        client.send(&Request::new(secret, "/api/users"));
        let unknown = Request::new("GET", "/api/users").field("Authorization", secret);
        assert_eq!(client.send(&unknown).status, 401);
        client
            .send(&Request::new("POST", "/api/data").json(format!("{{\"value\": \"{secret}\"}}")));
        let mut broken = client.connect();
        broken.write(format!("GET / {secret}\r\n\r\n").as_bytes()).expect("sent");
        assert_eq!(broken.answer("GET").expect("an answer").status, 400);
        server.await_log("malformed-request");
        let log = server.log();
        assert!(!log.contains(secret) && !log.contains(&server.admin_key()), "{log}");
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("first_byte_ms")).collect();
        assert_eq!(lines.len(), 8, "{log}");
        assert!(lines[0].contains(&id) && lines[0].contains(trace), "{}", lines[0]);
        assert!(lines[0].contains("name") && lines[0].contains("page"), "{}", lines[0]);
        if format == "json" {
            for line in lines {
                serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON");
            }
        }
    }
}

#[test]
fn standard_output_has_the_address_alone() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path().join("notes");
    assert!(methodical(&["init", text(&dir)]).status.success());
    let mut child = Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(["serve", text(&dir), "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut line = Vec::new();
    let start = Instant::now();
    while line.last() != Some(&b'\n') && start.elapsed() < PATIENCE {
        let mut byte = [0];
        stdout.read_exact(&mut byte).expect("an address");
        line.push(byte[0]);
    }
    drop(child.kill());
    drop(child.wait());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "");
    let line = String::from_utf8(line).expect("text");
    let address = line.trim().strip_prefix("http://").expect("an address");
    assert!(address.parse::<std::net::SocketAddr>().is_ok_and(|found| found.port() > 0));
}
