//! What raw SQLite takes for the same records: reading all of them, and inserting many in one
//! transaction. Each in a process of its own, on the core of the servers.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::data::{INSERT, Order};
use crate::load::Run;
use crate::process::Busy;

/// Reads orders by id until the time is over, every value of them.
pub(crate) fn reads(path: &Path, time: Duration) -> rusqlite::Result<Run> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA cache_size = -16384;")?;
    let mut statement = connection.prepare(
        "SELECT id, customer, product, region, placed, quantity, note, createdAt, updatedAt, \
         _birth, _version FROM orders ORDER BY id",
    )?;
    let columns = statement.column_count();
    let (before, start) = (Busy::of("self"), Instant::now());
    let (mut answers, mut weight) = (0_u64, 0_usize);
    'time: while start.elapsed() < time {
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                weight = weight.wrapping_add(match row.get_ref(column)? {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
                    ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Null => 8,
                });
            }
            answers += 1;
            if answers % 1024 == 0 && start.elapsed() >= time {
                break 'time;
            }
        }
    }
    // Looked at, so that nothing of it is left out.
    std::hint::black_box(weight);
    let (seconds, busy) = (start.elapsed().as_secs_f64(), Busy::of("self").since(before));
    Ok(Run { answers, seconds, busy, ..Run::default() })
}

/// Inserts so many orders in one transaction, synced.
pub(crate) fn inserts(path: &Path, size: u64, number: u64) -> rusqlite::Result<Run> {
    let connection = crate::raw::open(path)?;
    let largest: i64 = connection.query_row("SELECT max(id) FROM orders", [], |row| row.get(0))?;
    let next = u64::try_from(largest).unwrap_or(0) + 1;
    let orders: Vec<Order> = (next..next + number).map(|id| Order::of(id, size)).collect();
    let mut insert = connection.prepare(INSERT)?;
    let (before, start) = (Busy::of("self"), Instant::now());
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for (id, order) in (next..).zip(&orders) {
        order.insert(id, &mut insert)?;
    }
    connection.execute_batch("COMMIT")?;
    let (seconds, busy) = (start.elapsed().as_secs_f64(), Busy::of("self").since(before));
    Ok(Run { answers: number, seconds, busy, ..Run::default() })
}
