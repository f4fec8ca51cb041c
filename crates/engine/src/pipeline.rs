//! The story of the program: route, request, serve, render, response, each once, in this order;
//! and the judgement that stands around every decision.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use contract::date;
use contract::fault::{self, Fault};
use contract::idempotency::{self as key, Recall};
use contract::precondition::{Validators, Verdict};
use contract::problem::{Kind, Problem};
use contract::table::{self, Conditions, Operation, Token};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use model::model::IdKind;
use model::value::Id;
use store::audit_log::{Act, Ids};
use store::change::{Change, Many};
use store::decision::{Decision, Step, Verdict as Written};
use store::dependents::Fate;
use store::lookup::{Current, Lookup, Remembered};

use crate::Inner;
use crate::call::{Call, Reading};
use crate::content::{Content, ContentError};
use crate::cors::Page;
use crate::op;
use crate::op::mail::Purpose;
use crate::outcome::{Decided, Outcome};
use crate::refused::Refused;
use crate::report::{Peer, Report, RequestId};
use crate::representation::{self, remembered};
use crate::response::{self, tag};
use crate::route::Asked;
use crate::serve::{Serve, serve};
use crate::stream::Records;
use crate::vantage::Vantage;
use crate::{admit, clock, plain, proxy, request, route};

use self::last::Last;

mod account;
mod batch;
pub(crate) mod last;
pub(crate) mod load;
mod mail;
mod refusal;
mod timing;

/// One of the judgements before a decision; `None` lets it pass.
type Check = fn(&Call, &Current) -> Option<Decision<Judged>>;
/// What a write comes to: an outcome, or the problem that kept it from happening.
type Judged = Result<Outcome, Problem>;

/// Answers a request, whatever happens on the way.
pub(crate) async fn answer<B>(inner: &Arc<Inner>, request: Request<B>) -> Response<Content>
where
    B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
{
    let (mut parts, content) = request.into_parts();
    let mut report = Report { route: "-", ..Report::default() };
    // From here on the request is that of the client, whoever has brought it.
    report.cause = proxy::believe(&inner.settings, &mut parts).err().map(str::to_owned);
    let mut last = Last::default();
    let walking = walk(inner, &parts, content, &mut report, &mut last);
    let walked = AssertUnwindSafe(walking).catch_unwind().await;
    let result = walked.unwrap_or_else(|panic| {
        report.cause = Some(refusal::words(panic.as_ref()));
        Err(refusal::internal())
    });
    let mut response = result.unwrap_or_else(|mut problem| {
        admit::challenge(inner, &parts.headers, &mut problem);
        note_refusal(inner, &parts, &problem, &mut report);
        report.problem = Some(problem.kind.entry().slug);
        let id = parts.extensions.get::<RequestId>();
        response::problem(&problem, id, is_bare(&parts)).map(Content::Whole)
    });
    last.write(&parts, &inner.settings, &mut response);
    response.extensions_mut().insert(report);
    response
}

/// Remembers who was refused for who they are, how often they came, or a secret in their URL.
fn note_refusal(inner: &Inner, parts: &Parts, problem: &Problem, report: &mut Report) {
    let entry = problem.kind.entry();
    if !matches!(entry.status, 401 | 403 | 429) && problem.kind != Kind::SecretInUrl {
        return;
    }
    report.address = parts.extensions.get::<Peer>().map(|peer| peer.0);
    inner.refused.note(Refused {
        at: clock::now(),
        status: entry.status,
        kind: entry.slug,
        route: report.route,
        address: report.address,
        actor: report.caller.clone(),
        request: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
    });
}

fn is_bare(parts: &Parts) -> bool {
    match table::method(parts.method.as_str()) {
        Token::Served(method) => table::nature(method).bare,
        Token::Withheld | Token::Unknown => false,
    }
}

