//! What is sent to sign in, to sign out and to change a password: JSON or a form, with a few
//! members that are all texts.

use std::sync::Arc;

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::negotiate;
use contract::problem::{Kind, Problem, Violation};
use contract::secret::{self, Declared};
use contract::table::{JSON, Operation};
use http::header::{self, HeaderMap};
use model::model::{FieldIndex, Resource};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::body;
use crate::call::{Account, Call, Content, Then};
use crate::form;
use crate::op::mail;
use crate::route::Routed;

const HTML: &str = "text/html";
const FORM: &str = "application/x-www-form-urlencoded";
/// The name that stands for any field by which users sign in.
const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const CURRENT: &str = "current";
const NEXT: &str = "next";
const CODE: &str = "code";
/// The name that stands for the field with the address.
const EMAIL: &str = "email";

/// True where the content is about whoever asks, and no record.
pub(super) fn is_account(routed: &Routed) -> bool {
    matches!(
        routed.row.operation,
        Operation::Login
            | Operation::Logout
            | Operation::Password
            | Operation::Reset
            | Operation::Confirm
            | Operation::SendConfirmation
    )
}

/// True for a form that a browser has sent: its answer is a page to go to. Whoever takes anything,
/// as programs do, is answered with JSON.
pub(super) fn is_of_browser(
    routed: &Routed,
    headers: &HeaderMap,
    media_type: Option<&MediaType>,
) -> bool {
    let is_form = |media_type: &MediaType| {
        matches!(media_type.essence.as_str(), FORM | "multipart/form-data")
    };
    if !is_account(routed) || !media_type.is_some_and(is_form) {
        return false;
    }
    let accept = headers.get_all(header::ACCEPT).iter().map(|line| line.as_bytes());
    let names = |line: &[u8], range: &str| {
        line.windows(range.len()).any(|some| some.eq_ignore_ascii_case(range.as_bytes()))
    };
    let names_it = accept.into_iter().any(|line| names(line, HTML) || names(line, "text/*"));
    names_it && negotiate::media(headers, &[HTML, JSON]) == Some(HTML)
}

/// Reads what was sent.
///
/// # Errors
/// 400 where it cannot be read, 422 where a member is missing or unknown.
pub(super) async fn read(
    call: &Call,
    media_type: Option<&MediaType>,
    bytes: &Bytes,
    is_of_browser: bool,
) -> Result<Content, Problem> {
    let members = Members(members(call, media_type, bytes).await?);
    let users = call.model.users().map(|index| &call.model.resources[index]);
    let account = match call.routed.row.operation {
        Operation::Login => sign_in(users, &members, is_of_browser)?,
        Operation::Password => password(users, &members, is_of_browser)?,
        Operation::Reset if !members.0.contains_key(CODE) => ask(users, &members)?,
        Operation::Reset => redeem(users, &members, is_of_browser, true)?,
        Operation::Confirm => redeem(users, &members, is_of_browser, false)?,
        _ => Account::SignOut(members.then(is_of_browser, &[])?),
    };
    Ok(Content::Account(Arc::new(account)))
}

async fn members(
    call: &Call,
    media_type: Option<&MediaType>,
    bytes: &Bytes,
) -> Result<Map<String, Value>, Problem> {
    let Some(media_type) = media_type else { return Ok(Map::new()) };
    if bytes.is_empty() && call.routed.row.content_is_optional() {
        return Ok(Map::new());
    }
    let pairs = match media_type.essence.as_str() {
        FORM => {
            body::refuse_json_as_form(bytes)?;
            form::pairs(bytes)
        }
        "multipart/form-data" => form::multipart(media_type, bytes).await?,
        _ => match body::json(bytes)? {
            Value::Object(members) => return Ok(members),
            _ => {
                let violation = Violation::at("", "has to be an object");
                return Err(invalid(vec![violation]));
            }
        },
    };
    body::refuse_tokens_in_form(None, &pairs)?;
    let mut members = Map::new();
    for (name, value) in pairs {
        if members.insert(name.clone(), value.into()).is_some() {
            let detail = "is there more than once";
            return Err(invalid(vec![Violation::at(pointer(&name), detail)]));
        }
    }
    Ok(members)
}

