//! Conditions on a collection are about the list (RFC 9110 §13.1.1), and a deletion says which
//! lists it touched (RFC 9875).

use super::{JSON, bench_of, field, text};

const DECLARATION: &str = r#"
title = "Conditions"
[resources.teams]
fields.name = { type = "string" }
[resources.players]
fields.team = { references = "teams", onDelete = "cascade" }
[resources.goals]
fields.player = { references = "players", onDelete = "cascade" }
[resources.fans]
fields.player = { references = "players", onDelete = "clear", optional = true }
[resources.tickets]
fields.fan = { references = "fans", onDelete = "cascade" }
"#;

#[tokio::test]
async fn a_record_is_created_where_the_list_is_still_the_one_that_was_seen() {
    let bench = bench_of(DECLARATION);
    bench.ask("POST /api/teams", &[JSON], r#"{"name":"A"}"#).await;
    let list = bench.ask("GET /api/players?limit=5", &[], "").await;
    let seen = ("if-match", field(&list, "etag"));
    let first = bench.ask("POST /api/players", &[JSON, seen], r#"{"team":1}"#).await;
    assert_eq!(first.status(), 201, "{}", text(&first));
    let second = bench.ask("POST /api/players", &[JSON, seen], r#"{"team":1}"#).await;
    assert_eq!(second.status(), 412, "{}", text(&second));
    let other = ("if-none-match", field(&list, "etag"));
    let third = bench.ask("POST /api/players", &[JSON, other], r#"{"team":1}"#).await;
    assert_eq!(third.status(), 201, "{}", text(&third));
    let any = [JSON, ("if-none-match", "*")];
    let none = bench.ask("POST /api/players", &any, r#"{"team":1}"#).await;
    assert_eq!(none.status(), 412, "{}", text(&none));
}

#[tokio::test]
async fn a_deletion_names_every_list_that_it_makes_stale() {
    let bench = bench_of(DECLARATION);
    bench.ask("POST /api/teams", &[JSON], r#"{"name":"A"}"#).await;
    let groups = "cache-group-invalidation";
    let changed = bench.ask("PUT /api/teams/1", &[JSON], r#"{"name":"B"}"#).await;
    assert_eq!(field(&changed, groups), r#""teams""#);
    let gone = bench.ask("DELETE /api/teams/1", &[], "").await;
    assert_eq!(gone.status(), 200, "{}", text(&gone));
    // Fans are cleared, which keeps their tickets.
    assert_eq!(field(&gone, groups), r#""teams", "players", "goals", "fans""#);
}
