//! Tests that walk `contract::table::ROWS` for their requests. What is expected of them comes from
//! `targets.table`, which is written by hand.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use contract::table::{self, Conditions, Key, ROWS, Row};

use super::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::{Client, Request};
use crate::support::server::{Options, Server, tests};

/// A line of `targets.table`.
struct Place {
    name: String,
    example: String,
    methods: Vec<(String, u16)>,
}

impl Place {
    fn status(&self, method: &str) -> Option<u16> {
        self.methods.iter().find(|(name, _)| name == method).map(|(_, status)| *status)
    }

    fn allowed(&self) -> BTreeSet<String> {
        self.methods.iter().map(|(name, _)| name.clone()).collect()
    }
}

fn places() -> Vec<Place> {
    let text = fs::read_to_string(tests().join("law/targets.table")).expect("the table");
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let name = words.next().expect("a target");
            let example = words.next().expect("an example");
            let methods = words
                .map(|word| {
                    let (method, status) = word.split_once('=').expect("METHOD=status");
                    (method.to_owned(), status.parse().expect("a status"))
                })
                .collect();
            Place { name, example, methods }
        })
        .collect()
}

fn rows_of(place: &Place) -> impl Iterator<Item = &'static Row> {
    let name = place.name.clone();
    ROWS.iter().filter(move |row| format!("{:?}", row.target) == name)
}

fn name(row: &Row) -> &'static str {
    table::nature(row.method).name
}

