//! What one caller may see and do: the declaration's rules with everything filled in that is known
//! of the caller, and the declaration without what does not exist for it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::{Caller, Rule};
use crate::model::{Field, Model, ResourceIndex, Shown, Who};
use crate::query::{Column, Filter};
use crate::value::Timestamp;

/// What one caller may see and do at one moment.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Who it is.
    pub caller: Caller,
    /// The declaration as it is for the caller: what may never be read is not shown
    /// (`Field::shown`), what may never be written is sealed. Indexes are those of the whole one.
    pub model: Arc<Model>,
    /// What is allowed, by resource.
    pub resources: Vec<Grants>,
    /// True where a rule looks at the clock: it is true of this moment only.
    pub is_timed: bool,
}

/// The declarations that were narrowed for callers, kept beside the whole one: for most callers
/// the same fields are hidden and sealed, and a request must not copy a declaration.
#[derive(Default)]
pub(crate) struct Narrowed(Mutex<Vec<(Vec<u8>, Arc<Model>)>>);

/// The most that are kept.
const NARROWED_MAX: usize = 64;

impl Clone for Narrowed {
    /// Another declaration is narrowed otherwise.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Narrowed {
    /// What is kept says nothing about the declaration.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Narrowed")
    }
}

/// Of which records of a resource a caller may do what.
#[derive(Clone, Debug, PartialEq)]
pub struct Grants {
    /// Those that exist for the caller.
    pub read: Filter,
    /// Those that it may create: true of the record as it would be.
    pub create: Filter,
    /// Those that it may change: true before and after.
    pub update: Filter,
    /// Those that it may delete.
    pub delete: Filter,
    /// What it may do with each field, in the order of the declaration.
    pub fields: Vec<FieldGrants>,
    /// True where what the caller sees depends on the clock.
    pub is_timed: bool,
    /// Stands for what the caller sees: part of the tags of answers. Empty for whoever sees every
    /// record with every field that is shown to anybody.
    pub digest: String,
}

/// In which records a caller may read or write a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldGrants {
    /// Where it may be read.
    pub read: Filter,
    /// Where it may be written: true before, where the record is there, and after.
    pub write: Filter,
}

impl Grants {
    /// True where something is hidden from the caller that is shown to others.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !self.digest.is_empty()
    }
}

impl Sight {
    /// What a caller may see and do.
    #[must_use]
    pub fn new(model: &Arc<Model>, caller: Caller, now: Timestamp) -> Self {
        let resources: Vec<Grants> =
            (0..model.resources.len()).map(|at| grants(model, at, &caller, now)).collect();
        let is_timed = !caller.is_admin() && is_timed(model);
        Self { model: narrowed(model, &resources), caller, resources, is_timed }
    }

    /// What whoever may do everything may do.
    #[must_use]
    pub fn operator(model: &Arc<Model>) -> Self {
        Self::new(model, Caller::Operator, Timestamp(0))
    }

    /// True where what the caller sees of these resources depends on the clock.
    #[must_use]
    pub fn is_timed_for(&self, tables: &[ResourceIndex]) -> bool {
        tables.iter().any(|at| self.resources[*at].is_timed)
    }

    /// What stands for all that the caller sees of these resources; empty where nothing is hidden.
    #[must_use]
    pub fn digest(&self, tables: &[ResourceIndex]) -> String {
        let mut digests =
            tables.iter().map(|at| self.resources[*at].digest.as_str()).filter(|it| !it.is_empty());
        let Some(first) = digests.next() else { return String::new() };
        digests.fold(first.to_owned(), |all, next| all + next)
    }
}

/// The records of which a circle of callers with this one in it may do something.
fn circle(
    model: &Model,
    resource: ResourceIndex,
    who: Option<&Who>,
    caller: &Caller,
    now: Timestamp,
) -> Filter {
    if caller.is_admin() {
        return Filter::all();
    }
    let Some(who) = who else { return Filter::nothing() };
    let named = who.names.iter().fold(Filter::nothing(), |named, name| {
        named.or(match name.as_str() {
            "anyone" => Filter::all(),
            "signed-in" if caller.is_signed_in() => Filter::all(),
            "owner" => owned(model, resource, caller),
            role if caller.has_role(role) => Filter::all(),
            _ => Filter::nothing(),
        })
    });
    let Some(rule) = &who.when else { return named };
    if named.is_nothing() {
        return named;
    }
    named.and(rule.residual(model, resource, caller, now))
}

