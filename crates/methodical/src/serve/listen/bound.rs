//! The sockets of a server: bound here, by systemd, or by the process before.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;

use model::setting::Settings;

use super::receive::Door;
use super::{addresses, adopt, bind};
use crate::command::shown;
use crate::failure::Failure;
use crate::serve::handover::Sockets;
use crate::serve::inherit::Inherited;
use crate::serve::metrics;
use crate::serve::tls::Tls;
use crate::settings::Resolved;

/// The sockets that are listened to.
pub(crate) struct Bound {
    /// That of the API, and the one for plain HTTP beside it where it speaks TLS.
    pub(crate) doors: Vec<Door>,
    /// That of `/metrics`.
    pub(crate) metrics: Option<TcpListener>,
    /// All of them, to be handed over.
    pub(crate) sockets: Sockets,
    /// What is needed for TLS.
    pub(crate) tls: Option<Arc<Tls>>,
}

/// Binds what was not bound before.
///
/// # Errors
/// Says what to do about an address that cannot be had, or a certificate that cannot be read.
pub(crate) async fn bind_all(
    resolved: &Resolved,
    inherited: &mut Inherited,
    dir: &Path,
) -> Result<Bound, Failure> {
    let settings = &resolved.settings;
    let named = shown(dir);
    let main = match inherited.take("listen") {
        Some(socket) => adopt(socket)?,
        None => {
            let origin = resolved.origin("listen");
            bind(&addresses(&settings.listen, &origin)?, &named).await?
        }
    };
    let failed = |fault: std::io::Error| Failure::refused(format!("a socket is lost: {fault}"));
    let host = main.local_addr().map_err(failed)?.ip();
    let tls = Tls::of(settings, dir, host)?.map(Arc::new);
    let mut sockets = Sockets::default();
    sockets.keep("listen", &main).map_err(failed)?;
    let mut doors = vec![(main, tls.clone())];
    if let Some(address) = &settings.tls_plain {
        let plain = match inherited.take("plain") {
            Some(socket) => adopt(socket)?,
            None => {
                let origin = resolved.origin("tls.plain");
                bind(&addresses(address, &origin)?, &named).await?
            }
        };
        sockets.keep("plain", &plain).map_err(failed)?;
        doors.push((plain, None));
    }
    let metrics = match (&settings.metrics_listen, inherited.take("metrics")) {
        (Some(_), Some(socket)) => Some(adopt(socket)?),
        (Some(listen), None) => {
            Some(metrics::bind(listen, &resolved.origin("metrics.listen")).await?)
        }
        (None, _) => None,
    };
    if let Some(own) = &metrics {
        sockets.keep("metrics", own).map_err(failed)?;
    }
    Ok(Bound { doors, metrics, sockets, tls })
}

/// The URL that a browser on this machine would use.
pub(crate) fn base_url(address: SocketAddr, settings: &Settings) -> String {
    match (&settings.origin, settings.has_tls()) {
        (Some(origin), true) if settings.tls_source != "self-signed" => origin.clone(),
        (_, false) => format!("http://{address}"),
        // A name, because a certificate may be for no address.
        (_, true) if address.ip().is_loopback() => format!("https://localhost:{}", address.port()),
        (_, true) => format!("https://{address}"),
    }
}
