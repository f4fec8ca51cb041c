//! Full-text indexes against the text of the records.

use std::borrow::Cow;

use model::model::Resource;
use rusqlite::params_from_iter;
use rusqlite::types::{Value, ValueRef};

use super::{Books, shown};
use crate::care::audit::{About, Finding, IDS_MAX, Mend};
use crate::care::error::CareError;
use crate::sql::quote;
use crate::sql::search::{fields, index_table, row_number, text_column};
use crate::sqlite::index::text;

/// What is wrong with one index.
#[derive(Default)]
struct Wrong {
    ids: Vec<String>,
    /// Records that it does not hold as they are.
    records: u64,
    /// Entries of records that are not there.
    strays: u64,
}

/// Compares an index with its records. What the server has still to look at is not wrong yet.
fn compare(books: &Books<'_>, number: i64, resource: &Resource) -> Result<Wrong, CareError> {
    let (table, index) = (quote(&resource.name), quote(&index_table(resource)));
    let row = row_number(resource);
    let searched = fields(resource);
    let column = |table: &str, name: &str| format!("{table}.{}", quote(name));
    let own: Vec<String> = searched.iter().map(|field| column("t", &field.name)).collect();
    let kept: Vec<String> = searched.iter().map(|field| column("s", &text_column(field))).collect();
    let count = searched.len();
    let query = format!(
        "SELECT t.\"id\", s.rowid, {}, {} FROM {table} AS t LEFT JOIN {index} AS s \
         ON s.rowid = t.{row} WHERE NOT EXISTS (SELECT 1 FROM _methodical_refold AS r \
         WHERE r.resource = {number} AND r.id = t.\"id\")",
        own.join(", "),
        kept.join(", ")
    );
    let mut wrong = Wrong::default();
    let mut statement = books.connection.prepare(&query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut is_right = !matches!(row.get_ref(1)?, ValueRef::Null);
        for at in 0..count {
            let wanted = text(row.get_ref(2 + at)?);
            is_right &= match (row.get_ref(2 + count + at)?, &wanted) {
                (ValueRef::Text(kept), Some(wanted)) => kept == wanted.as_bytes(),
                (ValueRef::Null, None) => true,
                _ => false,
            };
        }
        if !is_right {
            wrong.records += 1;
            if wrong.ids.len() < IDS_MAX {
                wrong.ids.push(shown(row.get_ref(0)?));
            }
        }
    }
    let strays =
        format!("SELECT count(*) FROM {index} WHERE rowid NOT IN (SELECT {row} FROM {table})");
    wrong.strays = u64::try_from(books.number(&strays, [])?).unwrap_or(0);
    Ok(wrong)
}

pub(super) fn find(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let mut findings = Vec::new();
    for (_, number, resource) in books.resources() {
        if resource.search.is_empty() {
            continue;
        }
        let Wrong { ids, records, strays } = compare(books, number, resource)?;
        if records > 0 {
            let text = format!(
                "{}: the search index does not hold the text as it is, so that searches miss it, \
                 of records",
                resource.name
            );
            let finding = Finding::new(About::Search, Mend::Repair, text);
            findings.push(finding.with_ids((ids, records)));
        }
        if strays > 0 {
            let text = format!(
                "{}: the search index holds {strays} entries of records that are not there",
                resource.name
            );
            findings.push(Finding::new(About::Search, Mend::Repair, text));
        }
    }
    Ok(findings)
}

/// Fills every index that is wrong anew from the records.
pub(super) fn rebuild(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    let mut done = Vec::new();
    for (_, number, resource) in books.resources() {
        if resource.search.is_empty() {
            continue;
        }
        let Wrong { records, strays, .. } = compare(books, number, resource)?;
        if records + strays > 0 {
            let filled = fill(books, resource)?;
            done.push(format!(
                "{}: the search index was filled anew: {filled} records",
                resource.name
            ));
        }
    }
    Ok(done)
}

fn fill(books: &Books<'_>, resource: &Resource) -> Result<usize, CareError> {
    let (table, index) = (quote(&resource.name), quote(&index_table(resource)));
    let searched = fields(resource);
    let own: Vec<String> = searched.iter().map(|field| quote(&field.name)).collect();
    let kept: Vec<String> = searched.iter().map(|field| quote(&text_column(field))).collect();
    books.connection.execute_batch(&format!("DELETE FROM {index}"))?;
    let mut put = books.connection.prepare(&format!(
        "INSERT INTO {index} (rowid, {}) VALUES (?{})",
        kept.join(", "),
        ", ?".repeat(kept.len())
    ))?;
    let query = format!("SELECT {}, {} FROM {table}", row_number(resource), own.join(", "));
    let mut statement = books.connection.prepare(&query)?;
    let mut rows = statement.query([])?;
    let mut filled = 0;
    while let Some(row) = rows.next()? {
        let mut values = vec![Value::Integer(row.get(0)?)];
        for at in 0..searched.len() {
            let text = text(row.get_ref(1 + at)?).map(Cow::into_owned);
            values.push(text.map_or(Value::Null, Value::Text));
        }
        put.execute(params_from_iter(values))?;
        filled += 1;
    }
    Ok(filled)
}
