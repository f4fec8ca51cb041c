//! Where connections come from.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use engine::report::Scheme;

use super::http1::Answer;
use super::http1::connection::{self, End, Service};
use super::shutdown::Connections;
use super::wire::Wire;
use crate::failure::Failure;
use crate::settings::Origin;

/// How long accepting rests after a failure of the system, such as no free file descriptor.
const REST: Duration = Duration::from_millis(50);

/// Finds the addresses that `listen` means.
///
/// # Errors
/// An address that is none.
pub(crate) fn addresses(listen: &str, origin: &Origin) -> Result<Vec<SocketAddr>, Failure> {
    let found = listen.to_socket_addrs().map_err(|fault| {
        Failure::refused(format!("cannot listen on {listen} (from {origin}): {fault}"))
    })?;
    Ok(found.collect())
}

/// What to say of an address that other machines can reach.
pub(crate) fn warning(address: SocketAddr) -> Option<String> {
    let text = || {
        format!(
            "{address} can be reached from other machines, and what is sent there is not \
             encrypted: passwords and tokens can be read on their way. Put a proxy that speaks TLS \
             in front, let nobody else reach this address, and set `origin` to what browsers see \
             (\"https://…\")."
        )
    };
    (!address.ip().is_loopback()).then(text)
}

/// Binds the first address that can be bound.
///
/// # Errors
/// Says what to do about a port that is taken or not allowed.
pub(crate) async fn bind(addresses: &[SocketAddr], dir: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(addresses).await.map_err(|fault| {
        let shown = addresses.first().map(ToString::to_string).unwrap_or_default();
        let next = format!("    methodical serve {dir} --listen 127.0.0.1:0\n");
        Failure::refused(match fault.kind() {
            ErrorKind::AddrInUse => format!(
                "{shown} is in use by another program, perhaps by another `methodical serve`\n\
                 To take any free port:\n\n{next}"
            ),
            ErrorKind::PermissionDenied => format!(
                "you may not listen on {shown}: ports below 1024 are for administrators\n\
                 To take any free port:\n\n{next}"
            ),
            _ => format!("cannot listen on {shown}: {fault}"),
        })
    })
}

/// Takes a socket that listens already.
///
/// # Errors
/// The system does not give it to this program's threads.
pub(crate) fn adopt(socket: std::net::TcpListener) -> Result<TcpListener, Failure> {
    let adopted = socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket));
    adopted.map_err(|fault| Failure::refused(format!("cannot take the socket over: {fault}")))
}

/// Accepts connections until `stop` is ready, and gives what it was ready with.
pub(crate) async fn accept<A: Answer + 'static, T>(
    listener: &TcpListener,
    service: &Arc<Service<A>>,
    connections: &Arc<Connections>,
    stop: impl Future<Output = T>,
) -> T {
    let places = Arc::new(Semaphore::new(service.settings.connections_max));
    let mut stop = pin!(stop);
    loop {
        let next = async {
            // Beyond the limit, connections wait in the system's queue.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            biased;
            stopped = &mut stop => return stopped,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => serve(stream, peer, service, connections, place),
            Err(fault) => rest(&fault).await,
        }
    }
}

/// Accepts the connections that the system has already accepted.
pub(crate) async fn accept_waiting<A: Answer + 'static>(
    listener: &TcpListener,
    service: &Arc<Service<A>>,
    connections: &Arc<Connections>,
) {
    // `None` and pending: nobody else was on the way.
    while let Some((stream, peer)) = poll_fn(|context| match listener.poll_accept(context) {
        Poll::Ready(accepted) => Poll::Ready(accepted.ok()),
        Poll::Pending => Poll::Ready(None),
    })
    .await
    {
        serve(stream, peer, service, connections, None);
    }
}

/// Serves a connection in a task of its own.
fn serve<A: Answer + 'static>(
    mut stream: TcpStream,
    peer: SocketAddr,
    service: &Arc<Service<A>>,
    connections: &Arc<Connections>,
    place: Option<tokio::sync::OwnedSemaphorePermit>,
) {
    // Without it a small answer could wait for an acknowledgement; with a fault it is only slower.
    let _ = stream.set_nodelay(true);
    let service = Arc::clone(service);
    let stop = connections.enter();
    tokio::spawn(async move {
        let (reader, writer) = stream.split();
        let wire = Wire { peer: Some(peer.ip()), scheme: Scheme::Http };
        if connection::serve(&service, reader, writer, wire, &stop).await == End::Reset {
            // With a fault it only looks like an end in order.
            let _ = stream.set_zero_linger();
        }
        drop(place);
    });
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{addresses, bind, warning};
    use crate::settings::Origin;

    #[test]
    fn what_others_can_reach_is_said() {
        for own in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:80", "localhost:8080"] {
            let found = addresses(own, &Origin::Default).unwrap();
            assert!(found.into_iter().all(|address| warning(address).is_none()), "{own}");
        }
        for open in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[2001:db8::1]:80"] {
            let found = addresses(open, &Origin::Default).unwrap();
            assert!(warning(found[0]).unwrap().contains("not encrypted"), "{open}");
        }
        for bad in ["127.0.0.1", "x"] {
            let failure = addresses(bad, &Origin::Flag("--listen".to_owned())).unwrap_err();
            assert_eq!(failure.code, 1, "{bad}");
            assert!(failure.message.contains("--listen"), "{}", failure.message);
        }
    }

    #[tokio::test]
    async fn a_busy_port_says_what_to_do() {
        let first = bind(&["127.0.0.1:0".parse().unwrap()], "shop").await.unwrap();
        let failure = bind(&[first.local_addr().unwrap()], "shop").await.unwrap_err();
        assert!(failure.message.contains("in use"), "{}", failure.message);
        assert!(failure.message.contains("methodical serve shop --listen 127.0.0.1:0"));
    }
}
