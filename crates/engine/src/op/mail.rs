//! Mail about accounts: a code is made, kept by its hash, and sent, all in one commit; whoever
//! sends it back has read the mail of its address.

use contract::problem::{Kind, Problem, Violation};
use contract::secret::CODE;
use contract::token;
use model::model::{FieldIndex, Model, Resource};
use model::record::Record;
use model::value::{Id, Timestamp, Value};
use serde_json::json;
use store::audit_log::Actor;
use store::change::Change;
use store::code::Code;
use store::credential::Which;
use store::lookup::{Beside, Current, Lookup, Node};
use store::queue::Job;

use crate::call::{Call, Then};
use crate::op::{change, login};
use crate::outcome::{Decided, Outcome};
use crate::{clock, password};

/// The kind of job that is a mail.
pub const KIND: &str = "mail";

/// What a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To set another password.
    Reset,
    /// To show that an address is one's own.
    Confirm,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Confirm => "confirm",
        }
    }
}

/// What random numbers a mail needs, drawn before it is decided whether there is one.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    code: String,
    job: String,
}

impl Letter {
    pub(crate) fn new() -> Self {
        Self { code: clock::token(CODE), job: clock::uuid() }
    }
}

/// The field that has the address of a user: the one with the format of one.
pub(crate) fn address_field(users: &Resource) -> Option<FieldIndex> {
    let is_address = |source: &serde_json::Map<String, serde_json::Value>| {
        source.get("format").and_then(|format| format.as_str()) == Some("email")
    };
    users.fields.iter().position(|field| is_address(field.schema.source()))
}

/// The address of a user, where it has one.
pub(crate) fn address<'a>(model: &Model, user: &'a Record) -> Option<&'a str> {
    let users = &model.resources[model.users()?];
    match user.values.get(address_field(users)?)?.as_ref()? {
        Value::Text(address) => Some(address),
        _ => None,
    }
}

/// A code for a user, and the mail that brings it.
pub(crate) fn send(call: &Call, purpose: Purpose, user: &Record, letter: &Letter) -> Vec<Change> {
    let model = &call.whole;
    let Some(address) = address(model, user) else { return Vec::new() };
    let Some(users) = model.users().map(|at| &model.resources[at]) else { return Vec::new() };
    let settings = &call.settings;
    let life = match purpose {
        Purpose::Reset => settings.mail_reset_lifetime,
        Purpose::Confirm => settings.mail_confirm_lifetime,
    };
    let seal = password::of(users, user).map_or([0; 16], password::seal);
    let link = format!("{}{}/login/{}#{}", base(call), model.prefix, purpose.name(), letter.code);
    let payload = json!({
        "template": purpose.name(),
        "to": address,
        "title": model.title,
        "link": link,
        "hours": life.as_secs().div_ceil(3600),
    });
    let code = Code {
        hash: token::hash(&letter.code),
        purpose: purpose.name().to_owned(),
        user: Some(user.id.clone()),
        address: address.to_owned(),
        seal,
        expires_at: until(call.now, life),
    };
    let job =
        Job { id: letter.job.clone(), kind: KIND, payload: payload.to_string(), due: call.now };
    vec![Change::PutCode(code), Change::Enqueue(job)]
}

/// Where links lead: to where browsers reach us, and failing that to where we listen.
fn base(call: &Call) -> String {
    let settings = &call.settings;
    settings.origin.clone().unwrap_or_else(|| {
        let scheme = if settings.has_tls() { "https" } else { "http" };
        format!("{scheme}://{}", settings.listen)
    })
}

fn until(now: Timestamp, life: std::time::Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX)))
}

/// What becomes of a request for a mail that sets a password. Whoever asks is told the same, and a
/// code is written down, whether anybody was found or not.
pub(crate) fn ask(call: &Call, letter: &Letter, current: &Current) -> Decided {
    let rows = current.roots.iter().flat_map(|found| &found.rows);
    let user = rows.map(|row| &row.record).next();
    let changes = user.map_or_else(Vec::new, |user| send(call, Purpose::Reset, user, letter));
    let changes = if changes.is_empty() {
        vec![Change::PutCode(Code {
            hash: token::hash(&letter.code),
            purpose: Purpose::Reset.name().to_owned(),
            user: None,
            address: String::new(),
            seal: [0; 16],
            expires_at: until(call.now, call.settings.mail_reset_lifetime),
        })]
    } else {
        changes
    };
    Decided::Done(Outcome::Accepted, changes)
}

/// Sends the mail that confirms an address once more, to whoever asks.
pub(crate) fn again(call: &Call, letter: &Letter, current: &Current) -> Decided {
    let Some(user) = current.roots.iter().flat_map(|found| &found.rows).next() else {
        return Decided::Refused(Problem::new(Kind::NotFound, "There is no such user any more."));
    };
    let changes = send(call, Purpose::Confirm, &user.record, letter);
    if changes.is_empty() {
        let detail = "There is no address to send a mail to: set one first.";
        return Decided::Refused(Problem::new(Kind::Conflict, detail));
    }
    Decided::Done(Outcome::Accepted, changes)
}

