//! The keys of a field: ours, and JSON Schema's own, with what each can apply to.

use super::Check;
use super::place::FieldPlace;
use crate::source::{Entry, Written};

/// The keys of a field that JSON Schema does not have.
pub(crate) const FIELD_KEYS: &[&str] = &[
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
];

/// The keywords of JSON Schema 2020-12 that judge, each with the types that it judges; `*`: any.
pub(crate) const VALIDATIONS: &[(&str, &[&str])] = &[
    ("type", &["*"]),
    ("enum", &["*"]),
    ("const", &["*"]),
    ("format", &["*"]),
    ("multipleOf", NUMBERS),
    ("maximum", NUMBERS),
    ("exclusiveMaximum", NUMBERS),
    ("minimum", NUMBERS),
    ("exclusiveMinimum", NUMBERS),
    ("maxLength", &["string"]),
    ("minLength", &["string"]),
    ("pattern", &["string"]),
    ("contentEncoding", &["string"]),
    ("contentMediaType", &["string"]),
    ("contentSchema", &["string"]),
    ("maxItems", &["array"]),
    ("minItems", &["array"]),
    ("uniqueItems", &["array"]),
    ("items", &["array"]),
    ("prefixItems", &["array"]),
    ("contains", &["array"]),
    ("maxContains", &["array"]),
    ("minContains", &["array"]),
    ("unevaluatedItems", &["array"]),
    ("maxProperties", &["object"]),
    ("minProperties", &["object"]),
    ("required", &["object"]),
    ("properties", &["object"]),
    ("patternProperties", &["object"]),
    ("additionalProperties", &["object"]),
    ("propertyNames", &["object"]),
    ("dependentRequired", &["object"]),
    ("dependentSchemas", &["object"]),
    ("unevaluatedProperties", &["object"]),
    ("allOf", &["*"]),
    ("anyOf", &["*"]),
    ("oneOf", &["*"]),
    ("not", &["*"]),
    ("if", &["*"]),
    ("then", &["*"]),
    ("else", &["*"]),
];

const NUMBERS: &[&str] = &["integer", "number"];

/// Pairs of which the first must not exceed the second.
const RANGES: &[(&str, &str)] = &[
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
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
pub(super) fn known() -> Vec<&'static str> {
    let validations = VALIDATIONS.iter().map(|(name, _)| *name);
    validations.chain(FIELD_KEYS.iter().copied()).chain(ANNOTATIONS.iter().copied()).collect()
}

/// Complains of keys that nobody knows or that contradict each other. True where a later version
/// brings what is asked for, so that nothing else needs saying.
pub(super) fn check(check: &mut Check, place: &FieldPlace<'_>, types: &[String]) {
    let known = known();
    for entry in &place.table.entries {
        let key = entry.key.as_str();
        if known.contains(&key) {
            applies(check, entry, types);
        } else if matches!(key, "accept" | "maxSize") {
            let help = "leave it out until this version's successor: it is for `type = \"file\"`";
            check.error(&entry.key_span, format!("`{key}` comes in a later version"), help);
        } else {
            let hint = ELSEWHERE.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            let hint = hint.map_or("", |(_, hint)| hint);
            check.unknown(entry, "a field", &known, hint);
        }
    }
    required(check, place);
    annotations(check, place);
    for (least, most) in RANGES {
        let number = |key| match place.table.get(key).map(|node| &node.written) {
            Some(Written::Integer(number)) => Some(*number as f64),
            Some(Written::Number(number)) => Some(*number),
            _ => None,
        };
        if let (Some(low), Some(high)) = (number(least), number(most))
            && low > high
        {
            let message = format!("no value fits: `{least}` is above `{most}`");
            check.error(place.value(least), message, "");
        }
    }
}

/// JSON Schema passes over a keyword for another type. Here it is a slip.
fn applies(check: &mut Check, entry: &Entry, types: &[String]) {
    let Some((name, subjects)) = VALIDATIONS.iter().find(|(name, _)| *name == entry.key) else {
        return;
    };
    let any = subjects.contains(&"*");
    if any || types.iter().any(|own| subjects.contains(&own.as_str())) {
        return;
    }
    let subject = subjects[0];
    if types.is_empty() {
        let message = format!("`{name}` constrains only values of type {subject}");
        let help =
            format!("this field takes any JSON; did you mean to add `type = \"{subject}\"`?");
        check.warn(&entry.key_span, message, &help);
    } else {
        let message = format!("`{name}` has no meaning for type {}", types.join(", "));
        check.error(&entry.key_span, message, &format!("it constrains values of type {subject}"));
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
