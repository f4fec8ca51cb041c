//! A server with a drawn declaration, filled with drawn records, and the same records in memory.

use std::fs;
use std::time::Duration;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection as Database, params_from_iter};
use serde_json::{Map, Value};

use super::naive::{compare, present};
use super::schema::{IdKind, Kind, Presence, Resource, Schema};
use super::values;
use crate::property::chance::Chance;
use crate::support::answer::Answer;
use crate::support::client::{Client, Connection, Request};
use crate::support::server::{Options, Server, await_that, open};

/// A record as its members, in no order; absent ones are not there.
pub(super) type Doc = Map<String, Value>;

/// A connection that stays, so that thousands of requests take little time.
pub(super) struct Wire {
    client: Client,
    server: std::net::SocketAddr,
    connection: Option<Connection>,
}

impl Wire {
    pub(super) fn new(server: &Server) -> Self {
        Self { client: server.client(), server: server.address(), connection: None }
    }

    /// Sends a request, and holds its answer against what no answer may break.
    pub(super) fn send(&mut self, request: Request) -> Answer {
        let request = request.field("connection", "keep-alive");
        let connection = self.connection.get_or_insert_with(|| self.client.connect());
        connection.write(&request.bytes(self.server)).expect("the server reads");
        let answer = connection.answer(&request.method).expect("an answer");
        if answer.closes() {
            self.connection = None;
        }
        answer.check(&request.method, &request.target);
        answer
    }

    /// GET without fields.
    pub(super) fn get(&mut self, target: &str) -> Answer {
        self.send(Request::new("GET", target))
    }
}

/// A server of a declaration, with settings.
pub(super) fn started(toml: &str, settings: &[(&str, usize)]) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("methodical.toml"), open(toml)).expect("a file");
    let options = Options::folder(folder.path());
    let set = |options: Options, (key, value): &(&str, usize)| options.set(key, &value.to_string());
    settings.iter().fold(options, set).start()
}

/// A declaration and every record there is.
pub(super) struct World {
    pub(super) schema: Schema,
    /// One list of records a resource, in no order.
    pub(super) docs: Vec<Vec<Doc>>,
}

/// A world that is served.
pub(super) struct Served {
    pub(super) world: World,
    pub(super) server: Server,
    pub(super) wire: Wire,
}

impl World {
    /// The records of a resource.
    pub(super) fn all(&self, resource: usize) -> &[Doc] {
        &self.docs[resource]
    }

    /// The resource of this number.
    pub(super) fn resource(&self, at: usize) -> &Resource {
        &self.schema.resources[at]
    }

    /// A value that this column could have, or has somewhere.
    pub(super) fn value(&self, chance: &mut Chance, kind: Kind) -> Option<Value> {
        match kind {
            Kind::Reference(to) => {
                let ids: Vec<&Value> = self.all(to).iter().map(|doc| &doc["id"]).collect();
                if ids.is_empty() { None } else { Some((*chance.pick(&ids)).clone()) }
            }
            Kind::Id(_) | Kind::Moment => None,
            kind => Some(values::plain(chance, kind)),
        }
    }

    /// True where another record has what must be unique.
    fn is_taken(&self, at: usize, doc: &Doc) -> bool {
        let resource = self.resource(at);
        let alone = (0..resource.fields.len()).filter(|field| resource.fields[*field].unique);
        let groups = alone.map(|field| vec![field]).chain(resource.unique.iter().cloned());
        let has_same = |other: &Doc, group: &[usize]| {
            group.iter().all(|field| {
                let field = &resource.fields[*field];
                match (present(other, &field.name), present(doc, &field.name)) {
                    (Some(one), Some(two)) => compare(field.kind, one, two).is_eq(),
                    _ => false,
                }
            })
        };
        let taken = |group: Vec<usize>| {
            let others = self.all(at).iter().filter(|other| other.get("id") != doc.get("id"));
            others.into_iter().any(|other| has_same(other, &group))
        };
        groups.into_iter().any(taken)
            || self.all(at).iter().any(|other| doc.contains_key("id") && other["id"] == doc["id"])
    }

    /// Members of a new record; None where what it must refer to is not there.
    fn draw(&self, chance: &mut Chance, at: usize) -> Option<Doc> {
        let resource = self.resource(at);
        let mut doc = Doc::new();
        if resource.id != IdKind::Integer && chance.once_in(2) {
            doc.insert("id".to_owned(), values::id(chance, resource.id));
        }
        for field in &resource.fields {
            let is_left_out = match &field.presence {
                Presence::Required => false,
                Presence::Nullable if chance.once_in(3) => {
                    doc.insert(field.name.clone(), Value::Null);
                    true
                }
                Presence::Nullable => false,
                Presence::Optional | Presence::Default(_) => chance.once_in(3),
            };
            if is_left_out {
                continue;
            }
            match (self.value(chance, field.kind), &field.presence) {
                (Some(value), _) => _ = doc.insert(field.name.clone(), value),
                (None, Presence::Required) => return None,
                (None, Presence::Nullable) => _ = doc.insert(field.name.clone(), Value::Null),
                (None, _) => {}
            }
        }
        Some(doc)
    }
}

