//! Content at its edges: empty chunks, parts that are none, fields that a patch empties.

use super::{JSON, Whole, bench, bench_of, text};
use bytes::Bytes;
use http::Request;

const NULLABLE: &str = r#"
title = "N"
[resources.notes]
fields.rank = { type = ["integer", "null"] }
fields.note = { type = ["string", "null"], default = "n" }
"#;

#[tokio::test]
async fn a_patch_empties_a_nullable_field() {
    let bench = bench_of(NULLABLE);
    bench.ask("POST /api/notes", &[JSON], r#"{"rank":1}"#).await;
    let merged = bench.ask("PATCH /api/notes/1", &[JSON], r#"{"rank":null}"#).await;
    assert!(text(&merged).starts_with(r#"200 {"id":1,"rank":null,"note":"n","#));
    let patch = ("content-type", "application/json-patch+json");
    let removed = r#"[{"op":"remove","path":"/note"}]"#;
    let patched = bench.ask("PATCH /api/notes/1", &[patch], removed).await;
    assert!(text(&patched).contains(r#""note":null,"#), "{}", text(&patched));
    // PUT replaces: what it leaves out is at its default, or missing.
    let put = bench.ask("PUT /api/notes/1", &[JSON], r#"{"rank":2}"#).await;
    assert!(text(&put).contains(r#""note":"n","#), "{}", text(&put));
    assert_eq!(bench.ask("PUT /api/notes/1", &[JSON], "{}").await.status(), 422);
}

#[tokio::test]
async fn content_of_unknown_length_is_content_when_there_is_some() {
    let bench = bench();
    for (content, status) in [(None, 200), (Some(Bytes::from_static(b"{}")), 400)] {
        let request = Request::get("/api/users").body(Whole::chunked(content)).unwrap();
        assert_eq!(bench.engine.answer(request).await.status(), status);
    }
}

#[tokio::test]
async fn a_part_is_a_field_of_a_form_or_refused() {
    let bench = bench_of(NULLABLE);
    let form = ("content-type", "multipart/form-data; boundary=B");
    for (kind, status) in [("form-data", 201), ("FORM-Data", 201), ("attachment", 400)] {
        let content =
            format!("--B\r\nContent-Disposition: {kind}; name=\"rank\"\r\n\r\n5\r\n--B--\r\n");
        let answer = bench.ask("POST /api/notes", &[form], &content).await;
        assert_eq!(answer.status(), status, "{}", text(&answer));
    }
}
