//! `"$1.id"`: a value that an operation takes from what an earlier one came to.

use serde_json::Value as Json;

use crate::json;

/// A whole string of the form `$N.member`, or `$N.member.inner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The operation that is referred to, counted from 1 in the order of the batch. A number that
    /// is too large for any batch is `usize::MAX`.
    pub number: usize,
    /// The names, joined by dots.
    path: &'a str,
}

impl<'a> Reference<'a> {
    /// Reads a reference. Any other text is a text, `$5.00` too: a member begins with a letter.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let (digits, path) = text.strip_prefix('$')?.split_once('.')?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.bytes().next().is_some_and(|first| first != b'0');
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let are_names = path.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && path.split('.').all(|name| !name.is_empty() && name.bytes().all(good));
        let number = digits.parse().unwrap_or(usize::MAX);
        (is_number && are_names).then_some(Self { number, path })
    }

    /// The member of the record that is referred to.
    #[must_use]
    pub fn member(&self) -> &'a str {
        self.path.split_once('.').map_or(self.path, |(member, _)| member)
    }

    /// What it leads to in the document of that record, or the name that is not there.
    ///
    /// # Errors
    /// The names up to the one that is not there.
    pub fn pick<'d>(&self, document: &'d Json) -> Result<&'d Json, &'a str> {
        let mut found = document;
        let mut end = 0;
        for name in self.path.split('.') {
            end += name.len();
            let inner = match found {
                Json::Object(members) => members.get(name),
                Json::Array(items) => name.parse().ok().and_then(|at: usize| items.get(at)),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
            };
            found = inner.ok_or(&self.path[..end])?;
            end += 1;
        }
        Ok(found)
    }
}

/// The text that is meant by one that would be a reference but for a `$` more before it: `$$1.id`
/// means `$1.id`.
fn unescaped(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let dollars = rest.len() - rest.trim_start_matches('$').len();
    let is_escaped = dollars > 0 && Reference::read(&rest[dollars - 1..]).is_some();
    is_escaped.then_some(rest)
}

/// Names every reference among the values of a document, with the JSON Pointer of its place.
pub fn each<'d>(document: &'d Json, at: &mut String, tell: &mut dyn FnMut(&str, Reference<'d>)) {
    match document {
        Json::String(text) => {
            if let Some(reference) = Reference::read(text) {
                tell(at, reference);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(at, &index.to_string(), |at| each(item, at, tell));
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                inside(at, name, |at| each(member, at, tell));
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Puts values in the places of references, and takes off the `$` that made a text none. A
/// reference stays where there is no value for it.
pub fn fill(
    document: &mut Json,
    at: &mut String,
    value: &mut dyn FnMut(&str, Reference<'_>) -> Option<Json>,
) {
    match document {
        Json::String(text) => {
            let filled = match Reference::read(text) {
                Some(reference) => value(at, reference),
                None => unescaped(text).map(Json::from),
            };
            if let Some(filled) = filled {
                *document = filled;
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                inside(at, &index.to_string(), |at| fill(item, at, value));
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                inside(at, name, |at| fill(member, at, value));
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Goes one level down, with the pointer to it.
fn inside(at: &mut String, name: &str, walk: impl FnOnce(&mut String)) {
    let length = at.len();
    at.push('/');
    at.push_str(&json::escape(name));
    walk(at);
    at.truncate(length);
}
