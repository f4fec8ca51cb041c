//! The digest of what shapes an answer.

use crate::model::{Field, Resource};
use crate::value::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Sixteen hex digits over everything that shapes the representation of a resource's records:
/// folded into every ETag, so that a declaration that shows records otherwise revives no tag.
pub(crate) fn resource(resource: &Resource) -> String {
    let mut text = String::from("representation 1\n");
    line(&mut text, &[&resource.name, resource.id.word()]);
    for field in &resource.fields {
        let mut parts = vec![field.name.as_str(), field.kind.word()];
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
    // What orders a list by default shows it otherwise.
    for key in &resource.sort {
        let direction = if key.descending { "descending" } else { "ascending" };
        line(&mut text, &["sort", key.column.name(resource), direction]);
    }
    hex(&text, 8)
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

/// The first bytes of the SHA-256 of a text, in hex.
fn hex(text: &str, bytes: usize) -> String {
    let mut out = String::new();
    for byte in &Sha256::digest(text.as_bytes())[..bytes] {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
