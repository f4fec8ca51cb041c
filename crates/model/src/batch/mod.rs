//! A batch as it is written: several writes in one JSON document, each a request of its own, and
//! the references in them to what those before came to. What a path leads to is not known here.

mod reference;
#[cfg(test)]
mod tests;

use contract::problem::Violation;
use contract::table::{self, Content, Token};
use serde_json::{Map, Value as Json};

use crate::{json, suggest};

pub use reference::{Reference, each, fill};

/// The most faults that one answer names.
pub const VIOLATIONS_MAX: usize = crate::schema::VIOLATIONS_MAX;

/// The member that holds the operations.
const OPERATIONS: &str = "operations";
/// The members of an operation.
const MEMBERS: [&str; 4] = ["method", "path", "headers", "body"];
/// The header fields that an operation may have.
const FIELDS: [&str; 5] =
    ["If-Match", "If-None-Match", "If-Unmodified-Since", "Content-Type", "Prefer"];

/// One write of a batch, well-formed.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// An unsafe method of the table.
    pub method: table::Method,
    /// The path, and a query where there is one, in printable ASCII.
    pub path: String,
    /// Header fields by their canonical names, each once, with values in printable ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// The content, exactly where the method has a meaning for it.
    pub body: Option<Json>,
}

/// What could be read of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The operations in their order, or what is wrong with each.
    pub operations: Vec<Result<Operation, Vec<Violation>>>,
    /// What is wrong around them.
    pub faults: Vec<Violation>,
}

/// Reads a batch of at most so many operations. Every fault has a JSON Pointer.
#[must_use]
pub fn read(document: Json, most: usize) -> Reading {
    let mut reading = Reading { operations: Vec::new(), faults: Vec::new() };
    let Json::Object(mut members) = document else {
        let detail = "must be an object: {\"operations\": [{\"method\": …, \"path\": …}]}";
        reading.faults.push(Violation::at("", detail));
        return reading;
    };
    let operations = members.shift_remove(OPERATIONS);
    unknown(&members, &[OPERATIONS], "a batch", "", &mut reading.faults);
    let at = format!("/{OPERATIONS}");
    let detail = match operations {
        Some(Json::Array(operations)) if (1..=most).contains(&operations.len()) => {
            let numbered = operations.into_iter().enumerate();
            reading.operations = numbered.map(|(number, each)| operation(number, each)).collect();
            return reading;
        }
        Some(Json::Array(operations)) if operations.is_empty() => {
            "must have at least one operation".to_owned()
        }
        Some(Json::Array(operations)) => format!(
            "has {} operations, and at most {most} are taken at once; send several batches",
            operations.len()
        ),
        Some(_) => "must be an array of operations".to_owned(),
        None => "is required: an array of operations".to_owned(),
    };
    reading.faults.push(Violation::at(at, detail));
    reading
}

/// Where an operation of this number, counted from 0, stands in the document.
#[must_use]
pub fn pointer(number: usize) -> String {
    format!("/{OPERATIONS}/{number}")
}

/// Names members that nobody knows.
fn unknown(
    members: &Map<String, Json>,
    known: &[&str],
    of: &str,
    at: &str,
    faults: &mut Vec<Violation>,
) {
    let names = members.keys().filter(|name| !known.contains(&name.as_str()));
    for name in names.take(VIOLATIONS_MAX.saturating_sub(faults.len())) {
        let hint = suggest::hint(name, known.iter().copied());
        let place = format!("{at}/{}", json::escape(name));
        faults.push(Violation::at(place, format!("is not a member of {of}{hint}")));
    }
}

/// An operation while it is read.
struct Reader {
    at: String,
    members: Map<String, Json>,
    faults: Vec<Violation>,
}

fn operation(number: usize, document: Json) -> Result<Operation, Vec<Violation>> {
    let at = pointer(number);
    let Json::Object(members) = document else {
        let detail = "must be an object with `method` and `path`, and `headers` and `body` where \
                      they are needed";
        return Err(vec![Violation::at(at, detail)]);
    };
    let mut reader = Reader { at, members, faults: Vec::new() };
    let method = reader.method();
    let path = reader.path();
    let headers = reader.headers();
    let body = reader.body(method);
    unknown(&reader.members, &MEMBERS, "an operation", &reader.at, &mut reader.faults);
    match (method, path) {
        (Some(method), Some(path)) if reader.faults.is_empty() => {
            Ok(Operation { method, path, headers, body })
        }
        _ => Err(reader.faults),
    }
}

