//! Who asks, and may they try: the stage between route and request, which is the first to meet the
//! store.

use std::net::IpAddr;
use std::sync::Arc;

use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use contract::token::{self, Token};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use model::access::{Caller, Sight};
use model::model::{Resource, ResourceIndex};
use model::network::neighbourhood;
use model::value::Timestamp;
use store::audit_log::{Act, Actor, Ids};
use store::credential::ApiKey;
use store::error::Error;

use crate::call::{Call, Content};
use crate::callers::{self, Known};
use crate::cors::Grant;
use crate::origin::{self, Bearing, Us};
use crate::pipeline::last::Last;
use crate::report::{Peer, Report, RequestId, Scheme};
use crate::route::Routed;
use crate::{Inner, clock, cookie, issuer};

/// Who asks, as every later stage sees it. Made here only.
#[derive(Clone)]
pub(crate) struct Admitted {
    /// What the caller may see and do.
    pub(crate) sight: Arc<Sight>,
    /// Who that is, for the audit log and for the scope of Idempotency-Keys.
    pub(crate) actor: Arc<Actor>,
    /// The address that the request came from; none where it came over no network.
    pub(crate) address: Option<IpAddr>,
    /// The id of the request; empty where it changes nothing.
    pub(crate) request: String,
    /// The number of the session that it came under, where it did.
    pub(crate) session: Option<i64>,
    /// The API key that it came under, where it did.
    pub(crate) key: Option<Arc<ApiKey>>,
    /// What it brought along, whether that was good for anything or not.
    pub(crate) bearing: Bearing,
    /// How browsers reach this API.
    pub(crate) scheme: Scheme,
}

impl Admitted {
    /// True where it is not known who asks.
    pub(crate) fn is_nobody(&self) -> bool {
        self.sight.caller == Caller::Nobody
    }

    /// An entry of the audit log about what this caller does.
    pub(crate) fn act(&self, at: Timestamp, operation: &'static str) -> Act {
        Act {
            at,
            actor: Actor::clone(&self.actor),
            operation,
            resource: None,
            record: None,
            records: 1,
            ids: Ids::Unnamed,
            address: self.address.map(|address| address.to_string()).unwrap_or_default(),
            request: self.request.clone(),
        }
    }
}

/// Finds out who asks, and whether they may try.
///
/// # Errors
/// 429 by address, 403 of a foreign page, 401, 403 of the operation: in this order; 400 where
/// Authorization cannot be read; 503 and 500 of the store.
pub(crate) async fn admit(
    inner: &Inner,
    routed: &Routed,
    parts: &Parts,
    report: &mut Report,
    last: &mut Last,
) -> Result<Admitted, Problem> {
    #[cfg(test)]
    if let Some(admitted) = parts.extensions.get::<Admitted>() {
        permit(admitted, routed.row.operation, routed.resource)?;
        return Ok(admitted.clone());
    }
    let address = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let headers = &parts.headers;
    let come = parts.extensions.get::<Scheme>();
    let own = inner.settings.origin.as_deref();
    let us = Us { own, scheme: come.copied().unwrap_or_default(), peer: address };
    origin::refuse_misdirected(headers, us)?;
    let class = routed.row.class();
    let counted = address.filter(|_| !is_open(routed) || tries_a_password(routed));
    if let Some(address) = counted {
        inner.rates.by_address(class, address, &mut last.standing)?;
    }
    if tries_a_password(routed) {
        inner.attempts.look(neighbourhood(address))?;
    }
    let scheme = cookie::scheme(&inner.settings, come);
    // Authorization is never completed by a cookie.
    let has_token = headers.contains_key(header::AUTHORIZATION);
    let cookie = cookie::read(headers, scheme).filter(|_| !has_token);
    // A page elsewhere reads nothing with the cookie of its visitor.
    let may_bear = last.page.grant == Grant::Trusted || !origin::is_foreign(headers, us);
    let cookie = cookie.filter(|_| may_bear || !routed.nature.safe);
    let bearing = match (has_token, cookie) {
        (true, _) => Bearing::Authorization,
        (false, Some(_)) => Bearing::Cookie,
        (false, None) => Bearing::Nothing,
    };
    origin::refuse_foreign(routed, headers, bearing, us, last.page.grant)?;
    let known = match is_open(routed) {
        true => None,
        false => find(inner, bearer(headers)?, cookie, report).await?,
    };
    let request = match routed.row.reads() {
        true => String::new(),
        false => parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
    };
    let admitted = admitted(inner, known.as_deref(), address, request, (bearing, scheme));
    report.caller = known.map(|known| known.label.clone());
    permit(&admitted, routed.row.operation, routed.resource)?;
    if let (Some(address), false) = (counted, admitted.is_nobody()) {
        inner.rates.by_caller(class, &admitted.actor, address, &mut last.standing)?;
    }
    Ok(admitted)
}

