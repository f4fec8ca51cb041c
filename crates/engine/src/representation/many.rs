//! The answer to the creation of many records: how many, and their ids in the order of the rows.

use std::io::Write;

use crate::answer::Answer;
use crate::call::Call;
use crate::outcome::Ids;

/// 201 without Location: what identifies the created is the target itself (RFC 9110 §15.3.2). Where
/// the answer is kept for a key and the ids are too many to be, the first answer leaves them out
/// too.
pub(crate) fn created(call: &Call, count: u64, ids: &Ids) -> Answer {
    if call.preferences.minimal {
        return super::minimal(201);
    }
    let most = match call.key {
        Some(_) => call.settings.key_answer_bytes_max,
        None => usize::MAX,
    };
    let fits = |content: &Vec<u8>| content.len() <= most;
    let plain = || format!("{{\"created\":{count}}}").into_bytes();
    let content =
        Some(with_ids(count, ids, most)).filter(fits).or_else(|| Some(plain()).filter(fits));
    match content {
        Some(content) => Answer::new(201, call.media, content),
        None => Answer::new(201, "", Vec::new()),
    }
}

/// The whole answer; where it grows beyond this, more than that of it.
fn with_ids(count: u64, ids: &Ids, most: usize) -> Vec<u8> {
    let mut content = format!("{{\"created\":{count},\"ids\":[").into_bytes();
    match ids {
        Ids::From(first) => {
            let ids = (*first..).zip(0..count).map(|(id, _)| id);
            for id in ids {
                let separator = if id == *first { "" } else { "," };
                write!(content, "{separator}{id}").expect("a Vec takes every byte");
                if content.len() > most {
                    break;
                }
            }
        }
        Ids::Written(ids) => content.extend_from_slice(ids),
    }
    content.extend_from_slice(b"]}");
    content
}