/// The records that a caller owns: its own, where it is one of them.
fn owned(model: &Model, resource: ResourceIndex, caller: &Caller) -> Filter {
    let Some(id) = caller.id() else { return Filter::nothing() };
    if model.users() == Some(resource) {
        return Filter::equal(Column::Id, id.to_value());
    }
    match model.resources[resource].fields.iter().position(|field| field.owner) {
        Some(field) => Filter::equal(Column::Field(field), id.to_value()),
        None => Filter::nothing(),
    }
}

fn grants(model: &Model, at: ResourceIndex, caller: &Caller, now: Timestamp) -> Grants {
    let resource = &model.resources[at];
    let access = resource.access.as_ref();
    let of = |who: Option<&Who>| circle(model, at, who, caller, now);
    let read = of(access.and_then(|access| access.read.as_ref()));
    let is_timed = !caller.is_admin()
        && (access.is_some_and(|access| looks(&access.read))
            || resource.fields.iter().any(|field| looks(&field.read)));
    let fields: Vec<FieldGrants> = resource
        .fields
        .iter()
        .map(|field| FieldGrants {
            read: match &field.read {
                Some(who) => of(Some(who)),
                None => Filter::all(),
            },
            write: match &field.write {
                Some(who) => of(Some(who)),
                // Nobody makes somebody else the owner of something.
                None if field.owner && !caller.is_admin() => owned(model, at, caller),
                None => Filter::all(),
            },
        })
        .collect();
    let mut digest = digest(&read, resource.fields.iter().zip(&fields));
    if is_timed && !digest.is_empty() && now != Timestamp(0) {
        // A tag must not move with the clock: what that shows and hides is in what it is a tag of.
        digest = format!("t{}", grants(model, at, caller, Timestamp(0)).digest);
    }
    Grants {
        create: of(access.and_then(|access| access.create.as_ref())),
        update: of(access.and_then(|access| access.update.as_ref())),
        delete: of(access.and_then(|access| access.delete.as_ref())),
        read,
        fields,
        is_timed,
        digest,
    }
}

fn digest<'a>(read: &Filter, fields: impl Iterator<Item = (&'a Field, &'a FieldGrants)>) -> String {
    let hidden: Vec<(&str, &Filter)> = fields
        .filter(|(field, grants)| field.visible() && !grants.read.is_all())
        .map(|(field, grants)| (field.name.as_str(), &grants.read))
        .collect();
    if read.is_all() && hidden.is_empty() {
        return String::new();
    }
    let text = format!("{read:?} {hidden:?}");
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// True where a rule of this circle looks at the clock.
fn looks(who: &Option<Who>) -> bool {
    who.as_ref().and_then(|who| who.when.as_ref()).is_some_and(Rule::is_timed)
}

fn is_timed(model: &Model) -> bool {
    model.resources.iter().any(|resource| {
        let of_access = resource.access.as_ref().is_some_and(|access| {
            [&access.read, &access.create, &access.update, &access.delete].into_iter().any(looks)
        });
        of_access || resource.fields.iter().any(|field| looks(&field.read) || looks(&field.write))
    })
}

/// The declaration as it is for a caller; itself, where nothing is hidden from it.
fn narrowed(model: &Arc<Model>, grants: &[Grants]) -> Arc<Model> {
    let mut pattern: Vec<u8> = Vec::new();
    for grants in grants {
        for own in &grants.fields {
            let shown = match shown(&grants.read, &own.read) {
                Shown::Always => 0,
                Shown::Sometimes => 1,
                Shown::Never => 2,
            };
            pattern.push(shown + 4 * u8::from(own.write.is_nothing()));
        }
    }
    if pattern.iter().all(|own| *own == 0) {
        return model.clone();
    }
    let mut kept = model.narrowed.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, model)) = kept.iter().find(|(other, _)| *other == pattern) {
        return model.clone();
    }
    let mut narrowed = Model::clone(model);
    let fields = narrowed.resources.iter_mut().flat_map(|resource| resource.fields.iter_mut());
    for (field, own) in fields.zip(&pattern) {
        field.shown = [Shown::Always, Shown::Sometimes, Shown::Never][usize::from(own % 4)];
        field.sealed = own / 4 == 1;
    }
    let narrowed = Arc::new(narrowed);
    if kept.len() < NARROWED_MAX {
        kept.push((pattern, narrowed.clone()));
    }
    narrowed
}

/// Where a field is shown in the records that a caller sees.
fn shown(records: &Filter, field: &Filter) -> Shown {
    let is_implied =
        records == field || matches!(records, Filter::All(filters) if filters.contains(field));
    if field.is_nothing() {
        Shown::Never
    } else if field.is_all() || is_implied {
        Shown::Always
    } else {
        Shown::Sometimes
    }
}

#[cfg(test)]
#[path = "sight_tests.rs"]
mod tests;
