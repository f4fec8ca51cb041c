//! Migrations of a file: for whoever opens the store, and for the command.

use std::sync::Arc;
use std::time::Duration;

use model::model::Model;
use rusqlite::{Connection, OpenFlags};

use super::super::failure::Failure;
use super::super::open::{Source, claim, opening, recognise, settle, undo_torn};
use super::super::session::Session;
use super::schema::by_hand;
use crate::error::{Error, OpenError};
use crate::migrate::{Applied, DataLoss, Entry, Plan, Progress};
use crate::options::Options;

/// Makes the database of a session fit its declaration where that is quick and loses nothing.
pub(crate) fn fit(session: &Session) -> Result<Option<(Plan, Duration)>, OpenError> {
    let options = &session.options;
    let failed = |failure: Failure| told(options, failure);
    untouched(options, &session.connection)?;
    if super::is_current(&session.connection, &session.catalog.model).map_err(failed)? {
        return Ok(None);
    }
    let agreed = |plan: &Plan| plan.slow(options.migrate_rows_max).is_none();
    let applied = super::apply(session, DataLoss::Refused, &agreed, &mut |_| {}).map_err(failed)?;
    match applied {
        Applied::Nothing => Ok(None),
        Applied::Done(plan, took) => Ok(Some((plan, took))),
        Applied::Refused(plan) => {
            let why = plan.objection(options.migrate_rows_max);
            Err(OpenError::Changed { why: why.unwrap_or_else(|| plan.summary()) })
        }
    }
}

/// Refuses a database that somebody has changed.
fn untouched(options: &Options, connection: &Connection) -> Result<(), OpenError> {
    let found = by_hand(connection).map_err(|failure| told(options, failure))?;
    if found.is_empty() { Ok(()) } else { Err(OpenError::ByHand(found.join("\n"))) }
}

/// A failure as the operator should read it.
fn told(options: &Options, failure: Failure) -> OpenError {
    match failure {
        Failure::Told(Error::Broken(text)) => OpenError::NotMigrated(text),
        failure => match opening(&options.path, failure) {
            OpenError::Io(text) => OpenError::NotMigrated(text),
            other => other,
        },
    }
}

/// A connection that looks and changes nothing.
fn looking(options: &Options) -> Result<Connection, OpenError> {
    if !options.path.exists() {
        return Err(OpenError::Missing);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = || -> Result<Connection, Failure> {
        undo_torn(&options.path, options.write_deadline)?;
        let connection = Connection::open_with_flags(&options.path, flags)?;
        connection.busy_timeout(options.write_deadline)?;
        connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF")?;
        Ok(connection)
    };
    let connection = opened().map_err(|failure| told(options, failure))?;
    match recognise(&connection) {
        Ok(true) => Err(OpenError::Missing),
        Ok(false) => Ok(connection),
        Err(found) => Err(found.told(&options.path)),
    }
}

/// The plan of a file.
pub(crate) fn plan(
    options: &Options,
    model: &Model,
    tell: &mut dyn FnMut(Progress),
) -> Result<Plan, OpenError> {
    let connection = looking(options)?;
    // One state for all that is read, whatever is written meanwhile.
    connection.execute_batch("BEGIN").map_err(|error| told(options, error.into()))?;
    untouched(options, &connection)?;
    super::plan(&connection, model, tell).map_err(|failure| told(options, failure))
}

/// Carries out the plan of a file.
pub(crate) fn migrate(
    options: &Options,
    model: Arc<Model>,
    data_loss: DataLoss,
    tell: &mut dyn FnMut(Progress),
) -> Result<Applied, OpenError> {
    drop(looking(options)?);
    let file = options.path.canonicalize().unwrap_or_else(|_| options.path.clone());
    let claim = claim(&file)?;
    settle(&file)?;
    let source = Source::new(options.clone(), model);
    let failed = |failure: Failure| told(options, failure);
    let session = source.writer().map_err(failed)?;
    let waits = session.connection.busy_timeout(options.write_deadline);
    waits.map_err(|error| failed(error.into()))?;
    untouched(options, &session.connection)?;
    let applied = super::apply(&session, data_loss, &|_| true, tell).map_err(failed)?;
    // What was written lies in the log: one whole file is what people copy.
    drop(session.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);"));
    drop(session);
    drop(claim);
    Ok(applied)
}

/// The history of a file.
pub(crate) fn history(options: &Options) -> Result<Vec<Entry>, OpenError> {
    super::history(&looking(options)?).map_err(|failure| told(options, failure))
}
