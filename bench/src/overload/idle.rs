//! What a connection takes that does nothing: each has asked for one record before.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::Bound;
use crate::measure::{Effort, median};
use crate::process::{Launcher, Server};
use crate::requests;

pub(super) const PLAIN: &str = "memory of an idle connection, plain HTTP";
pub(super) const TLS: &str = "memory of an idle connection, HTTPS";

/// Connections that idle.
const NUMBER: usize = 10_000;
/// Kibibytes that each may take.
const MOST: f64 = 8.0;
/// They idle longer than they usually may, and are more.
const PATIENT: [&str; 2] = ["timeouts.idle=10m", "limits.connections=12000"];
/// How long the server is left alone before its memory is looked at.
const PAUSE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection of either kind.
trait Link: Read + Write {}
impl<T: Read + Write> Link for T {}

/// Opens them all, in every round on a fresh server.
pub(super) fn measure(
    launcher: &Launcher,
    database: &Path,
    effort: Effort,
    over_tls: bool,
) -> Result<Bound, String> {
    let mut each = Vec::new();
    for _ in 0..effort.rounds {
        let source = over_tls.then_some("tls.source=self-signed");
        let settings: Vec<_> = PATIENT.into_iter().chain(source).collect();
        let server = launcher.ours_with(database, &settings)?;
        let config = over_tls.then(|| config(&launcher.declaration)).transpose()?;
        each.push(one(&server, config.map(Arc::new).as_ref())?);
        server.stop()?;
    }
    let worst = each.iter().copied().fold(0.0, f64::max);
    let name = if over_tls { TLS } else { PLAIN };
    Ok(Bound { name, number: NUMBER as u64, value: (median(each), worst), unit: "KiB", most: MOST })
}

/// One round; over TLS where there is a configuration of it.
fn one(server: &Server, config: Option<&Arc<ClientConfig>>) -> Result<f64, String> {
    let open = || -> Result<Box<dyn Link>, String> {
        let socket = TcpStream::connect(server.address).map_err(|error| {
            format!("{error}; `ulimit -n` has to allow {NUMBER} files and some more")
        })?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        let mut link: Box<dyn Link> = if let Some(config) = config {
            let name = ServerName::from(server.address.ip());
            let connection = ClientConnection::new(Arc::clone(config), name);
            Box::new(StreamOwned::new(connection.map_err(|error| error.to_string())?, socket))
        } else {
            Box::new(socket)
        };
        link.write_all(&requests::get(&requests::item(7), ""))
            .map_err(|error| error.to_string())?;
        let mut start = [0; 12];
        link.read_exact(&mut start).map_err(|error| error.to_string())?;
        if !start.ends_with(b"200") {
            return Err(format!("an answer begins {:?}", String::from_utf8_lossy(&start)));
        }
        Ok(link)
    };
    // What the first of all need stays.
    let first: Result<Vec<_>, String> = (0..50).map(|_| open()).collect();
    drop(first?);
    std::thread::sleep(PAUSE);
    let before = server.memory()?;
    let idle: Result<Vec<_>, String> = (0..NUMBER).map(|_| open()).collect();
    let idle = idle?;
    std::thread::sleep(PAUSE);
    let more = server.memory()? - before;
    drop(idle);
    Ok(more * 1e6 / 1024.0 / NUMBER as f64)
}

/// A client of the server's own certificate, which it has written beside its declaration.
fn config(declaration: &Path) -> Result<ClientConfig, String> {
    let path = declaration.join("self-signed.pem");
    let certificate = CertificateDer::from_pem_file(&path);
    let certificate = certificate.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(|error| error.to_string())?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // Every handshake is a whole one.
    config.resumption = Resumption::disabled();
    Ok(config)
}
