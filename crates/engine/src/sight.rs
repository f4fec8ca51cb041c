//! What the caller sees, as parts of lookups: which records are found, which of their fields are
//! shown, and on which tables that depends. Answers are made from what was found here, so that
//! nothing behind this has to think of it again.

use std::borrow::Cow;

use model::access::{Grants, Sight};
use model::model::{Field, FieldIndex, Model, Resource, ResourceIndex, Shown};
use model::query::{self, Column, Comparison, Filter, Path, Relation, Seen, Sort, View};
use model::record::Record;
use model::value::{Id, Value};
use store::lookup::{Child, Found, Node, Pick, Row};

use crate::call::Call;

impl Call {
    /// What the caller may do with the records of a resource.
    pub(crate) fn grants(&self, resource: ResourceIndex) -> &Grants {
        &self.admitted.sight.resources[resource]
    }

    /// What stands for all that the caller sees of what is asked for; empty where nothing is hidden
    /// from it.
    pub(crate) fn digest(&self) -> String {
        let own = self.routed.resource.filter(|own| !self.tables.contains(own));
        let sight = &self.admitted.sight;
        let own = own.map_or_else(String::new, |own| sight.digest(&[own]));
        own + &sight.digest(&self.tables)
    }
}

/// The records of a list that a caller sees.
pub(crate) fn selected(call: &Call, resource: ResourceIndex, filter: &Filter) -> Filter {
    let sight = &call.admitted.sight;
    seen(sight, resource, filter).and(sight.resources[resource].read.clone())
}

/// True where every record of a resource is in the list that a call asks for.
pub(crate) fn is_whole(call: &Call, resource: ResourceIndex, filter: &Filter) -> bool {
    filter.is_all() && call.grants(resource).read.is_all()
}

/// True where what matches a search may stand in the order of how well: that weighs words by how
/// rare they are among all records, so it would tell of those that are hidden.
pub(crate) fn ranks(call: &Call, resource: ResourceIndex) -> bool {
    let declared = &call.model.resources[resource];
    let is_open = |field: &FieldIndex| declared.fields[*field].comparable();
    call.grants(resource).read.is_all() && declared.search.iter().all(is_open)
}

/// The order of what matches a search and is not ranked: the newest first.
pub(crate) fn search_order(call: &Call, resource: ResourceIndex) -> Vec<Sort> {
    match ranks(call, resource) {
        true => Vec::new(),
        false => vec![Sort { column: Column::Id, descending: true }],
    }
}

/// A record of a resource by its id, if the caller sees it, with what the rules look into.
pub(crate) fn record(call: &Call, resource: ResourceIndex, id: Id) -> Node {
    let among = call.grants(resource).read.clone();
    Node { among, ..Node::key(resource, id) }
}

/// The records of each resource that a caller sees; none where it sees all of all.
pub(crate) fn reads(call: &Call) -> Vec<Filter> {
    let all = &call.admitted.sight.resources;
    if all.iter().all(|grants| grants.read.is_all()) {
        return Vec::new();
    }
    all.iter().map(|grants| grants.read.clone()).collect()
}

/// A filter over what the caller sees: what is hidden from it counts as absent.
fn seen(sight: &Sight, resource: ResourceIndex, filter: &Filter) -> Filter {
    let each = |filters: &[Filter]| filters.iter().map(|it| seen(sight, resource, it)).collect();
    match filter {
        Filter::All(filters) => Filter::All(each(filters)),
        Filter::Any(filters) => Filter::Any(each(filters)),
        Filter::Not(inner) => seen(sight, resource, inner).negated(),
        Filter::Compare { path, comparison } => {
            let way = way(sight, resource, path);
            if way.is_all() {
                return filter.clone();
            }
            let compare = |comparison| Filter::Compare { path: path.clone(), comparison };
            match comparison {
                Comparison::NotEqual(value) => {
                    way.and(compare(Comparison::Equal(value.clone()))).negated()
                }
                Comparison::Null => way.and(compare(Comparison::NotNull)).negated(),
                _ => way.and(filter.clone()),
            }
        }
        Filter::Relate { left, right, .. } => {
            way(sight, resource, left).and(way(sight, resource, right)).and(filter.clone())
        }
        Filter::Search { terms, .. } => {
            let declared = &sight.model.resources[resource];
            let fields: Vec<FieldIndex> = declared.searched().collect();
            let is_all = fields.len() == declared.search.len();
            Filter::Search { terms: terms.clone(), within: (!is_all).then_some(fields) }
        }
    }
}

