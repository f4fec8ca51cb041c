//! What the tag of an answer depends on: each thing that the answer shows or was chosen by is
//! changed, and no tag that was ever given holds any more; what it does not depend on is changed,
//! and the tag holds.

use std::collections::HashMap;
use std::fs;

use rusqlite::Connection as Database;

use super::world::{Wire, started};
use crate::support::answer::Answer;
use crate::support::client::Request;
use crate::support::server::{PATIENCE, Server};

const DECLARATION: &str = r#"
title = "Tags"
alias = ["/v0"]
[resources.shelves]
fields.label = { type = "string" }
fields.room = { type = "string", default = "the room behind the long corridor" }
[resources.authors]
fields.name = { type = "string" }
fields.born = { type = "integer" }
[resources.books]
fields.title = { type = "string" }
fields.author = { references = "authors", optional = true, onDelete = "clear" }
fields.shelf = { references = "shelves", optional = true, onDelete = "restrict" }
[resources.reviews]
fields.book = { references = "books", onDelete = "cascade" }
fields.stars = { type = "integer", default = 3 }
fields.text = { type = "string", default = "good" }
[resources.strangers]
fields.text = { type = "string" }
"#;

/// What is asked for, the tables that the answer depends on, and the one record that it is of.
struct Target {
    path: &'static str,
    tables: &'static [&'static str],
    record: Option<&'static str>,
}

const fn list(path: &'static str, tables: &'static [&'static str]) -> Target {
    Target { path, tables, record: None }
}

const fn one(path: &'static str, record: &'static str, tables: &'static [&'static str]) -> Target {
    Target { path, tables, record: Some(record) }
}

const TARGETS: &[Target] = &[
    list("/api/books", &["books"]),
    list("/api/books?title%5Bprefix%5D=B&sort=-title&limit=2", &["books"]),
    list("/api/books?cursor=&limit=1", &["books"]),
    list("/api/reviews?book.title%5Bne%5D=x", &["reviews", "books"]),
    list("/api/reviews?book.author.name%5Bprefix%5D=A", &["reviews", "books", "authors"]),
    list("/api/reviews?include=book&book.shelf.label=left", &["reviews", "books", "shelves"]),
    list("/api/books?include=author", &["books", "authors"]),
    list("/api/reviews?include=book.author", &["reviews", "books", "authors"]),
    list("/api/authors?include=books", &["authors", "books"]),
    list("/api/authors?include=books.reviews&fields=id,books.id", &["authors", "books", "reviews"]),
    list("/api/books?aggregate=count,max(title)&groupBy=author", &["books"]),
    list(
        "/api/reviews?aggregate=avg(stars)&book.author.name=Ada",
        &["reviews", "books", "authors"],
    ),
    one("/api/books/1", "books/1", &[]),
    one("/api/books/1?fields=title", "books/1", &[]),
    one("/api/books/1?include=author", "books/1", &["authors"]),
    one("/api/reviews/1?include=book.author", "reviews/1", &["books", "authors"]),
    one("/api/authors/1?include=books.reviews", "authors/1", &["books", "reviews"]),
];

/// What is done.
enum Act {
    Send(&'static str, &'static str, &'static str),
    /// By another process.
    Sql(&'static str),
    /// The declaration is changed: this part becomes that, and the server starts again.
    Declare(&'static str, &'static str),
}

/// What it touches.
enum Touch {
    /// Tables, and records of them.
    Tables(&'static [&'static str], &'static [&'static str]),
    /// Every list, and whatever includes something.
    Lists,
    Nothing,
}

use Act::{Declare, Send, Sql};
use Touch::{Lists, Nothing, Tables};

