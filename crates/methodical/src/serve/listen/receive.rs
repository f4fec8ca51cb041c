//! How a connection is received: counted, asked who it is for where a proxy brings it, and given to
//! who speaks its protocol.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use contract::problem::{Kind, Problem};
use engine::report::Scheme;
use http::HeaderValue;
use http::header::RETRY_AFTER;

use super::gate::{Full, Gate, Place};
use super::proxy_protocol;
use crate::serve::http1::Answer;
use crate::serve::http1::connection::{self, End, Service};
use crate::serve::http2;
use crate::serve::shutdown::{Connections, Stop};
use crate::serve::tls::{HTTP_2, Tls, TlsStream};
use crate::serve::wire::Wire;

/// How long accepting rests after a failure of the system, such as no free file descriptor.
const REST: Duration = Duration::from_millis(50);
/// Most connections at one time that are told that there is no place; beyond, they just end.
const REFUSALS_MAX: usize = 256;
/// How HTTP/2 begins (RFC 9113 §3.4); as much of it as tells it from everything else.
const PREFACE: [u8; 4] = *b"PRI ";
/// How long a client is given to send more of it.
const PEEK_PAUSE: Duration = Duration::from_millis(5);
/// What a TLS record of a handshake begins with (RFC 8446 §5.1).
const HANDSHAKE: u8 = 0x16;

/// What connections come in by.
pub(crate) struct Entrance<A> {
    /// Who answers them.
    pub(crate) service: Arc<Service<A>>,
    /// Counts them, so that they can be told to end.
    pub(crate) connections: Arc<Connections>,
    gate: Arc<Gate>,
    refusals: Arc<Semaphore>,
}

impl<A: Answer + 'static> Entrance<A> {
    /// An entrance to a service.
    pub(crate) fn new(service: &Arc<Service<A>>, connections: &Arc<Connections>) -> Arc<Self> {
        Arc::new(Self {
            service: Arc::clone(service),
            connections: Arc::clone(connections),
            gate: Gate::new(&service.settings),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
        })
    }

    /// Receives a connection in a task of its own.
    fn receive(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, tls: Option<&Arc<Tls>>) {
        // Without it a small answer could wait for an acknowledgement; with a fault it is only
        // slower.
        let _ = stream.set_nodelay(true);
        let (entrance, tls) = (Arc::clone(self), tls.cloned());
        let stop = self.connections.enter();
        let wire = Wire { peer: Some(peer.ip().to_canonical()), scheme: Scheme::Http };
        match self.gate.enter() {
            Ok(place) => {
                tokio::spawn(async move { entrance.welcome(stream, wire, tls, stop, place).await });
            }
            Err(full) => {
                tokio::spawn(
                    async move { entrance.turn_away(stream, wire, tls, stop, full).await },
                );
            }
        }
    }

    /// Finds out who has connected, and serves it.
    async fn welcome(
        &self,
        mut stream: TcpStream,
        mut wire: Wire,
        tls: Option<Arc<Tls>>,
        stop: Stop,
        mut place: Place,
    ) {
        let settings = &self.service.settings;
        let by_proxy = wire.peer.is_some_and(|peer| settings.proxies.contain(peer));
        if by_proxy && settings.proxy_protocol == "on" {
            let said =
                timeout(settings.first_byte_timeout, proxy_protocol::read(&mut stream)).await;
            let said = match said {
                Ok(Ok(said)) => said,
                Ok(Err(fault)) if fault.kind() == ErrorKind::InvalidData => {
                    tracing::warn!("a connection was ended: {fault}");
                    return;
                }
                Ok(Err(_)) | Err(_) => return,
            };
            wire.scheme = said.scheme;
            wire.peer = said.client.or(wire.peer);
        }
        // A proxy brings many clients; whom it names is counted.
        let counted = wire.peer.filter(|peer| !settings.proxies.contain(*peer));
        if let Some(Err(full)) = counted.map(|peer| place.count(peer)) {
            drop(place);
            return Box::pin(self.turn_away(stream, wire, tls, stop, full)).await;
        }
        // Each way is as long as itself, and no connection has room for the longest.
        match tls {
            Some(tls) => Box::pin(self.welcome_over_tls(stream, wire, &tls, &stop)).await,
            None if by_proxy && begins_http_2(&stream, settings.first_byte_timeout).await => {
                Box::pin(http2::connection::serve(&self.service, stream, wire, &stop)).await;
            }
            None => Box::pin(self.serve_plain(stream, wire, &stop)).await,
        }
    }

    async fn serve_plain(&self, mut stream: TcpStream, wire: Wire, stop: &Stop) {
        let (reader, writer) = stream.split();
        if connection::serve(&self.service, reader, writer, wire, stop).await == End::Reset {
            // With a fault it only looks like an end in order.
            let _ = stream.set_zero_linger();
        }
    }

    async fn welcome_over_tls(&self, stream: TcpStream, wire: Wire, tls: &Tls, stop: &Stop) {
        // What the handshake needs is not kept as long as the connection is.
        let Some(stream) = Box::pin(self.shake_hands(stream, wire, tls, stop)).await else {
            return;
        };
        let wire = Wire { scheme: Scheme::Https, ..wire };
        if stream.protocol() == Some(HTTP_2) {
            return Box::pin(http2::connection::serve(&self.service, stream, wire, stop)).await;
        }
        let (reader, writer) = tokio::io::split(stream);
        // Without `close_notify` every end that is not in order looks like one that is not.
        Box::pin(connection::serve(&self.service, reader, writer, wire, stop)).await;
    }

    /// Shakes hands. `None` where nobody is there to be served.
    async fn shake_hands(
        &self,
        mut stream: TcpStream,
        wire: Wire,
        tls: &Tls,
        stop: &Stop,
    ) -> Option<Box<TlsStream>> {
        let settings = &self.service.settings;
        let mut first = [0];
        match timeout(settings.first_byte_timeout, stream.peek(&mut first)).await {
            Ok(Ok(1)) if first == [HANDSHAKE] => {}
            Ok(Ok(1)) if first[0].is_ascii_alphabetic() => {
                let detail = "This port speaks HTTPS, and the request came in plain HTTP. Nothing \
                              was done; write https:// in the place of http://.";
                let problem = Problem::new(Kind::HttpsRequired, detail);
                let (reader, writer) = stream.split();
                connection::refuse(&self.service, reader, writer, wire, stop, problem).await;
                return None;
            }
            _ => return None,
        }
        let shaken = tls.accept(stream, settings.head_timeout).await;
        // Most failures are scanners, and clients that do not trust the certificate.
        let shaken = shaken.inspect_err(|fault| tracing::debug!(%fault, "a handshake failed"));
        shaken.ok().flatten()
    }

    /// Says that there is no place, where that can be said, and ends the connection.
    async fn turn_away(
        &self,
        mut stream: TcpStream,
        wire: Wire,
        tls: Option<Arc<Tls>>,
        stop: Stop,
        full: Full,
    ) {
        let Ok(_turn) = self.refusals.try_acquire() else { return };
        // A handshake is what costs most: nobody gets one only to be turned away.
        if tls.is_some() {
            return;
        }
        let (kind, detail) = match full {
            Full::All => (
                Kind::Unavailable,
                "There are as many connections to this server as it takes. Nothing was done; try \
                 again after a second.",
            ),
            Full::Each => (
                Kind::TooManyRequests,
                "There are as many connections from your address as this server takes. Nothing \
                 was done; use those that are open, or close some.",
            ),
        };
        let problem =
            Problem::new(kind, detail).with_field(RETRY_AFTER, HeaderValue::from_static("1"));
        let (reader, writer) = stream.split();
        connection::refuse(&self.service, reader, writer, wire, &stop, problem).await;
    }
}

