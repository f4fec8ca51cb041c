//! What a declaration leaves open, said so that it is meant.

use super::Check;
use super::place::Place;
use crate::access::ADMIN;
use crate::complaint::Span;
use crate::model::{Access, Model, Resource, Who};
use crate::source::{Table, Written};

/// Warns of what anyone may change, and of what uniqueness tells to those who may not read.
pub(super) fn check(check: &mut Check, model: &Model, places: &[Place<'_>]) {
    let mut created: Vec<(&str, &Span)> = Vec::new();
    for (resource, place) in model.resources.iter().zip(places) {
        let Some(access) = &resource.access else { continue };
        if is_unread(place, access) {
            continue;
        }
        let open = |who: &Option<Who>| {
            who.as_ref().is_some_and(|who| who.when.is_none() && has(who, "anyone"))
        };
        let (updates, deletes) = (open(&access.update), open(&access.delete));
        let what = match (updates, deletes) {
            (true, true) => Some(("update", "change and delete")),
            (true, false) => Some(("update", "change")),
            (false, true) => Some(("delete", "delete")),
            (false, false) => None,
        };
        if let Some((key, what)) = what {
            let message = format!("anyone may {what} every record of `{}`", resource.name);
            let help = "name \"owner\", \"signed-in\" or a role, or add a rule";
            check.warn(written(place, key), message, help);
        }
        if open(&access.create) {
            created.push((&resource.name, written(place, "create")));
        }
        taken(check, resource, place);
    }
    if let Some((_, span)) = created.first() {
        let names: Vec<String> = created.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("anyone may create records of {}", names.join(", "));
        check.note(span, message, "without signing in, from wherever the server is reached");
    }
}

/// True where it was written who may read, and could not be read: nothing follows from that.
pub(super) fn is_unread(place: &Place<'_>, access: &Access) -> bool {
    grants(place).is_some_and(|grants| grants.get("read").is_some()) && access.read.is_none()
}

fn grants<'a>(place: &Place<'a>) -> Option<&'a Table> {
    match place.table.get("access").map(|node| &node.written) {
        Some(Written::Table(table)) => Some(table),
        _ => None,
    }
}

/// Where a grant stands.
pub(super) fn written<'a>(place: &Place<'a>, key: &str) -> &'a Span {
    let node = grants(place).and_then(|grants| grants.get(key).or_else(|| grants.get("write")));
    node.map_or(place.of("access"), |node| &node.span)
}

pub(super) fn has(who: &Who, name: &str) -> bool {
    who.names.iter().any(|other| other == name)
}

/// A value that is taken is refused: whoever may send one can ask which there are.
fn taken(check: &mut Check, resource: &Resource, place: &Place<'_>) {
    let Some(access) = &resource.access else { return };
    let senders = [&access.create, &access.update].into_iter().flatten();
    for (at, field) in resource.fields.iter().enumerate() {
        let is_unique = field.unique || resource.unique.iter().any(|group| group.contains(&at));
        if !is_unique || field.read_only {
            continue;
        }
        let is_read = |sender: &Who| {
            covers(access.read.as_ref(), sender)
                && (field.read.is_none() || covers(field.read.as_ref(), sender))
        };
        let writers = |sender: &&Who| match &field.write {
            // Who may send the field at all: both name the same, or one of them names fewer.
            Some(write) => !write.names.iter().all(|name| name == ADMIN) && !is_read(write),
            None => !is_read(sender),
        };
        if let Some(sender) = senders.clone().find(writers) {
            let names: Vec<&str> =
                sender.names.iter().map(String::as_str).filter(|name| *name != ADMIN).collect();
            let message = format!(
                "{} may send `{}` and may not read it in every record: the answer that a value is \
                 taken tells which there are",
                names.join(", "),
                field.name
            );
            let help = "let them read it, or take it as known that they can ask";
            check.warn(place.fields[at].span, message, help);
        }
    }
}

/// True where everyone of the one circle is in the other, and for every record.
pub(super) fn covers(circle: Option<&Who>, inner: &Who) -> bool {
    let by = |name: &str| {
        name == ADMIN
            || circle.is_some_and(|who| {
                who.when.is_none()
                    && (has(who, "anyone")
                        || name != "anyone" && has(who, "signed-in")
                        || name != "owner" && has(who, name))
            })
    };
    inner.names.iter().all(|name| by(name))
}
