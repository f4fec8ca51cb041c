//! Raw bytes against the connection: every row of the framing rules of RFC 9112, and what slow,
//! impatient and broken clients do. The answerer here only echoes, so that what is tested is the
//! framing alone.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

use contract::problem::Problem;
use engine::content::{Content, ContentError};
use engine::report::Close;
use model::setting::Settings;

use super::Answer;
use super::connection::{End, Service, serve};
use crate::log::Log;
use crate::serve::id::Ids;
use crate::serve::shutdown::Connections;
use crate::serve::wire::Wire;
use stream::Script;

mod ends;
mod expect;
mod framing;
mod heads;
mod stream;

/// Answers with what it got: `METHOD target host content`.
#[derive(Debug, Default)]
struct Echo {
    /// How many requests were answered whole.
    applied: AtomicUsize,
}

impl Answer for Echo {
    type Stream = Script;

    async fn answer<B>(&self, request: Request<B>) -> Response<Content<Script>>
    where
        B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
    {
        match Script::of(request.uri().path()) {
            Some(script) => Response::new(Content::Stream(script)),
            None => self.echo(request).await.map(Content::Whole),
        }
    }

    fn refuse(&self, problem: &Problem, bare: bool) -> Response<Bytes> {
        assert!(problem.close, "what the parser refuses ends the connection");
        let entry = problem.kind.entry();
        let content = format!("{}: {}", entry.slug, problem.detail);
        let response = Response::builder().status(entry.status);
        let response = response.header("content-length", content.len());
        let content = if bare { Bytes::new() } else { Bytes::from(content) };
        response.body(content).unwrap()
    }
}

impl Echo {
    async fn echo<B>(&self, request: Request<B>) -> Response<Bytes>
    where
        B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
    {
        let (parts, mut content) = request.into_parts();
        match parts.uri.path() {
            // Decides without content, as a 404 or a 413 does.
            "/early" => return text(404, "early"),
            "/slow" => tokio::time::sleep(Duration::from_secs(3)).await,
            "/panic" => panic!("a seeded panic"),
            "/large" => return text(200, &"x".repeat(1_000_000)),
            "/close" => {
                let mut response = text(200, "bye");
                response.extensions_mut().insert(Close);
                return response;
            }
            _ => {}
        }
        let mut bytes = Vec::new();
        loop {
            let frame = std::future::poll_fn(|context| {
                std::pin::Pin::new(&mut content).poll_frame(context)
            });
            match frame.await {
                Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().unwrap()),
                Some(Err(ContentError::Slow)) => return text(408, "slow"),
                Some(Err(error)) => return text(400, &error.to_string()),
                None => break,
            }
        }
        self.applied.fetch_add(1, Ordering::Relaxed);
        let host = parts.headers.get("host").map(|host| host.to_str().unwrap());
        let content = String::from_utf8(bytes).unwrap();
        let line = format!("{} {} {} {content}", parts.method, parts.uri, host.unwrap_or("-"));
        if parts.method.as_str() == "HEAD" {
            let length = line.len().to_string();
            return Response::builder()
                .header("content-length", length)
                .body(Bytes::new())
                .unwrap();
        }
        text(200, &line)
    }
}

fn text(status: u16, text: &str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

/// A connection to the echo, in memory.
struct Client {
    stream: DuplexStream,
    service: Arc<Service<Echo>>,
    connections: Arc<Connections>,
    task: JoinHandle<End>,
    /// What has arrived beyond the answers read so far.
    rest: Vec<u8>,
}

impl Client {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let service = Arc::new(Service {
            answerer: Echo::default(),
            settings,
            log: Log::off(),
            ids: Ids::new(),
            meter: None,
            traces: None,
        });
        let connections = Arc::new(Connections::default());
        let (stream, peer) = tokio::io::duplex(64 * 1024);
        let stop = connections.enter();
        let task = {
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                let (reader, writer) = tokio::io::split(peer);
                serve(&service, reader, writer, Wire::default(), &stop).await
            })
        };
        Self { stream, service, connections, task, rest: Vec::new() }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads one answer: status, fields, content.
    async fn answer(&mut self, bare: bool) -> (u16, String, String) {
        let end = loop {
            if let Some(end) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await;
        };
        let head = String::from_utf8(self.rest.drain(..end).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let length = if bare || status == 100 { 0 } else { length };
        while self.rest.len() < length {
            self.fill().await;
        }
        let content = String::from_utf8(self.rest.drain(..length).collect()).unwrap();
        (status, head, content)
    }

    async fn fill(&mut self) {
        let read = self.stream.read_buf(&mut self.rest).await.unwrap();
        let so_far = String::from_utf8_lossy(&self.rest);
        assert!(read > 0, "the connection ended; before: {so_far:?}");
    }

    /// Reads an answer and expects status and content.
    async fn expect(&mut self, status: u16, content: &str) -> String {
        let (got, head, text) = self.answer(false).await;
        assert_eq!((got, text.as_str()), (status, content));
        head
    }

    /// Expects that the server says nothing more and ends the connection.
    async fn expect_end(&mut self) {
        let mut after = Vec::new();
        self.stream.read_to_end(&mut after).await.unwrap();
        self.rest.extend_from_slice(&after);
        assert_eq!(String::from_utf8_lossy(&self.rest), "");
    }

    /// Expects a refusal after which the connection ends, with these words in its detail.
    async fn expect_refusal(&mut self, status: u16, words: &str) {
        let (got, head, text) = self.answer(false).await;
        assert_eq!(got, status, "{text}");
        assert!(text.contains(words), "{text}");
        assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
        self.expect_end().await;
        assert_eq!(self.applied(), 0, "what is refused must not be applied");
    }

    fn applied(&self) -> usize {
        self.service.answerer.applied.load(Ordering::Relaxed)
    }
}
