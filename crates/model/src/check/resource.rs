//! One resource: its keys, and its fields in their order.

use super::place::Place;
use super::{Check, access, cache, field, group, top};
use crate::model::Resource;
use crate::source::{Entry, Table, Written};

/// The keys of a resource.
pub(crate) const RESOURCE_KEYS: &[&str] = &[
    "description",
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
        fields,
        digest: String::new(),
    }
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
            "was" => "renaming a resource comes with migrations, in a later version".to_owned(),
            key if top::is_key(key) => {
                format!("`{key}` stands at the top of the file, before the first [resources.…]")
            }
            _ => String::new(),
        },
    }
}
