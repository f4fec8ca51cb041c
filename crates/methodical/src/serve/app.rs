//! The engine behind the connections, which can be exchanged while they go on.

use std::future::Future;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use contract::problem::Problem;
use engine::Engine;
use engine::content::{Content, ContentError, Interrupted};
use engine::stream::Records;

use super::http1::{Answer, Chunks};

/// The present engine.
pub(crate) struct App(RwLock<Engine>);

impl App {
    /// Begins with this engine.
    pub(crate) fn new(engine: Engine) -> Self {
        Self(RwLock::new(engine))
    }

    /// Answers every request that begins from now on with another engine.
    pub(crate) fn exchange(&self, engine: Engine) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    /// The present engine.
    pub(crate) fn present(&self) -> Engine {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Answer for App {
    type Stream = Records;

    fn answer<B>(&self, request: Request<B>) -> impl Future<Output = Response<Content>> + Send
    where
        B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
    {
        let engine = self.present();
        async move { engine.answer(request).await }
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
