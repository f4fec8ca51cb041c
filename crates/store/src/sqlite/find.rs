//! Answers a lookup, level by level, on one connection. Who calls it holds the snapshot.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::model::{IdKind, ResourceIndex};
use model::query::{Column, Count, Filter};
use model::record::Record;
use model::value::{Id, Timestamp, Value};
use rusqlite::{CachedStatement, OptionalExtension, Statement, params};

use super::dependents::dependents;
use super::failure::{Failure, broken};
use super::session::Session;
use super::value::{Bound, BoundId, compared, joined, record};
use crate::fault::{Fault, on};
use crate::lookup::{
    Child, Current, Found, KeyHash, Lookup, Node, Page, Pick, Relation, Remembered, Row, Total,
};
use crate::sql::select::{Ask, Shape, terms};

const REMEMBERED: &str = "SELECT principal, fingerprint, answer, expires \
                          FROM _methodical_keys WHERE key = ? AND expires > ?";
const KEPT: &str = "SELECT change, total FROM _methodical_resource WHERE resource = ?";
const SEQUENCE: &str = "SELECT seq FROM sqlite_sequence WHERE name = ?";
/// Values in one IN-list; more of them are asked for in parts.
const AMONG_MAX: usize = 512;

/// Answers a lookup from one snapshot, which ends with it: no read transaction of a request
/// outlives its read.
pub(crate) fn snapshot(session: &Session, lookup: &Lookup) -> Result<Current, Failure> {
    if is_single(lookup) {
        return find(session, lookup);
    }
    session.run("BEGIN")?;
    let found = find(session, lookup);
    let ended = session.run("COMMIT");
    if ended.is_err() && !session.connection.is_autocommit() {
        // Whoever borrowed the connection sees that it is still in a transaction, and drops it.
        drop(session.run("ROLLBACK"));
    }
    found
}

/// What was found for a lookup.
pub(crate) fn find(session: &Session, lookup: &Lookup) -> Result<Current, Failure> {
    let remembered = match &lookup.remembered {
        Some(key) => remembered(session, key)?,
        None => None,
    };
    let mut roots = Vec::with_capacity(lookup.roots.len());
    for node in &lookup.roots {
        roots.push(root(session, node)?);
    }
    Ok(Current { remembered, roots })
}

/// True where one statement answers the lookup, so that it needs no transaction of its own.
pub(crate) fn is_single(lookup: &Lookup) -> bool {
    match (&lookup.remembered, lookup.roots.as_slice()) {
        (None, [node]) if node.children.is_empty() => match &node.pick {
            Pick::Key(_) => true,
            Pick::Page(page) => page.limit == 0 && page.count == Count::None,
            Pick::Related { .. } | Pick::Number(_) | Pick::NextId | Pick::Dependents { .. } => {
                false
            }
        },
        (Some(_), []) => true,
        _ => false,
    }
}

fn remembered(session: &Session, key: &KeyHash) -> Result<Option<Remembered>, Failure> {
    let now = (session.options.clock)();
    let mut statement = session.statement(REMEMBERED)?;
    let found = statement.query_row(params![key, now.0], |row| {
        Ok(Remembered {
            key: *key,
            principal: row.get(0)?,
            fingerprint: row.get(1)?,
            answer: row.get(2)?,
            expires_at: Timestamp(row.get(3)?),
        })
    });
    Ok(found.optional()?)
}

fn root(session: &Session, node: &Node) -> Result<Found, Failure> {
    let mut found = Found::default();
    let records = match &node.pick {
        Pick::Key(id) => by_key(session, node.resource, id)?,
        Pick::Page(page) => {
            let kept = kept(session, node.resource)?;
            found.change = kept.change;
            let records = by_page(session, node.resource, page)?;
            found.total = total_of_page(session, node.resource, page, records.len(), kept)?;
            records
        }
        Pick::Number(filter) => {
            let kept = kept(session, node.resource)?;
            found.change = kept.change;
            let total = total(session, node.resource, filter, Count::Bounded, kept)?;
            found.total = Some(total);
            Vec::new()
        }
        Pick::NextId => {
            found.next_id = next_id(session, node.resource)?;
            Vec::new()
        }
        Pick::Dependents { id, limit } => {
            found.dependents = Some(dependents(session, node.resource, id, *limit)?);
            Vec::new()
        }
        Pick::Related { .. } => {
            return Err(broken("`Related` was asked for without a parent"));
        }
    };
    found.rows = with_children(session, node, records)?;
    Ok(found)
}

