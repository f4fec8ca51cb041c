//! Unique groups and indexes of a table of somebody else's.

use std::collections::HashSet;

use model::adopt::foreign::{Group, Table};
use rusqlite::types::ValueRef;

use super::Strange;
use super::table::position;
use super::token::{self, Lexeme, enclosed, source};
use crate::sql::quote;

/// An index as the database tells of it.
struct Index {
    name: String,
    unique: bool,
    origin: String,
    text: String,
}

/// A column of an index: which one (−2 for an expression, −1 for the number of the row), its name,
/// its collation.
struct Part {
    column: i64,
    name: Option<String>,
    collation: String,
}

/// The primary key, then the others, in the order of their making.
pub(crate) fn read(strange: &Strange, table: &Table) -> rusqlite::Result<Vec<Group>> {
    let mut groups = Vec::new();
    if !table.key.is_empty() {
        groups.push(Group {
            name: "PRIMARY KEY".to_owned(),
            unique: true,
            columns: table.key.clone(),
            folds: table.key.iter().map(|at| table.columns[*at].ignores_case).collect(),
            ..Group::default()
        });
    }
    let text = "SELECT l.name, l.\"unique\", l.origin, coalesce(s.sql, '') \
                FROM pragma_index_list(?) AS l LEFT JOIN sqlite_schema AS s \
                ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC";
    let mut statement = strange.connection.prepare(text)?;
    let indexes: Vec<Index> = statement
        .query_map([&table.name], |row| {
            let (name, unique) = (row.get(0)?, row.get(1)?);
            Ok(Index { name, unique, origin: row.get(2)?, text: row.get(3)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    for index in indexes.iter().filter(|index| index.origin != "pk") {
        groups.push(group(strange, table, index)?);
    }
    for group in groups.iter_mut().filter(|group| group.unique && group.fault.is_none()) {
        group.fold_rivals = fold_rivals(strange, table, group)?;
    }
    Ok(groups)
}

fn group(strange: &Strange, table: &Table, index: &Index) -> rusqlite::Result<Group> {
    let text = "SELECT cid, name, coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno";
    let mut statement = strange.connection.prepare(text)?;
    let parts: Vec<Part> = statement
        .query_map([&index.name], |row| {
            let (column, name) = (row.get(0)?, row.get(1)?);
            Ok(Part { column, name, collation: row.get::<_, Option<_>>(2)?.unwrap_or_default() })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut group = Group { name: index.name.clone(), unique: index.unique, ..Group::default() };
    let words = token::read(&index.text);
    condition(table, index, &words, &mut group);
    for part in &parts {
        let is_nocase = part.collation.eq_ignore_ascii_case("NOCASE");
        match part.name.as_deref().and_then(|name| position(&table.columns, name)) {
            Some(column) => {
                group.columns.push(column);
                group.folds.push(is_nocase);
                if !(is_nocase || part.collation.eq_ignore_ascii_case("BINARY")) {
                    group.fault = Some(format!("it is by COLLATE {}", part.collation));
                }
            }
            None => {
                match lowered(table, &words).filter(|_| part.column == -2 && parts.len() == 1) {
                    // An index alone serves no list that does not compare so.
                    Some(column) if index.unique || table.columns[column].ignores_case => {
                        group.columns.push(column);
                        group.folds.push(true);
                    }
                    Some(_) | None => {
                        let what = if part.column == -1 {
                            "the number of the row"
                        } else {
                            "an expression"
                        };
                        let of = inner(&index.text, &words);
                        group.fault = Some(format!("it is by {what}, ({of})"));
                        group.columns.clear();
                        return Ok(group);
                    }
                }
            }
        }
    }
    Ok(group)
}

/// A partial index, unless it leaves out only what is like nothing else anyway.
fn condition(table: &Table, index: &Index, words: &[Lexeme], group: &mut Group) {
    let Some(at) = words.iter().position(|word| word.is("WHERE")) else { return };
    let is_harmless = match &words[at + 1..] {
        [name, is, not, null] if is.is("IS") && not.is("NOT") && null.is("NULL") => {
            let column = name.name().and_then(|name| position(&table.columns, name));
            let named = words[..at].iter().filter_map(Lexeme::name);
            let mut named = named.filter_map(|name| position(&table.columns, name));
            column.is_some_and(|column| named.any(|other| other == column))
        }
        _ => false,
    };
    if !is_harmless {
        let text = source(&index.text, &words[at..]);
        group.fault = Some(format!("it is of some rows only, {text}"));
    }
}

/// The text between the parentheses of an index.
fn inner<'a>(text: &'a str, words: &[Lexeme]) -> &'a str {
    let start = words.iter().position(|word| word.is_mark("("));
    let inner = start.and_then(|start| enclosed(&words[start..]));
    inner.map_or("", |(inner, _)| source(text, inner))
}

/// The column of an index on `lower(column)`.
fn lowered(table: &Table, words: &[Lexeme]) -> Option<usize> {
    let start = words.iter().position(|word| word.is_mark("("))?;
    let (inner, _) = enclosed(&words[start..])?;
    let [lower, open, name, close] = inner else { return None };
    let is_lower = (lower.is("lower") || lower.is("upper")) && open.is_mark("(");
    let column = position(&table.columns, name.name()?)?;
    (is_lower && close.is_mark(")")).then_some(column)
}

/// Rows that are the same as others once case is folded by all of Unicode; the database itself
/// folds ASCII only.
fn fold_rivals(strange: &Strange, table: &Table, group: &Group) -> rusqlite::Result<u64> {
    let is_far = |at: &usize| table.columns[*at].facts.beyond_ascii;
    let mut folded = group.columns.iter().zip(&group.folds);
    if !folded.any(|(at, folds)| *folds && is_far(at)) {
        return Ok(0);
    }
    let names: Vec<String> =
        group.columns.iter().map(|at| quote(&table.columns[*at].name)).collect();
    let present: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    let text = format!(
        "SELECT {} FROM {} WHERE {}",
        names.join(", "),
        quote(&table.name),
        present.join(" AND ")
    );
    let mut statement = strange.connection.prepare(&text)?;
    let mut rows = statement.query([])?;
    let (mut seen, mut rivals) = (HashSet::new(), 0);
    while let Some(row) = rows.next()? {
        let mut key = String::new();
        for (at, folds) in group.folds.iter().enumerate() {
            let part = match row.get_ref(at)? {
                ValueRef::Text(bytes) if *folds => {
                    model::fold::fold(&String::from_utf8_lossy(bytes))
                }
                other => format!("{other:?}"),
            };
            key.push_str(&format!("{part}\0"));
        }
        rivals += u64::from(!seen.insert(key));
    }
    Ok(rivals)
}
