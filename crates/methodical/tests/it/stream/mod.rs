//! A list of very many records to its end: every record once and in order, in a memory that does
//! not grow, beside writes, and only as far as somebody reads it.

mod reader;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::support::client::Request;
use crate::support::server::{Options, PATIENCE, Server, await_that, tests};
use reader::Reader;

/// Records that are streamed. Their lines are longer than the buffers between client and server.
const RECORDS: u64 = 200_000;
/// How much the memory of the server may grow while it streams: some chunks, and what its allocator
/// keeps of those that are gone. The content is twice as much.
const GROWTH_KIB_MAX: u64 = 16 * 1024;

fn server(records: u64) -> Server {
    let options = Options::folder(&tests().join("stream/events"));
    let server = options.set("reads.threads", "1").start();
    let database = database(&server);
    let insert = "INSERT INTO events (name, number) \
                  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
                  SELECT 'the event of this number, with a text of some length ' || i, i FROM n";
    let count = database.execute(insert, [records as i64]).expect("records");
    assert_eq!(count as u64, records);
    server
}

/// The database as another process sees it.
fn database(server: &Server) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(server.database()).expect("the database");
    database.busy_timeout(PATIENCE).expect("a timeout");
    database
}

/// Kibibytes that a line of `/proc/PID/status` says.
fn memory(server: &Server, name: &str) -> u64 {
    let path = format!("/proc/{}/status", server.process_id());
    let status = std::fs::read_to_string(path).expect("the status of the process");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number")
}

fn ask(server: &Server, version: &str, accept: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let fields = format!("Host: {}\r\nAccept: {accept}\r\n", server.address());
    write!(stream, "GET /api/events HTTP/{version}\r\n{fields}\r\n").expect("a request");
    stream
}

fn create(server: &Server, number: u64) {
    let content = format!(r#"{{"name": "new", "number": {number}}}"#);
    let answer = server.client().send(&Request::new("POST", "/api/events").json(content));
    assert_eq!(answer.status, 201, "{}", answer.show());
}

/// What is in the log behind the name, in the line of the request that was left.
fn left(server: &Server, name: &str) -> Option<u64> {
    let log = server.log();
    let line = log.lines().find(|line| line.contains("left=true"))?;
    let value = line.split_once(&format!(" {name}="))?.1.split(' ').next()?;
    value.parse().ok()
}

#[test]
fn very_many_records_are_streamed_in_order_in_little_memory_beside_writes() {
    let server = server(RECORDS);
    // What the database caches of its file is there before anything is measured.
    let mut reader = Reader::new(ask(&server, "1.1", "application/x-ndjson"));
    while reader.line().is_some() {}
    let before = memory(&server, "VmRSS:");
    let mut reader = Reader::new(ask(&server, "1.1", "application/x-ndjson"));
    assert!(reader.head().contains("transfer-encoding: chunked"), "{}", reader.head());
    let (mut next, mut most) = (1, before);
    while let Some(line) = reader.line() {
        let record: serde_json::Value = serde_json::from_slice(&line).expect("a record");
        assert_eq!(record["id"], next, "a record is missing, or comes twice");
        if next == RECORDS / 2 {
            // The stream stands still, and holds no snapshot: what is written can be moved out of
            // the log whole.
            create(&server, RECORDS + 1);
            await_that("the log of the database is written back", || is_written_back(&server));
        }
        if next % 1000 == 0 {
            most = most.max(memory(&server, "VmRSS:"));
        }
        next += 1;
    }
    assert!(reader.is_whole(), "the last chunk is missing");
    assert_eq!(next, RECORDS + 2, "what was created behind the place was to come too");
    assert!(most - before < GROWTH_KIB_MAX, "it grew from {before} to {most} KiB");
}

/// True where the whole log of the database could be written back: nobody reads an older state.
fn is_written_back(server: &Server) -> bool {
    database(server)
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            let (log, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(log == moved)
        })
        .expect("a checkpoint")
}

