//! What one caller sees and may do, from end to end, with callers that are made up here.

use std::sync::Arc;

use http::{Request, Response};
use model::access::{Caller, Sight};
use model::model::{Field, Model};
use model::record::{Record, Version};
use model::value::{Id, Timestamp, Value};
use store::audit_log::Actor;

use super::{Bench, Bytes, JSON, Whole, bench_of, text, whole};
use crate::admit::Admitted;
use crate::origin::Bearing;

mod changes;
mod lists;
mod many;
mod reads;
mod rules;
mod writes;

/// Notes of their authors, which editors read too; comments that everybody reads.
const DECLARATION: &str = r#"
title = "Notes"
prefix = "/api"
[resources.users]
login = ["name"]
access = { read = "signed-in", create = "anyone", update = "owner" }
fields.name = { type = "string", unique = true }
fields.email = { type = "string", optional = true, read = "owner" }
fields.password = { type = "string", format = "password", optional = true, minLength = 4 }
fields.phone = { type = "string", optional = true, unique = true, read = "admin" }
[resources.users.fields.role]
type = "string"
enum = ["reader", "editor", "admin"]
default = "reader"
write = "admin"
[resources.notes]
search = ["title", "draft"]
sort = "-rank"
access.read = ["owner", "editor"]
access.create = "signed-in"
access.update = ["owner", "editor"]
access.delete = "owner"
fields.author = { references = "users", owner = true }
fields.title = { type = "string" }
fields.draft = { type = "string", optional = true, read = "editor", write = "editor" }
fields.code = { type = "string", optional = true, unique = true, read = "editor", write = "editor" }
fields.grade = { type = "integer", optional = true, read = "owner", write = "editor" }
fields.rank = { type = "integer", default = 0, read = "editor" }
fields.pinned = { type = "boolean", default = false, write = "editor" }
[resources.pages]
id = "text"
access = { read = "owner", create = "signed-in", update = "owner" }
fields.owner = { references = "users", owner = true }
fields.text = { type = "string" }
[resources.rules]
id = "text"
access = { read = "owner", create = "editor", update = "owner" }
fields.owner = { references = "users", owner = true }
[resources.comments]
access = { read = "anyone", create = "signed-in", update = "signed-in", delete = "signed-in" }
fields.note = { references = "notes", onDelete = "restrict" }
fields.text = { type = "string" }
"#;

/// The callers of these tests: the operator, nobody, and users by their number.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Operator,
    Nobody,
    /// A user without a role of weight.
    User(i64),
    /// A user with the role `editor`.
    Editor(i64),
    /// A user with the role `admin`.
    Admin(i64),
}

fn caller(model: &Model, by: By) -> Caller {
    let (id, role) = match by {
        By::Operator => return Caller::Operator,
        By::Nobody => return Caller::Nobody,
        By::User(id) => (id, "reader"),
        By::Editor(id) => (id, "editor"),
        By::Admin(id) => (id, "admin"),
    };
    let fields = &model.resources[model.users().unwrap()].fields;
    let value = |field: &Field| {
        let is_role = field.name == "role";
        is_role.then(|| Value::Text(role.to_owned()))
    };
    let record = Record {
        id: Id::Integer(id),
        version: Version { birth: 1, counter: 1 },
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        values: fields.iter().map(value).collect(),
    };
    Caller::user(model, Arc::new(record))
}

impl Bench {
    /// Sends a request for somebody.
    pub(super) async fn by(
        &self,
        by: By,
        line: &str,
        fields: &[(&str, &str)],
        content: &str,
    ) -> Response<Bytes> {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let model = &self.engine.0.model;
        let sight = Sight::new(model, caller(model, by), crate::clock::now());
        request = request.extension(Admitted {
            sight: Arc::new(sight),
            actor: Arc::new(Actor { kind: "user", id: None }),
            address: None,
            request: String::new(),
            session: None,
            key: None,
            bearing: Bearing::Nothing,
        });
        let content = (!content.is_empty()).then(|| Bytes::copy_from_slice(content.as_bytes()));
        let request = request.body(Whole { content, chunked: false }).unwrap();
        whole(self.engine.answer(request).await).await
    }

    /// What somebody gets.
    async fn get(&self, by: By, target: &str) -> String {
        text(&self.by(by, &format!("GET {target}"), &[], "").await)
    }

    /// Sends JSON for somebody.
    async fn send(&self, by: By, line: &str, content: &str) -> String {
        text(&self.by(by, line, &[JSON], content).await)
    }
}

/// Two users, 1 and 2, with two notes of the first and one of the second, and an editor, 3.
async fn notes() -> Bench {
    let bench = bench_of(DECLARATION);
    for (line, content) in [
        ("POST /api/users", r#"{"name":"Ann","email":"ann@example.com","phone":"1"}"#),
        ("POST /api/users", r#"{"name":"Bob","email":"bob@example.com"}"#),
        ("POST /api/users", r#"{"name":"Eve","role":"editor"}"#),
        (
            "POST /api/notes",
            r#"{"author":1,"title":"Tea","draft":"plum cake","code":"c1","grade":5,"rank":1}"#,
        ),
        ("POST /api/notes", r#"{"author":2,"title":"Oak","draft":"plum","grade":3,"rank":2}"#),
        ("POST /api/notes", r#"{"author":1,"title":"Sea","rank":3}"#),
        ("POST /api/comments", r#"{"note":1,"text":"first"}"#),
        ("POST /api/comments", r#"{"note":2,"text":"second"}"#),
    ] {
        let answer = bench.send(By::Operator, line, content).await;
        assert!(answer.starts_with("201 "), "{answer}");
    }
    bench
}

/// The titles of the notes in an answer, in its order.
fn titles(answer: &str) -> String {
    let parts = answer.split("\"title\":\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

/// A fault of the test, with all of the answer.
#[track_caller]
fn has(answer: &str, expected: &str) {
    assert!(answer.contains(expected), "{expected} in {answer}");
}

#[track_caller]
fn lacks(answer: &str, unexpected: &str) {
    assert!(!answer.contains(unexpected), "no {unexpected} in {answer}");
}
