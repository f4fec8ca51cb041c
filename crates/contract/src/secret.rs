//! Secrets in a URL: found by the name of a parameter or by the form of its value, and refused
//! before anything is logged (RFC 6750 §5.3, RFC 9700 §4.3.2, RFC 9110 §17.9).

use crate::fault::{self, Fault};
use crate::problem::{Kind, Problem, Violation};
use crate::token;

/// What a declaration says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// A field of the resource that can be read, and therefore be filtered by.
    Readable,
    /// A field of the resource that is secret or can only be written.
    Hidden,
    /// No field.
    Unknown,
}

/// A secret that stands in a URL. Its value is nowhere in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The parameter's name, as it was sent; empty where the name could itself be a secret.
    pub name: String,
    /// What to use instead, as a sentence.
    pub why: &'static str,
}

const BEARER: &str = "Send it in the Authorization field, as `Authorization: Bearer …`.";
const ROTATE: &str = "Replace the secret: it may have been recorded on its way.";
const POSTED: &str = "Send it in the content of a POST, never in a URL.";
const FIELD: &str = "Send it in the content of POST, PUT or PATCH; it cannot be filtered by.";

/// Names that are refused whatever is declared, folded.
const ALWAYS: &[(&str, &str)] = &[
    ("password", POSTED),
    ("passwd", POSTED),
    ("pwd", POSTED),
    ("secret", POSTED),
    ("clientsecret", POSTED),
    ("token", BEARER),
    ("apikey", BEARER),
    ("authorization", BEARER),
    ("jwt", BEARER),
    ("privatekey", POSTED),
];

/// Names that are refused where no readable field has them, folded.
const UNLESS_READABLE: &[(&str, &str)] = &[
    ("key", BEARER),
    ("auth", BEARER),
    ("bearer", BEARER),
    ("accesskey", BEARER),
    ("secretkey", POSTED),
    ("session", BEARER),
    ("sessionid", BEARER),
    ("passphrase", POSTED),
    ("codeverifier", POSTED),
    ("pin", POSTED),
    ("otp", POSTED),
    ("card", FIELD),
    ("cardnumber", FIELD),
    ("ssn", FIELD),
    ("cvv", FIELD),
    ("cvc", FIELD),
];

/// Ends of longer names, `new_password`; refused where no readable field has the name.
const ENDS: &[(&str, &str)] =
    &[("password", POSTED), ("passwd", POSTED), ("secret", POSTED), ("apikey", BEARER)];

/// How the tokens of our own sessions begin, so that a person and a scanner of secrets recognise
/// one wherever it turns up.
pub const SESSION: &str = "mtds_";
/// How our own API keys begin.
pub const KEY: &str = "mtdk_";
/// How codes begin that are sent by mail.
pub const CODE: &str = "mtdc_";

/// Keys of providers: how they start, and how much has to follow. Those that stand first are ours.
const KEYS: &[(&str, usize)] = &[
    (SESSION, 8),
    (KEY, 8),
    (CODE, 8),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("rk_test_", 8),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("xoxa-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxr-", 16),
    ("xoxs-", 16),
];

/// Finds the first secret in a query. Names and values are looked at as the server reads them
/// (WHATWG URL §5.1: `&` separates, `+` and `%XX` are decoded), names without case and
/// punctuation, and each part of `token[eq]` or `user.password` by itself. `declared` is asked
/// with such a part as it was sent; compare with [`fold`] to know a field in any spelling.
#[must_use]
pub fn find(query: &str, declared: &dyn Fn(&str) -> Declared) -> Option<Secret> {
    if fault::on(Fault::SecretInUrlAccepted) {
        return None;
    }
    form_urlencoded::parse(query.as_bytes()).find_map(|(name, value)| {
        by_name(&name, declared).or_else(|| by_value(&name, &value, declared))
    })
}

impl Secret {
    /// The refusal: 400 that names the parameter where that is harmless.
    #[must_use]
    pub fn problem(&self) -> Problem {
        if self.name.is_empty() {
            let detail = format!("A query parameter holds a secret. {} {ROTATE}", self.why);
            return Problem::new(Kind::SecretInUrl, detail);
        }
        let detail =
            format!("The query parameter {} holds a secret. {} {ROTATE}", self.name, self.why);
        Problem::new(Kind::SecretInUrl, detail)
            .with_errors(vec![Violation::parameter(self.name.clone(), self.why)])
    }
}

/// True where a segment of a path has one of our own tokens in it: as an id it would be logged with
/// the path.
#[must_use]
pub fn is_in_segment(segment: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    segment.split(|c: char| !inside(c)).any(|word| token::parse(word).is_some())
}

