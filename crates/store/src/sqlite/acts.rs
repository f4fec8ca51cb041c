//! The audit log: its table, what is added to it, and how it is read.

use model::value::{Id, Timestamp};
use rusqlite::{Row, ToSql, params};

use super::failure::Failure;
use super::session::Session;
use crate::audit_log::{Act, Actor, Acts, Entry, Ids};
use crate::spool::Spool;

/// Most entries that are written for the records of one bulk. Of a larger one whose ids do not
/// follow on each other it is only written down how many there were.
const ENTRIES_MAX: u64 = 1_000;

/// The table. Times and numbers are short and names are text, so that an entry outlives what it
/// names; `name` is what the resource was called then. Each index ends in the time, by which
/// entries are read.
pub(crate) const TABLES: &str = "
CREATE TABLE _methodical_audit (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  actor_id TEXT,
  operation TEXT NOT NULL,
  resource INTEGER,
  name TEXT,
  record TEXT,
  records INTEGER NOT NULL,
  first INTEGER,
  last INTEGER,
  address TEXT NOT NULL,
  request TEXT NOT NULL
) STRICT;
CREATE INDEX \"_methodical_audit(at)\" ON _methodical_audit (at);
CREATE INDEX \"_methodical_audit(record)\" ON _methodical_audit (record, resource, at)
  WHERE record IS NOT NULL;
CREATE INDEX \"_methodical_audit(last)\" ON _methodical_audit (resource, last)
  WHERE last IS NOT NULL;
CREATE INDEX \"_methodical_audit(actor)\" ON _methodical_audit (actor_id, actor, at);
";

const APPEND: &str = "INSERT INTO _methodical_audit \
    (at, actor, actor_id, operation, resource, name, record, records, first, last, address, \
    request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const COLUMNS: &str = "number, at, actor, actor_id, operation, resource, name, record, records, \
    address, request, first, last";
/// The newest entry stays, so that no number is given twice.
const OLD: &str = "DELETE FROM _methodical_audit WHERE number IN \
    (SELECT number FROM _methodical_audit WHERE at < ?1 ORDER BY at LIMIT ?2) \
    AND number < (SELECT max(number) FROM _methodical_audit)";
const ANY_OLD: &str = "SELECT EXISTS (SELECT 1 FROM _methodical_audit WHERE at < ? \
    AND number < (SELECT max(number) FROM _methodical_audit))";

/// Adds an entry, or one for each record of a bulk.
pub(crate) fn append(session: &Session, act: &Act) -> Result<usize, Failure> {
    match &act.ids {
        Ids::Rows(rows) if rows.rows() <= ENTRIES_MAX => each(session, act, rows),
        Ids::Unnamed | Ids::Span(..) | Ids::Rows(_) => one(session, act),
    }
}

fn each(session: &Session, act: &Act, rows: &Spool) -> Result<usize, Failure> {
    let fields = act.resource.map_or(0, |index| session.catalog.resource(index).fields.len());
    let mut reading = rows.read(fields)?;
    let mut written = 0;
    while let Some(row) = reading.next()? {
        let act = Act { record: row.id, records: 1, ids: Ids::Unnamed, ..act.clone() };
        written += one(session, &act)?;
    }
    Ok(written)
}

fn one(session: &Session, act: &Act) -> Result<usize, Failure> {
    let span = match act.ids {
        Ids::Span(first, last) => Some((first, last)),
        Ids::Unnamed | Ids::Rows(_) => None,
    };
    let number = act.resource.map(|index| session.catalog.number(index));
    let name = act.resource.map(|index| session.catalog.resource(index).name.as_str());
    Ok(session.statement(APPEND)?.execute(params![
        act.at.0,
        act.actor.kind,
        act.actor.id,
        act.operation,
        number,
        name,
        act.record.as_ref().map(ToString::to_string),
        i64::try_from(act.records).unwrap_or(i64::MAX),
        span.map(|(first, _)| first),
        span.map(|(_, last)| last),
        act.address,
        act.request,
    ])?)
}

/// What the audit log says of a command of the operator's.
pub(crate) fn of_operator(at: Timestamp, operation: &'static str) -> Act {
    Act {
        at,
        actor: Actor { kind: "operator", id: None },
        operation,
        resource: None,
        record: None,
        records: 1,
        ids: Ids::Unnamed,
        address: String::new(),
        request: String::new(),
    }
}

