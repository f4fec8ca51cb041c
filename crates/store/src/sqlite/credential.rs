//! Sessions and API keys: their tables, how they are found, and every statement that changes them.

use model::model::Resource;
use model::query::Filter;
use model::record::Record;
use model::value::{Id, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, params};

use super::acts;
use super::failure::Failure;
use super::find::by_key;
use super::session::Session as Connected;
use super::trigger::head;
use super::value::{BoundId, id};
use crate::credential::{ApiKey, Credential, Session, TokenHash, Used, Which};
use crate::sql::quote;

/// True of what has not expired by SQLite's own clock, which knows whole seconds everywhere.
const LIVE: &str = "OLD.expires IS NULL OR OLD.expires > 1000 * strftime('%s','now')";
/// What becomes of the counter of CREDENTIALS.
const MOVED: &str = "UPDATE _methodical_credentials SET change = change + 1;";

/// The tables. `change` grows whenever a credential that is still good ends or changes what it
/// allows, whoever does it: whoever keeps in memory what a token is asks for it first. Numbers are
/// never given twice, since the audit log names keys by them.
pub(crate) fn tables() -> String {
    let mut out = "
CREATE TABLE _methodical_credentials (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  change INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO _methodical_credentials (one) VALUES (1);
CREATE TABLE _methodical_sessions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL UNIQUE,
  user ANY NOT NULL,
  seal BLOB NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  used INTEGER,
  address TEXT NOT NULL,
  agent TEXT NOT NULL
) STRICT;
CREATE INDEX \"_methodical_sessions(user)\" ON _methodical_sessions (user);
CREATE INDEX \"_methodical_sessions(expires)\" ON _methodical_sessions (expires);
CREATE TABLE _methodical_api_keys (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  start TEXT NOT NULL,
  roles TEXT NOT NULL CHECK (json_valid(roles)),
  created INTEGER NOT NULL,
  expires INTEGER,
  used INTEGER
) STRICT;
CREATE INDEX \"_methodical_api_keys(expires)\" ON _methodical_api_keys (expires);
"
    .to_owned();
    let kept = [
        ("_methodical_sessions", "number, hash, user, seal, expires"),
        ("_methodical_api_keys", "number, hash, name, roles, expires"),
    ];
    for (table, columns) in kept {
        out.push_str(&format!(
            "CREATE TRIGGER \"{table}(delete)\" AFTER DELETE ON {table} WHEN {LIVE} BEGIN\n  \
             {MOVED}\nEND;\n\
             CREATE TRIGGER \"{table}(update)\" AFTER UPDATE OF {columns} ON {table} BEGIN\n  \
             {MOVED}\nEND;\n\
             CREATE TRIGGER \"{table}(replace)\" BEFORE INSERT ON {table} WHEN EXISTS \
             (SELECT 1 FROM {table} WHERE number = NEW.number OR hash = NEW.hash) BEGIN\n  \
             {MOVED}\nEND;\n"
        ));
    }
    out
}

/// A user that is deleted, in whatever way, is signed out everywhere.
pub(crate) fn write(resource: &Resource, out: &mut String) {
    if resource.fields.iter().any(|field| field.password) {
        out.push_str(&format!(
            "{} BEGIN\n  DELETE FROM _methodical_sessions WHERE user = OLD.\"id\";\n  \
             DELETE FROM _methodical_codes WHERE user = OLD.\"id\";\n  \
             DELETE FROM _methodical_confirmed WHERE user = OLD.\"id\";\nEND;\n",
            head(resource, "sign_out", "AFTER DELETE")
        ));
    }
}

const SESSION: &str = "SELECT number, user, seal, created, expires, used, address, agent \
    FROM _methodical_sessions WHERE hash = ?1 AND expires > ?2";
const SESSIONS: &str = "SELECT number, user, seal, created, expires, used, address, agent \
    FROM _methodical_sessions WHERE user = ?1 AND expires > ?2 ORDER BY number DESC";
const KEY: &str = "SELECT number, name, start, roles, created, expires, used \
    FROM _methodical_api_keys WHERE hash = ?1 AND (expires IS NULL OR expires > ?2)";
const KEYS: &str = "SELECT number, name, start, roles, created, expires, used \
    FROM _methodical_api_keys ORDER BY number";
const OPEN: &str = "INSERT INTO _methodical_sessions \
    (hash, user, seal, created, expires, used, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
/// Numbers grow, so that the smallest are of the oldest sessions.
const CROWDED: &str = "DELETE FROM _methodical_sessions WHERE number IN \
    (SELECT number FROM _methodical_sessions WHERE user = ? \
     ORDER BY number DESC LIMIT -1 OFFSET ?)";