/// Counts what a request asks for beyond one write.
pub(crate) fn charge(inner: &Inner, call: &Call) {
    let Some(address) = call.admitted.address else { return };
    let many = match &call.content {
        Content::Batch(batch) => batch.operations.len() as u64,
        Content::Rows(Ok(rows)) => rows.spool.rows(),
        _ => return,
    };
    let caller = (!call.admitted.is_nobody()).then_some(&*call.admitted.actor);
    inner.rates.charge(address, caller, many.saturating_sub(1));
}

fn admitted(
    inner: &Inner,
    known: Option<&Known>,
    address: Option<IpAddr>,
    request: String,
    (bearing, scheme): (Bearing, Scheme),
) -> Admitted {
    let sight = known.map_or(&inner.nobody, |known| &known.sight);
    let sight = match sight.is_timed {
        true => inner.callers.sight(inner, sight.caller.clone(), clock::now()),
        false => sight.clone(),
    };
    Admitted {
        sight,
        actor: match known {
            Some(known) => known.actor.clone(),
            None => inner.nobodys.clone(),
        },
        address,
        request,
        session: known.and_then(|known| known.session),
        key: known.and_then(|known| known.key.clone()),
        bearing,
        scheme,
    }
}

/// What is the same for everybody, so that nobody has to say who they are: what a token is worth
/// that comes along is not looked at.
fn is_open(routed: &Routed) -> bool {
    matches!(
        routed.row.operation,
        Operation::Describe
            | Operation::Health
            | Operation::Ready
            | Operation::Explain
            | Operation::Robots
            | Operation::Login
            | Operation::ResetPage
            | Operation::ConfirmPage
            | Operation::Reset
            | Operation::Confirm
    )
}

fn tries_a_password(routed: &Routed) -> bool {
    matches!(
        routed.row.operation,
        Operation::Login | Operation::Password | Operation::Reset | Operation::Confirm
    )
}

async fn find(
    inner: &Inner,
    token: Option<&str>,
    cookie: Option<&str>,
    report: &mut Report,
) -> Result<Option<Arc<Known>>, Problem> {
    // A cookie is of a session: no browser is given a key.
    let cookie = cookie.filter(|text| token::parse(text) == Some(Token::Session));
    let Some(text) = token.or(cookie) else { return Ok(None) };
    if !inner.model.issuers.is_empty() && issuer::is_jwt(text) {
        return callers::vouched(inner, text).await.map(Some);
    }
    let found = callers::find(inner, text).await.map_err(|error| {
        report.cause = Some(error.to_string());
        let detail = "Who asks could not be found out. Nothing was done.";
        match error {
            Error::Broken(_) => Problem::new(Kind::Internal, detail),
            _ => Problem::new(Kind::Unavailable, detail)
                .with_field(header::RETRY_AFTER, HeaderValue::from_static("1")),
        }
    })?;
    match (found, token) {
        // A browser goes on sending a cookie whose session has ended: it is nobody's then.
        (None, None) => Ok(None),
        (None, Some(_)) => Err(invalid("It is unknown, has expired, or has been revoked.")),
        (found, _) => Ok(found),
    }
}

