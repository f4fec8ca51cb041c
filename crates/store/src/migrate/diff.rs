//! What is different between two declarations, as actions. Only what is declared counts here: what
//! the data says, and what the database has to do, comes later.

use model::index::{index_groups, unique_groups};
use model::model::{Field, FieldIndex, Kind, Resource};
use model::query::Column;
use model::shape::judges;
use model::value::Value;
use serde_json::Value as Json;

use super::pair::{Models, Pair};
use super::say::short;
use super::{Action, Presence};

/// What changes of a resource that is there before and after.
pub(crate) fn actions(models: Models<'_>, pair: &Pair<'_>) -> Vec<Action> {
    let mut out = Vec::new();
    if pair.old.name != pair.new.name {
        out.push(Action::RenameResource { was: pair.old.name.clone() });
    }
    if pair.old.id != pair.new.id {
        out.push(Action::ChangeId { was: pair.old.id, now: pair.new.id });
    }
    for field in pair.dropped() {
        out.push(Action::DropField { field: field.name.clone() });
    }
    for (at, field) in pair.new.fields.iter().enumerate() {
        match pair.was(at) {
            Some(was) => changed(models, was, field, &mut out),
            None => out.push(Action::AddField {
                field: field.name.clone(),
                fills: field.default.as_ref().map(shown),
            }),
        }
    }
    groups(pair, &mut out);
    let was = pair.names_now(&pair.old.search);
    let now = named(pair.new, &pair.new.search);
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    if was.map(sorted) != Some(sorted(now.clone())) {
        out.push(Action::ChangeSearch { fields: now });
    }
    let was = pair.columns_now(&pair.old.watched);
    let watched = pair.new.watched.iter();
    let now: Vec<String> = watched.map(|column| column.name(pair.new).to_owned()).collect();
    if was.map(sorted) != Some(sorted(now.clone())) {
        out.push(Action::Watch { fields: now });
    }
    out
}

/// A default, as it can stand in a sentence.
fn shown(value: &Value) -> String {
    short(&value.to_json().to_string())
}

fn changed(models: Models<'_>, was: &Field, now: &Field, out: &mut Vec<Action>) {
    let field = now.name.clone();
    if was.name != field {
        out.push(Action::RenameField { was: was.name.clone(), field: field.clone() });
    }
    if was.kind != now.kind || was.password != now.password {
        let (was, now) = (kind(was), kind(now));
        out.push(Action::ChangeType { field: field.clone(), was, now });
    }
    if presence(was) != presence(now) {
        let (was, now) = (presence(was), presence(now));
        out.push(Action::ChangePresence { field: field.clone(), was, now });
    }
    let keywords = keywords(was, now);
    if !keywords.is_empty() {
        out.push(Action::ChangeConstraint { field: field.clone(), keywords });
    }
    if was.default != now.default {
        let now = now.default.as_ref().map(shown);
        out.push(Action::ChangeDefault { field: field.clone(), now });
    }
    if was.ignore_case != now.ignore_case {
        out.push(Action::ChangeCase { field: field.clone(), ignored: now.ignore_case });
    }
    if is_other_reference(models, was, now) {
        let now = now
            .references
            .map(|to| (models.new.resources[to.resource].name.clone(), to.on_delete.word()));
        out.push(Action::ChangeReference { field, now });
    }
}

fn kind(field: &Field) -> String {
    if field.password { "password".to_owned() } else { field.kind.word().to_owned() }
}

/// Whether a field always has a value.
pub(crate) fn presence(field: &Field) -> Presence {
    match (field.optional, field.nullable) {
        (true, _) => Presence::Optional,
        (false, true) => Presence::Nullable,
        (false, false) => Presence::Required,
    }
}

/// True where a value names another record than before, or something else becomes of it.
fn is_other_reference(models: Models<'_>, was: &Field, now: &Field) -> bool {
    match (was.references, now.references) {
        (None, None) => false,
        (Some(was), Some(to)) => {
            was.on_delete != to.on_delete || leads_elsewhere(models, was.resource, to.resource)
        }
        (Some(_), None) | (None, Some(_)) => true,
    }
}

