//! A list to its end is what its pages are, one after the other.

use super::{JSON, bench_of, field, text};

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
