//! Many records in one content: whole or not at all, however the content is written and cut.

use std::collections::VecDeque;

use bytes::Bytes;
use http::Request;
use model::setting::Settings;
use serde_json::{Value, json};

use super::*;

const DECLARATION: &str = r#"
title = "Bulk"
prefix = "/api"
[resources.users]
login = ["email"]
fields.name = { type = "string", minLength = 1 }
fields.email = { type = "string", unique = true, ignoreCase = true, optional = true }
fields.age = { type = "integer", optional = true }
fields.password = { type = "string", format = "password", minLength = 8, optional = true }
[resources.tags]
id = "text"
fields.above = { references = "tags", optional = true }
fields.user = { references = "users", optional = true }
"#;

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
const CSV: (&str, &str) = ("content-type", "text/csv");

/// Content that arrives in pieces, and says how long it is or not.
struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = ContentError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ContentError>>> {
        Poll::Ready(self.0.pop_front().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

fn bench() -> Bench {
    bench_of(DECLARATION)
}

fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

async fn total(bench: &Bench, resource: &str) -> u64 {
    let list = bench.ask(&format!("GET /api/{resource}"), &[], "").await;
    json(&list)["total"].as_u64().unwrap()
}

#[tokio::test]
async fn every_form_creates_the_same_records() {
    let bench = bench();
    for (first, media, content) in [
        (1, JSON, "[{\"name\":\"A\"},{\"name\":\"B\",\"age\":5}]"),
        (3, NDJSON, "{\"name\":\"A\"}\n{\"name\":\"B\",\"age\":5}\n"),
        (5, CSV, "name,age\r\nA,\r\nB,5\r\n"),
    ] {
        let created = bench.ask("POST /api/users", &[media], content).await;
        assert_eq!(created.status(), 201, "{}", text(&created));
        assert_eq!(json(&created), json!({"created": 2, "ids": [first, first + 1]}));
        assert_eq!(field(&created, "location"), "", "the target itself is meant");
        assert_eq!(field(&created, "etag"), "");
        assert_eq!(field(&created, "cache-control"), "no-store");
        assert_eq!(field(&created, "cache-group-invalidation"), "\"users\"");
        let second = bench.ask(&format!("GET /api/users/{}", first + 1), &[], "").await;
        assert_eq!(json(&second)["age"], 5, "{}", text(&second));
    }
    assert_eq!(total(&bench, "users").await, 6);
}

#[tokio::test]
async fn content_in_pieces_is_read_like_content_at_once() {
    let bench = bench();
    let rows: Vec<String> = (0..500).map(|n| format!("{{\"name\":\"N{n}ä\"}}")).collect();
    let array = format!("\u{feff} \n[{}]\n", rows.join(" ,\n"));
    let lines = rows.join("\n");
    for (media, content) in [(JSON.1, array), (NDJSON.1, lines)] {
        for size in [1, 7, 4096] {
            let pieces = content.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
            let request = Request::post("/api/users").header("content-type", media);
            let answer =
                whole(bench.engine.answer(request.body(Pieces(pieces)).unwrap()).await).await;
            assert_eq!(answer.status(), 201, "{}", text(&answer));
            assert_eq!(json(&answer)["ids"].as_array().unwrap().len(), 500);
        }
    }
    assert_eq!(total(&bench, "users").await, 3_000);
    let pieces = [" ", "{\"na", "me\":\"A\"}"].map(Bytes::from).into();
    let request = Request::post("/api/users").header("content-type", JSON.1);
    let answer = whole(bench.engine.answer(request.body(Pieces(pieces)).unwrap()).await).await;
    assert_eq!(json(&answer)["name"], "A", "an object is one record");
}

#[tokio::test]
async fn every_faulty_row_is_named_up_to_a_hundred() {
    let bench = bench();
    let content = "name,age\nA,x\nB,5\n,7\nC\n";
    let refused = bench.ask("POST /api/users", &[CSV], content).await;
    assert_eq!(refused.status(), 422, "{}", text(&refused));
    let errors = json(&refused)["errors"].clone();
    let pointers: Vec<_> = errors.as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!(pointers, ["/0/age", "/2/name", "/3"]);
    assert_eq!(errors[1]["detail"], "line 4: is required");
    let rows = format!("[{}]", vec!["{}"; 150].join(","));
    let refused = bench.ask("POST /api/users", &[JSON], &rows).await;
    assert_eq!(refused.status(), 422);
    let told = json(&refused);
    assert_eq!(told["errors"].as_array().unwrap().len(), 100);
    assert_eq!(told["errors"][99], json!({"pointer": "/99/name", "detail": "is required"}));
    assert!(told["detail"].as_str().unwrap().contains("there may be more"), "{told}");
    assert_eq!(total(&bench, "users").await, 0);
}

#[tokio::test]
async fn what_the_tables_refuse_is_named_by_row_and_nothing_is_created() {
    let bench = bench();
    bench.ask("POST /api/users", &[JSON], r#"{"name":"A","email":"a@b.c"}"#).await;
    let content = "{\"name\":\"B\",\"email\":\"A@B.C\"}\n\n{\"name\":\"C\",\"email\":\"c\"}\n\
                   {\"name\":\"D\",\"email\":\"C\"}\n";
    let refused = bench.ask("POST /api/users", &[NDJSON], content).await;
    assert_eq!(refused.status(), 409, "{}", text(&refused));
    let errors = json(&refused)["errors"].clone();
    assert_eq!(errors[0]["pointer"], "/0/email");
    assert_eq!(errors[1]["pointer"], "/2/email");
    assert!(errors[1]["detail"].as_str().unwrap().starts_with("line 4: is taken"), "{errors}");
    assert_eq!(total(&bench, "users").await, 1);
    let next = bench.ask("POST /api/users", &[JSON], r#"[{"name":"B"}]"#).await;
    assert_eq!(json(&next)["ids"], json!([2]), "ids of what was undone are given");

    let tags = r#"[{"id":"a"},{"id":"b","above":"a","user":1},{"id":"c","user":9},
                   {"id":"a"},{"id":"d","above":"z"}]"#;
    let refused = bench.ask("POST /api/tags", &[JSON], tags).await;
    assert_eq!(refused.status(), 422, "{}", text(&refused));
    let errors = json(&refused)["errors"].clone();
    let pointers: Vec<_> = errors.as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!(pointers, ["/2/user", "/3/id", "/4/above"]);
    let made = r#"[{"id":"a"},{"id":"b","above":"a","user":1},{}]"#;
    let made = bench.ask("POST /api/tags", &[JSON], made).await;
    assert_eq!(json(&made)["ids"][1], "b", "{}", text(&made));
    assert_eq!(json(&made)["ids"][2].as_str().unwrap().len(), 36);
    assert_eq!(total(&bench, "tags").await, 3);
}

#[tokio::test]
async fn a_key_makes_many_records_once_in_whatever_form() {
    let bench = bench();
    let array = r#"[{"name":"A","age":1},{"age":2,"name":"B"}]"#;
    let first = bench.ask("POST /api/users", &[JSON, KEY], array).await;
    assert_eq!(first.status(), 201, "{}", text(&first));
    for (media, content) in [
        (JSON, array),
        (NDJSON, "{\"age\":1,\"name\":\"A\"}\n{\"name\":\"B\",\"age\":2}"),
        (CSV, "name,age\nA,1\nB,2\n"),
    ] {
        let again = bench.ask("POST /api/users", &[media, KEY], content).await;
        assert_eq!(again.body(), first.body());
        assert_eq!(field(&again, "idempotent-replayed"), "true");
    }
    for content in [r#"[{"name":"A","age":1}]"#, r#"[{"name":""}]"#, "[]"] {
        let other = bench.ask("POST /api/users", &[JSON, KEY], content).await;
        assert!(text(&other).contains("idempotency-key-reused"), "{}", text(&other));
    }
    assert_eq!(total(&bench, "users").await, 2);
}

#[tokio::test]
async fn an_answer_too_large_to_be_kept_leaves_out_its_ids_the_first_time_too() {
    let settings = Settings { key_answer_bytes_max: 40, ..Settings::default() };
    let bench = bench_with(DECLARATION, settings);
    for (resource, row) in [("users", "{\"name\":\"A\"}"), ("tags", "{}")] {
        let content = format!("[{}]", vec![row; 40].join(","));
        let target = format!("POST /api/{resource}");
        let first = bench.ask(&target, &[JSON, KEY], &content).await;
        assert_eq!(text(&first), "201 {\"created\":40}");
        let again = bench.ask(&target, &[JSON, KEY], &content).await;
        assert_eq!(again.body(), first.body());
        let bare = bench.ask(&target, &[JSON], &content).await;
        assert_eq!(json(&bare)["ids"].as_array().unwrap().len(), 40, "without a key none is kept");
    }
    let one = bench.ask("POST /api/users", &[JSON, ("idempotency-key", ID)], "[{\"name\":\"A\"}]");
    assert_eq!(text(&one.await), "201 {\"created\":1,\"ids\":[81]}");
}

const ID: &str = "8e03978e-40d5-43e8-bc93-6894a57f9325";

#[tokio::test]
async fn limits_are_named_with_what_to_do() {
    let settings = Settings {
        content_bytes_max: 100,
        bulk_bytes_max: 1_000,
        bulk_rows_max: 3,
        bulk_passwords_max: 1,
        ..Settings::default()
    };
    let bench = bench_with(DECLARATION, settings);
    let many = format!("[{}]", ["{\"name\":\"A\"}"; 4].join(","));
    let refused = bench.ask("POST /api/users", &[JSON], &many).await;
    assert_eq!(refused.status(), 413, "{}", text(&refused));
    assert!(text(&refused).contains("at most 3 records"), "{}", text(&refused));
    assert!(text(&refused).contains("methodical import"), "{}", text(&refused));
    let long = format!("name\n{}", "A\n".repeat(600));
    let refused = bench.ask("POST /api/users", &[CSV], &long).await;
    assert!(text(&refused).contains("at most 1000 bytes"), "{}", text(&refused));
    let row = format!("[{{\"name\":\"A\"}},{{\"name\":\"{}\"}}]", "x".repeat(100));
    let refused = bench.ask("POST /api/users", &[JSON], &row).await;
    assert_eq!(refused.status(), 413, "{}", text(&refused));
    assert!(text(&refused).contains("Row 1"), "{}", text(&refused));
    let one = format!("{{\"name\":\"{}\"}}", "x".repeat(100));
    let refused = bench.ask("POST /api/users", &[JSON], &one).await;
    assert!(text(&refused).contains("at most 100 bytes"), "{}", text(&refused));
    let blank = " ".repeat(300);
    let refused = bench.ask("POST /api/users", &[JSON], &blank).await;
    assert_eq!(refused.status(), 413, "{}", text(&refused));
    let secrets =
        "{\"name\":\"A\",\"password\":\"sesame-1\"}\n{\"name\":\"A\",\"password\":\"sesame-2\"}";
    let refused = bench.ask("POST /api/users", &[NDJSON], secrets).await;
    assert_eq!(refused.status(), 422, "{}", text(&refused));
    assert_eq!(json(&refused)["errors"][0]["pointer"], "/1/password");
    assert!(!text(&refused).contains("sesame"));
    assert_eq!(total(&bench, "users").await, 0);
}

#[tokio::test]
async fn passwords_of_many_are_kept_as_hashes_only() {
    let bench = bench();
    let secrets = "name,password\nA,sesame-open\nB,\n";
    let made = bench.ask("POST /api/users", &[CSV], secrets).await;
    assert_eq!(made.status(), 201, "{}", text(&made));
    let database = std::fs::read_dir(bench._folder.path()).unwrap();
    for file in database {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"sesame-open"));
    }
}

#[tokio::test]
async fn only_so_many_lie_on_the_disk_at_one_time() {
    let settings = Settings {
        bulks_max: 1,
        bulk_wait: std::time::Duration::from_millis(20),
        ..Settings::default()
    };
    let bench = bench_with(DECLARATION, settings);
    let held = bench.engine.0.bulks.clone().acquire_owned().await.unwrap();
    let row = format!("{{\"name\":\"{}\"}}\n", "x".repeat(600));
    let many = row.repeat(2_000);
    let refused = bench.ask("POST /api/users", &[NDJSON], &many).await;
    assert_eq!(refused.status(), 503, "{}", text(&refused));
    assert_eq!(field(&refused, "retry-after"), "1");
    let few = bench.ask("POST /api/users", &[NDJSON], &row.repeat(2)).await;
    assert_eq!(few.status(), 201, "what stays in memory needs no turn: {}", text(&few));
    drop(held);
    for _ in 0..3 {
        let made = bench.ask("POST /api/users", &[NDJSON], &many).await;
        assert_eq!(made.status(), 201, "{}", text(&made));
        let refused = bench.ask("POST /api/users", &[NDJSON], &format!("{many}{{}}")).await;
        assert_eq!(refused.status(), 422);
    }
    assert_eq!(total(&bench, "users").await, 6_002);
}
