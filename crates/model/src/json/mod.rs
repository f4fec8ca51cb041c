//! JSON as it must arrive, and what JSON values have to do with each other: equality, order of
//! numbers, a canonical text.

mod parse;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Number, Value};

pub(crate) use parse::parse_part;
pub use parse::{Fault, parse};

/// How deep arrays and objects may be nested.
pub const DEPTH_MAX: usize = 64;

/// Escapes a member name as a reference token of a JSON Pointer (RFC 6901 §3).
#[must_use]
pub fn escape(name: &str) -> String {
    if name.contains(['~', '/']) {
        name.replace('~', "~0").replace('/', "~1")
    } else {
        name.to_owned()
    }
}

/// How many arrays and objects stand around the innermost value.
#[must_use]
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A number as JSON has it: one without a fraction is written without one, as ECMAScript does, so
/// that 10 comes back as 10.
#[must_use]
pub fn number(number: f64) -> Value {
    match whole(number) {
        Some(whole) => Value::from(whole),
        None => Value::from(number),
    }
}

/// The whole number that a binary64 number is, within ±(2^53−1).
#[must_use]
pub fn whole(number: f64) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_991.0;
    (number.fract() == 0.0 && number.abs() <= MOST).then_some(number as i64)
}

/// True where two values are equal as JSON: numbers by value (1 and 1.0), members in any order.
#[must_use]
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, left)| right.get(name).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

/// Compares two numbers by value, exactly.
#[must_use]
pub fn compare(left: &Number, right: &Number) -> std::cmp::Ordering {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => {
            let (left, right) = (left.as_f64(), right.as_f64());
            left.partial_cmp(&right).unwrap_or(std::cmp::Ordering::Equal)
        }
    }
}

/// A number as an integer, if it is one that 128 bits can hold.
pub(crate) fn integer(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i128() {
        return Some(number);
    }
    let number = number.as_f64()?;
    (number.fract() == 0.0 && number.abs() < 1e38).then_some(number as i128)
}

/// A text that is the same for equal values and only for them: no space, members in order of their
/// names, numbers in one spelling.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => match integer(number) {
            Some(integer) => write!(out, "{integer}"),
            None => write!(out, "{number}"),
        }
        .unwrap_or_default(),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            out.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write!(out, "{}:", Value::String(name.clone())).unwrap_or_default();
                write_canonical(member, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {
            write!(out, "{value}").unwrap_or_default();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
