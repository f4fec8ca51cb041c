//! Lists, searches and aggregates: nothing hidden is shown, counted, found or sorted by.

use super::{By, has, lacks, notes, titles};

#[tokio::test]
async fn a_list_holds_what_is_visible_and_counts_it() {
    let bench = notes().await;
    let own = bench.get(By::User(1), "/api/notes?limit=1&sort=title").await;
    assert_eq!(titles(&own), "Sea");
    has(&own, "\"total\":2,\"page\":1,\"limit\":1,\"next\":");
    let last = bench.get(By::User(1), "/api/notes?limit=1&sort=title&page=2").await;
    assert_eq!(titles(&last), "Tea");
    lacks(&last, "next");
    let other = bench.get(By::User(2), "/api/notes").await;
    assert_eq!(titles(&other), "Oak");
    has(&other, "\"total\":1,");
    // The declared order is by a field that only editors know.
    assert_eq!(titles(&bench.get(By::User(1), "/api/notes").await), "Tea Sea");
    assert_eq!(titles(&bench.get(By::Editor(3), "/api/notes").await), "Sea Oak Tea");
    assert!(bench.get(By::Nobody, "/api/notes").await.starts_with("401 "));
}

#[tokio::test]
async fn what_is_kept_is_kept_for_those_who_see_the_same() {
    let bench = notes().await;
    for _ in 0..2 {
        for (by, expected) in [
            (By::User(1), "Tea Sea"),
            (By::User(2), "Oak"),
            (By::Editor(3), "Sea Oak Tea"),
            (By::Admin(9), "Sea Oak Tea"),
        ] {
            assert_eq!(titles(&bench.get(by, "/api/notes").await), expected, "{by:?}");
        }
    }
    has(&bench.get(By::Admin(9), "/api/notes").await, "\"grade\":5");
    lacks(&bench.get(By::Editor(3), "/api/notes").await, "grade");
}

#[tokio::test]
async fn a_list_to_its_end_and_cursors_hold_what_is_visible() {
    let bench = notes().await;
    let lines = [("accept", "application/x-ndjson")];
    let all = bench.by(By::User(1), "GET /api/notes", &lines, "").await;
    let all = String::from_utf8_lossy(all.body()).into_owned();
    assert_eq!(titles(&all), "Tea Sea");
    lacks(&all, "rank");
    let first = bench.get(By::User(1), "/api/notes?cursor=&limit=1").await;
    assert_eq!(titles(&first), "Tea");
    let cursor = first.split("\"cursor\":\"").nth(1).unwrap().split('"').next().unwrap();
    let second = bench.get(By::User(1), &format!("/api/notes?cursor={cursor}&limit=1")).await;
    assert_eq!(titles(&second), "Sea");
    lacks(&second, "\"cursor\"");
    // An editor's list has another order, so that this is no place in it.
    let other = bench.get(By::Editor(3), &format!("/api/notes?cursor={cursor}&limit=1")).await;
    assert!(other.starts_with("400 "), "{other}");
}

#[tokio::test]
async fn filters_through_references_pass_over_what_is_hidden() {
    let bench = notes().await;
    // The second comment is about a note that the first user does not see.
    let found = bench.get(By::User(1), "/api/comments?note.title=Oak").await;
    has(&found, "\"comments\":[],\"total\":0");
    has(&bench.get(By::User(1), "/api/comments?note.title=Tea").await, "\"text\":\"first\"");
    let others = bench.get(By::User(1), "/api/comments?note.title[ne]=Tea").await;
    has(&others, "\"text\":\"second\"");
    let absent = bench.get(By::User(1), "/api/comments?note.title[null]=true").await;
    has(&absent, "\"text\":\"second\"");
    lacks(&absent, "\"text\":\"first\"");
    has(&bench.get(By::Editor(3), "/api/comments?note.title=Oak").await, "\"text\":\"second\"");
    let unknown = bench.get(By::User(1), "/api/comments?note.rank=1").await;
    has(&unknown, "notes has no such field");
    // What is filtered by is in the links as it was asked, and no more.
    let page = bench.get(By::User(1), "/api/comments?note.title[ne]=Zoo&limit=1").await;
    has(&page, "\"next\":\"/api/comments?note.title%5Bne%5D=Zoo&page=2&limit=1\"");
}

#[tokio::test]
async fn includes_show_what_is_visible() {
    let bench = notes().await;
    let found = bench.get(By::User(1), "/api/comments?include=note&sort=id").await;
    has(&found, "\"note\":{\"id\":1,\"author\":1,\"title\":\"Tea\",\"grade\":5");
    has(&found, "{\"id\":2,\"note\":2,\"text\":\"second\"");
    lacks(&found, "Oak");
    let users = bench.get(By::User(1), "/api/users?include=notes&sort=id").await;
    assert_eq!(titles(&users), "Tea Sea");
    has(&users, "\"notes\":[]");
    // Everybody reads comments, but not what they are about.
    let open = bench.get(By::Nobody, "/api/comments?include=note.author").await;
    has(&open, "\"note\":1");
    lacks(&open, "Tea");
}

#[tokio::test]
async fn searches_look_into_what_is_visible() {
    let bench = notes().await;
    has(&bench.get(By::User(1), "/api/notes?q=plum").await, "\"total\":0");
    has(&bench.get(By::User(1), "/api/notes?q=tea").await, "\"total\":1");
    assert_eq!(titles(&bench.get(By::Editor(3), "/api/notes?q=plum&sort=id").await), "Tea Oak");
    has(&bench.get(By::User(1), "/api/search?q=plum").await, "\"results\":[],\"total\":0");
    has(&bench.get(By::User(2), "/api/search?q=tea").await, "\"results\":[],\"total\":0");
    let hit = bench.get(By::User(1), "/api/search?q=tea&highlight=true").await;
    has(&hit, "\"highlights\":{\"title\":");
    lacks(&hit, "plum");
    assert!(bench.get(By::Nobody, "/api/search?q=tea").await.starts_with("401 "));
    assert!(bench.get(By::Nobody, "/api/search?q=tea&resource=notes").await.starts_with("401 "));
}

#[tokio::test]
async fn aggregates_come_of_what_is_visible() {
    let bench = notes().await;
    let own = bench.get(By::User(1), "/api/notes?aggregate=count&groupBy=author").await;
    has(&own, "\"groups\":[{\"author\":1,\"count\":2}],\"total\":1");
    let rank = bench.get(By::User(1), "/api/notes?aggregate=sum(rank)").await;
    assert!(rank.starts_with("400 "), "{rank}");
    has(&bench.get(By::Editor(3), "/api/notes?aggregate=sum(rank)").await, "\"sum(rank)\":6");
}