/// What the audit log says of the operator and a key.
pub(crate) fn of_key(at: Timestamp, operation: &'static str, number: i64) -> Act {
    Act { record: Some(Id::Text(number.to_string())), ..of_operator(at, operation) }
}

/// What the log has of these, the newest first. The order is that of time and then of numbers,
/// which every index gives; `before` counts from the entry of that number on.
pub(super) fn find(session: &Session, acts: &Acts) -> Result<Vec<Entry>, Failure> {
    let number = acts.resource.map(|index| session.catalog.number(index));
    let record = acts.record.as_ref().map(ToString::to_string);
    let within = match &acts.record {
        Some(Id::Integer(id)) => Some(*id),
        Some(Id::Text(_)) | None => None,
    };
    let limit = i64::from(acts.limit);
    let mut terms: Vec<&str> = Vec::new();
    let mut bound: Vec<(&str, &dyn ToSql)> = vec![(":limit", &limit)];
    if let Some(id) = &within {
        bound.push((":within", id));
    }
    let mut ask = |term, name, value| {
        terms.push(term);
        bound.push((name, value));
    };
    if let Some(before) = &acts.before {
        ask(
            "(at, number) < (coalesce((SELECT at FROM _methodical_audit WHERE number <= :before \
             ORDER BY number DESC LIMIT 1), 0), :before)",
            ":before",
            before as &dyn ToSql,
        );
    }
    if let Some(since) = &acts.since {
        ask("at >= :since", ":since", &since.0);
    }
    if let Some(until) = &acts.until {
        ask("at < :until", ":until", &until.0);
    }
    if let Some(operation) = &acts.operation {
        ask("operation = :operation", ":operation", operation);
    }
    if let Some(number) = &number {
        ask("resource = :resource", ":resource", number);
    }
    if let Some(record) = &record {
        let term = match within {
            Some(_) => "(record = :record OR first <= :within AND last >= :within)",
            None => "record = :record",
        };
        ask(term, ":record", record);
    }
    if let Some(id) = &acts.actor_id {
        ask("actor_id = :id", ":id", id);
    }
    if let Some(actor) = &acts.actor {
        ask("actor = :actor", ":actor", actor);
    }
    // Who has no id is found by that.
    if acts.actor_id.is_none() && matches!(acts.actor.as_deref(), Some("nobody" | "operator")) {
        terms.push("actor_id IS NULL");
    }
    let filter = if terms.is_empty() { "true".to_owned() } else { terms.join(" AND ") };
    let text = format!(
        "SELECT {COLUMNS} FROM _methodical_audit WHERE {filter} \
         ORDER BY at DESC, number DESC LIMIT :limit"
    );
    let mut statement = session.statement(&text)?;
    let mut rows = statement.query(bound.as_slice())?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(session, row)?);
    }
    Ok(entries)
}

fn entry(session: &Session, row: &Row<'_>) -> Result<Entry, Failure> {
    let number: Option<i64> = row.get(5)?;
    // What the resource is called now, where it is still declared.
    let declared = number.and_then(|number| {
        let resources = &session.catalog.model.resources;
        (0..resources.len())
            .find(|index| session.catalog.number(*index) == number)
            .map(|index| resources[index].name.clone())
    });
    Ok(Entry {
        number: row.get(0)?,
        at: Timestamp(row.get(1)?),
        actor: row.get(2)?,
        actor_id: row.get(3)?,
        operation: row.get(4)?,
        resource: match declared {
            Some(name) => Some(name),
            None => row.get(6)?,
        },
        record: row.get(7)?,
        records: u64::try_from(row.get::<_, i64>(8)?).unwrap_or(0),
        address: row.get(9)?,
        request: row.get(10)?,
        span: row.get::<_, Option<i64>>(11)?.zip(row.get(12)?),
    })
}

/// True where entries are older than they are kept.
pub(super) fn any_old(session: &Session, oldest: Timestamp) -> Result<bool, Failure> {
    Ok(session.statement(ANY_OLD)?.query_row([oldest.0], |row| row.get(0))?)
}

/// Removes entries that are older than they are kept, so many at most.
pub(super) fn sweep(session: &Session, oldest: Timestamp, chunk: i64) -> Result<usize, Failure> {
    Ok(session.statement(OLD)?.execute([oldest.0, chunk])?)
}