/// True where a client begins with HTTP/2 without asking, because it knows that we speak it
/// (RFC 9113 §3.3). No method of HTTP/1.1 begins like that.
async fn begins_http_2(stream: &TcpStream, within: Duration) -> bool {
    let mut first = [0; PREFACE.len()];
    let looking = async {
        loop {
            match stream.peek(&mut first).await {
                Ok(read)
                    if read < first.len() && read > 0 && PREFACE.starts_with(&first[..read]) =>
                {
                    tokio::time::sleep(PEEK_PAUSE).await;
                }
                Ok(_) => return first == PREFACE,
                Err(_) => return false,
            }
        }
    };
    timeout(within, looking).await.unwrap_or(false)
}

/// A socket that is listened to, and what is spoken there.
pub(crate) type Door = (TcpListener, Option<Arc<Tls>>);

/// Accepts connections until `stop` is ready, and gives what it was ready with.
pub(crate) async fn accept<A: Answer + 'static, T>(
    doors: &[Door],
    entrance: &Arc<Entrance<A>>,
    stop: impl Future<Output = T>,
) -> T {
    let mut stop = pin!(stop);
    loop {
        let next = poll_fn(|context| {
            let mut ready = doors.iter().map(|(socket, tls)| (socket.poll_accept(context), tls));
            ready
                .find_map(|(accepted, tls)| match accepted {
                    Poll::Ready(accepted) => Some(Poll::Ready((accepted, tls))),
                    Poll::Pending => None,
                })
                .unwrap_or(Poll::Pending)
        });
        let (accepted, tls) = tokio::select! {
            biased;
            stopped = &mut stop => return stopped,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => entrance.receive(stream, peer, tls.as_ref()),
            Err(fault) => rest(&fault).await,
        }
    }
}

/// Accepts the connections that the system has already accepted.
pub(crate) async fn accept_waiting<A: Answer + 'static>(
    doors: &[Door],
    entrance: &Arc<Entrance<A>>,
) {
    for (socket, tls) in doors {
        // `None` and pending: nobody else was on the way.
        while let Some((stream, peer)) = poll_fn(|context| match socket.poll_accept(context) {
            Poll::Ready(accepted) => Poll::Ready(accepted.ok()),
            Poll::Pending => Poll::Ready(None),
        })
        .await
        {
            entrance.receive(stream, peer, tls.as_ref());
        }
    }
}

/// Waits after a failed accept, unless only that one connection failed.
async fn rest(fault: &io::Error) {
    let of_connection = matches!(
        fault.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    );
    if !of_connection {
        tracing::error!(%fault, "a connection could not be accepted");
        tokio::time::sleep(REST).await;
    }
}
