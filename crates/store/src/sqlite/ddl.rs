//! A declaration as SQLite tables that a person can open and edit: typed columns, constraints,
//! foreign keys, indexes, and the tables of our own bookkeeping.

use model::model::{Field, FieldIndex, IdKind, Kind, Model, OnDelete, Resource};
use model::value::{ID_MAX, Value};

use super::constraint::checks;
use super::index;
use super::trigger;
use crate::sql::{compared, fold_column, folded, index_groups, quote, stored_kind, unique_groups};

/// The moment of a statement, as `createdAt` and `updatedAt` are written.
pub(crate) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ','now')";
/// A birth for a record that is inserted from outside.
pub(crate) const BIRTH: &str = "random() & 9223372036854775807";

/// Our own tables. `change` and `total` of a resource, and the log, are kept by triggers. `ours`
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
  at TEXT NOT NULL
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
  version INTEGER NOT NULL
) STRICT;
";

/// Everything that a fresh database needs, as one script.
pub(crate) fn script(model: &Model) -> String {
    let mut out = BOOKKEEPING.to_owned();
    for (number, resource) in (1..).zip(&model.resources) {
        table(model, resource, &mut out);
        indexes(resource, &mut out);
        trigger::write(number, resource, &mut out);
        index::write(number, resource, &mut out);
        out.push_str(&format!(
            "INSERT INTO _methodical_resource (resource, name) VALUES ({number}, {});\n",
            text_literal(&resource.name)
        ));
    }
    out
}

fn table(model: &Model, resource: &Resource, out: &mut String) {
    let mut columns = vec![id_column(resource.id)];
    columns.extend(resource.fields.iter().map(|field| field_column(model, field)));
    for name in ["createdAt", "updatedAt"] {
        columns.push(format!(
            "\"{name}\" TEXT NOT NULL DEFAULT ({NOW}) CONSTRAINT \"{name} is RFC 3339 in UTC with \
             milliseconds\" CHECK (\"{name}\" GLOB '{}')",
            "dddd-dd-ddTdd:dd:dd.dddZ".replace('d', "[0-9]")
        ));
    }
    columns.push(format!("\"_birth\" INTEGER NOT NULL DEFAULT ({BIRTH})"));
    columns.push("\"_version\" INTEGER NOT NULL DEFAULT 1".to_owned());
    if resource.id != IdKind::Integer {
        // VACUUM may renumber rows that no column numbers, and the full-text index names them so.
        columns.push("\"_number\" INTEGER PRIMARY KEY".to_owned());
    }
    columns
        .extend(folded(resource).map(|(_, field)| format!("{} TEXT", quote(&fold_column(field)))));
    let name = quote(&resource.name);
    out.push_str(&format!("CREATE TABLE {name} (\n  {}\n) STRICT;\n", columns.join(",\n  ")));
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

fn indexes(resource: &Resource, out: &mut String) {
    let groups = unique_groups(resource).into_iter().map(|group| (true, group));
    for (unique, group) in groups.chain(index_groups(resource).into_iter().map(|g| (false, g))) {
        let names: Vec<&str> =
            group.iter().map(|field| resource.fields[*field].name.as_str()).collect();
        // Parentheses stand in no resource's name, so no table can have this one.
        let name = quote(&format!("{}({})", resource.name, names.join(",")));
        let mut columns = columns(resource, &group);
        if !unique && resource.id != IdKind::Integer {
            // An index ends with the row's number, which is the id only where that is an integer.
            columns.push("\"id\"".to_owned());
        }
        out.push_str(&format!(
            "CREATE {}INDEX {name} ON {} ({});\n",
            if unique { "UNIQUE " } else { "" },
            quote(&resource.name),
            columns.join(", ")
        ));
    }
}

/// The columns of a group as they are compared, quoted.
pub(crate) fn columns(resource: &Resource, group: &[FieldIndex]) -> Vec<String> {
    group.iter().map(|field| quote(&compared(&resource.fields[*field]))).collect()
}

fn literal(value: &Value) -> String {
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
