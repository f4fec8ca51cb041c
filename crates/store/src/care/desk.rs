//! The operator's own session: beside a running server or without one, as any other process,
//! through SQLite's own locks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::model::Model;

use super::error::CareError;
use crate::options::Options;
use crate::sqlite::copy::look;
use crate::sqlite::failure::Failure;
use crate::sqlite::open::{Source, recognise};
use crate::sqlite::session::Session;

/// How long it rests when another process writes.
const PAUSE: Duration = Duration::from_millis(5);

/// A database that is there already. Its tables need not be for this declaration.
///
/// # Errors
/// It is not there, or not ours.
pub(super) fn open(options: &Options, model: &Arc<Model>) -> Result<Session, CareError> {
    drop(look(&options.path)?);
    let session = Source::new(options.clone(), Arc::clone(model)).writer().map_err(failed)?;
    match recognise(&session.connection) {
        Ok(false) => Ok(session),
        Ok(true) => Err(CareError::Missing(options.path.display().to_string())),
        Err(found) => Err(found.told(&options.path).into()),
    }
}

/// Writes in one transaction, when whoever writes is done.
///
/// # Errors
/// The database failed, or another process keeps it locked.
pub(super) fn write<T>(
    session: &Session,
    write: impl Fn(&Session) -> Result<T, Failure>,
) -> Result<T, CareError> {
    begin(session)?;
    let written = write(session).and_then(|made| {
        session.run("COMMIT")?;
        Ok(made)
    });
    if written.is_err() && !session.connection.is_autocommit() {
        // The first error is the one that counts.
        drop(session.run("ROLLBACK"));
    }
    written.map_err(failed)
}

fn begin(session: &Session) -> Result<(), CareError> {
    let begun = Instant::now();
    loop {
        match session.run("BEGIN IMMEDIATE") {
            Ok(()) => return Ok(()),
            Err(failure) if failure.is_busy() => {
                if begun.elapsed() >= session.options.write_deadline {
                    return Err(failed(failure));
                }
                std::thread::sleep(PAUSE);
            }
            Err(failure) => return Err(failed(failure)),
        }
    }
}

/// A failure of the database as an operator is told of it.
pub(super) fn failed(failure: Failure) -> CareError {
    match failure {
        Failure::Sqlite(error) => error.into(),
        Failure::Told(error) => CareError::Failed(error.to_string()),
    }
}