/// What triggers keep of a resource.
#[derive(Clone, Copy)]
struct Kept {
    change: i64,
    total: u64,
}

fn kept(session: &Session, resource: ResourceIndex) -> Result<Kept, Failure> {
    let mut statement = session.statement(KEPT)?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let (change, total) = statement.query_row([session.catalog.number(resource)], read)?;
    let change = if on(Fault::ListEtagStale) { 0 } else { change };
    Ok(Kept { change, total: u64::try_from(total).unwrap_or(0) })
}

fn by_key(session: &Session, resource: ResourceIndex, id: &Id) -> Result<Vec<Record>, Failure> {
    let mut statement = session.statement(&session.catalog.texts[resource].key)?;
    statement.raw_bind_parameter(1, BoundId(id))?;
    collect(session, resource, &mut statement)
}

fn by_page(
    session: &Session,
    resource: ResourceIndex,
    page: &Page,
) -> Result<Vec<Record>, Failure> {
    if page.limit == 0 {
        return Ok(Vec::new());
    }
    let terms = terms(&page.filter);
    let shape = Shape::new(resource, Ask::Page, &terms, &page.sort);
    let mut statement = session.shaped(shape)?;
    let at = bind_terms(session, resource, &mut statement, &terms)?;
    statement.raw_bind_parameter(at, i64::from(page.limit))?;
    statement.raw_bind_parameter(at + 1, i64::try_from(page.offset).unwrap_or(i64::MAX))?;
    collect(session, resource, &mut statement)
}

/// Binds the values of a filter, and returns the next free parameter.
fn bind_terms(
    session: &Session,
    resource: ResourceIndex,
    statement: &mut Statement<'_>,
    terms: &[(Column, &Value)],
) -> Result<usize, Failure> {
    let declared = session.catalog.resource(resource);
    let mut at = 1;
    for (column, value) in terms {
        if matches!(value, Value::Null) {
            continue;
        }
        let folded = compared(declared, *column, value);
        statement.raw_bind_parameter(at, Bound(folded.as_ref().unwrap_or(value)))?;
        at += 1;
    }
    Ok(at)
}

fn collect(
    session: &Session,
    resource: ResourceIndex,
    statement: &mut CachedStatement<'_>,
) -> Result<Vec<Record>, Failure> {
    let declared = session.catalog.resource(resource);
    let mut rows = statement.raw_query();
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(declared, row)?);
    }
    Ok(records)
}

/// A page that is not full tells the total by itself.
fn total_of_page(
    session: &Session,
    resource: ResourceIndex,
    page: &Page,
    rows: usize,
    kept: Kept,
) -> Result<Option<Total>, Failure> {
    if page.count == Count::None {
        return Ok(None);
    }
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    let ends_here = rows < u64::from(page.limit) && (rows > 0 || page.offset == 0);
    if ends_here && !page.filter.is_all() {
        return Ok(Some(Total { records: page.offset + rows, is_lower_bound: false }));
    }
    total(session, resource, &page.filter, page.count, kept).map(Some)
}

fn total(
    session: &Session,
    resource: ResourceIndex,
    filter: &Filter,
    count: Count,
    kept: Kept,
) -> Result<Total, Failure> {
    let terms = terms(filter);
    if terms.is_empty() {
        return Ok(Total { records: kept.total, is_lower_bound: false });
    }
    let ask = if count == Count::Exact { Ask::Count } else { Ask::CountTo };
    let mut statement = session.shaped(Shape::new(resource, ask, &terms, &[]))?;
    let at = bind_terms(session, resource, &mut statement, &terms)?;
    let most = session.options.count_rows_max;
    if ask == Ask::CountTo {
        statement.raw_bind_parameter(at, i64::try_from(most).unwrap_or(i64::MAX - 1) + 1)?;
    }
    let mut rows = statement.raw_query();
    let counted = match rows.next()? {
        Some(row) => u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
        None => 0,
    };
    if ask == Ask::CountTo && counted > most {
        return Ok(Total { records: most, is_lower_bound: true });
    }
    Ok(Total { records: counted, is_lower_bound: false })
}

