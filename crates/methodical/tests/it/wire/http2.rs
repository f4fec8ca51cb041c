//! HTTP/2 through curl and frame by frame, behind a declared proxy and over TLS: the same answers
//! as over HTTP/1.1.

use std::process::Command;

use super::frames::{END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, Wire, fields};
use crate::support::server::{Options, Server};

fn behind_proxy() -> Server {
    Options::shop().set("proxies", "127.0.0.1").start()
}

/// What curl says: status, version, fields and content.
fn curl(server: &Server, arguments: &[&str], path: &str) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--include", "--http2-prior-knowledge", "--max-time", "60"])
        .args(arguments)
        .arg(format!("http://localhost:{}{path}", server.address().port()))
        .output()
        .expect("curl runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn answers_are_those_of_every_version() {
    let server = behind_proxy();
    let found = curl(&server, &[], "/api/users/1");
    assert!(found.starts_with("HTTP/2 200") && found.ends_with('}'), "{found}");
    assert!(found.contains("\r\nrequest-id: ") && found.contains("\r\ndate: "), "{found}");
    let tag = found.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag").trim();
    let known = curl(&server, &["-H", &format!("if-none-match: {tag}")], "/api/users/1");
    assert!(known.starts_with("HTTP/2 304") && !known.contains("content-length"), "{known}");
    let head = curl(&server, &["--head"], "/api/users/1");
    let length = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("content-length"));
        line.map(str::to_owned)
    };
    assert_eq!(length(&head), length(&found));
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    for (arguments, path, status) in [
        (&["-X", "DELETE"][..], "/api/users", "405"),
        (&["-X", "FROB"], "/api/users", "501"),
        (
            &["-X", "QUERY", "-H", "content-type: application/json", "-d", r#"{"name":"alice"}"#],
            "/api/users",
            "200",
        ),
        (
            &[
                "-d",
                r#"{"email":"a@example.com","text":"x"}"#,
                "-H",
                "content-type: application/json",
            ],
            "/api/messages",
            "201",
        ),
        (&["-d", "{", "-H", "content-type: application/json"], "/api/messages", "400"),
        (&["-X", "GET", "-d", "{}"], "/api/users", "400"),
        (
            &["-H", "expect: 100-continue", "-H", "content-type: text/plain", "-d", "x"],
            "/api/messages",
            "415",
        ),
        (&[], "/api/users?token=x", "400"),
        (&[], "/nowhere", "404"),
    ] {
        let answer = curl(&server, arguments, path);
        let last = answer.rsplit("HTTP/2 ").next().unwrap_or_default();
        assert!(last.starts_with(status), "{arguments:?} {path}: {answer}");
    }
    let long = format!("/api/users?name={}", "x".repeat(9000));
    assert!(curl(&server, &[], &long).starts_with("HTTP/2 414"));
    // A list that is read while it is sent.
    let admin = format!("authorization: Bearer {}", server.admin_key());
    let lines = curl(&server, &["-H", &admin, "-H", "accept: application/x-ndjson"], "/api/users");
    assert_eq!(lines.split("\r\n\r\n").nth(1).expect("content").lines().count(), 42, "{lines}");
    // Far more than a window holds.
    let many: Vec<String> = (0..3000)
        .map(|at| format!(r#"{{"email":"a@example.com","text":"{at} {}"}}"#, "x".repeat(200)))
        .collect();
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("many.json");
    std::fs::write(&file, format!("[{}]", many.join(","))).expect("a file");
    let data = format!("@{}", file.display());
    let created = curl(
        &server,
        &["-H", "content-type: application/json", "--data-binary", &data],
        "/api/messages",
    );
    assert!(created.contains("HTTP/2 201") && created.contains(r#""created":3000"#), "{created}");
    let all = curl(&server, &["-H", &admin, "-H", "accept: application/x-ndjson"], "/api/messages");
    assert!(all.matches("\"email\"").count() > 3000);
}

#[test]
fn only_a_declared_proxy_speaks_it_in_the_clear() {
    let server = Options::shop().start();
    let mut wire = Wire::open(server.address());
    assert!(wire.next().is_none_or(|frame| frame.kind != 4), "HTTP/1.1 answers, or nothing");
    let server = behind_proxy();
    let mut wire = Wire::open(server.address());
    wire.get(1, "/api/users/1").expect("a request");
    assert_eq!(wire.status(), Some(0x88));
}

#[test]
fn requests_that_no_version_has_are_refused_alone() {
    let server = behind_proxy();
    let pseudo = |path: &'static str| {
        [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
    };
    // Malformed to the protocol: the stream is reset, or the connection ended (RFC 9113 §8.1.1).
    for extra in [
        ("Upper", "x"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        (":path", "/again"),
        ("x-y", "a\r\nb"),
    ] {
        let mut wire = Wire::open(server.address());
        let mut all = pseudo("/api/users/1").to_vec();
        all.push(extra);
        wire.send(HEADERS, END_STREAM | END_HEADERS, 1, &fields(&all)).expect("a request");
        loop {
            match wire.next() {
                Some(frame) if frame.kind == HEADERS => {
                    assert_ne!(frame.payload[0], 0x88, "{extra:?} was answered");
                    break;
                }
                Some(frame) if [RST_STREAM, GOAWAY].contains(&frame.kind) => break,
                Some(_) => {}
                None => break,
            }
        }
    }
    // Two names of one host.
    let mut wire = Wire::open(server.address());
    let mut all = pseudo("/api/users/1").to_vec();
    all.push(("host", "shop.example"));
    wire.send(HEADERS, END_STREAM | END_HEADERS, 1, &fields(&all)).expect("a request");
    assert_eq!(wire.status(), Some(0x8c), "a 400");
    // Cookies in pieces are one.
    let mut all = pseudo("/api/users/1").to_vec();
    all.extend([("cookie", "a=1"), ("cookie", "b=2")]);
    wire.send(HEADERS, END_STREAM | END_HEADERS, 3, &fields(&all)).expect("a request");
    assert_eq!(wire.status(), Some(0x88), "the connection goes on");
}

#[test]
fn what_was_accepted_is_answered_when_the_server_stops() {
    let mut server = behind_proxy();
    let mut wire = Wire::open(server.address());
    wire.get(1, "/api/users/1").expect("a request");
    assert_eq!(wire.status(), Some(0x88));
    assert!(server.terminate().success());
    assert!(wire.until(GOAWAY).is_some(), "the end is told");
}