fn invalid(why: &str) -> Problem {
    let detail = format!("The token in Authorization is not valid. {why} Nothing was done.");
    Problem::new(Kind::InvalidToken, detail)
}

/// 401 without an error code (RFC 6750 §3.1): no token was sent that could be wrong.
fn no_token() -> Problem {
    let detail = "Authorization holds no token: `Authorization: Bearer …` is what is known here, \
                  with the token as it was given. A name and a password are sent in the content \
                  of a POST to login, which answers with a token. Leave Authorization out to go \
                  on without one. Nothing was done.";
    Problem::new(Kind::NotSignedIn, detail)
}

/// The token in Authorization (RFC 6750 §2.1).
///
/// # Errors
/// 400 where the field is sent more than once, 401 where it holds no bearer token.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        let detail = "Authorization is sent more than once: which of them counts would be a guess.";
        let violation = Violation::field("Authorization", "has to be sent once");
        return Err(Problem::new(Kind::MalformedField, detail).with_errors(vec![violation]));
    }
    let text = line.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(no_token());
    }
    if !is_b64token(token) {
        return Err(invalid("It is no token: `Bearer`, a space, and the token as it was given."));
    }
    Ok(Some(token))
}

fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(inside)
}

/// The check of the operation: 401 where nobody has signed in, 403 otherwise, if there is no record
/// of which the caller may do this.
///
/// # Errors
/// 401 and 403.
pub(crate) fn permit(
    admitted: &Admitted,
    operation: Operation,
    resource: Option<ResourceIndex>,
) -> Result<(), Problem> {
    let sight = &admitted.sight;
    if is_permitted(sight, operation, resource) {
        return Ok(());
    }
    match &sight.caller {
        Caller::Nobody => Err(not_signed_in(sight)),
        Caller::Key { .. } if is_of_users(operation) => {
            let detail = "An API key is no user: it has no password and no sessions. It ends with \
                          `methodical key revoke`.";
            Err(Problem::new(Kind::Forbidden, detail))
        }
        Caller::Operator | Caller::User { .. } | Caller::Key { .. } => {
            let of = resource.map_or_else(String::new, |index| {
                format!(" with {}", sight.model.resources[index].name)
            });
            let detail = format!(
                "It is known who asks, and whoever that is may not do this{of}. Nothing was done."
            );
            Err(Problem::new(Kind::Forbidden, detail))
        }
    }
}

/// 401 for whoever has not signed in, with how that is done.
pub(crate) fn not_signed_in(sight: &Sight) -> Problem {
    let model = &sight.model;
    let how = match model.users() {
        Some(_) => format!("Sign in with a POST to {}/login, or use an API key", model.prefix),
        None => "Use an API key".to_owned(),
    };
    let detail = format!(
        "This is not open to everybody. {how}, and send the token as `Authorization: Bearer …`."
    );
    Problem::new(Kind::NotSignedIn, detail)
}

fn is_of_users(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Sessions
            | Operation::EndSession
            | Operation::Password
            | Operation::Address
            | Operation::SendConfirmation
    )
}

