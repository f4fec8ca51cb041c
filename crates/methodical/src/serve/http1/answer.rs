//! The sending side of a connection: answers as bytes (RFC 9112 §4), a small one in one write.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::response::Parts;
use http::{Response, StatusCode};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use contract::fault::{self, Fault};
use model::setting::Settings;

use crate::serve::alarm::Alarm;
use crate::serve::date;
use crate::serve::pace::Pace;

/// Content up to this is copied behind its head and sent with it; a larger one is sent from where
/// it is.
const COPIED_BYTES_MAX: usize = 16 * 1024;
/// Room for an answer: most fit.
const ANSWER_BYTES: usize = 1024;
/// Answers to pipelined requests are collected up to this.
const COLLECTED_BYTES_MAX: usize = 64 * 1024;

/// What an answer needs to know beside itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner<'a> {
    /// The answer carries no content (HEAD).
    pub(super) bare: bool,
    /// The connection ends after it.
    pub(super) close: bool,
    /// The request was HTTP/1.0: keeping the connection has to be said.
    pub(super) http_1_0: bool,
    /// The id of the request.
    pub(super) id: &'a str,
}

/// What tells the client where the content ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// Content-Length.
    Length(usize),
    /// The last chunk (§7.1).
    Chunk,
    /// The end of the connection, for HTTP/1.0, which has no chunks (§6.1).
    Close,
}

/// The sending side of a connection.
#[derive(Debug)]
pub(super) struct Outgoing<W> {
    writer: W,
    buffer: Vec<u8>,
    sent: usize,
    tail: Bytes,
    /// How fast the answer is taken.
    pace: Pace,
}

impl<W: AsyncWrite + Unpin> Outgoing<W> {
    /// The sending side of a fresh connection.
    pub(super) fn new(writer: W, settings: &Settings) -> Self {
        let pace = Pace::of_reader(settings);
        Self { writer, buffer: Vec::new(), sent: 0, tail: Bytes::new(), pace }
    }

