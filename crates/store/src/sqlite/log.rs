//! Reads the change log, with the records as they are in the same snapshot.

use model::model::ResourceIndex;
use model::query::Filter;
use model::record::{Record, Version};
use model::value::Id;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::failure::{Failure, broken};
use super::find::by_key;
use super::session::Session;
use crate::log::{After, Entry, Log, Operation, Since};

/// Entries that one question looks through at most: of one resource there may be few among many.
const SCANNED_MAX: i64 = 5_000;

const ENDS: &str = "SELECT coalesce((SELECT min(position) FROM _methodical_changes), 1), \
                    coalesce((SELECT max(position) FROM _methodical_changes), 0)";
const ENTRIES: &str = "SELECT position, resource, id, birth, version, operation \
    FROM _methodical_changes WHERE position > ?1 AND position <= ?2 \
    AND (?3 IS NULL OR resource = ?3) ORDER BY position LIMIT ?4";

/// What the log holds since a position.
pub(super) fn since(session: &Session, since: &Since) -> Result<Log, Failure> {
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let (oldest, newest) = session.statement(ENDS)?.query_row([], read)?;
    let mut log = Log { oldest, newest, end: newest, ..Log::default() };
    let after = match since.after {
        After::Newest => return Ok(log),
        After::Oldest => oldest - 1,
        After::Position(position) => position,
    };
    if after < oldest - 1 {
        return Ok(Log { is_gone: true, ..log });
    }
    let until = newest.min(after.saturating_add(SCANNED_MAX));
    let number = since.resource.map(|index| session.catalog.number(index));
    let mut statement = session.statement(ENTRIES)?;
    let mut rows = statement.query((after, until, number, i64::from(since.limit)))?;
    let mut last = after;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        count += 1;
        log.entries.extend(entry(session, row)?);
    }
    let is_full = count >= since.limit;
    // Behind the newest there is nothing yet.
    log.end = if is_full { last } else { until };
    records(session, &mut log.entries)?;
    Ok(log)
}

/// An entry, unless it is of a resource that is no longer declared.
fn entry(session: &Session, row: &Row<'_>) -> Result<Option<Entry>, Failure> {
    let number: i64 = row.get(1)?;
    let known = |index: &ResourceIndex| session.catalog.number(*index) == number;
    let Some(resource) = (0..session.catalog.model.resources.len()).find(known) else {
        return Ok(None);
    };
    let id = match row.get_ref(2)? {
        ValueRef::Integer(id) => Id::Integer(id),
        ValueRef::Text(id) => Id::Text(String::from_utf8_lossy(id).into_owned()),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => return Ok(None),
    };
    let operation = match row.get_ref(5)?.as_str().unwrap_or_default() {
        "insert" => Operation::Insert,
        "update" => Operation::Update,
        "delete" => Operation::Delete,
        other => return Err(broken(format!("the change log knows no operation {other:?}"))),
    };
    let version = Version { birth: row.get(3)?, counter: row.get(4)? };
    let position = row.get(0)?;
    Ok(Some(Entry { position, resource, id, version, operation, record: None }))
}

/// Adds what is there now under the id of each entry, each read once. Also where it was deleted:
/// it may have been created again, and of a row that was replaced from outside the entries come in
/// no certain order. So whoever puts what is there, and removes what is not, ends with the truth.
fn records(session: &Session, entries: &mut [Entry]) -> Result<(), Failure> {
    let mut known: Vec<((ResourceIndex, Id), Option<Record>)> = Vec::new();
    for entry in entries {
        let key = (entry.resource, entry.id.clone());
        entry.record = match known.iter().find(|(other, _)| *other == key) {
            Some((_, record)) => record.clone(),
            None => {
                let record = by_key(session, entry.resource, &entry.id, &Filter::all())?.pop();
                known.push((key, record.clone()));
                record
            }
        };
    }
    Ok(())
}
