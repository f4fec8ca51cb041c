//! Folded text against the text that it is folded from.

use model::fold::fold;
use model::model::{Field, Resource};
use rusqlite::types::Value;

use super::{Books, shown};
use crate::care::audit::{About, Finding, IDS_MAX, Mend};
use crate::care::error::CareError;
use crate::sql::{fold_column, folded, quote};

/// The rows of a resource whose fold is not that of their text: row, id, and the fold.
fn wrong(
    books: &Books<'_>,
    number: i64,
    resource: &Resource,
    field: &Field,
    mut found: impl FnMut(Value, &str, Option<String>) -> Result<(), CareError>,
) -> Result<(), CareError> {
    let text = format!(
        "SELECT \"id\", {}, {} FROM {} AS t WHERE NOT EXISTS (SELECT 1 FROM _methodical_refold \
         AS r WHERE r.resource = {number} AND r.id = t.\"id\")",
        quote(&field.name),
        quote(&fold_column(field)),
        quote(&resource.name)
    );
    let mut statement = books.connection.prepare(&text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (text, kept): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let right = text.as_deref().map(fold);
        if right != kept {
            found(row.get(0)?, &shown(row.get_ref(0)?), right)?;
        }
    }
    Ok(())
}

pub(super) fn find(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let mut findings = Vec::new();
    for (_, number, resource) in books.resources() {
        for (_, field) in folded(resource) {
            let (mut ids, mut count) = (Vec::new(), 0);
            wrong(books, number, resource, field, |_, id, _| {
                count += 1;
                if ids.len() < IDS_MAX {
                    ids.push(id.to_owned());
                }
                Ok(())
            })?;
            if count > 0 {
                let text = format!(
                    "{}: the folded {} is not that of the text, so that filters miss \
                     it, in records",
                    resource.name, field.name
                );
                let finding = Finding::new(About::Folds, Mend::Repair, text);
                findings.push(finding.with_ids((ids, count)));
            }
        }
    }
    Ok(findings)
}

pub(super) fn rebuild(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    let mut done = Vec::new();
    for (_, number, resource) in books.resources() {
        for (_, field) in folded(resource) {
            let mut rows = Vec::new();
            wrong(books, number, resource, field, |id, shown, right| {
                rows.push((id, shown.to_owned(), right));
                Ok(())
            })?;
            if rows.is_empty() {
                continue;
            }
            let set = format!(
                "UPDATE {} SET {} = ?2 WHERE \"id\" = ?1",
                quote(&resource.name),
                quote(&fold_column(field))
            );
            let mut statement = books.connection.prepare(&set)?;
            let mut alike = Vec::new();
            for (id, shown, right) in &rows {
                match statement.execute((id, right)) {
                    Ok(_) => {}
                    Err(error) if is_taken(&error) => alike.push(shown.as_str()),
                    Err(error) => return Err(error.into()),
                }
            }
            books.moved(number)?;
            let name = format!("{}.{}", resource.name, field.name);
            done.push(format!("{name}: {} folds were made anew", rows.len() - alike.len()));
            if !alike.is_empty() {
                done.push(format!(
                    "{name}: left as they are, because another record has the same text but for \
                     its case: {}; change one of each pair",
                    alike.join(", ")
                ));
            }
        }
    }
    Ok(done)
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}
