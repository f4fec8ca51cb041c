//! What the database says of its own tables, compared with what was written down when they were
//! made: so it is found out that somebody has changed them by hand.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use super::super::failure::{Failure, broken};
use crate::sql::quote;

/// A table, an index, a trigger or a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// `table`, `index`, `trigger` or `view`.
    pub(crate) kind: String,
    /// The table that it belongs to.
    pub(crate) table: String,
    /// The statement that makes it.
    pub(crate) text: String,
}

/// Objects by name.
pub(crate) type Objects = BTreeMap<String, Object>;

/// All objects that a statement has made. What SQLite makes by itself has no text.
pub(crate) fn present(connection: &Connection) -> Result<Objects, Failure> {
    let text = "SELECT name, type, tbl_name, sql FROM sqlite_schema \
                WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(text)?;
    let rows = statement.query_map([], |row| {
        let object = Object { kind: row.get(1)?, table: row.get(2)?, text: row.get(3)? };
        Ok((row.get(0)?, object))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The objects that are ours, as they were when they were made.
pub(crate) fn kept(connection: &Connection) -> Result<Objects, Failure> {
    let text: String = super::meta(connection, "objects")?;
    let unreadable = || broken("what is kept of the database's tables cannot be read");
    let written: Json = serde_json::from_str(&text).map_err(|_| unreadable())?;
    let mut objects = Objects::new();
    for (name, object) in written.as_object().ok_or_else(unreadable)? {
        let part = |at: usize| object[at].as_str().map(str::to_owned).ok_or_else(unreadable);
        let object = Object { kind: part(0)?, table: part(1)?, text: part(2)? };
        objects.insert(name.clone(), object);
    }
    Ok(objects)
}

/// Writes down what is there now, but for what was somebody else's before.
pub(crate) fn keep(connection: &Connection, theirs: &Objects) -> Result<(), Failure> {
    let mut written = serde_json::Map::new();
    for (name, object) in present(connection)? {
        if !theirs.contains_key(&name) {
            written.insert(name, json!([object.kind, object.table, object.text]));
        }
    }
    super::set_meta(connection, "objects", &Json::Object(written).to_string())
}

/// The objects that are not ours.
pub(crate) fn theirs(connection: &Connection) -> Result<Objects, Failure> {
    let kept = kept(connection)?;
    let mut present = present(connection)?;
    present.retain(|name, _| !kept.contains_key(name));
    Ok(present)
}

/// What somebody has changed by hand, a sentence each with the way back.
pub(crate) fn by_hand(connection: &Connection) -> Result<Vec<String>, Failure> {
    let present = present(connection)?;
    let mut found = Vec::new();
    for (name, was) in kept(connection)? {
        match present.get(&name) {
            Some(is) if *is == was => {}
            Some(is) => found.push(format!(
                "the {} {} was altered; it was made by\n{};\nand says now\n{};",
                was.kind,
                quote(&name),
                was.text,
                is.text
            )),
            // What belongs to a table goes with it, and comes back with it.
            None if was.kind != "table" && !present.contains_key(&was.table) => {}
            None => found.push(format!(
                "the {} {} is gone; it was made by\n{};",
                was.kind,
                quote(&name),
                was.text
            )),
        }
    }
    Ok(found)
}
