//! References of an operation filled in, once the operations before it are done: inside their
//! transaction, and as pure as their decisions.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use contract::problem::{Kind, Problem, Violation};
use model::batch::{Reference, VIOLATIONS_MAX, fill, pointer};
use model::{json, record};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::body;
use crate::batch::{Batch, Open, Operation, Part, accuse, blame, invalid};
use crate::call::{Call, Content};
use crate::outcome::Outcome;
use crate::report::Report;
use crate::route::{self, Asked, Routed};

/// What is percent-encoded in a segment of a path: all but unreserved characters (RFC 3986 §2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An operation with all that it refers to.
pub(crate) struct Bound<'a> {
    /// It as a request.
    pub(crate) call: Cow<'a, Call>,
    /// How many bytes it took from the records of others.
    pub(crate) taken_bytes: usize,
}

/// Binds the operation of this number, counted from 0, to the outcomes before it: that of `$1`
/// stands at 1.
///
/// # Errors
/// 404 where its path leads nowhere, 422 where something is referred to that is not there or
/// cannot stand there, 413 where the references bring in more than one content may have.
pub(crate) fn bind<'a>(
    outer: &'a Call,
    batch: &'a Batch,
    number: usize,
    earlier: &[Result<Outcome, Problem>],
) -> Result<Bound<'a>, Problem> {
    let Operation { call, open } = &batch.operations[number];
    let Some(open) = open else { return Ok(Bound { call: Cow::Borrowed(call), taken_bytes: 0 }) };
    let mut lender = Lender::new(outer, batch, earlier);
    let mut call = call.clone();
    if let Some(path) = &open.path {
        call.routed = lender.routed(number, &call.routed, path)?;
    }
    let filled = lender.fill(&mut call, open);
    filled.map_err(|problem| blame(number, &outer.model, &call.routed, problem))?;
    Ok(Bound { call: Cow::Owned(call), taken_bytes: lender.taken_bytes })
}

/// A call whose content has no `$` more than it means, and its references as they are.
pub(super) fn unescaped(call: &Call) -> Call {
    let mut call = call.clone();
    if let Content::Document(document)
    | Content::MergePatch(document)
    | Content::JsonPatch(document) = &mut call.content
    {
        fill(document, &mut String::new(), &mut |_, _| None);
    }
    call
}

fn part(judged: &Result<Outcome, Problem>) -> Option<&Part> {
    match judged {
        Ok(Outcome::Part(part)) => Some(part),
        _ => None,
    }
}

/// Lends what earlier operations came to.
struct Lender<'a> {
    outer: &'a Call,
    batch: &'a Batch,
    /// By their numbers, counted from 1.
    parts: Vec<Option<&'a Part>>,
    /// The records of those that were asked for, as their readers see them.
    documents: HashMap<usize, Value>,
    /// How much may be taken yet.
    left_bytes: usize,
    taken_bytes: usize,
}

/// Why nothing is lent.
enum Refused {
    Missing(String),
    TooMuch,
}

impl<'a> Lender<'a> {
    fn new(outer: &'a Call, batch: &'a Batch, earlier: &'a [Result<Outcome, Problem>]) -> Self {
        let parts: Vec<_> = earlier.iter().map(part).collect();
        let before: usize = parts.iter().flatten().map(|part| part.taken_bytes).sum();
        let left_bytes = outer.settings.content_bytes_max.saturating_sub(before);
        Self { outer, batch, parts, documents: HashMap::new(), left_bytes, taken_bytes: 0 }
    }

    /// The value that a reference leads to.
    fn lend(&mut self, reference: Reference<'_>) -> Result<Value, Refused> {
        let number = reference.number;
        let missing = |name: &str| {
            Refused::Missing(format!("the record of operation {number} has no `{name}`"))
        };
        let document = match self.documents.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let part = self.parts.get(number).copied().flatten();
                let record = part.and_then(|part| part.record.as_ref());
                let lent = record.zip(self.batch.operations.get(number - 1));
                let (record, operation) = lent.ok_or_else(|| missing(reference.member()))?;
                place.insert(record::document(operation.call.resource().1, record))
            }
        };
        let value = reference.pick(document).map_err(missing)?;
        let bytes = value.to_string().len();
        if bytes > self.left_bytes {
            return Err(Refused::TooMuch);
        }
        self.left_bytes -= bytes;
        self.taken_bytes += bytes;
        Ok(value.clone())
    }

    /// Where a path leads whose last segment is a reference.
    fn routed(&mut self, number: usize, any: &Routed, path: &str) -> Result<Routed, Problem> {
        let refuse = |detail: String| {
            let place = Violation::at(format!("{}/path", pointer(number)), detail);
            Err(accuse(number, "", invalid(vec![place])))
        };
        let (path, query) = split(path);
        let (collection, segment) = path.rsplit_once('/').unwrap_or_default();
        let Some(reference) = Reference::read(segment) else { return Ok(any.clone()) };
        let id = match self.lend(reference) {
            Ok(Value::String(text)) => text,
            Ok(Value::Number(id)) if id.is_i64() => id.to_string(),
            Ok(_) => return refuse(format!("`{segment}` is neither a text nor a whole number")),
            Err(Refused::Missing(detail)) => return refuse(detail),
            Err(Refused::TooMuch) => return refuse("is longer than a path can be".to_owned()),
        };
        let path = format!("{collection}/{}", utf8_percent_encode(&id, SEGMENT));
        let asked = Asked { method: any.nature.name, path: &path, query };
        let routed = route::route(&self.outer.model, &asked, &mut Report::default());
        routed.map_err(|problem| blame(number, &self.outer.model, any, problem))
    }

    /// Fills in the content, and reads it as that of a request.
    fn fill(&mut self, call: &mut Call, open: &Open) -> Result<(), Problem> {
        let (Content::Document(mut document)
        | Content::MergePatch(mut document)
        | Content::JsonPatch(mut document)) = std::mem::replace(&mut call.content, Content::None)
        else {
            return Ok(());
        };
        let (mut faults, mut is_too_much) = (Vec::new(), false);
        fill(&mut document, &mut String::new(), &mut |at, reference| {
            match self.lend(reference) {
                Ok(value) => return Some(value),
                Err(Refused::Missing(detail)) if faults.len() < VIOLATIONS_MAX => {
                    faults.push(Violation::at(at, detail));
                }
                Err(Refused::Missing(_)) => {}
                Err(Refused::TooMuch) => is_too_much = true,
            }
            None
        });
        if is_too_much {
            let most = self.outer.settings.content_bytes_max;
            let detail = format!("The references of a batch may bring in {most} bytes in all.");
            return Err(Problem::new(Kind::ContentTooLarge, detail));
        }
        if json::depth(&document) > json::DEPTH_MAX {
            let most = json::DEPTH_MAX;
            let detail =
                format!("with what is referred to, it is nested deeper than {most} levels");
            faults.push(Violation::at("", detail));
        }
        if !faults.is_empty() {
            return Err(invalid(faults));
        }
        call.content = body::content(call, &open.essence, document);
        Ok(())
    }
}

/// A path and its query.
pub(super) fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)))
}
