//! API keys, by the operator's commands. A server knows of it with its next request.

use std::sync::Arc;

use model::model::Model;
use model::value::Timestamp;

use super::desk::{self, failed};
use super::error::CareError;
use crate::credential::{ApiKey, NewKey};
use crate::options::Options;
use crate::sqlite::failure::Failure;
use crate::sqlite::session::Session;
use crate::sqlite::{acts, credential};

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
        Ok(Self { session: desk::open(options, model)? })
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
        desk::write(&self.session, |session| {
            let number = write(session)?;
            acts::append(session, &acts::of_key(at, operation, number))?;
            Ok(number)
        })
    }
}
