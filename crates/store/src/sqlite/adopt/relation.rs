//! Foreign keys of a table of somebody else's, and the rows that break them.

use model::adopt::foreign::{Reference, Table};
use rusqlite::types::Value;

use super::Strange;
use super::table::position;
use crate::sql::quote;

/// Rows of a broken reference that are shown.
const EXAMPLES: usize = 3;

/// A line of what the database tells of foreign keys.
struct Line {
    id: i64,
    to: String,
    from: String,
    to_column: Option<String>,
    on_update: String,
    on_delete: String,
}

/// What a table refers to, in the order of the text.
pub(crate) fn read(
    strange: &Strange,
    tables: &[Table],
    at: usize,
) -> rusqlite::Result<Vec<Reference>> {
    let table = &tables[at];
    let text = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete \
                FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq";
    let mut statement = strange.connection.prepare(text)?;
    let lines = statement.query_map([&table.name], |row| {
        let (id, to, from, to_column) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Line { id, to, from, to_column, on_update: row.get(4)?, on_delete: row.get(5)? })
    })?;
    let lines: Vec<Line> = lines.collect::<rusqlite::Result<_>>()?;
    let mut references = Vec::new();
    for lines in lines.chunk_by(|one, other| one.id == other.id) {
        let Some(first) = lines.first() else { continue };
        let columns: Option<Vec<usize>> =
            lines.iter().map(|line| position(&table.columns, &line.from)).collect();
        let mut reference = Reference {
            columns: columns.unwrap_or_default(),
            to: first.to.clone(),
            target: target(tables, lines),
            on_delete: first.on_delete.clone(),
            on_update: first.on_update.clone(),
            ..Reference::default()
        };
        if reference.columns.iter().any(|column| table.columns[*column].generated.is_some()) {
            reference.target = None;
        }
        dangling(strange, tables, table, &mut reference)?;
        references.push(reference);
    }
    Ok(references)
}

/// What is named, where that is one row at most.
fn target(tables: &[Table], lines: &[Line]) -> Option<(usize, Vec<usize>)> {
    let first = lines.first()?;
    let to = tables.iter().position(|table| table.name.eq_ignore_ascii_case(&first.to))?;
    let table = &tables[to];
    let columns: Vec<usize> = if first.to_column.is_none() {
        table.key.clone()
    } else {
        let named = lines.iter().map(|line| position(&table.columns, line.to_column.as_deref()?));
        named.collect::<Option<_>>()?
    };
    let mut sorted = columns.clone();
    sorted.sort_unstable();
    let is_one = table.groups.iter().any(|group| {
        let mut other = group.columns.clone();
        other.sort_unstable();
        group.unique && group.fault.is_none() && other == sorted
    });
    let is_kept = columns.iter().all(|column| table.columns[*column].generated.is_none());
    (is_one && is_kept && columns.len() == lines.len()).then_some((to, columns))
}

/// Compares what refers with what is referred to, as the database does: by the rules of the latter.
pub(crate) fn joined(table: &Table, other: &Table, reference: &Reference, to: &[usize]) -> String {
    let pairs = reference.columns.iter().zip(to);
    let pairs = pairs.map(|(from, to)| {
        format!("p.{} = t.{}", quote(&other.columns[*to].name), quote(&table.columns[*from].name))
    });
    pairs.collect::<Vec<_>>().join(" AND ")
}

fn dangling(
    strange: &Strange,
    tables: &[Table],
    table: &Table,
    reference: &mut Reference,
) -> rusqlite::Result<()> {
    let Some((to, columns)) = &reference.target else { return Ok(()) };
    let other = &tables[*to];
    let names: Vec<String> = reference
        .columns
        .iter()
        .map(|column| format!("t.{}", quote(&table.columns[*column].name)))
        .collect();
    let present: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    let broken = format!(
        "FROM {} AS t WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        quote(&table.name),
        present.join(" AND "),
        quote(&other.name),
        joined(table, other, reference, columns)
    );
    let count = format!("SELECT count(*) {broken}");
    reference.dangling =
        u64::try_from(strange.connection.query_row(&count, [], |row| row.get::<_, i64>(0))?)
            .unwrap_or(0);
    if reference.dangling == 0 {
        return Ok(());
    }
    let text = format!("SELECT DISTINCT {} {broken} LIMIT {EXAMPLES}", names.join(", "));
    let mut statement = strange.connection.prepare(&text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut parts = Vec::new();
        for (at, column) in reference.columns.iter().enumerate() {
            let value = shown(&row.get(at)?);
            parts.push(format!("{} = {value}", table.columns[*column].name));
        }
        reference.examples.push(parts.join(", "));
    }
    Ok(())
}

/// A value as a person writes it in SQL.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => format!("a BLOB of {} bytes", bytes.len()),
    }
}
