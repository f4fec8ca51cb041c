//! The content of a request: its limits, its bytes, its JSON.

use bytes::{Bytes, BytesMut};
use contract::fault::{self, Fault};
use contract::problem::{Kind, Problem, Violation};
use contract::table::{self, Operation};
use futures_util::future::poll_fn;
use http_body::Body;
use model::json;
use model::record::{self, Purpose};
use serde_json::Value;
use std::pin::Pin;

use crate::call::{Call, Content};
use crate::content::ContentError;
use crate::route::Routed;

/// 400 for content on a method where it has no meaning (RFC 9110 §9.3.1).
pub(super) async fn refuse_where_meaningless<B>(
    routed: &Routed,
    content: &mut B,
    limit: usize,
) -> Result<(), Problem>
where
    B: Body<Data = Bytes, Error = ContentError> + Unpin,
{
    if routed.nature.content != table::Content::Refused
        || content.is_end_stream()
        || fault::on(Fault::GetContentAccepted)
    {
        return Ok(());
    }
    // Whether chunked content is empty shows only when it is read; some clients send it so.
    if content.size_hint().exact().is_none() {
        match poll_fn(|context| Pin::new(&mut *content).poll_frame(context)).await {
            None => return Ok(()),
            Some(Err(error)) => return Err(unread(error, limit)),
            Some(Ok(_)) => {}
        }
    }
    let query = table::rows(routed.row.target).any(|row| {
        let nature = table::nature(row.method);
        nature.safe && nature.content == table::Content::Required
    });
    let instead = if query {
        "Put the terms into the URL's query, or send this content with QUERY."
    } else {
        "Send the request without content."
    };
    // Without the method's name: the answer to HEAD is that to GET, to its length
    // (RFC 9110 §9.3.2).
    let detail = format!("Content has no meaning in this method. {instead}");
    Err(Problem::new(Kind::ContentNotExpected, detail))
}

/// 413 by the declared length, before anything is read.
pub(super) fn refuse_by_length<B: Body>(content: &B, limit: usize) -> Result<(), Problem> {
    let declared = content.size_hint().lower();
    if declared > limit as u64 { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Kind::ContentTooLarge, format!("The content may have at most {limit} bytes."))
}

/// Reads the content to its end, and drops it where it has no meaning.
pub(super) async fn collect<B>(
    content: &mut B,
    limit: usize,
    routed: &Routed,
) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes, Error = ContentError> + Unpin,
{
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut *content).poll_frame(context)).await {
        let Ok(data) = frame.map_err(|error| unread(error, limit))?.into_data() else { continue };
        let length = (whole.len() + parts.len() + data.len()) as u64;
        // What is still to come of a chunk is announced by its size.
        if length.saturating_add(content.size_hint().lower()) > limit as u64 {
            return Err(too_large(limit).closing());
        }
        if whole.is_empty() && parts.is_empty() {
            whole = data;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&data);
        }
    }
    if routed.nature.content != table::Content::Required {
        return Ok(Bytes::new());
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}

fn unread(error: ContentError, limit: usize) -> Problem {
    match error {
        ContentError::TooLarge => too_large(limit),
        ContentError::Slow => Problem::new(
            Kind::RequestTimeout,
            "The content did not arrive in time. Nothing was done.",
        ),
        ContentError::Truncated => Problem::new(
            Kind::MalformedRequest,
            "The connection ended before the content did. Nothing was done.",
        ),
        ContentError::Malformed(how) => Problem::new(
            Kind::MalformedRequest,
            format!("The framing of the content is broken: {how}. Nothing was done."),
        ),
    }
    .closing()
}

/// Parses JSON; 400 where it cannot be read, 422 where a number or a character cannot be held.
pub(super) fn json(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        let detail =
            "The content is empty, and JSON is expected: an object such as {\"name\": \"Alice\"}.";
        return Err(Problem::new(Kind::MalformedContent, detail));
    }
    let parsed = if fault::on(Fault::DuplicateMemberAccepted) {
        return serde_json::from_slice(bytes)
            .map_err(|error| Problem::new(Kind::MalformedContent, error.to_string()));
    } else {
        json::parse(bytes)
    };
    parsed.map_err(|refusal| {
        let kind = if refusal.semantic { Kind::Invalid } else { Kind::MalformedContent };
        let place =
            format!("Line {}, column {}: {}.", refusal.line, refusal.column, refusal.detail);
        Problem::new(kind, place).with_errors(vec![Violation::at(refusal.pointer, refusal.detail)])
    })
}

/// 400 for JSON that is called a form: curl does so by itself, and what would come of it is one
/// absurd name. No field begins with a brace.
pub(super) fn refuse_json_as_form(bytes: &[u8]) -> Result<(), Problem> {
    if !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Ok(());
    }
    let detail = "The content looks like JSON, but Content-Type calls it a form \
                  (application/x-www-form-urlencoded), as curl does by itself. Send \
                  `Content-Type: application/json`.";
    Err(Problem::new(Kind::MalformedContent, detail))
}

/// The document that the names and values of a form mean.
pub(super) fn form(call: &Call, pairs: &[(String, String)]) -> Result<Value, Problem> {
    let (_, resource) = call.resource();
    model::form::read_pairs(resource, pairs).map_err(|violations| {
        Problem::new(Kind::Invalid, "The form does not fit the declaration.")
            .with_errors(violations)
    })
}

/// Binds a parsed document to what its operation makes of it.
pub(super) fn content(call: &Call, essence: &str, document: Value) -> Content {
    match call.routed.row.operation {
        Operation::Create => {
            let (_, resource) = call.resource();
            Content::Draft(record::read(&call.model, resource, &document, Purpose::Create))
        }
        _ => as_sent(call, essence, document),
    }
}

/// A parsed document that is not read as a record yet.
pub(super) fn as_sent(call: &Call, essence: &str, document: Value) -> Content {
    match (call.routed.row.operation, essence) {
        (Operation::Patch, "application/json-patch+json") => Content::JsonPatch(document),
        (Operation::Patch, _) => Content::MergePatch(document),
        _ => Content::Document(document),
    }
}
