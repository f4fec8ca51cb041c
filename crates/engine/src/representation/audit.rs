//! The audit log as JSON, the newest first.

use contract::link::Links;
use form_urlencoded::Serializer;
use http::header;
use serde_json::{Map, Value, json};
use store::audit_log::{Acts, Entry};

use crate::answer::Answer;
use crate::call::{Auditing, Call};
use crate::refused::Refused;

pub(super) fn render(call: &Call, entries: &[Entry]) -> Answer {
    match call.auditing.as_deref() {
        Some(Auditing::Refusals(refused)) => {
            let refused: Vec<Value> = refused.iter().map(refusal).collect();
            let content = json!({ "refused": refused, "total": refused.len() });
            Answer::new(200, call.media, content.to_string().into_bytes())
        }
        Some(Auditing::Acts(acts)) => page(call, acts, entries),
        None => Answer::new(200, call.media, b"{\"audit\":[]}".to_vec()),
    }
}

fn page(call: &Call, acts: &Acts, entries: &[Entry]) -> Answer {
    let limit = usize::try_from(acts.limit).unwrap_or(usize::MAX);
    let shown = &entries[..entries.len().min(limit)];
    let mut members = Map::new();
    members.insert("audit".to_owned(), shown.iter().map(entry).collect());
    members.insert("limit".to_owned(), acts.limit.into());
    let last = shown.last().filter(|_| entries.len() > limit);
    let next = last.map(|last| format!("{}/audit?{}", call.model.prefix, url(call, last.number)));
    if let Some(next) = &next {
        members.insert("next".to_owned(), next.clone().into());
    }
    let content = Value::Object(members).to_string().into_bytes();
    let mut answer = Answer::new(200, call.media, content);
    if let Some(links) = next.and_then(|next| Links::new().add(&next, "next").value()) {
        answer.fields.push((header::LINK, links));
    }
    answer
}

/// The same question, from before this entry on.
fn url(call: &Call, before: i64) -> String {
    let query = call.routed.query.as_deref().unwrap_or_default();
    let mut out = Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "before" && !model::query::is_ignored(&call.model, &name) {
            out.append_pair(&name, &value);
        }
    }
    out.append_pair("before", &before.to_string());
    out.finish()
}

fn entry(entry: &Entry) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("id", entry.number.into());
    put("at", entry.at.text().into());
    put("actor", entry.actor.clone().into());
    if let Some(id) = &entry.actor_id {
        put("actorId", id.clone().into());
    }
    put("operation", entry.operation.clone().into());
    if let Some(resource) = &entry.resource {
        put("resource", resource.clone().into());
    }
    if let Some(record) = &entry.record {
        put("record", record.clone().into());
    }
    put("records", entry.records.into());
    if let Some((first, last)) = entry.span {
        put("first", first.to_string().into());
        put("last", last.to_string().into());
    }
    put("address", entry.address.clone().into());
    put("requestId", entry.request.clone().into());
    Value::Object(members)
}

fn refusal(refused: &Refused) -> Value {
    json!({
        "at": refused.at.text(),
        "status": refused.status,
        "kind": refused.kind,
        "route": refused.route,
        "address": refused.address.map(|address| address.to_string()).unwrap_or_default(),
        "actor": refused.actor.as_deref().unwrap_or("nobody"),
        "requestId": refused.request,
    })
}
