//! HTTP/2 by hand (RFC 9113 §4): frames as bytes, and fields without compression, so that
//! everything can be sent that no library would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::support::server::PATIENCE;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const CANCEL: u32 = 8;
pub(super) const ENHANCE_YOUR_CALM: u32 = 11;

/// Between two pieces of what is sent slowly.
const PAUSE: Duration = Duration::from_millis(50);

/// A frame that came.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// The code of a RST_STREAM or a GOAWAY.
    pub(super) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().expect("a code"))
    }
}

/// A connection that speaks HTTP/2 without asking.
pub(super) struct Wire(TcpStream);

impl Wire {
    pub(super) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time");
        let mut wire = Self(stream);
        wire.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("a preface");
        wire.send(SETTINGS, 0, 0, &[]).expect("settings");
        wire
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)
    }

    pub(super) fn send(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> std::io::Result<()> {
        self.raw(&frame(kind, flags, stream, payload))
    }

    /// A whole request without content.
    pub(super) fn get(&mut self, stream: u32, path: &str) -> std::io::Result<()> {
        let fields = fields(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
        ]);
        self.send(HEADERS, END_STREAM | END_HEADERS, stream, &fields)
    }

    /// The next frame; none at the end of the connection.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).ok()?;
        Some(Frame { kind: head[3], payload })
    }

    /// The next frame of this kind; none where the connection ends before.
    pub(super) fn until(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Sends these bytes again and again, slowly, until a frame of this kind comes.
    pub(super) fn go_on(&mut self, kind: u8, bytes: &[u8]) -> Frame {
        let mut sending = self.0.try_clone().expect("the same connection");
        let bytes = bytes.to_vec();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let sender = std::thread::spawn(move || {
            while ended.recv_timeout(PAUSE).is_err_and(|why| why == RecvTimeoutError::Timeout) {
                if sending.write_all(&bytes).is_err() {
                    break;
                }
            }
        });
        let frame = self.until(kind).expect("the frame comes before the end");
        drop(end);
        sender.join().expect("nothing fails");
        frame
    }

    /// The first byte of the fields of the next answer: the index of a status that compression
    /// knows (RFC 7541 appendix A): 0x88 is 200, 0x8d is 404, 0x8c is 400.
    pub(super) fn status(&mut self) -> Option<u8> {
        self.until(HEADERS).map(|frame| frame.payload[0])
    }
}

/// A frame as bytes.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a length").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Fields as literals without indexing (RFC 7541 §6.2.2).
pub(super) fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            number(&mut bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

/// A number of seven bits or more (RFC 7541 §5.1).
fn number(bytes: &mut Vec<u8>, number: usize) {
    if number < 127 {
        return bytes.push(u8::try_from(number).expect("seven bits"));
    }
    bytes.push(127);
    let mut rest = number - 127;
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).expect("seven bits") | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
}
