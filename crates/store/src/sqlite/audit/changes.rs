//! The change log against the records: its newest entry for a record, in one life, tells the
//! version that the record has, or that it is gone.

use super::Books;
use crate::care::audit::{About, Finding, Mend};
use crate::care::error::CareError;
use crate::sql::quote;
use crate::sqlite::ddl::NOW;

/// Newest entries of a resource (?1) by id and life. What replaced rows is not yet counted.
const NEWEST: &str = "WITH newest AS (SELECT id, birth, version, operation, max(position) \
    FROM _methodical_changes WHERE resource = ?1 AND NOT EXISTS \
    (SELECT 1 FROM _methodical_suspect WHERE resource = ?1) GROUP BY id, birth)";

/// Entries that say a record is there, which is not, or not in this version.
fn gone(table: &str) -> String {
    format!(
        "{NEWEST} SELECT n.id, n.birth, n.version FROM newest AS n WHERE n.operation <> 'delete' \
         AND NOT EXISTS (SELECT 1 FROM {table} AS t WHERE t.\"id\" = n.id \
         AND t.\"_birth\" = n.birth)"
    )
}

/// Records in a version that the log does not tell of.
fn untold(table: &str) -> String {
    format!(
        "{NEWEST} SELECT t.\"id\", t.\"_birth\", t.\"_version\" FROM {table} AS t JOIN newest AS n \
         ON n.id = t.\"id\" AND n.birth = t.\"_birth\" \
         WHERE n.operation = 'delete' OR n.version <> t.\"_version\""
    )
}

/// Records that the log, as far as it goes back, has never heard of although it tells of another
/// life of the same id.
fn unborn(table: &str) -> String {
    format!(
        "{NEWEST} SELECT t.\"id\", t.\"_birth\", t.\"_version\" FROM {table} AS t \
         WHERE EXISTS (SELECT 1 FROM newest AS n WHERE n.id = t.\"id\") AND NOT EXISTS \
         (SELECT 1 FROM newest AS n WHERE n.id = t.\"id\" AND n.birth = t.\"_birth\")"
    )
}

pub(super) fn find(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let mut findings = Vec::new();
    for (_, number, resource) in books.resources() {
        let (name, table) = (&resource.name, quote(&resource.name));
        let all = [
            (gone(&table), "the change log tells of records that are not there"),
            (untold(&table), "the change log does not tell of the present version of records"),
            (unborn(&table), "the change log tells of another life of records"),
        ];
        for (query, what) in all {
            let found = books.ids(&query, &[&number])?;
            if found.1 > 0 {
                let text = format!("{name}: {what}");
                findings.push(Finding::new(About::Changes, Mend::Repair, text).with_ids(found));
            }
        }
    }
    Ok(findings)
}

/// Adds entries that say how it is, so that whoever follows the log learns of it. No entry is
/// taken back: somebody may have read it.
pub(super) fn rebuild(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    let mut done = Vec::new();
    for (_, number, resource) in books.resources() {
        let table = quote(&resource.name);
        let mut added = 0;
        let all =
            [(gone(&table), "delete"), (untold(&table), "update"), (unborn(&table), "insert")];
        for (query, operation) in all {
            let mut statement = books.connection.prepare(&query)?;
            let rows = statement.query_map([number], |row| {
                let id: rusqlite::types::Value = row.get(0)?;
                Ok((id, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            })?;
            let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
            let text = format!(
                "INSERT INTO _methodical_changes (resource, id, birth, version, operation, at) \
                 VALUES ({number}, ?, ?, ?, '{operation}', {NOW})"
            );
            let mut insert = books.connection.prepare(&text)?;
            for row in &rows {
                insert.execute((&row.0, row.1, row.2))?;
            }
            added += rows.len();
        }
        if added > 0 {
            books.moved(number)?;
            let name = &resource.name;
            done.push(format!("{name}: {added} entries were added to the change log"));
        }
    }
    Ok(done)
}
