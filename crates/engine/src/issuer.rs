//! Tokens of other issuers: JWTs (RFC 7519) that say who their bearer is, verified with keys that
//! somebody else fetches (RFC 8725 says what has to be looked at).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::problem::{Kind, Problem};
use http::header::{self, HeaderValue};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model::issuer::Issuer;
use model::model::Model;
use model::value::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use crate::clock;

/// The longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Most keys of one issuer.
const KEYS_MAX: usize = 64;
/// How long keys count as fresh, whatever the issuer says: at least, and at most.
const FRESH: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(24));
/// How long keys are used that cannot be fetched again.
const STALE_MAX: Duration = Duration::from_hours(24);
/// The least time between two fetches of keys that are old.
const PAUSE: Duration = Duration::from_mins(1);
/// How many fetches, beyond one a PAUSE, may be for keys that tokens name and nobody knows: a new
/// key is known at once, and strangers with made-up names have next to nothing fetched.
const SPARE: u32 = 3;
/// How long a request waits for keys.
const WAIT: Duration = Duration::from_secs(3);

/// The issuers of a declaration, and their keys.
pub struct Issuers {
    each: Vec<Trust>,
    /// Rings when keys are wanted.
    wanted: Arc<Notify>,
}

/// One issuer, as its keys are known.
struct Trust {
    issuer: Issuer,
    state: Mutex<State>,
    /// Rings when its keys have come, or have not.
    settled: Notify,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<Vec<Key>>>,
    /// When they were last fetched, with or without success.
    fetched: Option<Instant>,
    fresh_until: Option<Instant>,
    /// A token names a key that is not known.
    is_asked: bool,
    /// They are being fetched.
    is_underway: bool,
    /// When all fetches that were asked for have had their PAUSE.
    paid: Option<Instant>,
}

impl State {
    /// True where keys may be fetched that were asked for.
    fn has_spare(&self, now: Instant) -> bool {
        self.paid.is_none_or(|paid| paid <= now + PAUSE * (SPARE - 1))
    }

    /// True where they are to be fetched now, which is then underway.
    fn begin(&mut self, now: Instant) -> bool {
        let is_old = self.fresh_until.is_none_or(|until| now >= until);
        let has_rested = self.fetched.is_none_or(|at| now >= at + PAUSE);
        let is_asked = self.is_asked && self.has_spare(now);
        if self.is_underway || !(is_asked || is_old && has_rested) {
            return false;
        }
        if is_asked {
            self.paid = Some(self.paid.map_or(now, |paid| paid.max(now)) + PAUSE);
        }
        self.is_underway = true;
        true
    }

    /// The fetch is over.
    fn settle(&mut self, now: Instant) {
        self.fetched = Some(now);
        self.is_asked = false;
        self.is_underway = false;
    }
}

struct Key {
    id: Option<String>,
    kind: Option<Algorithm>,
    key: DecodingKey,
}

/// What a token says of its bearer, now that it is known to be true.
pub(crate) struct Vouched {
    /// Which issuer says so.
    pub(crate) issuer: usize,
    /// Who that is there.
    pub(crate) subject: String,
    /// The value by which somebody is known here.
    pub(crate) value: Option<String>,
    /// The roles that the claims come to.
    pub(crate) roles: Vec<String>,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
}

impl Issuers {
    pub(crate) fn new(model: &Model) -> Self {
        let each = model.issuers.iter().cloned();
        let trust = |issuer| Trust { issuer, state: Mutex::default(), settled: Notify::new() };
        Self { each: each.map(trust).collect(), wanted: Arc::default() }
    }

    /// Rings when `due` has something to say before its time.
    #[must_use]
    pub fn wanted(&self) -> Arc<Notify> {
        Arc::clone(&self.wanted)
    }

    /// The issuers whose keys are to be fetched now, by their number. Each is underway then, and
    /// not given again before `set` or `failed`.
    #[must_use]
    pub fn due(&self) -> Vec<(usize, Issuer)> {
        let now = Instant::now();
        let numbered = self.each.iter().enumerate();
        let due = numbered.filter(|(_, trust)| trust.state().begin(now));
        due.map(|(number, trust)| (number, trust.issuer.clone())).collect()
    }

