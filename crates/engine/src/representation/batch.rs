//! The answers to the operations of a batch as one: `{"results": [{"status", "headers", "body"}]}`.

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::call::Call;

/// What of the answers is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bodies {
    Shown,
    LeftOut,
}

/// The answer to a batch. One that is larger than what is remembered for a key leaves out every
/// body, so that the first answer and its replay are alike.
pub(crate) fn render(call: &Call, parts: &[&Answer]) -> Answer {
    let mut content = results(parts, Bodies::Shown);
    if call.key.is_some() && content.len() > call.settings.key_answer_bytes_max {
        content = results(parts, Bodies::LeftOut);
    }
    Answer::new(200, call.media, content)
}

fn results(parts: &[&Answer], bodies: Bodies) -> Vec<u8> {
    let mut out = b"{\"results\":[".to_vec();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        result(&mut out, part, bodies);
    }
    out.extend_from_slice(b"]}");
    out
}

fn result(out: &mut Vec<u8>, part: &Answer, bodies: Bodies) {
    let shown = bodies == Bodies::Shown && !part.content.is_empty();
    // Without its content a 200 is a 204, as for `return=minimal`.
    let status = if part.status == 200 && !shown { 204 } else { part.status };
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in &part.fields {
        let value = value.to_str().unwrap_or_default();
        match headers.get_mut(name.as_str()) {
            // Several lines of one field are one list (RFC 9110 §5.3).
            Some(Value::String(before)) => before.push_str(&format!(", {value}")),
            _ => drop(headers.insert(name.as_str().to_owned(), value.into())),
        }
    }
    let head = format!("{{\"status\":{status},\"headers\":{}", Value::Object(headers));
    out.extend_from_slice(head.as_bytes());
    if shown {
        // It is JSON: the one media type that these rows offer.
        out.extend_from_slice(b",\"body\":");
        out.extend_from_slice(&part.content);
    }
    out.push(b'}');
}