    /// True where nothing waits to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.buffer.len() && self.tail.is_empty()
    }

    /// True where more answers may be collected before they are sent.
    pub(super) fn has_room(&self) -> bool {
        self.tail.is_empty() && self.buffer.len() < COLLECTED_BYTES_MAX
    }

    /// Lines up `100 Continue` (RFC 9110 §15.2.1).
    pub(super) fn push_continue(&mut self) {
        self.buffer.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    /// Lines up an answer. Gives the bytes of its content.
    pub(super) fn push(&mut self, response: Response<Bytes>, manner: Manner<'_>) -> u64 {
        debug_assert!(self.tail.is_empty(), "an answer is sent before the next is lined up");
        self.pace.restart();
        let (parts, content) = response.into_parts();
        let content = if manner.bare && fault::on(Fault::HeadWithBody) {
            declared_length(&parts).map(|length| Bytes::from(vec![b' '; length])).unwrap_or(content)
        } else if manner.bare || forbids_content(parts.status) {
            Bytes::new()
        } else {
            content
        };
        write_head(&mut self.buffer, &parts, Delimiter::Length(content.len()), manner);
        let length = content.len() as u64;
        if content.len() <= COPIED_BYTES_MAX {
            self.buffer.extend_from_slice(&content);
        } else {
            self.tail = content;
        }
        length
    }

    /// Lines up the head of an answer whose content follows in pieces.
    pub(super) fn push_head(&mut self, parts: &Parts, delimiter: Delimiter, manner: Manner<'_>) {
        debug_assert!(self.tail.is_empty(), "an answer is sent before the next is lined up");
        self.pace.restart();
        write_head(&mut self.buffer, parts, delimiter, manner);
    }

    /// Lines up a piece of content. An empty one is none: as a chunk it would be the last.
    pub(super) fn push_piece(&mut self, piece: &[u8], delimiter: Delimiter) {
        debug_assert!(self.tail.is_empty(), "pieces are sent in their order");
        if piece.is_empty() {
            return;
        }
        self.buffer.reserve(piece.len() + 20);
        match delimiter {
            Delimiter::Length(_) | Delimiter::Close => self.buffer.extend_from_slice(piece),
            Delimiter::Chunk => {
                let mut digits = [0; 16];
                self.buffer.extend_from_slice(hexadecimal(piece.len(), &mut digits));
                self.buffer.extend_from_slice(b"\r\n");
                self.buffer.extend_from_slice(piece);
                self.buffer.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Lines up what says that the content is whole: the last chunk, and no trailers.
    pub(super) fn push_end(&mut self, delimiter: Delimiter) {
        match delimiter {
            Delimiter::Length(_) | Delimiter::Close => {}
            Delimiter::Chunk => self.buffer.extend_from_slice(b"0\r\n\r\n"),
        }
    }

    /// Sends what is lined up.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let head = &self.buffer[self.sent..];
            let written = if self.tail.is_empty() {
                ready!(Pin::new(&mut self.writer).poll_write(context, head))?
            } else {
                let slices = [IoSlice::new(head), IoSlice::new(&self.tail)];
                ready!(Pin::new(&mut self.writer).poll_write_vectored(context, &slices))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pace.moved(written);
            let of_head = written.min(head.len());
            self.sent += of_head;
            self.tail.advance(written - of_head);
        }
        self.buffer = Vec::new();
        self.sent = 0;
        // Over TLS what was taken may still be with us.
        Pin::new(&mut self.writer).poll_flush(context)
    }

    /// Sends what is lined up, as long as the peer takes it at its pace.
    ///
    /// # Errors
    /// The connection is gone, or the peer has taken nothing for `timeouts.send`, or less than
    /// `timeouts.pace`.
    pub(super) async fn flush(&mut self, alarm: &mut Alarm) -> io::Result<()> {
        poll_fn(|context| {
            if let Poll::Ready(result) = self.poll_flush(context) {
                return Poll::Ready(result);
            }
            if let Some(due) = self.pace.wait() {
                alarm.set(due);
            }
            ready!(alarm.poll(context));
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        })
        .await
    }

    /// Says that nothing more will be sent.
    pub(super) fn poll_finish(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(self.writer.shutdown()).poll(context)
    }
}

/// Statuses whose answers have neither content nor a length of it (RFC 9110 §8.6).
pub(crate) fn forbids_content(status: StatusCode) -> bool {
    status.is_informational() || matches!(status.as_u16(), 204 | 304)
}

/// The phrase that RFC 9110 gives a status; the library still has the older ones of two.
fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

/// The length that GET's content would have, for a seeded fault.
fn declared_length(parts: &Parts) -> Option<usize> {
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Writes status line and fields. Framing fields are this crate's: whatever an answer says about
/// its length, the bytes that follow decide.
fn write_head(out: &mut Vec<u8>, parts: &Parts, delimiter: Delimiter, manner: Manner<'_>) {
    out.reserve(ANSWER_BYTES);
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(parts.status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason(parts.status).as_bytes());
    out.extend_from_slice(b"\r\n");
    let has_content = !manner.bare && !forbids_content(parts.status);
    // HEAD says the length that GET's content would have (RFC 9110 §9.3.2).
    let says_length = manner.bare && !forbids_content(parts.status);
    for (name, value) in &parts.headers {
        let own = name == CONNECTION || name == TRANSFER_ENCODING || name == DATE;
        if own || (name == CONTENT_LENGTH && !says_length) {
            continue;
        }
        write_field(out, name.as_str(), value.as_bytes());
    }
    match delimiter {
        Delimiter::Length(length) if has_content => {
            let mut digits = [0; 20];
            write_field(out, "content-length", decimal(length, &mut digits));
        }
        // HEAD says it too: GET would be answered so (RFC 9112 §6.1).
        Delimiter::Chunk => write_field(out, "transfer-encoding", b"chunked"),
        Delimiter::Length(_) | Delimiter::Close => {}
    }
    out.extend_from_slice(b"date: ");
    date::with(|text| out.extend_from_slice(text.as_bytes()));
    out.extend_from_slice(b"\r\n");
    write_field(out, "request-id", manner.id.as_bytes());
    if manner.close {
        out.extend_from_slice(b"connection: close\r\n");
    } else if manner.http_1_0 {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

fn hexadecimal(mut number: usize, digits: &mut [u8; 16]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b"0123456789abcdef"[number % 16];
        number /= 16;
        if number == 0 {
            return &digits[start..];
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Manner, Outgoing, decimal, hexadecimal};
    use bytes::Bytes;
    use http::Response;
    use model::setting::Settings;

    fn text(response: Response<Bytes>, manner: Manner<'_>) -> String {
        let mut outgoing = Outgoing::new(Vec::new(), &Settings::default());
        outgoing.push(response, manner);
        String::from_utf8(outgoing.buffer).unwrap()
    }

    const PLAIN: Manner<'_> = Manner { bare: false, close: false, http_1_0: false, id: "7" };

    fn response(status: u16) -> Response<Bytes> {
        let content = Bytes::from_static(b"hello");
        Response::builder().status(status).header("content-length", "5").body(content).unwrap()
    }

    #[test]
    fn an_answer_has_one_length_and_one_end() {
        let text = text(response(200), PLAIN);
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nhello"), "{text}");
        assert_eq!(text.matches("content-length: 5\r\n").count(), 1);
        assert!(text.contains("\r\nrequest-id: 7\r\n") && text.contains("\r\ndate: "));
        assert!(!text.contains("connection:"));
    }

    #[test]
    fn head_keeps_the_length_without_content() {
        let text = text(response(404), Manner { bare: true, close: true, ..PLAIN });
        assert!(text.contains("content-length: 5\r\n") && text.ends_with("\r\n\r\n"));
        assert!(text.contains("connection: close\r\n"));
    }

    #[test]
    fn no_content_has_no_length() {
        for status in [204, 304] {
            for bare in [false, true] {
                let text = text(response(status), Manner { bare, http_1_0: true, ..PLAIN });
                assert!(!text.contains("content-length") && text.ends_with("\r\n\r\n"), "{text}");
                assert!(text.contains("connection: keep-alive\r\n"));
            }
        }
    }

    #[test]
    fn numbers() {
        for number in [0, 9, 10, 12_345, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string().as_bytes());
            assert_eq!(hexadecimal(number, &mut [0; 16]), format!("{number:x}").as_bytes());
        }
    }
}
