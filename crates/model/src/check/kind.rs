//! What a field holds: its `type`, or what follows from `enum` and `const` where there is none.

use super::Check;
use super::place::FieldPlace;
use crate::complaint::Span;
use crate::model::{IdKind, Kind};
use crate::source::{Node, Table, Written};

/// The types of JSON Schema.
const TYPES: &[&str] = &["string", "integer", "number", "boolean", "array", "object", "null"];

/// Types from elsewhere, and what they are here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("text", "write `type = \"string\"`"),
    ("str", "write `type = \"string\"`"),
    ("varchar", "write `type = \"string\"` and `maxLength`"),
    ("char", "write `type = \"string\"` and `maxLength`"),
    ("int", "write `type = \"integer\"`"),
    ("bigint", "write `type = \"integer\", format = \"int64\"`"),
    ("long", "write `type = \"integer\", format = \"int64\"`"),
    ("int64", "write `type = \"integer\", format = \"int64\"`"),
    ("float", "write `type = \"number\"`"),
    ("double", "write `type = \"number\"`"),
    ("real", "write `type = \"number\"`"),
    ("decimal", "for money write `type = \"integer\"` and count cents"),
    ("money", "write `type = \"integer\"` and count cents"),
    ("bool", "write `type = \"boolean\"`"),
    ("date", "write `type = \"string\", format = \"date\"`"),
    ("time", "write `type = \"string\", format = \"time\"`"),
    ("datetime", "write `type = \"string\", format = \"date-time\"`"),
    ("date-time", "write `type = \"string\", format = \"date-time\"`"),
    ("timestamp", "write `type = \"string\", format = \"date-time\"`"),
    ("email", "write `type = \"string\", format = \"email\"`"),
    ("url", "write `type = \"string\", format = \"uri\"`"),
    ("uri", "write `type = \"string\", format = \"uri\"`"),
    ("uuid", "write `type = \"string\", format = \"uuid\"`"),
    ("password", "write `type = \"string\", format = \"password\"`"),
    ("json", "leave `type` out: such a field takes any JSON"),
    ("any", "leave `type` out: such a field takes any JSON"),
    ("list", "write `type = \"array\"`"),
    ("map", "write `type = \"object\"`"),
    ("enum", "write `type = \"string\", enum = [\"…\"]`"),
    ("reference", "write `references = \"RESOURCE\"` in place of `type`"),
];

/// What is known of a field's values before its schema is read.
pub(super) struct Shape {
    /// As storage sees them.
    pub(super) kind: Kind,
    /// `null` is one of the types.
    pub(super) null: bool,
    /// The types but `null`; empty where none is named.
    pub(super) types: Vec<String>,
    /// Its type is not one that can be served: what else is said of it is not judged.
    pub(super) unknown: bool,
}

/// Reads `type`.
pub(super) fn read(check: &mut Check, place: &FieldPlace<'_>) -> Shape {
    let mut shape = Shape { kind: Kind::Json, null: false, types: Vec::new(), unknown: false };
    match place.table.get("type") {
        None => {
            shape.types = implied(place);
        }
        Some(node) => match &node.written {
            Written::Text(name) => add(check, &mut shape, name, &node.span),
            Written::List(items) => {
                for word in check.words("type", items) {
                    add(check, &mut shape, &word.text, &word.span);
                }
            }
            _ => {
                shape.unknown = true;
                check.mismatch("type", node, "a string or an array of strings", "");
            }
        },
    }
    if shape.types.is_empty() && shape.null && !shape.unknown {
        let help = "name what it holds besides null: `type = [\"string\", \"null\"]`";
        check.error(place.value("type"), "this field could hold nothing but null", help);
    }
    // One fault is enough: text fits most of what others ask of a field.
    shape.kind = if shape.unknown { Kind::Text } else { kind(&shape.types) };
    shape
}

fn add(check: &mut Check, shape: &mut Shape, name: &str, span: &Span) {
    match name {
        "null" => shape.null = true,
        "file" => {
            shape.unknown = true;
            let help = "leave this field out for now: this version keeps no files beside records";
            check.error(span, "`type = \"file\"` comes in a later version", help);
        }
        _ if TYPES.contains(&name) => shape.types.push(name.to_owned()),
        _ => {
            shape.unknown = true;
            let elsewhere = ELSEWHERE.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            let help = elsewhere.map(|(_, help)| (*help).to_owned());
            let help = help.or_else(|| super::did_you_mean(name, TYPES.iter().copied()));
            let help = help.unwrap_or_else(|| format!("types are: {}", TYPES.join(", ")));
            check.error(span, format!("there is no type `{name}`"), &help);
        }
    }
}

fn kind(types: &[String]) -> Kind {
    let names: Vec<&str> = types.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["string"] => Kind::Text,
        ["integer"] => Kind::Integer,
        ["number"] | ["integer", "number"] | ["number", "integer"] => Kind::Number,
        ["boolean"] => Kind::Boolean,
        _ => Kind::Json,
    }
}

/// The one type of everything in `enum` or `const`, if there is one.
fn implied(place: &FieldPlace<'_>) -> Vec<String> {
    let node = place.table.get("const").or(place.table.get("enum"));
    let values: Vec<&Node> = match node.map(|node| (&node.written, node)) {
        Some((Written::List(items), _)) if !place.has("const") => items.iter().collect(),
        Some((_, node)) if place.has("const") => vec![node],
        _ => Vec::new(),
    };
    let mut types: Vec<&str> = values
        .iter()
        .map(|node| match node.written {
            Written::Text(_) | Written::Moment(_) => "string",
            Written::Integer(_) => "integer",
            Written::Number(_) => "number",
            Written::Boolean(_) => "boolean",
            Written::List(_) => "array",
            Written::Table(_) => "object",
        })
        .collect();
    types.dedup();
    match types.as_slice() {
        [one] => vec![(*one).to_owned()],
        _ => Vec::new(),
    }
}

/// True where JSON Schema has this type.
pub(super) fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}

/// What the ids are; an unknown word is complained of once, in `read`.
pub(super) fn id_kind(table: &Table) -> IdKind {
    match table.get("id").map(|node| &node.written) {
        Some(Written::Text(word)) if word == "uuid" => IdKind::Uuid,
        Some(Written::Text(word)) if word == "text" => IdKind::Text,
        _ => IdKind::Integer,
    }
}
