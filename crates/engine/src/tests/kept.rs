//! Lists that are kept follow their table, and are given to nobody who asked for another face.

use super::{JSON, bench, field, text};

#[tokio::test]
async fn a_kept_list_follows_its_table() {
    let bench = bench();
    let list = "GET /api/users?sort=name";
    let user = |name: &str| format!(r#"{{"name":"{name}","email":"{name}@example.com"}}"#);
    bench.ask("POST /api/users", &[JSON], &user("Bob")).await;
    let first = bench.ask(list, &[], "").await;
    let again = bench.ask(list, &[], "").await;
    assert_eq!((text(&first), field(&first, "etag")), (text(&again), field(&again, "etag")));
    let condition = [("if-none-match", field(&first, "etag"))];
    assert_eq!(bench.ask(list, &condition, "").await.status(), 304);

    bench.ask("POST /api/users", &[JSON], &user("Ada")).await;
    let more = bench.ask(list, &condition, "").await;
    assert_eq!(more.status(), 200);
    assert!(text(&more).contains("Ada") && text(&more).contains("\"total\":2"), "{}", text(&more));
    assert_ne!(field(&first, "etag"), field(&more, "etag"));

    let patch = [("content-type", "application/merge-patch+json")];
    bench.ask("PATCH /api/users/1", &patch, r#"{"note":"new"}"#).await;
    assert!(text(&bench.ask(list, &[], "").await).contains("\"note\":\"new\""));
    bench.ask("DELETE /api/users/1", &[], "").await;
    assert!(!text(&bench.ask(list, &[], "").await).contains("Bob"));
}

#[tokio::test]
async fn a_kept_list_has_the_face_that_is_asked_for() {
    let bench = bench();
    let user = r#"{"name":"Ada","email":"ada@example.com"}"#;
    bench.ask("POST /api/users", &[JSON], user).await;
    let whole = bench.ask("GET /api/users?limit=5", &[], "").await.into_body();
    let head = bench.ask("HEAD /api/users?limit=5", &[], "").await;
    assert!(head.body().is_empty());
    assert_eq!(field(&head, "content-length"), whole.len().to_string());
    let names = text(&bench.ask("GET /api/users?limit=5&fields=name", &[], "").await);
    assert!(!names.contains("email"), "{names}");
    let alias = bench.ask("GET /users?limit=5", &[], "").await;
    assert_eq!(alias.body(), &whole);
    assert!(
        alias
            .headers()
            .get_all("link")
            .iter()
            .any(|link| { link.to_str().is_ok_and(|link| link.contains("rel=\"canonical\"")) })
    );
    let asked = bench.ask("QUERY /api/users", &[JSON], r#"{"limit":5}"#).await;
    assert_eq!(asked.body(), &whole);
    assert!(!field(&asked, "location").is_empty());
}
