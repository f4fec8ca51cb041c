//! JSON Patch (RFC 6902) with JSON Pointers (RFC 6901): operations in order, all or nothing.

use contract::fault::{self, Fault as Seeded};
use serde_json::{Map, Value};

use crate::{json, suggest};

/// How many operations one patch may have: each may cost as much as the document is long.
pub const OPERATIONS_MAX: usize = 1_000;

/// Why a patch was not applied. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in the patch the fault lies, as a JSON Pointer: `/2/path`.
    pub pointer: String,
    /// What is wrong there and what is expected instead.
    pub detail: String,
    /// What kind of fault it is.
    pub kind: FaultKind,
}

/// The kinds of fault, which RFC 5789 §2.2 keeps apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The document is not a JSON Patch: 400.
    Malformed,
    /// It is one, and it cannot be applied to this document: 422.
    Inapplicable,
    /// One of its tests failed: the document is not in the state that the client thinks: 409.
    TestFailed,
}

/// Applies a JSON Patch to a document whose JSON text may not grow beyond `limit_bytes`.
///
/// # Errors
/// The first fault; the document given is never changed.
pub fn apply(document: &Value, patch: &Value, limit_bytes: usize) -> Result<Value, Fault> {
    let operations = read(patch)?;
    let mut budget = Budget { used: size(document), limit: limit_bytes };
    let mut result = document.clone();
    for (index, operation) in operations.iter().enumerate() {
        match operation.apply(&mut result, &mut budget) {
            Err(_) if fault::on(Seeded::PatchNotAtomic) => break,
            Err((member, kind, detail)) => {
                return Err(Fault { pointer: format!("/{index}{member}"), detail, kind });
            }
            Ok(()) => {}
        }
    }
    Ok(result)
}

/// A fault of one operation: the place within it, as a pointer.
type Refusal = (&'static str, FaultKind, String);

fn malformed(member: &'static str, detail: impl Into<String>) -> Refusal {
    (member, FaultKind::Malformed, detail.into())
}

fn inapplicable(member: &'static str, detail: impl Into<String>) -> Refusal {
    (member, FaultKind::Inapplicable, detail.into())
}

/// One operation of a patch (RFC 6902 §4).
enum Operation<'a> {
    Add { path: Pointer, value: &'a Value },
    Remove { path: Pointer },
    Replace { path: Pointer, value: &'a Value },
    Move { from: Pointer, path: Pointer },
    Copy { from: Pointer, path: Pointer },
    Test { path: Pointer, value: &'a Value },
}

const NAMES: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// Reads the whole patch before any of it is applied, so that what is malformed is reported as
/// such, whatever the document.
fn read(patch: &Value) -> Result<Vec<Operation<'_>>, Fault> {
    let fault =
        |pointer: String, detail: String| Fault { pointer, detail, kind: FaultKind::Malformed };
    let Value::Array(operations) = patch else {
        let detail = "must be an array of operations (RFC 6902); to send changed members, use \
                      application/merge-patch+json";
        return Err(fault(String::new(), detail.to_owned()));
    };
    if operations.len() > OPERATIONS_MAX {
        let detail = format!("has more than {OPERATIONS_MAX} operations");
        return Err(fault(String::new(), detail));
    }
    let mut read = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        let operation = Operation::read(operation)
            .map_err(|(member, _, detail)| fault(format!("/{index}{member}"), detail))?;
        read.push(operation);
    }
    Ok(read)
}

impl<'a> Operation<'a> {
    fn read(operation: &'a Value) -> Result<Self, Refusal> {
        let Value::Object(members) = operation else {
            return Err(malformed("", "must be an object with \"op\" and \"path\""));
        };
        let name = match members.get("op") {
            Some(Value::String(name)) => name.as_str(),
            _ => {
                return Err(malformed(
                    "/op",
                    "is required: one of add, remove, replace, move, copy, test",
                ));
            }
        };
        if !NAMES.contains(&name) {
            let hint = suggest::hint(name, NAMES);
            let detail = format!("is none of add, remove, replace, move, copy, test{hint}");
            return Err(malformed("/op", detail));
        }
        let path = pointer(members, "path", "/path")?;
        let value = || members.get("value").ok_or_else(|| malformed("/value", "is required"));
        let from = || pointer(members, "from", "/from");
        Ok(match name {
            "add" => Self::Add { path, value: value()? },
            "remove" => Self::Remove { path },
            "replace" => Self::Replace { path, value: value()? },
            "copy" => Self::Copy { from: from()?, path },
            "test" => Self::Test { path, value: value()? },
            _ => {
                let from = from()?;
                if path.len() > from.len() && path.starts_with(&from) {
                    return Err(malformed("/from", "must not be a part of its own \"path\""));
                }
                Self::Move { from, path }
            }
        })
    }

    fn apply(&self, document: &mut Value, budget: &mut Budget) -> Result<(), Refusal> {
        match self {
            Self::Add { path, value } => {
                let replaced = add(document, path, (*value).clone())?;
                budget.exchange(replaced.as_ref(), Some(value), "/value")
            }
            Self::Remove { path } => {
                let removed = remove(document, path, "/path")?;
                budget.exchange(Some(&removed), None, "/path")
            }
            Self::Replace { path, value } => {
                let place = find(document, path, "/path")?;
                shallow(path, value)?;
                let replaced = std::mem::replace(place, (*value).clone());
                budget.exchange(Some(&replaced), Some(value), "/value")
            }
            Self::Move { from, path } if from == path => find(document, from, "/from").map(|_| ()),
            Self::Move { from, path } => {
                let value = remove(document, from, "/from")?;
                let replaced = add(document, path, value)?;
                budget.exchange(replaced.as_ref(), None, "/path")
            }
            Self::Copy { from, path } => {
                let value = find(document, from, "/from")?.clone();
                budget.exchange(None, Some(&value), "/from")?;
                let replaced = add(document, path, value)?;
                budget.exchange(replaced.as_ref(), None, "/path")
            }
            Self::Test { path, value } => {
                if json::equal(find(document, path, "/path")?, value) {
                    return Ok(());
                }
                let detail = "the value there is another one: read the document again";
                Err(("/value", FaultKind::TestFailed, detail.to_owned()))
            }
        }
    }
}

/// The reference tokens of a JSON Pointer, unescaped.
type Pointer = Vec<String>;

fn pointer(
    members: &Map<String, Value>,
    name: &str,
    place: &'static str,
) -> Result<Pointer, Refusal> {
    let Some(Value::String(text)) = members.get(name) else {
        return Err(malformed(place, "is required: a JSON Pointer such as \"/name\""));
    };
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(tokens) = text.strip_prefix('/') else {
        return Err(malformed(place, "must be a JSON Pointer, which begins with \"/\" (RFC 6901)"));
    };
    tokens.split('/').map(|token| unescape(token, place)).collect()
}

fn unescape(token: &str, place: &'static str) -> Result<String, Refusal> {
    if token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1'])) {
        // ~1 first, so that ~01 becomes ~1 (RFC 6901 §4).
        return Ok(token.replace("~1", "/").replace("~0", "~"));
    }
    Err(malformed(place, "has a \"~\" that is neither ~0 (for \"~\") nor ~1 (for \"/\")"))
}