fn note(client: &Client, title: &str) -> String {
    let content = format!(r#"{{"title": "{title}"}}"#);
    let answer = client.send(&Request::new("POST", "/api/notes").json(content));
    assert_eq!(answer.status, 201, "{}", answer.show());
    answer.json()["id"].to_string()
}

/// The lab, where people sign in as often as they like.
fn lab() -> Options {
    Options::lab()
        .set("login.address", "1000000")
        .set("login.account", "1000000")
        .set("mail.from", "Lab <lab@lab.example>")
        .set("mail.file", "outbox")
}

const PASSWORD: &str = "a password of somebody";

/// A person of the lab, and a token of theirs.
fn person(client: &Client) -> (String, String) {
    static PEOPLE: AtomicU32 = AtomicU32::new(0);
    let name = format!("person {}", PEOPLE.fetch_add(1, Ordering::Relaxed));
    let content = format!(r#"{{"name": "{name}", "password": "{PASSWORD}"}}"#);
    let person = content.replace('}', r#", "email": "somebody@lab.example"}"#);
    let made = client.send(&Request::new("POST", "/api/people").json(person));
    assert_eq!(made.status, 201, "{}", made.show());
    let answer = client.send(&Request::new("POST", "/api/login").json(content));
    assert_eq!(answer.status, 200, "{}", answer.show());
    (name, answer.json()["token"].as_str().expect("a token").to_owned())
}

/// A request about oneself, by somebody who has just signed in; `None` about anything else.
fn about_oneself(client: &Client, place: &Place, method: &str) -> Option<Request> {
    if !["Login", "Reset", "Confirm", "Address", "Logout", "Me", "Sessions", "Session", "Password"]
        .contains(&&*place.name)
    {
        return None;
    }
    let (name, token) = person(client);
    let bearer = format!("Bearer {token}");
    let target = match place.name.as_str() {
        "Session" => {
            let list = Request::new("GET", "/api/me/sessions").field("authorization", &bearer);
            let list = client.send(&list).json();
            format!("/api/me/sessions/{}", list["sessions"][0]["id"])
        }
        _ => place.example.clone(),
    };
    let request = Request::new(method, &target).field("authorization", &bearer);
    Some(match (place.name.as_str(), method) {
        ("Login", "POST") => {
            request.json(format!(r#"{{"name": "{name}", "password": "{PASSWORD}"}}"#))
        }
        ("Password", "POST") => {
            let new = "another password";
            request.json(format!(r#"{{"current": "{PASSWORD}", "password": "{new}"}}"#))
        }
        ("Reset", "POST") => request.json(format!(r#"{{"name": "{name}"}}"#)),
        ("Confirm", "POST") => request.json(r#"{"code": "mtdc_unknown"}"#),
        ("Logout" | "Address", "POST") => request.json("{}"),
        _ => request,
    })
}

/// A plain, complete request of a method to a target; a record of its own where it needs one.
fn request(client: &Client, place: &Place, method: &str) -> Request {
    if let Some(request) = about_oneself(client, place, method) {
        return request;
    }
    let target = match place.example.strip_suffix("/ID") {
        Some(base) => format!("{base}/{}", note(client, "a note for the table")),
        None => place.example.clone(),
    };
    let request = Request::new(method, &target);
    let row = rows_of(place).find(|row| name(row) == method);
    let accepts = row.and_then(|row| row.accepts.first());
    match accepts {
        Some(&form) if place.name == "Search" => {
            Request::new(method, "/api/search").content(form, "q=table")
        }
        Some(&"application/x-www-form-urlencoded") => {
            request.content("application/x-www-form-urlencoded", "limit=1")
        }
        Some(_) if place.name == "Batch" => request.json(
            r#"{"operations": [{"method": "POST", "path": "/api/notes",
                "body": {"title": "from the table"}}]}"#,
        ),
        Some(media_type) => request.content(media_type, r#"{"title": "from the table"}"#),
        None => request,
    }
}

#[test]
fn the_table_of_the_program_has_the_rows_that_are_written_by_hand_and_no_others() {
    decisive(|| {
        let by_hand: BTreeSet<_> = places()
            .iter()
            .flat_map(|place| {
                let methods = place.methods.iter();
                methods.map(|(method, _)| (place.name.clone(), method.clone())).collect::<Vec<_>>()
            })
            .collect();
        let of_program: BTreeSet<_> =
            ROWS.iter().map(|row| (format!("{:?}", row.target), name(row).to_owned())).collect();
        assert_eq!(of_program, by_hand);
    });
}

#[test]
fn every_target_answers_every_method_as_the_table_by_hand_says() {
    decisive(|| {
        let server = lab().start();
        let client = server.admin();
        let known = ["GET", "HEAD", "QUERY", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"];
        let unknown = ["get", "post", "Delete", "FROB", "PROPFIND", "LINK", "GETT", "M-SEARCH"];
        for place in places() {
            for method in known {
                let answer = client.send(&request(&client, &place, method));
                let what = format!("{method} {}:\n{}", place.example, answer.show());
                match place.status(method) {
                    Some(status) => assert_eq!(answer.status, status, "{what}"),
                    // RFC 9112 §3.2.4: the asterisk is a target of OPTIONS only.
                    None if place.example == "*" => assert_eq!(answer.status, 400, "{what}"),
                    None => {
                        assert_eq!(answer.status, 405, "{what}");
                        let allow: BTreeSet<_> = answer.list("allow").into_iter().collect();
                        assert_eq!(allow, place.allowed(), "{what}");
                    }
                }
                is_listed(&place, method, &answer);
            }
            for method in unknown.iter().filter(|_| place.example != "*") {
                let answer = client.send(&Request::new(method, &place.example));
                assert_eq!(answer.status, 501, "{method} {}: {}", place.example, answer.show());
            }
        }
    });
}

/// No status is seen that the row does not list.
fn is_listed(place: &Place, method: &str, answer: &Answer) {
    let Some(row) = rows_of(place).find(|row| name(row) == method) else { return };
    let listed =
        row.statuses.contains(&answer.status) || table::COMMON_STATUSES.contains(&answer.status);
    assert!(listed, "{method} {}: the row does not list {}", place.example, answer.status);
}

#[test]
fn head_is_get_without_content_on_every_target() {
    decisive(|| {
        let server = lab().start();
        let client = server.admin();
        let id = note(&client, "for HEAD");
        let long = format!(r#"{{"title": "long", "body": "{}"}}"#, "lorem ipsum ".repeat(50));
        client.send(&Request::new("POST", "/api/notes").json(long));
        let mut targets: Vec<String> = places()
            .iter()
            .filter(|place| place.example != "*")
            .map(|place| place.example.replace("ID", &id))
            .collect();
        let more =
            ["/api/notes?limit=1", "/notes", "/nothing", "/api/notes/99999", "/api/notes?x=1"];
        targets.extend(more.map(str::to_owned));
        let variations: [&[(&str, &str)]; 12] = [
            &[],
            &[("accept", "text/csv")],
            &[("accept", "application/x-ndjson")],
            &[("accept", "text/csv"), ("accept-encoding", "zstd")],
            &[("accept-encoding", "gzip")],
            &[("accept-encoding", "zstd")],
            &[("accept", "image/png")],
            &[("if-none-match", "*")],
            &[("if-match", "\"other\"")],
            &[("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")],
            &[("authorization", "Bearer token123")],
            &[("accept-encoding", "identity;q=0, br")],
        ];
        for target in &targets {
            for fields in variations {
                let ask = |method: &str| {
                    let request = Request::new(method, target);
                    let add =
                        |request: Request, (name, value): &(&str, &str)| request.field(name, value);
                    client.send(&fields.iter().fold(request, add))
                };
                let (get, head) = (ask("GET"), ask("HEAD"));
                assert_eq!(head.status, get.status, "{target} {fields:?}");
                assert_eq!(lasting(&head), lasting(&get), "{target} {fields:?}");
                assert!(head.content.is_empty(), "{target} {fields:?}");
            }
        }
    });
}

/// The fields but those that differ from moment to moment.
fn lasting(answer: &Answer) -> Vec<(String, String)> {
    let moment = ["date", "last-modified", "request-id"];
    let fields = answer.fields.iter().filter(|(name, _)| !moment.contains(&name.as_str()));
    let mut fields: Vec<_> = fields.cloned().collect();
    fields.sort();
    fields
}

/// Everything that the database holds, table by table, read by another process's eyes.
fn dump(server: &Server) -> String {
    let database = rusqlite::Connection::open(server.database()).expect("the database");
    let mut out = String::new();
    let mut tables = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .expect("tables");
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .expect("tables")
        .map(|name| name.expect("a name"))
        .collect();
    for name in names {
        out.push_str(&format!("== {name}\n"));
        let mut select =
            database.prepare(&format!("SELECT * FROM \"{name}\" ORDER BY 1")).expect("a table");
        let count = select.column_count();
        let mut rows = select.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..count {
                out.push_str(&format!("{:?}|", row.get_ref(column).expect("a value")));
            }
            out.push('\n');
        }
    }
    out
}

#[test]
fn safe_methods_leave_the_database_as_it_was() {
    decisive(|| {
        let server = lab().start();
        let client = server.admin();
        for title in ["one", "two", "three"] {
            note(&client, title);
        }
        let id = note(&client, "four");
        let before = dump(&server);
        for row in ROWS.iter().filter(|row| table::nature(row.method).safe) {
            let places = places();
            let place = places
                .iter()
                .find(|place| place.name == format!("{:?}", row.target))
                .expect("every target of the program stands in the table by hand");
            let target = place.example.replace("ID", &id);
            for suffix in ["", "?limit=1", "?action=delete", "?title=one&sort=-id"] {
                let target =
                    if target == "*" { target.clone() } else { format!("{target}{suffix}") };
                let mut request = Request::new(name(row), &target)
                    .field("idempotency-key", "a-key-that-a-safe-method-ignores")
                    .field("prefer", "return=minimal");
                if !row.accepts.is_empty() {
                    request = request.json(r#"{"title": "one"}"#);
                }
                client.send(&request);
            }
        }
        assert_eq!(dump(&server), before, "a safe method changed the database");
    });
}

#[test]
fn an_idempotent_write_done_twice_is_done_once() {
    decisive(|| {
        let server = lab().start();
        let client = server.admin();
        for place in places() {
            for row in rows_of(&place) {
                let nature = table::nature(row.method);
                if nature.safe || !nature.idempotent {
                    continue;
                }
                let request = request(&client, &place, nature.name);
                client.send(&request);
                let once = dump(&server);
                client.send(&request);
                assert_eq!(dump(&server), once, "{} {}", nature.name, request.target);
            }
        }
    });
}

#[test]
fn every_row_that_takes_a_key_replays_and_refuses_another_request() {
    decisive(|| {
        let server = lab().start();
        let client = server.admin();
        let mut rows = 0;
        for place in places() {
            for row in
                rows_of(&place).filter(|row| !matches!(row.key, Key::Ignored | Key::Withheld))
            {
                rows += 1;
                let key = format!("a-key-of-the-table-{rows:04}");
                let request = request(&client, &place, name(row)).field("idempotency-key", &key);
                let first = client.send(&request);
                assert!(first.status < 300, "{}", first.show());
                let state = dump(&server);
                let second = client.send(&request);
                assert_eq!(second.status, first.status);
                assert_eq!(second.content, first.content, "{} is rendered anew", name(row));
                assert_eq!(second.field("idempotent-replayed").as_deref(), Some("true"));
                let but_mark: Vec<_> = lasting(&second)
                    .into_iter()
                    .filter(|(name, _)| name != "idempotent-replayed")
                    .collect();
                assert_eq!(but_mark, lasting(&first));
                assert_eq!(dump(&server), state, "a replay of {} did something", name(row));
                let other = request.clone().field("if-match", "*");
                let refused = client.send(&other);
                assert_eq!(refused.status, 422, "{}", refused.show());
                assert_eq!(dump(&server), state, "a misused key did something");
            }
        }
        assert_eq!(rows, 5, "POST, PUT, PATCH and DELETE take a key, and a batch");
    });
}

#[test]
fn every_row_with_conditions_answers_304_or_412_when_one_is_false() {
    decisive(|| {
        let server = lab().start();
        let client = server.admin();
        for place in places() {
            for row in rows_of(&place) {
                let safe = table::nature(row.method).safe;
                let plain = place.status(name(row)).expect("a row by hand");
                let ask = |field: &str, value: &str| {
                    let request = request(&client, &place, name(row)).field(field, value);
                    let before = dump(&server);
                    let answer = client.send(&request);
                    if answer.status >= 300 {
                        assert_eq!(dump(&server), before, "{} did something", name(row));
                    }
                    answer.status
                };
                let honoured = row.conditions != Conditions::Ignored;
                let what = format!("{} {}", name(row), place.example);
                let failed = if honoured { 412 } else { plain };
                assert_eq!(ask("if-match", "\"nothing.such\""), failed, "{what}");
                // RFC 9110 §13.1.1 and §13.1.2: `*` is any current representation, and what GET is
                // not served on has none.
                let shown = rows_of(&place).any(|row| name(row) == "GET");
                let found = match (honoured && shown, safe) {
                    (false, _) => plain,
                    (true, true) => 304,
                    (true, false) => 412,
                };
                let any = if honoured && !shown { 412 } else { plain };
                assert_eq!(ask("if-none-match", "*"), found, "{what}");
                assert_eq!(ask("if-none-match", "\"nothing.such\""), plain, "{what}");
                assert_eq!(ask("if-match", "*"), any, "{what}");
            }
        }
    });
}
