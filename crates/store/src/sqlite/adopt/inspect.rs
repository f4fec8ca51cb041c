//! Reads the schema of a database of somebody else's, and every row once.

use model::adopt::cell::Cell;
use model::adopt::facts::{Facts, Look};
use model::adopt::foreign::{Column, Foreign, Other, Says, Table};
use rusqlite::OptionalExtension;
use rusqlite::types::ValueRef;

use super::{Strange, keys, relation, row_number, table, told, view};
use crate::adopt::{AdoptError, Progress, Watch};
use crate::sql::quote;

/// Rows after which progress is told.
pub(crate) const STEP: u64 = 10_000;

/// What stands in the schema: kind, name, table, text.
struct Entry {
    kind: String,
    name: String,
    of: String,
    text: String,
}

/// Reads everything.
pub(crate) fn read(strange: &Strange, watch: Watch<'_>) -> Result<Foreign, AdoptError> {
    let all = schema(strange, watch);
    all.map_err(|error| told(&error)).and_then(|foreign| {
        if foreign.tables.is_empty() { Err(AdoptError::Empty) } else { Ok(foreign) }
    })
}

fn schema(strange: &Strange, watch: Watch<'_>) -> rusqlite::Result<Foreign> {
    let entries = entries(strange)?;
    let mut foreign = Foreign { name: strange.name.clone(), ..Foreign::default() };
    for entry in entries.iter().filter(|entry| entry.kind == "table") {
        match kind(strange, &entry.name)?.as_deref() {
            Some("table") => foreign.tables.push(one(strange, entry, watch)?),
            Some("virtual") => foreign.others.push(Other {
                what: "virtual table",
                name: entry.name.clone(),
                why: format!(
                    "another program keeps it; for full-text search see `search`. It was: {}",
                    entry.text
                ),
            }),
            // What a virtual table keeps its own data in.
            _ => {}
        }
    }
    for at in 0..foreign.tables.len() {
        let groups = keys::read(strange, &foreign.tables[at])?;
        foreign.tables[at].groups = groups;
    }
    for at in 0..foreign.tables.len() {
        let references = relation::read(strange, &foreign.tables, at)?;
        foreign.tables[at].references = references;
    }
    for entry in entries {
        match entry.kind.as_str() {
            "view" => foreign.views.push(view::read(&entry.name, &entry.text, &foreign.tables)),
            "trigger" => foreign.others.push(Other {
                what: "trigger",
                name: entry.name,
                why: format!(
                    "nothing here fires on a change of {}. It was: {}",
                    entry.of, entry.text
                ),
            }),
            _ => {}
        }
    }
    Ok(foreign)
}

fn entries(strange: &Strange) -> rusqlite::Result<Vec<Entry>> {
    let text = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema \
                WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid";
    let mut statement = strange.connection.prepare(text)?;
    let entries = statement.query_map([], |row| {
        Ok(Entry { kind: row.get(0)?, name: row.get(1)?, of: row.get(2)?, text: row.get(3)? })
    })?;
    entries.collect()
}

/// `table`, `virtual` or `shadow`.
fn kind(strange: &Strange, name: &str) -> rusqlite::Result<Option<String>> {
    let text = "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?";
    strange.connection.query_row(text, [name], |row| row.get(0)).optional()
}

fn one(strange: &Strange, entry: &Entry, watch: Watch<'_>) -> rusqlite::Result<Table> {
    let mut table = Table { name: entry.name.clone(), ..Table::default() };
    let text = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)";
    let mut statement = strange.connection.prepare(text)?;
    let mut rows = statement.query([&entry.name])?;
    let mut key: Vec<(i64, usize)> = Vec::new();
    while let Some(row) = rows.next()? {
        let default: Option<String> = row.get(3)?;
        let (place, hidden): (i64, i64) = (row.get(4)?, row.get(5)?);
        if place > 0 {
            key.push((place, table.columns.len()));
        }
        table.columns.push(Column {
            name: row.get(0)?,
            declared: row.get(1)?,
            not_null: row.get(2)?,
            default: default.as_deref().map(table::default),
            generated: matches!(hidden, 2 | 3).then(String::new),
            ..Column::default()
        });
    }
    key.sort_unstable();
    table.key = key.into_iter().map(|(_, column)| column).collect();
    table.rules = table::read(&entry.text, &mut table.columns);
    table.numbers = numbers(strange, &table)?;
    table.last_id = last_id(strange, &table.name)?;
    look(strange, &mut table, watch)?;
    Ok(table)
}

/// The range of the numbers of rows.
fn numbers(strange: &Strange, table: &Table) -> rusqlite::Result<Option<(i64, i64)>> {
    let text = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?";
    let is_keyed: bool = strange.connection.query_row(text, [&table.name], |row| row.get(0))?;
    let Some(name) = row_number(table).filter(|_| !is_keyed) else { return Ok(None) };
    let text = format!("SELECT min({name}), max({name}) FROM {}", quote(&table.name));
    strange.connection.query_row(&text, [], |row| {
        let (least, most): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok(Some((least.unwrap_or(1), most.unwrap_or(1))))
    })
}

fn last_id(strange: &Strange, name: &str) -> rusqlite::Result<Option<i64>> {
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence')";
    if !strange.connection.query_row(exists, [], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let text = "SELECT seq FROM sqlite_sequence WHERE name = ?";
    let found = strange.connection.query_row(text, [name], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Looks at every cell.
fn look(strange: &Strange, table: &mut Table, watch: Watch<'_>) -> rusqlite::Result<()> {
    let kept: Vec<usize> = (0..table.columns.len())
        .filter(|column| table.columns[*column].generated.is_none())
        .collect();
    let looks: Vec<Look> = kept.iter().map(|column| asked(table, *column)).collect();
    let mut facts: Vec<Facts> = vec![Facts::default(); kept.len()];
    let names: Vec<String> = kept.iter().map(|at| quote(&table.columns[*at].name)).collect();
    let text = format!("SELECT {} FROM {}", names.join(", "), quote(&table.name));
    let mut statement = strange.connection.prepare(&text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (at, (facts, look)) in facts.iter_mut().zip(&looks).enumerate() {
            facts.see(cell(row.get_ref(at)?), *look);
        }
        table.rows += 1;
        if table.rows.is_multiple_of(STEP) {
            watch(Progress { table: &table.name, rows: table.rows, of: None });
        }
    }
    for (at, facts) in kept.into_iter().zip(facts) {
        table.columns[at].facts = facts;
    }
    Ok(())
}

fn asked(table: &Table, column: usize) -> Look {
    let declared = table.columns[column].declared.to_ascii_uppercase().contains("JSON");
    let ruled = table.rules.iter().any(|rule| rule.says == Some((column, Says::Json)));
    if declared || ruled { Look::ForJson } else { Look::Plain }
}

/// A cell as the plan sees it.
pub(crate) fn cell(found: ValueRef<'_>) -> Cell<'_> {
    match found {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_or(Cell::Broken, Cell::Text),
        ValueRef::Blob(bytes) => Cell::Blob(bytes.len() as u64),
    }
}
