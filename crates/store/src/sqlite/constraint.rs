//! What of a field's JSON Schema SQL can say: a person who edits the table is held to it too.
//! (Patterns and formats stay with the server, which is the only one that can say them.)

use model::model::{Field, Kind};
use serde_json::Value;

use super::ddl::text_literal;
use crate::sql::quote;

/// Integers that every JSON reader holds exactly (RFC 8259 §6).
const EXACT_MAX: i64 = (1 << 53) - 1;

/// The CHECK constraints of a column, each named after what it asks.
pub(crate) fn checks(field: &Field, kind: Kind) -> String {
    let column = quote(&field.name);
    let mut out = String::new();
    let mut add = |says: &str, condition: &str| {
        let name = quote(&format!("{} {says}", field.name));
        out.push_str(&format!(" CONSTRAINT {name} CHECK ({condition})"));
    };
    match kind {
        Kind::Boolean => add("is 0 or 1", &format!("{column} IN (0, 1)")),
        // Before SQLite 3.45 json_valid(NULL) is 0, and a person may come with an older shell.
        Kind::Json => add("is JSON", &format!("{column} IS NULL OR json_valid({column})")),
        Kind::Integer if field.references.is_none() && field.schema.format() != Some("int64") => {
            let range = format!("{column} BETWEEN -{EXACT_MAX} AND {EXACT_MAX}");
            add("is within 2^53 - 1", &range);
        }
        Kind::Integer | Kind::Number | Kind::Text => {}
    }
    // What is kept of a password is its hash, of which the schema says nothing.
    if field.password || field.references.is_some() {
        return out;
    }
    for (keyword, value) in model::shape::judges(field) {
        if let Some(condition) = condition(&column, kind, &keyword, &value) {
            add(&format!("{keyword} {}", shown(&value)), &condition);
        }
    }
    out
}

fn condition(column: &str, kind: Kind, keyword: &str, value: &Value) -> Option<String> {
    let compared = |operator: &str| Some(format!("{column} {operator} {}", number(value)?));
    match (kind, keyword) {
        (Kind::Integer | Kind::Number, "minimum") => compared(">="),
        (Kind::Integer | Kind::Number, "maximum") => compared("<="),
        (Kind::Integer | Kind::Number, "exclusiveMinimum") => compared(">"),
        (Kind::Integer | Kind::Number, "exclusiveMaximum") => compared("<"),
        (Kind::Text, "minLength") => Some(format!("length({column}) >= {}", value.as_u64()?)),
        (Kind::Text, "maxLength") => Some(format!("length({column}) <= {}", value.as_u64()?)),
        (Kind::Integer | Kind::Number | Kind::Text, "enum") => {
            let among: Option<Vec<String>> = value
                .as_array()?
                .iter()
                .filter(|value| !value.is_null())
                .map(|value| literal(kind, value))
                .collect();
            Some(format!("{column} IN ({})", among?.join(", ")))
        }
        _ => None,
    }
}

fn literal(kind: Kind, value: &Value) -> Option<String> {
    match (kind, value) {
        (Kind::Text, Value::String(text)) => Some(text_literal(text)),
        (Kind::Integer | Kind::Number, value) => number(value),
        _ => None,
    }
}

/// A number as SQL writes it. None for one that SQLite would not read as the same.
fn number(value: &Value) -> Option<String> {
    match (value.as_i64(), value.as_f64()) {
        (Some(whole), _) => Some(whole.to_string()),
        (None, Some(number)) if number.is_finite() => Some(format!("{number:?}")),
        _ => None,
    }
}

/// A value in the name of a constraint: short, and without what would end the name.
fn shown(value: &Value) -> String {
    value.to_string().chars().filter(|c| !c.is_control()).take(60).collect()
}