/// True where a reference to the one is not a reference to the other.
pub(crate) fn leads_elsewhere(models: Models<'_>, was: usize, now: usize) -> bool {
    models.before()[now] != Some(was)
}

/// Keywords of the schema that are other ones than before. The type of a scalar is told by its
/// kind, and a reference has the schema of the ids that it names.
pub(crate) fn keywords(was: &Field, now: &Field) -> Vec<(String, Json)> {
    if now.references.is_some() {
        return Vec::new();
    }
    let (old, new) = (judges(was), judges(now));
    let told = |key: &str| key == "type" && (now.kind != Kind::Json || was.kind != Kind::Json);
    let stays = |key: &str| was.references.is_none() && old.get(key) == new.get(key);
    let mut out: Vec<(String, Json)> = new
        .iter()
        .filter(|(key, _)| !told(key) && !stays(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if was.references.is_none() {
        let gone = old.keys().filter(|key| !told(key) && !new.contains_key(*key));
        out.extend(gone.map(|key| (key.clone(), Json::Null)));
    }
    out
}

/// True where a value that fitted before may not fit now.
pub(crate) fn is_stricter(was: &Field, now: &Field) -> bool {
    let old = judges(was);
    keywords(was, now).iter().any(|(keyword, value)| {
        let before = old.get(keyword).filter(|_| was.references.is_none());
        !is_looser(keyword, before, value)
    })
}

fn is_looser(keyword: &str, before: Option<&Json>, now: &Json) -> bool {
    let Some(before) = before else { return false };
    if now.is_null() {
        // Without it an integer has to be one that every reader of JSON holds exactly.
        return before != "int64";
    }
    let (was, is) = (before.as_f64(), now.as_f64());
    match keyword {
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => is <= was,
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => is >= was,
        "enum" => match (before.as_array(), now.as_array()) {
            (Some(before), Some(now)) => before.iter().all(|value| now.contains(value)),
            _ => false,
        },
        _ => false,
    }
}

fn named(resource: &Resource, group: &[FieldIndex]) -> Vec<String> {
    group.iter().map(|at| resource.fields[*at].name.clone()).collect()
}

fn groups(pair: &Pair<'_>, out: &mut Vec<Action>) {
    type Groups = fn(&Resource) -> Vec<Vec<Column>>;
    type Said = fn(Vec<String>) -> Action;
    let kinds: [(Groups, Said, Said); 2] = [
        (
            unique_columns,
            |fields| Action::AddUnique { fields },
            |fields| Action::DropUnique { fields },
        ),
        (index_groups, |fields| Action::AddIndex { fields }, |fields| Action::DropIndex { fields }),
    ];
    let names = |resource: &Resource, group: &[Column]| -> Vec<String> {
        group.iter().map(|column| column.name(resource).to_owned()).collect()
    };
    for (groups, add, drop) in kinds {
        let old = groups(pair.old);
        let new: Vec<Vec<String>> = groups(pair.new).iter().map(|it| names(pair.new, it)).collect();
        let before: Vec<Option<Vec<String>>> = old.iter().map(|it| pair.columns_now(it)).collect();
        for (group, was) in old.iter().zip(&before) {
            let gone = was.as_ref().is_none_or(|was| !new.contains(was));
            // The index of a field that goes, goes with it.
            if gone && (group.len() > 1 || was.is_some()) {
                out.push(drop(names(pair.old, group)));
            }
        }
        for group in new {
            if !before.contains(&Some(group.clone())) {
                out.push(add(group));
            }
        }
    }
}

fn unique_columns(resource: &Resource) -> Vec<Vec<Column>> {
    let groups = unique_groups(resource).into_iter();
    groups.map(|group| group.into_iter().map(Column::Field).collect()).collect()
}