const END: &str = "DELETE FROM _methodical_sessions WHERE user = ?1 \
    AND (?2 IS NULL OR number = ?2) AND (?3 IS NULL OR number <> ?3)";
const SEAL: &str = "UPDATE _methodical_sessions SET seal = ?2 WHERE number = ?1";
const CREATE: &str = "INSERT INTO _methodical_api_keys \
    (hash, name, start, roles, created, expires) VALUES (?, ?, ?, ?, ?, ?)";
const REVOKE: &str = "DELETE FROM _methodical_api_keys WHERE number = ?";
/// A number that was given stays in `sqlite_sequence`, whatever has become of its key.
const EVER: &str = "SELECT EXISTS \
    (SELECT 1 FROM sqlite_sequence WHERE name = '_methodical_api_keys')";

/// What a token is, by its hash.
pub(super) fn credential(
    connected: &Connected,
    hash: &TokenHash,
) -> Result<Option<Credential>, Failure> {
    let now = (connected.options.clock)();
    let mut statement = connected.statement(SESSION)?;
    let mut rows = statement.query(params![hash, now.0])?;
    if let Some(row) = rows.next()? {
        return signed_in(connected, row);
    }
    let mut statement = connected.statement(KEY)?;
    let found = statement.query_row(params![hash, now.0], api_key).optional()?;
    Ok(found.map(Credential::Key))
}

fn signed_in(connected: &Connected, row: &Row<'_>) -> Result<Option<Credential>, Failure> {
    // A migration may have given users ids of another kind: the session is nobody's then.
    let Some(users) = connected.catalog.model.users() else { return Ok(None) };
    let Ok(user) = id(connected.catalog.resource(users), row.get_ref(1)?) else {
        return Ok(None);
    };
    let record: Option<Record> = by_key(connected, users, &user, &Filter::all())?.pop();
    Ok(Some(Credential::Session(session(row, user)?, record)))
}

/// The sessions of a user that have not expired, the newest first.
pub(super) fn sessions(connected: &Connected, user: &Id) -> Result<Vec<Session>, Failure> {
    let now = (connected.options.clock)();
    let mut statement = connected.statement(SESSIONS)?;
    let mut rows = statement.query(params![BoundId(user), now.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(session(row, user.clone())?);
    }
    Ok(found)
}

fn session(row: &Row<'_>, user: Id) -> Result<Session, Failure> {
    Ok(Session {
        number: row.get(0)?,
        user,
        seal: row.get(2)?,
        created_at: Timestamp(row.get(3)?),
        expires_at: Timestamp(row.get(4)?),
        used_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        address: row.get(6)?,
        agent: row.get(7)?,
    })
}

fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        number: row.get(0)?,
        name: row.get(1)?,
        start: row.get(2)?,
        roles: roles(row.get_ref(3)?),
        created_at: Timestamp(row.get(4)?),
        expires_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        used_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}

