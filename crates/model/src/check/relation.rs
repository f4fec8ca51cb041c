//! References: that they lead somewhere, what a deletion does, and that first records can exist.

use super::Check;
use super::kind::Shape;
use super::place::{FieldPlace, Place};
use crate::model::{Field, IdKind, Kind, Model, OnDelete, Reference};
use crate::value::ID_MAX;
use serde_json::{Map, Value as Json, json};

/// Reads `references` and `onDelete`, and gives the field the schema of the ids it refers to.
pub(super) fn read(
    check: &mut Check,
    place: &FieldPlace<'_>,
    places: &[Place<'_>],
    field: &mut Field,
    shape: &Shape,
    keywords: &mut Map<String, Json>,
) {
    let on_delete = on_delete(check, place, field);
    let Some(word) = check.text(place.table, "references") else { return };
    let Some(resource) = places.iter().position(|other| other.name == word.text) else {
        let names = places.iter().map(|place| place.name);
        let help = super::did_you_mean(&word.text, names.clone())
            .unwrap_or_else(|| format!("declared are: {}", names.collect::<Vec<_>>().join(", ")));
        check.error(&word.span, format!("there is no resource `{}`", word.text), &help);
        return;
    };
    let id = super::kind::id_kind(places[resource].table);
    field.kind = if id == IdKind::Integer { Kind::Integer } else { Kind::Text };
    field.references = Some(Reference { resource, on_delete });
    let own = if id == IdKind::Integer { "integer" } else { "string" };
    if let Some(other) = shape.types.iter().find(|name| *name != own) {
        let message = format!("the ids of `{}` are of type {own}, not {other}", word.text);
        check.error(
            place.value("type"),
            message,
            "leave `type` out: it follows from the reference",
        );
    }
    for key in keywords.keys().filter(|key| !matches!(key.as_str(), "type" | "readOnly")) {
        let telling = ["title", "description", "deprecated", "examples", "$comment"];
        if !telling.contains(&key.as_str()) {
            let help = "the value is the id of a record: leave it out";
            check.error(place.key(key), format!("a reference cannot have `{key}`"), help);
        }
    }
    for (key, value) in id_schema(id, field.nullable) {
        keywords.insert(key, value);
    }
    keywords.retain(|key, _| {
        matches!(key.as_str(), "type" | "format" | "minimum" | "maximum" | "pattern" | "readOnly")
    });
}

/// What the ids of this kind fit.
fn id_schema(id: IdKind, nullable: bool) -> Map<String, Json> {
    let kind = if id == IdKind::Integer { "integer" } else { "string" };
    let kind = if nullable { json!([kind, "null"]) } else { json!(kind) };
    let mut keywords = Map::new();
    keywords.insert("type".to_owned(), kind);
    match id {
        IdKind::Integer => {
            keywords.insert("minimum".to_owned(), json!(1));
            keywords.insert("maximum".to_owned(), json!(ID_MAX));
        }
        IdKind::Uuid => {
            keywords.insert("format".to_owned(), json!("uuid"));
        }
        IdKind::Text => {
            keywords.insert("pattern".to_owned(), json!("^[A-Za-z0-9._~-]{1,128}$"));
        }
    }
    keywords
}

fn on_delete(check: &mut Check, place: &FieldPlace<'_>, field: &Field) -> OnDelete {
    let words = ["restrict", "cascade", "clear"];
    let Some(word) = check.choice(place.table, "onDelete", &words) else {
        return OnDelete::Restrict;
    };
    match word.as_str() {
        "cascade" => OnDelete::Cascade,
        "clear" => {
            let span = place.value("onDelete");
            if !(field.optional || field.nullable) {
                let help = "add `optional = true`";
                check.error(span, "what is cleared must be optional", help);
            } else if field.immutable {
                let help = "leave `immutable` out, or use \"restrict\" or \"cascade\"";
                check.error(span, "what is immutable cannot be cleared", help);
            }
            OnDelete::Clear
        }
        _ => OnDelete::Restrict,
    }
}

/// Warns of resources whose first record would need another of the same circle before it.
pub(super) fn check(check: &mut Check, model: &Model, places: &[Place<'_>]) {
    for (at, place) in places.iter().enumerate() {
        let needs = required(model, at);
        let Some((field, _)) = needs.iter().find(|(_, to)| reaches(model, *to, at)) else {
            continue;
        };
        let message = "no first record can be created: what it refers to needs one before it";
        let help = "make one reference of the circle `optional = true`";
        check.warn(place.fields[*field].span, message, help);
    }
}

/// The references of a resource that a new record cannot be without.
fn required(model: &Model, resource: usize) -> Vec<(usize, usize)> {
    let fields = model.resources[resource].fields.iter().enumerate();
    fields
        .filter(|(_, field)| !(field.optional || field.nullable))
        .filter_map(|(at, field)| Some((at, field.references?.resource)))
        .collect()
}

/// True where a chain of required references leads from one resource to the other.
fn reaches(model: &Model, from: usize, to: usize) -> bool {
    let mut seen = vec![false; model.resources.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(required(model, at).into_iter().map(|(_, next)| next));
        }
    }
    false
}