    /// The keys of an issuer have come: a JSON Web Key Set (RFC 7517 §5), good for so long.
    ///
    /// # Errors
    /// It cannot be read; the keys before it stay.
    pub fn set(&self, number: usize, keys: &[u8], fresh: Option<Duration>) -> Result<(), String> {
        let read = read(keys);
        if let Some(trust) = self.each.get(number) {
            let mut state = trust.state();
            let now = Instant::now();
            state.settle(now);
            if let Ok(keys) = &read {
                state.keys = Some(Arc::clone(keys));
                state.fresh_until = Some(now + fresh.unwrap_or(FRESH.0).clamp(FRESH.0, FRESH.1));
            }
            trust.settled.notify_waiters();
        }
        read.map(drop)
    }

    /// The keys of an issuer could not be fetched.
    pub fn failed(&self, number: usize) {
        if let Some(trust) = self.each.get(number) {
            trust.state().settle(Instant::now());
            trust.settled.notify_waiters();
        }
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// 401 where it is not good, 503 where the keys of its issuer are not to be had.
    pub(crate) async fn verify(&self, token: &str) -> Result<Vouched, Problem> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refused("It is longer than any that is looked at."));
        }
        let (algorithm, id) = head(token)?;
        let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token)
            .map_err(|_| refused("It is no JWT."))?;
        let said = claims["iss"].as_str().unwrap_or_default();
        let found = self.each.iter().enumerate().find(|(_, trust)| trust.issuer.issuer == said);
        let Some((number, trust)) = found else {
            return Err(refused("Its issuer is none whose tokens are taken here."));
        };
        if !trust.issuer.algorithms.iter().any(|name| named(name) == Some(algorithm)) {
            return Err(refused("It is signed by an algorithm that is not taken of its issuer."));
        }
        let keys = self.keys(trust, id.as_deref(), algorithm).await?;
        let mut fault = refused("It is signed by a key that its issuer does not have.");
        for key in keys.iter().filter(|key| key.fits(id.as_deref(), algorithm)) {
            match jsonwebtoken::decode::<Value>(token, &key.key, &trust.validation(algorithm)) {
                Ok(data) => return trust.vouch(number, &data.claims),
                Err(error) => fault = refused(words(error.kind())),
            }
        }
        Err(fault)
    }

    /// The keys of an issuer. Where the one that is named is not among them, they are fetched
    /// again, and waited for.
    async fn keys(
        &self,
        trust: &Trust,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<Vec<Key>>, Problem> {
        let settled = trust.settled.notified();
        let known = trust.keys();
        let has = |keys: &Arc<Vec<Key>>| keys.iter().any(|key| key.fits(id, algorithm));
        if let Some(keys) = known.clone().filter(has) {
            return Ok(keys);
        }
        if trust.ask() {
            self.wanted.notify_one();
            // Whoever is late is judged by what is known.
            let _ = tokio::time::timeout(WAIT, settled).await;
        }
        trust.keys().or(known).ok_or_else(|| {
            let detail = "The keys of the token's issuer cannot be had at present. Nothing was \
                          done; send it again later.";
            Problem::new(Kind::Unavailable, detail)
                .with_field(header::RETRY_AFTER, HeaderValue::from_static("60"))
        })
    }
}

impl Trust {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for its keys. False where they have been fetched too often of late.
    fn ask(&self) -> bool {
        let mut state = self.state();
        state.is_asked = true;
        state.is_underway || state.has_spare(Instant::now())
    }

