//! Requests into responses: one explicit walk from an HTTP request to its answer. No runtime, no
//! sockets, no SQL.

pub mod clock;
pub mod content;
pub mod form;
pub mod issuer;
pub mod kept;
pub mod report;
pub mod seed;
pub mod serve;
pub mod stream;
pub mod transfer;

mod admit;
mod answer;
mod attempts;
mod batch;
mod call;
mod callers;
mod coding;
mod cookie;
mod cors;
mod cursor;
mod idempotency;
mod limit;
pub mod op;
mod origin;
mod outcome;
mod page;
mod password;
mod pipeline;
mod plain;
mod positions;
mod proxy;
mod rates;
mod refused;
mod representation;
mod request;
mod response;
mod route;
mod sight;
#[cfg(test)]
mod tests;
mod vantage;

use std::sync::Arc;

use bytes::Bytes;
use contract::problem::Problem;
use http::{Request, Response};
use http_body::Body;
use model::access::{Caller, Sight};
use model::model::Model;
use model::setting::Settings;
use store::Reader;
use store::Writer;
use store::audit_log::Actor;
use tokio::sync::{Notify, Semaphore};

use content::{Content, ContentError};

/// What an engine is made of.
pub struct Parts {
    /// The declaration.
    pub model: Arc<Model>,
    /// Limits and times.
    pub settings: Arc<Settings>,
    /// Reads.
    pub reader: Reader,
    /// Writes.
    pub writer: Writer,
    /// Drawn when the database was made or restored; folded into every ETag.
    pub epoch: u64,
    /// Kept in the database; keys the hashes of Idempotency-Keys and fingerprints.
    pub secret: [u8; 32],
}

/// Turns requests into responses. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) model: Arc<Model>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) secret: [u8; 32],
    pub(crate) salts: Vec<String>,
    pub(crate) list_salts: Vec<String>,
    /// Which life of the database this is.
    pub(crate) life: String,
    pub(crate) running: idempotency::Running,
    pub(crate) hasher: password::Hasher,
    pub(crate) kept: kept::Kept,
    /// What whoever has not signed in sees.
    pub(crate) nobody: Arc<Sight>,
    /// Whoever that is.
    pub(crate) nobodys: Arc<Actor>,
    /// Who has signed in.
    pub(crate) callers: callers::Callers,
    /// How often passwords are tried and set.
    pub(crate) attempts: attempts::Attempts,
    /// How many requests are at the database.
    pub(crate) load: pipeline::load::Load,
    /// Rings when something was put into the queue.
    pub(crate) queued: Arc<Notify>,
    /// Others whose tokens are taken.
    pub(crate) issuers: Arc<issuer::Issuers>,
    /// How often anybody may ask.
    pub(crate) rates: rates::Rates,
    /// What was refused of late.
    pub(crate) refused: refused::Refusals,
    /// The title, as challenges say it.
    pub(crate) realm: String,
    pub(crate) cursors: cursor::Key,
    /// Requests whose many records lie on the disk until they are written.
    pub(crate) bulks: Arc<Semaphore>,
}

impl Engine {
    /// An engine over an open store.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { model, settings, reader, writer, epoch, secret } = parts;
        let salts = response::salts(&model, epoch);
        let list_salts = response::list_salts(&model, &settings, epoch);
        let life = response::tag::life(epoch);
        let running = idempotency::Running::default();
        let hasher = password::Hasher::start(&settings);
        let kept = kept::Kept::new(&model);
        let nobody = Arc::new(Sight::new(&model, Caller::Nobody, clock::now()));
        let attempts = attempts::Attempts::new(&settings);
        let issuers = Arc::new(issuer::Issuers::new(&model));
        let rates = rates::Rates::new(&settings);
        let realm = admit::realm(&model.title);
        let cursors = cursor::Key::new(&secret);
        let bulks = Arc::new(Semaphore::new(settings.bulks_max));
        Self(Arc::new(Inner {
            model,
            settings,
            reader,
            writer,
            secret,
            salts,
            list_salts,
            life,
            running,
            hasher,
            kept,
            nobody,
            nobodys: Arc::new(Actor { kind: "nobody", id: None }),
            callers: callers::Callers::default(),
            attempts,
            load: pipeline::load::Load::default(),
            queued: Arc::default(),
            issuers,
            rates,
            refused: refused::Refusals::default(),
            realm,
            cursors,
            bulks,
        }))
    }

    /// Answers one request. The target is in origin-form or `*`; extensions carry the `RequestId`,
    /// the `Peer` and, over TLS, the `Scheme`.
    /// The content is polled only once it is certain that it is wanted (RFC 9110 §10.1.1).
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Content>
    where
        B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
    {
        pipeline::answer(&self.0, request).await
    }

    /// What it reads with.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.0.reader.clone()
    }

    /// Rings when something was put into the queue of what is to be done outside.
    #[must_use]
    pub fn queued(&self) -> Arc<Notify> {
        Arc::clone(&self.0.queued)
    }

    /// Others whose tokens are taken: their keys have to be brought.
    #[must_use]
    pub fn issuers(&self) -> Arc<issuer::Issuers> {
        Arc::clone(&self.0.issuers)
    }

    /// How the lists that are kept do.
    #[must_use]
    pub fn kept(&self) -> kept::KeptFigures {
        self.0.kept.figures()
    }

    /// How many passwords were verified, right ones and wrong ones.
    #[must_use]
    pub fn passwords_verified(&self) -> u64 {
        self.0.hasher.verified()
    }

    /// The answer to a fault that is met before there is a request: framing, limits, time.
    /// `bare` is true where the request was known to be a HEAD.
    #[must_use]
    pub fn refuse(&self, problem: &Problem, bare: bool) -> Response<Bytes> {
        response::problem(problem, None, bare)
    }
}
