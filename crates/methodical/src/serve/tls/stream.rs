//! Bytes over TLS. The library keeps its state and we keep its buffers, which there are only while
//! something is in them: most connections idle, and buffers that wait for bytes would be most of
//! what each of them takes.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ServerConfig;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What is read at first: a request mostly.
const RECEIVED_BYTES: usize = 4096;
/// What is read where more is to come: a whole record (RFC 8446 §5.2).
const RECORD_BYTES: usize = 16_384 + 256 + 5;
/// The longest handshake message that the library takes, with the records around it.
const RECEIVED_BYTES_MAX: usize = 64 * 1024 + 4 * RECORD_BYTES;
/// What is encrypted at one time, and before the last of it has left: a record (RFC 8446 §5.1).
const PIECE_BYTES_MAX: usize = 16_384;
/// What a record has beside its content.
const RECORD_BYTES_BESIDE: usize = 64;

/// The server's end of a connection over TLS.
pub(crate) struct TlsStream {
    socket: TcpStream,
    connection: UnbufferedServerConnection,
    /// Records that have come: the beginning of one, mostly of none.
    received: Vec<u8>,
    /// What was in those before, as far as nobody has taken it.
    opened: Vec<u8>,
    taken: usize,
    /// Records that have to leave.
    sealed: Vec<u8>,
    sent: usize,
    /// True once the other side has said that it sends nothing more.
    ended: bool,
    /// True once we have said so.
    closed: bool,
    /// True after a fault: the library must not be asked again.
    is_broken: bool,
}

/// What is to be done once the handshake allows it.
#[derive(Clone, Copy)]
enum Wish<'a> {
    Nothing,
    Seal(&'a [u8]),
    Farewell,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The other side has to go on with the handshake.
    Handshake,
    /// The wish is granted.
    Open,
}

impl TlsStream {
    /// The end of a connection that begins with a handshake.
    ///
    /// # Errors
    /// The library takes no connection.
    pub(super) fn new(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let connection = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self {
            socket,
            connection,
            received: Vec::new(),
            opened: Vec::new(),
            taken: 0,
            sealed: Vec::new(),
            sent: 0,
            ended: false,
            closed: false,
            is_broken: false,
        })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// The other side broke it off, or what it said is no TLS that we speak. It has been told.
    pub(super) async fn shake_hands(&mut self) -> io::Result<()> {
        std::future::poll_fn(|context| {
            loop {
                let phase = match self.advance(Wish::Nothing) {
                    Ok(phase) => phase,
                    Err(fault) => {
                        // An alert; whoever does not take it at once goes without.
                        let _ = self.poll_send(context);
                        return Poll::Ready(Err(fault));
                    }
                };
                ready!(self.poll_send(context))?;
                if phase == Phase::Open {
                    return Poll::Ready(Ok(()));
                }
                if ready!(self.poll_receive(context))? == 0 {
                    return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
                }
            }
        })
        .await
    }