async fn walk<B>(
    inner: &Arc<Inner>,
    parts: &Parts,
    content: B,
    report: &mut Report,
    last: &mut Last,
) -> Result<Response<Content>, Problem>
where
    B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
{
    let mut timing = timing::Timing::start(&parts.headers);
    let (method, uri) = (parts.method.as_str(), &parts.uri);
    let asked = Asked { method, path: uri.path(), query: uri.query() };
    let routed = route::route(&inner.model, &asked, report)?;
    let page = Page::of(parts, &inner.model, &inner.settings, routed.resource);
    last.route(page, routed.row.operation, routed.row.target);
    timing.mark("route");
    let mut content = content;
    request::refuse_content(inner, &routed, &mut content).await?;
    mail::refuse_without(inner, &routed)?;
    if let Some(encrypted) = plain::way(inner, &routed, parts)? {
        return Ok(moved(encrypted));
    }
    let admitted = admit::admit(inner, &routed, parts, report, last).await?;
    timing.mark("admit");
    let call = Arc::new(request::read(inner, routed, admitted, parts, content, report).await?);
    last.page.lower_to(&call);
    admit::charge(inner, &call);
    timing.mark("request");
    let smallest = inner.settings.coding_bytes_min;
    if call.reading == Reading::InChunks {
        let begun = Records::begin(inner, &call).await;
        let records = begun.map_err(|error| refusal::of_store(error, &call, report))?;
        timing.mark("store");
        return response::stream::begin(&call, records, smallest, &timing.text());
    }
    let place = load::enter(inner, &call)?;
    let outcome = carry_out(inner, &call, report).await?;
    drop(place);
    timing.mark("store");
    report.replayed = matches!(outcome, Outcome::Replayed(_));
    let answer = representation::render(&call, outcome);
    timing.mark("render");
    let sealed = response::seal(&call, answer, smallest, report.replayed, &timing.text());
    sealed.map(|response| response.map(Content::Whole))
}

/// 308: method and content stay as they are (RFC 9110 §15.4.9).
fn moved(to: HeaderValue) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Bytes::new()));
    *response.status_mut() = http::StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, to);
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    // Where HTTPS is turned off again, nobody is led astray.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The only stage that meets the store.
async fn carry_out(
    inner: &Arc<Inner>,
    call: &Arc<Call>,
    report: &mut Report,
) -> Result<Outcome, Problem> {
    match serve(call.routed.row.operation) {
        Serve::Describe(describe) => Ok(describe(call)),
        Serve::Probe(answer) => {
            let answers = inner.reader.ping().and_then(|()| inner.writer.ready());
            answers.map_err(|error| refusal::of_store(error, call, report))?;
            Ok(answer(call))
        }
        Serve::Read { lookup, answer } => {
            let outcome = read(inner, call, lookup, answer).await;
            outcome.map_err(|error| refusal::of_store(error, call, report))?
        }
        Serve::Write { lookup, decide } => {
            write(inner, call, vec![step(call, lookup, decide)], report).await
        }
        Serve::Verify(verify) => account::verify(inner, call, verify, report).await,
        Serve::Settle { lookup, decide } => {
            account::settle(inner, call, lookup(call), report, decide).await
        }
        Serve::Mail => mail::carry_out(inner, call, report).await,
        Serve::Batch => write(inner, call, batch::steps(call), report).await,
    }
}

/// Finds out what there is, unless it is known to be as it was when it was last asked for.
async fn read(
    inner: &Inner,
    call: &Call,
    lookup: fn(&Call) -> Lookup,
    answer: fn(&Call, Current) -> Result<Outcome, Problem>,
) -> Result<Result<Outcome, Problem>, store::error::Error> {
    if let Some(list) = inner.kept.find(call) {
        let state = inner.reader.read(op::list::state(call)).await?;
        if let Some(answer) = list.answer(&state) {
            inner.kept.hit();
            return Ok(Ok(Outcome::Rendered(answer)));
        }
    }
    let outcome = answer(call, inner.reader.read(lookup(call)).await?);
    Ok(outcome.map(|outcome| inner.kept.keep(call, outcome)))
}

/// The one step of a write that is no batch.
fn step(
    call: &Arc<Call>,
    lookup: fn(&Call) -> Lookup,
    decide: fn(&Call, &Current) -> Decided,
) -> Step<Judged> {
    let lookup = Lookup { remembered: call.key.as_ref().map(|key| key.hash), ..lookup(call) };
    let call = call.clone();
    Step::alone(lookup, move |current| judge(&call, decide, current))
}

/// Decides and commits a list of steps; the outcome is that of the last.
async fn write(
    inner: &Arc<Inner>,
    call: &Arc<Call>,
    steps: Vec<Step<Judged>>,
    report: &mut Report,
) -> Result<Outcome, Problem> {
    // A second request with the same key waits for the first, so that it finds its answer.
    let _turn = match &call.key {
        Some(key) => {
            let turn = inner.running.enter(key.hash, inner.settings.key_wait).await;
            Some(turn.ok_or_else(in_flight)?)
        }
        None => None,
    };
    let written = inner.writer.transact(steps).await;
    let operations = call.batch().map_or(&[][..], |batch| &batch.operations);
    if call.letter.is_some() || operations.iter().any(|one| one.call.letter.is_some()) {
        inner.queued.notify_one();
    }
    match written {
        Ok(Written::Committed(mut outcomes)) => outcomes.pop().unwrap_or(Err(refusal::internal())),
        Ok(Written::Refused { outcome, .. }) => outcome,
        Err(error) => Err(refusal::of_write(error, call, report)),
    }
}

