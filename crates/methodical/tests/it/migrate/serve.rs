//! What a server does by itself with a changed declaration, and what clients see of it.

use super::*;
use crate::support::client::{Client, Request};

const NOTES: &str = "[resources.notes]\nfields.text = { type = \"string\" }\n";

fn post(client: &Client, json: &str) -> u16 {
    client.send(&Request::new("POST", "/api/notes").json(json)).status
}

#[test]
fn what_is_quick_and_loses_nothing_is_done_and_said() {
    let home = Home::new(NOTES);
    let mut server = Server::over(home.path(), Options::default());
    assert_eq!(post(&server.client(), r#"{"text":"one"}"#), 201);
    assert_eq!(server.terminate().code(), Some(0));
    home.declare(&format!("{NOTES}fields.stars = {{ type = \"integer\", default = 3 }}\n"));
    let mut server = Server::over(home.path(), Options::default());
    server.await_log("migrated ");
    server.await_log("notes: add field `stars`, 3 in every record that is there");
    let note = server.client().get("/api/notes/1").json();
    assert_eq!(note["stars"], 3);
    assert_eq!(post(&server.client(), r#"{"text":"two","stars":5}"#), 201);
    assert_eq!(server.client().get("/api/notes?stars=5").json()["total"], 1);
    assert_eq!(server.terminate().code(), Some(0));

    home.declare(NOTES);
    let refused = home.run("serve", &["--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(1));
    let said = "data would be lost (notes: drop field `stars`)";
    assert!(refused.err.contains(said), "{}", refused.err);
    let next = format!("methodical migrate {} --apply", home.path().display());
    assert!(refused.err.contains(&next), "{}", refused.err);
}

#[test]
fn what_takes_long_is_left_to_the_command() {
    let home = Home::filled(NOTES, "INSERT INTO notes (text) VALUES ('a'), ('b'), ('c')");
    home.declare(&NOTES.replace("\"string\"", "\"string\", ignoreCase = true"));
    let few = ["--listen", "127.0.0.1:0", "--set", "migrate.rows=3"];
    let refused = home.run("serve", &few);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("it takes more than a moment"), "{}", refused.err);
    assert_eq!(home.migrate(&["--apply"]).code, Some(0));
    let server = Server::over(home.path(), Options::default().set("migrate.rows", "3"));
    assert_eq!(server.client().get("/api/notes?text=A").json()["total"], 1);
}

#[test]
fn no_tag_from_before_matches_even_when_everything_is_as_it_was() {
    let home = Home::new(NOTES);
    let more = format!("{NOTES}fields.extra = {{ type = \"string\", optional = true }}\n");
    let mut server = Server::over(home.path(), Options::default());
    assert_eq!(post(&server.client(), r#"{"text":"one"}"#), 201);
    let first = server.client().get("/api/notes/1");
    let tag = first.field("etag").expect("a tag");
    server.terminate();
    home.declare(&more);
    let mut server = Server::over(home.path(), Options::default());
    let patch = Request::new("PATCH", "/api/notes/1").json(r#"{"text":"one"}"#);
    let stale = server.client().send(&patch.clone().field("if-match", &tag));
    assert_eq!(stale.status, 412);
    server.terminate();
    home.declare(NOTES);
    assert_eq!(home.migrate(&["--apply"]).code, Some(0), "nobody has an `extra`");
    let server = Server::over(home.path(), Options::default());
    let again = Request::new("GET", "/api/notes/1").field("if-none-match", &tag);
    let again = server.client().send(&again);
    assert_eq!((again.status, &again.content), (200, &first.content));
    assert_eq!(server.client().send(&patch.field("if-match", &tag)).status, 412);
    assert_eq!(post(&server.client(), r#"{"text":"two"}"#), 201);
}

#[test]
fn watch_migrates_by_the_same_rules_while_clients_go_on() {
    let home = Home::new(NOTES);
    let mut server = Server::over(home.path(), Options::default().argument("--watch"));
    let client = server.client();
    assert_eq!(post(&client, r#"{"text":"one"}"#), 201);
    home.declare(
        "[resources.tags]\nfields.name = { type = \"string\", unique = true }\n\
         [resources.notes]\nfields.stars = { type = \"integer\", default = 3, index = true }\n\
         fields.body = { type = \"string\", was = \"text\" }\n",
    );
    server.await_log("is served from now on");
    server.await_log("notes: rename field `text` to `body`");
    let note = client.get("/api/notes/1").json();
    assert_eq!((&note["stars"], &note["body"]), (&3.into(), &"one".into()));
    assert_eq!(post(&client, r#"{"body":"two","stars":1}"#), 201);
    assert_eq!(client.get("/api/tags").status, 200);
    assert_eq!(client.get("/api/notes?sort=stars").json()["notes"][0]["body"], "two");

    home.declare("[resources.notes]\nfields.body = { type = \"string\" }\n");
    server.await_log("data would be lost (notes: drop field `stars`)");
    assert_eq!(client.get("/api/notes/2").json()["stars"], 1, "the old one stays");
    assert_eq!(post(&client, r#"{"body":"three"}"#), 201);

    // Another order is another face, and loses nothing.
    home.declare(
        "[resources.notes]\nfields.body = { type = \"string\" }\n\
         fields.stars = { type = \"integer\", default = 3, index = true }\n\
         [resources.tags]\nfields.name = { type = \"string\", unique = true }\n",
    );
    crate::support::server::await_that("the order is another one", || {
        client.get("/api/notes/3").text().starts_with(r#"{"id":3,"body":"three","stars":3"#)
    });
    assert_eq!(post(&client, r#"{"body":"four"}"#), 201);
    assert_eq!(server.terminate().code(), Some(0), "the store that is open now is closed");
    let log = std::fs::metadata(home.path().join("data.db-wal"));
    assert!(log.map_or(true, |log| log.len() == 0), "its log is in the file");
}
