//! Query parameters of the URL, and the same vocabulary as the content of QUERY.

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use model::model::ResourceIndex;
use model::query::{self, Paging, Position, Query, View};

use super::body;
use crate::Inner;
use crate::call::Call;
use crate::cursor::Place;
use crate::form;
use crate::report::Report;
use crate::response::tag;
use crate::route::Routed;

/// What the query component asks for.
#[derive(Default)]
pub(super) struct Parameters {
    /// Of a list.
    pub(super) query: Option<Query>,
    /// Where in the list, if a cursor says so.
    pub(super) position: Option<Position>,
    /// Of one record.
    pub(super) view: View,
    /// The tables that the answer depends on, beside the versions of its own records.
    pub(super) tables: Vec<ResourceIndex>,
}

/// Reads the query component of the target.
///
/// # Errors
/// 400 that lists the known parameters.
pub(super) fn read(
    inner: &Inner,
    routed: &Routed,
    report: &mut Report,
) -> Result<Parameters, Problem> {
    let pairs = form::pairs(routed.query.as_deref().unwrap_or_default().as_bytes());
    match (routed.row.operation, routed.resource) {
        (Operation::List, Some(index)) => {
            let read = query::read(&inner.model, index, &pairs, &inner.settings)
                .map_err(|violations| refused(violations, Kind::InvalidParameter))?;
            report.parameters = read.known;
            of_list(inner, index, read.query).map_err(|()| {
                strange(Kind::InvalidParameter, Violation::parameter("cursor", NOT_HERE))
            })
        }
        (Operation::Fetch, Some(index)) => {
            let read = query::read_item(&inner.model, index, &pairs, &inner.settings)
                .map_err(|violations| refused(violations, Kind::InvalidParameter))?;
            report.parameters = read.known;
            let mut tables = Vec::new();
            read.query.tables(&mut tables);
            Ok(Parameters { view: read.query, tables, ..Parameters::default() })
        }
        _ => {
            refuse_unknown(&inner.model, &pairs, &[])?;
            Ok(Parameters::default())
        }
    }
}

/// Reads the content of QUERY into the call, and gives nothing for a fingerprint: it is safe.
pub(super) fn read_content(
    inner: &Inner,
    call: &mut Call,
    media_type: &MediaType,
    bytes: &Bytes,
    report: &mut Report,
) -> Result<String, Problem> {
    if call.routed.query.is_some() && call.query.is_some() {
        let ours = |(name, _): &(String, String)| !query::is_ignored(&inner.model, name);
        let pairs = form::pairs(call.routed.query.as_deref().unwrap_or_default().as_bytes());
        if pairs.iter().any(ours) {
            let detail = "Put all terms into the content of QUERY, none into the URL.";
            return Err(Problem::new(Kind::InvalidParameter, detail));
        }
    }
    let (index, _) = call.resource();
    let (place, read) = if media_type.essence == "application/json" {
        let document = body::json(bytes)?;
        let read = query::read_json(&inner.model, index, &document, &inner.settings);
        (Violation::at("/cursor".to_owned(), NOT_HERE), read)
    } else {
        body::refuse_json_as_form(bytes)?;
        let read = query::read(&inner.model, index, &form::pairs(bytes), &inner.settings);
        (Violation::parameter("cursor", NOT_HERE), read)
    };
    // RFC 10008 §2.1: well-formed, and cannot be carried out.
    let read = read.map_err(|violations| refused(violations, Kind::Invalid))?;
    report.parameters = read.known;
    let parameters =
        of_list(inner, index, read.query).map_err(|()| strange(Kind::Invalid, place))?;
    call.tables_salt = tag::salts(&inner.list_salts, &parameters.tables);
    call.query = parameters.query;
    call.position = parameters.position;
    call.tables = parameters.tables;
    Ok(String::new())
}

const NOT_HERE: &str = "is not a cursor of this list: it was given for another filter or order, \
                        by another database, or before the declaration was changed";

/// A cursor that was not given for what it is asked with.
fn strange(kind: Kind, violation: Violation) -> Problem {
    let detail = "Begin at the start again, with an empty cursor, or send the filter and the order \
                  that the cursor came with.";
    Problem::new(kind, detail).with_errors(vec![violation])
}

/// What follows from the query of a list. An error: its cursor is none.
fn of_list(inner: &Inner, index: ResourceIndex, query: Query) -> Result<Parameters, ()> {
    let position = match &query.paging {
        Paging::Cursor(text) if !text.is_empty() => {
            let place =
                Place { model: &inner.model, index, salt: &inner.salts[index], query: &query };
            Some(inner.cursors.open(place, text).ok_or(())?)
        }
        Paging::Cursor(_) | Paging::Page(_) => None,
    };
    let tables = query.tables(&inner.model, index);
    Ok(Parameters { query: Some(query), position, tables, ..Parameters::default() })
}

fn refuse_unknown(
    model: &model::model::Model,
    pairs: &[(String, String)],
    known: &[&str],
) -> Result<(), Problem> {
    let mut seen = Vec::new();
    for (name, _) in pairs.iter().filter(|(name, _)| !query::is_ignored(model, name)) {
        let is_known = known.contains(&name.as_str());
        if is_known && !seen.contains(&name) {
            seen.push(name);
            continue;
        }
        let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("Known here: {list}.");
        let fault = if is_known { "is there more than once" } else { "is not known here" };
        let violation = Violation::parameter(name.clone(), fault);
        return Err(Problem::new(Kind::UnknownParameter, detail).with_errors(vec![violation]));
    }
    Ok(())
}

fn refused(refusal: query::Rejection, otherwise: Kind) -> Problem {
    let kind = match (otherwise, refusal.unknown) {
        (Kind::InvalidParameter, true) => Kind::UnknownParameter,
        _ => otherwise,
    };
    Problem::new(kind, refusal.detail).with_errors(refusal.violations)
}
