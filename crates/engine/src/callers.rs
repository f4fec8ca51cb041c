//! Callers as they were last found by their tokens. As long as no credential has ended and no user
//! has changed, a token means what it meant; that is asked of the database at every request, so
//! that what is revoked anywhere counts at the next one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use contract::problem::{Kind, Problem};
use contract::token;
use http::header::{self, HeaderValue};
use model::access::{Caller, Sight};
use model::model::{Model, Shown};
use model::value::Timestamp;
use store::audit_log::Actor;
use store::credential::{ApiKey, CREDENTIALS, Credential, TokenHash, Used};
use store::lookup::{Current, Lookup};

use crate::op::login;
use crate::{Inner, clock, issuer, password};

/// Most callers that are kept; beyond that all are forgotten.
const CALLERS_MAX: usize = 4_096;
/// Most declarations, as they are for one caller, that are kept: few differ, since most callers of
/// one role may see the same.
const MODELS_MAX: usize = 256;

/// What the token of a request turned out to be.
pub(crate) struct Known {
    /// What the caller may see and do.
    pub(crate) sight: Arc<Sight>,
    /// Who it is.
    pub(crate) actor: Arc<Actor>,
    /// The same for the log.
    pub(crate) label: Arc<str>,
    /// The number of the session, where the token is of one.
    pub(crate) session: Option<i64>,
    /// The key, where the token is of one.
    pub(crate) key: Option<Arc<ApiKey>>,
    expires_at: Option<Timestamp>,
    states: Vec<i64>,
}

/// Everybody who was found.
#[derive(Default)]
pub(crate) struct Callers {
    known: Mutex<HashMap<TokenHash, Arc<Known>>>,
    models: Mutex<HashMap<Narrowing, Arc<Model>>>,
}

/// What is hidden and sealed of each field of a declaration.
type Narrowing = Vec<(Shown, bool)>;

/// Who has this token; `None` where nobody has, or no longer.
///
/// # Errors
/// Those of the store.
pub(crate) async fn find(
    inner: &Inner,
    text: &str,
) -> Result<Option<Arc<Known>>, store::error::Error> {
    // Other texts need not be looked for.
    if token::parse(text).is_none() {
        return Ok(None);
    }
    let (hash, now) = (token::hash(text), clock::now());
    let states = || [CREDENTIALS].into_iter().chain(inner.model.users()).collect();
    if let Some(known) = inner.callers.get(&hash) {
        let current = inner.reader.read(Lookup::states(states())).await?;
        let lives = known.expires_at.is_none_or(|end| end > now);
        if lives && current.states == known.states {
            inner.writer.note_used(known.used(), now);
            return Ok(Some(known));
        }
    }
    let lookup = Lookup { credential: Some(hash), ..Lookup::states(states()) };
    let found = known(inner, inner.reader.read(lookup).await?, now).map(Arc::new);
    match &found {
        Some(known) => {
            inner.writer.note_used(known.used(), now);
            inner.callers.keep(hash, known.clone());
        }
        None => inner.callers.forget(&hash),
    }
    Ok(found)
}

