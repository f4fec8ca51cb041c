//! Ids that the client chooses, and what the server does after them.

use super::{JSON, bench_of, field, text};

const DECLARATION: &str = r#"
title = "Ids"
[resources.notes]
put = "upsert"
fields.text = { type = "string", default = "" }
[resources.names]
id = "text"
fields.text = { type = "string", default = "" }
[resources.tokens]
id = "uuid"
fields.text = { type = "string", default = "" }
"#;

#[tokio::test]
async fn a_record_is_created_beside_those_with_ids_of_text() {
    let bench = bench_of(DECLARATION);
    for (resource, id) in [("names", "a.b"), ("tokens", "018f3c5e-7b1a-7c3d-9e4f-1a2b3c4d5e6f")] {
        let first = bench.ask(&format!("PUT /api/{resource}/{id}"), &[JSON], "{}").await;
        assert_eq!(first.status(), 201, "{}", text(&first));
        let own = bench.ask(&format!("POST /api/{resource}"), &[JSON], "{}").await;
        assert_eq!(own.status(), 201, "{}", text(&own));
        let content = format!(r#"{{"id":"{id}"}}"#);
        let rival = bench.ask(&format!("POST /api/{resource}"), &[JSON], &content).await;
        assert_eq!(rival.status(), 409, "{}", text(&rival));
    }
}

#[tokio::test]
async fn the_server_goes_on_past_the_largest_id_of_a_client() {
    let bench = bench_of(DECLARATION);
    let most = bench.ask("PUT /api/notes/4503599627370496", &[JSON], "{}").await;
    assert_eq!(most.status(), 201, "{}", text(&most));
    let next = bench.ask("POST /api/notes", &[JSON], "{}").await;
    assert_eq!(next.status(), 201, "{}", text(&next));
    assert_eq!(field(&next, "location"), "/api/notes/4503599627370497");
    let found = bench.ask("GET /api/notes/4503599627370497", &[], "").await;
    assert_eq!(found.status(), 200, "{}", text(&found));
    let replaced = bench.ask("PUT /api/notes/4503599627370497", &[JSON], "{}").await;
    assert_eq!(replaced.status(), 200, "{}", text(&replaced));
    let beyond = bench.ask("PUT /api/notes/4503599627370498", &[JSON], "{}").await;
    assert_eq!(beyond.status(), 404, "{}", text(&beyond));
    assert!(text(&beyond).contains("4503599627370496"), "{}", text(&beyond));
}

#[tokio::test]
async fn a_put_that_may_not_create_says_what_does() {
    let bench = super::bench();
    let answer = bench.ask("PUT /api/users/9", &[JSON], "{}").await;
    assert_eq!(answer.status(), 404, "{}", text(&answer));
    assert!(text(&answer).contains("POST to /api/users creates"), "{}", text(&answer));
}
