//! Traces as a collector gets them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::client::Request;
use crate::support::server::{Options, await_that};

/// What was sent, each with the field that let it in.
type Sent = Arc<Mutex<Vec<(String, Value)>>>;

/// A collector: what it was sent, with the field that let it in.
fn collector() -> (String, Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut line, mut length, mut bearer) = (String::new(), 0, String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                if lower.starts_with("authorization:") {
                    bearer = line.trim().to_owned();
                }
                line.clear();
            }
            let mut content = vec![0; length];
            if reader.read_exact(&mut content).is_err() {
                continue;
            }
            let content = serde_json::from_slice(&content).expect("JSON");
            kept.lock().expect("spans").push((bearer, content));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
            drop(reader.into_inner().write_all(answer));
        }
    });
    (url, sent)
}

#[test]
fn a_request_is_a_span_of_the_trace_that_it_belongs_to() {
    let (url, sent) = collector();
    let server = Options::shop()
        .set("traces.endpoint", &url)
        .set("traces.authorization", "Bearer of-the-collector")
        .set("outbound.private", "127.0.0.1")
        .start();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let get = |target: &str, flag: &str| {
        let parent = format!("00-{trace}-00f067aa0ba902b7-{flag}");
        server.client().send(&Request::new("GET", target).field("traceparent", &parent)).status
    };
    assert_eq!(get("/api/users/1?fields=name", "01"), 200);
    assert_eq!(get("/api/users/2", "00"), 200);
    assert_eq!(server.client().get("/api/users/999999").status, 404);
    let spans = || -> Vec<Value> {
        let sent = sent.lock().expect("spans");
        let lists = sent.iter().map(|(_, content)| {
            content["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned()
        });
        lists.flatten().flatten().collect()
    };
    await_that("both are there", || spans().len() >= 2);
    let of_trace: Vec<Value> =
        spans().into_iter().filter(|span| span["traceId"] == trace).collect();
    assert_eq!(of_trace.len(), 1, "what is not recorded elsewhere is not recorded here");
    assert_eq!(of_trace[0]["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!(of_trace[0]["name"], "GET /{resource}/{id}");
    let all = sent.lock().expect("spans");
    assert!(all.iter().all(|(bearer, _)| bearer.ends_with("Bearer of-the-collector")), "{all:?}");
    assert!(!all[0].1.to_string().contains("name\":\"fields"), "no values and no queries");
    assert_eq!(
        all[0].1["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"],
        "Shop"
    );
    assert!(!server.log().contains("of-the-collector"));
}
