//! The checks of a database and their repairs, each beside the other. All of them ask one state.

mod changes;
mod folds;
mod keys;
mod pages;
mod schema;
mod search;
mod totals;

use std::path::Path;
use std::sync::Arc;

use model::model::{Model, Resource, ResourceIndex};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ToSql};

use super::copy::look;
use super::trigger::settled;
use crate::care::audit::{About, Audit, Finding, IDS_MAX, Mend};
use crate::care::error::CareError;

/// One state of a database, and what it is compared with.
pub(super) struct Books<'a> {
    connection: &'a Connection,
    model: &'a Model,
    /// The number of each resource in the bookkeeping; None where it has none.
    numbers: Vec<Option<i64>>,
}

/// Gives what is wrong.
type Find = fn(&Books<'_>) -> Result<Vec<Finding>, CareError>;
/// Builds it anew, and gives a sentence for everything that was done.
type Rebuild = fn(&Books<'_>) -> Result<Vec<String>, CareError>;

/// A check: what it finds, and how what is derived is rebuilt.
struct Check {
    compared: &'static str,
    find: Find,
    rebuild: Rebuild,
}

/// Every check that needs sound pages, in the order of their repairs: what comes later may be
/// derived from what was mended before.
const CHECKS: &[Check] = &[
    Check {
        compared: "triggers and indexes with those that the declaration asks for",
        find: schema::find,
        rebuild: schema::rebuild,
    },
    Check {
        compared: "edits from outside that the server has still to finish",
        find: pending,
        rebuild: settle,
    },
    Check {
        compared: "folded text (ignoreCase) with its text",
        find: folds::find,
        rebuild: folds::rebuild,
    },
    Check {
        compared: "search indexes with the text of their records",
        find: search::find,
        rebuild: search::rebuild,
    },
    Check {
        compared: "totals and change counters with records and change log",
        find: totals::find,
        rebuild: totals::rebuild,
    },
    Check {
        compared: "the newest entry of the change log for each record with the record",
        find: changes::find,
        rebuild: changes::rebuild,
    },
    Check {
        compared: "the number of Idempotency-Keys kept for each principal with the keys",
        find: keys::find,
        rebuild: keys::rebuild,
    },
];

/// Asks one state everything.
pub(crate) fn audit(database: &Path, model: &Arc<Model>) -> Result<Audit, CareError> {
    let connection = look(database)?;
    let mut audit = Audit::default();
    audit.compared.push("every page of the file, every index and constraint (SQLite)".to_owned());
    audit.compared.push("every reference with what it names".to_owned());
    audit.findings = pages::find(&connection, model)?;
    if audit.findings.iter().any(|finding| finding.about == About::Pages) {
        // What a damaged file says about the rest is no finding.
        return Ok(audit);
    }
    let missing = schema::tables(&connection, model)?;
    let has_tables = missing.is_empty();
    audit.findings.extend(missing);
    if !has_tables {
        return Ok(audit);
    }
    let books = Books::open(&connection, model)?;
    for check in CHECKS {
        audit.compared.push(check.compared.to_owned());
        audit.findings.extend((check.find)(&books)?);
    }
    Ok(audit)
}

/// Rebuilds what these findings name and can be rebuilt, in one transaction.
pub(crate) fn repair(
    database: &Path,
    model: &Arc<Model>,
    before: &Audit,
) -> Result<Vec<String>, CareError> {
    let mends = |about: About| {
        before.findings.iter().any(|finding| {
            finding.about == about && matches!(finding.mend, Mend::Repair | Mend::Server)
        })
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(database, flags)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF; \
         PRAGMA trusted_schema = OFF;",
    )?;
    let transaction = connection.transaction()?;
    let mut done = Vec::new();
    if mends(About::Indexes) {
        transaction.execute_batch("REINDEX").map_err(reindexed)?;
        done.push("every index was built anew from its table".to_owned());
    }
    let blocked =
        before.findings.iter().any(|finding| matches!(finding.about, About::Pages | About::Tables));
    if !blocked {
        let books = Books::open(&transaction, model)?;
        for check in CHECKS {
            // Mending one thing may show another: all are asked again, in their order.
            let found = (check.find)(&books)?;
            let wanted = found.iter().any(|f| matches!(f.mend, Mend::Repair | Mend::Server));
            if wanted {
                done.extend((check.rebuild)(&books)?);
            }
        }
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(done)
}

fn reindexed(error: rusqlite::Error) -> CareError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
        return CareError::Failed(format!(
            "an index cannot be built anew, because two records have what only one may have \
             ({error}); change or delete one of them with sqlite3. Nothing was changed"
        ));
    }
    error.into()
}

impl<'a> Books<'a> {
    fn open(connection: &'a Connection, model: &'a Model) -> Result<Self, CareError> {
        let mut statement =
            connection.prepare("SELECT resource FROM _methodical_resource WHERE name = ?")?;
        let numbers = model
            .resources
            .iter()
            .map(|resource| {
                use rusqlite::OptionalExtension;
                statement.query_row([&resource.name], |row| row.get(0)).optional()
            })
            .collect::<Result<_, _>>()?;
        drop(statement);
        Ok(Self { connection, model, numbers })
    }

    /// Every resource that is in the bookkeeping.
    fn resources(&self) -> impl Iterator<Item = (ResourceIndex, i64, &'a Resource)> {
        let all = self.model.resources.iter().enumerate();
        all.filter_map(|(index, resource)| Some((index, self.numbers[index]?, resource)))
    }

    fn number(&self, text: &str, parameters: impl rusqlite::Params) -> Result<i64, CareError> {
        Ok(self.connection.query_row(text, parameters, |row| row.get(0))?)
    }

    /// The first ids that a query gives, and how many there are.
    fn ids(&self, text: &str, parameters: &[&dyn ToSql]) -> Result<(Vec<String>, u64), CareError> {
        let mut statement = self.connection.prepare(text)?;
        let mut rows = statement.query(parameters)?;
        let (mut ids, mut count) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            count += 1;
            if ids.len() < IDS_MAX {
                ids.push(shown(row.get_ref(0)?));
            }
        }
        Ok((ids, count))
    }

    /// Moves the change counter of a resource on, so that no list keeps an old tag.
    fn moved(&self, number: i64) -> Result<(), CareError> {
        let text = "UPDATE _methodical_resource SET change = change + 1 WHERE resource = ?";
        self.connection.execute(text, [number])?;
        Ok(())
    }
}

/// An id as a person reads it.
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Integer(id) => id.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Blob(_) => "a blob".to_owned(),
    }
}

/// True where an edit from outside has left something for the server to do.
const ANY_PENDING: &str = "SELECT EXISTS (SELECT 1 FROM _methodical_suspect) \
                           OR EXISTS (SELECT 1 FROM _methodical_refold)";

fn pending(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let any = books.number(ANY_PENDING, [])? != 0;
    let text = "edits from outside are not finished (folding, counting replaced rows); the server \
                does it within a second of running";
    Ok(any.then(|| Finding::new(About::Pending, Mend::Server, text)).into_iter().collect())
}

/// Counts rows that were replaced from outside. Their folds are mended with the others.
fn settle(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    for (_, number, resource) in books.resources() {
        books.connection.execute_batch(&settled(number, resource))?;
        books.moved(number)?;
    }
    books
        .connection
        .execute_batch("DELETE FROM _methodical_suspect; DELETE FROM _methodical_refold;")?;
    Ok(vec!["edits from outside were finished".to_owned()])
}
