//! Finds what depends on a record: breadth first through the references that cascade, in circles
//! too, a level of ids at a time, and no further than a limit.

use std::collections::{BTreeMap, HashSet};

use model::model::{FieldIndex, OnDelete, ResourceIndex};
use model::value::Id;
use rusqlite::CachedStatement;

use super::failure::Failure;
use super::session::Session;
use super::value::{BoundId, id};
use crate::dependents::{Dependent, Dependents};
use crate::sql::dependents::{Own, referrers, restrictions};

/// Values in one IN-list; more of them are asked for in parts.
const AMONG_MAX: usize = 512;

/// What depends on a record, in the snapshot that the session has open.
pub(crate) fn dependents(
    session: &Session,
    resource: ResourceIndex,
    root: &Id,
    limit: u32,
) -> Result<Dependents, Failure> {
    let mut walk = Walk::new(session, limit);
    walk.deleted.insert((resource, root.clone()));
    let mut level = BTreeMap::from([(resource, vec![root.clone()])]);
    while !level.is_empty() && !walk.is_over() {
        let mut next = BTreeMap::new();
        for (target, ids) in &level {
            walk.meet(*target, ids, &mut next)?;
        }
        level = next;
    }
    Ok(walk.counted())
}

/// What was found so far.
struct Walk<'s> {
    session: &'s Session,
    limit: u64,
    /// The record itself, and those that go along.
    deleted: HashSet<(ResourceIndex, Id)>,
    /// Those that are deleted or cleared along.
    touched: HashSet<(ResourceIndex, Id)>,
    cascading: BTreeMap<(ResourceIndex, FieldIndex), u64>,
    clearing: BTreeMap<(ResourceIndex, FieldIndex), Vec<Id>>,
    restricting: BTreeMap<(ResourceIndex, FieldIndex), u64>,
}

impl<'s> Walk<'s> {
    fn new(session: &'s Session, limit: u32) -> Self {
        Self {
            session,
            limit: u64::from(limit),
            deleted: HashSet::new(),
            touched: HashSet::new(),
            cascading: BTreeMap::new(),
            clearing: BTreeMap::new(),
            restricting: BTreeMap::new(),
        }
    }

    fn is_over(&self) -> bool {
        u64::try_from(self.touched.len()).unwrap_or(u64::MAX) > self.limit
    }

    /// Meets all that refers to these records, and notes what goes along with them.
    fn meet(
        &mut self,
        target: ResourceIndex,
        ids: &[Id],
        next: &mut BTreeMap<ResourceIndex, Vec<Id>>,
    ) -> Result<(), Failure> {
        let catalog = &self.session.catalog;
        for (resource, field, on_delete) in catalog.model.referrers(target) {
            for part in ids.chunks(AMONG_MAX) {
                if self.is_over() {
                    return Ok(());
                }
                match on_delete {
                    OnDelete::Restrict => self.restrict(target, resource, field, part)?,
                    OnDelete::Cascade => {
                        let along = next.entry(resource).or_default();
                        self.cascade(resource, field, part, along)?;
                    }
                    OnDelete::Clear => self.clear(resource, field, part)?,
                }
            }
        }
        next.retain(|_, ids| !ids.is_empty());
        Ok(())
    }

    fn restrict(
        &mut self,
        target: ResourceIndex,
        resource: ResourceIndex,
        field: FieldIndex,
        part: &[Id],
    ) -> Result<(), Failure> {
        let counted = self.restricting.get(&(resource, field)).copied().unwrap_or(0);
        if counted > self.limit {
            return Ok(());
        }
        let own = if resource == target { Own::Passed } else { Own::None };
        let length = part.len().next_power_of_two();
        let declared = self.session.catalog.resource(resource);
        let text = restrictions(declared, field, length, own);
        let mut statement = self.session.statement(&text)?;
        bind(&mut statement, part, length, self.limit + 1 - counted)?;
        let mut rows = statement.raw_query();
        if let Some(row) = rows.next()? {
            let more = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
            if more > 0 {
                self.restricting.insert((resource, field), counted + more);
            }
        }
        Ok(())
    }

    fn cascade(
        &mut self,
        resource: ResourceIndex,
        field: FieldIndex,
        part: &[Id],
        along: &mut Vec<Id>,
    ) -> Result<(), Failure> {
        self.each(resource, field, part, |walk, id| {
            if walk.deleted.insert((resource, id.clone())) {
                walk.touched.insert((resource, id.clone()));
                *walk.cascading.entry((resource, field)).or_default() += 1;
                along.push(id);
            }
        })
    }

    fn clear(
        &mut self,
        resource: ResourceIndex,
        field: FieldIndex,
        part: &[Id],
    ) -> Result<(), Failure> {
        self.each(resource, field, part, |walk, id| {
            if !walk.deleted.contains(&(resource, id.clone())) {
                walk.touched.insert((resource, id.clone()));
                walk.clearing.entry((resource, field)).or_default().push(id);
            }
        })
    }

    /// Each record that refers to one of these, until there are too many.
    fn each(
        &mut self,
        resource: ResourceIndex,
        field: FieldIndex,
        part: &[Id],
        mut found: impl FnMut(&mut Self, Id),
    ) -> Result<(), Failure> {
        // Lists of a few lengths only, so that few statements are prepared; the last id fills up.
        let length = part.len().next_power_of_two();
        let session = self.session;
        let declared = session.catalog.resource(resource);
        let mut statement = session.statement(&referrers(declared, field, length))?;
        // As many can be known already as the limit allows, and the record itself.
        bind(&mut statement, part, length, self.limit + 2)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            found(self, id(declared, row.get_ref(0)?)?);
            if self.is_over() {
                break;
            }
        }
        Ok(())
    }

    fn counted(self) -> Dependents {
        let is_partial = self.is_over();
        let deleted = &self.deleted;
        let dependent = |((resource, field), records)| Dependent {
            resource,
            field,
            records,
            is_lower_bound: is_partial,
        };
        let mut references: Vec<Dependent> = self.cascading.into_iter().map(dependent).collect();
        // Whoever was cleared first may have turned out to go along.
        references.extend(self.clearing.into_iter().map(|((resource, field), ids)| {
            let stays = |id: &Id| !deleted.contains(&(resource, id.clone()));
            let records = ids.into_iter().filter(stays).count();
            dependent(((resource, field), u64::try_from(records).unwrap_or(u64::MAX)))
        }));
        references.extend(self.restricting.into_iter().map(|(place, records)| Dependent {
            is_lower_bound: is_partial || records > self.limit,
            ..dependent((place, records.min(self.limit)))
        }));
        references.retain(|dependent| dependent.records > 0);
        references.sort_by_key(|dependent| (dependent.resource, dependent.field));
        Dependents { references, is_partial }
    }
}

fn bind(
    statement: &mut CachedStatement<'_>,
    part: &[Id],
    length: usize,
    limit: u64,
) -> Result<(), Failure> {
    for at in 0..length {
        statement.raw_bind_parameter(at + 1, BoundId(&part[at.min(part.len() - 1)]))?;
    }
    statement.raw_bind_parameter(length + 1, i64::try_from(limit).unwrap_or(i64::MAX))?;
    Ok(())
}
