//! Full-text indexes: their tables are named `_methodical_search_…`. What they hold is compared
//! with itself; what the records say is compared where the index of a resource is declared.

use super::Books;
use crate::care::audit::{About, Finding, Mend};
use crate::care::error::CareError;
use crate::sql::quote;

/// How the names of their tables begin.
const PREFIX: &str = "_methodical_search_";

/// The full-text tables that are there.
fn tables(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    let text = "SELECT name FROM sqlite_schema WHERE type = 'table' \
                AND substr(name, 1, length(?1)) = ?1 AND sql LIKE 'CREATE VIRTUAL TABLE%'";
    let mut statement = books.connection.prepare(text)?;
    let rows = statement.query_map([PREFIX], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// SQLite's own check looks into the tables behind an index; this counts what they say.
pub(super) fn find(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let mut findings = Vec::new();
    for table in tables(books)? {
        let Some(name) = table.strip_prefix(PREFIX) else { continue };
        if !books.model.resources.iter().any(|resource| resource.name == name) {
            continue;
        }
        let [index, records] = [&table, name]
            .map(|table| books.number(&format!("SELECT count(*) FROM {}", quote(table)), []));
        let (index, records) = (index?, records?);
        if index != records {
            let text = format!(
                "{name}: the search index holds {index} records and the table {records}, so that \
                 searches miss some or find what is gone"
            );
            findings.push(Finding::new(About::Search, Mend::Repair, text));
        }
    }
    Ok(findings)
}

/// Builds the inner structure of every index anew from the text that it holds.
pub(super) fn rebuild(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    let mut done = Vec::new();
    for table in tables(books)? {
        let name = quote(&table);
        books
            .connection
            .execute_batch(&format!("INSERT INTO {name} ({name}) VALUES ('rebuild')"))?;
        done.push(format!("the search index {table} was built anew"));
    }
    Ok(done)
}
