//! Entity tags: `"{version}.{variant}"`. The version says which state of the record or list, the
//! variant which of its faces: media type, members, coding (RFC 9110 §8.8.3).

use contract::fault::{self, Fault};
use contract::negotiate::Coding;
use contract::table::Operation;
use model::query;
use model::record::Record;
use sha2::{Digest, Sha256};
use store::lookup::Found;

use crate::call::Call;
use crate::representation::rows::Format;

/// What every tag of a resource folds in.
pub(crate) fn salt(digest: &str, epoch: u64) -> String {
    short(format!("{digest}:{epoch}").as_bytes())
}

/// The state of a record.
pub(crate) fn record(record: &Record, salt: &str) -> String {
    format!("{:x}-{:x}-{salt}", record.version.birth, record.version.counter)
}

/// The state of a list: the counter of its table, which every write moves.
pub(crate) fn list(found: &Found, salt: &str) -> String {
    let change = if fault::on(Fault::ListEtagStale) { 0 } else { found.change };
    format!("{change:x}-{salt}")
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
pub(crate) fn variant(call: &Call, coding: Coding) -> String {
    let mut variant = String::from(match Format::of(call.media) {
        Format::Json => "j",
        Format::Ndjson => "n",
        Format::Csv => "c",
    });
    if let Some(query) = &call.query {
        let (_, resource) = call.resource();
        variant.push_str(&short(query::canonical(resource, query).as_bytes()));
        // The same query is another resource by QUERY: its answer carries a Location.
        if !call.routed.row.accepts.is_empty() {
            variant.push('q');
        }
    } else if let Some(fields) = &call.fields {
        variant.push_str(&short(format!("{fields:?}").as_bytes()));
    }
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
