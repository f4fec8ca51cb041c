//! Entity tags: `"{version}.{variant}"`. The version says which state of the record or list, the
//! variant which of its faces: media type, members, coding (RFC 9110 §8.8.3).

use contract::fault::{self, Fault};
use contract::negotiate::Coding;
use contract::table::Operation;
use model::query::{self, View};
use model::record::{Record, Version};
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use crate::call::Call;
use crate::representation::lines::Format;

/// What every tag of a resource folds in.
pub(crate) fn salt(digest: &str, epoch: u64) -> String {
    short(format!("{digest}:{epoch}").as_bytes())
}

/// The state of a record.
pub(crate) fn record(record: &Record, salt: &str) -> String {
    version(record.version, salt)
}

/// A version as the tags of its record begin with it.
pub(crate) fn version(version: Version, salt: &str) -> String {
    format!("{:x}-{:x}-{salt}", version.birth, version.counter)
}

/// Which life of a database: what its positions in the change log end with.
pub(crate) fn life(epoch: u64) -> String {
    short(format!("changes:{epoch}").as_bytes())[..8].to_owned()
}

/// The state of a list: the counters of its tables, one of which every write moves.
pub(crate) fn list(states: &[i64], salt: &str) -> String {
    let mut tag = String::with_capacity(salt.len() + 8);
    for state in states {
        let state = if fault::on(Fault::ListEtagStale) { 0 } else { *state };
        tag.push_str(&format!("{state:x}-"));
    }
    tag + salt
}

/// What the tags of answers from several tables fold in.
pub(crate) fn salts(salts: &[String], tables: &[usize]) -> String {
    match tables {
        [] => String::new(),
        [table] => salts[*table].clone(),
        _ => {
            let all: Vec<_> = tables.iter().map(|table| salts[*table].as_str()).collect();
            short(all.join(":").as_bytes())
        }
    }
}

/// What the face of a record folds in of the records that it includes: the states of their tables.
pub(crate) fn included(call: &Call, states: &[i64]) -> String {
    if states.is_empty() {
        String::new()
    } else {
        short(list(states, &call.tables_salt).as_bytes())
    }
}

/// The state of a document that the program brings along.
pub(crate) fn document(content: &[u8]) -> String {
    short(content)
}

/// The tag of the face that GET shows by default, for the answer to a write.
pub(crate) fn of_write(call: &Call, changed: &Record) -> String {
    format!("\"{}.j\"", record(changed, &call.salt))
}

/// Which face is shown.
pub(crate) fn variant(call: &Call, answer: &Answer, coding: Coding) -> String {
    let mut variant = String::from(match Format::of(call.media) {
        Format::Json => "j",
        Format::Ndjson => "n",
        Format::Csv => "c",
    });
    if let Some(search) = &call.everywhere {
        variant.push_str(&short(search.canonical(search.page).as_bytes()));
        if !call.routed.row.accepts.is_empty() {
            variant.push('q');
        }
    } else if let Some(following) = &call.following {
        variant.push_str(&short(following.since.text(&call.model).as_bytes()));
    } else if let Some(query) = &call.query {
        let (index, _) = call.resource();
        variant.push_str(&short(query::canonical(&call.model, index, query).as_bytes()));
        // The same query is another resource by QUERY: its answer carries a Location.
        if !call.routed.row.accepts.is_empty() {
            variant.push('q');
        }
    } else if call.view != View::default() {
        let (index, _) = call.resource();
        variant.push_str(&short(query::view(&call.model, index, &call.view).as_bytes()));
    }
    variant.push_str(&answer.included);
    debug_assert!(call.routed.row.operation != Operation::List || call.query.is_some());
    match coding {
        Coding::Identity => {}
        Coding::Gzip | Coding::Zstd if fault::on(Fault::OneEtagForCodings) => {}
        Coding::Gzip => variant.push_str("-gz"),
        Coding::Zstd => variant.push_str("-zs"),
    }
    variant
}

/// Sixteen hex digits over some bytes.
fn short(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
