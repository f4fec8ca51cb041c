//! Certificates by ACME, against a real authority: pebble, with its own certificates, its own DNS,
//! and nonces that are bad every now and then.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::json;
use tempfile::TempDir;

use super::support::server::{Options, Server, await_that};

/// Ports that nobody has at the moment.
fn free<const N: usize>() -> [u16; N] {
    let sockets = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    sockets.map(|socket| socket.local_addr().expect("an address").port())
}

/// The authority, and a DNS in which every name leads to this machine.
struct Authority {
    processes: Vec<Child>,
    home: TempDir,
    directory: String,
    said: Arc<Mutex<String>>,
}

impl Authority {
    /// An authority that looks at these ports, and whose certificates last so many seconds.
    fn start(plain: u16, tls: u16, seconds: u64) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let [port, management, dns, challenges] = free();
        let key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let own = CertificateParams::new(names).and_then(|params| params.self_signed(&key));
        let path = |name: &str| home.path().join(name).to_str().expect("a path").to_owned();
        fs::write(path("cert.pem"), own.expect("a certificate").pem()).expect("a file");
        fs::write(path("key.pem"), key.serialize_pem()).expect("a file");
        let config = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": path("cert.pem"),
            "privateKey": path("key.pem"),
            "httpPort": plain,
            "tlsPort": tls,
            "certificateValidityPeriod": seconds,
        }});
        fs::write(path("config.json"), config.to_string()).expect("a file");
        let dns_server = Command::new("pebble-challtestsrv")
            .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""])
            .args(["-dns01", &format!("127.0.0.1:{dns}")])
            .args(["-http01", "", "-https01", "", "-tlsalpn01", ""])
            .args(["-management", &format!("127.0.0.1:{challenges}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pebble-challtestsrv runs: the package pebble has it");
        let mut pebble = Command::new("pebble")
            .args(["-config", &path("config.json"), "-dnsserver", &format!("127.0.0.1:{dns}")])
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "5")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("pebble runs: the package pebble has it");
        let said = Arc::new(Mutex::new(String::new()));
        let (output, heard) = (pebble.stdout.take().expect("a pipe"), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                heard.lock().expect("a log").push_str(&(line + "\n"));
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        await_that("the authority listens", || TcpStream::connect(address).is_ok());
        let directory = format!("https://localhost:{port}/dir");
        Self { processes: vec![pebble, dns_server], home, directory, said }
    }

    /// How many orders were made.
    fn orders(&self) -> usize {
        self.said.lock().expect("a log").matches("Added order").count()
    }

    fn options(&self, plain: u16, tls: u16, challenge: &str) -> Options {
        let roots = self.home.path().join("cert.pem");
        Options::shop()
            .argument("--tls=acme")
            .argument(&format!("--listen=127.0.0.1:{tls}"))
            .set("tls.plain", &format!("127.0.0.1:{plain}"))
            .set("acme.directory", &self.directory)
            .set("acme.names", "shop.example,www.shop.example")
            .set("acme.email", "me@shop.example")
            .set("acme.challenge", challenge)
            .set("acme.retry", "1s")
            .set("outbound.private", "127.0.0.0/8,::1")
            .set("outbound.roots", roots.to_str().expect("a path"))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

/// What a server shows to whoever asks for a name.
fn shown(port: u16, name: &str) -> Vec<CertificateDer<'static>> {
    #[derive(Debug)]
    struct Anything;
    impl rustls::client::danger::ServerCertVerifier for Anything {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            let provider = rustls::crypto::aws_lc_rs::default_provider();
            provider.signature_verification_algorithms.supported_schemes()
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let mut stream = rustls::Stream::new(&mut client, &mut socket);
    let asked = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(asked).expect("a request over TLS");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer over TLS");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    client.peer_certificates().expect("a certificate").to_vec()
}

fn kept(server: &Server) -> PathBuf {
    server.home().join("acme/certificate.pem")
}

fn is_of_authority(chain: &[CertificateDer<'_>]) -> bool {
    // One that we made ourselves stands alone; an authority sends its own along.
    chain.len() > 1
}

fn orders_by(challenge: &str) {
    let [plain, tls] = free();
    let authority = Authority::start(plain, tls, 3600);
    let mut server = authority.options(plain, tls, challenge).start();
    server.await_log("there is a new certificate for shop.example, www.shop.example");
    for name in ["shop.example", "www.shop.example", "elsewhere.example"] {
        assert!(is_of_authority(&shown(tls, name)), "{name}");
    }
    assert_eq!(authority.orders(), 1, "{}", authority.said.lock().expect("a log"));
    private(&kept(&server));
    let before = shown(tls, "shop.example");
    server.kill_and_restart();
    assert_eq!(shown(tls, "shop.example"), before, "what is kept is used");
    assert_eq!(authority.orders(), 1, "and nothing is ordered again");
    assert!(server.terminate().success());
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{} is for its owner alone", path.display());
}

#[test]
fn a_certificate_is_had_over_plain_http() {
    orders_by("http-01");
}

#[test]
fn a_certificate_is_had_over_tls() {
    orders_by("tls-alpn-01");
}

#[test]
fn what_is_near_its_end_is_renewed() {
    let [plain, tls] = free();
    let authority = Authority::start(plain, tls, 6);
    let server = authority.options(plain, tls, "any").start();
    server.await_log("there is a new certificate");
    let first = shown(tls, "shop.example");
    await_that("it is renewed", || authority.orders() > 1 && shown(tls, "shop.example") != first);
    assert!(is_of_authority(&shown(tls, "shop.example")));
}

/// Nobody listens where the authority looks: it is tried again, also after a restart, and served
/// meanwhile.
#[test]
fn what_fails_is_tried_again_and_served_meanwhile() {
    let [plain, tls, nobody] = free();
    let authority = Authority::start(nobody, tls, 3600);
    let mut server = authority.options(plain, tls, "http-01").set("acme.retry", "1h").start();
    server.await_log("the authority looked and did not find us");
    assert!(!is_of_authority(&shown(tls, "shop.example")), "until then one of its own");
    assert!(server.log().contains("port 80 has to be open"), "{}", server.log());
    assert_eq!(authority.orders(), 1);
    server.kill_and_restart();
    assert!(!is_of_authority(&shown(tls, "shop.example")));
    assert_eq!(authority.orders(), 1, "a restart is no reason to ask again");
    drop(server);
    // At last the port is the one that is looked at.
    let server = authority.options(nobody, tls, "http-01").start();
    server.await_log("there is a new certificate");
    assert!(is_of_authority(&shown(tls, "shop.example")));
}

#[test]
fn what_no_authority_can_do_is_refused_at_the_start() {
    for (settings, word) in [
        (&["tls.source=acme"][..], "acme.names"),
        (&["tls.source=acme", "acme.names=*.shop.example"], "cannot be had"),
        (&["tls.source=acme", "acme.names=192.0.2.1"], "cannot be had"),
        (&["tls.source=acme", "acme.names=a.example", "acme.challenge=http-01"], "tls.plain"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let dir = home.path().join("api");
        let run = |arguments: &[&str]| {
            let output = Command::new(env!("CARGO_BIN_EXE_methodical"))
                .args(arguments)
                .stdin(Stdio::null())
                .output()
                .expect("the program runs");
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let dir = dir.to_str().expect("a path");
        assert!(run(&["init", dir]).0);
        let mut arguments = vec!["serve", dir, "--listen", "127.0.0.1:0"];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        let (served, words) = run(&arguments);
        assert!(!served && words.contains(word), "{settings:?}: {words}");
    }
}
