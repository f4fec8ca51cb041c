//! Query parameters of the URL, and the same vocabulary as the content of QUERY.

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use model::query::{self, Column, Query};

use super::body;
use crate::Inner;
use crate::call::Call;
use crate::form;
use crate::report::Report;
use crate::route::Routed;

/// What the query component asks for.
#[derive(Default)]
pub(super) struct Parameters {
    /// Of a list.
    pub(super) query: Option<Query>,
    /// Of one record.
    pub(super) fields: Option<Vec<Column>>,
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
            let resource = &inner.model.resources[index];
            let read = query::read(&inner.model, resource, &pairs, &inner.settings)
                .map_err(|violations| refused(violations, Kind::InvalidParameter))?;
            report.parameters = read.known;
            Ok(Parameters { query: Some(read.query), fields: None })
        }
        (Operation::Fetch, Some(index)) => {
            let resource = &inner.model.resources[index];
            refuse_unknown(&inner.model, &pairs, &["fields"])?;
            let read = query::read(&inner.model, resource, &pairs, &inner.settings)
                .map_err(|violations| refused(violations, Kind::InvalidParameter))?;
            report.parameters = read.known;
            Ok(Parameters { query: None, fields: read.query.fields })
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
    let (_, resource) = call.resource();
    let read = if media_type.essence == "application/json" {
        let document = body::json(bytes)?;
        query::read_json(resource, &document, &inner.settings)
    } else {
        body::refuse_json_as_form(bytes)?;
        query::read(&inner.model, resource, &form::pairs(bytes), &inner.settings)
    };
    // RFC 10008 §2.1: well-formed, and cannot be carried out.
    let read = read.map_err(|violations| refused(violations, Kind::Invalid))?;
    report.parameters = read.known;
    call.query = Some(read.query);
    Ok(String::new())
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
