//! Whether a list is asked for page by page, or to its end.

use contract::media_type::MediaType;
use contract::problem::{Kind, Problem, Violation};
use contract::table::{JSON, Operation};

use crate::call::{Call, Reading};
use crate::representation::rows::Format;

/// Parameters that have a meaning for pages alone.
const OF_PAGES: [&str; 3] = ["page", "cursor", "count"];

/// How the list of a call is read, by the names of its parameters: without `limit`, a format that
/// has no place for totals and links holds all records.
///
/// # Errors
/// 400, or 422 in the content of QUERY, where something is said of pages and there are none.
pub(super) fn reading(
    call: &Call,
    names: &[String],
    content: Option<&MediaType>,
) -> Result<Reading, Problem> {
    let has = |name: &str| names.iter().any(|known| known == name);
    let all = match Format::of(call.media) {
        Format::Json => false,
        Format::Ndjson | Format::Csv => call.routed.row.operation == Operation::List,
    };
    if !all || has("limit") {
        return Ok(Reading::Once);
    }
    let violations: Vec<_> = OF_PAGES
        .into_iter()
        .filter(|name| has(name))
        .map(|name| {
            let detail = "has no meaning without limit: all records are sent";
            match content {
                Some(media_type) if media_type.essence == JSON => {
                    Violation::at(format!("/{name}"), detail)
                }
                Some(_) | None => Violation::parameter(name, detail),
            }
        })
        .collect();
    if violations.is_empty() {
        return Ok(Reading::InChunks);
    }
    let kind = if content.is_some() { Kind::Invalid } else { Kind::InvalidParameter };
    let detail = format!(
        "As {} a list has no pages unless limit says how long they are. Add limit to get one \
         page, or leave these parameters out to get all records.",
        Format::of(call.media).name()
    );
    Err(Problem::new(kind, detail).with_errors(violations))
}
