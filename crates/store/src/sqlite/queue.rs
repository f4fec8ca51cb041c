//! The queue of what is to be done outside: its table, what is added to it, and what becomes of
//! that.

use model::value::Timestamp;
use rusqlite::{Row, params};

use super::failure::Failure;
use super::session::Session;
use crate::queue::{Fate, Job, Jobs, Waiting};

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

/// How many jobs wait.
pub(crate) const WAITING: &str = "SELECT count(*) FROM _methodical_jobs WHERE failed IS NULL";
/// How many were given up.
pub(crate) const GIVEN_UP: &str = "SELECT count(*) FROM _methodical_jobs WHERE failed IS NOT NULL";

const ADD: &str = "INSERT INTO _methodical_jobs (id, kind, payload, due) VALUES (?, ?, ?, ?)";
const COLUMNS: &str = "number, id, kind, payload, due, attempts, fault, failed";
const CLAIM: &str =
    "UPDATE _methodical_jobs SET claimed = ?2, attempts = attempts + 1 WHERE number = ?1";
const DONE: &str = "DELETE FROM _methodical_jobs WHERE number = ?1";
const LATER: &str =
    "UPDATE _methodical_jobs SET claimed = 0, due = ?2, fault = ?3 WHERE number = ?1";
const GIVE_UP: &str = "UPDATE _methodical_jobs SET failed = ?2, fault = ?3 WHERE number = ?1";
const AGAIN: &str = "UPDATE _methodical_jobs SET claimed = 0, due = ?2, failed = NULL, \
    attempts = 0 WHERE number = ?1";
/// What was given up long ago is of no use any more, and may hold what is nobody's business.
const FORGET: &str = "DELETE FROM _methodical_jobs WHERE number IN \
    (SELECT number FROM _methodical_jobs WHERE failed < ?1 LIMIT ?2)";

/// Adds a job.
pub(crate) fn add(session: &Session, job: &Job) -> Result<usize, Failure> {
    let Job { id, kind, payload, due } = job;
    Ok(session.statement(ADD)?.execute(params![id, kind, payload, due.0])?)
}

/// Carries out what becomes of a job. One that is gone is nobody's loss. Gives how many there were.
pub(crate) fn settle(session: &Session, number: i64, fate: &Fate) -> Result<usize, Failure> {
    let settled = match fate {
        Fate::Claimed(until) => session.statement(CLAIM)?.execute(params![number, until.0])?,
        Fate::Done => session.statement(DONE)?.execute([number])?,
        Fate::Later(due, fault) => {
            session.statement(LATER)?.execute(params![number, due.0, fault])?
        }
        Fate::GivenUp(at, fault) => {
            session.statement(GIVE_UP)?.execute(params![number, at.0, fault])?
        }
        Fate::Again(at) => session.statement(AGAIN)?.execute(params![number, at.0])?,
    };
    Ok(settled)
}

/// The jobs that are looked for.
pub(crate) fn find(session: &Session, jobs: Jobs) -> Result<Vec<Waiting>, Failure> {
    let text = match jobs {
        Jobs::Due(..) => format!(
            "SELECT {COLUMNS} FROM _methodical_jobs WHERE failed IS NULL AND due <= ?1 \
             AND claimed <= ?1 ORDER BY due LIMIT ?2"
        ),
        Jobs::All(_) => {
            format!("SELECT {COLUMNS} FROM _methodical_jobs WHERE ?1 = 0 ORDER BY number LIMIT ?2")
        }
    };
    let (now, most) = match jobs {
        Jobs::Due(now, most) => (now.0, most),
        Jobs::All(most) => (0, most),
    };
    let mut statement = session.statement(&text)?;
    let found = statement.query_map(params![now, most], waiting)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Forgets jobs that were given up before this time.
pub(super) fn sweep(session: &Session, oldest: Timestamp, chunk: i64) -> Result<usize, Failure> {
    Ok(session.statement(FORGET)?.execute([oldest.0, chunk])?)
}

fn waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        number: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        payload: row.get(3)?,
        due: Timestamp(row.get(4)?),
        attempts: row.get(5)?,
        fault: row.get(6)?,
        failed_at: row.get::<_, Option<i64>>(7)?.map(Timestamp),
    })
}
