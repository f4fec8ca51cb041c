//! HTTP/1.1 over a byte stream (RFC 9112): strict about framing, quick about the rest. Everything
//! that a request means is left to whoever implements `Answer`.

pub(crate) mod answer;
mod chunk;
pub(crate) mod connection;
mod content;
mod diagnose;
pub(crate) mod framing;
pub(crate) mod head;
mod stream;
pub(crate) mod target;
#[cfg(test)]
mod tests;

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use contract::problem::Problem;
use engine::content::{Content, ContentError, Interrupted};

/// What answers requests. A seam, so that the framing is tested without a database.
pub(crate) trait Answer: Send + Sync {
    /// What content is made of that is read while it is sent.
    type Stream: Chunks;

    /// Answers one request. The target is in origin-form or `*`; the content is read only as far
    /// as it is polled.
    fn answer<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Response<Content<Self::Stream>>> + Send
    where
        B: Body<Data = Bytes, Error = ContentError> + Send + Unpin;

    /// Renders a fault that was met before there was a request.
    fn refuse(&self, problem: &Problem, bare: bool) -> Response<Bytes>;
}

/// Content that is read while it is sent.
pub(crate) trait Chunks: Send {
    /// The next piece of it; `None` at its end. Nothing is asked after the end or an error.
    fn next(&mut self) -> impl Future<Output = Option<Result<Bytes, Interrupted>>> + Send;
}
