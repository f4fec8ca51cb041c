//! TLS through curl: certificates that change, several names, the PROXY protocol, and who speaks
//! plain HTTP to a port that does not.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;

use crate::support::answer::Answer;
use crate::support::server::{Options, PATIENCE, Server, await_that};

/// A certificate for a name, with its key, in two files.
fn certificate(home: &Path, file: &str, name: &str) -> String {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]);
    let own = params.and_then(|params| params.self_signed(&key)).expect("a certificate");
    let write = |ending: &str, text: String| {
        let part = home.join(format!("{file}.{ending}.new"));
        fs::write(&part, text).expect("a file");
        fs::rename(&part, home.join(format!("{file}.{ending}"))).expect("a file");
    };
    // The pair does not fit for a moment, as it is with those who renew.
    write("key", key.serialize_pem());
    write("pem", own.pem());
    own.pem()
}

fn curl(server: &Server, name: &str, roots: &Path, arguments: &[&str]) -> Result<String, String> {
    let port = server.address().port();
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "60", "--cacert"])
        .arg(roots)
        .args(["--resolve", &format!("{name}:{port}:127.0.0.1")])
        .args(["--write-out", "\n%{http_code} %{http_version}"])
        .args(arguments)
        .arg(format!("https://{name}:{port}/healthz"))
        .output()
        .expect("curl runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout).lines().last().unwrap_or_default().to_owned()),
        false => Err(text(&output.stderr)),
    }
}

fn with_files(home: &Path) -> Server {
    let options = Options::shop()
        .set("tls.certificate", &format!("{0}/a.pem,{0}/b.pem", home.display()))
        .set("tls.key", &format!("{0}/a.key,{0}/b.key", home.display()));
    options.set("proxies", "127.0.0.1").start()
}

#[test]
fn both_versions_of_both_protocols_are_spoken() {
    let home = tempfile::tempdir().expect("a folder");
    certificate(home.path(), "a", "localhost");
    certificate(home.path(), "b", "shop.example");
    let server = with_files(home.path());
    let (a, b) = (home.path().join("a.pem"), home.path().join("b.pem"));
    assert_eq!(curl(&server, "localhost", &a, &[]).as_deref(), Ok("200 2"));
    assert_eq!(curl(&server, "localhost", &a, &["--http1.1"]).as_deref(), Ok("200 1.1"));
    assert_eq!(curl(&server, "shop.example", &b, &[]).as_deref(), Ok("200 2"), "by its name");
    let older = ["--tls-max", "1.2"];
    assert_eq!(curl(&server, "localhost", &a, &older).as_deref(), Ok("200 2"));
    assert!(curl(&server, "localhost", &a, &["--tls-max", "1.1"]).is_err(), "nothing older");
    assert!(curl(&server, "localhost", &b, &[]).is_err(), "it is for another name");
}

/// A client that takes and gives what it likes, over one version of TLS.
fn client(
    server: &Server,
    certificate: &Path,
    version: &'static rustls::SupportedProtocolVersion,
) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let pem = rustls::pki_types::CertificateDer::from_pem_file(certificate).expect("a certificate");
    roots.add(pem).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let connection = rustls::ClientConnection::new(Arc::new(config), name).expect("a connection");
    let socket = TcpStream::connect(server.address()).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time");
    socket.set_write_timeout(Some(PATIENCE)).expect("a time");
    rustls::StreamOwned::new(connection, socket)
}

