//! Where connections come from: addresses and sockets, and how each connection is received.

mod bound;
mod gate;
mod proxy_protocol;
mod receive;

use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs};

use model::setting::Settings;
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::settings::Origin;

pub(crate) use bound::{Bound, base_url, bind_all};
pub(crate) use receive::{Door, Entrance, accept, accept_waiting};

/// Connections that may wait to be accepted; the system lowers it to its own limit. Others try
/// again after a second, which a hundred that come at once must not have to.
const BACKLOG: i32 = 4096;

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

/// What to say of an address that other machines can reach in the clear.
pub(crate) fn warning(address: SocketAddr, settings: &Settings) -> Option<String> {
    let text = || {
        format!(
            "{address} can be reached from other machines, and nothing that is sent there is \
             encrypted. Who comes from another machine with a password or a token is refused. Set \
             `tls.source`, or put a proxy that speaks TLS in front and declare it (`proxies`)."
        )
    };
    (!settings.has_tls() && !address.ip().is_loopback()).then(text)
}

/// Binds the first address that can be bound.
///
/// # Errors
/// Says what to do about a port that is taken or not allowed.
pub(crate) async fn bind(addresses: &[SocketAddr], dir: &str) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(addresses).await.and_then(|socket| {
        rustix::net::listen(&socket, BACKLOG)?;
        Ok(socket)
    });
    bound.map_err(|fault| {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{addresses, bind, warning};
    use crate::settings::Origin;
    use model::setting::Settings;

    #[test]
    fn what_others_can_reach_is_said() {
        let plain = Settings::default();
        let mut encrypted = Settings::default();
        encrypted.set("tls.source", "self-signed").unwrap();
        for own in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:80", "localhost:8080"] {
            let found = addresses(own, &Origin::Default).unwrap();
            assert!(found.into_iter().all(|address| warning(address, &plain).is_none()), "{own}");
        }
        for open in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[2001:db8::1]:80"] {
            let found = addresses(open, &Origin::Default).unwrap();
            assert!(warning(found[0], &plain).unwrap().contains("encrypted"), "{open}");
            assert!(warning(found[0], &encrypted).is_none(), "{open}");
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
