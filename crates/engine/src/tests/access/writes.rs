//! Changes of one record: what is allowed before and after, and what is said where it is not.

use super::{By, has, lacks, notes};
use crate::tests::field;

const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");

#[tokio::test]
async fn whoever_creates_owns_unless_it_says_otherwise() {
    let bench = notes().await;
    let made = bench.send(By::User(2), "POST /api/notes", r#"{"title":"Mine"}"#).await;
    has(&made, "201 {\"id\":4,\"author\":2,\"title\":\"Mine\"");
    lacks(&made, "rank");
    let named = bench.send(By::User(2), "POST /api/notes", r#"{"author":2,"title":"M"}"#).await;
    has(&named, "201 ");
    let other = bench.send(By::User(2), "POST /api/notes", r#"{"author":1,"title":"M"}"#).await;
    has(&other, "403 ");
    has(&other, "\"pointer\":\"/author\"");
    let admin = bench.send(By::Admin(3), "POST /api/notes", r#"{"author":1,"title":"M"}"#).await;
    has(&admin, "\"author\":1");
    assert!(bench.send(By::Nobody, "POST /api/notes", r#"{"title":"M"}"#).await.starts_with("401"));
    let away = bench.by(By::User(1), "PATCH /api/notes/1", &[MERGE], r#"{"author":2}"#).await;
    assert_eq!(away.status(), 403);
}

#[tokio::test]
async fn a_field_that_is_nobodys_business_does_not_exist_for_writers() {
    let bench = notes().await;
    for line in ["POST /api/notes", "PUT /api/notes/1"] {
        let hidden = bench.send(By::User(1), line, r#"{"author":1,"title":"T","draft":"x"}"#).await;
        let absent = bench.send(By::User(1), line, r#"{"author":1,"title":"T","zzzzz":"x"}"#).await;
        assert!(hidden.starts_with("422 "), "{hidden}");
        assert_eq!(hidden.replace("draft", "zzzzz"), absent);
    }
    let cells = [("content-type", "text/csv")];
    let rows = bench.by(By::User(1), "POST /api/notes", &cells, "title,draft\nT,x\n").await;
    assert_eq!(rows.status(), 422);
    // What cannot be seen is kept by PUT, and so is what cannot be written.
    let put = bench.send(By::User(1), "PUT /api/notes/1", r#"{"author":1,"title":"T"}"#).await;
    has(&put, "200 {\"id\":1,\"author\":1,\"title\":\"T\",\"grade\":5,\"pinned\":false");
    has(&bench.get(By::Admin(9), "/api/notes/1").await, "\"draft\":\"plum cake\",\"code\":\"c1\"");
    // Clearing what is not there is no less a slip than setting it.
    let line = "PATCH /api/notes/1";
    let cleared = bench.by(By::User(1), line, &[MERGE], r#"{"draft":null}"#).await;
    let absent = bench.by(By::User(1), line, &[MERGE], r#"{"zzzzz":null}"#).await;
    assert_eq!(cleared.status(), 422);
    let body = String::from_utf8_lossy(cleared.body()).replace("draft", "zzzzz");
    assert_eq!(body, String::from_utf8_lossy(absent.body()));
    has(&bench.get(By::Admin(9), "/api/notes/1").await, "\"draft\":\"plum cake\"");
    let patch = ("content-type", "application/json-patch+json");
    let tests = r#"[{"op":"test","path":"/draft","value":"plum cake"}]"#;
    let hidden = bench.by(By::User(1), line, &[patch], tests).await;
    let absent = bench.by(By::User(1), line, &[patch], &tests.replace("draft", "zzzzz")).await;
    assert_eq!(hidden.status(), absent.status());
    let body = String::from_utf8_lossy(hidden.body()).replace("draft", "zzzzz");
    assert_eq!(body, String::from_utf8_lossy(absent.body()));
}

#[tokio::test]
async fn what_can_be_read_and_not_written_is_refused_with_its_place() {
    let bench = notes().await;
    for content in [r#"{"pinned":true}"#, r#"{"grade":1}"#, r#"{"grade":null}"#] {
        let line = "PATCH /api/notes/1";
        let refused = bench.by(By::User(1), line, &[MERGE], content).await;
        assert_eq!(refused.status(), 403, "{content}");
        has(&String::from_utf8_lossy(refused.body()), "\"errors\":[{\"pointer\":\"/");
    }
    let same = r#"{"pinned":false,"grade":5}"#;
    let same = bench.by(By::User(1), "PATCH /api/notes/1", &[MERGE], same).await;
    assert_eq!(same.status(), 200);
    let made = r#"{"title":"T","pinned":true}"#;
    has(&bench.send(By::User(1), "POST /api/notes", made).await, "403 ");
    let made = r#"{"title":"T","pinned":false}"#;
    has(&bench.send(By::User(1), "POST /api/notes", made).await, "201 ");
    let editor =
        bench.by(By::Editor(3), "PATCH /api/notes/1", &[MERGE], r#"{"pinned":true}"#).await;
    assert_eq!(editor.status(), 200);
    lacks(&String::from_utf8_lossy(editor.body()), "grade");
}

#[tokio::test]
async fn the_order_of_refusals_is_the_documents() {
    let bench = notes().await;
    let old = ("if-match", "\"0-0-0.j\"");
    for method in ["PATCH", "PUT", "DELETE"] {
        let ask = |id: i64| format!("{method} /api/notes/{id}");
        let content = if method == "DELETE" { "" } else { r#"{"nope":1}"# };
        let media = if method == "PATCH" { MERGE } else { super::JSON };
        let fields = if method == "DELETE" { vec![old] } else { vec![old, media] };
        let hidden = bench.by(By::User(2), &ask(1), &fields, content).await;
        let absent = bench.by(By::User(2), &ask(99), &fields, content).await;
        assert_eq!(hidden.status(), 404, "{method}");
        assert_eq!(hidden.body(), absent.body(), "{method}");
        assert_eq!(bench.by(By::User(1), &ask(1), &fields, content).await.status(), 412);
    }
    // An editor sees and changes notes of others, and deletes none.
    assert_eq!(bench.by(By::Editor(3), "DELETE /api/notes/3", &[old], "").await.status(), 403);
    let gone = bench.by(By::User(1), "DELETE /api/notes/3", &[], "").await;
    assert_eq!(gone.status(), 200);
    // One may read users, and change oneself alone.
    let other = bench.by(By::User(1), "PATCH /api/users/2", &[MERGE, old], r#"{"nope":1}"#).await;
    assert_eq!(other.status(), 403);
}

#[tokio::test]
async fn references_name_what_is_visible() {
    let bench = notes().await;
    let hidden = bench.send(By::User(1), "POST /api/comments", r#"{"note":2,"text":"t"}"#).await;
    let absent = bench.send(By::User(1), "POST /api/comments", r#"{"note":99,"text":"t"}"#).await;
    assert!(hidden.starts_with("422 "), "{hidden}");
    assert_eq!(hidden, absent);
    has(&bench.send(By::User(1), "POST /api/comments", r#"{"note":1,"text":"t"}"#).await, "201 ");
    // What it refers to already stays, whether it is seen or not.
    let patched = bench.by(By::User(1), "PATCH /api/comments/2", &[MERGE], r#"{"text":"n"}"#).await;
    assert_eq!(patched.status(), 200);
}

#[tokio::test]
async fn passwords_of_others_and_roles_are_for_admins() {
    let bench = notes().await;
    let line = "PATCH /api/users/1";
    let own = bench.by(By::User(1), line, &[MERGE], r#"{"password":"another"}"#).await;
    assert_eq!(own.status(), 403);
    has(&String::from_utf8_lossy(own.body()), "\"pointer\":\"/password\"");
    let admin = bench.by(By::Admin(9), line, &[MERGE], r#"{"password":"another"}"#).await;
    assert_eq!(admin.status(), 200);
    let role = bench.by(By::User(1), line, &[MERGE], r#"{"role":"admin"}"#).await;
    assert_eq!(role.status(), 403);
    let born = r#"{"name":"Zed","password":"long enough","role":"admin"}"#;
    has(&bench.send(By::Nobody, "POST /api/users", born).await, "403 ");
    let born = r#"{"name":"Zed","password":"long enough"}"#;
    let born = bench.by(By::Nobody, "POST /api/users", &[super::JSON], born).await;
    assert_eq!(born.status(), 201);
    lacks(&String::from_utf8_lossy(born.body()), "email");
    assert_eq!(field(&born, "location"), "/api/users/4");
}

#[tokio::test]
async fn what_is_taken_by_a_hidden_field_is_not_named() {
    let bench = notes().await;
    let line = "PATCH /api/notes/2";
    let taken = bench.by(By::Editor(3), line, &[MERGE], r#"{"code":"c1"}"#).await;
    assert_eq!(taken.status(), 409);
    has(&String::from_utf8_lossy(taken.body()), "has this code");
    // It may be written, and read by admins only.
    let born = r#"{"name":"Zed","phone":"1"}"#;
    let taken = bench.send(By::Nobody, "POST /api/users", born).await;
    has(&taken, "409 ");
    lacks(&taken, "phone");
    let rows = r#"[{"name":"Zed","phone":"1"}]"#;
    let taken = bench.send(By::Nobody, "POST /api/users", rows).await;
    has(&taken, "409 ");
    lacks(&taken, "phone");
}

#[tokio::test]
async fn a_deletion_counts_what_is_visible() {
    let bench = notes().await;
    let held = bench.by(By::User(1), "DELETE /api/notes/1", &[], "").await;
    assert_eq!(held.status(), 409);
    has(&String::from_utf8_lossy(held.body()), "1 in comments by `note`");
    let user = bench.by(By::Admin(9), "DELETE /api/users/1", &[], "").await;
    has(&String::from_utf8_lossy(user.body()), "2 in notes by `author`");
}

#[tokio::test]
async fn an_id_that_is_taken_unseen_is_said_to_be_taken_to_those_alone_who_may_create() {
    let bench = notes().await;
    let page = r#"{"text":"t"}"#;
    has(&bench.send(By::User(1), "PUT /api/pages/a", page).await, "201 {\"id\":\"a\",\"owner\":1");
    has(&bench.send(By::User(1), "PUT /api/pages/a", r#"{"owner":1,"text":"u"}"#).await, "200 ");
    has(&bench.send(By::User(2), "PUT /api/pages/a", page).await, "409 ");
    has(&bench.send(By::User(2), "POST /api/pages", r#"{"id":"a","text":"t"}"#).await, "409 ");
    has(&bench.send(By::Editor(3), "PUT /api/rules/a", "{}").await, "201 ");
    let hidden = bench.send(By::User(1), "PUT /api/rules/a", "{}").await;
    has(&hidden, "404 ");
    assert_eq!(hidden, bench.send(By::User(1), "PUT /api/rules/b", "{}").await);
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_not_found_out_by_sending_it() {
    let bench = notes().await;
    // Editors write the grade, and only owners read it.
    let patch = async |content: &str| {
        bench.by(By::Editor(3), "PATCH /api/notes/1", &[MERGE], content).await
    };
    let seen = async |bench: &crate::tests::Bench| bench.get(By::Editor(3), "/api/notes/1").await;
    for content in [r#"{"grade":5}"#, r#"{"grade":5}"#, r#"{"grade":4}"#, r#"{"grade":null}"#] {
        let before = seen(&bench).await;
        let answer = patch(content).await;
        assert_eq!(answer.status(), 200, "{content}");
        assert_ne!(before, seen(&bench).await, "{content} is a write");
    }
    let before = seen(&bench).await;
    patch(r#"{"grade":null}"#).await;
    assert_ne!(before, seen(&bench).await, "clearing what is not there is one too");
    // What can be read is compared as ever.
    let before = seen(&bench).await;
    assert_eq!(patch(r#"{"title":"Tea"}"#).await.status(), 200);
    assert_eq!(before, seen(&bench).await);
    // Nobody learns whether somebody has a password.
    for content in [r#"{"password":null}"#, r#"{"password":"long enough"}"#] {
        let own = bench.by(By::User(1), "PATCH /api/users/1", &[MERGE], content).await;
        assert_eq!(own.status(), 403, "{content}");
    }
}

#[tokio::test]
async fn a_json_patch_says_how_to_set_what_it_cannot_see() {
    let bench = notes().await;
    let media = ("content-type", "application/json-patch+json");
    let patch = async |by, target: &str, content: &str| {
        let line = format!("PATCH {target}");
        crate::tests::text(&bench.by(by, &line, &[media], content).await)
    };
    let ask = |op: &str, path: &str| format!(r#"[{{"op":"{op}","path":"{path}","value":1}}]"#);
    // One has a grade, and the other has none.
    for target in ["/api/notes/1", "/api/notes/3"] {
        for op in ["replace", "remove", "test"] {
            let told = patch(By::Editor(3), target, &ask(op, "/grade")).await;
            has(&told, "422 ");
            has(&told, "cannot be read here");
            has(&told, "add");
        }
        has(&patch(By::Editor(3), target, &ask("add", "/grade")).await, "200 ");
    }
    let told = patch(By::User(1), "/api/users/1", &ask("replace", "/password")).await;
    has(&told, "/api/me/password");
    let told = patch(By::User(1), "/api/notes/1", &ask("replace", "/draft")).await;
    has(&told, "there is nothing at");
}

#[tokio::test]
async fn nothing_may_be_here_yet_and_something_hidden_is() {
    let bench = notes().await;
    has(&bench.send(By::User(1), "PUT /api/pages/mine", r#"{"text":"t"}"#).await, "201 ");
    let none = ("if-none-match", "*");
    let put = async |by, fields: &[(&str, &str)]| {
        bench.by(by, "PUT /api/pages/mine", fields, r#"{"text":"t"}"#).await.status().as_u16()
    };
    assert_eq!(put(By::User(1), &[super::JSON, none]).await, 412);
    assert_eq!(put(By::User(2), &[super::JSON, none]).await, 412);
    assert_eq!(put(By::User(2), &[super::JSON]).await, 409);
}