impl Reader {
    fn fault(&mut self, member: &str, detail: impl Into<String>) {
        if self.faults.len() < VIOLATIONS_MAX {
            self.faults.push(Violation::at(format!("{}/{member}", self.at), detail));
        }
    }

    /// A member that has to be there, and text.
    fn text(&mut self, member: &str, expected: &str) -> Option<String> {
        match self.members.shift_remove(member) {
            Some(Json::String(text)) => return Some(text),
            Some(_) => self.fault(member, format!("must be a string: {expected}")),
            None => self.fault(member, format!("is required: {expected}")),
        }
        None
    }

    fn method(&mut self) -> Option<table::Method> {
        let natures = || table::METHODS.iter().filter(|nature| !nature.safe);
        let names = natures().map(|nature| nature.name).collect::<Vec<_>>().join(", ");
        let token = self.text("method", &format!("one of {names}"))?;
        match table::method(&token) {
            Token::Served(method) if !table::nature(method).safe => return Some(method),
            Token::Served(_) => {
                let detail = format!(
                    "{token} changes nothing, so it has no place among writes: send it as a \
                     request of its own"
                );
                self.fault("method", detail);
            }
            Token::Withheld | Token::Unknown => {
                let hint = suggest::hint(&token, natures().map(|nature| nature.name));
                self.fault("method", format!("must be one of {names}{hint}"));
            }
        }
        None
    }

    fn path(&mut self) -> Option<String> {
        let expected = "the path of a collection or of a record, as in \"/api/users/1\"";
        let path = self.text("path", expected)?;
        let detail = if !path.starts_with('/') || path.starts_with("//") {
            format!("must be {expected}: it begins with one slash, without scheme and host")
        } else if let Some(fault) = outside(path.as_bytes()) {
            fault.to_owned()
        } else {
            return Some(path);
        };
        self.fault("path", detail);
        None
    }

    fn headers(&mut self) -> Vec<(&'static str, String)> {
        let mut headers: Vec<(&'static str, String)> = Vec::new();
        let members = match self.members.shift_remove("headers") {
            None => return headers,
            Some(Json::Object(members)) => members,
            Some(_) => {
                self.fault("headers", "must be an object of names and texts");
                return headers;
            }
        };
        for (name, value) in members {
            let place = format!("headers/{}", json::escape(&name));
            let Some(field) = FIELDS.into_iter().find(|field| field.eq_ignore_ascii_case(&name))
            else {
                self.fault(&place, refused(&name));
                continue;
            };
            match value {
                Json::String(_) if headers.iter().any(|(other, _)| *other == field) => {
                    self.fault(&place, "is there more than once: send it once");
                }
                Json::String(value) if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                    headers.push((field, value));
                }
                Json::String(_) => self.fault(&place, "must be printable ASCII"),
                _ => self.fault(&place, "must be a string"),
            }
        }
        headers
    }

    fn body(&mut self, method: Option<table::Method>) -> Option<Json> {
        let body = self.members.shift_remove("body");
        let nature = table::nature(method?);
        match (&body, nature.content) {
            (None, Content::Required) => {
                self.fault("body", format!("is required: the content of the {}", nature.name));
            }
            (Some(_), Content::Drained | Content::Refused) => {
                self.fault("body", format!("has no meaning in a {}: leave it out", nature.name));
            }
            (Some(_), Content::Required) | (None, Content::Drained | Content::Refused) => {}
        }
        body
    }
}

/// What keeps a text from being a path (RFC 3986 §2), as a request of its own would be told.
fn outside(mut rest: &[u8]) -> Option<&'static str> {
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' if after.len() < 2 || !after[..2].iter().all(u8::is_ascii_hexdigit) => {
                return Some("has a `%` without two hexadecimal digits (RFC 3986 §2.1)");
            }
            b'#' => return Some("must not have a fragment (`#…`)"),
            b'"' | b'<' | b'>' | b'`' | b'\\' | b'^' | b'{' | b'|' | b'}' => {
                return Some("has a character that is percent-encoded in a path (RFC 3986 §2)");
            }
            b'!'..=b'~' => {}
            _ => return Some("must be printable ASCII: percent-encode the rest as UTF-8"),
        }
    }
    None
}

/// Why an operation has no field of this name.
fn refused(name: &str) -> String {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("Idempotency-Key") {
        return "belongs to the batch, which is done once as a whole: send it as a field of the \
                request"
            .to_owned();
    }
    if is("Authorization") || is("Cookie") || is("Origin") {
        return "belongs to the request that carries the batch: leave it out here".to_owned();
    }
    let hint = suggest::hint(name, FIELDS);
    format!("is not a field of an operation, which may have {}{hint}", FIELDS.join(", "))
}