#[test]
fn what_cannot_be_read_further_breaks_off_and_does_not_look_whole() {
    let server = server(5000);
    let damage = |id: u32| {
        let database = database(&server);
        database.execute_batch("PRAGMA ignore_check_constraints = ON").expect("no checks");
        let update = "UPDATE events SET createdAt = 'no time' WHERE id = ?";
        database.execute(update, [id]).expect("an edit from outside");
    };
    damage(3000);
    let mut reader = Reader::new(ask(&server, "1.1", "application/x-ndjson"));
    let mut lines = 0;
    while reader.line().is_some() {
        lines += 1;
    }
    assert!((100..3000).contains(&lines) && !reader.is_whole(), "{lines} lines");
    server.await_log("interrupted=true");
    let log = server.log();
    let line = log.lines().find(|line| line.contains("interrupted=true")).expect("a line");
    assert!(line.contains(" ERROR ") && line.contains("status=200"), "{line}");
    assert!(line.contains("events 3000 holds something in `createdAt`"), "{line}");

    let mut all = Vec::new();
    let ended = ask(&server, "1.0", "text/csv").read_to_end(&mut all);
    let kind = ended.expect_err("the end of the connection is no end of the content").kind();
    assert_eq!(kind, std::io::ErrorKind::ConnectionReset);

    // Before there is a status, it still can be the right one.
    damage(1);
    let asked = Request::new("GET", "/api/events").field("accept", "text/csv");
    let answer = server.client().send(&asked);
    assert_eq!(answer.status, 500, "{}", answer.show());
}

#[test]
fn a_client_that_leaves_ends_the_reading_and_http_1_0_gets_all_to_the_end_of_the_connection() {
    let server = server(RECORDS);
    let mut stream = ask(&server, "1.1", "text/csv");
    let mut some = [0; 4096];
    stream.read_exact(&mut some).expect("the first bytes");
    assert!(some.starts_with(b"HTTP/1.1 200 OK\r\n"));
    drop(stream);
    await_that("the log has the line", || left(&server, "bytes").is_some());
    let sent = left(&server, "bytes").expect("a number of bytes");

    let mut stream = ask(&server, "1.0", "text/csv");
    stream.shutdown(Shutdown::Write).expect("an end of the request");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("an end");
    let (head, content) = all.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("connection: close") && !head.contains("transfer-encoding"), "{head}");
    let mut lines = content.split_terminator("\r\n");
    assert_eq!(lines.next(), Some("id,name,number,createdAt,updatedAt"));
    for (number, line) in (1_u64..).zip(lines.by_ref().take(RECORDS as usize)) {
        let name = format!("the event of this number, with a text of some length {number}");
        let expected = format!("{number},\"{name}\",{number},20");
        assert!(line.starts_with(&expected), "{line} does not begin with {expected}");
    }
    assert_eq!(lines.next(), None);
    let whole = content.len() as u64;
    assert!(sent < whole / 2, "{sent} of {whole} bytes were read for nobody");
}

#[test]
fn what_was_exported_can_be_created_again_value_for_value() {
    let server = Options::lab().start();
    let client = server.client();
    let export = |media_type: &str| {
        let fields = "fields=title,body,rating,big,weight,done,tags,meta,at,code";
        let target = format!("/api/notes?{fields}&sort=title,id");
        let answer = client.send(&Request::new("GET", &target).field("accept", media_type));
        assert_eq!(answer.status, 200, "{}", answer.show());
        answer.content
    };
    for note in [
        r#"{"title": "a", "body": "", "rating": 5, "big": -9223372036854775808, "weight": 1e-7}"#,
        r#"{"title": "b,\"c\"", "body": "x\r\ny\n", "done": true, "at": "2026-02-06T10:30:00Z"}"#,
        r#"{"title": "=1+1", "body": " b ", "code": "", "tags": [], "meta": "\""}"#,
        r#"{"title": "Zoë \u2028 🦀", "tags": ["a,b", ""], "meta": {"k": [1.5, null]}}"#,
    ] {
        let made = client.send(&Request::new("POST", "/api/notes").json(note));
        assert_eq!(made.status, 201, "{}", made.show());
    }
    for media_type in ["text/csv", "application/x-ndjson"] {
        let before = export(media_type);
        let lines = String::from_utf8(export("application/x-ndjson")).expect("text");
        let again = Request::new("POST", "/api/notes").content(media_type, before);
        let made = client.send(&again);
        assert_eq!(made.status, 201, "{}", made.show());
        let twice: String = lines.lines().flat_map(|line| [line, "\n", line, "\n"]).collect();
        let after = String::from_utf8(export("application/x-ndjson")).expect("text");
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&after), sorted(&twice), "{media_type}");
    }
}
