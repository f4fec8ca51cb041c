//! Query parameters of the URL, and the same vocabulary as the content of QUERY.

use std::sync::Arc;

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use model::model::{Model, ResourceIndex};
use model::query::{self, Everywhere, Paging, Position, Query, View};
use serde_json::Value as Json;

use super::{audit, body};
use crate::Inner;
use crate::admit::{self, Admitted};
use crate::call::{Auditing, Call, Following};
use crate::clock;
use crate::cursor::Place;
use crate::form;
use crate::op;
use crate::positions::Positions;
use crate::report::Report;
use crate::response::tag;
use crate::route::Routed;
use crate::sight;

/// What the query component asks for.
#[derive(Default)]
pub(super) struct Parameters {
    /// Of a list.
    pub(super) query: Option<Query>,
    /// Of a search over every resource.
    pub(super) everywhere: Option<Everywhere>,
    /// Of the change log.
    pub(super) following: Option<Arc<Following>>,
    /// Of the audit log.
    pub(super) auditing: Option<Arc<Auditing>>,
    /// Where in the list, if a cursor says so.
    pub(super) position: Option<Position>,
    /// The resource that a search names.
    pub(super) resource: Option<ResourceIndex>,
    /// Of one record.
    pub(super) view: View,
    /// The tables that the answer depends on, beside the versions of its own records.
    pub(super) tables: Vec<ResourceIndex>,
}

/// By whom it is read.
#[derive(Clone, Copy)]
struct By<'a> {
    inner: &'a Inner,
    admitted: &'a Admitted,
}

impl<'a> By<'a> {
    /// The declaration, as it is for whoever asks.
    fn model(self) -> &'a Model {
        &self.admitted.sight.model
    }
}

