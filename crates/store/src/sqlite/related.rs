//! What hangs on records by relation, each level in as few statements as it takes.

use std::collections::HashMap;

use model::model::{FieldIndex, ResourceIndex};
use model::query::{Column, Comparison, Filter, Relation, Sort};
use model::record::Record;
use model::value::Id;

use super::failure::{Failure, broken};
use super::find::{all_of, ordered};
use super::session::Session;
use super::value::joined;
use crate::lookup::{Child, Found, Node, Pick, Row};
use crate::sql::term::{Term, terms};

/// Values in one IN-list; more of them are asked for in parts.
const AMONG_MAX: usize = 512;

/// Hangs on each record what its node wants with it.
pub(super) fn with_children(
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
    let Pick::Related { each, limit } = child.node.pick else {
        return Err(broken("a child was asked for by another pick than `Related`"));
    };
    match child.relation {
        Relation::References(field) => referred(session, &child.node, field, parents),
        Relation::ReferredBy(field) => {
            referring(session, &child.node, field, parents, Bounds { each, left: limit })
        }
    }
}

/// The record that each parent refers to: there is one, or none.
fn referred(
    session: &Session,
    node: &Node,
    field: FieldIndex,
    parents: &[Record],
) -> Result<Vec<Found>, Failure> {
    let mut wanted: Vec<Id> = parents.iter().filter_map(|parent| joined(parent, field)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let records = with_ids(session, node.resource, &wanted, &node.among)?;
    let rows = with_children(session, node, records)?;
    let by_id: HashMap<Id, Row> =
        rows.into_iter().map(|row| (row.record.id.clone(), row)).collect();
    let found = |parent: &Record| {
        let row = joined(parent, field).and_then(|id| by_id.get(&id).cloned());
        Found { rows: row.into_iter().collect(), ..Found::default() }
    };
    Ok(parents.iter().map(found).collect())
}

/// How many records may still be read.
struct Bounds {
    each: u32,
    left: u32,
}

/// The records that refer to each parent, the first by id. A statement a parent: so a parent to
/// which a million refer costs as little as one to which few do.
fn referring(
    session: &Session,
    node: &Node,
    field: FieldIndex,
    parents: &[Record],
    mut bounds: Bounds,
) -> Result<Vec<Found>, Failure> {
    let order = [Sort { column: Column::Id, descending: false }];
    let mut records = Vec::new();
    let mut counts = Vec::with_capacity(parents.len());
    for parent in parents {
        let most = bounds.each.min(bounds.left);
        let named = Comparison::Equal(parent.id.to_value());
        let mut all = vec![Term::new(Column::Field(field).into(), &named)];
        all.extend(terms(&node.among));
        // One more tells whether there are more.
        let limit = u64::from(most) + 1;
        let mut found = ordered(session, node.resource, &all, &order, limit, 0)?;
        let is_cut = found.len() > most as usize;
        found.truncate(most as usize);
        bounds.left -= u32::try_from(found.len()).unwrap_or(bounds.left);
        counts.push((found.len(), is_cut));
        records.extend(found);
    }
    let mut rows = with_children(session, node, records)?.into_iter();
    let found = |(count, is_cut)| Found {
        rows: rows.by_ref().take(count).collect(),
        is_cut,
        ..Found::default()
    };
    Ok(counts.into_iter().map(found).collect())
}

/// The records with these ids, as far as they are among those.
pub(super) fn with_ids(
    session: &Session,
    resource: ResourceIndex,
    wanted: &[Id],
    among: &Filter,
) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::with_capacity(wanted.len());
    for part in wanted.chunks(AMONG_MAX) {
        let named = Comparison::In(part.iter().map(Id::to_value).collect());
        let mut all = vec![Term::new(Column::Id.into(), &named)];
        all.extend(terms(among));
        records.extend(all_of(session, resource, &all)?);
    }
    Ok(records)
}
