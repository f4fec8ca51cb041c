//! HTTP/2: floods of frames, heads without end, streams that are taken back, senders and readers
//! that are too slow.

use super::super::frames::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PING,
    PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, Wire, fields, frame,
};
use super::stays_flat;
use crate::support::server::{Options, Server};

/// Sends the same bytes again and again until the connection is ended. Gives whether it was, and
/// with which code.
fn flood(server: &Server, begin: &[u8], again: &dyn Fn(u32) -> Vec<u8>, most: u32) -> Option<u32> {
    let mut wire = Wire::open(server.address());
    wire.raw(begin).expect("the beginning is sent");
    for round in 0..most {
        if wire.raw(&again(round)).is_err() {
            break;
        }
    }
    // A reset may overtake what was said before it.
    wire.until(GOAWAY).map(|frame| frame.code())
}

fn get(stream: u32) -> Vec<u8> {
    let pseudo = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/api/users/1"),
        (":authority", "localhost"),
    ];
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &fields(&pseudo))
}

fn post(stream: u32) -> Vec<u8> {
    let pseudo = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/api/messages"),
        (":authority", "localhost"),
        ("content-type", "application/json"),
    ];
    frame(HEADERS, END_HEADERS, stream, &fields(&pseudo))
}

#[test]
fn whoever_only_makes_work_is_left() {
    let server = Options::shop().set("proxies", "127.0.0.1").start();
    let mut first = Wire::open(server.address());
    first.get(1, "/api/users/1").expect("a request");
    assert_eq!(first.status(), Some(0x88));
    let many =
        |kind, flags, stream, payload: &[u8]| frame(kind, flags, stream, payload).repeat(256);
    let stream = |round: u32| 2 * round + 1;
    type Again = Box<dyn Fn(u32) -> Vec<u8>>;
    let floods: Vec<(&str, Vec<u8>, Again)> = vec![
        ("pings", Vec::new(), Box::new(move |_| many(PING, 0, 0, &[0; 8]))),
        ("settings", Vec::new(), Box::new(move |_| many(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]))),
        ("windows", Vec::new(), Box::new(move |_| many(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))),
        ("priorities", Vec::new(), Box::new(move |_| many(PRIORITY, 0, 1, &[0, 0, 0, 3, 9]))),
        ("empty data", post(1), Box::new(move |_| many(DATA, 0, 1, &[]))),
        (
            "continuations",
            frame(HEADERS, END_STREAM, 1, &fields(&[(":method", "GET")])),
            Box::new(move |_| frame(CONTINUATION, 0, 1, &fields(&[("x", "y")])).repeat(64)),
        ),
        (
            "resets",
            Vec::new(),
            Box::new(move |round| {
                [get(stream(round)), frame(RST_STREAM, 0, stream(round), &[0, 0, 0, 8])].concat()
            }),
        ),
        (
            "a head without end",
            frame(HEADERS, END_STREAM, 1, &fields(&[(":method", "GET")])),
            Box::new(move |_| frame(CONTINUATION, 0, 1, &fields(&[("x", &"y".repeat(16_000))]))),
        ),
    ];
    stays_flat(&server, || {
        for (name, begin, again) in &floods {
            let code = flood(&server, begin, again, 20_000);
            if let Some(code) = code {
                assert_ne!(code, 0, "{name}: it is no end in order");
            }
            if ["pings", "settings", "windows", "priorities"].contains(name) {
                assert!(code.is_none_or(|code| code == ENHANCE_YOUR_CALM), "{name}: {code:?}");
            }
            assert_eq!(
                server.client().get("/api/users/1").status,
                200,
                "{name}: the server goes on"
            );
        }
    });
    first.get(3, "/api/users/1").expect("a request");
    assert_eq!(first.status(), Some(0x88), "who has done nothing is not touched");
}

/// Content that comes byte by byte, and an answer that is taken so: neither holds a stream.
#[test]
fn whoever_is_too_slow_is_left() {
    let server = Options::shop()
        .set("proxies", "127.0.0.1")
        .set("timeouts.content_gap", "1s")
        .set("timeouts.send", "1s")
        .set("timeouts.pace", "64 KiB")
        .start();
    let mut sender = Wire::open(server.address());
    sender.raw(&post(1)).expect("a stream");
    let answered = sender.go_on(DATA, &frame(DATA, 0, 1, b" "));
    let problem = String::from_utf8_lossy(&answered.payload);
    assert!(problem.contains("/problems/request-timeout"), "{problem}");
    let mut reader = Wire::open(server.address());
    reader.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]).expect("a window of a byte");
    reader.raw(&get(1)).expect("a request");
    let ended = reader.go_on(RST_STREAM, &frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]));
    assert_eq!(ended.code(), CANCEL);
    assert_eq!(server.client().get("/api/users/1").status, 200);
}

#[test]
fn what_is_too_large_is_refused_alone() {
    let server = Options::shop().set("proxies", "127.0.0.1").start();
    let mut wire = Wire::open(server.address());
    // More streams than may be open at one time are refused one by one (RFC 9113 §5.1.2).
    for at in 0..150 {
        wire.raw(&post(2 * at + 1)).expect("a stream");
    }
    let refused = wire.until(RST_STREAM).expect("a stream is refused");
    assert_eq!(refused.code(), 7, "REFUSED_STREAM: it can be sent again");
    // Content that is larger than may be.
    let mut wire = Wire::open(server.address());
    wire.raw(&post(1)).expect("a stream");
    let piece = frame(DATA, 0, 1, &[b' '; 16_000]);
    for _ in 0..80 {
        if wire.raw(&piece).is_err() {
            break;
        }
    }
    assert!(wire.next().is_some());
    assert_eq!(server.client().get("/api/users/1").status, 200);
    // A client that takes nothing of a long answer does not hold the server up.
    let mut slow = Wire::open(server.address());
    slow.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).expect("a window of nothing");
    for at in 0..50 {
        slow.raw(&get(2 * at + 1)).expect("a request");
    }
    assert_eq!(server.client().get("/api/users/1").status, 200);
    // A preface that breaks off, and one that goes wrong.
    for bytes in [&b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n"] {
        let mut stream = std::net::TcpStream::connect(server.address()).expect("a connection");
        std::io::Write::write_all(&mut stream, bytes).expect("bytes");
        stream.shutdown(std::net::Shutdown::Write).expect("an end");
        let mut rest = Vec::new();
        drop(std::io::Read::read_to_end(&mut stream, &mut rest));
    }
    assert_eq!(server.client().get("/api/users/1").status, 200);
}