fn is_permitted(sight: &Sight, operation: Operation, resource: Option<ResourceIndex>) -> bool {
    let any_read = || sight.resources.iter().any(|grants| !grants.read.is_nothing());
    let grants = resource.and_then(|index| sight.resources.get(index));
    match (operation, grants) {
        (Operation::List | Operation::Fetch | Operation::Search, Some(grants)) => {
            !grants.read.is_nothing()
        }
        (Operation::Create, Some(grants)) => !grants.create.is_nothing(),
        (Operation::Patch, Some(grants)) => !grants.update.is_nothing(),
        // Which of them it is shows inside the transaction.
        (Operation::Replace, Some(grants)) => {
            let resource = resource.map(|index| &sight.model.resources[index]);
            let creates = resource.is_some_and(Resource::creates_by_put);
            !grants.update.is_nothing() || creates && !grants.create.is_nothing()
        }
        (Operation::Delete, Some(grants)) => !grants.delete.is_nothing(),
        (Operation::Search, None) => {
            let all = sight.resources.iter().zip(&sight.model.resources);
            let mut searched = all.filter(|(_, resource)| !resource.search.is_empty()).peekable();
            // Where nothing is searched at all, that is what is answered.
            searched.peek().is_none() || searched.any(|(grants, _)| !grants.read.is_nothing())
        }
        (Operation::Changes, _) => any_read(),
        (Operation::Audit, _) => sight.caller.is_admin(),
        (Operation::Me, _) => sight.caller.is_signed_in(),
        (
            Operation::Sessions
            | Operation::EndSession
            | Operation::Password
            | Operation::Address
            | Operation::SendConfirmation,
            _,
        ) => {
            matches!(sight.caller, Caller::User { .. })
        }
        // Each operation of a batch is asked for by itself.
        (
            Operation::Batch
            | Operation::Login
            | Operation::Logout
            | Operation::ResetPage
            | Operation::Reset
            | Operation::ConfirmPage
            | Operation::Confirm,
            _,
        ) => true,
        (
            Operation::Describe
            | Operation::Home
            | Operation::Health
            | Operation::Ready
            | Operation::Explain
            | Operation::Robots,
            _,
        ) => true,
        (
            Operation::List
            | Operation::Fetch
            | Operation::Create
            | Operation::Replace
            | Operation::Patch
            | Operation::Delete,
            None,
        ) => false,
    }
}

/// Adds to a refusal how to be let in (RFC 9110 §11.6.1, RFC 6750 §3).
pub(crate) fn challenge(inner: &Inner, headers: &HeaderMap, problem: &mut Problem) {
    let error = match problem.kind {
        Kind::NotSignedIn | Kind::SignInFailed => "",
        Kind::InvalidToken => {
            ", error=\"invalid_token\", error_description=\"unknown, expired or revoked\""
        }
        Kind::Forbidden if headers.contains_key(header::AUTHORIZATION) => {
            ", error=\"insufficient_scope\""
        }
        _ => return,
    };
    let value = HeaderValue::try_from(format!("Bearer realm=\"{}\"{error}", inner.realm));
    if let Ok(value) = value {
        problem.fields.push((header::WWW_AUTHENTICATE, value));
    }
}

/// The title as it stands in a challenge: in quotes, and in ASCII.
pub(crate) fn realm(title: &str) -> String {
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    title.chars().map(plain).filter(|c| !matches!(c, '"' | '\\')).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::bearer;
    use contract::problem::Kind;
    use http::{HeaderMap, header};

    #[test]
    fn a_bearer_token_is_read_and_nothing_else() {
        for (lines, read) in [
            (&[][..], Ok(None)),
            (&["Bearer abc"], Ok(Some("abc"))),
            (&["bEARER   a-._~+/b=="], Ok(Some("a-._~+/b=="))),
            (&["Bearer"], Err(Kind::NotSignedIn)),
            (&["Bearer "], Err(Kind::NotSignedIn)),
            (&["Bearer a b"], Err(Kind::InvalidToken)),
            (&["Bearer a,b"], Err(Kind::InvalidToken)),
            (&["Bearer =a"], Err(Kind::InvalidToken)),
            (&["Basic YTpi"], Err(Kind::NotSignedIn)),
            (&["Token abc"], Err(Kind::NotSignedIn)),
            (&["abc"], Err(Kind::NotSignedIn)),
            (&[""], Err(Kind::NotSignedIn)),
            (&["Bearer a", "Bearer a"], Err(Kind::MalformedField)),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, line.parse().unwrap());
            }
            assert_eq!(bearer(&headers).map_err(|problem| problem.kind), read, "{lines:?}");
        }
    }
}
