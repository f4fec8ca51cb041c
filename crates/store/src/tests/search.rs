//! The full-text index finds what `Terms::matches` says of the rows, whoever wrote them.

use std::time::Duration;

use model::search::{Terms, indexed};
use rusqlite::types::Value as Sql;

use super::*;
use crate::sql::Catalog;
use crate::sql::search::{expression, index_table, row_number};
use crate::sqlite::open::Source;
use crate::sqlite::session::Session;

/// `posts_content` is also what FTS5 adds to the name of an index, and it keeps `rank` for itself.
const SEARCHED: &str = r#"
title = "Searched"

[resources.posts]
search = ["title", "body"]
fields.title = { type = "string", unique = true, ignoreCase = true }
fields.body  = { type = ["string", "null"] }
fields.views = { type = "integer", default = 0 }

[resources.posts_content]
id = "text"
search = ["rank"]
fields.rank = { type = "string", optional = true }
fields.post = { references = "posts", optional = true, onDelete = "cascade" }

[resources.keys]
id = "uuid"
search = ["label"]
fields.label = { type = "string" }
fields.above = { references = "keys", optional = true, onDelete = "cascade" }

[resources.plain]
fields.label = { type = "string" }
"#;

const POSTS: ResourceIndex = 0;
const CONTENTS: ResourceIndex = 1;
const KEYS: ResourceIndex = 2;

fn searched() -> Bench {
    Bench::of(SEARCHED, |_| {})
}

fn post(id: i64, title: &str, body: Option<&str>) -> Record {
    let body = body.map_or(Value::Null, |body| Value::Text(body.to_owned()));
    Record { values: vec![text(title), Some(body), Some(Value::Integer(0))], ..user(id, "") }
}

fn content(id: &str, rank: Option<&str>, post: Option<i64>) -> Record {
    let values = vec![rank.and_then(text), post.map(Value::Integer)];
    Record { id: Id::Text(id.to_owned()), values, ..user(1, "") }
}

fn key(number: u32, label: &str) -> Record {
    let id = format!("018f3c5e-7b1a-7c3d-9e4f-{number:012x}");
    Record { id: Id::Text(id), values: vec![text(label), None], ..user(1, "") }
}

/// The next version of a record, with other first values.
fn changed(record: &Record, values: Vec<Option<Value>>) -> (Record, Change) {
    let mut next = record.clone();
    next.values.splice(..values.len(), values);
    next.version.counter += 1;
    next.updated_at.0 += 1;
    let resource = match (&record.id, record.values.len()) {
        (Id::Integer(_), _) => POSTS,
        (Id::Text(id), _) if id.len() == 36 => KEYS,
        (Id::Text(_), _) => CONTENTS,
    };
    let change = Change::Update { resource, expected: record.version, record: next.clone() };
    (next, change)
}

impl Bench {
    /// A connection as reads have it: it cannot write, and it is asked what it may do.
    fn read_only(&self) -> Session {
        let source = Source::new(options(&self.folder), Arc::clone(&self.model));
        source.reader(Duration::from_secs(5)).unwrap()
    }