/// The id that the next insert gets: past every id that is or ever was. Ids that are text have no
/// order to go on from.
fn next_id(session: &Session, resource: ResourceIndex) -> Result<Option<i64>, Failure> {
    if session.catalog.resource(resource).id != IdKind::Integer {
        return Ok(None);
    }
    let Some(kept) = &session.next_ids else {
        return read_next_id(session, resource).map(Some);
    };
    let known = kept.borrow().get(&resource).copied();
    let next = match known {
        Some(next) => next,
        None => read_next_id(session, resource)?,
    };
    kept.borrow_mut().insert(resource, next);
    Ok(Some(next))
}

fn read_next_id(session: &Session, resource: ResourceIndex) -> Result<i64, Failure> {
    let name = &session.catalog.resource(resource).name;
    let sequence: Option<i64> =
        session.statement(SEQUENCE)?.query_row([name], |row| row.get(0)).optional()?;
    let largest: Option<i64> = session
        .statement(&session.catalog.texts[resource].largest)?
        .query_row([], |row| row.get(0))?;
    Ok(sequence.unwrap_or(0).max(largest.unwrap_or(0)) + 1)
}

/// Hangs on each record what its node wants with it.
fn with_children(
    session: &Session,
    node: &Node,
    records: Vec<Record>,
) -> Result<Vec<Row>, Failure> {
    if node.children.is_empty() || records.is_empty() {
        let row = |record| Row { record, children: vec![Found::default(); node.children.len()] };
        return Ok(records.into_iter().map(row).collect());
    }
    let mut hanging: Vec<Vec<Found>> = Vec::with_capacity(node.children.len());
    for child in &node.children {
        hanging.push(related(session, child, &records)?);
    }
    let mut columns: Vec<_> = hanging.into_iter().map(Vec::into_iter).collect();
    let row = |record| {
        let children = columns.iter_mut().map(|found| found.next().unwrap_or_default());
        Row { record, children: children.collect() }
    };
    Ok(records.into_iter().map(row).collect())
}

/// What a relation leads to: one `Found` a parent.
fn related(session: &Session, child: &Child, parents: &[Record]) -> Result<Vec<Found>, Failure> {
    let Pick::Related { limit } = child.node.pick else {
        return Err(broken("a child was asked for by another pick than `Related`"));
    };
    let resource = child.node.resource;
    let key = |parent: &Record| match child.relation {
        Relation::References(field) => joined(parent, field),
        Relation::ReferredBy(_) => Some(parent.id.clone()),
    };
    let by = match child.relation {
        Relation::References(_) => Column::Id,
        Relation::ReferredBy(field) => Column::Field(field),
    };
    let mut wanted: Vec<Id> = parents.iter().filter_map(key).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let change = kept(session, resource)?.change;
    let records = among(session, resource, by, &wanted, limit)?;
    let rows = with_children(session, &child.node, records)?;

    let mut groups: HashMap<Id, Vec<Row>> = HashMap::with_capacity(wanted.len());
    for row in rows {
        let id = match child.relation {
            Relation::References(_) => Some(row.record.id.clone()),
            Relation::ReferredBy(field) => joined(&row.record, field),
        };
        match id.map(|id| groups.entry(id)) {
            Some(Entry::Occupied(mut group)) => group.get_mut().push(row),
            Some(Entry::Vacant(place)) => drop(place.insert(vec![row])),
            None => {}
        }
    }
    let found = |parent: &Record| {
        let rows = key(parent).and_then(|id| groups.get(&id).cloned()).unwrap_or_default();
        Found { rows, change, ..Found::default() }
    };
    Ok(parents.iter().map(found).collect())
}

/// The records whose column is among these ids, ordered by it and their own id.
fn among(
    session: &Session,
    resource: ResourceIndex,
    by: Column,
    wanted: &[Id],
    limit: u32,
) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for part in wanted.chunks(AMONG_MAX) {
        let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(records.len());
        if left == 0 {
            break;
        }
        // Lists of a few lengths only, so that few statements are prepared; the last id fills up.
        let length = part.len().next_power_of_two();
        let shape =
            Shape { resource, ask: Ask::Among(length), terms: vec![(by, false)], sort: Vec::new() };
        let mut statement = session.shaped(shape)?;
        for at in 0..length {
            let id = &part[at.min(part.len() - 1)];
            statement.raw_bind_parameter(at + 1, BoundId(id))?;
        }
        statement.raw_bind_parameter(length + 1, i64::try_from(left).unwrap_or(i64::MAX))?;
        records.extend(collect(session, resource, &mut statement)?);
    }
    Ok(records)
}
