//! Second stage: fields, negotiation, query and content are read, in the order in which faults
//! are blamed. Nothing here meets the store.

mod account;
mod audit;
mod batch;
pub(crate) mod bind;
mod body;
mod bulk;
mod parameters;
mod passwords;
mod reading;

use bytes::Bytes;
use contract::fault::{self, Fault};
use contract::idempotency::Key;
use contract::media_type::MediaType;
use contract::negotiate::{self, Coding};
use contract::precondition::Conditions;
use contract::prefer::Preferences;
use contract::problem::{Kind, Problem};
use contract::table;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http_body::Body;
use model::model::{IdKind, Model, ResourceIndex};
use model::value::{Id, Timestamp};

use body::{Arriving, Limit};
use bulk::{Arrived, Want};

use crate::Inner;
use crate::admit::Admitted;
use crate::call::{Call, Content, KeyUse, Reading};
use crate::clock;
use crate::content::ContentError;
use crate::form;
use crate::idempotency;
use crate::op::mail::Letter;
use crate::password::Hashes;
use crate::report::Report;
use crate::response::tag;
use crate::route::Routed;
use parameters::Parameters;

/// The codings that answers come in.
const CODINGS: &[Coding] = &[Coding::Identity, Coding::Gzip, Coding::Zstd];

/// Reads everything that a request says.
///
/// # Errors
/// 400, 406, 408, 413, 415, 417, in DESIGN's order of checks.
pub(crate) async fn read<B>(
    inner: &Inner,
    routed: Routed,
    admitted: Admitted,
    parts: &Parts,
    mut content: B,
    report: &mut Report,
) -> Result<Call, Problem>
where
    B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
{
    let headers = &parts.headers;
    let named = name_content(&routed, headers);
    let form = bulk::form(&routed, named.as_ref().ok().and_then(Option::as_ref));
    let limit = match form {
        Some(_) => Limit::Bulk(inner.settings.bulk_bytes_max),
        None => Limit::Record(inner.settings.content_bytes_max),
    };
    refuse_expectations(headers)?;
    body::refuse_by_length(&content, limit)?;
    let media_type = accept_content(&routed, headers, named, Sent::of(&content))?;
    let is_of_browser = account::is_of_browser(&routed, headers, media_type.as_ref());
    let offered =
        if is_of_browser { (table::JSON, Coding::Identity) } else { offer(&routed, headers)? };
    let conditions = read_conditions(&routed, headers)?;
    let key = read_key(inner, &routed, &admitted, headers)?;
    let routed = to_oneself(inner, routed, &admitted);
    let parameters = parameters::read(inner, &admitted, &routed, report)?;
    let preferences = Preferences::read(headers);
    let want = Want { fingerprint: key.is_some(), ids: !preferences.minimal };
    let arriving = Arriving::new(&mut content, limit);
    let arrived = bulk::gather(inner, (&routed, &admitted), form, want, arriving, report).await?;
    // A search that names a resource is one of its list.
    let routed = Routed { resource: routed.resource.or(parameters.resource), ..routed };
    let mut call = understood(
        inner,
        (routed, admitted),
        headers,
        offered,
        conditions,
        parameters,
        clock::now(),
    );
    let canonical = match arrived {
        Arrived::Whole(bytes) if account::is_account(&call.routed) => {
            let read = account::read(&call, media_type.as_ref(), &bytes, is_of_browser);
            call.content = read.await?;
            String::new()
        }
        Arrived::Whole(bytes) => {
            parse(inner, &mut call, media_type.as_ref(), &bytes, report).await?
        }
        Arrived::Many(content, canonical) => {
            call.content = content;
            canonical
        }
    };
    call.reading = reading::reading(&call, &report.parameters, media_type.as_ref())?;
    call.key = key.map(|key| key_use(inner, &call, &key, &canonical));
    batch::require_key(&call)?;
    call.hashes = Hashes::make(inner, &call.admitted, passwords::passwords(&call)).await?;
    Ok(call)
}