#[test]
fn much_goes_both_ways_whole_at_any_pace() {
    const RECORDS: usize = 3000;
    let home = tempfile::tempdir().expect("a folder");
    certificate(home.path(), "a", "localhost");
    certificate(home.path(), "b", "shop.example");
    let server = with_files(home.path());
    let certificate = home.path().join("a.pem");
    let (host, key) = ("Host: localhost\r\nConnection: close\r\n", server.admin_key());
    let text = "x".repeat(4000);
    let record = format!(r#"{{"name":"N","category":"much","price":1,"description":"{text}"}}"#);
    let many = format!("{record}\n").repeat(RECORDS);
    for (round, version) in [&rustls::version::TLS12, &rustls::version::TLS13].iter().enumerate() {
        let mut sender = client(&server, &certificate, version);
        let head = format!(
            "POST /api/products HTTP/1.1\r\n{host}Authorization: Bearer {key}\r\n\
             Content-Type: application/x-ndjson\r\nPrefer: return=minimal\r\n\
             Content-Length: {}\r\n\r\n",
            many.len()
        );
        sender.write_all(head.as_bytes()).expect("a head");
        // Pieces that end anywhere, in records and between them.
        for piece in many.as_bytes().chunks(70_001) {
            sender.write_all(piece).expect("content");
        }
        sender.flush().expect("content");
        let mut answer = String::new();
        sender.read_to_string(&mut answer).expect("an answer, and its end in order");
        assert!(answer.starts_with("HTTP/1.1 201"), "{version:?}: {answer}");
        let mut reader = client(&server, &certificate, version);
        let asked = "GET /api/products?category=much HTTP/1.1\r\nHost: localhost\r\n\
                     Accept: application/x-ndjson\r\n\r\n";
        reader.write_all(asked.as_bytes()).expect("a request");
        let mut all = Vec::new();
        let mut piece = vec![0; 300_000];
        // The connection is kept: what the server still has leaves without an end of it.
        while !all.ends_with(b"\r\n0\r\n\r\n") {
            // The server is always ahead of its reader.
            std::thread::sleep(std::time::Duration::from_millis(2));
            let read = reader.read(&mut piece).expect("content");
            assert!(read > 0, "{version:?}: it ended before the content did");
            all.extend_from_slice(&piece[..read]);
        }
        let answer = Answer::parse(&all, "GET", false).expect("an answer").expect("all of it").0;
        let records = answer.text().matches(&text).count();
        assert_eq!(records, RECORDS * (round + 1), "{version:?}");
    }
}

#[test]
fn a_certificate_that_changes_is_read_again() {
    let home = tempfile::tempdir().expect("a folder");
    certificate(home.path(), "a", "localhost");
    certificate(home.path(), "b", "shop.example");
    let server = with_files(home.path());
    let old = home.path().join("old.pem");
    fs::copy(home.path().join("a.pem"), &old).expect("a copy");
    fs::write(home.path().join("a.pem"), "no certificate").expect("a broken file");
    server.await_log("the one before stays");
    assert_eq!(curl(&server, "localhost", &old, &[]).as_deref(), Ok("200 2"));
    certificate(home.path(), "a", "localhost");
    let new = home.path().join("a.pem");
    await_that("the new one is shown", || curl(&server, "localhost", &new, &[]).is_ok());
    assert!(curl(&server, "localhost", &old, &[]).is_err());
}

#[test]
fn plain_http_is_told_where_to_go() {
    let home = tempfile::tempdir().expect("a folder");
    certificate(home.path(), "a", "localhost");
    certificate(home.path(), "b", "shop.example");
    let server = with_files(home.path());
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("https://"), "{answer}");
    // Nonsense is nobody's handshake.
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream.write_all(&[0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]).expect("bytes");
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest));
    let a = home.path().join("a.pem");
    assert_eq!(curl(&server, "localhost", &a, &[]).as_deref(), Ok("200 2"));
}