/// The document with its defaults.
fn filled(resource: &Resource, mut doc: Doc) -> Doc {
    for field in &resource.fields {
        if let (None, Presence::Default(value)) = (doc.get(&field.name), &field.presence) {
            doc.insert(field.name.clone(), value.clone());
        }
    }
    doc
}

impl Served {
    /// Draws a world and fills it: over HTTP, then by changes, then from outside.
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let schema = Schema::draw(chance);
        let limits = schema.limits;
        let settings = [
            ("limits.include", limits.include),
            ("limits.included", limits.included),
            ("limits.count", limits.count),
            ("limits.offset", limits.offset),
            ("limits.page_default", limits.page_default),
            ("reads.steps", limits.steps),
        ];
        let server = started(&schema.toml(), &settings);
        let docs = schema.resources.iter().map(|_| Vec::new()).collect();
        let wire = Wire::new(&server);
        let mut served = Self { world: World { schema, docs }, server, wire };
        for at in 0..served.world.schema.resources.len() {
            let number = if chance.once_in(12) { 0 } else { 10 + chance.below(30) };
            for _ in 0..number {
                served.create(chance, at);
            }
        }
        for at in 0..served.world.schema.resources.len() {
            for number in 0..served.world.all(at).len() {
                if chance.once_in(4) {
                    served.patch(chance, at, number);
                }
            }
        }
        served.edit(chance);
        served
    }

    fn create(&mut self, chance: &mut Chance, at: usize) {
        let Some(doc) = self.world.draw(chance, at) else { return };
        let resource = self.world.resource(at);
        let path = format!("/api/{}", resource.name);
        let request = Request::new("POST", &path).json(Value::Object(doc.clone()).to_string());
        let doc = filled(resource, doc);
        let is_taken = self.world.is_taken(at, &doc);
        let answer = self.wire.send(request);
        assert_eq!(answer.status, if is_taken { 409 } else { 201 }, "{doc:?}\n{}", answer.show());
        if !is_taken {
            let made = kept(doc, &answer);
            self.world.docs[at].push(made);
        }
    }

    /// A reference to any record, or another value.
    fn patch(&mut self, chance: &mut Chance, at: usize, number: usize) {
        let resource = self.world.resource(at);
        let field = chance.pick(&resource.fields);
        let Some(value) = self.world.value(chance, field.kind) else { return };
        // An optional member that is set to null is removed.
        if value.is_null() {
            return;
        }
        let mut doc = self.world.docs[at][number].clone();
        doc.insert(field.name.clone(), value.clone());
        if self.world.is_taken_by_another(at, number, &doc) {
            return;
        }
        let id = doc["id"].as_str().map_or_else(|| doc["id"].to_string(), str::to_owned);
        let path = format!("/api/{}/{id}", resource.name);
        let patch = serde_json::json!({ field.name.clone(): value });
        // What is inside an object would be merged.
        let patch = if value.is_object() {
            let operations = serde_json::json!([
                {"op": "add", "path": format!("/{}", field.name), "value": value}
            ]);
            Request::new("PATCH", &path)
                .content("application/json-patch+json", operations.to_string())
        } else {
            Request::new("PATCH", &path).content("application/merge-patch+json", patch.to_string())
        };
        let answer = self.wire.send(patch);
        assert_eq!(answer.status, 200, "{}", answer.show());
        self.world.docs[at][number] = kept(doc, &answer);
    }

    /// Rows that another process writes: some new, with moments of their own, and some changed.
    fn edit(&mut self, chance: &mut Chance) {
        let mut database = Database::open(self.server.database()).expect("the database");
        database.busy_timeout(Duration::from_secs(60)).expect("a timeout");
        let transaction = database.transaction().expect("a transaction");
        for at in 0..self.world.schema.resources.len() {
            for _ in 0..chance.below(8) {
                let Some(doc) = self.world.draw(chance, at) else { continue };
                let resource = self.world.resource(at);
                let mut doc = filled(resource, doc);
                if self.world.is_taken(at, &doc) {
                    continue;
                }
                insert(chance, &transaction, resource, &mut doc);
                self.world.docs[at].push(doc);
            }
            let number = self.world.all(at).len();
            if number > 0 {
                let number = chance.below(number);
                self.change(chance, &transaction, at, number);
            }
        }
        transaction.commit().expect("a commit");
        await_that("texts are folded", || {
            let marks = "SELECT count(*) FROM _methodical_refold";
            database.query_row(marks, [], |row| row.get::<_, i64>(0)).expect("a number") == 0
        });
    }

    fn change(&mut self, chance: &mut Chance, database: &Database, at: usize, number: usize) {
        let resource = self.world.resource(at).clone();
        let field = chance.pick(&resource.fields);
        let Some(value) = self.world.value(chance, field.kind) else { return };
        let mut doc = self.world.docs[at][number].clone();
        doc.insert(field.name.clone(), value.clone());
        if self.world.is_taken_by_another(at, number, &doc) {
            return;
        }
        let text = format!("UPDATE \"{}\" SET \"{}\" = ? WHERE id = ?", resource.name, field.name);
        let values = [sql(&resource, &field.name, &value), plain(&doc["id"])];
        database.execute(&text, params_from_iter(values)).expect("an update");
        let text = format!("SELECT updatedAt FROM \"{}\" WHERE id = ?", resource.name);
        let updated: String = database
            .query_row(&text, params_from_iter([plain(&doc["id"])]), |row| row.get(0))
            .expect("a row");
        doc.insert("updatedAt".to_owned(), updated.into());
        self.world.docs[at][number] = doc;
    }
}