    /// Waits until the server has looked at what was edited from outside.
    async fn looked(&self) {
        let outside = self.outside();
        for _ in 0..200 {
            let left = "SELECT (SELECT count(*) FROM _methodical_refold) \
                        + (SELECT count(*) FROM _methodical_suspect)";
            if outside.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server never looked");
    }

    /// The numbers and texts of the rows of a resource.
    fn rows(&self, resource: ResourceIndex) -> Vec<(i64, Vec<Option<String>>)> {
        let declared = &self.model.resources[resource];
        let fields = crate::sql::search::fields(declared);
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let text = format!(
            "SELECT {0}, {1} FROM {2} ORDER BY {0}",
            row_number(declared),
            names.join(", "),
            declared.name
        );
        table(&self.outside(), &text)
    }

    /// What a search finds, best first.
    fn search(&self, session: &Session, resource: ResourceIndex, terms: &Terms) -> Vec<i64> {
        let index = crate::sql::quote(&index_table(&self.model.resources[resource]));
        let text = format!(
            "SELECT rowid FROM {index} WHERE {index} MATCH ? ORDER BY bm25({index}), rowid"
        );
        let mut statement = session.statement(&text).unwrap();
        let found = statement
            .query_map([expression(&self.model.resources[resource], terms, None)], |row| row.get(0))
            .unwrap();
        found.map(Result::unwrap).collect()
    }

    /// The index holds what the rows say, and nothing else, and is sound.
    fn assert_indexed(&self) {
        let outside = self.outside();
        let ours: i64 = outside
            .query_row("SELECT max(ours) FROM _methodical_resource", [], |row| row.get(0))
            .unwrap();
        assert_eq!(ours, 0, "whoever comes next is not taken for the server");
        for resource in [POSTS, CONTENTS, KEYS] {
            let declared = &self.model.resources[resource];
            let index = crate::sql::quote(&index_table(declared));
            let kept = table(&outside, &format!("SELECT rowid, * FROM {index} ORDER BY rowid"));
            let expected: Vec<(i64, Vec<Option<String>>)> = self
                .rows(resource)
                .into_iter()
                .map(|(number, texts)| {
                    let text = |text: Option<String>| text.map(|text| indexed(&text).into_owned());
                    (number, texts.into_iter().map(text).collect())
                })
                .collect();
            assert_eq!(kept, expected, "{}", declared.name);
            let check =
                format!("INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)");
            outside.execute_batch(&check).unwrap();
        }
    }

    /// The store and the terms themselves agree on each query.
    fn assert_agrees(&self, session: &Session, queries: &[String]) {
        for resource in [POSTS, CONTENTS, KEYS] {
            let rows = self.rows(resource);
            for query in queries {
                let Ok(terms) = Terms::read(query) else { continue };
                let mut found = self.search(session, resource, &terms);
                found.sort_unstable();
                let matching = rows.iter().filter(|(_, texts)| {
                    let texts: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
                    terms.matches(&texts)
                });
                let expected: Vec<i64> = matching.map(|(number, _)| *number).collect();
                assert_eq!(found, expected, "{query:?} in {rows:?}");
            }
        }
    }
}

fn table(connection: &Connection, text: &str) -> Vec<(i64, Vec<Option<String>>)> {
    let mut statement = connection.prepare(text).unwrap();
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| {
        let texts = (1..columns).map(|column| row.get(column)).collect::<Result<_, _>>();
        Ok((row.get(0)?, texts?))
    };
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// Numbers that look random and are the same each time (a linear congruential generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.roll(among.len())]
    }

    /// Text in which the same few words come again, in many spellings.
    fn text(&mut self) -> String {
        const PIECES: [&str; 38] = [
            "alpha",
            "Alpha",
            "ALPHA beta",
            "beta",
            "alphabet",
            "be",
            "c++",
            "a-b",
            "x_y",
            "don't",
            "NEAR",
            "AND",
            "OR",
            "NOT",
            "*",
            "-",
            ":",
            "^",
            "\"",
            "'",
            "(beta)",
            "{x}",
            "title:",
            "Café",
            "cafe\u{301}",
            "CAFE",
            "Straße",
            "strasse",
            "ΣΊΣΥΦΟΣ",
            "σίσυφος",
            "日本語",
            "日本",
            "本",
            "Python教程",
            "กินข้าว",
            "한글",
            "e\u{ad}f",
            "😀",
        ];
        let mut text = String::new();
        for _ in 0..self.roll(7) {
            text.push_str(self.pick(&PIECES));
            text.push_str(self.pick(&[" ", " ", " ", "", ",", "\n"]));
        }
        text
    }

    fn query(&mut self) -> String {
        let text = self.text();
        match self.roll(4) {
            0 => format!("\"{}", text.trim()),
            1 => format!("{}*", text.trim()),
            2 => text.chars().take(3).collect::<String>() + "*",
            _ => text,
        }
    }
}