/// What has to be true of a record so that the caller sees every record on the way to a value.
fn way(sight: &Sight, resource: ResourceIndex, path: &Path) -> Filter {
    let ends = 1..=path.through.len();
    ends.fold(Filter::all(), |way, end| {
        let through = &path.through[..end];
        let target = query::target(&sight.model, resource, through);
        let read = target.map(|target| behind(&sight.resources[target].read, through));
        way.and(read.unwrap_or_else(Filter::nothing))
    })
}

/// A filter over the record that references lead to, as one over the record that they begin at.
fn behind(filter: &Filter, through: &[FieldIndex]) -> Filter {
    let each = |filters: &[Filter]| filters.iter().map(|it| behind(it, through)).collect();
    let path =
        |path: &Path| Path { through: [through, &path.through].concat(), column: path.column };
    match filter {
        Filter::All(filters) => Filter::All(each(filters)),
        Filter::Any(filters) => Filter::Any(each(filters)),
        Filter::Not(inner) => Filter::Not(Box::new(behind(inner, through))),
        Filter::Compare { path: own, comparison } => {
            Filter::Compare { path: path(own), comparison: comparison.clone() }
        }
        Filter::Relate { left, relation, right } => {
            Filter::Relate { left: path(left), relation: *relation, right: path(right) }
        }
        // No rule searches.
        Filter::Search { .. } => Filter::nothing(),
    }
}

/// Adds the tables that decide, beside those that are there, on what of them is seen.
pub(crate) fn tables(sight: &Sight, tables: &mut Vec<ResourceIndex>) {
    for table in tables.clone() {
        let grants = &sight.resources[table];
        grants.read.tables(&sight.model, table, tables);
        for (field, own) in sight.model.resources[table].fields.iter().zip(&grants.fields) {
            if field.shown == Shown::Sometimes {
                own.read.tables(&sight.model, table, tables);
            }
        }
    }
}

/// True where a search over all resources looks into this one.
pub(crate) fn is_searched(sight: &Sight, resource: ResourceIndex) -> bool {
    let is_read = !sight.resources[resource].read.is_nothing();
    is_read && sight.model.resources[resource].searched().next().is_some()
}

/// What hangs on a record that is shown so: what is included, and behind it what tells which fields
/// are shown.
pub(crate) fn children(call: &Call, resource: ResourceIndex, view: &View) -> Vec<Child> {
    let settings = &call.settings;
    let included = |include: &query::Include| Child {
        relation: include.relation,
        node: Node {
            resource: include.resource,
            pick: Pick::Related {
                each: settings.include_rows_max.min(settings.page_rows_max),
                limit: settings.included_rows_max,
            },
            among: call.grants(include.resource).read.clone(),
            children: children(call, include.resource, &include.view),
        },
    };
    let mut children: Vec<Child> = view.include.iter().map(included).collect();
    children.extend(followed(&call.model, resource, &watched(call, resource)));
    children
}

/// What reference fields lead to, whoever sees it.
pub(crate) fn followed(
    model: &Model,
    resource: ResourceIndex,
    fields: &[FieldIndex],
) -> impl Iterator<Item = Child> {
    fields.iter().filter_map(move |field| {
        let to = model.resources[resource].fields[*field].references?;
        let pick = Pick::Related { each: 1, limit: u32::MAX };
        let node = Node::new(to.resource, pick);
        Some(Child { relation: Relation::References(*field), node })
    })
}

/// The reference fields that have to be followed to know which fields of a record are shown.
fn watched(call: &Call, resource: ResourceIndex) -> Vec<FieldIndex> {
    each_once(sometimes(call, resource).map(|(_, read)| read))
}

/// The reference fields that filters follow, each once.
pub(crate) fn each_once<'a>(filters: impl Iterator<Item = &'a Filter>) -> Vec<FieldIndex> {
    let mut fields: Vec<FieldIndex> = filters.flat_map(Filter::references).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// The fields that are shown in some records only, with those where they are.
fn sometimes(call: &Call, resource: ResourceIndex) -> impl Iterator<Item = (FieldIndex, &Filter)> {
    let fields = call.model.resources[resource].fields.iter().enumerate();
    let grants = call.grants(resource);
    fields
        .filter(|(_, field)| field.shown == Shown::Sometimes)
        .map(|(index, _)| (index, &grants.fields[index].read))
}

/// True where a resource has fields that are shown in some records only.
pub(crate) fn varies(call: &Call, resource: ResourceIndex) -> bool {
    sometimes(call, resource).next().is_some()
}

/// The records that a record refers to, by the fields that do.
pub(crate) type Referred<'a> = Vec<(FieldIndex, &'a Record)>;

