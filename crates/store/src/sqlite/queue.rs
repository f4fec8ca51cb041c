//! The queue of what is to be done outside: its table, and what is added to it.

use rusqlite::params;

use super::failure::Failure;
use super::session::Session;
use crate::queue::Job;

/// The table. `claimed` is until when somebody is at it; `failed` is when it was given up.
pub(crate) const TABLES: &str = "
CREATE TABLE _methodical_jobs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  due INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  claimed INTEGER NOT NULL DEFAULT 0,
  fault TEXT,
  failed INTEGER
) STRICT;
CREATE INDEX \"_methodical_jobs(due)\" ON _methodical_jobs (due) WHERE failed IS NULL;
";

const ADD: &str = "INSERT INTO _methodical_jobs (id, kind, payload, due) VALUES (?, ?, ?, ?)";

/// Adds a job.
pub(crate) fn add(session: &Session, job: &Job) -> Result<usize, Failure> {
    let Job { id, kind, payload, due } = job;
    Ok(session.statement(ADD)?.execute(params![id, kind, payload, due.0])?)
}
