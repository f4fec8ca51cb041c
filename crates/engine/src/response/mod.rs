//! Last stage: validators, conditions of reads, caching, coding, lengths. The only place that
//! writes the fields of an answer.

pub(crate) mod stream;
pub(crate) mod tag;

use bytes::Bytes;
use contract::fault::{self, Fault};
use contract::freshness::{self, Life};
use contract::link::Links;
use contract::negotiate::Coding;
use contract::precondition::{Validators, Verdict};
use contract::problem::{Kind, Problem, Violation};
use contract::table::{self, Cache};
use contract::{allow, date};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use model::model::{CacheLife, Model, OnDelete, ResourceIndex};
use model::setting::Settings;
use model::value::Timestamp;

use crate::answer::Answer;
use crate::call::Call;
use crate::report::{Close, RequestId};
use crate::representation::{self, PREFERENCE_APPLIED, field};

const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Every request field that takes part in choosing a representation of a read.
pub(crate) const VARY: HeaderValue = HeaderValue::from_static("accept, accept-encoding, prefer");

/// The salts of the ETags of each resource: its declaration and the database's epoch.
pub(crate) fn salts(model: &Model, epoch: u64) -> Vec<String> {
    model.resources.iter().map(|resource| tag::salt(&resource.digest, epoch)).collect()
}

/// The salts of the ETags of lists, and of what is included: what counts and cuts them shapes
/// them, and so does the path that their links begin with.
pub(crate) fn list_salts(model: &Model, settings: &Settings, epoch: u64) -> Vec<String> {
    let limits = [
        u64::from(settings.page_rows_max),
        u64::from(settings.include_rows_max),
        u64::from(settings.included_rows_max),
        settings.offset_rows_max,
        settings.count_rows_max,
    ];
    let salt = |digest: &str| tag::salt(&format!("{digest}{limits:?}{}", model.prefix), epoch);
    model.resources.iter().map(|resource| salt(&resource.digest)).collect()
}

/// Turns an answer into a response.
///
/// # Errors
/// 412 where a condition of a read is false.
pub(crate) fn seal(
    call: &Call,
    answer: Answer,
    coding_bytes_min: usize,
    replayed: bool,
    timing: &str,
) -> Result<Response<Bytes>, Problem> {
    let mut response = if call.routed.row.reads() {
        read(call, answer, coding_bytes_min)?
    } else {
        write(call, answer, replayed)
    };
    finish(call, &mut response, timing);
    Ok(response)
}

/// Adds what every answer has that is no problem.
fn finish<T>(call: &Call, response: &mut Response<T>, timing: &str) {
    let headers = response.headers_mut();
    if call.preferences.server_timing && !timing.is_empty() {
        headers.insert(SERVER_TIMING, field(timing));
        headers.append(PREFERENCE_APPLIED, HeaderValue::from_static("server-timing"));
    }
    let canonical = Links::new().add(&call.routed.path, "canonical").value();
    if let Some(link) = canonical.filter(|_| call.routed.aliased) {
        headers.append(header::LINK, link);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    debug_assert!(
        call.routed.row.statuses.contains(&response.status().as_u16()),
        "the row does not list {}",
        response.status()
    );
}

fn read(call: &Call, answer: Answer, bytes_min: usize) -> Result<Response<Bytes>, Problem> {
    let small = answer.content.len() < bytes_min && !call.identity_refused;
    let coding = if small || answer.media.is_empty() { Coding::Identity } else { call.coding };
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::CACHE_CONTROL, cache_control(call));
    describe(call, &mut headers);
    if !call.routed.row.offers.is_empty() && !fault::on(Fault::VaryDropped) {
        headers.insert(header::VARY, VARY);
    }
    let mut status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    // What is asked by POST has no validator: it could not be revalidated (RFC 9110 §9.3.3).
    let is_validated = call.routed.nature.safe && !answer.version.is_empty();
    if is_validated {
        status = validate(call, &answer, coding, &mut headers)?.unwrap_or(status);
    }
    group(call, &mut headers, CACHE_GROUPS);
    for (name, text) in &answer.fields {
        headers.append(name, text.clone());
    }
    if status == StatusCode::NOT_MODIFIED {
        return Ok(assemble(status, headers, Vec::new()));
    }
    let content = representation_of(answer, coding, &mut headers);
    let bare = call.routed.nature.bare && !fault::on(Fault::HeadWithBody);
    if bare && fault::on(Fault::HeadWithoutLength) {
        headers.remove(header::CONTENT_LENGTH);
    }
    Ok(assemble(status, headers, if bare { Vec::new() } else { content }))
}

