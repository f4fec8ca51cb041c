//! Conditions: what holds of a record before and after, and of what it refers to.

use super::{By, has, lacks, titles};
use crate::tests::{Bench, bench_of, field};

const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");

/// Posts that their authors publish, in rooms; answers to posts that are open.
const DECLARATION: &str = r#"
title = "Forum"
prefix = "/api"
[resources.users]
login = ["name"]
access = { read = "anyone", create = "anyone" }
fields.name = { type = "string", unique = true }
fields.email = { type = "string", optional = true }
fields.password = { type = "string", format = "password", optional = true }
[resources.users.fields.role]
type = "string"
enum = ["reader", "editor", "admin"]
default = "reader"
write = "admin"
[resources.rooms]
access = { read = "anyone", write = "admin" }
fields.name = { type = "string" }
fields.open = { type = "boolean", default = true }
[resources.posts]
fields.author = { references = "users", owner = true }
fields.room = { references = "rooms" }
fields.title = { type = "string" }
fields.status = { type = "string", enum = ["draft", "public"], default = "draft" }
[resources.posts.fields.tag]
type = "string"
optional = true
write = { who = ["signed-in"], when = "record.status == 'draft'" }
[resources.posts.fields.hint]
type = "string"
optional = true
read = { who = ["anyone"], when = "record.room.open" }
[resources.posts.access]
read = { who = ["anyone"], when = "record.status == 'public' || record.author == caller.id" }
create = { who = ["signed-in"], when = "record.room.open" }
update = { who = ["signed-in"], when = "record.author == caller.id && record.room.open" }
delete = { who = ["signed-in"], when = "record.status == 'draft' && record.author == caller.id" }
[resources.news]
access = { read = { who = ["anyone"], when = "record.from <= now" }, create = "anyone" }
fields.title = { type = "string" }
fields.from = { type = "string", format = "date-time" }
"#;

