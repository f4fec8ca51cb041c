//! Digests of the declaration: what shapes an answer, and what shapes the tables.

use crate::model::{Field, IdKind, Kind, Model, OnDelete, Resource};
use crate::value::Value;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Sixteen hex digits over everything that shapes the representation of a resource's records:
/// folded into every ETag, so that a declaration that shows records otherwise revives no tag.
pub(crate) fn resource(resource: &Resource) -> String {
    let mut text = String::from("representation 1\n");
    line(&mut text, &[&resource.name, id(resource.id)]);
    for field in &resource.fields {
        let mut parts = vec![field.name.as_str(), kind(field.kind)];
        let shown = flags(&[
            ("hidden", !field.visible()),
            ("optional", field.optional),
            ("nullable", field.nullable),
            ("reference", field.references.is_some()),
        ]);
        let default = default(field);
        parts.extend([shown.as_str(), field.schema.format().unwrap_or_default(), default.as_str()]);
        line(&mut text, &parts);
    }
    hex(&text, 8)
}

impl Model {
    /// Sixteen hex digits over everything that shapes tables and constraints: names, ids, kinds,
    /// schemas, references, uniqueness, indexes, what is searched. A database that was made under
    /// another digest does not fit this declaration. The order of resources and of fields does
    /// not count, nor do titles, paths, access and caching.
    #[must_use]
    pub fn table_digest(&self) -> String {
        let mut tables: Vec<String> = self.resources.iter().map(|r| self.table(r)).collect();
        tables.sort();
        hex(&format!("tables 1\n{}", tables.concat()), 8)
    }

    fn table(&self, resource: &Resource) -> String {
        let mut text = String::new();
        line(&mut text, &["table", &resource.name, id(resource.id)]);
        let mut lines: Vec<String> = resource.fields.iter().map(|f| self.column(f)).collect();
        let name = |at: &usize| resource.fields[*at].name.as_str();
        for (what, groups) in [("unique", &resource.unique), ("index", &resource.index)] {
            for group in groups {
                let mut parts = vec![what];
                parts.extend(group.iter().map(name));
                let mut text = String::new();
                line(&mut text, &parts);
                lines.push(text);
            }
        }
        for field in &resource.search {
            let mut text = String::new();
            line(&mut text, &["search", name(field)]);
            lines.push(text);
        }
        lines.sort();
        text + &lines.concat()
    }

    fn column(&self, field: &Field) -> String {
        let mut text = String::new();
        let shape = flags(&[
            ("optional", field.optional),
            ("nullable", field.nullable),
            ("unique", field.unique),
            ("index", field.index),
            ("fold", field.ignore_case),
            ("password", field.password),
        ]);
        let (target, on_delete) = match field.references {
            Some(reference) => {
                let name = self.resources[reference.resource].name.as_str();
                (name, on_delete(reference.on_delete))
            }
            None => ("", ""),
        };
        let (default, schema) = (default(field), constraints(field));
        let kind = kind(field.kind);
        line(&mut text, &[&field.name, kind, &shape, target, on_delete, &default, &schema]);
        text
    }
}

/// One line of parts, each with its length before it, so that no two lists look the same.
fn line(text: &mut String, parts: &[&str]) {
    for part in parts {
        // Writing into a String does not fail.
        let _ = write!(text, "{}:{part} ", part.len());
    }
    text.push('\n');
}

fn flags(flags: &[(&str, bool)]) -> String {
    let set: Vec<&str> = flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    set.join(",")
}

fn id(kind: IdKind) -> &'static str {
    match kind {
        IdKind::Integer => "integer",
        IdKind::Uuid => "uuid",
        IdKind::Text => "text",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Json => "json",
    }
}

fn on_delete(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
        OnDelete::Clear => "clear",
    }
}

fn default(field: &Field) -> String {
    match &field.default {
        None => String::new(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Boolean(truth)) => format!("boolean {truth}"),
        Some(Value::Integer(number)) => format!("integer {number}"),
        Some(Value::Number(number)) => format!("number {number}"),
        Some(Value::Text(text)) => format!("text {text}"),
        Some(Value::Json(json)) => format!("json {json}"),
    }
}

/// The keywords of a field's schema that judge values, in one canonical text.
fn constraints(field: &Field) -> String {
    let source = field.schema.source();
    let judges = |key: &str| !crate::check::ANNOTATIONS.contains(&key);
    let mut keys: Vec<&String> = source.keys().filter(|key| judges(key)).collect();
    keys.sort();
    let lines = keys.into_iter().map(|key| format!("{key}={}", sorted(&source[key])));
    lines.collect::<Vec<_>>().join("\n")
}

/// JSON with the members of every object in the order of their names.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(sorted).collect(),
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            Json::Object(members.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        _ => value.clone(),
    }
}

/// The first bytes of the SHA-256 of a text, in hex.
fn hex(text: &str, bytes: usize) -> String {
    let mut out = String::new();
    for byte in &Sha256::digest(text.as_bytes())[..bytes] {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
