//! A new session for whoever knows a password, and another password for whoever knows the present
//! one. What is decided here is decided after the password was verified, against a record that was
//! read before: so it is looked at again whether the hash is still the one that was verified.

use contract::problem::{Kind, Problem, Violation};
use contract::token;
use model::model::{FieldIndex, Model, ResourceIndex};
use model::query::{Column, Count, Filter, View};
use model::record::Record;
use model::value::{Timestamp, Value};
use store::audit_log::Actor;
use store::change::Change;
use store::credential::{Session, Which};
use store::lookup::{Beside, Current, Lookup, Node, Page, Pick};

use crate::call::{Account, Call, Then};
use crate::op::{change, mail};
use crate::outcome::{Decided, Outcome, SignedIn};
use crate::{password, sight};

/// What is known once the password was verified.
pub(crate) struct Vouched {
    /// The resource whose records sign in.
    pub(crate) users: ResourceIndex,
    /// The record whose password it is.
    pub(crate) user: Record,
    /// The hash that it was verified against.
    pub(crate) hash: String,
    /// The token of a new session.
    pub(crate) token: String,
    /// The request, as the user's own.
    pub(crate) call: Call,
    /// The hash of a new password, where there is one.
    pub(crate) fresh: Option<String>,
}

/// The longest User-Agent that is kept of a session.
const AGENT_CHARACTERS_MAX: usize = 200;

/// Whoever has this name, by each of the fields that it may be in.
pub(crate) fn named(call: &Call) -> Lookup {
    let (Some(users), Some(Account::SignIn { fields, name, .. })) =
        (call.model.users(), call.account())
    else {
        return Lookup::default();
    };
    let roots = fields.iter().map(|field| by(users, *field, name.clone())).collect();
    Lookup { roots, ..Lookup::default() }
}

/// The user that has this value in a field.
pub(crate) fn by(users: ResourceIndex, field: FieldIndex, value: String) -> Node {
    let page = Page {
        filter: Filter::equal(Column::Field(field), Value::Text(value)),
        sort: Vec::new(),
        is_ranked: false,
        after: None,
        offset: 0,
        limit: 1,
        count: Count::None,
    };
    Node::new(users, Pick::Page(page))
}

/// Whoever asks.
pub(crate) fn own(call: &Call) -> Lookup {
    Lookup::of(Node::key(call.resource().0, call.id().clone()))
}

/// Whoever was found, and what of it the user itself sees.
pub(crate) fn again(vouched: &Vouched) -> Lookup {
    let (users, id, call) = (vouched.users, &vouched.user.id, &vouched.call);
    let children = sight::children(call, users, &View::default());
    let shown = Node { children, ..sight::record(call, users, id.clone()) };
    let beside = Beside { confirmed: Some(id.clone()), ..Beside::default() };
    Lookup { roots: vec![Node::key(users, id.clone()), shown], ..Lookup::beside(beside) }
}

/// The record as the user itself sees it, if it does.
fn shown(vouched: &Vouched, current: &Current) -> Option<Record> {
    let mut rows = current.roots.get(1)?.rows.clone();
    sight::mask(&vouched.call, vouched.users, &mut rows, &View::default());
    rows.pop().map(|row| row.record)
}

/// The first that was found.
pub(crate) fn first(current: Current) -> Option<Record> {
    current.roots.into_iter().find_map(|mut found| found.rows.pop()).map(|row| row.record)
}

/// 401 for a name that nobody has, for a user without a password and for a wrong one, all alike.
pub(crate) fn failed() -> Problem {
    let detail = "No user has this name and this password. Nothing was done.";
    Problem::new(Kind::SignInFailed, detail)
}

/// 422 for whoever is signed in and does not know the present password: no role would help.
pub(crate) fn mistaken() -> Problem {
    let detail = "The present password is another one. Nothing was done.";
    Problem::new(Kind::Invalid, detail)
        .with_errors(vec![Violation::at("/current", "is not the present password")])
}