/// A request with everything but its content and its key.
fn understood(
    inner: &Inner,
    (routed, admitted): (Routed, Admitted),
    headers: &HeaderMap,
    (media, coding): (&'static str, Coding),
    conditions: Conditions,
    parameters: Parameters,
    now: Timestamp,
) -> Call {
    Call {
        salt: routed.resource.map_or_else(String::new, |index| inner.salts[index].clone()),
        model: admitted.sight.model.clone(),
        whole: inner.model.clone(),
        letter: letter(inner, &routed),
        media,
        coding,
        identity_refused: negotiate::coding(headers, &[Coding::Identity]).is_none(),
        preferences: Preferences::read(headers),
        credentials: headers.contains_key(header::AUTHORIZATION)
            || headers.contains_key(header::COOKIE),
        query: parameters.query,
        everywhere: parameters.everywhere,
        following: parameters.following,
        auditing: parameters.auditing,
        agent: agent(&routed, headers),
        reading: Reading::Once,
        position: parameters.position,
        view: parameters.view,
        tables_salt: tables_salt(inner, &routed, &parameters.tables),
        tables: parameters.tables,
        cursors: inner.cursors,
        content: Content::None,
        key: None,
        hashes: Hashes::default(),
        now,
        birth: clock::birth(),
        fresh_id: fresh_id(inner, &routed),
        settings: inner.settings.clone(),
        conditions,
        admitted,
        routed,
    }
}

/// A user with another address than before is sent a mail, where mail is sent.
fn letter(inner: &Inner, routed: &Routed) -> Option<Letter> {
    use table::Operation::{Create, Patch, Replace};
    let may_address = matches!(routed.row.operation, Create | Replace | Patch);
    let is_user = routed.resource.is_some() && routed.resource == inner.model.users();
    (may_address && is_user && inner.settings.mail_from.is_some()).then(Letter::new)
}

/// What the client calls itself, where that is kept.
fn agent(routed: &Routed, headers: &HeaderMap) -> String {
    match routed.row.operation {
        table::Operation::Login => {
            let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
            String::from_utf8_lossy(agent.unwrap_or_default()).into_owned()
        }
        _ => String::new(),
    }
}

/// What is asked of oneself is asked of the record that one is.
fn to_oneself(inner: &Inner, routed: Routed, admitted: &Admitted) -> Routed {
    let own = matches!(routed.row.operation, table::Operation::Me | table::Operation::Password);
    match admitted.sight.caller.id().filter(|_| own) {
        Some(id) => Routed { resource: inner.model.users(), id: Some(id.clone()), ..routed },
        None => routed,
    }
}

/// 400 for content on a method where it has no meaning.
///
/// # Errors
/// That, and what keeps content from being read.
pub(crate) async fn refuse_content<B>(
    inner: &Inner,
    routed: &Routed,
    content: &mut B,
) -> Result<(), Problem>
where
    B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
{
    let limit = Limit::Record(inner.settings.content_bytes_max);
    body::refuse_where_meaningless(routed, content, limit).await
}

/// Content-Type of a request whose content has a meaning.
fn name_content(routed: &Routed, headers: &HeaderMap) -> Result<Option<MediaType>, Problem> {
    match routed.nature.content {
        table::Content::Required => MediaType::read(headers),
        table::Content::Refused | table::Content::Drained => Ok(None),
    }
}

/// The salt of what is read from several tables; on a collection a condition of a write is about
/// the list of its own.
fn tables_salt(inner: &Inner, routed: &Routed, tables: &[ResourceIndex]) -> String {
    match routed.resource.filter(|_| !routed.nature.safe && routed.id.is_none()) {
        Some(index) => inner.list_salts[index].clone(),
        None => tag::salts(&inner.list_salts, tables),
    }
}

/// 417: the only expectation that HTTP knows is 100-continue, which the connection fulfils.
fn refuse_expectations(headers: &HeaderMap) -> Result<(), Problem> {
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if headers.get_all(header::EXPECT).iter().all(known) {
        return Ok(());
    }
    let detail = "The Expect field asks for something other than 100-continue. Leave it out.";
    Err(Problem::new(Kind::ExpectationFailed, detail))
}

fn fresh_id(inner: &Inner, routed: &Routed) -> Option<Id> {
    let kind = routed.resource.map(|index| inner.model.resources[index].id)?;
    (kind != IdKind::Integer && !routed.row.reads()).then(|| Id::Text(clock::uuid()))
}

/// Whether there is content.
#[derive(Clone, Copy)]
enum Sent {
    Nothing,
    Something,
}

impl Sent {
    fn of(content: &impl Body) -> Self {
        if content.is_end_stream() { Self::Nothing } else { Self::Something }
    }
}

/// Content-Type and Content-Encoding of a request whose content has a meaning (415).
fn accept_content(
    routed: &Routed,
    headers: &HeaderMap,
    named: Result<Option<MediaType>, Problem>,
    sent: Sent,
) -> Result<Option<MediaType>, Problem> {
    if routed.nature.content != table::Content::Required {
        return Ok(None);
    }
    if headers.contains_key(header::CONTENT_RANGE) && !fault::on(Fault::ContentRangeAccepted) {
        let detail = "Content-Range says that this is a part, and parts are not put together here \
                      (RFC 9110 §14.5). Send the whole representation without it.";
        return Err(Problem::new(Kind::MalformedField, detail));
    }
    if let Some(coding) = headers.get(header::CONTENT_ENCODING)
        && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let detail = "The content has a Content-Encoding. Send it without one.";
        let identity = HeaderValue::from_static("identity");
        return Err(Problem::new(Kind::UnsupportedMediaType, detail)
            .with_field(header::ACCEPT_ENCODING, identity));
    }
    let Some(media_type) = named? else {
        if routed.row.content_is_optional() && matches!(sent, Sent::Nothing) {
            return Ok(None);
        }
        return Err(no_media_type(routed, sent));
    };
    let utf8 = media_type.charset.as_deref().is_none_or(|charset| {
        charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
    });
    if !routed.row.accepts.contains(&media_type.essence.as_str()) {
        let detail = format!(
            "{} is not a media type that {} takes here. It takes {}.",
            media_type.essence,
            routed.nature.name,
            routed.row.accepts.join(", ")
        );
        return Err(unsupported(routed, detail));
    }
    if !utf8 {
        return Err(unsupported(routed, "The content has to be UTF-8.".to_owned()));
    }
    if media_type.header.as_deref().is_some_and(|header| header != "present") {
        let detail = "A table has to begin with a header of the names of members: add that line, \
                      and leave `header` out of Content-Type, or say `header=present`.";
        return Err(unsupported(routed, detail.to_owned()));
    }
    Ok(Some(media_type))
}

