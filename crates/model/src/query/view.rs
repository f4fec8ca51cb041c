//! What is shown of a record: its members, and the records that it refers to or that refer to it.

use super::read::SOMETIMES;
use super::{Column, DEPTH_MAX};
use crate::model::{FieldIndex, Model, Resource, ResourceIndex, Shown};
use crate::suggest;

/// Most records' worth of relations that one answer includes.
const INCLUDES_MAX: usize = 10;

/// What is shown of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The members to show, in the order asked for; `None`: all.
    pub fields: Option<Vec<Column>>,
    /// What is included, in the order asked for.
    pub include: Vec<Include>,
    /// Where in the searched fields is what was searched for (`highlight`).
    pub highlight: bool,
}

/// Records that are shown inside another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Include {
    /// The member that holds them: the reference field's name, or the referring resource's, or
    /// `resource(field)` where several of its fields refer here.
    pub name: String,
    /// How they are reached.
    pub relation: Relation,
    /// The resource that they are records of.
    pub resource: ResourceIndex,
    /// What is shown of them.
    pub view: View,
}

/// How one record leads to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// By a reference field of the parent.
    References(FieldIndex),
    /// By a reference field of the child that names the parent.
    ReferredBy(FieldIndex),
}

impl View {
    /// Adds the resources of what is included to those that are there.
    pub fn tables(&self, tables: &mut Vec<ResourceIndex>) {
        for include in &self.include {
            if !tables.contains(&include.resource) {
                tables.push(include.resource);
            }
            include.view.tables(tables);
        }
    }

    /// Reads `include=customer,orders.product`.
    pub(super) fn read_include(
        &mut self,
        model: &Model,
        resource: ResourceIndex,
        names: &[&str],
    ) -> Result<(), String> {
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(format!("has {} more than once", suggest::quoted(name)));
            }
            let steps: Vec<&str> = name.split('.').collect();
            if steps.len() > DEPTH_MAX {
                return Err(format!("follows at most {DEPTH_MAX} relations, as in a.b"));
            }
            self.reach(model, resource, &steps)?;
        }
        if self.number() > INCLUDES_MAX {
            return Err(format!("takes at most {INCLUDES_MAX} relations"));
        }
        Ok(())
    }

    fn number(&self) -> usize {
        self.include.iter().map(|include| 1 + include.view.number()).sum()
    }

    fn reach(
        &mut self,
        model: &Model,
        resource: ResourceIndex,
        steps: &[&str],
    ) -> Result<(), String> {
        let Some((first, rest)) = steps.split_first() else { return Ok(()) };
        let at = match self.include.iter().position(|include| include.name == *first) {
            Some(at) => at,
            None => {
                let (relation, to) = relation(model, resource, first)?;
                let (name, view) = ((*first).to_owned(), Self::default());
                self.include.push(Include { name, relation, resource: to, view });
                self.include.len() - 1
            }
        };
        let include = &mut self.include[at];
        include.view.reach(model, include.resource, rest)
    }

    /// Reads `fields=id,name,customer.name`. What is included has to be known before.
    pub(super) fn read_fields(
        &mut self,
        model: &Model,
        resource: ResourceIndex,
        names: &[&str],
    ) -> Result<(), String> {
        let declared = &model.resources[resource];
        self.fields.get_or_insert_default();
        for name in names {
            if let Some((first, rest)) = name.split_once('.') {
                let include = self.include.iter_mut().find(|include| include.name == first);
                let include = include.ok_or_else(|| {
                    let first = suggest::shown(first);
                    format!("{first} is not included: add include={first}")
                })?;
                include.view.read_fields(model, include.resource, &[rest])?;
                continue;
            }
            let column = super::read::column(declared, name)?;
            let columns = self.fields.get_or_insert_default();
            if columns.contains(&column) {
                return Err(format!("has {name} more than once"));
            }
            columns.push(column);
        }
        Ok(())
    }
}

/// The relation of this name: a reference field, a resource that refers here by one field, or
/// `resource(field)`.
fn relation(
    model: &Model,
    from: ResourceIndex,
    name: &str,
) -> Result<(Relation, ResourceIndex), String> {
    let resource = &model.resources[from];
    if let Some((index, field)) = resource.field(name).filter(|(_, field)| field.visible())
        && let Some(to) = field.references
    {
        return Ok((Relation::References(index), to.resource));
    }
    let (wanted, by) = match name.strip_suffix(')').and_then(|name| name.split_once('(')) {
        Some((wanted, by)) => (wanted, Some(by)),
        None => (name, None),
    };
    // A member of the record's own keeps its name: the other one is written with its field.
    let is_free = by.is_some() || !is_member(resource, name);
    let referrers: Vec<_> = referrers(model, from)
        .filter(|(index, field)| {
            let referrer = &model.resources[*index];
            let named = by.is_none_or(|by| referrer.fields[*field].name == by);
            is_free && named && referrer.name == wanted
        })
        .collect();
    match referrers[..] {
        [(index, field)] if !model.resources[index].fields[field].comparable() => {
            Err(format!("{} of {wanted} {SOMETIMES}", model.resources[index].fields[field].name))
        }
        [(index, field)] => Ok((Relation::ReferredBy(field), index)),
        [] => Err(unknown(model, from, name)),
        _ => {
            let forms: Vec<_> = referrers.iter().map(|it| form(model, *it)).collect();
            Err(format!("{wanted} refers here by several fields: write {}", forms.join(" or ")))
        }
    }
}

/// True where a record has a member of this name, as far as the caller may know.
fn is_member(resource: &Resource, name: &str) -> bool {
    resource.field(name).is_some_and(|(_, field)| field.shown != Shown::Never)
}

/// Every field that refers to records of a resource and is shown, with its resource.
fn referrers(
    model: &Model,
    to: ResourceIndex,
) -> impl Iterator<Item = (ResourceIndex, FieldIndex)> + '_ {
    model.resources.iter().enumerate().flat_map(move |(index, resource)| {
        let fields = resource.fields.iter().enumerate().filter(move |(_, field)| {
            field.visible() && field.references.is_some_and(|it| it.resource == to)
        });
        fields.map(move |(field, _)| (index, field))
    })
}

fn form(model: &Model, (index, field): (ResourceIndex, FieldIndex)) -> String {
    let resource: &Resource = &model.resources[index];
    format!("{}({})", resource.name, resource.fields[field].name)
}

fn unknown(model: &Model, from: ResourceIndex, name: &str) -> String {
    let resource = &model.resources[from];
    let fields = resource.fields.iter().filter(|it| it.visible() && it.references.is_some());
    let mut known: Vec<String> = fields.map(|field| field.name.clone()).collect();
    let referrers: Vec<_> = referrers(model, from).collect();
    for referrer in &referrers {
        let alone = referrers.iter().filter(|(index, _)| *index == referrer.0).count() == 1;
        let name = &model.resources[referrer.0].name;
        let alone = alone && !is_member(resource, name);
        known.push(if alone { name.clone() } else { form(model, *referrer) });
    }
    let hint = suggest::hint(name, known.iter().map(String::as_str));
    let name = suggest::quoted(name);
    if known.is_empty() {
        return format!("{name} is no relation: {} has none", resource.name);
    }
    format!("{name} is no relation{hint}; the relations are {}", known.join(", "))
}
