//! The total that is kept for each resource, against its records; and its change counter.

use super::Books;
use crate::care::audit::{About, Finding, Mend};
use crate::care::error::CareError;
use crate::sql::quote;

/// A resource with suspects is counted when they are settled.
const SUSPECTS: &str = "SELECT EXISTS (SELECT 1 FROM _methodical_suspect WHERE resource = ?)";
const KEPT: &str = "SELECT total FROM _methodical_resource WHERE resource = ?";
/// A counter that stands still although there were changes revives tags of lists.
const STOOD: &str = "SELECT change <= 0 AND EXISTS \
                     (SELECT 1 FROM _methodical_changes WHERE resource = ?1) \
                     FROM _methodical_resource WHERE resource = ?1";

pub(super) fn find(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let mut findings = Vec::new();
    for (_, number, resource) in books.resources() {
        let name = &resource.name;
        let is_open = books.number(SUSPECTS, [number])? != 0;
        let kept = books.number(KEPT, [number])?;
        let counted = books.number(&format!("SELECT count(*) FROM {}", quote(name)), [])?;
        if kept != counted && !is_open {
            let text = format!("{name}: the total says {kept} records, and there are {counted}");
            findings.push(Finding::new(About::Totals, Mend::Repair, text));
        }
        if books.number(STOOD, [number])? != 0 {
            let text = format!(
                "{name}: the change counter has not moved, and the change log has entries: lists \
                 could be answered with what they were before"
            );
            findings.push(Finding::new(About::Totals, Mend::Repair, text));
        }
    }
    Ok(findings)
}

pub(super) fn rebuild(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    let mut done = Vec::new();
    for (_, number, resource) in books.resources() {
        let name = &resource.name;
        let text = format!(
            "UPDATE _methodical_resource SET total = n, change = max(change, (SELECT count(*) \
             FROM _methodical_changes WHERE resource = ?1)) + 1 \
             FROM (SELECT count(*) AS n FROM {}) \
             WHERE resource = ?1 AND (total <> n OR change <= 0 AND EXISTS (SELECT 1 \
             FROM _methodical_changes WHERE resource = ?1)) RETURNING total",
            quote(name)
        );
        let mut statement = books.connection.prepare(&text)?;
        let mut rows = statement.query([number])?;
        if let Some(row) = rows.next()? {
            let total: i64 = row.get(0)?;
            done.push(format!("{name}: the total is {total} now, and the change counter moved on"));
        }
    }
    Ok(done)
}
