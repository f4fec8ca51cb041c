//! The receiving side of a connection, and the content of a request as an `http_body::Body` that
//! is read only as far as somebody asks for it.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use engine::content::ContentError;
use model::setting::Settings;

use super::chunk::{Decoder, Step};
use super::framing::Framing;
use crate::serve::alarm::Alarm;
use crate::serve::pace::Pace;

/// Room for a head: most fit.
const HEAD_READ_BYTES: usize = 1024;
/// Room for a piece of content.
const CONTENT_READ_BYTES_MAX: usize = 64 * 1024;
/// Content that nobody asked for is still read up to this, so that the connection can be kept.
const DRAINED_BYTES_MAX: u64 = 64 * 1024;

/// What is left of the content of the present request.
#[derive(Debug)]
enum Left {
    Nothing,
    Length(u64),
    Chunked(Decoder),
    /// It ended in an error: nothing behind it can be read.
    Broken(ContentError),
}

/// The receiving side of a connection.
#[derive(Debug)]
pub(super) struct Incoming<R> {
    reader: R,
    /// What has arrived and is not yet used.
    pub(super) input: BytesMut,
    /// The timer of the connection.
    pub(super) alarm: Alarm,
    /// True once the peer has finished sending.
    pub(super) ended: bool,
    left: Left,
    /// When the content has to be complete.
    content_deadline: Instant,
    /// How fast it comes.
    pace: Pace,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// The receiving side of a fresh connection.
    pub(super) fn new(reader: R, settings: &Settings) -> Self {
        Self {
            reader,
            input: BytesMut::new(),
            alarm: Alarm::after(settings.first_byte_timeout),
            ended: false,
            left: Left::Nothing,
            content_deadline: Instant::now(),
            pace: Pace::of_sender(settings),
        }
    }

    /// Reads once. Ready with 0 at the end of what the peer sends.
    pub(super) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_fill_with(context, HEAD_READ_BYTES)
    }

    fn poll_fill_with(
        &mut self,
        context: &mut Context<'_>,
        room: usize,
    ) -> Poll<io::Result<usize>> {
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        if self.input.capacity() - self.input.len() < room / 4 {
            self.input.reserve(room);
        }
        let read = pin!(self.reader.read_buf(&mut self.input)).poll(context);
        if read.is_pending() && self.input.is_empty() {
            // Most connections idle: they keep no room for what may come.
            self.input = BytesMut::new();
        }
        let read = ready!(read);
        self.ended = matches!(read, Ok(0) | Err(_));
        Poll::Ready(read)
    }

    /// Prepares for the content of a request.
    pub(super) fn expect(&mut self, framing: Framing, settings: &Settings) {
        self.left = match framing {
            Framing::Empty => Left::Nothing,
            Framing::Length(length) => Left::Length(length),
            Framing::Chunked => Left::Chunked(Decoder::new()),
        };
        if framing != Framing::Empty {
            self.content_deadline = Instant::now() + settings.content_timeout;
            self.pace.restart();
        }
    }

    /// Takes a piece of content from what has arrived.
    fn take(&mut self) -> Result<Step, ContentError> {
        match &mut self.left {
            Left::Nothing => Ok(Step::End),
            Left::Length(_) if self.input.is_empty() => Ok(Step::More),
            Left::Length(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(self.input.len());
                let data = self.input.split_to(length).freeze();
                *left -= length as u64;
                if *left == 0 {
                    self.left = Left::Nothing;
                }
                Ok(Step::Data(data))
            }
            Left::Chunked(decoder) => {
                let step = decoder.step(&mut self.input).map_err(ContentError::Malformed)?;
                if step == Step::End {
                    self.left = Left::Nothing;
                }
                Ok(step)
            }
            Left::Broken(error) => Err(*error),
        }
    }

    /// The next piece of content; `None` at its end.
    fn poll_content(
        &mut self,
        context: &mut Context<'_>,
        expectation: &Expectation,
    ) -> Poll<Option<Result<Bytes, ContentError>>> {
        loop {
            match self.take() {
                Ok(Step::Data(data)) => return Poll::Ready(Some(Ok(data))),
                Ok(Step::End) => return Poll::Ready(None),
                Ok(Step::More) => {}
                Err(error) => return self.fail(error),
            }
            expectation.ask();
            match self.poll_fill_with(context, self.content_room()) {
                Poll::Ready(Ok(read @ 1..)) => self.pace.moved(read),
                Poll::Ready(Ok(0) | Err(_)) => return self.fail(ContentError::Truncated),
                Poll::Pending => {
                    if let Some(due) = self.pace.wait() {
                        self.alarm.set(due.min(self.content_deadline));
                    }
                    ready!(self.alarm.poll(context));
                    return self.fail(ContentError::Slow);
                }
            }
        }
    }

    fn fail(&mut self, error: ContentError) -> Poll<Option<Result<Bytes, ContentError>>> {
        self.left = Left::Broken(error);
        Poll::Ready(Some(Err(error)))
    }

    fn content_room(&self) -> usize {
        let most = match self.left {
            Left::Length(left) => usize::try_from(left).unwrap_or(usize::MAX),
            Left::Chunked(_) => CONTENT_READ_BYTES_MAX / 4,
            Left::Nothing | Left::Broken(_) => 0,
        };
        most.clamp(HEAD_READ_BYTES, CONTENT_READ_BYTES_MAX)
    }

    /// True where the rest of the content is small enough to be read and dropped, so that the
    /// connection can be kept (RFC 9112 §9.3).
    pub(super) fn can_be_drained(&mut self, expectation: &Expectation) -> bool {
        loop {
            return match self.take() {
                Ok(Step::Data(_)) => continue,
                Ok(Step::End) => true,
                // Whoever still waits for 100 Continue may send the content or leave it out: the
                // next bytes could be either (RFC 9110 §10.1.1).
                Ok(Step::More) => {
                    !expectation.is_open()
                        && matches!(self.left, Left::Length(left) if left <= DRAINED_BYTES_MAX)
                }
                Err(_) => false,
            };
        }
    }

    /// Reads the rest of the content and drops it. False if it does not arrive.
    pub(super) async fn drain(&mut self) -> bool {
        let none = Expectation::new(false);
        loop {
            match std::future::poll_fn(|context| self.poll_content(context, &none)).await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return false,
                None => return true,
            }
        }
    }
}

