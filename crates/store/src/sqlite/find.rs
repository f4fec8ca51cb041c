//! Answers a lookup, level by level, on one connection. Who calls it holds the snapshot.

use std::borrow::Cow;

use model::model::{IdKind, ResourceIndex};
use model::query::{Column, Comparison, Count, Filter, Sort, total_order};
use model::record::Record;
use model::value::{Id, Timestamp};
use rusqlite::{CachedStatement, OptionalExtension, params};

use super::bind::bind_terms;
use super::dependents::dependents;
use super::failure::{Failure, broken};
use super::keyset::branches;
use super::session::Session;
use super::value::{BoundId, record};
use super::{acts, aggregate, code, credential, log, queue, related};
use crate::credential::CREDENTIALS;
use crate::fault::{Fault, on};
use crate::lookup::{Beside, Current, Found, KeyHash, Lookup, Node, Page, Pick, Remembered, Total};
use crate::sql::apart::{For, apart};
use crate::sql::select::{Ask, Shape};
use crate::sql::term::{Term, terms};

const REMEMBERED: &str = "SELECT principal, fingerprint, answer, expires \
                          FROM _methodical_keys WHERE key = ? AND expires > ?";
const KEPT: &str = "SELECT total FROM _methodical_resource WHERE resource = ?";
const STATE: &str = "SELECT change FROM _methodical_resource WHERE resource = ?";
const CREDENTIALS_STATE: &str = "SELECT change FROM _methodical_credentials";
/// Both that what is known of a caller depends on: asked for with every request that is signed in.
const CALLER_STATE: &str = "SELECT (SELECT change FROM _methodical_credentials), \
                            (SELECT change FROM _methodical_resource WHERE resource = ?)";
/// Change counters that one statement reads.
const STATES_AT_ONCE: usize = 16;
const SEQUENCE: &str = "SELECT seq FROM sqlite_sequence WHERE name = ?";

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
    let states = states(session, &lookup.states)?;
    let credential = match &lookup.credential {
        Some(hash) => credential::credential(session, hash)?,
        None => None,
    };
    let sessions = match &lookup.sessions {
        Some(user) => credential::sessions(session, user)?,
        None => Vec::new(),
    };
    let mut roots = Vec::with_capacity(lookup.roots.len());
    for node in &lookup.roots {
        roots.push(root(session, node)?);
    }
    let log = match &lookup.log {
        Some(since) => Some(log::since(session, since)?),
        None => None,
    };
    let acts = match &lookup.acts {
        Some(acts) => acts::find(session, acts)?,
        None => Vec::new(),
    };
    let none = Beside::default();
    let beside = lookup.beside.as_deref().unwrap_or(&none);
    let code = match &beside.code {
        Some(hash) => code::find(session, hash)?,
        None => None,
    };
    let confirmed = match &beside.confirmed {
        Some(user) => code::confirmed(session, user)?,
        None => None,
    };
    let jobs = beside.jobs.map_or(Ok(Vec::new()), |jobs| queue::find(session, jobs))?;
    Ok(Current {
        remembered,
        states,
        roots,
        log,
        credential,
        sessions,
        acts,
        code,
        confirmed,
        jobs,
    })
}

/// True where one statement answers the lookup, so that it needs no transaction of its own.
pub(crate) fn is_single(lookup: &Lookup) -> bool {
    // A credential is looked for among sessions and among keys, and so has two.
    if lookup.log.is_some() || lookup.credential.is_some() || lookup.beside.is_some() {
        return false;
    }
    let more = [lookup.sessions.is_some(), lookup.acts.is_some()];
    if more.contains(&true) {
        let is_bare = lookup.states.is_empty() && lookup.roots.is_empty();
        return more == [true, false] && is_bare && lookup.remembered.is_none();
    }
    match (&lookup.remembered, lookup.states.len(), lookup.roots.as_slice()) {
        (None, 0, [node]) => node.children.is_empty() && matches!(node.pick, Pick::Key(_)),
        (None, 1..=STATES_AT_ONCE, []) | (Some(_), 0, []) => true,
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
        Pick::Key(id) => by_key(session, node.resource, id, &node.among)?,
        Pick::Page(page) => {
            let records = if page.is_ranked {
                let (records, ranks) = ranked(session, node.resource, page)?;
                found.ranks = ranks;
                records
            } else {
                by_page(session, node.resource, page)?
            };
            found.total = total_of_page(session, node.resource, page, records.len())?;
            records
        }
        Pick::Number(filter) => {
            found.total = Some(total(session, node.resource, filter, Count::Bounded)?);
            Vec::new()
        }
        Pick::Groups(groups) => {
            (found.groups, found.total) = aggregate::find(session, node.resource, groups)?;
            Vec::new()
        }
        Pick::NextId => {
            found.next_id = next_id(session, node.resource)?;
            Vec::new()
        }
        Pick::Dependents { id, limit, seen } => {
            found.dependents = Some(dependents(session, node.resource, id, *limit, seen)?);
            Vec::new()
        }
        Pick::Related { .. } => {
            return Err(broken("`Related` was asked for without a parent"));
        }
    };
    found.rows = related::with_children(session, node, records)?;
    Ok(found)
}

