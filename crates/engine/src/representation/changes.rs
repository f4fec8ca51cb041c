//! A page of the change log: what was done to which record, and the record as it is now.

use contract::link::Links;
use http::header;
use model::record;
use store::log::{Entry, Log, Operation};

use crate::answer::Answer;
use crate::call::{Call, Following};
use crate::op::changes::following;
use crate::response::tag;

pub(super) fn render(call: &Call, log: &Log) -> Answer {
    let asked = following(call);
    let mut content = Vec::with_capacity(128 + log.entries.len() * 320);
    content.extend_from_slice(b"{\"changes\":[");
    for (number, entry) in log.entries.iter().enumerate() {
        if number > 0 {
            content.push(b',');
        }
        write(&mut content, call, asked, entry);
    }
    let end = asked.positions.text(log.end);
    content.extend_from_slice(b"],\"position\":");
    record::write_text(&mut content, &end);
    let next = (log.end < log.newest).then(|| {
        format!("{}/changes?{}", call.model.prefix, asked.since.canonical(&call.model, &end))
    });
    if let Some(next) = &next {
        content.extend_from_slice(b",\"next\":");
        record::write_text(&mut content, next);
    }
    content.push(b'}');
    // Whatever changes a record stands in the log, and what is forgotten moves its beginning. To
    // whoever does not see all of it both would count what is hidden.
    let version = match asked.positions.is_sealed() {
        true => tag::shown(call, &content),
        false => tag::list(call, &[log.oldest, log.newest], &content),
    };
    let mut answer = Answer { version, ..Answer::new(200, call.media, content) };
    if let Some(links) = next.and_then(|next| Links::new().add(&next, "next").value()) {
        answer.fields.push((header::LINK, links));
    }
    answer
}

fn write(out: &mut Vec<u8>, call: &Call, asked: &Following, entry: &Entry) {
    let resource = &call.model.resources[entry.resource];
    out.push(b'{');
    let start = out.len();
    record::write_name(out, start, "position");
    record::write_text(out, &asked.positions.text(entry.position));
    record::write_name(out, start, "resource");
    record::write_text(out, &resource.name);
    record::write_name(out, start, "id");
    record::write_value(out, &entry.id.to_value());
    record::write_name(out, start, "version");
    record::write_text(out, &tag::version(entry.version, &asked.salts[entry.resource]));
    record::write_name(out, start, "operation");
    record::write_text(
        out,
        match entry.operation {
            Operation::Insert => "insert",
            Operation::Update => "update",
            Operation::Delete => "delete",
            Operation::Leave => "removed",
        },
    );
    if let Some(present) = &entry.record {
        record::write_name(out, start, "record");
        record::write_json(out, resource, present, None);
    }
    out.push(b'}');
}
