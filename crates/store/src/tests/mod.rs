//! The store on real files: what every pick, relation and change does, and what a failure leaves.
#![allow(clippy::unwrap_used)]

mod audit;
mod backup;
mod checkpoint;
mod credential;
mod damage;
mod group;
mod log;
mod many;
mod migrate;
mod opening;
mod outside;
mod plan;
mod read;
mod relations;
mod search;
mod slow;
mod transfer;
mod trees;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::model::{FieldIndex, Model, ResourceIndex};
use model::query::{Column, Count, Filter, Sort};
use model::record::{Record, Version};
use model::setting::Settings;
use model::value::{Id, Timestamp, Value};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::change::Change;
use crate::decision::{Asks, Decision, Step, Verdict};
use crate::error::Error;
use crate::lookup::{Current, Found, Lookup, Node, Page, Pick, Remembered};
use crate::{OpenError, Opened, Options, Reader, Writer};

const DECLARATION: &str = r#"
title = "Test"

[resources.users]
fields.name     = { type = "string", ignoreCase = true, index = true }
fields.username = { type = "string", unique = true, ignoreCase = true, optional = true }
fields.note     = { type = ["string", "null"], default = "it's" }
fields.active   = { type = "boolean", default = true }
fields.score    = { type = "number", optional = true }
fields.extra    = { optional = true }

[resources.orders]
unique = [["customer", "number"]]
fields.customer = { references = "users", optional = true, onDelete = "restrict" }
fields.number   = { type = "integer", default = 1, minimum = 1 }
fields.kind     = { type = "string", default = "plain", maxLength = 9, enum = ["plain", "odd"] }

[resources.lines]
id = "text"
fields.order = { references = "orders", onDelete = "cascade" }
fields.giver = { references = "users", optional = true, onDelete = "clear" }
fields.above = { references = "lines", optional = true, onDelete = "cascade" }

[resources.tokens]
id = "uuid"
fields.label = { type = "string", unique = true }
"#;

const USERS: ResourceIndex = 0;
const ORDERS: ResourceIndex = 1;
const LINES: ResourceIndex = 2;
const NAME: FieldIndex = 0;
const USERNAME: FieldIndex = 1;
const CUSTOMER: FieldIndex = 0;
const KIND: FieldIndex = 2;
const ORDER: FieldIndex = 0;
const GIVER: FieldIndex = 1;

/// The time of the tests, so that they can let it pass.
static CLOCK: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp(1_790_000_000_000 + CLOCK.load(Ordering::SeqCst))
}

fn declared(text: &str) -> Arc<Model> {
    let reading = model::declaration::read(text);
    Arc::new(reading.model.unwrap_or_else(|| panic!("{:?}", reading.complaints)))
}

/// A store in a folder of its own.
struct Bench {
    folder: TempDir,
    model: Arc<Model>,
    opened: Opened,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::of(DECLARATION, change)
    }

    fn of(declaration: &str, change: impl FnOnce(&mut Options)) -> Self {
        Self::of_model(declared(declaration), change)
    }

    fn of_model(model: Arc<Model>, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(&folder);
        change(&mut options);
        let opened = crate::open(&options, Arc::clone(&model), &mut || Ok(Vec::new())).unwrap();
        Self { folder, model, opened }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data.db")
    }

    fn reader(&self) -> &Reader {
        &self.opened.reader
    }

    fn writer(&self) -> &Writer {
        &self.opened.writer
    }

    /// A person with `sqlite3`: none of our settings, none of our functions.
    fn outside(&self) -> Connection {
        let connection = Connection::open(self.path()).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection
    }

    async fn find(&self, node: Node) -> Found {
        self.reader().read(Lookup::of(node)).await.unwrap().roots.remove(0)
    }

    async fn get(&self, resource: ResourceIndex, id: Id) -> Option<Record> {
        self.find(Node::key(resource, id)).await.rows.pop().map(|row| row.record)
    }

    async fn list(&self, resource: ResourceIndex) -> Found {
        self.find(page(resource, Filter::all(), &[], 100)).await
    }

    async fn change(&self, resource: ResourceIndex) -> i64 {
        let lookup = Lookup::states(vec![resource]);
        self.reader().read(lookup).await.unwrap().states[0]
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Verdict<()>, Error> {
        self.writer().transact(vec![step(move |_| commit((), changes.clone()))]).await
    }

    /// What the server keeps of a table, and what is truly there.
    fn assert_true(&self) {
        let outside = self.outside();
        for resource in &self.model.resources {
            let name = &resource.name;
            let kept: i64 = outside
                .query_row("SELECT total FROM _methodical_resource WHERE name = ?", [name], |row| {
                    row.get(0)
                })
                .unwrap();
            let counted: i64 = outside
                .query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0))
                .unwrap();
            assert_eq!(kept, counted, "total of {name}");
        }
    }
}

