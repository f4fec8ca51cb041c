//! Many records at once: row by row through the one insert, and where the tables refuse some, on
//! through the rest, so that all are found; their write is undone then as a whole.

use std::collections::HashSet;

use model::model::ResourceIndex;
use model::record::{Record, Version};
use model::rows::FAULTY_ROWS_MAX;
use model::value::Id;
use rusqlite::OptionalExtension;

use super::apply;
use super::failure::Failure;
use super::session::Session;
use super::value::{BoundId, joined};
use crate::change::Many;
use crate::error::{Error, Refusal, RefusedRow};
use crate::spool::Spooled;

/// Inserts every row, or says which cannot be.
pub(crate) fn insert(session: &Session, many: &Many, step: usize) -> Result<(), Error> {
    let told = |failure: Failure| failure.told(&session.catalog.model, many.resource, step);
    let fields = session.catalog.resource(many.resource).fields.len();
    let mut reading = many.rows.read(fields).map_err(told)?;
    let mut refused = Refused::default();
    let mut number = 0;
    while let Some(spooled) = reading.next().map_err(told)? {
        let line = spooled.line;
        let record = record(many, number, spooled);
        if let Err(failure) = apply::insert(session, many.resource, &record) {
            let error = told(failure);
            refused.judge(session, many.resource, &record, (number, line), error).map_err(told)?;
            if refused.rows.len() >= FAULTY_ROWS_MAX {
                break;
            }
        }
        number += 1;
    }
    if refused.ids.is_empty() {
        return Ok(());
    }
    if refused.rows.is_empty() {
        return Err(Error::Dangling { step });
    }
    Err(Error::Rows { resource: many.resource, refused: refused.rows, step })
}

fn record(many: &Many, number: u64, spooled: Spooled) -> Record {
    let step = i64::try_from(number).unwrap_or(i64::MAX);
    Record {
        id: spooled.id.unwrap_or_else(|| Id::Integer(many.first_id.saturating_add(step))),
        // Never negative, as a birth is.
        version: Version { birth: many.birth.wrapping_add(step) & i64::MAX, counter: 1 },
        created_at: many.at,
        updated_at: many.at,
        values: spooled.values,
    }
}

/// The rows that were refused so far.
#[derive(Default)]
struct Refused {
    rows: Vec<RefusedRow>,
    /// Their ids: what refers to them has no fault of its own.
    ids: HashSet<Id>,
}

impl Refused {
    /// Notes why a row was refused, unless the error is about the whole write.
    fn judge(
        &mut self,
        session: &Session,
        resource: ResourceIndex,
        record: &Record,
        (row, line): (u64, u32),
        error: Error,
    ) -> Result<(), Failure> {
        let why = match error {
            Error::Taken { fields, .. } => Some(Refusal::Taken(fields)),
            Error::Dangling { .. } => {
                let missing = self.missing(session, resource, record)?;
                (!missing.is_empty()).then_some(Refusal::Dangling(missing))
            }
            error => return Err(Failure::Told(error)),
        };
        self.ids.insert(record.id.clone());
        self.rows.extend(why.map(|why| RefusedRow { row, line, why }));
        Ok(())
    }

    /// The fields that name no record, but for those that name a row which was refused itself.
    fn missing(
        &self,
        session: &Session,
        resource: ResourceIndex,
        record: &Record,
    ) -> Result<Vec<usize>, Failure> {
        let mut missing = Vec::new();
        for (index, field) in session.catalog.resource(resource).fields.iter().enumerate() {
            let (Some(to), Some(id)) = (field.references, joined(record, index)) else { continue };
            let is_own = to.resource == resource;
            if is_own && (id == record.id || self.ids.contains(&id)) {
                continue;
            }
            let mut statement = session.statement(&session.catalog.texts[to.resource].key)?;
            if statement.query_row([BoundId(&id)], |_| Ok(())).optional()?.is_none() {
                missing.push(index);
            }
        }
        Ok(missing)
    }
}
