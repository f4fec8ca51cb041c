//! The content of a request: its limits, its bytes, its JSON.

use bytes::{Bytes, BytesMut};
use contract::fault::{self, Fault};
use contract::problem::{Kind, Problem, Violation};
use contract::secret;
use contract::table::{self, Operation};
use futures_util::future::poll_fn;
use http_body::Body;
use model::json;
use model::model::Resource;
use model::record::{self, Purpose};
use serde_json::Value;
use std::pin::Pin;

use crate::call::{Call, Content};
use crate::content::ContentError;
use crate::route::Routed;
use crate::sight;

/// 400 for content on a method where it has no meaning (RFC 9110 §9.3.1).
pub(super) async fn refuse_where_meaningless<B>(
    routed: &Routed,
    content: &mut B,
    limit: Limit,
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

/// How large the content may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// Of one record, or of anything else that is no record at all.
    Record(usize),
    /// Of many records.
    Bulk(usize),
}

impl Limit {
    fn bytes(self) -> u64 {
        let (Self::Record(bytes) | Self::Bulk(bytes)) = self;
        bytes as u64
    }

    fn exceeded(self) -> Problem {
        let detail = match self {
            Self::Record(bytes) => format!("The content may have at most {bytes} bytes."),
            Self::Bulk(bytes) => format!(
                "Many records may have at most {bytes} bytes in one request. {}",
                super::bulk::IN_PARTS
            ),
        };
        Problem::new(Kind::ContentTooLarge, detail)
    }
}

/// 413 by the declared length, before anything is read.
pub(super) fn refuse_by_length<B: Body>(content: &B, limit: Limit) -> Result<(), Problem> {
    let declared = content.size_hint().lower();
    if declared > limit.bytes() { Err(limit.exceeded()) } else { Ok(()) }
}

/// U+FEFF in UTF-8, which may stand before everything.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Content as it arrives.
pub(super) struct Arriving<'a, B> {
    content: &'a mut B,
    limit: Limit,
    taken: u64,
    /// What has been looked at and is still to be used.
    ahead: Bytes,
}

