//! What a declaration allows and nobody can do, and what its rules tell of what they look at.

use super::Check;
use super::open::{covers, has, is_unread, written};
use super::place::Place;
use crate::access::ADMIN;
use crate::complaint::Span;
use crate::model::{Access, Field, Model, Resource, ResourceIndex, Who};
use crate::query::{Column, target};

/// Warns of grants that come to nothing, and of rules that tell what they hide.
pub(super) fn check(check: &mut Check, model: &Model, places: &[Place<'_>]) {
    for (at, (resource, place)) in model.resources.iter().zip(places).enumerate() {
        let Some(access) = &resource.access else { continue };
        if !is_unread(place, access) {
            unseen(check, access, place);
            told(check, model, at, (access.read.as_ref(), None), written(place, "read"));
        }
        required(check, resource, access, place);
        for (field, written) in resource.fields.iter().zip(&place.fields) {
            told(check, model, at, (field.read.as_ref(), Some(field)), written.span);
        }
    }
}

/// True where somebody of that name can be in a circle.
fn reaches(circle: Option<&Who>, name: &str) -> bool {
    let Some(who) = circle else { return name == ADMIN };
    let wide = matches!(name, "anyone" | "signed-in");
    name == ADMIN
        || has(who, "anyone")
        || has(who, name)
        || name != "anyone" && has(who, "signed-in")
        || wide && who.names.iter().any(|name| name != ADMIN)
}

/// Those of a circle who are not in another one.
fn beyond<'a>(who: &'a Who, circle: Option<&Who>) -> Vec<&'a str> {
    who.names.iter().map(String::as_str).filter(|name| !reaches(circle, name)).collect()
}

/// What is not seen is not there, so it is neither changed nor deleted.
fn unseen(check: &mut Check, access: &Access, place: &Place<'_>) {
    for (key, verb, who) in
        [("update", "update", &access.update), ("delete", "delete", &access.delete)]
    {
        let Some(who) = who else { continue };
        let names = beyond(who, access.read.as_ref());
        if !names.is_empty() {
            let names = names.join(", ");
            let message = format!("{names} may {verb} what it may not read: always 404");
            check.warn(written(place, key), message, "let it read those records too");
        }
    }
}

/// A record that lacks what it has to have cannot be created.
fn required(check: &mut Check, resource: &Resource, access: &Access, place: &Place<'_>) {
    let Some(create) = &access.create else { return };
    for (field, written) in resource.fields.iter().zip(&place.fields) {
        let names = kept_from_creating(field, create);
        if !names.is_empty() {
            let names = names.join(", ");
            let message = format!(
                "{names} may create records of `{}` and may not write `{}`, which each needs",
                resource.name, field.name
            );
            check.warn(written.span, message, "give it a default, `optional`, or another `write`");
        }
    }
}

/// Those who may create records and cannot, because they may not write a field that each needs.
fn kept_from_creating<'a>(field: &Field, create: &'a Who) -> Vec<&'a str> {
    let is_needed = !(field.optional || field.read_only || field.owner) && field.default.is_none();
    match &field.write {
        // Whoever creates a record can be its owner.
        Some(write) if is_needed && !has(write, "owner") => beyond(create, Some(write)),
        _ => Vec::new(),
    }
}

/// Whether a record is shown tells of what the rule looks at.
fn told(
    check: &mut Check,
    model: &Model,
    at: ResourceIndex,
    (who, shown): (Option<&Who>, Option<&Field>),
    span: &Span,
) {
    let Some((who, rule)) = who.and_then(|who| Some((who, who.when.as_ref()?))) else { return };
    for path in rule.paths() {
        let Some(of) = target(model, at, &path.through) else { continue };
        let Column::Field(index) = path.column else { continue };
        let field = &model.resources[of].fields[index];
        // A field that decides about itself says what it means to say.
        let is_own = shown.is_some_and(|shown| std::ptr::eq(shown, field));
        let Some(read) = field.read.as_ref().filter(|_| !is_own) else { continue };
        let are_named = who.names.iter().all(|name| name == ADMIN || has(read, name));
        if covers(Some(read), who) || read.when.is_none() && are_named {
            continue;
        }
        let message = format!(
            "what this rule shows tells of `{}`, which not all whom it is shown to may read",
            field.name
        );
        check.warn(span, message, "let them read it, or take it as known that they can infer it");
        return;
    }
}