/// Whether the client waits for `100 Continue`, and whether anybody wants the content. Atomics,
/// because a future that holds the content has to be `Send`.
#[derive(Debug)]
pub(super) struct Expectation {
    open: AtomicBool,
    asked: AtomicBool,
}

impl Expectation {
    /// An expectation, or none.
    pub(super) fn new(open: bool) -> Self {
        Self { open: AtomicBool::new(open), asked: AtomicBool::new(false) }
    }

    /// Somebody wants content that has not arrived.
    fn ask(&self) {
        if self.open.load(Ordering::Relaxed) {
            self.asked.store(true, Ordering::Relaxed);
        }
    }

    /// True while the client waits.
    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// True once: when `100 Continue` has to be sent.
    pub(super) fn must_continue(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed) && self.open.swap(false, Ordering::Relaxed)
    }
}

/// The content of a request.
#[derive(Debug)]
pub(super) struct Content<'a, R> {
    /// `None`: the request has no content.
    incoming: Option<&'a mut Incoming<R>>,
    expectation: &'a Expectation,
}

impl<'a, R> Content<'a, R> {
    /// The content that arrives here.
    pub(super) fn new(incoming: Option<&'a mut Incoming<R>>, expectation: &'a Expectation) -> Self {
        Self { incoming, expectation }
    }
}

impl<R: AsyncRead + Unpin> Body for Content<'_, R> {
    type Data = Bytes;
    type Error = ContentError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ContentError>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        let piece = ready!(incoming.poll_content(context, this.expectation));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(|incoming| match &incoming.left {
            Left::Nothing => true,
            Left::Chunked(decoder) => decoder.is_done(),
            Left::Length(_) | Left::Broken(_) => false,
        })
    }

    fn size_hint(&self) -> SizeHint {
        match self.incoming.as_ref().map(|incoming| &incoming.left) {
            None | Some(Left::Nothing) => SizeHint::with_exact(0),
            Some(Left::Length(left)) => SizeHint::with_exact(*left),
            Some(Left::Chunked(decoder)) => {
                let mut hint = SizeHint::default();
                hint.set_lower(decoder.announced());
                hint
            }
            Some(Left::Broken(_)) => SizeHint::default(),
        }
    }
}
