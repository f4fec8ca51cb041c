//! What the specifications say of requests that meet each other.

use std::collections::HashSet;
use std::sync::Barrier;

use super::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::{Client, Request};
use crate::support::server::Options;

/// Sends requests at the same time, and gives their answers in the order of the requests.
fn together(client: &Client, requests: &[Request]) -> Vec<Answer> {
    let start = Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let sent: Vec<_> = requests
            .iter()
            .map(|request| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    client.send(request)
                })
            })
            .collect();
        sent.into_iter().map(|sent| sent.join().expect("an answer")).collect()
    })
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

/// CONTRACT §4: "Check and write must be one atomic step; two PUTs with the same If-Match: exactly
/// one wins."
#[test]
fn of_writes_with_the_same_if_match_exactly_one_wins() {
    decisive(|| {
        let server = Options::lab().start();
        let client = server.client();
        for round in 0..20 {
            let made =
                client.send(&Request::new("POST", "/api/notes").json(r#"{"title": "race"}"#));
            let tag = made.field("etag").expect("a tag");
            let target = made.field("location").expect("a location");
            let requests: Vec<_> = (0..8)
                .map(|writer| {
                    let content = format!(r#"{{"title": "round {round} writer {writer}"}}"#);
                    let method = if writer % 2 == 0 { "PUT" } else { "PATCH" };
                    Request::new(method, &target).field("if-match", &tag).json(content)
                })
                .collect();
            let answers = together(&client, &requests);
            let expected = [200, 412, 412, 412, 412, 412, 412, 412];
            assert_eq!(statuses(&answers), expected, "round {round}");
            let winner = answers.iter().find(|answer| answer.status == 200).expect("a winner");
            let kept = client.get(&target).json();
            assert_eq!(kept["title"], winner.json()["title"], "the winner's change is kept");
        }
    });
}

/// RFC 9110 §13.1.2: `If-None-Match: *` keeps two creators from overwriting each other.
#[test]
fn of_creators_with_if_none_match_star_exactly_one_wins() {
    decisive(|| {
        let server = Options::lab().start();
        let client = server.client();
        for round in 0..10 {
            let requests: Vec<_> = (0..8)
                .map(|writer| {
                    Request::new("PUT", &format!("/api/labels/round-{round}"))
                        .field("if-none-match", "*")
                        .json(format!(r#"{{"color": "{writer}"}}"#))
                })
                .collect();
            let answers = together(&client, &requests);
            assert_eq!(statuses(&answers), [201, 412, 412, 412, 412, 412, 412, 412]);
        }
    });
}

/// CONTRACT §10: check and insert are one step: "check-then-insert race".
#[test]
fn of_requests_with_the_same_key_one_is_carried_out_and_the_others_are_its_replay() {
    decisive(|| {
        let server = Options::lab().start();
        let client = server.client();
        for round in 0..10 {
            let request = Request::new("POST", "/api/charges")
                .field("idempotency-key", &format!("\"a key of round {round:08}\""))
                .json(r#"{"amount": 5}"#);
            let answers = together(&client, &vec![request; 8]);
            assert_eq!(statuses(&answers), [201; 8]);
            let first = &answers[0];
            assert!(answers.iter().all(|answer| answer.content == first.content), "one answer");
            let anew = answers.iter().filter(|a| a.field("idempotent-replayed").is_none()).count();
            assert_eq!(anew, 1, "one was carried out");
            let total = client.get("/api/charges").json()["total"].clone();
            assert_eq!(total, round + 1, "one record a key");
        }
    });
}

/// draft §2.7 and DESIGN §3: "In flight: the second waits …, then 409 with Retry-After."
#[test]
fn a_key_in_flight_is_a_409_with_retry_after_once_the_waiting_took_too_long() {
    decisive(|| {
        let server = Options::lab().set("keys.wait", "200ms").set("writes.deadline", "50s").start();
        let client = server.client();
        let other = rusqlite::Connection::open(server.database()).expect("the database");
        other.execute_batch("BEGIN IMMEDIATE").expect("another process holds the database");
        let request = Request::new("POST", "/api/charges")
            .field("idempotency-key", "\"a key that is in flight\"")
            .json(r#"{"amount": 5}"#);
        std::thread::scope(|scope| {
            let (answered, answers) = std::sync::mpsc::channel();
            for _ in 0..2 {
                let (client, request, answered) = (&client, &request, answered.clone());
                scope.spawn(move || answered.send(client.send(request)).expect("somebody listens"));
            }
            // Whichever came second is refused while the first still waits for the database.
            let second = answers.recv().expect("an answer");
            assert_eq!(second.status, 409, "{}", second.show());
            assert!(second.field("retry-after").is_some(), "{}", second.show());
            assert_eq!(second.json()["type"], "/problems/idempotency-key-in-flight");
            other.execute_batch("ROLLBACK").expect("the database is let go");
            let first = answers.recv().expect("an answer");
            assert_eq!(first.status, 201, "{}", first.show());
        });
        let retried = client.send(&request);
        assert_eq!(retried.status, 201, "the 409 was not stored");
        assert_eq!(retried.field("idempotent-replayed").as_deref(), Some("true"));
        assert_eq!(client.get("/api/charges").json()["total"], 1);
    });
}

/// CONTRACT §2: 503 with Retry-After where the server cannot do it now; nothing is done.
#[test]
fn a_database_that_another_process_holds_is_a_503_and_reads_go_on() {
    decisive(|| {
        let server = Options::lab().set("writes.deadline", "200ms").start();
        let client = server.client();
        let other = rusqlite::Connection::open(server.database()).expect("the database");
        other.execute_batch("BEGIN IMMEDIATE").expect("another process holds the database");
        let request = Request::new("POST", "/api/notes").json(r#"{"title": "held"}"#);
        let refused = client.send(&request);
        assert_eq!(refused.status, 503, "{}", refused.show());
        assert!(refused.field("retry-after").is_some(), "{}", refused.show());
        assert_eq!(client.get("/api/notes").status, 200, "reads go on");
        other.execute_batch("ROLLBACK").expect("the database is let go");
        assert_eq!(client.get("/api/notes?title=held").json()["total"], 0);
        assert_eq!(client.send(&request).status, 201);
    });
}

/// DESIGN §2: `updatedAt` grows strictly per record, also where several changes share a moment and
/// a commit.
#[test]
fn no_two_versions_of_a_record_have_the_same_updated_at() {
    decisive(|| {
        let server = Options::lab().start();
        let client = server.client();
        let made = client.send(&Request::new("POST", "/api/notes").json(r#"{"title": "fast"}"#));
        let target = made.field("location").expect("a location");
        let mut seen = HashSet::from([time(&made)]);
        for round in 0..25 {
            let requests: Vec<_> = (0..8)
                .map(|writer| {
                    let content = format!(r#"{{"title": "round {round} writer {writer}"}}"#);
                    Request::new("PATCH", &target).json(content)
                })
                .collect();
            for answer in together(&client, &requests) {
                let time = time(&answer);
                assert!(seen.insert(time.clone()), "two versions were made at {time}");
            }
        }
    });
}

fn time(answer: &Answer) -> String {
    answer.json()["updatedAt"].as_str().expect("a time").to_owned()
}
