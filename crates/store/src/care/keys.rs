//! API keys, by the operator's commands: beside a running server or without one, as any other
//! process, through SQLite's own locks. A server knows of it with its next request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::model::Model;
use model::value::Timestamp;

use super::error::CareError;
use crate::credential::{ApiKey, NewKey};
use crate::options::Options;
use crate::sqlite::copy::look;
use crate::sqlite::failure::Failure;
use crate::sqlite::open::{Source, recognise};
use crate::sqlite::session::Session;
use crate::sqlite::{acts, credential};

/// How long it rests when another process writes.
const PAUSE: Duration = Duration::from_millis(5);

/// The keys of a database, open for the operator.
pub struct Keys {
    session: Session,
}

impl Keys {
    /// Opens a database that is there already. Its tables need not be for this declaration: a key
    /// that has leaked is revoked at once.
    ///
    /// # Errors
    /// It is not there, or not ours.
    pub fn open(options: &Options, model: &Arc<Model>) -> Result<Self, CareError> {
        drop(look(&options.path)?);
        let session = Source::new(options.clone(), Arc::clone(model)).writer().map_err(failed)?;
        match recognise(&session.connection) {
            Ok(false) => Ok(Self { session }),
            Ok(true) => Err(CareError::Missing(options.path.display().to_string())),
            Err(found) => Err(found.told(&options.path).into()),
        }
    }

    /// True where the database has ever had a key.
    ///
    /// # Errors
    /// The database failed.
    pub fn ever(&self) -> Result<bool, CareError> {
        credential::had_key(&self.session).map_err(failed)
    }

    /// Makes a key; gives its number.
    ///
    /// # Errors
    /// The database failed, or another process keeps it locked.
    pub fn create(&self, key: &NewKey) -> Result<i64, CareError> {
        self.write(key.key.created_at, "create-key", |session| {
            credential::create(session, &key.hash, &key.key)
        })
    }

    /// Every key, those that have expired and are swept soon too.
    ///
    /// # Errors
    /// The database failed.
    pub fn list(&self) -> Result<Vec<ApiKey>, CareError> {
        credential::keys(&self.session).map_err(failed)
    }

    /// Ends a key. False where there is none of this number.
    ///
    /// # Errors
    /// The database failed, or another process keeps it locked.
    pub fn revoke(&self, number: i64, now: Timestamp) -> Result<bool, CareError> {
        if !self.list()?.iter().any(|key| key.number == number) {
            return Ok(false);
        }
        self.write(now, "revoke-key", |session| {
            credential::revoke(session, number).map(|_| number)
        })?;
        Ok(true)
    }

    /// Writes in one transaction, with an entry of the audit log for the key of that number.
    fn write(
        &self,
        at: Timestamp,
        operation: &'static str,
        write: impl Fn(&Session) -> Result<i64, Failure>,
    ) -> Result<i64, CareError> {
        self.begin()?;
        let written = write(&self.session).and_then(|number| {
            acts::append(&self.session, &acts::of_key(at, operation, number))?;
            self.session.run("COMMIT")?;
            Ok(number)
        });
        if written.is_err() && !self.session.connection.is_autocommit() {
            // The first error is the one that counts.
            drop(self.session.run("ROLLBACK"));
        }
        written.map_err(failed)
    }

    /// Begins, when whoever writes is done.
    fn begin(&self) -> Result<(), CareError> {
        let begun = Instant::now();
        loop {
            match self.session.run("BEGIN IMMEDIATE") {
                Ok(()) => return Ok(()),
                Err(failure) if failure.is_busy() => {
                    if begun.elapsed() >= self.session.options.write_deadline {
                        return Err(failed(failure));
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(failure) => return Err(failed(failure)),
            }
        }
    }
}

fn failed(failure: Failure) -> CareError {
    match failure {
        Failure::Sqlite(error) => error.into(),
        Failure::Told(error) => CareError::Failed(error.to_string()),
    }
}