#[tokio::test]
async fn any_query_finds_what_its_terms_match_whoever_wrote() {
    let mut bench = searched();
    let mut dice = Dice(42);
    let mut next = 0;
    for round in 0..8 {
        let largest = "SELECT max(?, seq, (SELECT max(id) FROM posts)) FROM sqlite_sequence \
                       WHERE name = 'posts'";
        let largest = bench.outside().query_row(largest, [next], |row| row.get(0));
        next = largest.unwrap_or(next);
        for _ in 0..12 {
            next += 1;
            let body = (dice.roll(5) > 0).then(|| dice.text());
            let post = post(next, &format!("{} {next}", dice.text()), body.as_deref());
            let name = format!("c{next}");
            let mut changes = vec![
                insert(POSTS, post.clone()),
                insert(CONTENTS, content(&name, body.as_deref(), Some(next))),
                insert(KEYS, key(u32::try_from(next).unwrap(), &dice.text())),
            ];
            let (later, change) = changed(&post, vec![text(&format!("{next} {}", dice.text()))]);
            match dice.roll(5) {
                0 => changes.push(change),
                1 => {
                    let ninth = Some(Value::Integer(9));
                    let same = vec![later.values[0].clone(), later.values[1].clone(), ninth];
                    changes.push(change);
                    changes.push(changed(&later, same).1);
                }
                2 => changes.push(remove(CONTENTS, &content(&name, None, None))),
                3 => changes.extend([remove(POSTS, &post)]),
                _ => {}
            }
            // Every now and then all of it is undone.
            if dice.roll(6) == 0 {
                changes.push(insert(KEYS, key(u32::try_from(next).unwrap(), "taken")));
                bench.commit(changes).await.unwrap_err();
            } else {
                bench.commit(changes).await.unwrap();
            }
        }
        outside(&bench, &mut dice, next);
        bench.looked().await;
        bench.assert_indexed();
        let queries: Vec<String> = (0..40).map(|_| dice.query()).collect();
        bench.assert_agrees(&bench.read_only(), &queries);
        if round % 4 == 3 {
            let Bench { folder, model, opened } = bench;
            drop(opened);
            let opened = crate::open(&options(&folder), Arc::clone(&model), &mut seedless).unwrap();
            bench = Bench { folder, model, opened };
        }
    }
    bench.assert_true();
}

/// A person edits what is there.
fn outside(bench: &Bench, dice: &mut Dice, next: i64) {
    let outside = bench.outside();
    outside.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    let one = |edit: &str, dice: &mut Dice| {
        let near = next - i64::try_from(dice.roll(30)).unwrap();
        let values = [Sql::Integer(near), Sql::Text(dice.text()), Sql::Text(format!("c{near}"))];
        let mut statement = outside.prepare(edit).unwrap();
        let wanted = statement.parameter_count();
        // A title or id that is taken is refused, as it is to everybody.
        drop(statement.execute(rusqlite::params_from_iter(&values[..wanted])));
    };
    for _ in 0..6 {
        one(
            "INSERT INTO posts (title, body) VALUES (?2 || hex(randomblob(3)), ?2 || ' ' || ?1)",
            dice,
        );
        one("UPDATE posts SET body = ?2 WHERE id = ?1", dice);
        one("UPDATE posts SET title = title, views = views + 1 WHERE id = ?1", dice);
        one("UPDATE posts SET id = id + 100000 WHERE id = ?1", dice);
        one(
            "UPDATE OR REPLACE posts SET title = (SELECT title FROM posts WHERE id = ?1 + 1) \
             WHERE id = ?1 AND EXISTS (SELECT 1 FROM posts WHERE id = ?1 + 1)",
            dice,
        );
        one("INSERT OR REPLACE INTO posts (id, title, body) VALUES (?1, ?2 || ?1, ?2)", dice);
        one(
            "INSERT OR REPLACE INTO posts (title, body) \
             SELECT title, ?2 FROM posts WHERE id = ?1",
            dice,
        );
        one("INSERT OR IGNORE INTO posts (id, title) VALUES (?1, ?2 || 'x')", dice);
        one(
            "INSERT INTO posts (id, title) VALUES (?1, ?2 || 'y' || ?1) \
             ON CONFLICT (id) DO UPDATE SET body = excluded.title",
            dice,
        );
        one("DELETE FROM posts WHERE id = ?1", dice);
        one(
            "INSERT INTO posts_content (id, rank) VALUES (?3 || '-' || hex(randomblob(4)), ?2)",
            dice,
        );
        one("INSERT OR REPLACE INTO posts_content (id, rank) VALUES (?3, ?2)", dice);
        one("UPDATE posts_content SET rank = ?2 WHERE id = ?3", dice);
        one(
            "UPDATE posts_content SET _number = _number + 100000 WHERE id = ?3 AND ?2 IS NOT NULL",
            dice,
        );
        one("UPDATE posts_content SET rank = NULL WHERE id = ?3 AND ?2 IS NOT NULL", dice);
        one("INSERT INTO keys (label) VALUES (?2)", dice);
        one(
            "INSERT INTO keys (label, above) SELECT ?2, id FROM keys ORDER BY _number LIMIT 1",
            dice,
        );
        one("UPDATE keys SET label = ?2 || label WHERE _number % 17 = ?1 % 17", dice);
    }
    outside
        .execute_batch("DELETE FROM keys WHERE _number = (SELECT min(_number) FROM keys)")
        .unwrap();
    outside.execute_batch("VACUUM").unwrap();
}