/// The content in its coding, with the fields that describe it.
fn representation_of(answer: Answer, coding: Coding, headers: &mut HeaderMap) -> Vec<u8> {
    if answer.status == 204 {
        return Vec::new();
    }
    let content = crate::coding::encode(coding, answer.content);
    if !answer.media.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.media));
    }
    if coding != Coding::Identity {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
    content
}

/// Adds the validators, and evaluates the conditions against them (RFC 9110 §13.2.2): 304, or
/// nothing to change.
fn validate(
    call: &Call,
    answer: &Answer,
    coding: Coding,
    headers: &mut HeaderMap,
) -> Result<Option<StatusCode>, Problem> {
    let variant = tag::variant(call, answer, coding);
    headers.insert(header::ETAG, field(&format!("\"{}.{variant}\"", answer.version)));
    let at = |modified| date::last_modified(Timestamp(modified).to_system_time());
    let last_modified = answer.modified.map(at);
    // A second that is not over can still bring another change (RFC 9110 §8.8.2.2).
    let over = last_modified.filter(|modified| *modified <= call.now.to_system_time());
    if let Some(modified) = over {
        headers.insert(header::LAST_MODIFIED, field(&date::http_date(modified)));
    }
    let validators = Validators { version: &answer.version, variant: &variant, last_modified };
    match call.conditions.evaluate(call.routed.nature, Some(&validators)) {
        Verdict::Proceed => Ok(None),
        Verdict::NotModified => Ok(Some(StatusCode::NOT_MODIFIED)),
        Verdict::Failed(name) => Err(precondition_failed(name)),
    }
}

/// 412, naming the condition that is false.
pub(crate) fn precondition_failed(field: &'static str) -> Problem {
    let detail = match field {
        "If-None-Match" => {
            "If-None-Match says that nothing may be here yet, or not this version, and it is."
        }
        "If-Unmodified-Since" => {
            "It was modified after the date in If-Unmodified-Since. Nothing was done."
        }
        _ => {
            "It is not, or no longer, the version in If-Match. GET it again, apply your change to \
              that, and send its ETag. Nothing was done."
        }
    };
    Problem::new(Kind::PreconditionFailed, detail)
        .with_errors(vec![Violation::field(field, "is false")])
}

fn write(call: &Call, answer: Answer, replayed: bool) -> Response<Bytes> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CACHE_CONTROL, cache_control(call));
    group(call, &mut headers, CACHE_GROUP_INVALIDATION);
    for (name, text) in &answer.fields {
        headers.append(name, text.clone());
    }
    if replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    let content = representation_of(answer, Coding::Identity, &mut headers);
    assemble(status, headers, content)
}

fn cache_control(call: &Call) -> HeaderValue {
    let life = call.routed.resource.and_then(|index| life(&call.model, index, &call.tables));
    let life = life.map(|life| Life { public: life.public && is_public(call), ..life });
    freshness::cache_control(call.routed.row.cache, life, call.credentials)
}

/// True where everybody sees the same as the caller does.
fn is_public(call: &Call) -> bool {
    let is_open = |table: &ResourceIndex| {
        let read = call.model.resources[*table].access.as_ref().and_then(|it| it.read.as_ref());
        read.is_some_and(|who| who.when.is_none() && who.names.iter().any(|name| name == "anyone"))
    };
    call.digest().is_empty() && call.tables.iter().chain(&call.routed.resource).all(is_open)
}

