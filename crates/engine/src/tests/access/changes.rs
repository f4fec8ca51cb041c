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

#[tokio::test]
async fn positions_count_nothing_for_whoever_does_not_see_all() {
    let bench = notes().await;
    // Everybody reads all comments, and the numbers are those of the notes as well.
    let target = "/api/changes?resource=comments";
    let seen = bench.get(By::User(2), target).await;
    let number = bench.engine.0.life.clone();
    lacks(&seen, &number);
    let position = |answer: &str| {
        let (_, position) = answer.rsplit_once("\"position\":\"").unwrap();
        position.split('"').next().unwrap().to_owned()
    };
    let first = position(&seen);
    assert_ne!(first, position(&bench.get(By::User(2), target).await), "it never stands still");
    let tag = async |by| {
        let answer = bench.by(by, &format!("GET {target}"), &[], "").await;
        crate::tests::field(&answer, "etag").to_owned()
    };
    assert_ne!(tag(By::User(2)).await, tag(By::User(2)).await);
    assert_eq!(tag(By::Admin(9)).await, tag(By::Admin(9)).await);
    has(&bench.get(By::Admin(9), target).await, &number);
    // One goes on from one's own, and nobody from another's.
    let after = |position: &str| format!("{target}&after={position}");
    has(&bench.get(By::User(2), &after(&first)).await, "200 {\"changes\":[]");
    let plain = position(&bench.get(By::Admin(9), target).await);
    for (by, position) in [(By::User(1), &first), (By::Admin(9), &first), (By::User(2), &plain)] {
        let answer = bench.get(by, &after(position)).await;
        has(&answer, "410 ");
        has(&answer, "of somebody who sees other things");
    }
}

#[tokio::test]
async fn who_may_read_nothing_is_told_so() {
    let bench = crate::tests::bench_of(
        "title = \"T\"\nprefix = \"/api\"\n[resources.users]\nlogin = [\"name\"]\n\
         search = [\"name\"]\naccess = { read = \"admin\" }\n\
         fields.name = { type = \"string\", unique = true }\n\
         fields.password = { type = \"string\", format = \"password\", optional = true }\n",
    );
    for target in ["/api/changes", "/api/changes?after=now", "/api/search?q=a"] {
        let nobody = bench.get(By::Nobody, target).await;
        assert!(nobody.starts_with("401 "), "{target}: {nobody}");
        let user = bench.get(By::User(1), target).await;
        assert!(user.starts_with("403 "), "{target}: {user}");
        let admin = bench.get(By::Operator, target).await;
        assert!(admin.starts_with("200 "), "{target}: {admin}");
    }
}
