//! Patches: a document, a line feed, a patch. Merge patches against the RFC's own function, JSON
//! Patch against `serde_json`'s pointers and against itself one operation at a time.

use model::json::{self, depth};
use model::patch::{self, json::FaultKind};
use serde_json::{Map, Value};

use crate::world::halves;

/// How long a document may become, in bytes.
const LIMIT_BYTES: usize = 2048;

/// Both halves as JSON.
fn read(data: &[u8]) -> Option<(Value, Value)> {
    let (document, patch) = halves(data)?;
    Some((json::parse(document).ok()?, json::parse(patch).ok()?))
}

pub(crate) fn merge_patch(data: &[u8]) {
    let Some((document, patch)) = read(data) else { return };
    let mut once = document.clone();
    patch::merge::apply(&mut once, &patch);
    let expected = merged(Some(&document), &patch);
    assert_eq!(once, expected, "{document} with {patch}");
    assert!(depth(&once) <= json::DEPTH_MAX);
    let mut twice = once.clone();
    patch::merge::apply(&mut twice, &patch);
    assert_eq!(twice.to_string(), once.to_string(), "a second time changed something");
}

/// MergePatch as RFC 7396 §2 writes it down, without a place that is changed.
fn merged(target: Option<&Value>, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut result = target.and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    for (name, value) in patch {
        if value.is_null() {
            result.shift_remove(name);
        } else {
            let member = merged(result.get(name), value);
            result.insert(name.clone(), member);
        }
    }
    Value::Object(result)
}

pub(crate) fn json_patch(data: &[u8]) {
    let Some((document, patch)) = read(data) else { return };
    let before = document.to_string();
    let whole = patch::json::apply(&document, &patch, LIMIT_BYTES);
    assert_eq!(document.to_string(), before, "the document was changed");
    let steps = one_by_one(&document, &patch);
    match (&whole, &steps) {
        (Ok(whole), Ok(steps)) => {
            assert_eq!(whole.to_string(), steps.to_string(), "together and one by one");
            assert!(depth(whole) <= json::DEPTH_MAX);
            // A byte may become six of JSON text, and a number of one digit counts as eight.
            let most = 6 * LIMIT_BYTES.max(9 * before.len());
            assert!(whole.to_string().len() <= most, "grew beyond the limit");
        }
        (Ok(_), Err(kind)) => panic!("together it applies, one by one it is {kind:?}"),
        (Err(fault), _) => {
            assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{fault:?}");
            let other = patch::json::apply(&Value::Null, &patch, LIMIT_BYTES);
            let other = other.map_err(|fault| fault.kind);
            let malformed = |kind: Option<FaultKind>| kind == Some(FaultKind::Malformed);
            let (here, there) = (malformed(Some(fault.kind)), malformed(other.err()));
            assert_eq!(here, there, "whether it is a patch depends on the document");
        }
    }
}

/// Applies each operation as a patch of its own, and looks at what each did.
fn one_by_one(document: &Value, patch: &Value) -> Result<Value, FaultKind> {
    let operations = patch.as_array().ok_or(FaultKind::Malformed)?;
    let mut document = document.clone();
    for operation in operations {
        let single = Value::Array(vec![operation.clone()]);
        let result = patch::json::apply(&document, &single, usize::MAX);
        match result {
            Ok(result) => {
                did(operation, &document, &result);
                document = result;
            }
            Err(fault) => {
                did_not(operation, &document, fault.kind);
                return Err(fault.kind);
            }
        }
    }
    Ok(document)
}

fn member<'a>(operation: &'a Value, name: &str) -> &'a str {
    operation.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What is there after an operation, by pointers that are not ours.
fn did(operation: &Value, before: &Value, after: &Value) {
    let (path, from) = (member(operation, "path"), member(operation, "from"));
    // "-" names what does not exist yet; as a name of a member it is like any other.
    let there = || after.pointer(path).or_else(|| end(after, path));
    match member(operation, "op") {
        "add" | "replace" => assert_eq!(there(), operation.get("value"), "{operation}"),
        "copy" => assert_eq!(there(), before.pointer(from), "{operation}"),
        "move" => assert_eq!(there(), before.pointer(from), "{operation}"),
        "test" => {
            assert_eq!(before, after);
            let (found, asked) = (before.pointer(path), operation.get("value"));
            assert!(found.zip(asked).is_some_and(|(a, b)| json::equal(a, b)), "{operation}");
        }
        _ => removed(path, before, after),
    }
}

/// The last item of the array that `…/-` names.
fn end<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    document.pointer(path.strip_suffix("/-")?)?.as_array()?.last()
}

/// What was removed, added again at its place, gives what was there.
fn removed(path: &str, before: &Value, after: &Value) {
    let gone = before.pointer(path).unwrap_or_else(|| panic!("{path} was not there"));
    let again = serde_json::json!([{"op": "add", "path": path, "value": gone}]);
    let again = patch::json::apply(after, &again, usize::MAX);
    assert!(again.is_ok_and(|again| json::equal(&again, before)), "{path}");
}

/// An operation that could not be applied has a reason in the document.
fn did_not(operation: &Value, before: &Value, kind: FaultKind) {
    let (path, from) = (member(operation, "path"), member(operation, "from"));
    if kind != FaultKind::Inapplicable {
        return;
    }
    match member(operation, "op") {
        "test" => assert_eq!(before.pointer(path), None, "{operation}"),
        "remove" => assert!(path.is_empty() || before.pointer(path).is_none(), "{operation}"),
        "replace" => {
            let value = operation.get("value").map_or(0, depth);
            let deep = path.matches('/').count() + value > json::DEPTH_MAX;
            assert!(deep || before.pointer(path).is_none(), "{operation}");
        }
        "copy" | "move" if before.pointer(from).is_none() => {}
        "add" | "copy" => {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let open = before.pointer(parent).is_some_and(Value::is_object);
            let deep = path.matches('/').count() + depth(before).max(depth(operation));
            assert!(!open || deep > json::DEPTH_MAX, "{operation}");
        }
        // What a move takes away can shift the place that it names.
        _ => {}
    }
}
