//! A declaration as SQLite tables that a person can open and edit: typed columns, constraints,
//! foreign keys, indexes, and the tables of our own bookkeeping.

use model::index::{index_groups, unique_groups};
use model::model::{Field, IdKind, Kind, Model, OnDelete, Resource};
use model::query::Column;
use model::value::{ID_MAX, Value};

use super::constraint::checks;
use super::index as search_index;
use super::trigger;
use super::{acts, code, credential, queue};
use crate::sql::{column, fold_column, folded, quote, stored_kind};

/// The moment of a statement, as `createdAt` and `updatedAt` are written.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ','now')";
/// A birth for a record that is inserted from outside.
pub(crate) const BIRTH: &str = "random() & 9223372036854775807";

/// Our own tables. `change` and `total` of a resource, and the log, are kept by triggers. `was`
/// is what stood in the columns that say who sees a record, as a JSON object. `ours`
/// is 1 while the server itself writes to a resource that is searched, and 0 after every commit.
const BOOKKEEPING: &str = "
CREATE TABLE _methodical_meta (
  name TEXT PRIMARY KEY NOT NULL,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE _methodical_resource (
  resource INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  change INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  ours INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE _methodical_changes (
  position INTEGER PRIMARY KEY,
  resource INTEGER NOT NULL,
  id ANY NOT NULL,
  birth INTEGER NOT NULL,
  version INTEGER NOT NULL,
  operation TEXT NOT NULL,
  at TEXT NOT NULL,
  was TEXT
) STRICT;
CREATE TABLE _methodical_keys (
  number INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  principal BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  answer BLOB NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE INDEX \"_methodical_keys(expires)\" ON _methodical_keys (expires);
CREATE TABLE _methodical_principals (
  principal BLOB PRIMARY KEY NOT NULL,
  keys INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER \"_methodical_keys(insert)\" AFTER INSERT ON _methodical_keys BEGIN
  INSERT INTO _methodical_principals (principal, keys) VALUES (NEW.principal, 1)
    ON CONFLICT (principal) DO UPDATE SET keys = keys + 1;
END;
CREATE TRIGGER \"_methodical_keys(delete)\" AFTER DELETE ON _methodical_keys BEGIN
  UPDATE _methodical_principals SET keys = keys - 1 WHERE principal = OLD.principal;
  DELETE FROM _methodical_principals WHERE principal = OLD.principal AND keys <= 0;
END;
CREATE TABLE _methodical_refold (resource INTEGER NOT NULL, id ANY NOT NULL) STRICT;
CREATE TABLE _methodical_suspect (
  resource INTEGER NOT NULL,
  id ANY NOT NULL,
  number INTEGER NOT NULL,
  birth INTEGER NOT NULL,
  version INTEGER NOT NULL,
  was TEXT
) STRICT;
CREATE TABLE _methodical_imports (
  key TEXT PRIMARY KEY NOT NULL,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE _methodical_imports_waiting (
  key TEXT NOT NULL,
  row INTEGER NOT NULL,
  PRIMARY KEY (key, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE _methodical_migrations (
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  program TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  plan TEXT NOT NULL,
  milliseconds INTEGER NOT NULL
) STRICT;
";

/// Everything that a fresh database needs, as one script.
pub(crate) fn script(model: &Model) -> String {
    let numbers: Vec<Option<i64>> = (1..).map(Some).take(model.resources.len()).collect();
    numbered_script(model, &numbers)
}

/// The same for resources that have their numbers already; those without one are left out.
pub(crate) fn numbered_script(model: &Model, numbers: &[Option<i64>]) -> String {
    let mut out = BOOKKEEPING.to_owned()
        + &credential::tables()
        + acts::TABLES
        + queue::TABLES
        + code::TABLES;
    for (number, resource) in numbers.iter().zip(&model.resources) {
        let Some(number) = *number else { continue };
        let columns = columns(model, resource).into_iter().map(|column| column.definition);
        out.push_str(&format!("{};\n", table(&resource.name, columns)));
        for index in indexes(resource) {
            out.push_str(&format!("{};\n", index.text));
        }
        trigger::write(number, resource, &mut out);
        credential::write(resource, &mut out);
        search_index::write(number, resource, &mut out);
        out.push_str(&format!("{};\n", numbered(number, &resource.name)));
    }
    out
}

/// A named piece of the schema and the statement that makes it, without the semicolon: as
/// `sqlite_schema` keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The triggers of a resource, those of its full-text index included.
pub(crate) fn triggers(number: i64, resource: &Resource) -> Vec<Piece> {
    let written = |piece: &Piece| piece.text.starts_with("CREATE TRIGGER");
    kept_by(number, resource).into_iter().filter(written).collect()
}

/// The full-text index of a resource, where it has one.
pub(crate) fn search(resource: &Resource) -> Option<Piece> {
    kept_by(0, resource).into_iter().find(|piece| piece.text.starts_with("CREATE VIRTUAL TABLE"))
}

/// What is made around a table, statement by statement.
fn kept_by(number: i64, resource: &Resource) -> Vec<Piece> {
    let mut script = String::new();
    trigger::write(number, resource, &mut script);
    credential::write(resource, &mut script);
    search_index::write(number, resource, &mut script);
    // Names of the declaration are all that stands in these texts beside our own words, and no
    // name has a semicolon.
    let mut pieces = Vec::new();
    let mut rest = script.as_str();
    while !rest.is_empty() {
        let end = if rest.starts_with("CREATE TRIGGER") { "\nEND;\n" } else { ";\n" };
        let at = rest.find(end).map_or(rest.len(), |at| at + end.len());
        let text = rest[..at].trim_end_matches(";\n").to_owned();
        let name = text.split('"').nth(1).unwrap_or_default().to_owned();
        pieces.push(Piece { name, text });
        rest = &rest[at..];
    }
    pieces
}

/// The statement that gives a resource its place in the bookkeeping.
pub(crate) fn numbered(number: i64, name: &str) -> String {
    format!(
        "INSERT INTO _methodical_resource (resource, name) VALUES ({number}, {})",
        text_literal(name)
    )
}

/// The statement that makes a table.
pub(crate) fn table(name: &str, definitions: impl IntoIterator<Item = String>) -> String {
    let columns: Vec<String> = definitions.into_iter().collect();
    format!("CREATE TABLE {} (\n  {}\n) STRICT", quote(name), columns.join(",\n  "))
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnText {
    pub(crate) name: String,
    /// Name, type, constraints.
    pub(crate) definition: String,
}

/// The columns of a resource, in the order of its table.
pub(crate) fn columns(model: &Model, resource: &Resource) -> Vec<ColumnText> {
    let mut columns = Vec::new();
    let mut add = |name: &str, definition: String| {
        columns.push(ColumnText { name: name.to_owned(), definition });
    };
    add("id", id_column(resource.id));
    for field in &resource.fields {
        add(&field.name, field_column(model, field));
    }
    for name in ["createdAt", "updatedAt"] {
        let definition = format!(
            "\"{name}\" TEXT NOT NULL DEFAULT ({NOW}) CONSTRAINT \"{name} is RFC 3339 in UTC with \
             milliseconds\" CHECK (\"{name}\" GLOB '{}')",
            "dddd-dd-ddTdd:dd:dd.dddZ".replace('d', "[0-9]")
        );
        add(name, definition);
    }
    add("_birth", format!("\"_birth\" INTEGER NOT NULL DEFAULT ({BIRTH})"));
    add("_version", "\"_version\" INTEGER NOT NULL DEFAULT 1".to_owned());
    if resource.id != IdKind::Integer {
        // VACUUM may renumber rows that no column numbers, and the full-text index names them so.
        add("_number", "\"_number\" INTEGER PRIMARY KEY".to_owned());
    }
    for (_, field) in folded(resource) {
        let name = fold_column(field);
        add(&name, format!("{} TEXT", quote(&name)));
    }
    columns
}

fn id_column(kind: IdKind) -> String {
    match kind {
        IdKind::Integer => format!(
            "\"id\" INTEGER PRIMARY KEY AUTOINCREMENT CONSTRAINT \"id is 1 to 2^53-1\" \
             CHECK (\"id\" BETWEEN 1 AND {ID_MAX})"
        ),
        IdKind::Uuid => {
            let hex = |number: usize| "[0-9a-f]".repeat(number);
            let shape = [8, 4, 4, 4, 12].map(hex).join("-");
            // Version 4 for a row that a person inserts; the server draws version 7.
            let drawn = "lower(hex(randomblob(4))||'-'||hex(randomblob(2))||'-4'\
                ||substr(hex(randomblob(2)),2)||'-a'||substr(hex(randomblob(2)),2)\
                ||'-'||hex(randomblob(6)))";
            format!(
                "\"id\" TEXT NOT NULL UNIQUE DEFAULT ({drawn}) CONSTRAINT \
                 \"id is a UUID in lower case\" CHECK (\"id\" GLOB '{shape}')"
            )
        }
        IdKind::Text => "\"id\" TEXT NOT NULL UNIQUE CONSTRAINT \
             \"id is 1 to 128 of A-Z a-z 0-9 . _ ~ -\" CHECK (length(\"id\") BETWEEN 1 AND 128 \
             AND \"id\" NOT GLOB '*[^A-Za-z0-9._~-]*' AND \"id\" NOT IN ('.', '..'))"
            .to_owned(),
    }
}

fn field_column(model: &Model, field: &Field) -> String {
    let kind = stored_kind(model, field);
    let name = quote(&field.name);
    let mut out = name;
    out.push_str(match kind {
        Kind::Text | Kind::Json => " TEXT",
        Kind::Integer | Kind::Boolean => " INTEGER",
        Kind::Number => " REAL",
    });
    if !(field.optional || field.nullable) {
        out.push_str(" NOT NULL");
    }
    if let Some(default) = &field.default {
        out.push_str(&format!(" DEFAULT {}", literal(default)));
    }
    out.push_str(&checks(field, kind));
    if let Some(to) = field.references {
        let action = match to.on_delete {
            OnDelete::Restrict => "RESTRICT",
            OnDelete::Cascade => "CASCADE",
            OnDelete::Clear => "SET NULL",
        };
        let table = quote(&model.resources[to.resource].name);
        out.push_str(&format!(" REFERENCES {table} (\"id\") ON DELETE {action}"));
    }
    out
}

/// The indexes of a resource.
pub(crate) fn indexes(resource: &Resource) -> Vec<Piece> {
    let unique = unique_groups(resource).into_iter();
    let unique =
        unique.map(|group| (true, group.into_iter().map(Column::Field).collect::<Vec<_>>()));
    let other = index_groups(resource).into_iter().map(|group| (false, group));
    unique.chain(other).map(|(unique, group)| index(resource, unique, &group)).collect()
}

fn index(resource: &Resource, unique: bool, group: &[Column]) -> Piece {
    let names: Vec<&str> = group.iter().map(|column| column.name(resource)).collect();
    // Parentheses stand in no resource's name, so no table can have this one.
    let name = format!("{}({})", resource.name, names.join(","));
    let compared = group.iter().map(|by| quote(&column(resource, *by)));
    let mut columns: Vec<String> = compared.collect();
    if !unique && resource.id != IdKind::Integer {
        // An index ends with the row's number, which is the id only where that is an integer.
        columns.push("\"id\"".to_owned());
    }
    let text = format!(
        "CREATE {}INDEX {} ON {} ({})",
        if unique { "UNIQUE " } else { "" },
        quote(&name),
        quote(&resource.name),
        columns.join(", ")
    );
    Piece { name, text }
}

pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(flag) => i32::from(*flag).to_string(),
        Value::Integer(number) => format!("({number})"),
        Value::Number(number) => format!("({number:?})"),
        Value::Text(text) | Value::Json(text) => text_literal(text),
    }
}

pub(crate) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
