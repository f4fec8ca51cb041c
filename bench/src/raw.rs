//! The baseline of writes: the server's own statement on the server's own tables, without a
//! server. A group is one transaction of so many inserts.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::data::{INSERT, User};
use crate::load::Run;
use crate::process::Busy;

/// Leaves the tables, columns, constraints and indexes, and drops the triggers.
pub(crate) fn drop_triggers(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")?;
    let names: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for name in names {
        connection.execute_batch(&format!("DROP TRIGGER \"{name}\""))?;
    }
    Ok(())
}

/// A connection that writes with what the server promises: durable, references held.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; \
         PRAGMA wal_autocheckpoint = 4000;",
    )?;
    Ok(connection)
}

/// Inserts in groups of this size, each synced before the next.
pub(crate) fn inserts(path: &Path, group: u64, time: Duration) -> rusqlite::Result<Run> {
    let connection = open(path)?;
    let largest: i64 = connection.query_row("SELECT max(id) FROM users", [], |row| row.get(0))?;
    let mut next = u64::try_from(largest).unwrap_or(0) + 1;
    let (mut begin, mut insert, mut commit) = (
        connection.prepare("BEGIN IMMEDIATE")?,
        connection.prepare(INSERT)?,
        connection.prepare("COMMIT")?,
    );
    let users: Vec<User> = (0..4096).map(|number| User::of(next + number)).collect();
    let mut users = users.iter().cycle();
    let first = next;
    let before = Busy::of("self");
    let start = Instant::now();
    while start.elapsed() < time {
        begin.execute([])?;
        for user in users.by_ref().take(usize::try_from(group).unwrap_or(1)) {
            user.insert(next, &mut insert)?;
            next += 1;
        }
        commit.execute([])?;
    }
    let (answers, seconds) = (next - first, start.elapsed().as_secs_f64());
    Ok(Run { answers, seconds, busy: Busy::of("self").since(before), ..Run::default() })
}
