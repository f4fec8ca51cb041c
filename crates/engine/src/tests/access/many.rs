//! Many records in one request, and batches.

use super::{By, has, lacks, notes, titles};

#[tokio::test]
async fn rows_are_owned_by_whoever_creates_them() {
    let bench = notes().await;
    let rows = r#"[{"title":"A"},{"title":"B","author":2}]"#;
    has(&bench.send(By::User(2), "POST /api/notes", rows).await, "201 {\"created\":2");
    assert_eq!(titles(&bench.get(By::User(2), "/api/notes?sort=id").await), "Oak A B");
    let rows = r#"[{"title":"C"},{"title":"D","pinned":true}]"#;
    let refused = bench.send(By::User(2), "POST /api/notes", rows).await;
    has(&refused, "403 ");
    has(&refused, "\"pointer\":\"/1/pinned\"");
    let unknown =
        bench.send(By::User(2), "POST /api/notes", r#"[{"title":"C","draft":"x"}]"#).await;
    has(&unknown, "422 ");
    has(&unknown, "is not a member of notes");
}

#[tokio::test]
async fn a_batch_is_what_its_operations_are() {
    let bench = notes().await;
    let batch = |operations: &str| format!("{{\"operations\":[{operations}]}}");
    let made = batch(
        r#"{"method":"POST","path":"/api/notes","body":{"title":"N"}},
           {"method":"POST","path":"/api/comments","body":{"note":"$1.id","text":"on it"}}"#,
    );
    let made = bench.send(By::User(1), "POST /api/batch", &made).await;
    has(&made, "200 ");
    has(&made, "\"author\":1,\"title\":\"N\"");
    lacks(&made, "rank");
    let hidden = batch(r#"{"method":"DELETE","path":"/api/notes/2"}"#);
    let absent = batch(r#"{"method":"DELETE","path":"/api/notes/99"}"#);
    let hidden = bench.send(By::User(1), "POST /api/batch", &hidden).await;
    has(&hidden, "404 ");
    assert_eq!(hidden, bench.send(By::User(1), "POST /api/batch", &absent).await);
    let closed = batch(
        r#"{"method":"POST","path":"/api/comments","body":{"note":1,"text":"x"}},
           {"method":"POST","path":"/api/notes","body":{"title":"N"}}"#,
    );
    let closed = bench.send(By::Nobody, "POST /api/batch", &closed).await;
    has(&closed, "401 ");
    has(&closed, "\"pointer\":\"/operations/0\"");
    let lent = batch(
        r#"{"method":"POST","path":"/api/notes","body":{"title":"N"}},
           {"method":"POST","path":"/api/comments","body":{"note":1,"text":"$1.rank"}}"#,
    );
    let lent = bench.send(By::User(1), "POST /api/batch", &lent).await;
    has(&lent, "shows no such member of notes");
}

#[tokio::test]
async fn a_row_of_somebody_else_names_the_member() {
    let bench = notes().await;
    let rows = r#"[{"title":"A"},{"title":"B","author":1}]"#;
    let refused = bench.send(By::User(2), "POST /api/notes", rows).await;
    has(&refused, "403 ");
    has(&refused, "\"pointer\":\"/1/author\"");
    lacks(&refused, "\"pointer\":\"/0");
}