impl<'a, B> Arriving<'a, B>
where
    B: Body<Data = Bytes, Error = ContentError> + Unpin,
{
    /// Nothing of it has been read.
    pub(super) fn new(content: &'a mut B, limit: Limit) -> Self {
        Self { content, limit, taken: 0, ahead: Bytes::new() }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if !self.ahead.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ahead)));
        }
        let piece = self.piece().await?;
        self.check()?;
        Ok(piece)
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let frame = poll_fn(|context| Pin::new(&mut *self.content).poll_frame(context)).await;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| unread(error, self.limit))?;
            let Ok(data) = frame.into_data() else { continue };
            self.taken += data.len() as u64;
            return Ok(Some(data));
        }
    }

    /// 413 where more has arrived, or is announced, than may.
    fn check(&self) -> Result<(), Problem> {
        // What is still to come of a chunk is announced by its size.
        let length = self.taken.saturating_add(self.content.size_hint().lower());
        if length > self.limit.bytes() { Err(self.limit.exceeded().closing()) } else { Ok(()) }
    }

    /// The first byte that is no space; `None` where there is none. Everything stays to be read.
    /// No more than this is read for it.
    pub(super) async fn first(&mut self, most: usize) -> Result<Option<u8>, Problem> {
        let mut ahead = BytesMut::from(std::mem::take(&mut self.ahead));
        // What has been seen to be no more than a mark and spaces is not looked at again, however
        // small the pieces are.
        let mut blank = 0;
        loop {
            if blank == 0 && ahead.starts_with(MARK) {
                blank = MARK.len();
            }
            let may_be_mark = blank == 0 && ahead.len() < MARK.len() && MARK.starts_with(&ahead);
            if !may_be_mark {
                blank +=
                    ahead[blank..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            }
            if let Some(first) = ahead.get(blank).copied().filter(|_| !may_be_mark) {
                self.ahead = ahead.freeze();
                return Ok(Some(first));
            }
            if ahead.len() > most {
                return Err(Limit::Record(most).exceeded().closing());
            }
            let Some(piece) = self.piece().await? else {
                self.ahead = ahead.freeze();
                return Ok(None);
            };
            if ahead.is_empty() {
                ahead = piece.into();
            } else {
                ahead.extend_from_slice(&piece);
            }
        }
    }

    /// Sets another limit.
    pub(super) fn limit(&mut self, limit: Limit) -> Result<(), Problem> {
        self.limit = limit;
        self.check()
    }

    /// Reads the content to its end, and drops it where it has no meaning.
    pub(super) async fn collect(&mut self, routed: &Routed) -> Result<Bytes, Problem> {
        let mut whole = Bytes::new();
        let mut parts = BytesMut::new();
        while let Some(data) = self.next().await? {
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
}

fn unread(error: ContentError, limit: Limit) -> Problem {
    match error {
        ContentError::TooLarge => limit.exceeded(),
        ContentError::Slow => Problem::new(
            Kind::RequestTimeout,
            "The content did not arrive in time: it stopped on its way, or came too slowly. \
             Nothing was done; send it again, in smaller requests where the network is slow.",
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
    let document = parsed.map_err(malformed)?;
    refuse_tokens(&document)?;
    Ok(document)
}

/// What keeps content from being read, with its line and column.
pub(super) fn malformed(fault: json::Fault) -> Problem {
    let kind = if fault.semantic { Kind::Invalid } else { Kind::MalformedContent };
    let place = format!("Line {}, column {}: {}.", fault.line, fault.column, fault.detail);
    Problem::new(kind, place).with_errors(vec![Violation::at(fault.pointer, fault.detail)])
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
    refuse_tokens_in_form(Some(resource), pairs)?;
    model::form::read_pairs(resource, pairs).map_err(|violations| {
        Problem::new(Kind::Invalid, "The form does not fit the declaration.")
            .with_errors(violations)
    })
}

/// 400 where a value of the content is one of our own tokens: it would be stored and shown as data.
pub(super) fn refuse_tokens(document: &Value) -> Result<(), Problem> {
    match token_in(document, "") {
        Some(pointer) if secret::is_in_segment(&pointer) => Err(secret::in_content("")),
        Some(pointer) => Err(secret::in_content(&pointer)),
        None => Ok(()),
    }
}

fn token_in(value: &Value, at: &str) -> Option<String> {
    let inside = |(name, value): (&str, &Value)| match value {
        // Most values are none of these, and need no place.
        Value::String(text) if !secret::is_own(text) => None,
        Value::String(_) | Value::Array(_) | Value::Object(_) => {
            token_in(value, &format!("{at}/{}", json::escape(name)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    };
    match value {
        Value::String(text) => secret::is_own(text).then(|| at.to_owned()),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(number, item)| inside((&number.to_string(), item)))
        }
        Value::Object(members) => {
            members.iter().find_map(|(name, value)| inside((name.as_str(), value)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The same of a form; and where it has the member that RFC 6750 §2.2 has for a token, unless a
/// field is called so.
pub(super) fn refuse_tokens_in_form(
    resource: Option<&Resource>,
    pairs: &[(String, String)],
) -> Result<(), Problem> {
    let is_field = |name: &str| {
        resource.is_some_and(|resource| resource.fields.iter().any(|field| field.name == name))
    };
    let found = pairs.iter().find(|(name, value)| {
        secret::is_own(value) || secret::is_member_of_token(name) && !is_field(name)
    });
    match found {
        Some((name, _)) if secret::is_in_segment(name) => Err(secret::in_content("")),
        Some((name, _)) => Err(secret::in_content(&format!("/{}", json::escape(name)))),
        None => Ok(()),
    }
}

/// Binds a parsed document to what its operation makes of it.
pub(super) fn content(call: &Call, essence: &str, document: Value) -> Content {
    match call.routed.row.operation {
        Operation::Create => {
            let resource = sight::in_new(&call.admitted.sight, call.resource().1);
            Content::Draft(record::read(&call.model, &resource, &document, Purpose::Create))
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