/// Reads the index of an array item: digits without a needless zero.
fn index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = token == "0" || !token.starts_with('0');
    (plain && canonical).then(|| token.parse().ok()).flatten()
}

/// The value that a pointer leads to.
fn find<'v>(
    document: &'v mut Value,
    path: &[String],
    place: &'static str,
) -> Result<&'v mut Value, Refusal> {
    let mut value = document;
    for (depth, token) in path.iter().enumerate() {
        let next = match value {
            Value::Object(members) => members.get_mut(token),
            Value::Array(items) => index(token).and_then(|index| items.get_mut(index)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        value = next.ok_or_else(|| missing(&path[..=depth], place))?;
    }
    Ok(value)
}

fn missing(path: &[String], place: &'static str) -> Refusal {
    inapplicable(place, nothing_at(path))
}

/// What is said of a place where nothing is.
#[must_use]
pub fn nothing_at(path: &[String]) -> String {
    let pointer: String =
        path.iter().flat_map(|token| ["/".to_owned(), json::escape(token)]).collect();
    format!("there is nothing at {}", suggest::quoted(&pointer))
}

/// Puts a value where RFC 6902 §4.1 says, and hands back the one that stood there.
fn add(document: &mut Value, path: &[String], value: Value) -> Result<Option<Value>, Refusal> {
    shallow(path, &value)?;
    let Some((last, parents)) = path.split_last() else {
        return Ok(Some(std::mem::replace(document, value)));
    };
    match find(document, parents, "/path")? {
        Value::Object(members) => Ok(members.insert(last.clone(), value)),
        Value::Array(items) => {
            let length = items.len();
            let at = if last == "-" { Some(length) } else { index(last) };
            let at = at.filter(|at| *at <= length).ok_or_else(|| {
                let detail =
                    format!("the array there has the places 0 to {length}, and \"-\" for its end");
                inapplicable("/path", detail)
            })?;
            items.insert(at, value);
            Ok(None)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(inapplicable("/path", "what is there is neither an object nor an array"))
        }
    }
}

/// Refuses a value that would make the document deeper than one that can be sent: adding to what
/// was added would otherwise nest without an end.
fn shallow(path: &[String], value: &Value) -> Result<(), Refusal> {
    if path.len() + json::depth(value) > json::DEPTH_MAX {
        let detail = format!("nests the document deeper than {}", json::DEPTH_MAX);
        return Err(inapplicable("/path", detail));
    }
    Ok(())
}

fn remove(document: &mut Value, path: &[String], place: &'static str) -> Result<Value, Refusal> {
    let Some((last, parents)) = path.split_last() else {
        return Err(inapplicable(place, "the whole document cannot be removed: use DELETE"));
    };
    let removed = match find(document, parents, place)? {
        // Not the quicker removal, which would change the order of those that stay.
        Value::Object(members) => members.shift_remove(last),
        Value::Array(items) => {
            index(last).filter(|at| *at < items.len()).map(|at| items.remove(at))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    removed.ok_or_else(|| missing(path, place))
}

/// How long the document may become: a few copies of a copy would fill the memory.
struct Budget {
    used: usize,
    limit: usize,
}

impl Budget {
    /// Accounts for a value that went and one that came.
    fn exchange(
        &mut self,
        gone: Option<&Value>,
        come: Option<&Value>,
        place: &'static str,
    ) -> Result<(), Refusal> {
        self.used = self.used.saturating_sub(gone.map_or(0, size));
        let Some(come) = come else { return Ok(()) };
        self.used = self.used.saturating_add(size(come));
        if self.used > self.limit {
            let detail = format!("makes the document longer than {} bytes", self.limit);
            return Err(inapplicable(place, detail));
        }
        Ok(())
    }
}

/// About how long a value's JSON text is, and never much less.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 3,
        Value::Array(items) => 2 + items.iter().map(|item| size(item) + 1).sum::<usize>(),
        Value::Object(members) => {
            2 + members.iter().map(|(name, member)| name.len() + 4 + size(member)).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests;
