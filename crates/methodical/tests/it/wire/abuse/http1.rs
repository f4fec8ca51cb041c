//! HTTP/1.1: smuggling, floods, slow heads and contents, readers that do not read, and too much of
//! everything.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::stays_flat;
use crate::support::server::{Options, PATIENCE, Server};

/// Times that are over soon.
fn impatient() -> Server {
    Options::shop()
        .set("timeouts.first_byte", "1s")
        .set("timeouts.head", "1s")
        .set("timeouts.content_gap", "1s")
        .set("timeouts.send", "1s")
        .set("timeouts.idle", "1s")
        .start()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream.set_write_timeout(Some(PATIENCE)).expect("a time");
    stream
}

/// All that comes until the connection ends, in order or not.
fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    drop(stream.read_to_end(&mut all));
    String::from_utf8_lossy(&all).into_owned()
}

/// Sends bytes and gives all that comes. Whoever refuses may stop reading before they are all sent.
fn send(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server);
    drop(stream.write_all(bytes));
    rest(&mut stream)
}

/// The statuses of all answers. A request that was smuggled in would be one more.
fn statuses(all: &str) -> Vec<&str> {
    all.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect()
}

#[test]
fn nothing_is_smuggled_in() {
    let server = impatient();
    let hidden = "GET /api/users/1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let twisted = [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
        "Content-Length: 6\r\nContent-Length: 0",
        "Content-Length: 6, 6",
        "Content-Length: +6",
        "Content-Length: 0x6",
        "Content-Length: 6 0",
        "Content-Length: 99999999999999999999999",
        "Content-Length : 6",
        "Content-Length\r\n: 6",
        "Content-Length:\r\n 6",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:\u{b}chunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked\r\n Transfer-Encoding: x",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "X: y\0\r\nTransfer-Encoding: chunked",
    ];
    stays_flat(&server, || {
        for fields in twisted {
            let request = format!(
                "POST /api/messages HTTP/1.1\r\nHost: localhost\r\n\
                 Content-Type: application/json\r\n{fields}\r\n\r\n0\r\n\r\n{hidden}"
            );
            let all = send(&server, request.as_bytes());
            let found = statuses(&all);
            assert!(matches!(found[..], ["400" | "413" | "501"]), "{fields:?}: {all}");
            assert!(all.contains("connection: close"), "{fields:?}: {all}");
        }
    });
}

#[test]
fn broken_chunks_end_the_connection() {
    let server = impatient();
    let hidden = "\r\nGET /api/users/1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let long = "x".repeat(70_000);
    let chunks = [
        "-1\r\n{}\r\n0\r\n\r\n".to_owned(),
        "+2\r\n{}\r\n0\r\n\r\n".to_owned(),
        "0x2\r\n{}\r\n0\r\n\r\n".to_owned(),
        "fffffffffffffffff\r\n{}".to_owned(),
        "ffffffffffffffff\r\n{}".to_owned(),
        "2\n{}\n0\n\n".to_owned(),
        "2\r\n{}}\r\n0\r\n\r\n".to_owned(),
        "2;\0=1\r\n{}\r\n0\r\n\r\n".to_owned(),
        format!("2;a={long}\r\n{{}}\r\n0\r\n\r\n"),
        format!("{}2\r\n{{}}\r\n0\r\n\r\n", "0".repeat(70_000)),
        format!("2\r\n{{}}\r\n0\r\na: {long}\r\n\r\n"),
        format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(5000)),
        "2\r\n{}\r\n0\r\nContent-Length : 1\r\n\r\n".to_owned(),
    ];
    stays_flat(&server, || {
        for chunk in &chunks {
            let request = format!(
                "POST /api/messages HTTP/1.1\r\nHost: localhost\r\n\
                 Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                 {chunk}{hidden}"
            );
            let all = send(&server, request.as_bytes());
            let found = statuses(&all);
            let start = &chunk[..chunk.len().min(40)];
            assert!(matches!(found[..], ["400" | "413" | "431"]), "{start:?}: {all}");
            assert!(all.contains("connection: close"), "{start:?}: {all}");
        }
    });
}

#[test]
fn too_much_of_anything_is_refused_before_it_is_kept() {
    let server = impatient();
    let large = 2 * 1024 * 1024;
    let post = |fields: &str| {
        format!(
            "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             {fields}\r\n\r\n"
        )
        .into_bytes()
    };
    let filled = |start: &str, with: &str| {
        let mut bytes = start.as_bytes().to_vec();
        bytes.extend_from_slice(with.repeat(large / with.len()).as_bytes());
        bytes
    };
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("a method", filled("", "A"), &["400", "501", "414", "431"]),
        ("a target", filled("GET /", "a"), &["414"]),
        ("a version", filled("GET / HTTP/1.", "1"), &["400", "414", "431", "505"]),
        ("a value", filled("GET / HTTP/1.1\r\nHost: a\r\nX: ", "a"), &["431"]),
        ("a name", filled("GET / HTTP/1.1\r\nHost: a\r\n", "a"), &["431"]),
        ("fields", filled("GET / HTTP/1.1\r\nHost: a\r\n", "a: b\r\n"), &["431"]),
        ("empty lines", filled("", "\r\n"), &["400"]),
        ("bytes that say nothing", vec![0; large], &["400"]),
        ("a length", post("Content-Length: 18446744073709551615"), &["413"]),
        ("content", [post("Content-Length: 2097152"), vec![b' '; large]].concat(), &["413", "400"]),
        (
            "depth",
            [post("Content-Length: 200000"), vec![b'['; 200_000]].concat(),
            &["400", "413", "422"],
        ),
    ];
    stays_flat(&server, || {
        for (what, bytes, wanted) in &cases {
            let all = send(&server, bytes);
            let found = statuses(&all);
            assert!(
                matches!(found[..], [status] if wanted.contains(&status)),
                "{what}: {found:?}: {}",
                all.get(..all.len().min(600)).unwrap_or_default()
            );
        }
    });
}