fn sign_in(
    users: Option<&Resource>,
    members: &Members,
    is_of_browser: bool,
) -> Result<Account, Problem> {
    let all = users.map_or(&[][..], |users| &users.login);
    let field = |index: &FieldIndex| users.map_or("", |users| &users.fields[*index].name);
    let secret = secret(users);
    let mut known: Vec<&str> = all.iter().map(field).collect();
    if !known.contains(&USERNAME) {
        known.push(USERNAME);
    }
    let names: Vec<&str> =
        known.iter().copied().filter(|name| members.0.contains_key(*name)).collect();
    let mut faults = Vec::new();
    let name = match names[..] {
        [name] => members.text(name, &mut faults),
        [] => {
            let detail = format!("is missing: under which name? Known are {}", known.join(", "));
            faults.push(Violation::at(pointer(known[0]), detail));
            ""
        }
        [_, ref others @ ..] => {
            for name in others {
                faults.push(Violation::at(pointer(name), "is a second name: send one"));
            }
            ""
        }
    };
    let sent = if members.0.contains_key(secret) { secret } else { PASSWORD };
    let password = members.text(sent, &mut faults);
    known.push(sent);
    let then = members.then(is_of_browser, &known);
    let then = then.map_err(|problem| faults.extend(problem.errors));
    let (Ok(then), true) = (then, faults.is_empty()) else { return Err(invalid(faults)) };
    let own = all.iter().copied().filter(|index| names.first() == Some(&field(index)));
    let own: Vec<FieldIndex> = own.collect();
    Ok(Account::SignIn {
        fields: if own.is_empty() { all.to_vec() } else { own },
        name: name.to_owned(),
        password: password.to_owned(),
        then,
    })
}

fn password(
    users: Option<&Resource>,
    members: &Members,
    is_of_browser: bool,
) -> Result<Account, Problem> {
    let mut faults = Vec::new();
    let current = members.text(CURRENT, &mut faults);
    let sent = if members.0.contains_key(secret(users)) { secret(users) } else { PASSWORD };
    let password = members.text(sent, &mut faults);
    let then = members.then(is_of_browser, &[CURRENT, sent]);
    let then = then.map_err(|problem| faults.extend(problem.errors));
    let field = users.and_then(|users| users.fields.iter().find(|field| field.password));
    let fault = field.and_then(|field| field.fault(&Value::from(password)));
    if let (Some(fault), true) = (fault, faults.is_empty()) {
        faults.push(Violation::at(pointer(sent), fault));
    }
    let (Ok(then), true) = (then, faults.is_empty()) else { return Err(invalid(faults)) };
    Ok(Account::Password { current: current.to_owned(), password: password.to_owned(), then })
}

/// Who has forgotten its password: by a field by which users sign in, or by the address.
fn ask(users: Option<&Resource>, members: &Members) -> Result<Account, Problem> {
    let address = users.and_then(mail::address_field);
    let all: Vec<FieldIndex> =
        users.map_or(&[][..], |users| &users.login).iter().copied().chain(address).collect();
    let name = |index: FieldIndex| users.map_or("", |users| users.fields[index].name.as_str());
    let mut known: Vec<&str> = all.iter().map(|index| name(*index)).collect();
    known.extend([USERNAME, EMAIL]);
    known.sort_unstable();
    known.dedup();
    let mut faults = members.unknown(&known);
    let given: Vec<&str> =
        known.iter().copied().filter(|name| members.0.contains_key(*name)).collect();
    let text = match given[..] {
        [one] => members.text(one, &mut faults),
        _ => {
            let detail = format!("send one of {}, or a code", known.join(", "));
            faults.push(Violation::at("", detail));
            ""
        }
    };
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    let own: Vec<FieldIndex> =
        all.iter().copied().filter(|index| given.first() == Some(&name(*index))).collect();
    Ok(Account::Ask { fields: if own.is_empty() { all } else { own }, name: text.to_owned() })
}

