//! What access is measured on: the same records in four tables, of whose authors a few sign in.

use rusqlite::{Connection, params};

use crate::data::{mix, place};
use crate::fill::{Filling, chunks, signed};

/// To be changed with the data, so that no older database is taken for the same.
const EDITION: u32 = 1;
/// Users who sign in; made by the server, because they have passwords.
pub(super) const SIGNERS: u64 = 16;
/// Records of an author, however many there are in all.
pub(super) const OWN: u64 = 100;
/// Records of a topic.
pub(super) const FEW: u64 = 8;
/// The tables; the first is the open one.
pub(super) const TABLES: [&str; 4] = ["notices", "letters", "diaries", "stories"];
/// The fewest records of a table: below, somebody who signs in has none.
pub(super) const LEAST: u64 = SIGNERS * OWN;
const MOMENT: &str = "2026-06-01T12:00:00.000Z";

/// How many users go with so many records.
fn users(size: u64) -> u64 {
    size.div_ceil(OWN)
}

/// What a user is called.
pub(super) fn name(user: u64) -> String {
    format!("user-{user:06}")
}

/// Who wrote a record.
fn author(id: u64, size: u64) -> u64 {
    1 + place(id, size, 0) / OWN
}

/// What a record is about.
pub(super) fn topic(id: u64, size: u64) -> String {
    format!("T-{:08}", place(id, size, 1) / FEW)
}

/// Half are published, and all of those who sign in: so these see just what is published, and both
/// sides of a comparison answer with the same records.
fn status(id: u64, size: u64) -> &'static str {
    if author(id, size) <= SIGNERS || mix(id).is_multiple_of(2) { "published" } else { "draft" }
}

/// Says how a database of this size is filled.
pub(super) fn filled<T>(
    size: u64,
    done: impl FnOnce(&Filling<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let mut totals: Vec<(&str, u64)> = TABLES.iter().map(|table| (*table, size)).collect();
    totals.push(("users", users(size)));
    done(&Filling {
        name: "access",
        edition: EDITION,
        size,
        totals: &totals,
        rows: &|connection| rows(connection, size),
    })
}

fn rows(connection: &mut Connection, size: u64) -> rusqlite::Result<()> {
    let user = "INSERT INTO users (id, name, role, createdAt, updatedAt, _birth) \
                VALUES (?, ?, 'customer', ?, ?, 1)";
    chunks(connection, user, SIGNERS + 1..=users(size), |id, statement| {
        statement.execute(params![signed(id), name(id), MOMENT, MOMENT]).map(drop)
    })?;
    for table in TABLES {
        let record = format!(
            "INSERT INTO {table} (id, author, status, topic, title, note, createdAt, updatedAt, \
             _birth) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)"
        );
        chunks(connection, &record, 1..=size, |id, statement| {
            let values = params![
                signed(id),
                signed(author(id, size)),
                status(id, size),
                topic(id, size),
                format!("Title {:08}", mix(id) % 100_000_000),
                format!("{:016x} {:016x}", mix(id + 1), mix(id + 2)),
                MOMENT,
                MOMENT
            ];
            statement.execute(values).map(drop)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LEAST, SIGNERS, author, status};
    use std::collections::HashMap;

    #[test]
    fn who_signs_in_has_a_hundred_records_and_all_are_published() {
        for size in [LEAST, 10_000] {
            let mut own = HashMap::new();
            for id in (1..=size).filter(|id| author(*id, size) <= SIGNERS) {
                *own.entry(author(id, size)).or_insert(0) += 1;
                assert_eq!(status(id, size), "published");
            }
            assert!(own.len() == 16 && own.values().all(|number| *number == 100), "{own:?}");
        }
    }
}