/// The change counters of tables, and of CREDENTIALS. They are asked for with every request that is
/// signed in, so as many as that takes are one statement.
fn states(session: &Session, of: &[ResourceIndex]) -> Result<Vec<i64>, Failure> {
    let mut states = Vec::with_capacity(of.len());
    for some in of.chunks(STATES_AT_ONCE) {
        let text = states_text(some);
        let mut statement = session.statement(&text)?;
        let tables = some.iter().filter(|resource| **resource != CREDENTIALS);
        for (at, resource) in (1..).zip(tables) {
            statement.raw_bind_parameter(at, session.catalog.number(*resource))?;
        }
        let mut rows = statement.raw_query();
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        for at in 0..some.len() {
            let change: i64 = row.get(at)?;
            states.push(if on(Fault::ListEtagStale) { 0 } else { change });
        }
    }
    Ok(states)
}

fn states_text(of: &[ResourceIndex]) -> Cow<'static, str> {
    match of {
        [CREDENTIALS] => return CREDENTIALS_STATE.into(),
        [CREDENTIALS, users] if *users != CREDENTIALS => return CALLER_STATE.into(),
        [_] => return STATE.into(),
        _ => {}
    }
    let each = of.iter().map(|resource| match *resource {
        CREDENTIALS => format!("({CREDENTIALS_STATE})"),
        _ => format!("({STATE})"),
    });
    format!("SELECT {}", each.collect::<Vec<_>>().join(", ")).into()
}

/// What triggers keep of a resource.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    pub(super) total: u64,
}

pub(super) fn kept(session: &Session, resource: ResourceIndex) -> Result<Kept, Failure> {
    let mut statement = session.statement(KEPT)?;
    let total: i64 = statement.query_row([session.catalog.number(resource)], |row| row.get(0))?;
    Ok(Kept { total: u64::try_from(total).unwrap_or(0) })
}

pub(super) fn by_key(
    session: &Session,
    resource: ResourceIndex,
    id: &Id,
    among: &Filter,
) -> Result<Vec<Record>, Failure> {
    if !among.is_all() {
        // What is hidden is found by the same statement as what is not there: it is not found.
        let named = Comparison::Equal(id.to_value());
        let mut all = vec![Term::new(Column::Id.into(), &named)];
        all.extend(terms(among));
        return all_of(session, resource, &all);
    }
    let mut statement = session.statement(&session.catalog.texts[resource].key)?;
    statement.raw_bind_parameter(1, BoundId(id))?;
    collect(session, resource, &mut statement)
}