fn no_media_type(routed: &Routed, sent: Sent) -> Problem {
    let types = routed.row.accepts.join(", ");
    let content = match sent {
        Sent::Nothing => "Send content, and name",
        Sent::Something => "Name",
    };
    let detail = format!("{content} its media type in Content-Type: {types}.");
    // RFC 10008 §2: a query without Content-Type MUST fail; 400 is the example it gives.
    if routed.row.reads() {
        Problem::new(Kind::ContentTypeMissing, detail)
    } else {
        unsupported(routed, detail)
    }
}

fn unsupported(routed: &Routed, detail: String) -> Problem {
    let mut problem = Problem::new(Kind::UnsupportedMediaType, detail);
    for (name, value) in contract::allow::refused(routed.row) {
        problem = problem.with_field(name, value);
    }
    problem
}

/// The media type and the coding of the answer (406).
fn offer(routed: &Routed, headers: &HeaderMap) -> Result<(&'static str, Coding), Problem> {
    let offers = routed.row.offers;
    if offers.is_empty() {
        return Ok(("", Coding::Identity));
    }
    let Some(media) = negotiate::media(headers, offers) else {
        let detail = format!("This target can be had as {}.", offers.join(", "));
        return Err(Problem::new(Kind::NotAcceptable, detail));
    };
    // Answers to unsafe methods are stored, replayed and never cached: they come plain.
    let codings = if routed.row.reads() { CODINGS } else { &CODINGS[..1] };
    match negotiate::coding(headers, codings) {
        Some(coding) => Ok((media, coding)),
        None if !routed.row.reads() => Ok((media, Coding::Identity)),
        None => {
            let detail =
                "Accept-Encoding refuses identity and names no coding that is served: gzip, zstd.";
            Err(Problem::new(Kind::NotAcceptable, detail))
        }
    }
}