fn in_flight() -> Problem {
    let detail = "The first request with this Idempotency-Key is not finished yet. Send this one \
                  again, unchanged, after a second.";
    Problem::new(Kind::KeyInFlight, detail)
        .with_field(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// The judgement around every decision, inside its transaction: the key, then what is there, then
/// the conditions, then the decision; and the answer is remembered with its changes.
fn judge(
    call: &Call,
    decide: fn(&Call, &Current) -> Decided,
    current: &Current,
) -> Decision<Judged> {
    let late = fault::on(Fault::KeyAfterIfMatch);
    let checks: [Check; 2] =
        if late { [refuse_by_condition, recall] } else { [recall, refuse_by_condition] };
    for check in checks {
        if let Some(decision) = check(call, current) {
            return decision;
        }
    }
    match decide(call, current) {
        Decided::Refused(problem) => Decision::Refuse(Err(problem)),
        Decided::More(lookup) => Decision::More(lookup),
        Decided::Done(outcome, mut changes) => {
            let acts = acts(call, current, &changes);
            changes.extend(acts.into_iter().map(Change::Act));
            changes.extend(greetings(call, current, &changes));
            remember(call, outcome, changes)
        }
    }
}

/// The mail by which a user confirms its address: a new user, or one whose address is another now.
fn greetings(call: &Call, current: &Current, changes: &[Change]) -> Vec<Change> {
    let Some(letter) = &call.letter else { return Vec::new() };
    let users = call.whole.users();
    let address = |user| op::mail::address(&call.whole, user);
    let moved = changes.iter().find_map(|change| match change {
        Change::Insert { resource, record } if Some(*resource) == users => Some(record),
        Change::Update { resource, record, .. } if Some(*resource) == users => {
            let before = op::change::present(current).and_then(address);
            Some(record).filter(|user| address(user) != before)
        }
        _ => None,
    });
    moved.map_or_else(Vec::new, |user| op::mail::send(call, Purpose::Confirm, user, letter))
}

/// What the key was used for before, if it was.
fn recall(call: &Call, current: &Current) -> Option<Decision<Judged>> {
    let key = call.key.as_ref()?;
    let kept = current.remembered.as_ref();
    match key::verdict(kept.map(|kept| &kept.fingerprint), &key.fingerprint) {
        Recall::First => None,
        Recall::Reused => {
            let detail = "The key was used before, for a request with other content, query or \
                          conditions. Send a fresh key for this one. Nothing was done.";
            Some(Decision::Refuse(Err(Problem::new(Kind::KeyReused, detail))))
        }
        Recall::Replay => {
            let Some(kept) = kept.and_then(|kept| remembered::decode(&kept.answer)) else {
                return Some(Decision::Refuse(Err(refusal::internal())));
            };
            let view = Vantage::of(call);
            let lost = view.lost_since(&kept.view);
            if !lost.is_empty() {
                return Some(Decision::Refuse(Err(withheld(&lost))));
            }
            let mut answer = kept.answer;
            if let (true, Some(now)) =
                (fault::on(Fault::ReplayRenderedAnew), op::change::present(current))
            {
                answer = representation::render(call, Outcome::Patched(now.clone()));
            }
            Some(Decision::Refuse(Ok(Outcome::Replayed(answer))))
        }
    }
}

/// 403 for an answer that may show what its caller no longer sees.
fn withheld(lost: &[&str]) -> Problem {
    let detail = format!(
        "The request with this key was carried out the first time. What you may see of {} has \
         changed since, so its answer of that time is not sent again. Nothing was done now.",
        lost.join(", ")
    );
    Problem::new(Kind::ReplayWithheld, detail)
}

/// 404, 403 of the record, 428, 412, against what is there now.
fn refuse_by_condition(call: &Call, current: &Current) -> Option<Decision<Judged>> {
    let present = op::change::present(current);
    let collection = call.routed.id.is_none();
    let (index, resource) = call.resource();
    let replaces = call.routed.row.operation == Operation::Replace;
    let may_create = !call.grants(index).create.is_nothing();
    let creates =
        call.routed.id.as_ref().is_none_or(|id| replaces && may_create && resource.creates_at(id));
    if present.is_none() && !creates {
        return Some(Decision::Refuse(Err(op::change::missing(call))));
    }
    if let Some(problem) = op::permission::refuse_record(call, current) {
        return Some(Decision::Refuse(Err(problem)));
    }
    let demanded = call.routed.row.conditions == Conditions::Demandable
        && call.resource().1.preconditions_required;
    if demanded && !call.conditions.guards() {
        return Some(Decision::Refuse(Err(refusal::precondition_required(present.is_some()))));
    }
    if call.conditions.is_empty() {
        return None;
    }
    // On a collection the condition is about the state of the list (`op::create`).
    let version = match present {
        Some(record) => tag::record(record, &call.salt),
        None if collection => tag::counted(&current.states, &call.tables_salt),
        None => String::new(),
    };
    let validators = Validators {
        version: &version,
        variant: "",
        last_modified: present
            .map(|record| date::last_modified(record.updated_at.to_system_time())),
    };
    // Which state a list is in of which records are hidden is not known: `*` names it, no tag does.
    let is_untagged = collection && !call.digest().is_empty();
    let validators = if is_untagged { Validators::UNTAGGED } else { validators };
    let exists = is_untagged || !version.is_empty();
    match call.conditions.evaluate(call.routed.nature, exists.then_some(&validators)) {
        Verdict::Proceed => None,
        Verdict::NotModified => {
            Some(Decision::Commit { outcome: Ok(Outcome::Described), changes: Vec::new() })
        }
        Verdict::Failed(field) => Some(Decision::Refuse(Err(response::precondition_failed(field)))),
    }
}

/// The entries of the audit log for what was decided, what goes along with it included; none where
/// nothing changes.
fn acts(call: &Call, current: &Current, changes: &[Change]) -> Vec<Act> {
    let one = |operation, resource, record: &Id| Act {
        resource: Some(resource),
        record: Some(record.clone()),
        ..call.admitted.act(call.now, operation)
    };
    let mut acts = Vec::new();
    for change in changes {
        match change {
            Change::Insert { resource, record } => {
                acts.push(one("create", *resource, &record.id));
            }
            Change::InsertMany(many) => acts.push(many_created(call, many)),
            Change::Update { resource, record, .. } => {
                acts.push(one("update", *resource, &record.id));
            }
            Change::Delete { resource, id, .. } => {
                let dependents = current.roots.iter().filter_map(|found| found.dependents.as_ref());
                acts.extend(dependents.flat_map(|found| &found.along).map(|along| {
                    let operation = match along.fate {
                        Fate::Deleted => "delete",
                        Fate::Cleared => "update",
                    };
                    one(operation, along.resource, &along.id)
                }));
                acts.push(one("delete", *resource, id));
            }
            Change::Remember(_)
            | Change::OpenSession(..)
            | Change::EndSessions { .. }
            | Change::SealSession { .. }
            | Change::Act(_)
            | Change::SettleJob(..)
            | Change::PutCode(_)
            | Change::EndCodes(_)
            | Change::Confirm { .. }
            | Change::Enqueue(_) => {}
        }
    }
    acts
}

fn many_created(call: &Call, many: &Many) -> Act {
    let records = many.rows.rows();
    let last = i64::try_from(records).unwrap_or(i64::MAX).saturating_add(many.first_id - 1);
    let ids = match call.model.resources[many.resource].id {
        IdKind::Integer if records > 0 => Ids::Span(many.first_id, last),
        IdKind::Integer => Ids::Unnamed,
        IdKind::Uuid | IdKind::Text => Ids::Rows(many.rows.clone()),
    };
    Act { resource: Some(many.resource), records, ids, ..call.admitted.act(call.now, "create") }
}

/// The answer joins the changes: both are on disk, or neither is.
fn remember(call: &Call, outcome: Outcome, mut changes: Vec<Change>) -> Decision<Judged> {
    let Some(key) = &call.key else { return Decision::Commit { outcome: Ok(outcome), changes } };
    let answer = representation::render(call, outcome);
    changes.push(Change::Remember(Remembered {
        key: key.hash,
        principal: key.principal,
        fingerprint: key.fingerprint,
        answer: remembered::encode(&Vantage::of(call), &answer),
        expires_at: key.expires_at,
    }));
    Decision::Commit { outcome: Ok(Outcome::Rendered(answer)), changes }
}