/// Work must grow with what is sent, and not with its square, however small its pieces are: this
/// test would take minutes.
#[test]
fn the_smallest_pieces_make_no_more_work_than_large_ones() {
    let server = Options::shop().start();
    let row = |text: &str| format!(r#"{{"email":"a@example.com","text":"{text}"}}"#);
    let (long, wide) = ("x".repeat(9_000), " ".repeat(60_000));
    let contents = [
        ("application/json", wide.clone()),
        ("application/json", format!("{wide}{}", row("x"))),
        ("application/json", format!("[{}]", vec![row(&long); 6].join(","))),
        ("application/x-ndjson", format!("{wide}\n{}", row(&long))),
        ("text/csv", format!("email,text\na@example.com,\"{long}\"\n")),
        ("application/x-www-form-urlencoded", format!("email=a%40example.com&text={long}")),
    ];
    for (form, content) in contents {
        let chunks: String = content.chars().map(|one| format!("1\r\n{one}\r\n")).collect();
        let request = format!(
            "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: {form}\r\n\
             Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
        );
        let all = send(&server, request.as_bytes());
        let wanted = if content == wide { "400" } else { "201" };
        assert_eq!(statuses(&all), [wanted], "{form}: {all}");
    }
}

#[test]
fn slow_heads_contents_and_readers_are_let_go() {
    let server = impatient();
    let head =
        "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    stays_flat(&server, || {
        // Each kind a hundred times at once, and nobody of them in anybody's way.
        let begun = |bytes: &str| {
            let mut streams: Vec<_> = (0..100).map(|_| connect(&server)).collect();
            for stream in &mut streams {
                stream.write_all(bytes.as_bytes()).expect("a beginning");
            }
            streams
        };
        let silent = begun("");
        let heads = begun("GET /api/users HTTP/1.1\r\nHost: loc");
        let lengths = begun(&format!("{head}Content-Length: 100\r\n\r\n{{\"email\":"));
        let chunks = begun(&format!("{head}Transfer-Encoding: chunked\r\n\r\n64\r\n{{\"email\":"));
        // What is asked for is a megabyte, and nobody reads it.
        let lists = "GET /api/users?limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
        let mut readers: Vec<_> = (0..5).map(|_| connect(&server)).collect();
        for reader in &mut readers {
            reader.set_nonblocking(true).expect("a mode");
            // It takes as much as the buffers hold.
            drop(reader.write(lists.as_bytes()));
        }
        assert_eq!(server.client().get("/api/users/1").status, 200);
        for (what, streams, wanted) in [
            ("silent", silent, ""),
            ("heads", heads, "408"),
            ("lengths", lengths, "408"),
            ("chunks", chunks, "408"),
        ] {
            for mut stream in streams {
                let all = rest(&mut stream);
                assert_eq!(statuses(&all).concat(), wanted, "{what}: {all}");
            }
        }
        drop(readers);
    });
}

#[test]
fn floods_keep_nobody_else_from_being_served() {
    let server = impatient();
    let get = "GET /api/users/1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stays_flat(&server, || {
        // Pipelined without end, by somebody who reads nothing and leaves.
        let mut hasty = connect(&server);
        hasty.set_nonblocking(true).expect("a mode");
        let many = get.repeat(1000);
        while hasty.write(many.as_bytes()).is_ok_and(|sent| sent == many.len()) {}
        // Connections that come and go, with something begun or nothing at all.
        for round in 0..500 {
            let mut stream = connect(&server);
            drop(stream.write_all(&many.as_bytes()[..round % 60]));
            if round % 2 == 0 {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
        // Bytes that are drawn: the same in every run.
        let mut drawn: u64 = 1;
        for _ in 0..200 {
            let noise: Vec<u8> = (0..2000)
                .map(|_| {
                    drawn ^= drawn << 13;
                    drawn ^= drawn >> 7;
                    drawn ^= drawn << 17;
                    drawn.to_le_bytes()[0]
                })
                .collect();
            let mut stream = connect(&server);
            drop(stream.write_all(&noise));
            drop(stream.shutdown(Shutdown::Write));
            let all = rest(&mut stream);
            assert!(matches!(statuses(&all)[..], [] | ["400" | "414" | "431" | "501"]), "{all}");
        }
        assert_eq!(server.client().get("/api/users/1").status, 200);
        drop(hasty);
    });
}