fn read_conditions(routed: &Routed, headers: &HeaderMap) -> Result<Conditions, Problem> {
    match routed.row.conditions {
        table::Conditions::Ignored => Ok(Conditions::default()),
        table::Conditions::Honoured | table::Conditions::Demandable => Conditions::read(headers),
    }
}

fn read_key(
    inner: &Inner,
    routed: &Routed,
    admitted: &Admitted,
    headers: &HeaderMap,
) -> Result<Option<Key>, Problem> {
    if matches!(routed.row.key, table::Key::Ignored | table::Key::Withheld) {
        return Ok(None);
    }
    let key = Key::read(headers)?;
    match &key {
        None if demands_key(&inner.model, routed) => Err(Problem::new(
            Kind::KeyRequired,
            "Send Idempotency-Key with a fresh UUID, and the same one with every retry.",
        )),
        Some(key) if admitted.is_nobody() && !key.is_unguessable() => Err(Problem::new(
            Kind::KeyMalformed,
            "Without sign-in a key must be at least 22 characters, so that nobody guesses it: \
                send a UUID.",
        )),
        _ => Ok(key),
    }
}

fn demands_key(model: &Model, routed: &Routed) -> bool {
    routed.row.key == table::Key::Demandable
        && routed.resource.is_some_and(|index| model.resources[index].key_required)
}

fn key_use(inner: &Inner, call: &Call, key: &Key, canonical: &str) -> KeyUse {
    let principal = idempotency::principal(&inner.secret, &call.admitted.actor);
    let retention = i64::try_from(inner.settings.key_retention.as_millis()).unwrap_or(i64::MAX);
    KeyUse {
        hash: idempotency::scope(&inner.secret, &principal, call, key.as_str()),
        fingerprint: idempotency::fingerprint(&inner.secret, call, canonical),
        principal,
        expires_at: Timestamp(call.now.0.saturating_add(retention)),
    }
}

/// Parses the content by its media type, and gives its canonical text for the fingerprint.
async fn parse(
    inner: &Inner,
    call: &mut Call,
    media_type: Option<&MediaType>,
    bytes: &Bytes,
    report: &mut Report,
) -> Result<String, Problem> {
    let Some(media_type) = media_type else { return Ok(String::new()) };
    if call.routed.row.reads() {
        return parameters::read_content(inner, call, media_type, bytes, report);
    }
    let document = match media_type.essence.as_str() {
        "application/x-www-form-urlencoded" => {
            body::refuse_json_as_form(bytes)?;
            body::form(call, &form::pairs(bytes))
        }
        "multipart/form-data" => body::form(call, &form::multipart(media_type, bytes).await?),
        _ => body::json(bytes),
    }?;
    // Forms and JSON of the same values are the same request; two kinds of patch are not.
    let patch = call.routed.row.operation == table::Operation::Patch;
    let kind = if patch { media_type.essence.as_str() } else { "" };
    let canonical = format!("{kind} {}", model::json::canonical(&document));
    call.content = match call.routed.row.operation {
        table::Operation::Batch => Content::Batch(batch::read(inner, call, document).await?),
        _ => body::content(call, &media_type.essence, document),
    };
    Ok(canonical)
}
