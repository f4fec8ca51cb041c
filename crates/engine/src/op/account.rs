//! What is about whoever asks: the record that it is, its sessions, and their ends.

use contract::problem::{Kind, Problem};
use model::access::Caller;
use model::value::Id;
use serde_json::{Map, Value, json};
use store::change::Change;
use store::credential::{ApiKey, Session, Which};
use store::lookup::{Current, Lookup};

use crate::admit;
use crate::call::{Account, Call, Then};
use crate::op::fetch;
use crate::origin::Bearing;
use crate::outcome::{Decided, Outcome};

/// The record that asks, as GET of it would find it.
pub(crate) fn me(call: &Call) -> Lookup {
    match &call.admitted.key {
        None => fetch::lookup(call),
        Some(_) => Lookup::default(),
    }
}

/// The record, or what a key is. A record that its own user may not read is shown by its id alone.
pub(crate) fn answer_me(call: &Call, current: Current) -> Result<Outcome, Problem> {
    if let Some(key) = &call.admitted.key {
        return Ok(Outcome::Document(describe(key).to_string().into_bytes()));
    }
    fetch::answer(call, current).or_else(|_| {
        let id = call.id().to_value();
        Ok(Outcome::Document(json!({ "id": id.to_json() }).to_string().into_bytes()))
    })
}

fn describe(key: &ApiKey) -> Value {
    let mut members = Map::new();
    members.insert("id".to_owned(), key.number.into());
    members.insert("name".to_owned(), key.name.clone().into());
    members.insert("roles".to_owned(), key.roles.clone().into());
    if let Some(at) = key.expires_at {
        members.insert("expiresAt".to_owned(), at.text().into());
    }
    json!({ "key": members })
}

/// The sessions of whoever asks.
pub(crate) fn sessions(call: &Call) -> Lookup {
    Lookup { sessions: user(call).cloned(), ..Lookup::default() }
}

/// They, the newest first.
pub(crate) fn answer_sessions(call: &Call, current: Current) -> Result<Outcome, Problem> {
    let own = |session: Session| {
        let mut members = Map::new();
        members.insert("id".to_owned(), session.number.into());
        members.insert("createdAt".to_owned(), session.created_at.text().into());
        members.insert("expiresAt".to_owned(), session.expires_at.text().into());
        if let Some(at) = session.used_at {
            members.insert("lastUsedAt".to_owned(), at.text().into());
        }
        members.insert("address".to_owned(), session.address.into());
        members.insert("userAgent".to_owned(), session.agent.into());
        let is_current = call.admitted.session == Some(session.number);
        members.insert("current".to_owned(), is_current.into());
        Value::Object(members)
    };
    let sessions: Vec<Value> = current.sessions.into_iter().map(own).collect();
    let content = json!({ "sessions": sessions, "total": sessions.len() });
    Ok(Outcome::State(content.to_string().into_bytes()))
}

/// Ends one of them.
pub(crate) fn end(call: &Call, current: &Current) -> Decided {
    let number = match call.id() {
        Id::Integer(number) => *number,
        Id::Text(_) => 0,
    };
    let is_own = current.sessions.iter().any(|session| session.number == number);
    let (Some(user), true) = (user(call), is_own) else {
        let detail = format!(
            "You have no session of this number, or it has ended. GET {}/me/sessions lists yours.",
            call.model.prefix
        );
        return Decided::Refused(Problem::new(Kind::NotFound, detail));
    };
    Decided::Done(Outcome::Settled("deleted", Then::Answer), ending(call, user, number, "revoke"))
}

/// Ends the session that asks. A browser whose session has ended already only loses its cookie.
pub(crate) fn log_out(call: &Call, _: &Current) -> Decided {
    let then = match call.account() {
        Some(Account::SignOut(then)) => then.clone(),
        Some(_) | None => Then::Answer,
    };
    let admitted = &call.admitted;
    match (user(call), admitted.session) {
        (Some(user), Some(number)) => {
            let changes = ending(call, user, number, "logout");
            Decided::Done(Outcome::SignedOut(then), changes)
        }
        _ if admitted.key.is_some() => {
            let detail = "An API key has no session that could end. It ends with `methodical key \
                          revoke`, or by itself where it was made with an expiry.";
            Decided::Refused(Problem::new(Kind::Forbidden, detail))
        }
        _ if admitted.bearing == Bearing::Cookie => {
            Decided::Done(Outcome::SignedOut(then), Vec::new())
        }
        _ => Decided::Refused(admit::not_signed_in(&admitted.sight)),
    }
}

/// What a decision about the sessions of whoever asks has to know.
pub(crate) fn nothing(_: &Call) -> Lookup {
    Lookup::default()
}

fn ending(call: &Call, user: &Id, number: i64, operation: &'static str) -> Vec<Change> {
    let mut act = call.admitted.act(call.now, operation);
    act.resource = call.model.users();
    act.record = Some(user.clone());
    vec![Change::EndSessions { user: user.clone(), which: Which::Number(number) }, Change::Act(act)]
}

fn user(call: &Call) -> Option<&Id> {
    match &call.admitted.sight.caller {
        Caller::User { record, .. } => Some(&record.id),
        Caller::Operator | Caller::Nobody | Caller::Key { .. } => None,
    }
}