#[tokio::test]
async fn seeds_are_indexed_and_a_group_that_is_undone_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let model = declared(SEARCHED);
    let mut seed = || {
        Ok(vec![
            (CONTENTS, content("a", Some("Crème brûlée"), Some(1))),
            (POSTS, post(1, "Crème", Some("sugar"))),
        ])
    };
    let opened = crate::open(&options(&folder), Arc::clone(&model), &mut seed).unwrap();
    let bench = Bench { folder, model, opened };
    bench.assert_indexed();
    let marks = "SELECT count(*) FROM _methodical_refold";
    let marks = bench.outside().query_row(marks, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(marks, 0, "nothing is left to be done for what the server wrote");
    let creme = Terms::read("creme").unwrap();
    let session = bench.read_only();
    assert_eq!(bench.search(&session, POSTS, &creme), [1]);
    assert_eq!(bench.search(&session, CONTENTS, &creme).len(), 1);
    drop(session);

    // The title is taken: neither the new row nor the change before it is to be found.
    let (_, change) = changed(&post(1, "", None), vec![text("Caramel")]);
    let lost = vec![change, insert(POSTS, post(2, "x", Some("caramel"))), {
        insert(POSTS, post(3, "X", Some("caramel")))
    }];
    assert!(matches!(bench.commit(lost).await, Err(Error::Taken { .. })));
    bench.commit(vec![insert(POSTS, post(4, "y", None))]).await.unwrap();
    bench.assert_indexed();
    // What is deleted takes along what depends on it.
    bench.commit(vec![remove(POSTS, &post(1, "", None))]).await.unwrap();
    assert_eq!(bench.rows(CONTENTS), []);
    bench.assert_indexed();
}

#[tokio::test]
async fn the_best_comes_first_and_no_query_is_an_operator() {
    let bench = searched();
    let long = "filler ".repeat(50);
    bench
        .commit(vec![
            insert(POSTS, post(1, "one", Some(&format!("{long} rust")))),
            insert(POSTS, post(2, "two rust", Some("rust and rust"))),
            insert(POSTS, post(3, "three", Some("c++ NEAR rustic"))),
        ])
        .await
        .unwrap();
    let session = bench.read_only();
    for (query, found) in [
        ("rust", &[2, 1][..]),
        ("rust*", &[2, 3, 1]),
        ("c++", &[3]),
        ("rust OR c", &[]),
        ("NEAR(c rustic)", &[3]),
        ("title:two", &[]),
        ("_text_title : two", &[]),
        ("-rust", &[2, 1]),
        ("NOT rust", &[]),
        ("\"rust and\"", &[2]),
        ("\" OR \"\" OR \"", &[]),
        ("^one", &[1]),
        ("", &[]),
        ("*", &[]),
        ("\"", &[]),
    ] {
        let terms = Terms::read(query).unwrap();
        assert_eq!(bench.search(&session, POSTS, &terms), found, "{query}");
    }
    let longest = Terms::read(&"あ".repeat(1_000)).unwrap();
    assert!(bench.search(&session, POSTS, &longest).is_empty());
    let most: String = (0..32).map(|n| format!("a{n}* ")).collect();
    assert!(bench.search(&session, POSTS, &Terms::read(&most).unwrap()).is_empty());
}

