//! A database from nothing: its tables, what is drawn once for it, and the seed.

use std::path::Path;

use model::model::Model;
use rusqlite::OptionalExtension;
use rusqlite::types::Value;

use super::ddl;
use super::failure::{Failure, broken};
use super::migrate;
use super::open::{APPLICATION, LAYOUT, Seed, opening};
use super::session::Session;
use super::{apply, credential};
use crate::error::{Error, OpenError};
use crate::sql::quote;

/// Makes tables, meta, seed and first key in one transaction: a crash leaves all or nothing. Gives
/// the number of the key.
pub(super) fn create(
    session: &Session,
    seed: Seed<'_>,
    path: &Path,
) -> Result<Option<i64>, OpenError> {
    let failed = |failure: Failure| opening(path, failure);
    let model = &session.catalog.model;
    // References among seeds are checked at the end, so that their order does not matter.
    session
        .connection
        .execute_batch("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON;")
        .map_err(|error| failed(error.into()))?;
    let made = session
        .connection
        .execute_batch(&ddl::script(model))
        .map_err(|error| failed(error.into()))
        .and_then(|()| meta(session).map_err(failed))
        .and_then(|()| plant(session, seed))
        .and_then(|()| session.index_written().map_err(failed))
        .and_then(|()| credential::first(session).map_err(failed))
        .and_then(|key| session.run("COMMIT").map(|()| key).map_err(failed));
    if made.is_err() && !session.connection.is_autocommit() {
        // The first error is the one that counts.
        drop(session.run("ROLLBACK"));
    }
    made
}

fn meta(session: &Session) -> Result<(), Failure> {
    let mut random = [0_u8; 40];
    getrandom::fill(&mut random).map_err(|error| broken(format!("no random numbers: {error}")))?;
    let (epoch, secret) = random.split_at(8);
    let connection = &session.connection;
    connection.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT};"
    ))?;
    let insert = "INSERT INTO _methodical_meta (name, value) VALUES (?, ?)";
    connection.execute(insert, ("layout", LAYOUT))?;
    connection.execute(insert, ("epoch", epoch))?;
    connection.execute(insert, ("secret", secret))?;
    migrate::remember(connection, &session.catalog.model, &migrate::schema::Objects::new())
}

fn plant(session: &Session, seed: Seed<'_>) -> Result<(), OpenError> {
    let model = &session.catalog.model;
    for (number, (resource, record)) in seed().map_err(OpenError::Seed)?.iter().enumerate() {
        apply::insert(session, *resource, record).map_err(|failure| {
            let name = &model.resources[*resource].name;
            match failure.told(model, *resource, number) {
                Error::Full => OpenError::NoRoom,
                error => OpenError::Seed(format!("{name} {}: {}", record.id, why(model, &error))),
            }
        })?;
    }
    dangling(session).map_or(Ok(()), |text| Err(OpenError::Seed(text)))
}

fn why(model: &Model, error: &Error) -> String {
    match error {
        Error::Taken { resource, fields, .. } => {
            let fields: Vec<&str> = fields
                .iter()
                .map(|field| model.resources[*resource].fields[*field].name.as_str())
                .collect();
            match fields.as_slice() {
                [] => "another record has this id".to_owned(),
                fields => format!("another record has the same {}", fields.join(" and ")),
            }
        }
        error => error.to_string(),
    }
}

/// The first seeded reference that names no record.
fn dangling(session: &Session) -> Option<String> {
    let model = &session.catalog.model;
    model.resources.iter().find_map(|resource| {
        resource.fields.iter().find_map(|field| {
            let to = &model.resources[field.references?.resource].name;
            let [table, column, parent] = [&resource.name, &field.name, to].map(|name| quote(name));
            let text = format!(
                "SELECT \"id\", {column} FROM {table} WHERE {column} IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM {parent} AS p WHERE p.\"id\" = {table}.{column}) LIMIT 1"
            );
            let show = |value: Value| match value {
                Value::Integer(id) => id.to_string(),
                Value::Text(id) => id,
                _ => "?".to_owned(),
            };
            let pair = session
                .connection
                .query_row(&text, [], |row| Ok((show(row.get(0)?), show(row.get(1)?))));
            let (id, named) = pair.optional().ok()??;
            let (table, column) = (&resource.name, &field.name);
            Some(format!(
                "{table} {id}: `{column}` names {to} {named}, which is not among the seed"
            ))
        })
    })
}
