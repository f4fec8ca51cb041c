//! The engine behind the connections, which can be exchanged while they go on.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;

use contract::problem::Problem;
use engine::Engine;
use engine::content::{Content, ContentError, Interrupted};
use engine::stream::Records;
use store::Writer;

use super::acme::Challenges;
use super::http1::{Answer, Chunks};

/// The present engine, and who writes for it.
pub(crate) struct App {
    engine: RwLock<Engine>,
    writer: Mutex<Writer>,
    challenges: Option<Arc<Challenges>>,
}

impl App {
    /// Begins with this engine.
    pub(crate) fn new(engine: Engine, writer: Writer, challenges: Option<Arc<Challenges>>) -> Self {
        Self { engine: RwLock::new(engine), writer: Mutex::new(writer), challenges }
    }

    /// What whoever validates a name for a certificate is answered.
    fn challenge<B>(&self, request: &Request<B>) -> Option<Response<Content>> {
        let answer = self.challenges.as_ref()?.answer(request.uri().path())?;
        let mut response = Response::new(Content::Whole(Bytes::from(answer)));
        let media = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }

    /// Answers every request that begins from now on with another engine.
    pub(crate) fn exchange(&self, engine: Engine) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    /// The same, with another store behind it.
    pub(crate) fn exchange_store(&self, engine: Engine, writer: Writer) {
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = writer;
        self.exchange(engine);
    }

    /// Who writes at present.
    pub(crate) fn writer(&self) -> Writer {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The present engine.
    pub(crate) fn present(&self) -> Engine {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Answer for App {
    type Stream = Records;

    fn answer<B>(&self, request: Request<B>) -> impl Future<Output = Response<Content>> + Send
    where
        B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
    {
        let challenged = self.challenge(&request);
        let engine = self.present();
        async move {
            match challenged {
                Some(response) => response,
                None => engine.answer(request).await,
            }
        }
    }

    fn refuse(&self, problem: &Problem, bare: bool) -> Response<Bytes> {
        self.present().refuse(problem, bare)
    }
}

impl Chunks for Records {
    fn next(&mut self) -> impl Future<Output = Option<Result<Bytes, Interrupted>>> + Send {
        Self::next(self)
    }
}
