//! One record: what is hidden of it, and that it is there at all.

use super::{By, has, lacks, notes};
use crate::tests::field;

#[tokio::test]
async fn a_hidden_record_is_as_absent_as_one_that_is_not_there() {
    let bench = notes().await;
    has(&bench.get(By::User(1), "/api/notes/1").await, "200 {\"id\":1,\"author\":1");
    let hidden = bench.get(By::User(2), "/api/notes/1").await;
    let absent = bench.get(By::User(2), "/api/notes/99").await;
    assert!(hidden.starts_with("404 "), "{hidden}");
    assert_eq!(hidden, absent);
    let with = bench.get(By::User(2), "/api/notes/1?include=author,comments").await;
    assert_eq!(with, bench.get(By::User(2), "/api/notes/99?include=author,comments").await);
    has(&bench.get(By::Editor(3), "/api/notes/2").await, "\"title\":\"Oak\"");
}

#[tokio::test]
async fn hidden_fields_are_not_shown() {
    let bench = notes().await;
    let own = bench.get(By::User(1), "/api/notes/1").await;
    has(&own, "\"grade\":5");
    for name in ["draft", "code", "rank"] {
        lacks(&own, name);
    }
    let editor = bench.get(By::Editor(3), "/api/notes/1").await;
    has(&editor, "\"draft\":\"plum cake\",\"code\":\"c1\",\"rank\":1");
    lacks(&editor, "grade");
    has(&bench.get(By::Admin(9), "/api/notes/1").await, "\"code\":\"c1\",\"grade\":5");
}

#[tokio::test]
async fn a_field_that_is_shown_in_some_records_is_shown_in_those() {
    let bench = notes().await;
    has(&bench.get(By::User(1), "/api/users/1").await, "\"email\":\"ann@example.com\"");
    lacks(&bench.get(By::User(1), "/api/users/2").await, "email");
    let all = bench.get(By::User(1), "/api/users").await;
    has(&all, "ann@example.com");
    lacks(&all, "bob@example.com");
    let included = bench.get(By::Editor(3), "/api/notes/1?include=author").await;
    has(&included, "\"name\":\"Ann\"");
    lacks(&included, "email");
    let mine = bench.get(By::User(1), "/api/notes/1?include=author&fields=id,author.email").await;
    has(&mine, "ann@example.com");
    let lines = [("accept", "text/csv")];
    let cells = bench.by(By::User(1), "GET /api/users?fields=id,email", &lines, "").await;
    let cells = String::from_utf8_lossy(cells.body()).into_owned();
    assert_eq!(cells, "id,email\r\n1,ann@example.com\r\n2,\r\n3,\r\n");
}

#[tokio::test]
async fn a_hidden_field_is_told_from_none_by_nothing() {
    let bench = notes().await;
    for ask in
        ["?NAME=1", "?sort=NAME", "?fields=NAME", "?NAME[gt]=1", "?aggregate=count&groupBy=NAME"]
    {
        let of = |name: &str| ask.replace("NAME", name);
        let hidden = bench.get(By::User(1), &format!("/api/notes{}", of("rank"))).await;
        let absent = bench.get(By::User(1), &format!("/api/notes{}", of("zzzz"))).await;
        assert!(hidden.starts_with("400 "), "{ask} {hidden}");
        assert_eq!(hidden.replace("rank", "zzzz"), absent, "{ask}");
    }
    let near = bench.get(By::User(1), "/api/notes?rnak=1").await;
    lacks(&near, "rank");
}

#[tokio::test]
async fn a_field_of_some_records_orders_and_finds_none() {
    let bench = notes().await;
    for ask in ["?email=a", "?email[gt]=a", "?sort=email", "?aggregate=count(email)"] {
        let answer = bench.get(By::User(1), &format!("/api/users{ask}")).await;
        assert!(answer.starts_with("400 "), "{ask} {answer}");
        has(&answer, "can be read in some records only");
    }
    let behind = bench.get(By::User(1), "/api/notes?author.email=a").await;
    has(&behind, "can be read in some records only");
    // Whoever sees none but its own reads it in all that it sees.
    has(&bench.get(By::User(1), "/api/notes?grade=5").await, "\"title\":\"Tea\"");
    has(&bench.get(By::Editor(3), "/api/notes?grade=5").await, "can be read in some records only");
}

#[tokio::test]
async fn tags_are_of_one_view() {
    let bench = notes().await;
    let tag = async |by, target: &str| {
        let answer = bench.by(by, &format!("GET {target}"), &[], "").await;
        field(&answer, "etag").to_owned()
    };
    let (own, editors) =
        (tag(By::User(1), "/api/notes/1").await, tag(By::Editor(3), "/api/notes/1").await);
    assert!(!own.is_empty() && own != editors);
    let none_match = [("if-none-match", own.as_str())];
    let line = "GET /api/notes/1";
    assert_eq!(bench.by(By::User(1), line, &none_match, "").await.status(), 304);
    assert_eq!(bench.by(By::Editor(3), line, &none_match, "").await.status(), 200);
    // The answer to a write has the tag that GET gives.
    let merge = ("content-type", "application/merge-patch+json");
    let held = [merge, ("if-match", own.as_str())];
    let patched = bench.by(By::User(1), "PATCH /api/notes/1", &held, r#"{"title":"T"}"#).await;
    assert_eq!(patched.status(), 200);
    assert_eq!(field(&patched, "etag"), tag(By::User(1), "/api/notes/1").await);
    // Of records in which not all is shown too.
    let line = "PATCH /api/users/1";
    let patched = bench.by(By::User(1), line, &[merge], r#"{"email":"a@example.com"}"#).await;
    assert_eq!(field(&patched, "etag"), tag(By::User(1), "/api/users/1").await);
    // A hidden change does not move a list, and a visible one does.
    let list = tag(By::User(1), "/api/notes").await;
    bench.send(By::Operator, "POST /api/notes", r#"{"author":2,"title":"More"}"#).await;
    assert_eq!(tag(By::User(1), "/api/notes").await, list);
    bench.send(By::Operator, "POST /api/notes", r#"{"author":1,"title":"Mine"}"#).await;
    assert_ne!(tag(By::User(1), "/api/notes").await, list);
}

#[tokio::test]
async fn a_moment_says_nothing_of_who_may_read_what() {
    let bench = notes().await;
    let future = ("if-modified-since", "Fri, 31 Dec 2099 00:00:00 GMT");
    // Fields of notes are shown to some: their tags are exact, and the moment of a change is not.
    for by in [By::User(1), By::Editor(3), By::Admin(9)] {
        let answer = bench.by(by, "GET /api/notes/1", &[future], "").await;
        assert_eq!(answer.status(), 200, "{by:?}");
        assert!(!answer.headers().contains_key("last-modified"), "{by:?}");
    }
    let answer = bench.by(By::User(1), "GET /api/comments/1?include=note", &[future], "").await;
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("last-modified"));
}
