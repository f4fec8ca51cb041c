//! Plays `*.http`: requests and answers as they stand on the wire, one after the other on one
//! connection.
//!
//! ```text
//! ### what happens
//! GET /api/users/1 HTTP/1.1
//! Host: api.example.com
//!
//! HTTP/1.1 200 OK
//! content-type: application/json
//! etag: «etag»
//!
//! {"id": 1, "createdAt": "«time»", "…": "…"}
//!
//! # keep tag = etag
//! # keep token = json /token
//! ```
//!
//! It is played on the shop, or on another example, where its first line is `# examples/NAME: …`.
//!
//! Fields that are not shown may be there. Content is exact; `"…"` stands for more members or more
//! items, «form» for what changes from run to run. `# keep` keeps a field's value as {{tag}}.
//! `name: -` says that a field is not there. Content-Length of requests is added. {{admin}} is the
//! key of an admin; the article's `token123` and `sk-secret-key-12345` in Authorization stand for
//! it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::law::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::{Client, Connection};
use crate::support::pattern;
use crate::support::server::{Options, repository};

struct Exchange {
    line: usize,
    title: String,
    request: Vec<String>,
    sent: String,
    status: String,
    fields: Vec<(String, String)>,
    content: String,
    keep: Vec<(String, String)>,
}

/// Plays a story from its first request to its last.
pub(crate) fn play(path: &Path) {
    decisive(|| {
        // The stories are told of a server behind a proxy that has this name.
        let options = Options::folder(&repository().join(folder(path)));
        let server = options.set("origin", "http://api.example.com").start();
        let client = server.client();
        let mut connection = client.connect();
        let mut kept = HashMap::from([("admin".to_owned(), server.admin_key())]);
        let exchanges = read(path);
        assert!(!exchanges.is_empty(), "{} tells nothing", path.display());
        for exchange in exchanges {
            let answer = ask(&client, &mut connection, &exchange, &kept);
            if let Err(fault) = compare(&exchange, &answer, &kept) {
                panic!(
                    "{}:{}: {}\n  {fault}\n--- the answer:\n{}",
                    path.display(),
                    exchange.line,
                    exchange.title,
                    answer.show()
                );
            }
            for (name, field) in &exchange.keep {
                let value = match field.strip_prefix("json ") {
                    Some(pointer) => {
                        let json = answer.json();
                        let value = json.pointer(pointer).expect("a member to keep");
                        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                    }
                    None => answer.field(field).expect("a field to keep"),
                };
                kept.insert(name.clone(), value);
            }
        }
    });
}

/// The example that a story is about.
fn folder(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a story");
    let named = text.strip_prefix("# examples/").and_then(|rest| rest.split_once(':'));
    named.map_or_else(|| "examples/shop".to_owned(), |(name, _)| format!("examples/{name}"))
}

fn read(path: &Path) -> Vec<Exchange> {
    let text = fs::read_to_string(path).expect("a story");
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut part = Part::Title;
    for (index, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("### ") {
            exchanges.push(Exchange {
                line: index + 1,
                title: title.to_owned(),
                request: Vec::new(),
                sent: String::new(),
                status: String::new(),
                fields: Vec::new(),
                content: String::new(),
                keep: Vec::new(),
            });
            part = Part::Request;
            continue;
        }
        let Some(exchange) = exchanges.last_mut() else { continue };
        if let Some(keep) = line.strip_prefix("# keep ") {
            let (name, field) = keep.split_once(" = ").expect("# keep NAME = FIELD");
            exchange.keep.push((name.to_owned(), field.to_owned()));
        } else if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
            status.clone_into(&mut exchange.status);
            part = Part::Fields;
        } else {
            part = part.take(exchange, line);
        }
    }
    exchanges
}

#[derive(Clone, Copy)]
enum Part {
    Title,
    Request,
    Sent,
    Fields,
    Content,
}