    /// The protocol that ALPN has found (RFC 7301).
    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Lets the library see what has come, until it wants more or grants the wish.
    fn advance(&mut self, wish: Wish<'_>) -> io::Result<Phase> {
        if self.is_broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut self.received);
            let phase = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(invalid)?;
                        discard += record.discard;
                        self.opened.extend_from_slice(record.payload);
                    }
                    Ok(None)
                }
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    encode(data, &mut self.sealed).map(|()| None)
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    // It is lined up, and leaves before anything that comes later.
                    data.done();
                    Ok(None)
                }
                Ok(ConnectionState::BlockedHandshake) => Ok(Some(Phase::Handshake)),
                Ok(ConnectionState::WriteTraffic(traffic)) => {
                    grant(traffic, wish, &mut self.sealed).map(|()| Some(Phase::Open))
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.ended = true;
                    Ok(None)
                }
                Ok(ConnectionState::Closed) => {
                    self.ended = true;
                    Ok(Some(Phase::Open))
                }
                // Early data is not offered.
                Ok(_) => Err(ErrorKind::InvalidData.into()),
                Err(fault) => Err(invalid(fault)),
            };
            // The library counts from here on, after a fault too.
            self.received.drain(..discard);
            if self.received.is_empty() {
                self.received = Vec::new();
            }
            match phase {
                Ok(None) => {}
                Ok(Some(phase)) => return Ok(phase),
                Err(fault) => {
                    self.is_broken = true;
                    self.line_up_alert();
                    return Err(fault);
                }
            }
        }
    }

    /// Lines up what the library has to say of a fault: it is what it has first. It remembers
    /// places in what has come, and has to see that again.
    fn line_up_alert(&mut self) {
        let state = self.connection.process_tls_records(&mut self.received).state;
        if let Ok(ConnectionState::EncodeTlsData(data)) = state {
            // It is a courtesy: the connection is over without it too.
            let _ = encode(data, &mut self.sealed);
        }
    }

    /// Reads once from the network. Ready with 0 at its end.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_read_ready(context))?;
            let is_first = self.received.is_empty();
            if self.received.len() > RECEIVED_BYTES_MAX {
                return Poll::Ready(Err(ErrorKind::InvalidData.into()));
            }
            self.received.reserve(if is_first { RECEIVED_BYTES } else { RECORD_BYTES });
            match self.socket.try_read_buf(&mut self.received) {
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => {
                    if is_first {
                        self.received = Vec::new();
                    }
                }
                read => return Poll::Ready(read),
            }
        }
    }

    /// Sends what is lined up.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.sealed.len() {
            let piece = &self.sealed[self.sent..];
            match ready!(Pin::new(&mut self.socket).poll_write(context, piece))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                sent => self.sent += sent,
            }
        }
        self.sealed = Vec::new();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.taken < this.opened.len() {
                let rest = &this.opened[this.taken..];
                let piece = rest.len().min(into.remaining());
                into.put_slice(&rest[..piece]);
                this.taken += piece;
                if this.taken == this.opened.len() {
                    (this.opened, this.taken) = (Vec::new(), 0);
                }
                return Poll::Ready(Ok(()));
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            let read = match this.poll_receive(context) {
                Poll::Ready(read) => read?,
                Poll::Pending => return Poll::Pending,
            };
            if read == 0 {
                // Without a farewell anybody on the way may have cut it off (RFC 8446 §6.1).
                return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
            }
            let advanced = this.advance(Wish::Nothing);
            // What the library has to say by itself leaves when it can.
            if let Poll::Ready(Err(fault)) = this.poll_send(context) {
                return Poll::Ready(Err(fault));
            }
            advanced?;
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        let piece = &bytes[..bytes.len().min(PIECE_BYTES_MAX)];
        this.advance(Wish::Seal(piece))?;
        // What does not leave now leaves before the next piece, or with a flush.
        if let Poll::Ready(Err(fault)) = this.poll_send(context) {
            return Poll::Ready(Err(fault));
        }
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.closed, true) && !this.is_broken {
            this.advance(Wish::Farewell)?;
        }
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.socket).poll_shutdown(context)
    }
}

fn invalid(fault: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, fault)
}

/// Lines up a message of the handshake.
fn encode<T>(mut data: EncodeTlsData<'_, T>, out: &mut Vec<u8>) -> io::Result<()> {
    let before = out.len();
    loop {
        match data.encode(&mut out[before..]) {
            Ok(written) => {
                out.truncate(before + written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(size)) => {
                out.resize(before + size.required_size, 0);
            }
            Err(fault) => return Err(io::Error::other(fault)),
        }
    }
}

/// Lines up what is wished for.
fn grant<T>(mut traffic: WriteTraffic<'_, T>, wish: Wish<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let before = out.len();
    let mut room = match wish {
        Wish::Nothing => return Ok(()),
        Wish::Seal(piece) => piece.len() + RECORD_BYTES_BESIDE,
        Wish::Farewell => RECORD_BYTES_BESIDE,
    };
    loop {
        out.resize(before + room, 0);
        let into = &mut out[before..];
        let written = match wish {
            Wish::Seal(piece) => traffic.encrypt(piece, into),
            Wish::Nothing | Wish::Farewell => traffic.queue_close_notify(into),
        };
        match written {
            Ok(written) => {
                out.truncate(before + written);
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(size)) => room = size.required_size,
            Err(fault) => {
                out.truncate(before);
                return Err(io::Error::other(fault));
            }
        }
    }
}
