//! Copies every row into a fresh database of ours, or sees whether it could be.

use std::sync::Arc;

use model::adopt::cell::{self, Cell};
use model::adopt::foreign::Foreign;
use model::adopt::plan::{Carried, Plan, Source};
use model::model::{Model, ResourceIndex};
use model::record::{Record, Version};
use model::value::{Id, Timestamp, Value};
use rusqlite::Row;

use super::inspect::{STEP, cell as found};
use super::{Strange, rows, told};
use crate::adopt::{AdoptError, Copied, Left, Progress, Watch};
use crate::options::Options;
use crate::sqlite::failure::Failure;
use crate::sqlite::session::Session;
use crate::sqlite::{apply, open};

/// Ids that are remembered for each reason.
const IDS_MAX: usize = 100;
/// Rows that do not fit, of which as many are told.
const UNFIT_MAX: usize = 100;

/// Where the copy goes, and when that is.
pub(crate) type Target<'a> = Option<(&'a Options, Timestamp)>;

/// Reads every row, and writes it where there is a target.
pub(crate) fn run(
    strange: &Strange,
    foreign: &Foreign,
    plan: &Plan,
    model: &Arc<Model>,
    target: Target<'_>,
    watch: Watch<'_>,
) -> Result<Copied, AdoptError> {
    let session = match target {
        Some((options, _)) => {
            let blank = open::blank(options, model).map_err(|error| failed(&error))?;
            // Nobody sees the file before it is whole, and it is synced once then.
            set(&blank, "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF")?;
            Some(blank)
        }
        None => None,
    };
    rows::count(strange, foreign, plan).map_err(|error| told(&error))?;
    let mut copier = Copier {
        model,
        foreign,
        session: session.as_ref(),
        now: target.map_or(Timestamp(0), |(_, now)| now),
        birth: birth()?,
        copied: Copied::default(),
        unfit: Vec::new(),
    };
    for (resource, carried) in plan.carried.iter().enumerate() {
        let text = rows::select(foreign, plan, carried);
        let records = copier.resource(strange, resource, carried, &text, watch)?;
        copier.copied.records.push(records);
    }
    let Copier { copied, unfit, .. } = copier;
    if !unfit.is_empty() {
        return Err(AdoptError::Unfit(unfit));
    }
    if let Some(session) = session {
        finish(session, foreign, plan)?;
    }
    Ok(copied)
}

/// Draws what versions are born with.
fn birth() -> Result<i64, AdoptError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| AdoptError::Failed(format!("no random numbers: {error}")))?;
    Ok(i64::from_le_bytes(random))
}

fn failed(error: &dyn std::fmt::Display) -> AdoptError {
    AdoptError::Failed(error.to_string())
}

fn set(session: &Session, text: &str) -> Result<(), AdoptError> {
    session.connection.execute_batch(text).map_err(|error| told(&error))
}

struct Copier<'a> {
    model: &'a Model,
    foreign: &'a Foreign,
    session: Option<&'a Session>,
    now: Timestamp,
    birth: i64,
    copied: Copied,
    unfit: Vec<String>,
}

