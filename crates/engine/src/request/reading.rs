//! Whether a list is asked for page by page, or to its end.

use contract::media_type::MediaType;
use contract::problem::{Kind, Problem, Violation};
use contract::table::{JSON, Operation};

use crate::call::{Call, Reading};
use crate::representation::lines::Format;

/// Parameters that have a meaning for pages alone.
const OF_PAGES: [&str; 3] = ["page", "cursor", "count"];

/// How the list of a call is read, by the names of its parameters: without `limit`, a format that
/// has no place for totals and links holds all records.
///
/// # Errors
/// 400, or 422 in the content of QUERY, where something is asked for that the format has no place
/// for.
pub(super) fn reading(
    call: &Call,
    names: &[String],
    content: Option<&MediaType>,
) -> Result<Reading, Problem> {
    let format = Format::of(call.media);
    if format == Format::Json || call.routed.row.operation != Operation::List {
        return Ok(Reading::Once);
    }
    let has = |name: &&str| names.iter().any(|known| known == name);
    let name = format.name();
    if format == Format::Csv && has(&"include") {
        let detail = "CSV has no place for records inside of records. Leave include out, or send \
                      Accept: application/x-ndjson.";
        return Err(refusal(content, detail, &["include"], "is not had as CSV"));
    }
    if has(&"limit") {
        return Ok(Reading::Once);
    }
    if has(&"aggregate") {
        let detail =
            format!("Groups come in pages. As {name}, limit has to say how long they are.");
        return Err(refusal(content, &detail, &["aggregate"], "needs limit beside it"));
    }
    let of_pages: Vec<_> = OF_PAGES.into_iter().filter(has).collect();
    if of_pages.is_empty() {
        return Ok(Reading::InChunks);
    }
    let detail = format!(
        "As {name} a list has no pages unless limit says how long they are. Add limit to get one \
         page, or leave these parameters out to get all records."
    );
    Err(refusal(content, &detail, &of_pages, "has no meaning without limit: all records are sent"))
}

/// A refusal of parameters, or of members of the content.
fn refusal(content: Option<&MediaType>, detail: &str, names: &[&str], fault: &str) -> Problem {
    let violation = |name: &&str| match content {
        Some(media_type) if media_type.essence == JSON => Violation::at(format!("/{name}"), fault),
        Some(_) | None => Violation::parameter(*name, fault),
    };
    let kind = if content.is_some() { Kind::Invalid } else { Kind::InvalidParameter };
    Problem::new(kind, detail).with_errors(names.iter().map(violation).collect())
}
