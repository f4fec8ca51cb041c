//! URLs that the server writes are URLs that it answers.

use model::setting::Settings;

use super::{ALICE, JSON, bench, bench_of, bench_with, field, text};

#[tokio::test]
async fn a_query_that_must_not_be_in_a_url_is_not_put_into_one() {
    let bench = bench();
    let (plain, secret, long) = (
        r#"{"name":"Alice"}"#.to_owned(),
        r#"{"name":"sk-secret-key-0123456789"}"#.to_owned(),
        format!(r#"{{"name":"{}"}}"#, "é".repeat(1000)),
    );
    for (content, written) in [(plain, true), (secret, false), (long, false)] {
        let answer = bench.ask("QUERY /api/users", &[JSON], &content).await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
        for name in ["location", "link"] {
            assert_eq!(field(&answer, name).contains("/api/users?name="), written, "{content}");
        }
    }
}

#[tokio::test]
async fn the_last_page_is_named_where_it_can_be_had() {
    let declaration = "title = \"L\"\n[resources.notes]\nfields.n = { type = \"integer\" }\n";
    for (offset_rows_max, status) in [(2, 200), (1, 400)] {
        let settings = Settings { offset_rows_max, ..Settings::default() };
        let bench = bench_with(declaration, settings);
        for n in 0..3 {
            bench.ask("POST /api/notes", &[JSON], &format!("{{\"n\":{n}}}")).await;
        }
        let last = bench.ask("GET /api/notes?page=3&limit=1", &[], "").await;
        assert_eq!(last.status(), status, "{}", text(&last));
        let list = bench.ask("GET /api/notes?limit=1", &[], "").await;
        let named = field(&list, "link").contains("page=3&limit=1>; rel=\"last\"");
        assert_eq!(named, status == 200, "{}", field(&list, "link"));
    }
}

#[tokio::test]
async fn a_slash_too_many_is_answered_with_the_right_url() {
    let bench =
        bench_of("title = \"S\"\nalias = [\"/\", \"/v1\"]\n[resources.notes]\nfields.n = {}\n");
    for (path, right) in [
        ("/api/", "this is /api."),
        ("/v1/", "this is /v1."),
        ("/api/notes/", "this is /api/notes."),
        ("/v1/notes/", "this is /api/notes."),
        ("/notes/1/", "this is /api/notes/1."),
    ] {
        let answer = bench.ask(&format!("GET {path}"), &[], "").await;
        assert_eq!(answer.status(), 404);
        assert!(text(&answer).contains(right), "{path}: {}", text(&answer));
    }
}

#[tokio::test]
async fn a_parameter_of_one_record_that_is_there_twice_is_named_with_those_of_a_record() {
    let bench = bench();
    bench.ask("POST /api/users", &[JSON], ALICE).await;
    let twice = bench.ask("GET /api/users/1?fields=id&fields=name", &[], "").await;
    assert!(text(&twice).contains("\"Known parameters: include, fields.\""), "{}", text(&twice));
    assert!(text(&twice).contains("more than once"), "{}", text(&twice));
}