impl Part {
    fn take(self, exchange: &mut Exchange, line: &str) -> Self {
        match self {
            Self::Title => {}
            Self::Request if line.is_empty() => return Self::Sent,
            Self::Request => exchange.request.push(line.to_owned()),
            Self::Sent => {
                exchange.sent.push_str(line);
                exchange.sent.push('\n');
            }
            Self::Fields if line.is_empty() => return Self::Content,
            Self::Fields => {
                let (name, value) = line.split_once(": ").expect("name: value");
                exchange.fields.push((name.to_owned(), value.to_owned()));
            }
            Self::Content => exchange.content.push_str(line),
        }
        self
    }
}

fn fill(text: &str, kept: &HashMap<String, String>) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

fn ask(
    client: &Client,
    connection: &mut Connection,
    exchange: &Exchange,
    kept: &HashMap<String, String>,
) -> Answer {
    let content = fill(exchange.sent.trim_end(), kept);
    let mut head = fill(&exchange.request.join("\r\n"), kept);
    for token in ["token123", "sk-secret-key-12345"] {
        head = head.replace(&format!("Bearer {token}"), &format!("Bearer {}", kept["admin"]));
    }
    if !content.is_empty() {
        head.push_str(&format!("\r\nContent-Length: {}", content.len()));
    }
    let bytes = format!("{head}\r\n\r\n{content}");
    let method = bytes.split(' ').next().unwrap_or_default().to_owned();
    connection.write(bytes.as_bytes()).expect("the connection stays open");
    let answer = connection.answer(&method).unwrap_or_else(|error| {
        panic!("line {}: {}: {error}", exchange.line, exchange.title);
    });
    answer.check(&method, &exchange.title);
    if answer.closes() {
        *connection = client.connect();
    }
    answer
}

fn compare(
    exchange: &Exchange,
    answer: &Answer,
    kept: &HashMap<String, String>,
) -> Result<(), String> {
    let status = format!("{} {}", answer.status, answer.reason);
    if status != exchange.status {
        return Err(format!("status {status}, expected {}", exchange.status));
    }
    for (name, expected) in &exchange.fields {
        let expected = fill(expected, kept);
        let found = answer.field(name);
        let holds = match (&found, form(&expected)) {
            (None, _) => expected == "-",
            (Some(found), Some(form)) => pattern::is(form, found),
            (Some(found), None) => *found == expected,
        };
        if !holds {
            return Err(format!("{name} is {found:?}, expected {expected}"));
        }
    }
    let content = fill(&exchange.content, kept);
    if content.trim().is_empty() {
        let none = answer.content.is_empty();
        return if none { Ok(()) } else { Err("content, expected none".to_owned()) };
    }
    let expected: Value = serde_json::from_str(&content)
        .map_err(|error| format!("the story's content is not JSON: {error}"))?;
    exactly(&expected, &answer.json(), "")
}

fn form(text: &str) -> Option<&str> {
    text.strip_prefix('«')?.strip_suffix('»')
}

/// The same value, but for forms and for what `…` leaves out.
fn exactly(expected: &Value, found: &Value, at: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let open = expected.contains_key("…");
            for (name, expected) in expected.iter().filter(|(name, _)| *name != "…") {
                let place = format!("{at}/{name}");
                let member = found.get(name).ok_or_else(|| format!("{place} is missing"))?;
                exactly(expected, member, &place)?;
            }
            match found.keys().find(|name| !expected.contains_key(*name)) {
                Some(name) if !open => Err(format!("{at}/{name} is not in the story")),
                _ => Ok(()),
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            let open = expected.last().is_some_and(|last| last == "…");
            let told = &expected[..expected.len() - usize::from(open)];
            if found.len() < told.len() || found.len() > told.len() && !open {
                return Err(format!("{at} has {} items, not {}", found.len(), told.len()));
            }
            let mut pairs = told.iter().zip(found).enumerate();
            pairs.try_for_each(|(i, (told, item))| exactly(told, item, &format!("{at}/{i}")))
        }
        (Value::String(text), found) => match form(text) {
            Some(form) => {
                let shown = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                let holds = pattern::is(form, &shown);
                if holds { Ok(()) } else { Err(format!("{at} is no {form}: {shown}")) }
            }
            None if expected == found => Ok(()),
            None => Err(format!("{at} is {found}, expected {expected}")),
        },
        _ if expected == found => Ok(()),
        _ => Err(format!("{at} is {found}, expected {expected}")),
    }
}