/// The names in a JSON list. Whatever else somebody wrote there gives no role.
fn roles(found: ValueRef<'_>) -> Vec<String> {
    let text = found.as_str().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// A new session. A user that has as many as are kept loses the oldest.
pub(super) fn open(
    connected: &Connected,
    hash: &TokenHash,
    session: &Session,
) -> Result<usize, Failure> {
    let done = connected.statement(OPEN)?.execute(params![
        hash,
        BoundId(&session.user),
        session.seal,
        session.created_at.0,
        session.expires_at.0,
        session.used_at.map(|at| at.0),
        session.address,
        session.agent,
    ])?;
    let most = i64::try_from(connected.options.sessions_max).unwrap_or(i64::MAX);
    connected.statement(CROWDED)?.execute(params![BoundId(&session.user), most])?;
    Ok(done)
}

/// Sessions end. It is no failure where there are none.
pub(super) fn end(connected: &Connected, user: &Id, which: &Which) -> Result<usize, Failure> {
    let (only, but) = match which {
        Which::Number(number) => (Some(number), None),
        Which::Others(number) => (None, Some(number)),
        Which::All => (None, None),
    };
    connected.statement(END)?.execute(params![BoundId(user), only, but])?;
    Ok(1)
}

/// A session goes on under another password; one that has ended meanwhile does not.
pub(super) fn seal(connected: &Connected, number: i64, seal: &[u8; 16]) -> Result<usize, Failure> {
    connected.statement(SEAL)?.execute(params![number, seal])?;
    Ok(1)
}

/// Every key, those that have expired and are swept soon too.
pub(crate) fn keys(connected: &Connected) -> Result<Vec<ApiKey>, Failure> {
    let mut statement = connected.statement(KEYS)?;
    let rows = statement.query_map([], api_key)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A new key; gives its number.
pub(crate) fn create(
    connected: &Connected,
    hash: &TokenHash,
    key: &ApiKey,
) -> Result<i64, Failure> {
    let roles = serde_json::Value::from(key.roles.as_slice()).to_string();
    connected.statement(CREATE)?.execute(params![
        hash,
        key.name,
        key.start,
        roles,
        key.created_at.0,
        key.expires_at.map(|at| at.0),
    ])?;
    Ok(connected.connection.last_insert_rowid())
}

/// Makes the key of the options where there has never been one, and gives its number then.
pub(super) fn first(connected: &Connected) -> Result<Option<i64>, Failure> {
    let Some(new) = &connected.options.first_key else { return Ok(None) };
    if had_key(connected)? {
        return Ok(None);
    }
    let number = create(connected, &new.hash, &new.key)?;
    acts::append(connected, &acts::of_key(new.key.created_at, "create-key", number))?;
    Ok(Some(number))
}

/// The same in a transaction of its own, for a database that was there already.
pub(super) fn first_alone(connected: &Connected) -> Result<Option<i64>, Failure> {
    if connected.options.first_key.is_none() || had_key(connected)? {
        return Ok(None);
    }
    connected.run("BEGIN IMMEDIATE")?;
    let made = first(connected).and_then(|number| connected.run("COMMIT").map(|()| number));
    if made.is_err() && !connected.connection.is_autocommit() {
        // The first error is the one that counts.
        drop(connected.run("ROLLBACK"));
    }
    made
}

/// A key ends. False where there is none of this number.
pub(crate) fn revoke(connected: &Connected, number: i64) -> Result<bool, Failure> {
    Ok(connected.statement(REVOKE)?.execute([number])? > 0)
}

/// True where the database has ever had a key.
pub(crate) fn had_key(connected: &Connected) -> Result<bool, Failure> {
    Ok(connected.statement(EVER)?.query_row([], |row| row.get(0))?)
}

/// Writes down when something was last used.
pub(super) fn stamp(connected: &Connected, used: Used, at: Timestamp) -> Result<(), Failure> {
    let (table, number) = match used {
        Used::Session(number) => ("_methodical_sessions", number),
        Used::Key(number) => ("_methodical_api_keys", number),
    };
    let text =
        format!("UPDATE {table} SET used = ?2 WHERE number = ?1 AND (used IS NULL OR used < ?2)");
    connected.statement(&text)?.execute([number, at.0])?;
    Ok(())
}

/// What has expired.
const EXPIRED: [&str; 2] = [
    "DELETE FROM _methodical_sessions WHERE number IN \
     (SELECT number FROM _methodical_sessions WHERE expires <= ? ORDER BY expires LIMIT ?)",
    "DELETE FROM _methodical_api_keys WHERE number IN \
     (SELECT number FROM _methodical_api_keys WHERE expires <= ? ORDER BY expires LIMIT ?)",
];
const ANY_EXPIRED: &str = "SELECT EXISTS (SELECT 1 FROM _methodical_sessions WHERE expires <= ?1) \
    OR EXISTS (SELECT 1 FROM _methodical_api_keys WHERE expires <= ?1)";

/// True where something has expired.
pub(super) fn any_expired(connected: &Connected, now: Timestamp) -> Result<bool, Failure> {
    Ok(connected.statement(ANY_EXPIRED)?.query_row([now.0], |row| row.get(0))?)
}

/// Removes what has expired, so many rows at most of each kind; gives the larger number.
pub(super) fn sweep(connected: &Connected, now: Timestamp, chunk: i64) -> Result<usize, Failure> {
    let mut most = 0;
    for text in EXPIRED {
        most = most.max(connected.statement(text)?.execute([now.0, chunk])?);
    }
    Ok(most)
}

/// Sessions that are looked at in one transaction.
const LOOKED_AT: i64 = 4_096;
const LAST: &str = "SELECT max(number) FROM \
    (SELECT number FROM _methodical_sessions WHERE number > ? ORDER BY number LIMIT ?)";

/// Removes those of the next sessions behind a number whose user is gone in a way that no trigger
/// saw. Gives the number to go on from, if there are more.
pub(super) fn sweep_orphans(connected: &Connected, after: i64) -> Result<Option<i64>, Failure> {
    let last: Option<i64> =
        connected.statement(LAST)?.query_row([after, LOOKED_AT], |row| row.get(0))?;
    let Some(last) = last else { return Ok(None) };
    let gone = match connected.catalog.model.users() {
        Some(users) => format!(
            "NOT EXISTS (SELECT 1 FROM {} AS t WHERE t.\"id\" = user)",
            quote(&connected.catalog.resource(users).name)
        ),
        None => "true".to_owned(),
    };
    let text =
        format!("DELETE FROM _methodical_sessions WHERE number > ? AND number <= ? AND {gone}");
    connected.statement(&text)?.execute([after, last])?;
    Ok(Some(last))
}
