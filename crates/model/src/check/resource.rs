//! One resource: its keys, and its fields in their order.

use super::place::{Place, is_written_as_resource};
use super::{Check, access, cache, field, group, top};
use crate::model::Resource;
use crate::source::{Entry, Table, Written};

/// The keys of a resource.
pub(crate) const RESOURCE_KEYS: &[&str] = &[
    "description",
    "was",
    "id",
    "fields",
    "search",
    "cache",
    "preconditions",
    "idempotency",
    "put",
    "unique",
    "index",
    "sort",
    "login",
    "access",
    "origins",
];

/// Reads a resource. Always gives one back, so that others can be checked against it.
pub(super) fn read(check: &mut Check, place: &Place<'_>, places: &[Place<'_>]) -> Resource {
    let table = place.table;
    unknown(check, table);
    let fields: Vec<_> =
        place.fields.iter().map(|field| field::read(check, field, places)).collect();
    group::was(check, place, &fields);
    check.choice(table, "id", &["integer", "uuid", "text"]);
    let choice = |check: &mut Check, key| {
        let word = check.choice(table, key, &["required", "optional"]);
        word.is_some_and(|word| word == "required")
    };
    Resource {
        name: place.name.to_owned(),
        was: was(check, place, places),
        description: check.prose(table, "description"),
        id: super::kind::id_kind(table),
        search: group::search(check, place, &fields),
        cache: cache::read(check, table),
        preconditions_required: choice(check, "preconditions"),
        key_required: choice(check, "idempotency"),
        upsert: check.choice(table, "put", &["upsert"]).is_some(),
        unique: group::unique(check, place, &fields),
        index: group::index(check, place, &fields),
        sort: group::sort(check, place, &fields),
        login: group::login(check, place, &fields),
        access: access::read(check, table),
        origins: super::origin::read(check, table),
        watched: Vec::new(),
        fields,
        digest: String::new(),
    }
}

/// The name before: it must be free, and be claimed once.
fn was(check: &mut Check, place: &Place<'_>, places: &[Place<'_>]) -> Option<String> {
    let word = check.text(place.table, "was")?;
    let claimed = |other: &Place<'_>| {
        let node = other.table.get("was").map(|node| &node.written);
        matches!(node, Some(Written::Text(text)) if *text == word.text)
    };
    let before = places.iter().take_while(|other| other.name != place.name);
    if word.text == place.name {
        let help = "leave `was` out, or name what the resource was called before";
        check.error(&word.span, "that is what it is called now", help);
    } else if !is_written_as_resource(&word.text) {
        check.error(&word.span, format!("no resource can have been called `{}`", word.text), "");
    } else if places.iter().any(|other| other.name == word.text) {
        let message = format!("`{}` is still a resource of its own", word.text);
        check.error(&word.span, message, "leave `was` out, or remove the other resource");
    } else if before.into_iter().any(claimed) {
        check.error(&word.span, format!("two resources say that they were `{}`", word.text), "");
    }
    Some(word.text)
}

fn unknown(check: &mut Check, table: &Table) {
    for entry in &table.entries {
        if entry.key == "effect" {
            let help = "leave it out for now: this version makes no requests of its own";
            check.error(&entry.key_span, "`effect` comes in a later version", help);
        } else if !RESOURCE_KEYS.contains(&entry.key.as_str()) {
            check.unknown(entry, "a resource", RESOURCE_KEYS, &hint(entry));
        }
    }
}

fn hint(entry: &Entry) -> String {
    let key = entry.key.as_str();
    match &entry.node.written {
        Written::Table(inner)
            if ["type", "references", "format", "enum"]
                .iter()
                .any(|key| inner.get(key).is_some()) =>
        {
            format!("a field stands under `fields`: fields.{key} = {{ … }}")
        }
        _ => match key {
            "owner" | "references" | "default" => format!("`{key}` belongs to a field"),
            "read" | "create" | "update" | "delete" | "write" => {
                format!("write `access = {{ {key} = … }}`")
            }
            key if top::is_key(key) => {
                format!("`{key}` stands at the top of the file, before the first [resources.…]")
            }
            _ => String::new(),
        },
    }
}