impl Copier<'_> {
    /// Copies a table, a transaction for each step.
    fn resource(
        &mut self,
        strange: &Strange,
        resource: ResourceIndex,
        carried: &Carried,
        text: &str,
        watch: Watch<'_>,
    ) -> Result<u64, AdoptError> {
        let mut statement = strange.connection.prepare(text).map_err(|error| told(&error))?;
        let mut rows = statement.query([]).map_err(|error| told(&error))?;
        let table = &self.foreign.tables[carried.table];
        let mut done = 0;
        self.run("BEGIN IMMEDIATE")?;
        while let Some(row) = rows.next().map_err(|error| told(&error))? {
            let record = self.record(resource, carried, row)?;
            self.check(resource, &record);
            if self.unfit.len() >= UNFIT_MAX {
                return Ok(done);
            }
            if let Some(session) = self.session {
                self.insert(session, resource, &record)?;
            }
            done += 1;
            if done % STEP == 0 {
                self.run("COMMIT")?;
                self.run("BEGIN IMMEDIATE")?;
                watch(Progress { table: &table.name, rows: done, of: Some(table.rows) });
            }
        }
        self.run("COMMIT")?;
        watch(Progress { table: &table.name, rows: done, of: Some(table.rows) });
        Ok(done)
    }

    fn run(&self, text: &str) -> Result<(), AdoptError> {
        self.session.map_or(Ok(()), |session| set(session, text))
    }

    fn insert(
        &self,
        session: &Session,
        resource: ResourceIndex,
        record: &Record,
    ) -> Result<(), AdoptError> {
        match apply::insert(session, resource, record) {
            Ok(_) => Ok(()),
            Err(Failure::Sqlite(error)) => match told(&error) {
                AdoptError::Failed(text) => {
                    let name = &self.model.resources[resource].name;
                    Err(AdoptError::Failed(format!("{name} {}: {text}", record.id)))
                }
                other => Err(other),
            },
            Err(Failure::Told(error)) => Err(failed(&error)),
        }
    }

    fn record(
        &mut self,
        resource: ResourceIndex,
        carried: &Carried,
        row: &Row<'_>,
    ) -> Result<Record, AdoptError> {
        let table = &self.foreign.tables[carried.table];
        let id = match found(row.get_ref(0).map_err(|error| told(&error))?) {
            Cell::Integer(id) => Id::Integer(id),
            Cell::Text(id) => Id::Text(id.to_owned()),
            other => {
                let text = format!("{}: a row has {other:?} in the place of its key", table.name);
                return Err(AdoptError::Failed(text));
            }
        };
        let mut values = Vec::with_capacity(carried.values.len());
        for (at, source) in carried.values.iter().enumerate() {
            let cell = found(row.get_ref(at + 3).map_err(|error| told(&error))?);
            let nullable = self.model.resources[resource].fields[at].nullable;
            let none = nullable.then_some(Value::Null);
            values.push(match (source, cell) {
                (_, Cell::Null) => none,
                (Source::Reference(_), Cell::Integer(id)) => Some(Value::Integer(id)),
                (Source::Reference(_), Cell::Text(id)) => Some(Value::Text(id.to_owned())),
                (Source::Reference(_), _) => none,
                (Source::Column { column, form }, cell) => match cell::read(*form, cell) {
                    Ok(value) => Some(value),
                    Err(why) => {
                        self.left(carried.table, *column, why, &id);
                        none
                    }
                },
            });
        }
        self.birth = self.birth.wrapping_add(1);
        // Never negative, as a birth is.
        let version = Version { birth: self.birth & i64::MAX, counter: 1 };
        let time = |at: usize| match row.get_ref(at).map(found) {
            Ok(Cell::Text(text)) => Timestamp::parse(text),
            _ => None,
        };
        let created_at = time(1).unwrap_or(self.now);
        Ok(Record { id, version, created_at, updated_at: time(2).unwrap_or(created_at), values })
    }

    fn left(&mut self, table: usize, column: usize, why: &'static str, id: &Id) {
        let all = &mut self.copied.left;
        let is_same = |left: &Left| left.table == table && left.column == column && left.why == why;
        let at = all.iter().position(is_same).unwrap_or_else(|| {
            all.push(Left { table, column, why, count: 0, ids: Vec::new() });
            all.len() - 1
        });
        all[at].count += 1;
        if all[at].ids.len() < IDS_MAX {
            all[at].ids.push(id.to_string());
        }
    }

    /// Holds a record against its declaration, as if somebody had sent it.
    fn check(&mut self, resource: ResourceIndex, record: &Record) {
        let declared = &self.model.resources[resource];
        for (field, value) in declared.fields.iter().zip(&record.values) {
            let why = match value {
                Some(value) => {
                    let mut faults = Vec::new();
                    field.schema.check(&value.to_json(), "", &mut faults);
                    faults.into_iter().next().map(|fault| fault.detail)
                }
                None => (!field.optional).then(|| "there is no value".to_owned()),
            };
            if let Some(why) = why {
                self.unfit.push(format!("{} {}: {}: {why}", declared.name, record.id, field.name));
            }
        }
    }
}

/// Sees that every reference leads somewhere, and writes everything into the one file.
fn finish(session: Session, foreign: &Foreign, plan: &Plan) -> Result<(), AdoptError> {
    let broken = "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 1";
    let mut statement = session.connection.prepare(broken).map_err(|error| told(&error))?;
    let mut rows = statement.query([]).map_err(|error| told(&error))?;
    if let Some(row) = rows.next().map_err(|error| told(&error))? {
        let (table, to): (String, String) =
            row.get(0).and_then(|table| Ok((table, row.get(2)?))).map_err(|error| told(&error))?;
        return Err(AdoptError::Failed(format!("{table}: a record names no record of {to}")));
    }
    drop(rows);
    drop(statement);
    for carried in &plan.carried {
        let Some(last) = foreign.tables[carried.table].last_id else { continue };
        // An id that was given once is never given again.
        let insert = "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS \
                      (SELECT 1 FROM sqlite_sequence WHERE name = ?1) AND EXISTS \
                      (SELECT 1 FROM sqlite_schema WHERE name = ?1 AND sql LIKE '%AUTOINCREMENT%')";
        let last = last.clamp(0, model::value::ID_MAX);
        let update = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
        session
            .connection
            .execute(insert, [&carried.name])
            .and_then(|_| session.connection.execute(update, (&carried.name, last)))
            .map_err(|error| told(&error))?;
    }
    set(&session, "PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(session);
    Ok(())
}