const CHANGES: &[(Act, Touch)] = &[
    (Send("PATCH", "books/1", r#"{"title":"Beyond"}"#), Tables(&["books"], &["books/1"])),
    // And back: the same content is no reason for the same tag.
    (Send("PATCH", "books/1", r#"{"title":"Book one"}"#), Tables(&["books"], &["books/1"])),
    (Send("PATCH", "books/1", r#"{"title":"Book one"}"#), Nothing),
    (Send("PATCH", "books/2", r#"{"title":"Another"}"#), Tables(&["books"], &["books/2"])),
    (
        Send("PUT", "books/1", r#"{"title":"Book one","author":2}"#),
        Tables(&["books"], &["books/1"]),
    ),
    (Send("PATCH", "authors/1", r#"{"name":"Anna"}"#), Tables(&["authors"], &["authors/1"])),
    (Send("PATCH", "authors/2", r#"{"born":1913}"#), Tables(&["authors"], &["authors/2"])),
    (Send("PATCH", "reviews/2", r#"{"stars":1}"#), Tables(&["reviews"], &["reviews/2"])),
    (Send("PATCH", "shelves/1", r#"{"label":"right"}"#), Tables(&["shelves"], &["shelves/1"])),
    (Send("PATCH", "shelves/1", r#"{"label":"left"}"#), Tables(&["shelves"], &["shelves/1"])),
    (Send("POST", "books", r#"{"title":"Brand new","author":1}"#), Tables(&["books"], &[])),
    (Send("POST", "reviews", r#"{"book":4}"#), Tables(&["reviews"], &[])),
    (Send("POST", "authors", r#"{"name":"Agatha","born":1890}"#), Tables(&["authors"], &[])),
    (Send("POST", "strangers", r#"{"text":"hello"}"#), Nothing),
    (Send("PATCH", "strangers/1", r#"{"text":"hello again"}"#), Nothing),
    // The reviews of it go with it.
    (Send("DELETE", "books/4", ""), Tables(&["books", "reviews"], &["books/4"])),
    // The book of it stays without an author.
    (Send("DELETE", "authors/3", ""), Tables(&["authors", "books"], &["books/3"])),
    (Sql("UPDATE books SET title = 'From outside' WHERE id = 1"), Tables(&["books"], &["books/1"])),
    (Sql("UPDATE authors SET born = 1 WHERE id = 1"), Tables(&["authors"], &["authors/1"])),
    (Sql("UPDATE reviews SET stars = 5"), Tables(&["reviews"], &["reviews/1", "reviews/2"])),
    (Sql("INSERT INTO reviews (book) VALUES (1)"), Tables(&["reviews"], &[])),
    (Sql("INSERT INTO shelves (label) VALUES ('left')"), Tables(&["shelves"], &[])),
    (Sql("DELETE FROM reviews WHERE id = 2"), Tables(&["reviews"], &["reviews/2"])),
    (
        // The book of the one that is replaced loses it.
        Sql("INSERT OR REPLACE INTO authors (id, name, born) VALUES (1, 'Ada', 1)"),
        Tables(&["authors", "books"], &["authors/1", "books/2"]),
    ),
    (Sql("UPDATE strangers SET text = 'moved'"), Nothing),
    (Declare("title = \"Tags\"", "title = \"Other\""), Nothing),
    (
        Declare(
            "fields.label = { type = \"string\" }",
            "fields.label = { type = \"string\", description = \"where it hangs\" }",
        ),
        Nothing,
    ),
    // The order of fields is the order of members.
    (
        Declare(
            "fields.name = { type = \"string\" }\nfields.born = { type = \"integer\" }",
            "fields.born = { type = \"integer\" }\nfields.name = { type = \"string\" }",
        ),
        Tables(&["authors"], &["authors/1", "authors/2"]),
    ),
    (
        Declare("default = \"good\" }", "default = \"good\", writeOnly = true }"),
        Tables(&["reviews"], &["reviews/1"]),
    ),
    // What settings cut or count is another answer.
    (Declare("[resources.shelves]", "limits.include = 1\n[resources.shelves]"), Lists),
    (Declare("limits.include = 1\n", "limits.included = 1\n"), Lists),
    (Declare("limits.included = 1\n", "limits.count = 1\n"), Lists),
    (Declare("limits.count = 1\n", "limits.offset = 1\n"), Lists),
    // So is one whose links lead elsewhere.
    (Declare("alias = [\"/v0\"]", "prefix = \"/v0\"\nalias = [\"/api\"]"), Lists),
];

/// How a target is asked for: each of these answers has a tag of its own.
const FACES: [(&str, &str); 4] =
    [("GET", "identity"), ("GET", "gzip"), ("HEAD", "identity"), ("QUERY", "identity")];

impl Target {
    fn depends_on(&self, touch: &Touch) -> bool {
        match touch {
            Tables(tables, records) => {
                tables.iter().any(|table| self.tables.contains(table))
                    || self.record.is_some_and(|record| records.contains(&record))
            }
            Lists => self.record.is_none() || !self.tables.is_empty(),
            Nothing => false,
        }
    }

    fn has(&self, face: (&str, &str)) -> bool {
        face.0 != "QUERY" || self.record.is_none()
    }

    fn request(&self, (method, coding): (&str, &str)) -> Request {
        let request = if method == "QUERY" {
            let (path, query) = self.path.split_once('?').unwrap_or((self.path, "limit=20"));
            Request::new("QUERY", path).content("application/x-www-form-urlencoded", query)
        } else {
            Request::new(method, self.path)
        };
        request.field("accept-encoding", coding)
    }
}

fn fill(wire: &mut Wire) {
    let records = [
        ("shelves", r#"{"label":"left"}"#),
        ("authors", r#"{"name":"Ada","born":1815}"#),
        ("authors", r#"{"name":"Alan","born":1912}"#),
        ("authors", r#"{"name":"Grace","born":1906}"#),
        ("books", r#"{"title":"Book one","author":1,"shelf":1}"#),
        ("books", r#"{"title":"Book two","author":1}"#),
        ("books", r#"{"title":"Book three","author":3,"shelf":1}"#),
        ("reviews", r#"{"book":1,"stars":4}"#),
        ("reviews", r#"{"book":1,"stars":2}"#),
        ("reviews", r#"{"book":3}"#),
    ];
    for (resource, json) in records {
        let answer = wire.send(Request::new("POST", &format!("/api/{resource}")).json(json));
        assert_eq!(answer.status, 201, "{}", answer.show());
    }
}

/// The tags that each face of each target ever had, the present one last.
type Tags = HashMap<(usize, usize), Vec<String>>;

struct Watch {
    server: Server,
    wire: Wire,
    tags: Tags,
}

#[test]
fn no_tag_outlives_anything_that_its_answer_depends_on() {
    let server = started(DECLARATION, &[]);
    let mut wire = Wire::new(&server);
    fill(&mut wire);
    let mut watch = Watch { server, wire, tags: Tags::new() };
    watch.look(&Lists, "the beginning");
    for (act, touch) in CHANGES {
        let what = watch.act(act);
        watch.look(touch, &what);
    }
    let longest = watch.tags.values().map(Vec::len).max();
    assert!(longest.is_some_and(|number| number > 10), "few changes were seen: {longest:?}");
}

impl Watch {
    fn act(&mut self, act: &Act) -> String {
        match act {
            Send(method, path, json) => {
                let mut request = Request::new(method, &format!("/api/{path}"));
                if !json.is_empty() {
                    request = request.json(*json);
                }
                let answer = self.wire.send(request);
                assert!((200..300).contains(&answer.status), "{}", answer.show());
                format!("{method} {path} {json}")
            }
            Sql(text) => {
                let database = Database::open(self.server.database()).expect("the database");
                database.busy_timeout(PATIENCE).expect("a timeout");
                database.execute_batch(text).expect("an edit");
                (*text).to_owned()
            }
            Declare(from, to) => {
                let path = self.server.home().join("methodical.toml");
                let text = fs::read_to_string(&path).expect("a declaration");
                assert!(text.contains(from), "{from} is not there:\n{text}");
                fs::write(&path, text.replace(from, to)).expect("a file");
                assert!(self.server.terminate().success(), "the server ends well");
                self.server.restart();
                self.wire = Wire::new(&self.server);
                format!("declared {to}")
            }
        }
    }

    /// Asks for every face of every target with the tags that it had.
    fn look(&mut self, touch: &Touch, what: &str) {
        for (at, target) in TARGETS.iter().enumerate() {
            let mut contents = Vec::new();
            for (number, face) in FACES.iter().enumerate().filter(|(_, face)| target.has(**face)) {
                let known = self.tags.entry((at, number)).or_default();
                let place = format!("{face:?} {} after {what}", target.path);
                if !target.depends_on(touch) && !known.is_empty() {
                    let tag = known.last().expect("a tag");
                    let request = target.request(*face).field("if-none-match", tag);
                    let answer = self.wire.send(request);
                    assert_eq!(answer.status, 304, "{place}: {}", answer.show());
                    assert_eq!(answer.field("etag").as_ref(), Some(tag), "{place}");
                    continue;
                }
                let mut request = target.request(*face);
                if !known.is_empty() {
                    request = request.field("if-none-match", &known.join(", "));
                }
                let answer = self.wire.send(request);
                assert_eq!(answer.status, 200, "{place}: an old tag holds: {}", answer.show());
                let tag = answer.field("etag").expect("a tag");
                assert!(!known.contains(&tag), "{place}: {tag} is back");
                known.push(tag.clone());
                contents.push((face, answer));
                if number > 0 {
                    continue;
                }
                // Asked again it may have been kept, and is the same.
                let (_, answer) = &contents[0];
                let again = self.wire.send(target.request(*face));
                assert_eq!(again.field("etag"), Some(tag.clone()), "{place}");
                assert_eq!(again.decoded(), answer.decoded(), "{place}");
                let held = self.wire.send(target.request(*face).field("if-none-match", &tag));
                assert_eq!(held.status, 304, "{place}: {}", held.show());
            }
            same(target, &contents);
        }
    }
}

/// All faces show the same, and those that are coded otherwise have other tags.
fn same(target: &Target, contents: &[(&(&str, &str), Answer)]) {
    let Some((_, first)) = contents.first() else { return };
    for (face, answer) in contents {
        if face.0 != "HEAD" {
            let texts = (first.text(), answer.text());
            assert_eq!(texts.0, texts.1, "{face:?} {}", target.path);
        }
        let is_coded = answer.field("content-encoding").is_some();
        let is_other = answer.field("etag") != first.field("etag");
        let must = is_coded || face.0 == "QUERY";
        assert_eq!(is_other, must, "{face:?} {}", target.path);
    }
}