/// The refusal of a token in a path.
#[must_use]
pub fn in_path() -> Problem {
    let detail = format!("The path holds a token. {BEARER} {ROTATE}");
    Problem::new(Kind::SecretInUrl, detail)
}

/// True where a value of the content is one of our own tokens, and nothing else.
#[must_use]
pub fn is_own(value: &str) -> bool {
    token::parse(value.trim()).is_some()
}

/// True for the member of a form that RFC 6750 §2.2 has for a token.
#[must_use]
pub fn is_member_of_token(name: &str) -> bool {
    fold(name) == "accesstoken"
}

/// The refusal of a token in the content, at this place.
#[must_use]
pub fn in_content(pointer: &str) -> Problem {
    let detail = format!("The content holds a token. {BEARER} {ROTATE} Nothing was done.");
    let violation = Violation::at(pointer, "is a token, or the place of one");
    Problem::new(Kind::SecretInContent, detail).with_errors(vec![violation])
}

/// True where a target in absolute-form carries user information, `http://user:pass@host/`
/// (RFC 9110 §4.2.4), with or without a password.
#[must_use]
pub fn userinfo(target: &str) -> bool {
    let Some((scheme, rest)) = target.split_once("://") else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    is_scheme && authority.contains('@')
}

/// A name without case and punctuation: `API-Key`, `api_key` and `apiKey` are one.
#[must_use]
pub fn fold(name: &str) -> String {
    folded(name).collect()
}

/// True where a name folds to this. Asked of every field for every parameter, so it copies nothing.
#[must_use]
pub fn folds_to(name: &str, fold: &str) -> bool {
    folded(name).eq(fold.chars())
}

fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

fn by_name(name: &str, declared: &dyn Fn(&str) -> Declared) -> Option<Secret> {
    // The whole counts too: `api.key` is `apikey`.
    let parts = name.split(['[', ']', '.']).filter(|part| !part.is_empty());
    let whole = name.split('[').next().filter(|whole| whole.contains('.'));
    parts.chain(whole).find_map(|part| {
        let why = why(part, declared)?;
        Some(Secret { name: harmless(part, declared), why })
    })
}

/// Why a part of a name is refused.
fn why(part: &str, declared: &dyn Fn(&str) -> Declared) -> Option<&'static str> {
    let folded = fold(part);
    let listed = |list: &[(&str, &'static str)]| {
        list.iter().find(|(name, _)| *name == folded).map(|(_, why)| *why)
    };
    if let Some(why) = listed(ALWAYS) {
        return Some(why);
    }
    if folded.ends_with("token") {
        return Some(BEARER);
    }
    let ends = || ENDS.iter().find(|(end, _)| folded.ends_with(end)).map(|(_, why)| *why);
    match declared(part) {
        Declared::Hidden => Some(FIELD),
        Declared::Readable => None,
        Declared::Unknown => listed(UNLESS_READABLE).or_else(ends),
    }
}

fn by_value(name: &str, value: &str, declared: &dyn Fn(&str) -> Declared) -> Option<Secret> {
    if !holds_key(value) && !holds_key(name) {
        return None;
    }
    Some(Secret { name: harmless(name, declared), why: BEARER })
}

/// A name as far as it may be repeated: a field's, or short and without digits.
fn harmless(name: &str, declared: &dyn Fn(&str) -> Declared) -> String {
    let plain = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | '.' | '[' | ']');
    let short = name.len() <= 32 && name.chars().all(plain) && !holds_key(name);
    if short || declared(name) != Declared::Unknown { name.to_owned() } else { String::new() }
}

/// True where a word of the text has the form of a key or of a JWT.
fn holds_key(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.split(|c: char| !inside(c)).any(|word| is_key(word) || is_jwt(word))
}

fn is_key(word: &str) -> bool {
    let follows = |prefix: &str, least: usize| {
        word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= least && !rest.contains('.'))
    };
    KEYS.iter().any(|(prefix, least)| follows(prefix, *least))
        // `sk-` starts words of a language too; a key has letters and digits after it.
        || (follows("sk-", 16)
            && word[3..].bytes().any(|byte| byte.is_ascii_digit())
            && word[3..].bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// Three parts of base64url, the first two of which are JSON objects: `{"` is `eyJ` (RFC 7519
/// §3). The third is empty in an unsecured one.
fn is_jwt(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    parts.len() == 3 && parts[..2].iter().all(|part| part.starts_with("eyJ"))
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