async fn forum() -> Bench {
    let bench = bench_of(DECLARATION);
    for (line, content) in [
        ("POST /api/users", r#"{"name":"Ann"}"#),
        ("POST /api/users", r#"{"name":"Bob"}"#),
        ("POST /api/rooms", r#"{"name":"Hall"}"#),
        ("POST /api/rooms", r#"{"name":"Attic","open":false}"#),
        ("POST /api/posts", r#"{"author":1,"room":1,"title":"One","status":"public","hint":"h1"}"#),
        ("POST /api/posts", r#"{"author":1,"room":2,"title":"Two","status":"public","hint":"h2"}"#),
        ("POST /api/posts", r#"{"author":1,"room":1,"title":"Three"}"#),
        ("POST /api/news", r#"{"title":"Old","from":"2020-01-01T00:00:00Z"}"#),
        ("POST /api/news", r#"{"title":"New","from":"2999-01-01T00:00:00Z"}"#),
    ] {
        let answer = bench.send(By::Operator, line, content).await;
        assert!(answer.starts_with("201 "), "{answer}");
    }
    bench
}

#[tokio::test]
async fn rules_say_what_is_seen() {
    let bench = forum().await;
    let all = bench.get(By::Nobody, "/api/posts?sort=id").await;
    assert_eq!(titles(&all), "One Two");
    has(&all, "\"hint\":\"h1\"");
    lacks(&all, "h2");
    assert_eq!(titles(&bench.get(By::User(1), "/api/posts").await), "One Two Three");
    assert!(bench.get(By::User(2), "/api/posts/3").await.starts_with("404 "));
    has(&bench.get(By::User(2), "/api/posts/1").await, "h1");
    lacks(&bench.get(By::User(2), "/api/posts/2").await, "h2");
    lacks(&bench.get(By::User(2), "/api/rooms?include=posts").await, "h2");
    // The list follows what its rules look into, though none of its own records change.
    let tag = field(&bench.by(By::Nobody, "GET /api/posts", &[], "").await, "etag").to_owned();
    let open = r#"{"open":true}"#;
    bench.by(By::Operator, "PATCH /api/rooms/2", &[MERGE], open).await;
    has(&bench.get(By::Nobody, "/api/posts").await, "h2");
    let fields = [("if-none-match", tag.as_str())];
    assert_eq!(bench.by(By::Nobody, "GET /api/posts", &fields, "").await.status(), 200);
}

#[tokio::test]
async fn rules_hold_before_and_after() {
    let bench = forum().await;
    let made = r#"{"room":1,"title":"Mine"}"#;
    has(&bench.send(By::User(2), "POST /api/posts", made).await, "201 ");
    let closed = r#"{"room":2,"title":"Mine","hint":"x"}"#;
    has(&bench.send(By::User(2), "POST /api/posts", closed).await, "403 ");
    let patch = async |by, id: i64, content: &str| {
        let line = format!("PATCH /api/posts/{id}");
        bench.by(by, &line, &[MERGE], content).await.status().as_u16()
    };
    assert_eq!(patch(By::User(1), 1, r#"{"title":"Uno"}"#).await, 200);
    assert_eq!(patch(By::User(1), 1, r#"{"room":2}"#).await, 403);
    assert_eq!(patch(By::User(1), 1, r#"{"room":99}"#).await, 422);
    assert_eq!(patch(By::User(1), 2, r#"{"room":1}"#).await, 403);
    assert_eq!(patch(By::User(2), 1, r#"{"title":"X"}"#).await, 403);
    assert_eq!(patch(By::User(2), 3, r#"{"title":"X"}"#).await, 404);
    let gone = async |id: i64| {
        let line = format!("DELETE /api/posts/{id}");
        bench.by(By::User(1), &line, &[], "").await.status().as_u16()
    };
    assert_eq!((gone(1).await, gone(3).await), (403, 200));
}

#[tokio::test]
async fn many_rows_are_held_to_the_rules() {
    let bench = forum().await;
    let rows = r#"[{"room":1,"title":"A"},{"room":2,"title":"B"}]"#;
    let refused = bench.send(By::User(2), "POST /api/posts", rows).await;
    has(&refused, "403 ");
    has(&refused, "\"pointer\":\"/1\"");
    let rows = r#"[{"room":1,"title":"A"},{"room":1,"title":"B","author":1}]"#;
    has(&bench.send(By::User(2), "POST /api/posts", rows).await, "403 ");
    let rows = r#"[{"room":1,"title":"A"},{"room":99,"title":"B"}]"#;
    has(&bench.send(By::User(2), "POST /api/posts", rows).await, "422 ");
    assert_eq!(titles(&bench.get(By::User(2), "/api/posts?author=2").await), "");
    let rows = r#"[{"room":1,"title":"A"},{"room":1,"title":"B"}]"#;
    has(&bench.send(By::User(2), "POST /api/posts", rows).await, "201 ");
}

#[tokio::test]
async fn a_field_is_written_where_its_rule_holds_before_and_after() {
    let bench = forum().await;
    let patch = async |id: i64, content: &str| {
        let line = format!("PATCH /api/posts/{id}");
        bench.by(By::User(1), &line, &[MERGE], content).await.status().as_u16()
    };
    assert_eq!(patch(1, r#"{"tag":"t"}"#).await, 403);
    assert_eq!(patch(3, r#"{"tag":"t","status":"public"}"#).await, 403);
    assert_eq!(patch(3, r#"{"tag":"t"}"#).await, 200);
    assert_eq!(patch(3, r#"{"tag":"t","status":"public"}"#).await, 200);
    // Out of a record in which it cannot be written, PUT may leave it, and it stays.
    let whole = r#"{"author":1,"room":1,"title":"T","status":"public"}"#;
    has(&bench.send(By::User(1), "PUT /api/posts/3", whole).await, "\"tag\":\"t\"");
    for (row, status) in [
        (r#"{"room":1,"title":"A","tag":"t"}"#, "201 "),
        (r#"{"room":1,"title":"A","tag":"t","status":"public"}"#, "403 "),
        (r#"{"room":1,"title":"A","status":"public"}"#, "201 "),
    ] {
        has(&bench.send(By::User(1), "POST /api/posts", row).await, status);
        has(&bench.send(By::User(1), "POST /api/posts", &format!("[{row}]")).await, status);
    }
}

#[tokio::test]
async fn the_clock_decides_anew_each_time_and_moves_no_tag() {
    let bench = forum().await;
    assert_eq!(titles(&bench.get(By::Nobody, "/api/news").await), "Old");
    assert!(bench.get(By::Nobody, "/api/news/2").await.starts_with("404 "));
    for target in ["/api/news", "/api/news/1"] {
        let line = format!("GET {target}");
        let tag = field(&bench.by(By::Nobody, &line, &[], "").await, "etag").to_owned();
        let fields = [("if-none-match", tag.as_str())];
        assert_eq!(bench.by(By::Nobody, &line, &fields, "").await.status(), 304, "{target}");
    }
}

#[tokio::test]
async fn changes_are_those_of_what_is_seen() {
    let bench = forum().await;
    let all = bench.get(By::User(2), "/api/changes?resource=posts").await;
    assert_eq!(titles(&all), "One Two");
    lacks(&all, "\"id\":3");
    bench.by(By::User(1), "PATCH /api/posts/1", &[MERGE], r#"{"status":"draft"}"#).await;
    let left = bench.get(By::User(2), "/api/changes?resource=posts").await;
    has(&left, "\"operation\":\"removed\"");
    lacks(&left, "One");
}