#[test]
fn a_handshake_that_goes_wrong_in_its_middle_is_told_so_by_an_alert() {
    let home = tempfile::tempdir().expect("a folder");
    certificate(home.path(), "a", "localhost");
    certificate(home.path(), "b", "shop.example");
    let server = with_files(home.path());
    // The beginning of a ClientHello of 512 bytes, in one record or in two.
    let begun = [0x16, 3, 1, 0, 8, 1, 0, 2, 0, 3, 3, 7, 7];
    let more = [0x16, 3, 1, 0, 4, 7, 7, 7, 7];
    // The library tells a peer what is wrong with its records, but not what is wrong with their
    // order; then the connection just ends.
    for (wrong, is_told) in [
        (&[0x99, 3, 3, 0, 1, 0][..], true),    // no type of a record
        (&[0x16, 9, 9, 0, 1, 0], true),        // no version
        (&[0x16, 3, 3, 0xff, 0xff, 0], true),  // a record that is too long
        (&[0x17, 3, 3, 0, 3, 1, 2, 3], false), // data before there are keys
        (&[0x14, 3, 3, 0, 1, 1], false),       // a change of ciphers in a message
        (&[0x15, 3, 3, 0, 2, 2, 40], false),   // an alert in a message
    ] {
        for start in [begun.to_vec(), [&begun[..], &more].concat()] {
            let mut stream = TcpStream::connect(server.address()).expect("a connection");
            stream.set_read_timeout(Some(PATIENCE)).expect("a time");
            stream.write_all(&[&start[..], wrong].concat()).expect("bytes");
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).expect("the end of it");
            let alert = (rest.first(), rest.len());
            let expected = if is_told { (Some(&0x15), 7) } else { (None, 0) };
            assert_eq!(alert, expected, "{wrong:?} behind {start:?}: {rest:?}");
        }
    }
    let a = home.path().join("a.pem");
    assert_eq!(curl(&server, "localhost", &a, &[]).as_deref(), Ok("200 2"));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start() {
    let home = tempfile::tempdir().expect("a folder");
    certificate(home.path(), "a", "localhost");
    certificate(home.path(), "b", "shop.example");
    let path = |name: &str| home.path().join(name).display().to_string();
    for (settings, word) in [
        (vec![("tls.certificate", path("a.pem"))], "tls.key"),
        (vec![("tls.certificate", path("no.pem")), ("tls.key", path("a.key"))], "no.pem"),
        (
            vec![("tls.certificate", path("a.pem")), ("tls.key", path("b.key"))],
            "not the private key",
        ),
        (
            vec![("tls.certificate", path("a.key")), ("tls.key", path("a.key"))],
            "no certificate in it",
        ),
        (vec![("tls.plain", "127.0.0.1:0".to_owned())], "tls.source"),
        (vec![("proxy_protocol", "on".to_owned())], "proxies"),
    ] {
        let dir = home.path().join("api");
        let _ = fs::remove_dir_all(&dir);
        let run = |arguments: &[String]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_methodical"));
            let output = command.args(arguments).output().expect("the program runs");
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let dir = dir.display().to_string();
        assert!(run(&["init".to_owned(), dir.clone()]).0);
        let mut arguments = vec!["serve".to_owned(), dir, "--listen=127.0.0.1:0".to_owned()];
        for (key, value) in &settings {
            arguments.push(format!("--set={key}={value}"));
        }
        let (served, words) = run(&arguments);
        assert!(!served && words.contains(word), "{settings:?}: {words}");
    }
}

#[test]
fn a_proxy_says_who_has_connected() {
    let server = Options::shop()
        .set("proxies", "127.0.0.1")
        .set("proxy_protocol", "on")
        .set("limits.reads_per_address", "2")
        .start();
    let ask = |said: &[u8]| {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.write_all(said).expect("bytes");
        let request = b"GET /api/users/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        // Whoever has ended the connection takes nothing more.
        drop(stream.write_all(request));
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        answer.lines().next().unwrap_or_default().to_owned()
    };
    let first = b"PROXY TCP4 192.0.2.1 127.0.0.1 1234 80\r\n";
    assert_eq!(ask(first), "HTTP/1.1 200 OK");
    assert_eq!(ask(first), "HTTP/1.1 200 OK");
    assert_eq!(ask(first), "HTTP/1.1 429 Too Many Requests");
    let second =
        [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &[192, 0, 2, 2, 127, 0, 0, 1, 1, 2, 0, 80]]
            .concat();
    assert_eq!(ask(&second), "HTTP/1.1 200 OK", "another address");
    assert_eq!(ask(b""), "", "without it nobody is served");
    assert_eq!(ask(b"PROXY nonsense\r\n"), "");
}

#[test]
fn one_address_has_so_many_connections() {
    let server = Options::shop()
        .set("proxies", "127.0.0.1")
        .set("proxy_protocol", "on")
        .set("limits.connections_per_address", "3")
        .start();
    let connect = |address: &str| {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let said = format!("PROXY TCP4 {address} 127.0.0.1 1234 80\r\n");
        stream.write_all(said.as_bytes()).expect("bytes");
        drop(stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("an answer");
        (stream, String::from_utf8_lossy(&status).into_owned())
    };
    let kept: Vec<_> = (0..3).map(|_| connect("192.0.2.1")).collect();
    assert!(kept.iter().all(|(_, status)| status == "HTTP/1.1 200"));
    assert_eq!(connect("192.0.2.1").1, "HTTP/1.1 429");
    assert_eq!(connect("192.0.2.2").1, "HTTP/1.1 200", "somebody else");
    drop(kept);
    await_that("there is room again", || connect("192.0.2.1").1 == "HTTP/1.1 200");
}
