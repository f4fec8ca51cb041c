//! The walk from end to end, in process: a request in, a response out, on a real database.
#![allow(clippy::unwrap_used)]

mod access;
mod batch;
mod bulk;
mod conditions;
mod content;
mod ids;
mod kept;
mod lists;
mod signin;
mod streams;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use model::model::{Access, Who};
use model::setting::Settings;

use crate::content::ContentError;
use crate::{Engine, Parts};

/// Content that is there at once, its length known or not.
struct Whole {
    content: Option<Bytes>,
    chunked: bool,
}

impl Whole {
    fn chunked(content: Option<Bytes>) -> Self {
        Self { content, chunked: true }
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = ContentError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ContentError>>> {
        self.chunked = false;
        Poll::Ready(self.content.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_none() && !self.chunked
    }

    fn size_hint(&self) -> SizeHint {
        if self.chunked {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.content.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

struct Bench {
    engine: Engine,
    _folder: tempfile::TempDir,
}

const DECLARATION: &str = r#"
title = "Test"
prefix = "/api"
alias = ["/"]
[resources.users]
fields.name = { type = "string", minLength = 1, ignoreCase = true }
fields.email = { type = "string", format = "email", unique = true }
fields.note = { type = "string", optional = true }
[resources.orders]
preconditions = "required"
idempotency = "required"
fields.customer = { references = "users", onDelete = "restrict" }
fields.quantity = { type = "integer", minimum = 1, default = 1 }
"#;

fn bench() -> Bench {
    bench_of(DECLARATION)
}

fn bench_of(declaration: &str) -> Bench {
    bench_with(declaration, Settings::default())
}

fn bench_with(declaration: &str, settings: Settings) -> Bench {
    let reading = model::declaration::read(declaration);
    let faults =
        model::complaint::render(&reading.complaints, declaration, "methodical.toml", false);
    let mut model = reading.model.unwrap_or_else(|| panic!("{faults}"));
    // What is not about access is about what everybody may do.
    let anyone = || Some(Who { names: vec!["anyone".to_owned()], when: None });
    for resource in model.resources.iter_mut().filter(|resource| resource.access.is_none()) {
        let (read, create, update, delete) = (anyone(), anyone(), anyone(), anyone());
        resource.access = Some(Access { read, create, update, delete });
    }
    let model = Arc::new(model);
    let folder = tempfile::tempdir().unwrap();
    let settings = Arc::new(settings);
    let options = store::Options::from(&settings, &folder.path().join("data.db"));
    let opened = store::open(&options, model.clone(), &mut || Ok(Vec::new())).unwrap();
    let store::Opened { reader, writer, epoch, secret, .. } = opened;
    let engine = Engine::new(Parts { model, settings, reader, writer, epoch, secret });
    Bench { engine, _folder: folder }
}

impl Bench {
    async fn ask_from(
        &self,
        peer: &str,
        line: &str,
        fields: &[(&str, &str)],
        content: &str,
    ) -> Response<Bytes> {
        let mut request = request(line, fields, content);
        request.extensions_mut().insert(crate::report::Peer(peer.parse().unwrap()));
        whole(self.engine.answer(request).await).await
    }

    async fn ask(&self, line: &str, fields: &[(&str, &str)], content: &str) -> Response<Bytes> {
        whole(self.engine.answer(request(line, fields, content)).await).await
    }
}

fn request(line: &str, fields: &[(&str, &str)], content: &str) -> Request<Whole> {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let content = (!content.is_empty()).then(|| Bytes::copy_from_slice(content.as_bytes()));
    request.body(Whole { content, chunked: false }).unwrap()
}

/// A response with all of its content.
async fn whole(response: Response<crate::content::Content>) -> Response<Bytes> {
    let (parts, content) = response.into_parts();
    Response::from_parts(parts, content.collect().await.unwrap())
}

const JSON: (&str, &str) = ("content-type", "application/json");
const ALICE: &str = r#"{"name":"Alice","email":"alice@example.com"}"#;
const KEY: (&str, &str) = ("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324");

fn text(response: &Response<Bytes>) -> String {
    format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(response.body()))
}

fn field<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn what_is_created_is_found_listed_changed_and_deleted() {
    let bench = bench();
    let created = bench.ask("POST /api/users", &[JSON], ALICE).await;
    assert_eq!(created.status(), 201, "{}", text(&created));
    assert_eq!(field(&created, "location"), "/api/users/1");
    let found = bench.ask("GET /users/1", &[], "").await;
    assert_eq!(found.status(), 200, "{}", text(&found));
    assert_eq!(found.body(), created.body());
    assert_eq!(field(&found, "etag"), field(&created, "etag"));
    let tag = field(&found, "etag");
    let same = bench.ask("GET /api/users/1", &[("if-none-match", tag)], "").await;
    assert_eq!(same.status(), 304);
    let list = bench.ask("GET /api/users?name=alice", &[], "").await;
    assert!(text(&list).contains("\"total\":1,\"page\":1,\"limit\":20}"), "{}", text(&list));
    let merge = ("content-type", "application/merge-patch+json");
    let changed =
        bench.ask("PATCH /api/users/1", &[merge, ("if-match", tag)], r#"{"note":"n"}"#).await;
    assert_eq!(changed.status(), 200, "{}", text(&changed));
    let late =
        bench.ask("PATCH /api/users/1", &[merge, ("if-match", tag)], r#"{"note":"m"}"#).await;
    assert_eq!(late.status(), 412, "{}", text(&late));
    let gone = bench.ask("DELETE /api/users/1", &[], "").await;
    assert_eq!(text(&gone), r#"200 {"status":"deleted"}"#);
    assert_eq!(bench.ask("GET /api/users/1", &[], "").await.status(), 404);
}

#[tokio::test]
async fn a_key_makes_ten_posts_one_record() {
    let bench = bench();
    let first = bench.ask("POST /api/users", &[JSON, KEY], ALICE).await;
    assert_eq!(first.status(), 201, "{}", text(&first));
    for _ in 0..9 {
        let again = bench.ask("POST /users", &[JSON, KEY], ALICE).await;
        assert_eq!(again.body(), first.body());
        assert_eq!(field(&again, "idempotent-replayed"), "true");
    }
    let other = bench.ask("POST /api/users", &[JSON, KEY], &ALICE.replace("Alice", "Bob")).await;
    assert_eq!(other.status(), 422, "{}", text(&other));
}

#[tokio::test]
async fn what_a_declaration_demands_is_demanded() {
    let bench = bench();
    bench.ask("POST /api/users", &[JSON], ALICE).await;
    let order = r#"{"customer":1}"#;
    let bare = bench.ask("POST /api/orders", &[JSON], order).await;
    assert_eq!(bare.status(), 400, "{}", text(&bare));
    let dangling = bench.ask("POST /api/orders", &[JSON, KEY], r#"{"customer":9}"#).await;
    assert_eq!(dangling.status(), 422, "{}", text(&dangling));
    let made = bench.ask("POST /api/orders", &[JSON, KEY], order).await;
    assert_eq!(made.status(), 201, "{}", text(&made));
    let blind = bench.ask("DELETE /api/orders/1", &[], "").await;
    assert_eq!(blind.status(), 428, "{}", text(&blind));
    let held = bench.ask("DELETE /api/users/1", &[], "").await;
    assert_eq!(held.status(), 409, "{}", text(&held));
    let taken = bench.ask("POST /api/users", &[JSON], ALICE).await;
    assert_eq!(taken.status(), 409, "{}", text(&taken));
}

#[tokio::test]
async fn head_is_get_without_content() {
    let bench = bench();
    for target in
        ["/api", "/api/users", "/healthz", "/readyz", "/problems", "/robots.txt", "/api/users/7"]
    {
        let get = bench.ask(&format!("GET {target}"), &[], "").await;
        let head = bench.ask(&format!("HEAD {target}"), &[], "").await;
        assert_eq!(head.status(), get.status(), "{target}");
        assert_eq!(head.headers(), get.headers(), "{target}");
        assert!(head.body().is_empty() && !get.body().is_empty(), "{target}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let bench = bench();
    for (origin, status) in
        [("http://evil.example", 403), ("null", 403), ("http://localhost:5173", 201)]
    {
        let answer = bench.ask("POST /api/users", &[JSON, ("origin", origin)], ALICE).await;
        assert_eq!(answer.status(), status, "{origin}");
    }
    let read = bench.ask("GET /api/users/1", &[("origin", "http://evil.example")], "").await;
    assert_eq!(read.status(), 200);
    let other = bench.ask("GET /api/users/1", &[("expect", "200-ok")], "").await;
    assert_eq!(other.status(), 417);
}

#[tokio::test]
async fn a_post_can_be_held_to_the_state_of_the_list() {
    let bench = bench();
    let list = bench.ask("GET /api/users", &[], "").await;
    let held = ("if-match", field(&list, "etag"));
    let first = bench.ask("POST /api/users", &[JSON, held], ALICE).await;
    assert_eq!(first.status(), 201, "{}", text(&first));
    let second = bench.ask("POST /api/users", &[JSON, held], &ALICE.replace("alice", "al")).await;
    assert_eq!(second.status(), 412, "{}", text(&second));
    let order = (r#"{"customer":1}"#, ("if-match", "*"));
    let made = bench.ask("POST /api/orders", &[JSON, KEY, order.1], order.0).await;
    assert_eq!(made.status(), 201, "{}", text(&made));
}

#[tokio::test]
async fn json_that_is_called_a_form_is_told_so() {
    let bench = bench();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for ask in ["POST /api/users", "QUERY /api/users"] {
        for content in [ALICE, " [1]", "{'name':'Zed'}"] {
            let refused = bench.ask(ask, &form, content).await;
            assert_eq!(refused.status(), 400, "{}", text(&refused));
            assert!(text(&refused).contains("Send `Content-Type: application/json`"));
        }
    }
    let created = bench.ask("POST /api/users", &form, "name=%7B&email=a%40example.com").await;
    assert_eq!(created.status(), 201, "{}", text(&created));
}