/// What has to be known of a code.
pub(crate) fn code(text: &str) -> Lookup {
    Lookup::beside(Beside { code: Some(token::hash(text)), ..Beside::default() })
}

/// Whoever a code is for, where it is good for this: the user as it is now, with the address and
/// the password that it had.
fn bearer<'a>(
    call: &Call,
    purpose: Purpose,
    current: &'a Current,
) -> Result<&'a Record, Box<Decided>> {
    let Some(code) = current.code.as_ref().filter(|code| code.purpose == purpose.name()) else {
        return Err(Box::new(Decided::Refused(no_code())));
    };
    let (Some(users), Some(user)) = (call.whole.users(), &code.user) else {
        return Err(Box::new(Decided::Refused(no_code())));
    };
    let Some(found) = current.roots.first() else {
        let more = Lookup::of(Node::key(users, user.clone()));
        return Err(Box::new(Decided::More(more)));
    };
    let resource = &call.whole.resources[users];
    let fits = |user: &&Record| {
        let seal = password::of(resource, user).map_or([0; 16], password::seal);
        seal == code.seal && address(&call.whole, user) == Some(code.address.as_str())
    };
    let user = found.rows.first().map(|row| &row.record).filter(fits);
    user.ok_or_else(|| Box::new(Decided::Refused(no_code())))
}

/// Sets another password. Every session ends, and the address is shown to be the user's own.
pub(crate) fn reset(call: &Call, fresh: &str, then: &Then, current: &Current) -> Decided {
    let user = match bearer(call, Purpose::Reset, current) {
        Ok(user) => user,
        Err(decided) => return *decided,
    };
    let (Some(users), Some(address)) = (call.whole.users(), address(&call.whole, user)) else {
        return Decided::Refused(no_code());
    };
    let Some(field) = login::field(&call.whole, users) else {
        return Decided::Refused(no_code());
    };
    let mut values = user.values.clone();
    values[field] = Some(Value::Text(fresh.to_owned()));
    let record = change::next(user, call.now, values);
    let id = user.id.clone();
    let changes = vec![
        Change::Update { resource: users, expected: user.version, record },
        Change::EndSessions { user: id.clone(), which: Which::All },
        Change::EndCodes(id.clone()),
        Change::Confirm { user: id.clone(), address: address.to_owned(), at: call.now },
        act(call, "password", &id),
    ];
    Decided::Done(Outcome::Settled("changed", then.clone()), changes)
}

/// An address is shown to be the user's own.
pub(crate) fn confirm(call: &Call, then: &Then, current: &Current) -> Decided {
    let user = match bearer(call, Purpose::Confirm, current) {
        Ok(user) => user,
        Err(decided) => return *decided,
    };
    let Some(address) = address(&call.whole, user) else { return Decided::Refused(no_code()) };
    let id = user.id.clone();
    let changes = vec![
        Change::EndCodes(id.clone()),
        Change::Confirm { user: id.clone(), address: address.to_owned(), at: call.now },
        act(call, "confirm", &id),
    ];
    Decided::Done(Outcome::Settled("confirmed", then.clone()), changes)
}

fn act(call: &Call, operation: &'static str, user: &Id) -> Change {
    let mut act = call.admitted.act(call.now, operation);
    act.actor = Actor { kind: "user", id: Some(user.to_string()) };
    act.resource = call.whole.users();
    act.record = Some(user.clone());
    Change::Act(act)
}

/// 422 for a code that is unknown, has expired, was used, or was made for what is no longer so.
pub(crate) fn no_code() -> Problem {
    let detail = "This code is not good, or no longer: it works once, for a limited time, and as \
                  long as address and password stay as they were. Ask for another mail. Nothing \
                  was done.";
    Problem::new(Kind::Invalid, detail)
        .with_errors(vec![Violation::at("/code", "is not good, or no longer")])
}

/// What is asked about the own address.
pub(crate) fn own(call: &Call) -> Lookup {
    let user = call.admitted.sight.caller.id().cloned();
    let roots = call.whole.users().zip(user.clone());
    let roots = roots.map(|(users, id)| Node::key(users, id)).into_iter().collect();
    Lookup { roots, ..Lookup::beside(Beside { confirmed: user, ..Beside::default() }) }
}

/// The own address, and whether it is confirmed.
pub(crate) fn answer_own(call: &Call, current: Current) -> Result<Outcome, Problem> {
    let user = current.roots.into_iter().flat_map(|found| found.rows).next();
    let address = user.as_ref().and_then(|user| address(&call.whole, &user.record));
    let confirmed = address.is_some() && address == current.confirmed.as_deref();
    let content = json!({ "email": address, "confirmed": confirmed });
    Ok(Outcome::State(content.to_string().into_bytes()))
}