/// The records that fulfil every term, in no order.
pub(super) fn all_of(
    session: &Session,
    resource: ResourceIndex,
    terms: &[Term<'_>],
) -> Result<Vec<Record>, Failure> {
    let mut statement = session.shaped(Shape::new(resource, Ask::Among, terms, &[]))?;
    bind_terms(session, resource, &mut statement, terms)?;
    collect(session, resource, &mut statement)
}

fn by_page(
    session: &Session,
    resource: ResourceIndex,
    page: &Page,
) -> Result<Vec<Record>, Failure> {
    let order = total_order(&page.sort);
    let Some(after) = &page.after else {
        let own = apart(&session.catalog.model, resource, &page.filter, (For::Page, &[]));
        let limit = u64::from(page.limit);
        return ordered(session, resource, &own, &order, limit, page.offset);
    };
    let order: Vec<Sort> =
        if after.backwards { order.iter().map(reversed).collect() } else { order };
    let mut records: Vec<Record> = Vec::new();
    for branch in branches(session.catalog.resource(resource), &order, &after.values) {
        let left = u64::from(page.limit).saturating_sub(records.len() as u64);
        if left == 0 {
            break;
        }
        let place: Vec<(Column, &Comparison)> =
            branch.iter().map(|(column, it)| (*column, it)).collect();
        let all = apart(&session.catalog.model, resource, &page.filter, (For::Page, &place));
        records.extend(ordered(session, resource, &all, &order, left, 0)?);
    }
    if after.backwards {
        records.reverse();
    }
    Ok(records)
}

/// A page by how well its records match, with what says how well. As many are ranked as are
/// counted, and at least as many as the page reaches.
fn ranked(
    session: &Session,
    resource: ResourceIndex,
    page: &Page,
) -> Result<(Vec<Record>, Vec<f64>), Failure> {
    let declared = session.catalog.resource(resource);
    let terms = terms(&page.filter);
    if !terms.first().is_some_and(|term| term.form.is_search()) {
        // Nothing is searched for any more: what matches is known to be hidden.
        return Ok((Vec::new(), Vec::new()));
    }
    let mut statement = session.shaped(Shape::new(resource, Ask::Ranked, &terms, &[]))?;
    let at = bind_terms(session, resource, &mut statement, &terms)?;
    let offset = i64::try_from(page.offset).unwrap_or(i64::MAX);
    let most = i64::try_from(session.options.count_rows_max).unwrap_or(i64::MAX);
    let most = most.max(offset.saturating_add(page.limit.into()));
    statement.raw_bind_parameter(at, most)?;
    statement.raw_bind_parameter(at + 1, i64::from(page.limit))?;
    statement.raw_bind_parameter(at + 2, offset)?;
    let rank = statement.column_count() - 1;
    let mut rows = statement.raw_query();
    let (mut records, mut ranks) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        records.push(record(declared, row)?);
        ranks.push(row.get(rank)?);
    }
    Ok((records, ranks))
}

fn reversed(key: &Sort) -> Sort {
    Sort { descending: !key.descending, ..*key }
}

/// The records that fulfil every term, in a total order.
pub(super) fn ordered(
    session: &Session,
    resource: ResourceIndex,
    terms: &[Term<'_>],
    order: &[Sort],
    limit: u64,
    offset: u64,
) -> Result<Vec<Record>, Failure> {
    let mut statement = session.shaped(Shape::new(resource, Ask::Page, terms, order))?;
    let at = bind_terms(session, resource, &mut statement, terms)?;
    statement.raw_bind_parameter(at, i64::try_from(limit).unwrap_or(i64::MAX))?;
    statement.raw_bind_parameter(at + 1, i64::try_from(offset).unwrap_or(i64::MAX))?;
    collect(session, resource, &mut statement)
}

pub(super) fn collect(
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
) -> Result<Option<Total>, Failure> {
    if page.count == Count::None {
        return Ok(None);
    }
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    let is_first = page.after.is_none() && page.offset == 0;
    let ends_here = page.after.is_none() && rows < u64::from(page.limit) && (rows > 0 || is_first);
    if ends_here && !page.filter.is_all() {
        return Ok(Some(Total { records: page.offset + rows, is_lower_bound: false }));
    }
    total(session, resource, &page.filter, page.count).map(Some)
}

fn total(
    session: &Session,
    resource: ResourceIndex,
    filter: &Filter,
    count: Count,
) -> Result<Total, Failure> {
    let terms = apart(&session.catalog.model, resource, filter, (For::Number, &[]));
    if terms.is_empty() {
        let kept = kept(session, resource)?;
        return Ok(Total { records: kept.total, is_lower_bound: false });
    }
    let ask = if count == Count::Exact { Ask::Count } else { Ask::CountTo };
    counted(session, resource, ask, &terms)
}

/// How many a question finds, up to where counting stops if it does.
pub(super) fn counted(
    session: &Session,
    resource: ResourceIndex,
    ask: Ask,
    terms: &[Term<'_>],
) -> Result<Total, Failure> {
    let is_bounded = !matches!(ask, Ask::Count | Ask::AllGroups(_));
    let mut statement = session.shaped(Shape::new(resource, ask, terms, &[]))?;
    let at = bind_terms(session, resource, &mut statement, terms)?;
    let most = session.options.count_rows_max;
    if is_bounded {
        statement.raw_bind_parameter(at, i64::try_from(most).unwrap_or(i64::MAX - 1) + 1)?;
    }
    let mut rows = statement.raw_query();
    let counted = match rows.next()? {
        Some(row) => u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
        None => 0,
    };
    if is_bounded && counted > most {
        return Ok(Total { records: most, is_lower_bound: true });
    }
    Ok(Total { records: counted, is_lower_bound: false })
}

/// The id that the next insert gets: past every id that is or ever was. Ids that are text have no
/// order to go on from.
pub(super) fn next_id(session: &Session, resource: ResourceIndex) -> Result<Option<i64>, Failure> {
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