/// Reads the query component of the target.
///
/// # Errors
/// 400 that lists the known parameters.
pub(super) fn read(
    inner: &Inner,
    admitted: &Admitted,
    routed: &Routed,
    report: &mut Report,
) -> Result<Parameters, Problem> {
    let by = By { inner, admitted };
    let model = by.model();
    let pairs = form::pairs(routed.query.as_deref().unwrap_or_default().as_bytes());
    match (routed.row.operation, routed.resource) {
        (Operation::List, Some(index)) => {
            list(by, index, &Terms::Form(&pairs), Kind::InvalidParameter, report)
        }
        (Operation::Search, _) if routed.row.accepts.is_empty() => {
            search(by, &Terms::Form(&pairs), Kind::InvalidParameter, report)
        }
        (Operation::Changes, _) => changes(by, &pairs, report),
        (Operation::Audit, _) => {
            let auditing = Some(audit::read(inner, &pairs, report)?);
            Ok(Parameters { auditing, ..Parameters::default() })
        }
        (Operation::Fetch | Operation::Me, Some(index)) => {
            let read = query::read_item(model, index, &pairs, &inner.settings)
                .map_err(|violations| refused(violations, Kind::InvalidParameter))?;
            report.parameters = read.known;
            let mut tables = Vec::new();
            read.query.tables(&mut tables);
            Ok(Parameters { view: read.query, tables, ..Parameters::default() })
        }
        // It is about what the target can do, whatever its query: browsers ask so beforehand
        // (Fetch §4.8).
        (Operation::Describe, _) => Ok(Parameters::default()),
        _ => {
            refuse_unknown(model, &pairs, &[])?;
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
    let admitted = call.admitted.clone();
    let by = By { inner, admitted: &admitted };
    if call.routed.query.is_some() && call.query.is_some() {
        let ours = |(name, _): &(String, String)| !query::is_ignored(by.model(), name);
        let pairs = form::pairs(call.routed.query.as_deref().unwrap_or_default().as_bytes());
        if pairs.iter().any(ours) {
            let detail = "Put all terms into the content of QUERY, none into the URL.";
            return Err(Problem::new(Kind::InvalidParameter, detail));
        }
    }
    let (document, pairs);
    let terms = if media_type.essence == contract::table::JSON {
        document = body::json(bytes)?;
        Terms::Json(&document)
    } else {
        body::refuse_json_as_form(bytes)?;
        pairs = form::pairs(bytes);
        let resource = call.routed.resource.map(|index| &by.model().resources[index]);
        body::refuse_tokens_in_form(resource, &pairs)?;
        Terms::Form(&pairs)
    };
    // RFC 10008 §2.1: well-formed, and cannot be carried out.
    let parameters = match call.routed.resource {
        Some(index) => list(by, index, &terms, Kind::Invalid, report)?,
        None => search(by, &terms, Kind::Invalid, report)?,
    };
    if let Some(index) = parameters.resource {
        call.salt = inner.salts[index].clone();
        call.routed.resource = Some(index);
    }
    call.tables_salt = tag::salts(&inner.list_salts, &parameters.tables);
    call.query = parameters.query;
    call.everywhere = parameters.everywhere;
    call.position = parameters.position;
    call.tables = parameters.tables;
    Ok(String::new())
}

/// The terms of a query, as they were sent.
enum Terms<'a> {
    Form(&'a [(String, String)]),
    Json(&'a Json),
}

impl Terms<'_> {
    fn at(&self, name: &str, detail: &str) -> Violation {
        match self {
            Self::Form(_) => Violation::parameter(name, detail),
            Self::Json(_) => Violation::at(format!("/{name}"), detail),
        }
    }

    /// The resource that is named, and the terms without it.
    fn named(&self) -> Option<(String, Owned)> {
        match self {
            Self::Form(pairs) => {
                let (_, name) = pairs.iter().find(|(name, _)| name == RESOURCE)?;
                let mut others = pairs.to_vec();
                let at = others.iter().position(|(name, _)| name == RESOURCE)?;
                others.remove(at);
                Some((name.clone(), Owned::Form(others)))
            }
            Self::Json(document) => {
                let mut members = document.as_object()?.clone();
                let name = members.shift_remove(RESOURCE)?;
                let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                Some((name, Owned::Json(Json::Object(members))))
            }
        }
    }
}

/// Terms without the name of a resource.
enum Owned {
    Form(Vec<(String, String)>),
    Json(Json),
}

/// The parameter that makes of a search the list of one resource.
const RESOURCE: &str = "resource";

/// Reads a search: over every resource, or as the list of the one that is named.
fn search(
    by: By<'_>,
    terms: &Terms<'_>,
    kind: Kind,
    report: &mut Report,
) -> Result<Parameters, Problem> {
    let (model, settings) = (by.model(), &by.inner.settings);
    if let Some((name, others)) = terms.named() {
        let Some(index) = model.resources.iter().position(|resource| resource.name == name) else {
            let names: Vec<_> = model.resources.iter().map(|it| it.name.as_str()).collect();
            let detail = format!("is no resource; there are {}", names.join(", "));
            let problem = Problem::new(kind, "No resource has the name in `resource`.");
            return Err(problem.with_errors(vec![terms.at(RESOURCE, &detail)]));
        };
        let others = match &others {
            Owned::Form(pairs) => Terms::Form(pairs),
            Owned::Json(document) => Terms::Json(document),
        };
        admit::permit(by.admitted, Operation::List, Some(index))?;
        let mut parameters = list(by, index, &others, kind, report)?;
        report.parameters.push(RESOURCE.to_owned());
        parameters.resource = Some(index);
        return Ok(parameters);
    }
    let read = match terms {
        Terms::Form(pairs) => query::read_everywhere(model, pairs, settings),
        Terms::Json(document) => query::read_everywhere_json(document, settings),
    };
    let read = read.map_err(|rejection| refused(rejection, kind))?;
    report.parameters = read.known;
    let sight = &by.admitted.sight;
    let all = 0..model.resources.len();
    let mut tables: Vec<_> = all.filter(|index| sight::is_searched(sight, *index)).collect();
    if tables.is_empty() {
        let detail = "No resource declares fields to `search`.";
        return Err(Problem::new(Kind::NotFound, detail));
    }
    sight::tables(sight, &mut tables);
    Ok(Parameters { everywhere: Some(read.query), tables, ..Parameters::default() })
}

/// Reads a question to the change log.
fn changes(
    by: By<'_>,
    pairs: &[(String, String)],
    report: &mut Report,
) -> Result<Parameters, Problem> {
    let inner = by.inner;
    let read = query::read_since(by.model(), pairs, &inner.settings)
        .map_err(|rejection| refused(rejection, Kind::InvalidParameter))?;
    report.parameters = read.known;
    if let Some(index) = read.query.resource {
        admit::permit(by.admitted, Operation::List, Some(index))?;
    }
    let tables = match read.query.resource {
        Some(index) => vec![index],
        None => (0..by.model().resources.len()).collect(),
    };
    let positions = positions(by);
    let Some(after) = op::changes::after(&read.query.after, &positions) else {
        let violation = Violation::parameter("after", "is no position that an answer gave");
        let detail =
            "Send `position` of an answer, or of one of its changes; `now` for the newest.";
        return Err(Problem::new(Kind::InvalidParameter, detail).with_errors(vec![violation]));
    };
    let (since, salts) = (read.query, inner.salts.clone());
    let following = Some(Arc::new(Following { since, after, positions, salts }));
    Ok(Parameters { following, tables, ..Parameters::default() })
}

/// How positions in the log are written for a caller. Those of whoever sees a part of it are of one
/// life with what it sees: under other rules the part is another one. Entries of all resources are
/// numbered together, so what is hidden anywhere seals those of every question.
fn positions(by: By<'_>) -> Positions {
    let sight = &by.admitted.sight;
    let all: Vec<ResourceIndex> = (0..sight.resources.len()).collect();
    let digest = sight.digest(&all);
    if digest.is_empty() {
        return Positions::plain(&by.inner.life);
    }
    let life = tag::life_of_part(&by.inner.life, &digest);
    Positions::sealed(&life, &by.inner.secret, clock::draw())
}

/// Reads the query of a list.
fn list(
    by: By<'_>,
    index: ResourceIndex,
    terms: &Terms<'_>,
    kind: Kind,
    report: &mut Report,
) -> Result<Parameters, Problem> {
    let (model, settings) = (by.model(), &by.inner.settings);
    let read = match terms {
        Terms::Form(pairs) => query::read(model, index, pairs, settings),
        Terms::Json(document) => query::read_json(model, index, document, settings),
    };
    let read = read.map_err(|rejection| refused(rejection, kind))?;
    report.parameters = read.known;
    of_list(by, index, read.query).map_err(|()| strange(kind, terms.at("cursor", NOT_HERE)))
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
fn of_list(by: By<'_>, index: ResourceIndex, query: Query) -> Result<Parameters, ()> {
    let (inner, model) = (by.inner, by.model());
    let position = match &query.paging {
        Paging::Cursor(text) if !text.is_empty() => {
            let place = Place { model, index, salt: &inner.salts[index], query: &query };
            Some(inner.cursors.open(place, text).ok_or(())?)
        }
        Paging::Cursor(_) | Paging::Page(_) => None,
    };
    let mut tables = query.tables(model, index);
    sight::tables(&by.admitted.sight, &mut tables);
    Ok(Parameters { query: Some(query), position, tables, ..Parameters::default() })
}

pub(super) fn refuse_unknown(
    model: &Model,
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