fn options(folder: &TempDir) -> Options {
    let mut options = Options::from(&Settings::default(), &folder.path().join("data.db"));
    options.clock = clock;
    options
}

fn step<O>(decide: impl Fn(&Current) -> Decision<O> + Send + 'static) -> Step<O> {
    Step::alone(Lookup::default(), decide)
}

fn commit<O>(outcome: O, changes: Vec<Change>) -> Decision<O> {
    Decision::Commit { outcome, changes }
}

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

fn user(id: i64, name: &str) -> Record {
    Record {
        id: Id::Integer(id),
        version: Version { birth: 7_000 + id, counter: 1 },
        created_at: clock(),
        updated_at: clock(),
        values: vec![
            text(name),
            text(&format!("u{id}")),
            Some(Value::Null),
            Some(Value::Boolean(true)),
            Some(Value::Number(0.5)),
            Some(Value::Json(r#"{"a":[1]}"#.to_owned())),
        ],
    }
}

fn order(id: i64, customer: Option<i64>, number: i64) -> Record {
    Record {
        values: vec![customer.map(Value::Integer), Some(Value::Integer(number)), text("plain")],
        ..user(id, "")
    }
}

fn line(id: &str, order: i64, giver: Option<i64>, above: Option<&str>) -> Record {
    Record {
        id: Id::Text(id.to_owned()),
        values: vec![
            Some(Value::Integer(order)),
            giver.map(Value::Integer),
            above.map(|id| Value::Text(id.to_owned())),
        ],
        ..user(1, "")
    }
}

fn insert(resource: ResourceIndex, record: Record) -> Change {
    Change::Insert { resource, record }
}

fn remove(resource: ResourceIndex, record: &Record) -> Change {
    Change::Delete { resource, id: record.id.clone(), expected: record.version }
}

/// The next version of a record.
fn renamed(record: &Record, name: &str) -> Change {
    let mut next = record.clone();
    next.values[NAME] = text(name);
    next.version.counter += 1;
    next.updated_at.0 += 1;
    Change::Update { resource: USERS, expected: record.version, record: next }
}

fn page(resource: ResourceIndex, filter: Filter, sort: &[(Column, bool)], limit: u32) -> Node {
    let sort =
        sort.iter().map(|(column, descending)| Sort { column: *column, descending: *descending });
    let pick = Pick::Page(Page {
        filter,
        sort: sort.collect(),
        is_ranked: false,
        after: None,
        offset: 0,
        limit,
        count: Count::Bounded,
    });
    Node::new(resource, pick)
}

fn equal(field: FieldIndex, value: Value) -> Filter {
    Filter::equal(Column::Field(field), value)
}

fn ids(found: &Found) -> Vec<String> {
    found.rows.iter().map(|row| row.record.id.to_string()).collect()
}

fn answer(key: u8, lasting: i64) -> Remembered {
    Remembered {
        key: [key; 16],
        principal: [1; 16],
        fingerprint: [9; 16],
        answer: b"the very bytes".to_vec(),
        expires_at: Timestamp(clock().0 + lasting),
    }
}

fn seedless() -> Result<Vec<(ResourceIndex, Record)>, String> {
    Ok(Vec::new())
}

fn refused(options: &Options, model: &Arc<Model>) -> OpenError {
    crate::open(options, Arc::clone(model), &mut seedless).unwrap_err()
}
