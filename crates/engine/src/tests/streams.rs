//! A list to its end is what its pages are, one after the other.

use model::setting::Settings;

use super::{JSON, bench_of, bench_with, field, text};
use crate::content::Content;

const DECLARATION: &str = r#"
title = "S"
[resources.notes]
fields.group = { type = "integer" }
fields.word = { type = "string", optional = true, ignoreCase = true }
"#;
const NDJSON: (&str, &str) = ("accept", "application/x-ndjson");
const CSV: (&str, &str) = ("accept", "text/csv");

/// The ids in a text of `"id":7`, in their order.
fn ids(text: &str) -> Vec<u32> {
    let after = text.split("\"id\":").skip(1);
    after.map(|rest| rest.split([',', '}']).next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_list_to_its_end_is_all_of_its_pages() {
    let bench = bench_of(DECLARATION);
    let words = ["b", "A", "", "a", "ß"];
    for number in 0..230 {
        let word = words.get(number % 7).map(|word| format!(r#","word":"{word}""#));
        let content = format!(r#"{{"group":{}{}}}"#, number % 3, word.unwrap_or_default());
        let made = bench.ask("POST /api/notes", &[JSON], &content).await;
        assert_eq!(made.status(), 201, "{}", text(&made));
    }
    for query in ["", "sort=-id", "sort=word", "sort=-word,group", "group=1&sort=-word", "word=a"] {
        let mut pages = Vec::new();
        for page in 1..=3 {
            let target = format!("GET /api/notes?{query}&limit=100&page={page}");
            pages.extend(ids(&text(&bench.ask(&target.replace("?&", "?"), &[], "").await)));
        }
        let target = format!("GET /api/notes?{query}");
        let lines = bench.ask(&target, &[NDJSON], "").await;
        assert_eq!(ids(&text(&lines)), pages, "{query}");
        let cells = bench.ask(&format!("{target}&fields=id").replace("?&", "?"), &[CSV], "").await;
        let cells = String::from_utf8(cells.into_body().to_vec()).unwrap();
        let cells: Vec<u32> =
            cells.split_terminator("\r\n").skip(1).map(|line| line.parse().unwrap()).collect();
        assert_eq!(cells, pages, "{query}");
    }
}

#[tokio::test]
async fn what_is_read_at_once_is_sent_with_its_length() {
    let bench = bench_of(DECLARATION);
    for number in [99, 1] {
        for _ in 0..number {
            bench.ask("POST /api/notes", &[JSON], r#"{"group":1}"#).await;
        }
        let whole = bench.ask("GET /api/notes", &[NDJSON], "").await;
        // A hundred records may be followed by more: whether they are is not known at once.
        assert_eq!(field(&whole, "content-length").is_empty(), number == 1);
        assert_eq!(field(&whole, "etag"), "");
        assert_eq!(field(&whole, "cache-control"), "no-store");
    }
}

#[tokio::test]
async fn what_is_there_throughout_comes_once_whatever_comes_and_goes() {
    let bench = bench_of(DECLARATION);
    for number in 0..250 {
        let content = format!(r#"{{"group":{}}}"#, number % 5);
        bench.ask("POST /api/notes", &[JSON], &content).await;
    }
    for target in ["/api/notes", "/api/notes?sort=-id", "/api/notes?sort=-group"] {
        let request = http::Request::builder().method("GET").uri(target).header(NDJSON.0, NDJSON.1);
        let request = request.body(super::Whole { content: None, chunked: false }).unwrap();
        let Content::Stream(mut records) = bench.engine.answer(request).await.into_body() else {
            panic!("the list is longer than a chunk");
        };
        let first = records.next().await.unwrap().unwrap();
        let mut seen = ids(std::str::from_utf8(&first).unwrap());
        let everything = ids(&text(&bench.ask("GET /api/notes", &[NDJSON], "").await));
        // One that was sent goes, one that was not goes, and one comes in front of the place.
        let behind = *everything.iter().find(|id| !seen.contains(id)).unwrap();
        let gone = [seen[3], behind];
        for id in gone {
            bench.ask(&format!("DELETE /api/notes/{id}"), &[], "").await;
        }
        bench.ask("POST /api/notes", &[JSON], r#"{"group":9}"#).await;
        while let Some(chunk) = records.next().await {
            seen.extend(ids(std::str::from_utf8(&chunk.unwrap()).unwrap()));
        }
        for id in everything.iter().filter(|id| !gone.contains(id)) {
            assert_eq!(seen.iter().filter(|it| *it == id).count(), 1, "{target}: {id}");
        }
    }
}

#[tokio::test]
async fn what_a_record_includes_does_not_depend_on_those_that_are_read_with_it() {
    let declaration = r#"
title = "I"
[resources.parents]
fields.name = { type = "string" }
[resources.children]
fields.parent = { references = "parents" }
"#;
    let settings = Settings { include_rows_max: 2, included_rows_max: 4, ..Settings::default() };
    let bench = bench_with(declaration, settings);
    for parent in 1..=10 {
        bench.ask("POST /api/parents", &[JSON], r#"{"name":"p"}"#).await;
        for _ in 0..3 {
            let child = format!(r#"{{"parent":{parent}}}"#);
            bench.ask("POST /api/children", &[JSON], &child).await;
        }
    }
    let target = "GET /api/parents?include=children&fields=id,children.id";
    let lines = text(&bench.ask(target, &[NDJSON], "").await);
    let lines: Vec<_> = lines.strip_prefix("200 ").unwrap().lines().collect();
    assert_eq!(lines.len(), 10);
    for line in lines {
        assert_eq!(ids(line).len(), 3, "{line}");
        assert!(line.contains("\"children.next\":\"/api/children?"), "{line}");
    }
}