impl World {
    fn is_taken_by_another(&self, at: usize, number: usize, doc: &Doc) -> bool {
        let mut others = self.docs[at].clone();
        others.swap_remove(number);
        let mut docs: Vec<Vec<Doc>> = self.docs.iter().map(|_| Vec::new()).collect();
        docs[at] = others;
        Self { schema: self.schema.clone(), docs }.is_taken(at, doc)
    }
}

/// What was sent, with what the server adds; its answer has to be that.
fn kept(mut doc: Doc, answer: &Answer) -> Doc {
    let Value::Object(shown) = answer.json() else { panic!("no record: {}", answer.show()) };
    for name in ["id", "createdAt", "updatedAt"] {
        doc.insert(name.to_owned(), shown[name].clone());
    }
    assert_eq!(sorted(&doc), sorted(&shown), "what was sent is what is shown");
    doc
}

fn sorted(doc: &Doc) -> Vec<(String, String)> {
    let mut members: Vec<_> =
        doc.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    members.sort();
    members
}

/// A row as another program would write it.
fn insert(chance: &mut Chance, database: &Database, resource: &Resource, doc: &mut Doc) {
    if resource.id == IdKind::Text && !doc.contains_key("id") {
        doc.insert("id".to_owned(), format!("out{}", chance.next()).into());
    }
    if chance.once_in(2) {
        for name in ["createdAt", "updatedAt"] {
            doc.insert(name.to_owned(), values::moment(chance).1.into());
        }
    }
    let names: Vec<String> = doc.keys().map(|name| format!("\"{name}\"")).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let text = format!(
        "INSERT INTO \"{}\" ({}) VALUES ({marks}) RETURNING id, createdAt, updatedAt",
        resource.name,
        names.join(", ")
    );
    let text = if names.is_empty() {
        format!(
            "INSERT INTO \"{}\" DEFAULT VALUES RETURNING id, createdAt, updatedAt",
            resource.name
        )
    } else {
        text
    };
    let values: Vec<Sql> = doc.iter().map(|(name, value)| sql(resource, name, value)).collect();
    let row = database
        .query_row(&text, params_from_iter(values), |row| {
            Ok((row.get::<_, Sql>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .unwrap_or_else(|error| panic!("{text}: {error}: {doc:?}"));
    let id = match row.0 {
        Sql::Integer(id) => id.into(),
        Sql::Text(id) => id.into(),
        other => panic!("an id that is {other:?}"),
    };
    doc.insert("id".to_owned(), id);
    doc.insert("createdAt".to_owned(), row.1.into());
    doc.insert("updatedAt".to_owned(), row.2.into());
}

fn sql(resource: &Resource, name: &str, value: &Value) -> Sql {
    match (resource.column(name).kind, value) {
        // A null of a nullable field is NULL, any other null of JSON is the text of it.
        (Kind::Json, Value::Null) => {
            let field = resource.fields.iter().find(|field| field.name == name);
            let is_optional = field.is_some_and(|field| field.presence == Presence::Optional);
            if is_optional { Sql::Text("null".to_owned()) } else { Sql::Null }
        }
        (Kind::Json, value) => Sql::Text(value.to_string()),
        (Kind::Number, Value::Number(number)) => Sql::Real(number.as_f64().expect("a number")),
        (_, value) => plain(value),
    }
}

fn plain(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(flag) => Sql::Integer(i64::from(*flag)),
        Value::Number(number) => Sql::Integer(number.as_i64().expect("a whole number")),
        Value::String(text) => Sql::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => panic!("only JSON is kept as JSON"),
    }
}
