//! Codes that are sent by mail, and the addresses that were confirmed by one.

use model::value::{Id, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::failure::Failure;
use super::session::Session;
use super::value::{BoundId, id};
use crate::code::Code;
use crate::credential::TokenHash;

/// The tables. A user has one code of each purpose: a new one takes the place of the old.
pub(crate) const TABLES: &str = "
CREATE TABLE _methodical_codes (
  hash BLOB PRIMARY KEY NOT NULL,
  purpose TEXT NOT NULL,
  user ANY,
  address TEXT NOT NULL,
  seal BLOB NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX \"_methodical_codes(user)\" ON _methodical_codes (user);
CREATE INDEX \"_methodical_codes(expires)\" ON _methodical_codes (expires);
CREATE TABLE _methodical_confirmed (
  user ANY PRIMARY KEY NOT NULL,
  address TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

const REPLACE: &str = "DELETE FROM _methodical_codes WHERE user = ?1 AND purpose = ?2";
const PUT: &str = "INSERT INTO _methodical_codes (hash, purpose, user, address, seal, expires) \
    VALUES (?, ?, ?, ?, ?, ?)";
const DROP: &str = "DELETE FROM _methodical_codes WHERE user = ?1";
const FIND: &str = "SELECT purpose, user, address, seal, expires FROM _methodical_codes \
    WHERE hash = ?1 AND expires > ?2 AND user IS NOT NULL";
const CONFIRM: &str = "INSERT INTO _methodical_confirmed (user, address, at) VALUES (?1, ?2, ?3) \
    ON CONFLICT (user) DO UPDATE SET address = ?2, at = ?3";
const CONFIRMED: &str = "SELECT address FROM _methodical_confirmed WHERE user = ?1";
const FORGET: &str = "DELETE FROM _methodical_codes WHERE hash IN \
    (SELECT hash FROM _methodical_codes WHERE expires <= ?1 LIMIT ?2)";

/// Keeps a code.
pub(crate) fn put(session: &Session, code: &Code) -> Result<usize, Failure> {
    let user = code.user.as_ref().map(BoundId);
    if let Some(user) = &user {
        session.statement(REPLACE)?.execute(params![user, code.purpose])?;
    }
    let Code { hash, purpose, address, seal, expires_at, .. } = code;
    Ok(session.statement(PUT)?.execute(params![
        hash,
        purpose,
        user,
        address,
        seal,
        expires_at.0
    ])?)
}

/// Every code of a user ends.
pub(crate) fn end(session: &Session, user: &Id) -> Result<usize, Failure> {
    session.statement(DROP)?.execute([BoundId(user)])?;
    Ok(1)
}

/// An address is confirmed.
pub(crate) fn confirm(
    session: &Session,
    user: &Id,
    address: &str,
    at: Timestamp,
) -> Result<usize, Failure> {
    Ok(session.statement(CONFIRM)?.execute(params![BoundId(user), address, at.0])?)
}

/// What a code is good for, if it is good.
pub(crate) fn find(session: &Session, hash: &TokenHash) -> Result<Option<Code>, Failure> {
    let now = (session.options.clock)();
    let Some(users) = session.catalog.model.users() else { return Ok(None) };
    let mut statement = session.statement(FIND)?;
    let mut rows = statement.query(params![hash, now.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    // A migration may have given users ids of another kind: the code is nobody's then.
    let Ok(user) = id(session.catalog.resource(users), row.get_ref(1)?) else { return Ok(None) };
    Ok(Some(Code {
        hash: *hash,
        purpose: row.get(0)?,
        user: Some(user),
        address: row.get(2)?,
        seal: row.get(3)?,
        expires_at: Timestamp(row.get(4)?),
    }))
}

/// The address that a user has confirmed, which may be another than it has now.
pub(crate) fn confirmed(session: &Session, user: &Id) -> Result<Option<String>, Failure> {
    let mut statement = session.statement(CONFIRMED)?;
    Ok(statement.query_row([BoundId(user)], |row| row.get(0)).optional()?)
}

/// True where a code has expired.
pub(super) fn any_expired(session: &Session, now: Timestamp) -> Result<bool, Failure> {
    let text = "SELECT EXISTS (SELECT 1 FROM _methodical_codes WHERE expires <= ?1)";
    Ok(session.statement(text)?.query_row([now.0], |row| row.get(0))?)
}

/// Forgets codes that have expired.
pub(super) fn sweep(session: &Session, now: Timestamp, chunk: i64) -> Result<usize, Failure> {
    Ok(session.statement(FORGET)?.execute([now.0, chunk])?)
}
