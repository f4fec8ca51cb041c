//! The change log, as far as this caller sees what was changed.

use super::{By, has, lacks, notes};

#[tokio::test]
async fn changes_show_what_may_be_read() {
    let bench = notes().await;
    let users = bench.get(By::User(1), "/api/changes?resource=users").await;
    has(&users, "ann@example.com");
    lacks(&users, "bob@example.com");
    let notes = bench.get(By::User(1), "/api/changes?resource=notes").await;
    lacks(&notes, "rank");
    assert!(bench.get(By::Nobody, "/api/changes?resource=notes").await.starts_with("401 "));
}
