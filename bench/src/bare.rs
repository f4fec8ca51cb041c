//! The baseline of reads: a bare hyper server that sends a constant answer of a given size.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What every answer is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constant {
    /// Its status.
    pub(crate) status: u16,
    /// Bytes of content.
    pub(crate) content: usize,
    /// Bytes of the value of the field that makes up for those of ours.
    pub(crate) field: usize,
}

struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// Serves until the process is ended. One thread: it has one core.
pub(crate) fn serve(address: SocketAddr, constant: Constant) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(accept(address, constant)).map_err(|error| error.to_string())
}

async fn accept(address: SocketAddr, constant: Constant) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let content = Bytes::from(vec![b'x'; constant.content]);
    let filler = Bytes::from(vec![b'x'; constant.field]);
    let field = HeaderValue::from_maybe_shared(filler).unwrap_or(HeaderValue::from_static("x"));
    let status = StatusCode::from_u16(constant.status).unwrap_or(StatusCode::OK);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (content, field) = (content.clone(), field.clone());
        let service = service_fn(move |_: Request<hyper::body::Incoming>| {
            let content = Some(content.clone()).filter(|content| !content.is_empty());
            let mut response = Response::new(Whole(content));
            *response.status_mut() = status;
            response.headers_mut().insert("x-same-size", field.clone());
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            // A client that leaves ends its connection, and nothing else.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