#[tokio::test]
async fn of_very_many_matches_the_newest_are_ranked_and_filters_come_before() {
    let bench = Bench::of(SEARCHED, |options| options.count_rows_max = 3);
    let viewed = |id: i64, title: &str, views| {
        let mut record = post(id, title, Some("rust"));
        record.values[2] = Some(Value::Integer(views));
        insert(POSTS, record)
    };
    let changes = vec![
        viewed(1, "rust rust", 1),
        viewed(2, "two of many words", 1),
        viewed(3, "three rust", 0),
        viewed(4, "four of many words", 0),
        viewed(5, "five", 0),
    ];
    bench.commit(changes).await.unwrap();
    let found = async |filter: Option<i64>, offset, limit| {
        let search = Filter::Search { terms: Terms::read("rust").unwrap(), within: None };
        let filter = match filter {
            Some(views) => Filter::All(vec![search, equal(2, Value::Integer(views))]),
            None => search,
        };
        let mut node = page(POSTS, filter, &[], limit);
        if let Pick::Page(page) = &mut node.pick {
            (page.is_ranked, page.offset) = (true, offset);
        }
        let found = bench.find(node).await;
        assert_eq!(found.ranks.len(), found.rows.len());
        ids(&found)
    };
    assert_eq!(found(None, 0, 2).await, ["3", "5"]);
    assert_eq!(found(None, 2, 1).await, ["4"]);
    assert_eq!(found(None, 3, 2).await, ["2", "4"], "a page is whole, however far it reaches");
    assert_eq!(found(Some(1), 0, 2).await, ["1", "2"]);
}

#[tokio::test]
async fn a_reader_searches_and_cannot_write() {
    let bench = searched();
    bench.commit(vec![insert(POSTS, post(1, "one", None))]).await.unwrap();
    let session = bench.read_only();
    let index = "\"_methodical_search(posts)\"";
    for text in [
        format!("INSERT INTO {index} (rowid) VALUES (2)"),
        format!("INSERT INTO {index} ({index}) VALUES ('rebuild')"),
        format!("INSERT INTO {index} ({index}, rank) VALUES ('merge', 1)"),
        format!("UPDATE {index} SET _text_title = 'x'"),
        format!("DELETE FROM {index}"),
        "DELETE FROM \"_methodical_search(posts)_data\"".to_owned(),
        "INSERT INTO plain (label) VALUES ('x')".to_owned(),
        "PRAGMA query_only = OFF".to_owned(),
        "PRAGMA data_version = 1".to_owned(),
        "PRAGMA user_version".to_owned(),
        "PRAGMA writable_schema = ON".to_owned(),
        "ATTACH 'other.db' AS other".to_owned(),
        "CREATE TEMP TABLE t (a)".to_owned(),
    ] {
        let refused = session.connection.prepare(&text).err();
        let code = refused.as_ref().and_then(rusqlite::Error::sqlite_error_code);
        assert_eq!(code, Some(rusqlite::ErrorCode::AuthorizationForStatementDenied), "{text}");
    }
    assert_eq!(bench.search(&session, POSTS, &Terms::read("one").unwrap()), [1]);
    bench.commit(vec![insert(POSTS, post(2, "one more", None))]).await.unwrap();
    let found = bench.search(&session, POSTS, &Terms::read("one").unwrap());
    assert_eq!(found, [1, 2], "what was committed meanwhile is found");
}

#[tokio::test]
async fn what_is_not_searched_pays_nothing() {
    let bench = searched();
    let model = &bench.model;
    let catalog = Catalog::new(Arc::clone(model));
    assert!(catalog.texts[3].search.is_none() && catalog.texts[POSTS].search.is_some());
    let made =
        "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%_methodical_search(' || ? || ')%'";
    let made = |name: &str| bench.outside().query_row(made, [name], |row| row.get::<_, i64>(0));
    assert_eq!(made("plain"), Ok(0));
    assert!(made("posts").unwrap() > 3);
}