/// Who the bearer of another issuer's token is. What it says is verified once, and whoever that is
/// here is asked of the database at every request.
///
/// # Errors
/// 401 where it is not good, or nobody here is meant; 503 of the issuer's keys and of the store.
pub(crate) async fn vouched(inner: &Inner, text: &str) -> Result<Arc<Known>, Problem> {
    let (hash, now) = (token::hash(text), clock::now());
    let states = || [CREDENTIALS].into_iter().chain(inner.model.users()).collect();
    if let Some(known) = inner.callers.get(&hash) {
        let current = inner.reader.read(Lookup::states(states())).await.map_err(unavailable)?;
        let lives = known.expires_at.is_none_or(|end| end > now);
        if lives && current.states == known.states {
            return Ok(known);
        }
    }
    let vouched = inner.issuers.verify(text).await?;
    let issuer = &inner.model.issuers[vouched.issuer];
    let mut lookup = Lookup::states(states());
    if let (Some(users), Some(field), Some(value)) =
        (inner.model.users(), issuer.field, vouched.value.clone())
    {
        lookup.roots = vec![login::by(users, field, value)];
    }
    let mut current = inner.reader.read(lookup).await.map_err(unavailable)?;
    let states = std::mem::take(&mut current.states);
    let known = match login::first(current) {
        Some(record) => {
            let id = record.id.to_string();
            Known {
                label: format!("user:{id}").into(),
                actor: Arc::new(Actor { kind: "user", id: Some(id) }),
                sight: inner.callers.sight(
                    inner,
                    Caller::user(&inner.model, Arc::new(record)),
                    now,
                ),
                session: None,
                key: None,
                expires_at: Some(vouched.expires_at),
                states,
            }
        }
        None if vouched.roles.is_empty() => {
            return Err(issuer::refused("It is good, and nobody here is meant by it."));
        }
        None => {
            let id = format!("{}:{}", issuer.name, vouched.subject);
            let caller = Caller::Key { id: 0, roles: vouched.roles.clone() };
            Known {
                label: format!("issuer:{}", issuer.name).into(),
                actor: Arc::new(Actor { kind: "issuer", id: Some(id.clone()) }),
                sight: inner.callers.sight(inner, caller, now),
                session: None,
                key: Some(Arc::new(ApiKey {
                    number: 0,
                    name: id,
                    start: String::new(),
                    roles: vouched.roles,
                    created_at: now,
                    expires_at: Some(vouched.expires_at),
                    used_at: None,
                })),
                expires_at: Some(vouched.expires_at),
                states,
            }
        }
    };
    let known = Arc::new(known);
    inner.callers.keep(hash, known.clone());
    Ok(known)
}

fn unavailable(_: store::error::Error) -> Problem {
    let detail = "Who asks could not be found out. Nothing was done.";
    Problem::new(Kind::Unavailable, detail)
        .with_field(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn known(inner: &Inner, current: Current, now: Timestamp) -> Option<Known> {
    let states = current.states;
    match current.credential? {
        Credential::Session(session, record) => {
            let record = record?;
            let users = &inner.model.resources[inner.model.users()?];
            let hash = password::of(users, &record)?;
            if password::seal(hash) != session.seal {
                return None;
            }
            let id = record.id.to_string();
            let label = format!("user:{id}").into();
            let actor = Arc::new(Actor { kind: "user", id: Some(id) });
            let caller = Caller::user(&inner.model, Arc::new(record));
            Some(Known {
                sight: inner.callers.sight(inner, caller, now),
                actor,
                label,
                session: Some(session.number),
                key: None,
                expires_at: Some(session.expires_at),
                states,
            })
        }
        Credential::Key(key) => {
            let caller = Caller::Key { id: key.number, roles: key.roles.clone() };
            Some(Known {
                sight: inner.callers.sight(inner, caller, now),
                actor: Arc::new(Actor { kind: "key", id: Some(key.number.to_string()) }),
                label: format!("key:{}", key.number).into(),
                session: None,
                expires_at: key.expires_at,
                key: Some(Arc::new(key)),
                states,
            })
        }
    }
}

impl Known {
    fn used(&self) -> Used {
        match (self.session, &self.key) {
            (Some(number), _) => Used::Session(number),
            (None, Some(key)) => Used::Key(key.number),
            (None, None) => Used::Key(0),
        }
    }
}

impl Callers {
    fn get(&self, hash: &TokenHash) -> Option<Arc<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    fn keep(&self, hash: TokenHash, caller: Arc<Known>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CALLERS_MAX {
            known.clear();
        }
        known.insert(hash, caller);
    }

    fn forget(&self, hash: &TokenHash) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }

    /// What a caller may see and do. Declarations that are the same for several are kept once.
    pub(crate) fn sight(&self, inner: &Inner, caller: Caller, now: Timestamp) -> Arc<Sight> {
        let mut sight = Sight::new(&inner.model, caller, now);
        if !Arc::ptr_eq(&sight.model, &inner.model) {
            let fields = sight.model.resources.iter().flat_map(|resource| &resource.fields);
            let shape = fields.map(|field| (field.shown, field.sealed)).collect();
            let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
            if models.len() >= MODELS_MAX {
                models.clear();
            }
            sight.model = models.entry(shape).or_insert(sight.model).clone();
        }
        Arc::new(sight)
    }
}
