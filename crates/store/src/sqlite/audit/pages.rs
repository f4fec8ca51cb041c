//! What SQLite itself finds: pages, indexes, constraints, references.

use model::model::Model;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::shown;
use crate::care::audit::{About, Finding, IDS_MAX, Mend};
use crate::care::error::CareError;
use crate::sql::quote;
use crate::sqlite::copy::pragma_texts;

/// Most lines of SQLite's own check.
const LINES_MAX: u32 = 100;

pub(super) fn find(connection: &Connection, model: &Model) -> Result<Vec<Finding>, CareError> {
    let check = pragma_texts(connection, &format!("PRAGMA integrity_check({LINES_MAX})"));
    let lines = match check {
        Ok(lines) => lines,
        Err(CareError::Damaged(text)) => vec![text],
        Err(fault) => return Err(fault),
    };
    let mut findings: Vec<Finding> = lines.iter().map(|line| told(line)).collect();
    findings.sort_by_key(|finding| finding.about);
    if findings.iter().any(|finding| finding.about == About::Pages) {
        // What an index holds beyond a damaged table may be needed to save it.
        findings.retain(|finding| finding.about == About::Pages);
    } else {
        findings.extend(references(connection, model)?);
    }
    Ok(findings)
}

fn told(line: &str) -> Finding {
    let of_index = line.contains("missing from index")
        || line.starts_with("wrong # of entries in index")
        || line.starts_with("non-unique entry in index");
    if of_index {
        let text = format!("an index disagrees with its table: {line}");
        return Finding::new(About::Indexes, Mend::Repair, text);
    }
    let of_value = line.starts_with("CHECK constraint failed")
        || line.starts_with("NULL value in")
        || line.contains("value in ") && line.contains(" column ");
    if of_value {
        let text = format!(
            "a record breaks what its table demands: {line}; correct it with sqlite3, or restore"
        );
        return Finding::new(About::Tables, Mend::Person, text);
    }
    let text = format!("SQLite finds the file damaged: {line}");
    Finding::new(About::Pages, Mend::Person, text)
}

/// References to nothing, by the id of the record that has them.
fn references(connection: &Connection, model: &Model) -> Result<Vec<Finding>, CareError> {
    let mut found: Vec<(String, String, Vec<String>, u64)> = Vec::new();
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, to): (String, String) = (row.get(0)?, row.get(2)?);
        let at = found.iter().position(|(t, p, ..)| (t, p) == (&table, &to)).unwrap_or_else(|| {
            found.push((table.clone(), to.clone(), Vec::new(), 0));
            found.len() - 1
        });
        let entry = &mut found[at];
        entry.3 += 1;
        if entry.2.len() < IDS_MAX && model.resources.iter().any(|r| r.name == table) {
            let text = format!("SELECT \"id\" FROM {} WHERE rowid = ?", quote(&table));
            let number: Option<i64> = row.get(1)?;
            let id = connection.query_row(&text, [number], |row| row.get_ref(0).map(shown));
            entry.2.push(id.unwrap_or_else(|_| shown(ValueRef::Null)));
        }
    }
    let told = |(table, to, ids, count): (String, String, Vec<String>, u64)| {
        let text = format!(
            "{table} have a reference to {to} that are not there; clear it, or delete them, \
             with sqlite3: {table}"
        );
        Finding::new(About::References, Mend::Person, text).with_ids((ids, count))
    };
    Ok(found.into_iter().map(told).collect())
}
