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
use crate::sight;

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

/// Which life it is for whoever sees a part of it.
pub(crate) fn life_of_part(life: &str, digest: &str) -> String {
    short(format!("{life}:{digest}").as_bytes())[..8].to_owned()
}

/// The state of a list. Where records or fields are hidden from the caller it is what the caller
/// sees of it, since changes of what is hidden must not move it.
pub(crate) fn list(call: &Call, states: &[i64], content: &[u8]) -> String {
    if call.digest().is_empty() {
        return counted(states, &call.tables_salt);
    }
    shown(call, content)
}

/// The state of what a caller sees.
pub(crate) fn shown(call: &Call, content: &[u8]) -> String {
    format!("{}-{}", short(content), call.tables_salt)
}

/// The state of tables: their counters, one of which every write moves.
pub(crate) fn counted(states: &[i64], salt: &str) -> String {
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

/// What the face of a record folds in beside its own version: the states of the tables of what it
/// includes, or all that is shown, where that may be less than is there.
pub(crate) fn included(call: &Call, states: &[i64], content: &[u8]) -> String {
    let varies = sight::varies(call, call.resource().0);
    match states {
        [] if !varies => String::new(),
        _ if varies || !call.digest().is_empty() => short(content),
        _ => short(counted(states, &call.tables_salt).as_bytes()),
    }
}

/// The state of a document that the program brings along.
pub(crate) fn document(content: &[u8]) -> String {
    short(content)
}

/// The tag of the face that GET shows by default, for the answer to a write that shows this.
pub(crate) fn of_write(call: &Call, changed: &Record, content: &[u8]) -> String {
    let (sight, shown) = (sight_of(call), included(call, &[], content));
    format!("\"{}.j{shown}{sight}\"", record(changed, &call.salt))
}

/// What faces fold in of what is hidden from the caller.
fn sight_of(call: &Call) -> String {
    let digest = call.digest();
    if digest.is_empty() { digest } else { short(digest.as_bytes()) }
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
    variant.push_str(&sight_of(call));
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
