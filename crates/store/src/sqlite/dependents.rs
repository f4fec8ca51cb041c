//! Finds what depends on a record: breadth first through the references that cascade, in circles
//! too, a level of ids at a time, and no further than a limit.

use std::collections::{BTreeMap, HashSet};
use std::mem::take;

use model::model::{FieldIndex, OnDelete, ResourceIndex};
use model::query::{Column, Comparison, Filter, Path, Relate};
use model::value::Id;
use rusqlite::CachedStatement;

use super::bind::bind_terms;
use super::failure::Failure;
use super::session::Session;
use super::value::{BoundId, id};
use crate::dependents::{Along, Dependent, Dependents, Fate};
use crate::sql::dependents::{Own, referrers, restrictions};
use crate::sql::select::{Ask, Shape};
use crate::sql::term::terms;

/// Values in one IN-list; more of them are asked for in parts.
const AMONG_MAX: usize = 512;

/// What depends on a record, in the snapshot that the session has open.
pub(crate) fn dependents(
    session: &Session,
    resource: ResourceIndex,
    root: &Id,
    limit: u32,
    seen: &[Filter],
) -> Result<Dependents, Failure> {
    let mut walk = Walk::new(session, limit, seen);
    walk.deleted.insert((resource, root.clone()));
    let mut level = BTreeMap::from([(resource, vec![root.clone()])]);
    while !level.is_empty() && !walk.is_over() {
        let mut next = BTreeMap::new();
        for (target, ids) in &level {
            walk.meet(*target, ids, &mut next)?;
        }
        level = next;
    }
    walk.counted()
}

/// What was found so far.
struct Walk<'s> {
    session: &'s Session,
    limit: u64,
    seen: &'s [Filter],
    /// The record itself, and those that go along.
    deleted: HashSet<(ResourceIndex, Id)>,
    /// Those that are deleted or cleared along.
    touched: HashSet<(ResourceIndex, Id)>,
    cascading: BTreeMap<(ResourceIndex, FieldIndex), Vec<Id>>,
    clearing: BTreeMap<(ResourceIndex, FieldIndex), Vec<Id>>,
    restricting: BTreeMap<(ResourceIndex, FieldIndex), Counted>,
}

/// How many records depend in one way.
#[derive(Clone, Copy, Default)]
struct Counted {
    all: u64,
    seen: u64,
}

impl<'s> Walk<'s> {
    fn new(session: &'s Session, limit: u32, seen: &'s [Filter]) -> Self {
        Self {
            session,
            limit: u64::from(limit),
            seen,
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
        let counted = self.restricting.get(&(resource, field)).copied().unwrap_or_default();
        let is_open = self.seen(resource).is_none();
        // What is counted is what is seen; of the others it is enough to know of one.
        if counted.seen > self.limit && (is_open || counted.all > counted.seen) {
            return Ok(());
        }
        let own = if resource == target { Own::Passed } else { Own::None };
        let length = part.len().next_power_of_two();
        let declared = self.session.catalog.resource(resource);
        let text = restrictions(declared, field, length, own);
        let mut statement = self.session.statement(&text)?;
        let room = (self.limit + 1).saturating_sub(counted.seen);
        bind(&mut statement, part, length, room)?;
        let mut rows = statement.raw_query();
        let Some(row) = rows.next()? else { return Ok(()) };
        let all = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        if all == 0 {
            return Ok(());
        }
        let seen = match self.seen(resource) {
            None => all,
            Some(seen) => {
                let named = part.iter().map(Id::to_value).collect();
                let by = Path::from(Column::Field(field));
                let comparison = Comparison::In(named);
                let refers = Filter::Compare { path: by.clone(), comparison };
                let itself =
                    Filter::Relate { left: by, relation: Relate::Equal, right: Column::Id.into() };
                let passed = if own == Own::Passed { itself } else { Filter::nothing() };
                let filter = refers.and(passed.negated()).and(seen.clone());
                count_to(self.session, resource, &filter, room)?
            }
        };
        let more = Counted { all: counted.all + all, seen: counted.seen + seen };
        self.restricting.insert((resource, field), more);
        Ok(())
    }

    /// Which records of a resource are seen; None: all.
    fn seen(&self, resource: ResourceIndex) -> Option<&'s Filter> {
        self.seen.get(resource).filter(|filter| !filter.is_all())
    }

    /// How many of these are seen.
    fn among(&self, resource: ResourceIndex, ids: &[Id]) -> Result<Counted, Failure> {
        let all = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let Some(seen) = self.seen(resource) else { return Ok(Counted { all, seen: all }) };
        let mut counted = Counted { all, seen: 0 };
        for part in ids.chunks(AMONG_MAX) {
            let comparison = Comparison::In(part.iter().map(Id::to_value).collect());
            let named = Filter::Compare { path: Column::Id.into(), comparison };
            counted.seen += count_to(self.session, resource, &named.and(seen.clone()), all)?;
        }
        Ok(counted)
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
                walk.cascading.entry((resource, field)).or_default().push(id.clone());
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

    fn counted(mut self) -> Result<Dependents, Failure> {
        let is_partial = self.is_over();
        let dependent = |(resource, field), counted: Counted| Dependent {
            resource,
            field,
            records: counted.seen,
            is_any_hidden: counted.all > counted.seen,
            is_lower_bound: is_partial,
        };
        let mut references = Vec::new();
        let mut along = Vec::new();
        for (place, ids) in take(&mut self.cascading) {
            references.push(dependent(place, self.among(place.0, &ids)?));
            let (resource, fate) = (place.0, Fate::Deleted);
            along.extend(ids.into_iter().map(|id| Along { resource, id, fate }));
        }
        // By two fields a record is cleared once.
        let mut cleared = HashSet::new();
        for (place, mut ids) in take(&mut self.clearing) {
            // Whoever was cleared first may have turned out to go along.
            ids.retain(|id| !self.deleted.contains(&(place.0, id.clone())));
            references.push(dependent(place, self.among(place.0, &ids)?));
            ids.retain(|id| cleared.insert((place.0, id.clone())));
            let (resource, fate) = (place.0, Fate::Cleared);
            along.extend(ids.into_iter().map(|id| Along { resource, id, fate }));
        }
        for (place, counted) in take(&mut self.restricting) {
            references.push(Dependent {
                records: counted.seen.min(self.limit),
                is_lower_bound: is_partial || counted.seen > self.limit,
                ..dependent(place, counted)
            });
        }
        references.retain(|dependent| dependent.records > 0 || dependent.is_any_hidden);
        references.sort_by_key(|dependent| (dependent.resource, dependent.field));
        Ok(Dependents { references, is_partial, along })
    }
}

/// How many records fulfil a filter, counted up to a limit.
fn count_to(
    session: &Session,
    resource: ResourceIndex,
    filter: &Filter,
    limit: u64,
) -> Result<u64, Failure> {
    let terms = terms(filter);
    let mut statement = session.shaped(Shape::new(resource, Ask::CountTo, &terms, &[]))?;
    let at = bind_terms(session, resource, &mut statement, &terms)?;
    statement.raw_bind_parameter(at, i64::try_from(limit).unwrap_or(i64::MAX))?;
    let mut rows = statement.raw_query();
    let counted = rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()?;
    Ok(u64::try_from(counted.unwrap_or(0)).unwrap_or(0))
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