/// What hangs on a row behind so many children, by the reference fields that lead there.
pub(crate) fn referred<'a>(row: &'a Row, before: usize, fields: &[FieldIndex]) -> Referred<'a> {
    let found = row.children.iter().skip(before).zip(fields);
    found.filter_map(|(found, field)| Some((*field, &found.rows.first()?.record))).collect()
}

/// Takes out of rows of a resource what the caller may not read of each.
pub(crate) fn mask(call: &Call, resource: ResourceIndex, rows: &mut [Row], view: &View) {
    let varies = varies(call, resource);
    if !varies && view.include.is_empty() {
        return;
    }
    let watched = watched(call, resource);
    for row in rows {
        if varies {
            let referred = referred(row, view.include.len(), &watched);
            let hidden = hidden(call, resource, &row.record, &referred);
            for (include, found) in view.include.iter().zip(&mut row.children) {
                if matches!(include.relation, Relation::References(by) if hidden.contains(&by)) {
                    *found = Found::default();
                }
            }
            hidden.iter().for_each(|field| row.record.values[*field] = None);
        }
        for (include, found) in view.include.iter().zip(&mut row.children) {
            mask(call, include.resource, &mut found.rows, &include.view);
        }
    }
}

/// A record of the change log, which the caller sees, as it may read it. What it refers to is not
/// in the log: what depends on that is not shown there.
pub(crate) fn masked_in_log(call: &Call, resource: ResourceIndex, mut record: Record) -> Record {
    let hidden = hidden(call, resource, &record, &Vec::new());
    hidden.iter().for_each(|field| record.values[*field] = None);
    record
}

/// A record that was written, as the caller may read it.
pub(crate) fn masked(
    call: &Call,
    resource: ResourceIndex,
    mut record: Record,
    referred: &Referred<'_>,
) -> Record {
    // It may be none that the caller sees, so that nothing follows from its being shown.
    let seen = Seen { record: &record, referred };
    let grants = &call.grants(resource).fields;
    let is_hidden = |field: &FieldIndex| {
        let read = &grants[*field].read;
        !read.is_all() && !read.holds(&call.model, resource, seen)
    };
    let hidden: Vec<FieldIndex> = (0..grants.len()).filter(is_hidden).collect();
    hidden.iter().for_each(|field| record.values[*field] = None);
    record
}

/// The fields that the caller may read in other records, and not in this one.
fn hidden(
    call: &Call,
    resource: ResourceIndex,
    record: &Record,
    referred: &Referred<'_>,
) -> Vec<FieldIndex> {
    let seen = Seen { record, referred };
    sometimes(call, resource)
        .filter(|(_, read)| !read.holds(&call.model, resource, seen))
        .map(|(field, _)| field)
        .collect()
}

/// A resource as it is for the caller in one record: what may be read or written in some records is
/// there what it is in this one.
pub(crate) fn in_record<'a>(call: &'a Call, seen: Seen<'_>) -> Cow<'a, Resource> {
    let (index, resource) = call.resource();
    let grants = call.grants(index);
    let holds = |filter: &Filter| filter.holds(&call.model, index, seen);
    let is_partial = |filter: &Filter| !filter.is_all() && !filter.is_nothing();
    let depends = resource
        .fields
        .iter()
        .zip(&grants.fields)
        .any(|(field, own)| field.shown == Shown::Sometimes || is_partial(&own.write));
    if !depends {
        return Cow::Borrowed(resource);
    }
    let mut resource = resource.clone();
    for (field, own) in resource.fields.iter_mut().zip(&grants.fields) {
        if field.shown == Shown::Sometimes {
            field.shown = if holds(&own.read) { Shown::Always } else { Shown::Never };
        }
        field.sealed = !holds(&own.write);
    }
    Cow::Owned(resource)
}

/// A resource as it is for a caller that creates a record, which it owns unless something else is
/// said.
pub(crate) fn in_new<'a>(sight: &Sight, resource: &'a Resource) -> Cow<'a, Resource> {
    let is_owned = resource.fields.iter().any(|it| it.owner);
    if sight.caller.id().is_none() || !is_owned {
        return Cow::Borrowed(resource);
    }
    let mut resource = resource.clone();
    for field in resource.fields.iter_mut().filter(|field| field.owner) {
        field.default = by_itself(sight, field);
    }
    Cow::Owned(resource)
}

/// The value that a field of a new record has where none is sent.
pub(crate) fn by_itself(sight: &Sight, field: &Field) -> Option<Value> {
    let owner = sight.caller.id().filter(|_| field.owner);
    owner.map(Id::to_value).or_else(|| field.default.clone())
}
