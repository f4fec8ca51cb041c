//! TLS by rustls: version 1.2 and 1.3, with the library's choice of ciphers, and ALPN.

pub(crate) mod certificates;
mod files;
pub(crate) mod pair;
pub(crate) mod self_signed;
mod stream;

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ResolvesServerCert;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use model::setting::Settings;

use self::certificates::Certificates;
use self::files::Files;
use self::self_signed::SelfSigned;
pub(crate) use self::stream::TlsStream;
use crate::failure::Failure;

/// What ALPN calls what we speak, the better first.
const PROTOCOLS: [&[u8]; 3] = [HTTP_2, HTTP_1_1, ACME];
/// What ALPN calls HTTP/1.1 (RFC 7301 §6).
const HTTP_1_1: &[u8] = b"http/1.1";
/// What ALPN calls HTTP/2 (RFC 9113 §3.2).
pub(crate) const HTTP_2: &[u8] = b"h2";
/// What whoever validates a name speaks (RFC 8737 §3).
const ACME: &[u8] = b"acme-tls/1";

/// Everything that handshakes need.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    /// What clients are shown.
    pub(crate) certificates: Arc<Certificates>,
    files: Option<Files>,
    /// How others are told to trust it, where nobody vouches for it.
    pub(crate) trusted_by: Option<String>,
}

impl Tls {
    /// Reads what the settings name; nothing where TLS is off.
    ///
    /// # Errors
    /// Says which file is wrong, and how.
    pub(crate) fn of(
        settings: &Settings,
        dir: &Path,
        host: IpAddr,
    ) -> Result<Option<Self>, Failure> {
        if !settings.has_tls() {
            return Ok(None);
        }
        let certificates = Arc::new(Certificates::default());
        let mut tls = Self {
            config: Arc::new(config(certificates.clone())?),
            certificates,
            files: None,
            trusted_by: None,
        };
        match settings.tls_source.as_str() {
            "self-signed" => {
                let own = SelfSigned::beside(dir);
                let pair = own.pair(host).map_err(Failure::refused)?;
                tls.certificates.exchange(vec![pair.key]);
                tls.trusted_by = Some(own.trusted_by());
            }
            "files" => {
                let files = Files::new(settings, dir);
                let pairs = files.read().map_err(Failure::refused)?;
                files.warn(&pairs);
                tls.certificates.exchange(pairs.into_iter().map(|pair| pair.key).collect());
                tls.files = Some(files);
            }
            // What it needs more is in a module of its own.
            _ => {}
        }
        Ok(Some(tls))
    }

    /// Goes on as long as the server does: reads files again that change.
    pub(crate) async fn follow(&self) {
        match self.files.clone() {
            Some(files) => files.follow(Arc::clone(&self.certificates)).await,
            None => std::future::pending().await,
        }
    }

    /// Shakes hands. `None` where the other side wanted nothing but a name validated.
    ///
    /// # Errors
    /// The handshake failed, or took too long.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        within: Duration,
    ) -> io::Result<Option<Box<TlsStream>>> {
        let shaking = async {
            let mut stream = Box::new(TlsStream::new(stream, Arc::clone(&self.config))?);
            stream.shake_hands().await?;
            if stream.protocol() == Some(ACME) {
                stream.shutdown().await?;
                return Ok(None);
            }
            Ok(Some(stream))
        };
        let shaken = timeout(within, shaking).await;
        shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn config(resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, Failure> {
    let failed = |fault: rustls::Error| Failure::refused(format!("TLS cannot be set up: {fault}"));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    // The strongest of what both have, not what the other happens to name first.
    config.ignore_client_order = true;
    config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
    // Whoever comes back shakes hands faster, and nothing of it is kept here.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(failed)?;
    config.send_tls13_tickets = 1;
    Ok(config)
}
