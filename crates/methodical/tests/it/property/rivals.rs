//! Several clients on the same few records. There is no telling who is first: afterwards the
//! history has to make sense all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::chance::{Chance, rounds, setting};
use super::sequence::server;
use crate::support::answer::Answer;
use crate::support::client::{Client, Request};

const CLIENTS: usize = 8;

/// Does the same at the same time, a client each, and gives what each of them got.
fn together<T: Send>(clients: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(clients);
    std::thread::scope(|scope| {
        let run = |number| {
            let (start, act) = (&start, &act);
            scope.spawn(move || {
                start.wait();
                act(number)
            })
        };
        let running: Vec<_> = (0..clients).map(run).collect();
        running.into_iter().map(|client| client.join().expect("a client")).collect()
    })
}

fn key(chance: &mut Chance) -> String {
    format!("{:016x}-{:016x}", chance.next(), chance.next())
}

fn thing(client: &Client, id: &str) {
    let request = Request::new("PUT", &format!("/api/things/{id}"));
    let answer = client.send(&request.json(r#"{"name":"alpha","mood":null}"#));
    assert_eq!(answer.status, 201, "{}", answer.show());
}

/// An increment that succeeded.
#[derive(Debug)]
struct Step {
    part: i64,
    /// The tag that was demanded, where one was.
    consumed: Option<String>,
    /// The value that it left.
    size: i64,
    updated: String,
}

/// Reads a number, and writes the next one under the condition that nobody else did.
fn increment(client: &Client, chance: &mut Chance, part: i64) -> Option<Step> {
    let path = format!("/api/parts/{part}");
    let found = client.get(&path);
    assert_eq!(found.status, 200, "{}", found.show());
    let record = found.json();
    let before = record["size"].as_i64().expect("a number");
    let size = before + 1;
    let tag = found.field("etag").expect("a tag");
    let test = json!([
        { "op": "test", "path": "/size", "value": before },
        { "op": "replace", "path": "/size", "value": size },
    ]);
    let (request, consumed) = match chance.below(3) {
        0 => {
            let merge = Request::new("PATCH", &path).json(json!({ "size": size }).to_string());
            (merge.field("if-match", &tag), Some(tag))
        }
        1 => {
            let whole = json!({ "of": record["of"], "size": size });
            let put = Request::new("PUT", &path).json(whole.to_string());
            (put.field("if-match", &tag), Some(tag))
        }
        _ => {
            let request = Request::new("PATCH", &path);
            (request.content("application/json-patch+json", test.to_string()), None)
        }
    };
    let request = request.field("idempotency-key", &key(chance));
    let answer = if chance.once_in(3) { twice(client, &request) } else { client.send(&request) };
    match answer.status {
        200 => {
            let shown = answer.json();
            assert_eq!(shown["size"], size, "{}", answer.show());
            let updated = shown["updatedAt"].as_str().expect("a moment").to_owned();
            Some(Step { part, consumed, size, updated })
        }
        409 | 412 => None,
        _ => panic!("{}", answer.show()),
    }
}

/// An impatient client: the same request twice at the same time. At most one of them is carried
/// out, and where one is, both get its answer.
fn twice(client: &Client, request: &Request) -> Answer {
    let mut answers = together(2, |_| client.send(request));
    let (one, other) = (answers.remove(0), answers.remove(0));
    if one.status == 200 || other.status == 200 {
        assert_eq!((one.status, &one.content), (other.status, &other.content));
        let replayed = [&one, &other].map(|answer| answer.field("idempotent-replayed").is_some());
        assert!(replayed[0] != replayed[1], "exactly one is a replay: {replayed:?}");
    }
    one
}

#[test]
fn no_update_is_lost_when_many_clients_change_the_same_records() {
    let seed = setting("METHODICAL_TEST_SEED", 5);
    let mut server = server();
    let client = server.client();
    thing(&client, "a");
    let parts: Vec<i64> = (0..3)
        .map(|_| {
            let request = Request::new("POST", "/api/parts").json(r#"{"of":"a","size":0}"#);
            client.send(&request).json()["id"].as_i64().expect("an id")
        })
        .collect();
    let attempts = rounds(150);
    let steps: Vec<Step> = together(CLIENTS, |number| {
        let mut chance = Chance::new(seed * 1_000 + number as u64);
        let tries = (0..attempts).filter_map(|_| {
            let part = *chance.pick(&parts);
            increment(&client, &mut chance, part)
        });
        tries.collect::<Vec<_>>()
    })
    .into_iter()
    .flatten()
    .collect();
    let consumed: Vec<&String> = steps.iter().filter_map(|step| step.consumed.as_ref()).collect();
    let distinct: BTreeSet<&String> = consumed.iter().copied().collect();
    assert_eq!(distinct.len(), consumed.len(), "a version was replaced twice");
    for &part in &parts {
        let history: BTreeMap<i64, &Step> =
            steps.iter().filter(|step| step.part == part).map(|step| (step.size, step)).collect();
        let done = steps.iter().filter(|step| step.part == part).count();
        assert!(done > 0, "nothing was ever changed");
        let sizes: Vec<i64> = history.keys().copied().collect();
        let all: Vec<i64> = (1..=i64::try_from(done).expect("small")).collect();
        assert_eq!(sizes, all, "every value was reached once");
        let moments: Vec<&String> = history.values().map(|step| &step.updated).collect();
        assert!(moments.is_sorted_by(|one, next| one < next), "updatedAt grows: {moments:?}");
        let size = client.get(&format!("/api/parts/{part}")).json()["size"].clone();
        assert_eq!(size, json!(done), "the last value stands");
    }
    let path = server.database();
    server.kill();
    versions_are_logged(&path, &parts, &steps);
}

/// The change log has every version once, in order.
fn versions_are_logged(database: &std::path::Path, parts: &[i64], steps: &[Step]) {
    let books = Connection::open(database).expect("a database");
    for part in parts {
        let done = steps.iter().filter(|step| step.part == *part).count();
        let mut statement = books
            .prepare(
                "SELECT c.version FROM _methodical_changes AS c JOIN _methodical_resource AS r \
                 USING (resource) WHERE r.name = 'parts' AND c.id = ? ORDER BY c.position",
            )
            .expect("a log");
        let versions = statement.query_map([part], |row| row.get::<_, i64>(0)).expect("a log");
        let versions: Vec<i64> = versions.map(|version| version.expect("a version")).collect();
        let all: Vec<i64> = (1..=i64::try_from(done).expect("small") + 1).collect();
        assert_eq!(versions, all, "one entry a version");
    }
}

#[test]
fn changes_within_the_same_millisecond_still_have_an_order() {
    let server = server();
    let client = server.client();
    thing(&client, "a");
    let part = client.send(&Request::new("POST", "/api/parts").json(r#"{"of":"a"}"#)).json();
    let path = format!("/api/parts/{}", part["id"]);
    let each = rounds(40);
    let shown = together(CLIENTS, |number| {
        let change = |round: usize| {
            // No two are alike, so that each is a change.
            let content = json!({ "size": 100 + number * each + round });
            let answer = client.send(&Request::new("PATCH", &path).json(content.to_string()));
            assert_eq!(answer.status, 200, "{}", answer.show());
            (answer.json()["updatedAt"].clone().to_string(), answer.field("etag"))
        };
        (0..each).map(change).collect::<Vec<_>>()
    });
    let shown: Vec<_> = shown.into_iter().flatten().collect();
    let moments: BTreeSet<_> = shown.iter().map(|(moment, _)| moment).collect();
    let tags: BTreeSet<_> = shown.iter().map(|(_, tag)| tag).collect();
    assert_eq!((moments.len(), tags.len()), (CLIENTS * each, CLIENTS * each));
}

#[test]
fn of_many_clients_that_create_or_delete_the_same_record_exactly_one_does() {
    let server = server();
    let client = server.client();
    let moods = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    for round in 0..rounds(25) {
        let path = format!("/api/things/race-{round}");
        let answers = together(CLIENTS, |number| {
            let content = json!({ "name": "alpha", "mood": moods[number] });
            let request = Request::new("PUT", &path).field("if-none-match", "*");
            client.send(&request.json(content.to_string()))
        });
        let made: Vec<usize> =
            (0..CLIENTS).filter(|number| answers[*number].status == 201).collect();
        let refused = answers.iter().filter(|answer| answer.status == 412).count();
        assert_eq!((made.len(), refused), (1, CLIENTS - 1));
        assert_eq!(client.get(&path).json()["mood"], moods[made[0]]);
        let answers = together(CLIENTS, |_| client.send(&Request::new("DELETE", &path)).status);
        let count = |status| answers.iter().filter(|other| **other == status).count();
        assert_eq!((count(200), count(404)), (1, CLIENTS - 1), "{answers:?}");
    }
    assert_eq!(client.get("/api/things").json()["total"], 0);
}

#[test]
fn a_key_works_once_however_many_send_it_at_the_same_time() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 6));
    let server = server();
    let client = server.client();
    for round in 0..rounds(25) {
        let key = key(&mut chance);
        // Every other round the clients disagree on what the key is for.
        let texts = if round % 2 == 0 { 1 } else { 2 };
        let answers = together(CLIENTS, |number| {
            let content = json!({ "text": format!("{round} {}", number % texts) });
            let request = Request::new("POST", "/api/notes").field("idempotency-key", &key);
            client.send(&request.json(content.to_string()))
        });
        let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        let reused = answers.iter().filter(|answer| answer.status == 422).count();
        assert_eq!((made.len(), reused), (CLIENTS / texts, CLIENTS - CLIENTS / texts));
        let first = |answer: &&&Answer| answer.field("idempotent-replayed").is_none();
        assert_eq!(made.iter().filter(first).count(), 1, "one is carried out");
        let contents: BTreeSet<&[u8]> = made.iter().map(|answer| &answer.content[..]).collect();
        assert_eq!(contents.len(), 1, "and all the others get its answer");
    }
    let list: Value = client.get("/api/notes?limit=100").json();
    assert_eq!(list["total"], rounds(25));
}
