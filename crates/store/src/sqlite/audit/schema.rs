//! What is declared against what is there: tables and their columns, triggers, indexes. What the
//! declaration asks for is asked of a database in memory, made by the same script.

use std::collections::BTreeMap;

use model::model::Model;
use rusqlite::Connection;

use super::Books;
use crate::care::audit::{About, Finding, Mend};
use crate::care::error::CareError;
use crate::sql::quote;
use crate::sqlite::ddl;

/// Type and name of a part of the schema, and its table and text.
type Parts = BTreeMap<(String, String), (String, String)>;

/// Triggers and indexes, by their texts. Those of SQLite's own have none.
fn parts(connection: &Connection) -> Result<Parts, CareError> {
    let text = "SELECT type, name, tbl_name, sql FROM sqlite_schema \
                WHERE type IN ('trigger', 'index') AND sql IS NOT NULL";
    let mut statement = connection.prepare(text)?;
    let rows = statement
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether two texts are one but for their white space.
fn is_same(left: &str, right: &str) -> bool {
    left.split_whitespace().eq(right.split_whitespace())
}

/// What a fresh database of this declaration would have, with the numbers that resources have in
/// this one.
fn declared(model: &Model, numbers: &[Option<i64>]) -> Result<Connection, CareError> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(&ddl::numbered_script(model, numbers))?;
    Ok(connection)
}

/// Tables and columns that are missing.
pub(super) fn tables(connection: &Connection, model: &Model) -> Result<Vec<Finding>, CareError> {
    let numbers: Vec<Option<i64>> = (1..).map(Some).take(model.resources.len()).collect();
    let wanted = columns(&declared(model, &numbers)?)?;
    let there = columns(connection)?;
    let mut findings = Vec::new();
    for (table, columns) in &wanted {
        let Some(known) = there.get(table) else {
            let text = format!("the table {table} is missing; restore a backup, or `migrate`");
            findings.push(Finding::new(About::Tables, Mend::Person, text));
            continue;
        };
        let missing: Vec<&str> =
            columns.iter().filter(|c| !known.contains(c)).map(String::as_str).collect();
        if !missing.is_empty() {
            let text = format!(
                "the table {table} has no column {}; restore a backup, or `migrate`",
                missing.join(", ")
            );
            findings.push(Finding::new(About::Tables, Mend::Person, text));
        }
    }
    Ok(findings)
}

fn columns(connection: &Connection) -> Result<BTreeMap<String, Vec<String>>, CareError> {
    let text = "SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS c \
                WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(text)?;
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        out.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(out)
}

/// A part that is not as declared.
struct Wrong {
    kind: String,
    name: String,
    table: String,
    is_there: bool,
    wanted: String,
}

fn wrong(books: &Books<'_>) -> Result<Vec<Wrong>, CareError> {
    let there = parts(books.connection)?;
    let wanted = parts(&declared(books.model, &books.numbers)?)?;
    let mut out = Vec::new();
    for ((kind, name), (table, text)) in wanted {
        let known = there.get(&(kind.clone(), name.clone()));
        if known.is_none_or(|(_, known)| !is_same(known, &text)) {
            let is_there = known.is_some();
            out.push(Wrong { kind, name, table, is_there, wanted: text });
        }
    }
    Ok(out)
}

pub(super) fn find(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let mut findings: Vec<Finding> = books
        .model
        .resources
        .iter()
        .zip(&books.numbers)
        .filter(|(_, number)| number.is_none())
        .map(|(resource, _)| {
            let text = format!(
                "{} has no line in _methodical_resource; restore a backup, or `migrate`",
                resource.name
            );
            Finding::new(About::Tables, Mend::Person, text)
        })
        .collect();
    for Wrong { kind, name, table, is_there, .. } in wrong(books)? {
        let what = if is_there { "is another than declared" } else { "is missing" };
        let text = format!("the {kind} {name} of {table} {what}");
        findings.push(Finding::new(About::Schema, Mend::Repair, text));
    }
    Ok(findings)
}

pub(super) fn rebuild(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    let mut done = Vec::new();
    for Wrong { kind, name, is_there, wanted, .. } in wrong(books)? {
        if is_there {
            let text = format!("DROP {} {}", kind.to_uppercase(), quote(&name));
            books.connection.execute_batch(&text)?;
        }
        books.connection.execute_batch(&wanted).map_err(|error| {
            CareError::Failed(format!(
                "the {kind} {name} cannot be made: {error}. Nothing was changed"
            ))
        })?;
        done.push(format!("the {kind} {name} was made as declared"));
    }
    Ok(done)
}
