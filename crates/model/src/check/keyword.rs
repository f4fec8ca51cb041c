//! The keys of a field: ours, and JSON Schema's own, with what each can apply to.

use super::Check;
use super::kind::Shape;
use super::place::FieldPlace;
use crate::schema;
use crate::source::{Entry, Written};

/// The keys of a field that JSON Schema does not have.
pub(super) const FIELD_KEYS: &[&str] = &[
    "unique",
    "index",
    "references",
    "onDelete",
    "owner",
    "immutable",
    "secret",
    "ignoreCase",
    "optional",
    "read",
    "write",
    "was",
];

/// The keywords of JSON Schema 2020-12 that describe and do not judge.
pub(crate) const ANNOTATIONS: &[&str] = &[
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// The keywords that judge values of one type and pass over all others.
const SUBJECTS: &[(&str, &[&str])] = &[
    ("string", &["minLength", "maxLength", "pattern"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("array", &["items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"]),
    ("object", &["properties", "patternProperties", "additionalProperties", "required"]),
];

/// What people write who know it from elsewhere, and what it is called here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("nullable", "write `type = [\"string\", \"null\"]`"),
    ("null", "write `type = [\"string\", \"null\"]`"),
    ("min", "`minimum` for numbers, `minLength` for strings, `minItems` for arrays"),
    ("max", "`maximum` for numbers, `maxLength` for strings, `maxItems` for arrays"),
    ("length", "write `minLength` and `maxLength`"),
    ("size", "write `maxLength` for strings, `maxItems` for arrays"),
    ("regex", "did you mean `pattern`?"),
    ("values", "did you mean `enum`?"),
    ("choices", "did you mean `enum`?"),
    ("ref", "did you mean `references`?"),
    ("foreignKey", "did you mean `references`?"),
    ("relation", "did you mean `references`?"),
    ("$ref", "schemas are written out here; for another resource write `references`"),
    (
        "hidden",
        "`writeOnly` for what a client sends and never gets back, `secret` for the server's",
    ),
    ("private", "`read = \"owner\"` says who may read it"),
    ("primaryKey", "every resource has its `id`: set `id` in the resource"),
    ("renamedFrom", "did you mean `was`?"),
    ("comment", "did you mean `$comment`, or `description`?"),
    ("effect", "an effect belongs to a resource, and comes in a later version"),
];

/// Every key of a field.
pub(crate) fn known() -> Vec<&'static str> {
    schema::keywords().chain(FIELD_KEYS.iter().copied()).collect()
}

/// Complains of keys that nobody knows, and of those that cannot judge what the field holds.
/// (Schema::compile sees to the rest.)
pub(super) fn check(check: &mut Check, place: &FieldPlace<'_>, shape: &Shape) {
    let known = known();
    let any = shape.types.is_empty() && !shape.unknown && !place.has("references");
    for entry in &place.table.entries {
        let key = entry.key.as_str();
        if known.contains(&key) {
            if any {
                applies(check, entry);
            }
        } else if matches!(key, "accept" | "maxSize") {
            let help = "leave it out for now: it belongs to `type = \"file\"`";
            check.error(&entry.key_span, format!("`{key}` comes in a later version"), help);
        } else {
            let hint = ELSEWHERE.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            let hint = hint.map_or("", |(_, hint)| hint);
            check.unknown(entry, "a field", &known, hint);
        }
    }
    required(check, place);
    annotations(check, place);
}

/// A keyword that passes over most of what a field without a type may hold.
fn applies(check: &mut Check, entry: &Entry) {
    let subject = match &entry.node.written {
        Written::Text(format) if entry.key == "format" => {
            let numeric = ["int32", "int64", "float", "double"].contains(&format.as_str());
            Some(if numeric { "number" } else { "string" })
        }
        _ => {
            let subject = SUBJECTS.iter().find(|(_, keys)| keys.contains(&entry.key.as_str()));
            subject.map(|(subject, _)| *subject)
        }
    };
    if let Some(subject) = subject {
        let message = format!("`{}` constrains only values of type {subject}", entry.key);
        let help =
            format!("this field takes any JSON; did you mean to add `type = \"{subject}\"`?");
        check.warn(&entry.key_span, message, &help);
    }
}

/// `required = true` is what everybody tries first.
fn required(check: &mut Check, place: &FieldPlace<'_>) {
    if let Some(node) = place.table.get("required")
        && let Written::Boolean(required) = &node.written
    {
        let help = if *required {
            "leave it out: a field is required unless it is `optional` or has a `default`"
        } else {
            "write `optional = true`"
        };
        check.error(place.key("required"), "a field is required by itself", help);
    }
}

fn annotations(check: &mut Check, place: &FieldPlace<'_>) {
    for key in ["title", "description", "$comment"] {
        check.text(place.table, key);
    }
    check.boolean(place.table, "deprecated");
    if let Some(node) = place.table.get("examples")
        && !matches!(node.written, Written::List(_))
    {
        check.mismatch("examples", node, "an array", "");
    }
}