    fn keys(&self) -> Option<Arc<Vec<Key>>> {
        let state = self.state();
        let usable = state.fresh_until.is_some_and(|until| Instant::now() < until + STALE_MAX);
        state.keys.clone().filter(|_| usable)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&self.issuer.audiences);
        validation.set_issuer(&[&self.issuer.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = self.issuer.skew.as_secs();
        validation
    }

    fn vouch(&self, number: usize, claims: &Value) -> Result<Vouched, Problem> {
        let issuer = &self.issuer;
        let now = clock::now();
        let skew = i64::try_from(issuer.skew.as_millis()).unwrap_or(0);
        let moment = |name: &str| claims[name].as_f64().map(|seconds| (seconds * 1e3) as i64);
        if moment("iat").is_some_and(|at| at > now.0 + skew) {
            return Err(refused("It says that it was made in the future."));
        }
        let Some(expires) = moment("exp") else { return Err(refused("It does not say its end.")) };
        let verified = claims["email_verified"] == true || claims["email_verified"] == "true";
        if issuer.field.is_some() && issuer.claim == "email" && !verified {
            return Err(refused("Its issuer has not verified the address in it."));
        }
        let roles = match &claims[&issuer.roles_claim] {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            // A list of words in one text, as scopes are (RFC 6749 §3.3).
            Value::String(text) => text.split(' ').collect(),
            _ => Vec::new(),
        };
        let known = issuer.roles.iter().filter(|(theirs, _)| roles.contains(&theirs.as_str()));
        let mut roles: Vec<String> = known.map(|(_, ours)| ours.clone()).collect();
        roles.extend(issuer.role.clone());
        roles.sort_unstable();
        roles.dedup();
        Ok(Vouched {
            issuer: number,
            subject: claims["sub"].as_str().unwrap_or_default().to_owned(),
            value: issuer.field.and(claims[&issuer.claim].as_str()).map(str::to_owned),
            roles,
            expires_at: Timestamp(expires + skew),
        })
    }
}

impl Key {
    fn fits(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let named = id.is_none() || self.id.as_deref() == id;
        named
            && self.key.family() == algorithm.family()
            && self.kind.is_none_or(|kind| kind == algorithm)
    }
}

/// True for what has the form of a JWT: three parts with dots between them.
pub(crate) fn is_jwt(text: &str) -> bool {
    text.starts_with("ey") && text.split('.').count() == 3
}

/// 401 for a token of an issuer.
pub(crate) fn refused(why: &str) -> Problem {
    let detail = format!("The token in Authorization is not valid. {why} Nothing was done.");
    Problem::new(Kind::InvalidToken, detail)
}

/// How a token says that it is signed, and with which key.
fn head(token: &str) -> Result<(Algorithm, Option<String>), Problem> {
    let no_jwt = || refused("It is no JWT.");
    let first = token.split('.').next().unwrap_or_default();
    let text = URL_SAFE_NO_PAD.decode(first).map_err(|_| no_jwt())?;
    let head: Value = serde_json::from_slice(&text).map_err(|_| no_jwt())?;
    if head.get("crit").is_some() {
        return Err(refused("It demands that something is understood which is not known here."));
    }
    let kind = head["typ"].as_str().unwrap_or("JWT").to_ascii_lowercase();
    if !matches!(kind.trim_start_matches("application/"), "jwt" | "at+jwt") {
        return Err(refused("It is a token for something else."));
    }
    let algorithm = head["alg"].as_str().and_then(named);
    let algorithm = algorithm.ok_or_else(|| refused("It is not signed by a key that is kept."))?;
    Ok((algorithm, head["kid"].as_str().map(str::to_owned)))
}

/// An algorithm that takes a key of its issuer's alone: none that is shared, and never `none`.
fn named(name: &str) -> Option<Algorithm> {
    let known = model::issuer::ALGORITHMS.contains(&name);
    name.parse().ok().filter(|_| known)
}

/// What is wrong, as far as its bearer may know.
fn words(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "It has expired.",
        ErrorKind::ImmatureSignature => "It is not good yet.",
        ErrorKind::InvalidAudience => "It is for somebody else (`aud`).",
        ErrorKind::InvalidIssuer => "Its issuer is none whose tokens are taken here.",
        ErrorKind::MissingRequiredClaim(_) => "It lacks one of the claims exp, iss, aud and sub.",
        ErrorKind::InvalidSignature => "Its signature is wrong.",
        _ => "It cannot be verified.",
    }
}

fn read(text: &[u8]) -> Result<Arc<Vec<Key>>, String> {
    let set: JwkSet =
        serde_json::from_slice(text).map_err(|fault| format!("no JSON Web Key Set: {fault}"))?;
    let signs = |key: &&Jwk| !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    let keys = set.keys.iter().filter(signs).take(KEYS_MAX).filter_map(|jwk| {
        // A key that is shared is none that only the issuer has.
        let shared = matches!(jwk.algorithm, jsonwebtoken::jwk::AlgorithmParameters::OctetKey(_));
        let key = DecodingKey::from_jwk(jwk).ok().filter(|_| !shared)?;
        let said = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        let kind = said.and_then(|name| name.parse().ok());
        Some(Key { id: jwk.common.key_id.clone(), kind, key })
    });
    let keys: Vec<Key> = keys.collect();
    if keys.is_empty() { Err("no key in it can be used".to_owned()) } else { Ok(Arc::new(keys)) }
}