/// A code from a mail, with a password where it sets one.
fn redeem(
    users: Option<&Resource>,
    members: &Members,
    is_of_browser: bool,
    sets: bool,
) -> Result<Account, Problem> {
    let mut faults = Vec::new();
    let code = members.text(CODE, &mut faults);
    let sent = if members.0.contains_key(secret(users)) { secret(users) } else { PASSWORD };
    let password = sets.then(|| members.text(sent, &mut faults));
    let known: &[&str] = if sets { &[CODE, sent] } else { &[CODE] };
    let then = members.then(is_of_browser, known);
    let then = then.map_err(|problem| faults.extend(problem.errors));
    let field = users.and_then(|users| users.fields.iter().find(|field| field.password));
    let fault = password.and_then(|text| field.and_then(|field| field.fault(&Value::from(text))));
    if let (Some(fault), true) = (fault, faults.is_empty()) {
        faults.push(Violation::at(pointer(sent), fault));
    }
    let (Ok(then), true) = (then, faults.is_empty()) else { return Err(invalid(faults)) };
    let (code, password) = (code.to_owned(), password.map(str::to_owned));
    Ok(Account::Redeem { code, password, then })
}

/// The name of the field of passwords.
fn secret(users: Option<&Resource>) -> &str {
    let field = users.and_then(|users| users.fields.iter().find(|field| field.password));
    field.map_or(PASSWORD, |field| &field.name)
}

/// The members of what was sent.
struct Members(Map<String, Value>);

impl Members {
    /// A text; an empty one with a fault where it is missing or none.
    fn text(&self, name: &str, faults: &mut Vec<Violation>) -> &str {
        let detail = match self.0.get(name) {
            Some(Value::String(text)) => return text,
            Some(_) => "has to be a string",
            None => "is missing",
        };
        faults.push(Violation::at(pointer(name), detail));
        ""
    }

    fn unknown(&self, known: &[&str]) -> Vec<Violation> {
        let unknown = self.0.keys().filter(|name| !known.contains(&name.as_str()));
        unknown
            .map(|name| {
                let near = model::suggest::nearest(name, known.iter().copied());
                let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                Violation::at(pointer(name), format!("is not known here{hint}"))
            })
            .collect()
    }

    /// Where the client goes on. Only a path of this host is gone to: a link to us must not lead
    /// elsewhere.
    fn then(&self, is_of_browser: bool, known: &[&str]) -> Result<Then, Problem> {
        let known: Vec<&str> = known.iter().copied().chain([NEXT]).collect();
        let mut faults = self.unknown(&known);
        let next = match self.0.get(NEXT) {
            None => "/",
            Some(Value::String(path)) if path.is_empty() => "/",
            Some(Value::String(path)) if is_path(path) => path,
            Some(_) => {
                let detail = "has to be a path of this host that begins with one slash, without a \
                              token or another secret";
                faults.push(Violation::at(pointer(NEXT), detail));
                "/"
            }
        };
        match (faults.is_empty(), is_of_browser) {
            (false, _) => Err(invalid(faults)),
            (true, true) => Ok(Then::Visit(next.to_owned())),
            (true, false) => Ok(Then::Answer),
        }
    }
}

/// Browsers read `\` as `/`, and pass over tabs and line ends. A secret in it would stand in
/// Location, and then in the history.
fn is_path(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let is_local = text.starts_with('/') && !text.starts_with("//") && text.bytes().all(plain);
    let all = percent_decode_str(text).decode_utf8_lossy();
    let query = text.split('#').next().and_then(|text| text.split_once('?'));
    let (_, query) = query.unwrap_or_default();
    let holds_secret =
        secret::is_in_segment(&all) || secret::find(query, &|_| Declared::Readable).is_some();
    is_local && !holds_secret
}

fn pointer(name: &str) -> String {
    format!("/{}", model::json::escape(name))
}

fn invalid(violations: Vec<Violation>) -> Problem {
    let detail = "The content is not what is expected here; `errors` names each member.";
    Problem::new(Kind::Invalid, detail).with_errors(violations)
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn only_paths_of_this_host_are_gone_to() {
        for path in ["/", "/a/b?c=d#e", "/%5cevil.example"] {
            assert!(is_path(path), "{path}");
        }
        let token = format!("mtds_{}", "A".repeat(43));
        for path in [
            format!("/a/{token}"),
            format!("/a?b={token}"),
            format!("/a#{token}"),
            "/a?b=c&api_key=d".to_owned(),
            format!("/a?b#token={token}"),
            format!("/%6d{}", &token[1..]),
        ] {
            assert!(!is_path(&path), "{path}");
        }
        let others = ["a", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/e"];
        for other in others {
            assert!(!is_path(other), "{other}");
        }
    }
}
