//! The history of the plans that were carried out on this database.

use std::time::Duration;

use model::value::Timestamp;
use rusqlite::Connection;

use super::super::failure::{Failure, broken};
use crate::migrate::{Entry, Plan};

/// Writes a plan down.
pub(crate) fn record(
    connection: &Connection,
    plan: &Plan,
    at: Timestamp,
    took: Duration,
) -> Result<(), Failure> {
    let text = "INSERT INTO _methodical_migrations \
                (at, program, before, after, plan, milliseconds) VALUES (?, ?, ?, ?, ?, ?)";
    let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    let plan_text = plan.to_json().to_string();
    let program = env!("CARGO_PKG_VERSION");
    connection.execute(text, (at.text(), program, &plan.before, &plan.after, plan_text, took))?;
    Ok(())
}

/// Every plan that was carried out, the first one first.
pub(crate) fn history(connection: &Connection) -> Result<Vec<Entry>, Failure> {
    let text = "SELECT number, at, program, before, after, plan, milliseconds \
                FROM _methodical_migrations ORDER BY number";
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let unreadable = || broken("the history of migrations cannot be read");
        let (at, plan): (String, String) = (row.get(1)?, row.get(5)?);
        out.push(Entry {
            number: row.get(0)?,
            at: Timestamp::parse(&at).ok_or_else(unreadable)?,
            program: row.get(2)?,
            before: row.get(3)?,
            after: row.get(4)?,
            plan: serde_json::from_str(&plan).map_err(|_| unreadable())?,
            took: Duration::from_millis(row.get::<_, i64>(6)?.try_into().unwrap_or(0)),
        });
    }
    Ok(out)
}
