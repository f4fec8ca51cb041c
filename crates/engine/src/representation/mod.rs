//! Outcomes into bytes: JSON records and lists, problems, and answers kept to be replayed.

pub(crate) mod batch;
pub(crate) mod lines;
pub(crate) mod problem;
pub(crate) mod remembered;

mod account;
mod audit;
mod changes;
mod groups;
mod list;
mod many;
mod row;
mod search;

use contract::table::Operation;
use http::header;
use http::{HeaderName, HeaderValue};
use model::record::{self, Record};
use store::lookup::Row;

use crate::answer::Answer;
use crate::call::Call;
use crate::outcome::{Outcome, Seen};
use crate::response::tag;
use crate::sight;

/// Gives an outcome its form.
pub(crate) fn render(call: &Call, outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Listed(seen) => list::render(call, &seen),
        Outcome::Searched(seen) => search::render(call, &seen),
        Outcome::Changed(log) => changes::render(call, &log),
        Outcome::Fetched(seen) => fetched(call, &seen),
        Outcome::Created(record) => created(call, &record),
        Outcome::CreatedMany(count, ids) => many::created(call, count, &ids),
        Outcome::Replaced(record) | Outcome::Patched(record) => changed(call, &record),
        Outcome::Deleted => deleted(call),
        Outcome::SignedIn(signed) => account::signed_in(call, &signed),
        Outcome::SignedOut(then) => account::signed_out(call, &then),
        Outcome::Settled(status, then) => account::settled(call, status, &then),
        Outcome::Audited(entries) => audit::render(call, &entries),
        Outcome::Described => Answer::new(204, "", Vec::new()),
        Outcome::Document(content) => {
            let version = tag::document(&content);
            Answer { version, ..Answer::new(200, call.media, content) }
        }
        Outcome::State(content) => Answer::new(200, call.media, content),
        Outcome::Page(content) => {
            let mut answer = Answer::new(200, call.media, content);
            answer.fields.push((header::CONTENT_SECURITY_POLICY, crate::page::POLICY.clone()));
            answer
        }
        Outcome::Accepted => Answer::new(202, call.media, b"{\"status\":\"accepted\"}".to_vec()),
        Outcome::Part(part) => part.answer,
        Outcome::Rendered(answer) | Outcome::Replayed(answer) => answer,
    }
}

fn json(call: &Call, record: &Record) -> Vec<u8> {
    let (_, resource) = call.resource();
    let mut content = Vec::with_capacity(256);
    record::write_json(&mut content, resource, record, None);
    content
}

fn fetched(call: &Call, Seen { found, states }: &Seen<Row>) -> Answer {
    let (index, _) = call.resource();
    let mut content = Vec::with_capacity(256);
    row::write(&mut content, call, index, found, &call.view);
    // When what is included was changed last is not known, nor when a rule began to show a field.
    let is_dated = call.view.include.is_empty() && !hides(call);
    let modified = is_dated.then_some(found.record.updated_at.0);
    // What is shown of whoever asks is a record that has a URL of its own (RFC 9110 §8.7).
    let fields = match call.routed.row.operation {
        Operation::Me => vec![(header::CONTENT_LOCATION, field(&item(call, &found.record)))],
        _ => Vec::new(),
    };
    Answer {
        fields,
        version: tag::record(&found.record, &call.salt),
        modified,
        included: tag::included(call, states, &content),
        ..Answer::new(200, call.media, content)
    }
}

/// True where fields are hidden from somebody: who sees them can change while the record does not.
fn hides(call: &Call) -> bool {
    let (_, resource) = call.resource();
    resource.fields.iter().any(|field| field.read.is_some())
}

/// The canonical URL of a record.
fn item(call: &Call, record: &Record) -> String {
    let (_, resource) = call.resource();
    format!("{}/{}/{}", call.model.prefix, resource.name, record.id)
}

/// 201 with Location and the tag of the new record (RFC 9110 §9.3.3, §15.3.2).
fn created(call: &Call, record: &Record) -> Answer {
    let put = call.routed.row.operation == Operation::Replace;
    let location = item(call, record);
    let mut answer = representation(call, record, 201);
    if !contract::fault::on(contract::fault::Fault::LocationMissing) {
        answer.fields.push((header::LOCATION, field(&location)));
    }
    if put {
        answer.fields.push((header::CONTENT_LOCATION, field(&location)));
    } else {
        answer.fields.push((header::ETAG, field(&tag(call, record))));
    }
    answer
}

/// 200, or 204 where the client wants little. After PUT there is no validator (RFC 9110 §9.3.4):
/// what was stored is not byte for byte what was sent.
fn changed(call: &Call, record: &Record) -> Answer {
    let mut answer = representation(call, record, 200);
    let put = call.routed.row.operation == Operation::Replace;
    if !put || contract::fault::on(contract::fault::Fault::PutEtag) {
        answer.fields.push((header::ETAG, field(&tag(call, record))));
    }
    answer.fields.push((header::CONTENT_LOCATION, field(&call.routed.path)));
    answer
}

/// The tag of the record, as GET shows it.
fn tag(call: &Call, record: &Record) -> String {
    let varies = sight::varies(call, call.resource().0);
    tag::of_write(call, record, &if varies { json(call, record) } else { Vec::new() })
}

/// The answer to a write that shows the record, unless little is wanted or the record is larger
/// than what is remembered for a key: then the first answer and its replay leave it out alike.
fn representation(call: &Call, record: &Record, status: u16) -> Answer {
    if call.preferences.minimal {
        return minimal(if status == 200 { 204 } else { status });
    }
    let content = json(call, record);
    if call.key.is_some() && content.len() > call.settings.key_answer_bytes_max {
        let status = if status == 200 { 204 } else { status };
        return Answer::new(status, "", Vec::new());
    }
    Answer::new(status, call.media, content)
}

/// As little as was asked for (RFC 7240 §4.2).
fn minimal(status: u16) -> Answer {
    let mut answer = Answer::new(status, "", Vec::new());
    answer.fields.push((PREFERENCE_APPLIED, HeaderValue::from_static("return=minimal")));
    answer
}

fn deleted(call: &Call) -> Answer {
    if call.preferences.minimal {
        return minimal(204);
    }
    if contract::fault::on(contract::fault::Fault::DeleteSays204) {
        return Answer::new(204, "", Vec::new());
    }
    Answer::new(200, call.media, b"{\"status\":\"deleted\"}".to_vec())
}

/// `Preference-Applied` (RFC 7240 §3).
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// A field value of ours: made of URLs, names, numbers and tags, all of them printable ASCII.
pub(crate) fn field(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