/// How long an answer may be kept: as long as that of its most short-lived table, and by others
/// only where all of them may be.
fn life(model: &Model, index: ResourceIndex, tables: &[ResourceIndex]) -> Option<Life> {
    let of = |index: ResourceIndex| model.resources[index].cache;
    tables
        .iter()
        .filter(|table| **table != index)
        .try_fold(of(index)?, |life, table| {
            let other = of(*table)?;
            let max_age_s = life.max_age_s.zip(other.max_age_s).map(|(one, two)| one.min(two));
            Some(CacheLife { public: life.public && other.public, max_age_s })
        })
        .map(|life| Life { public: life.public, max_age_s: life.max_age_s })
}

/// RFC 9875: an answer names the groups that it belongs to, and a write those whose stored answers
/// it makes stale.
fn group(call: &Call, headers: &mut HeaderMap, name: HeaderName) {
    let mut touched = stale(call);
    for operation in call.batch().iter().flat_map(|batch| &batch.operations) {
        for index in stale(&operation.call) {
            if !touched.contains(&index) {
                touched.push(index);
            }
        }
    }
    if touched.is_empty() {
        return;
    }
    let names = touched.iter().map(|index| format!("\"{}\"", call.model.resources[*index].name));
    headers.insert(name, field(&names.collect::<Vec<_>>().join(", ")));
}

/// The resources that one request is about, or touches along with it.
fn stale(call: &Call) -> Vec<ResourceIndex> {
    let mut touched: Vec<ResourceIndex> = call.routed.resource.into_iter().collect();
    for table in &call.tables {
        if !touched.contains(table) {
            touched.push(*table);
        }
    }
    if let (table::Operation::Delete, Some(index)) =
        (call.routed.row.operation, call.routed.resource)
    {
        touch(&call.model, index, &mut touched);
    }
    touched
}

/// Adds the resources whose records a deletion deletes or clears along with its own.
fn touch(model: &Model, deleted: ResourceIndex, touched: &mut Vec<ResourceIndex>) {
    for (index, resource) in model.resources.iter().enumerate() {
        let follows = |on_delete| {
            let mut references = resource.fields.iter().filter_map(|field| field.references);
            references.any(|to| to.resource == deleted && to.on_delete == on_delete)
        };
        let (cascades, clears) = (follows(OnDelete::Cascade), follows(OnDelete::Clear));
        if (cascades || clears) && !touched.contains(&index) {
            touched.push(index);
            if cascades {
                touch(model, index, touched);
            }
        }
    }
}

/// Allow and the Accept family: on OPTIONS all of them, on reads Accept-Query (RFC 10008 §3).
fn describe(call: &Call, headers: &mut HeaderMap) {
    let rows: Vec<_> = table::rows(call.routed.row.target).collect();
    if call.routed.row.operation == table::Operation::Describe {
        headers.extend(allow::described(&rows));
    } else if let Some(value) = allow::accept_query(rows) {
        headers.insert(allow::ACCEPT_QUERY, value);
    }
}

/// A problem as a response. Never kept by a cache: several of these statuses would be by default.
pub(crate) fn problem(problem: &Problem, id: Option<&RequestId>, bare: bool) -> Response<Bytes> {
    let entry = problem.kind.entry();
    let status = StatusCode::from_u16(entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content = representation::problem::render(problem, id);
    let mut headers = HeaderMap::with_capacity(8);
    if !fault::on(Fault::ErrorCacheable) {
        headers.insert(header::CACHE_CONTROL, freshness::cache_control(Cache::Never, None, false));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(representation::problem::MEDIA));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if problem.kind == Kind::NotAcceptable {
        headers.insert(header::VARY, VARY);
    }
    for (name, value) in &problem.fields {
        headers.append(name, value.clone());
    }
    let bare = bare && !fault::on(Fault::HeadWithBody);
    let mut response = assemble(status, headers, if bare { Vec::new() } else { content });
    if problem.close {
        response.extensions_mut().insert(Close);
    }
    response
}

fn assemble(status: StatusCode, headers: HeaderMap, content: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(content));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
