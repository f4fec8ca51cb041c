//! RFC 7396 and RFC 6902 as the model understands them: for documents one level deep, and arrays
//! within them.

use serde_json::{Map, Value};

/// Why a JSON Patch was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A place that is not there.
    Nowhere,
    /// A test that does not hold.
    Untrue,
}

/// RFC 7396 §2.
pub(super) fn merge(document: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut out = document.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        match value {
            Value::Null => drop(out.shift_remove(name)),
            Value::Object(_) => {
                let merged = merge(out.get(name).unwrap_or(&Value::Null), value);
                out.insert(name.clone(), merged);
            }
            value => drop(out.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(out)
}

/// RFC 6902 §4: add, remove, replace and test.
pub(super) fn json(document: &Value, patch: &Value) -> Result<Value, Refusal> {
    let mut members = document.as_object().cloned().expect("a record");
    for operation in patch.as_array().expect("a patch") {
        let path = operation["path"].as_str().expect("a path");
        let (name, index) = match path[1..].split_once('/') {
            Some((name, index)) => (name, Some(index)),
            None => (&path[1..], None),
        };
        let op = operation["op"].as_str().expect("an op");
        match index {
            None => member(&mut members, name, op, &operation["value"])?,
            Some(index) => {
                let items = members.get_mut(name).and_then(Value::as_array_mut);
                item(items.ok_or(Refusal::Nowhere)?, index, op, &operation["value"])?;
            }
        }
    }
    Ok(Value::Object(members))
}

fn member(
    members: &mut Map<String, Value>,
    name: &str,
    op: &str,
    value: &Value,
) -> Result<(), Refusal> {
    if op != "add" && !members.contains_key(name) {
        return Err(Refusal::Nowhere);
    }
    match op {
        "add" | "replace" => drop(members.insert(name.to_owned(), value.clone())),
        "remove" => drop(members.shift_remove(name)),
        _ if members.get(name) != Some(value) => return Err(Refusal::Untrue),
        _ => {}
    }
    Ok(())
}

fn item(items: &mut Vec<Value>, index: &str, op: &str, value: &Value) -> Result<(), Refusal> {
    let at = if index == "-" { items.len() } else { index.parse().expect("an index") };
    let last = if op == "add" { items.len() + 1 } else { items.len() };
    if at >= last {
        return Err(Refusal::Nowhere);
    }
    match op {
        "add" => items.insert(at, value.clone()),
        "replace" => items[at] = value.clone(),
        "remove" => drop(items.remove(at)),
        _ if items[at] != *value => return Err(Refusal::Untrue),
        _ => {}
    }
    Ok(())
}
