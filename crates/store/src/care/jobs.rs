//! The queue of what is to be done outside, by the operator's commands. A server looks at it again
//! within seconds.

use std::sync::Arc;

use model::model::Model;
use model::value::Timestamp;

use super::desk::{self, failed};
use super::error::CareError;
use crate::options::Options;
use crate::queue::{Fate, Jobs, Waiting};
use crate::sqlite::queue;
use crate::sqlite::session::Session;

/// Most jobs that are listed.
const LISTED_MAX: u32 = 1000;

/// The queue of a database, open for the operator.
pub struct Queue {
    session: Session,
}

impl Queue {
    /// Opens a database that is there already.
    ///
    /// # Errors
    /// It is not there, or not ours.
    pub fn open(options: &Options, model: &Arc<Model>) -> Result<Self, CareError> {
        Ok(Self { session: desk::open(options, model)? })
    }

    /// The jobs that wait or were given up, the oldest first; the first thousand.
    ///
    /// # Errors
    /// The database failed.
    pub fn list(&self) -> Result<Vec<Waiting>, CareError> {
        queue::find(&self.session, Jobs::All(LISTED_MAX)).map_err(failed)
    }

    /// Has a job tried again at once, with as many attempts as a new one. False where there is none
    /// of this number.
    ///
    /// # Errors
    /// The database failed, or another process keeps it locked.
    pub fn retry(&self, number: i64, now: Timestamp) -> Result<bool, CareError> {
        let tried = desk::write(&self.session, |session| {
            queue::settle(session, number, &Fate::Again(now))
        })?;
        Ok(tried > 0)
    }
}