/// The record as it is now, where its password still is the one that was verified.
fn unchanged<'a>(call: &Call, vouched: &Vouched, current: &'a Current) -> Option<&'a Record> {
    let users = &call.model.resources[vouched.users];
    let present = change::present(current)?;
    (password::of(users, present) == Some(vouched.hash.as_str())).then_some(present)
}

/// 403 where an address has to be confirmed and this user's is not.
fn unconfirmed(call: &Call, user: &Record, current: &Current) -> Option<Problem> {
    let address = mail::address(&call.whole, user);
    let is_confirmed = address.is_some() && address == current.confirmed.as_deref();
    (call.settings.login_confirmed == "on" && !is_confirmed).then(|| {
        let detail = format!(
            "Your address is not confirmed yet: follow the link in the mail that was sent to it. \
             For another mail POST your name to {}/login/reset; its link sets a password and \
             confirms the address. Nothing was done.",
            call.model.prefix
        );
        Problem::new(Kind::AddressNotConfirmed, detail)
    })
}

/// Opens a session.
pub(crate) fn open(call: &Call, vouched: &Vouched, current: &Current) -> Decided {
    let (Some(present), Some(Account::SignIn { then, .. })) =
        (unchanged(call, vouched, current), call.account())
    else {
        return Decided::Refused(failed());
    };
    if let Some(problem) = unconfirmed(call, present, current) {
        return Decided::Refused(problem);
    }
    let life = i64::try_from(call.settings.session_lifetime.as_millis()).unwrap_or(i64::MAX);
    let expires_at = Timestamp(call.now.0.saturating_add(life));
    let session = Session {
        number: 0,
        user: present.id.clone(),
        seal: password::seal(&vouched.hash),
        created_at: call.now,
        expires_at,
        used_at: None,
        address: call.admitted.address.map(|at| at.to_string()).unwrap_or_default(),
        agent: call.agent.chars().take(AGENT_CHARACTERS_MAX).collect(),
    };
    let mut act = call.admitted.act(call.now, "login");
    act.actor = Actor { kind: "user", id: Some(present.id.to_string()) };
    act.resource = Some(vouched.users);
    act.record = Some(present.id.clone());
    let outcome = Outcome::SignedIn(Box::new(SignedIn {
        token: vouched.token.clone(),
        expires_at,
        user: present.id.clone(),
        shown: shown(vouched, current),
        model: vouched.call.model.clone(),
        then: Then::clone(then),
    }));
    let changes = vec![Change::OpenSession(token::hash(&vouched.token), session), Change::Act(act)];
    Decided::Done(outcome, changes)
}

/// Sets another password. All other sessions end with the old one, as every session does with the
/// password that opened it; this one goes on.
pub(crate) fn change_password(call: &Call, vouched: &Vouched, current: &Current) -> Decided {
    let present = unchanged(call, vouched, current);
    let field = field(&call.model, vouched.users);
    let (Some(present), Some(fresh), Some(field), Some(session)) =
        (present, &vouched.fresh, field, call.admitted.session)
    else {
        return Decided::Refused(mistaken());
    };
    let then = match call.account() {
        Some(Account::Password { then, .. }) => then,
        Some(_) | None => &Then::Answer,
    };
    let mut values = present.values.clone();
    values[field] = Some(Value::Text(fresh.clone()));
    let record = change::next(present, call.now, values);
    let mut act = call.admitted.act(call.now, "password");
    act.resource = Some(vouched.users);
    act.record = Some(present.id.clone());
    let user = present.id.clone();
    let changes = vec![
        Change::Update { resource: vouched.users, expected: present.version, record },
        Change::EndSessions { user, which: Which::Others(session) },
        Change::SealSession { number: session, seal: password::seal(fresh) },
        Change::Act(act),
    ];
    Decided::Done(Outcome::Settled("changed", then.clone()), changes)
}

pub(crate) fn field(model: &Model, users: ResourceIndex) -> Option<usize> {
    model.resources[users].fields.iter().position(|field| field.password)
}
