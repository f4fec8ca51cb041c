//! As a service: sockets that somebody else has bound, what systemd is told, a new process in the
//! place of the old, and the units.

mod traces;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::support::server::{Options, PATIENCE, Server, await_that};

/// One request on a connection of its own: the status.
fn ask(address: SocketAddr) -> Result<String, std::io::Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream
        .write_all(b"GET /api/users/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

fn signal(server: &Server, name: &str) {
    let id = server.process_id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().expect("kill(1) runs");
    assert!(sent.success(), "{name} could not be sent");
}

#[test]
fn nobody_is_refused_while_a_new_process_takes_over() {
    let mut server = Options::shop().start();
    let address = server.address();
    let ended = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let ended = Arc::clone(&ended);
            std::thread::spawn(move || {
                let mut answers = 0;
                while !ended.load(Ordering::Relaxed) {
                    assert_eq!(ask(address).expect("an answer"), "HTTP/1.1 200 OK");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let before = server.process_id();
    for times in 1..=3 {
        signal(&server, "-USR2");
        await_that("the new process has taken over", || {
            server.log().matches("took over from the process before").count() == times
        });
    }
    ended.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.join().expect("every request was answered") > 0);
    }
    assert_eq!(server.process_id(), before);
    assert!(server.terminate().success());
}

#[test]
fn a_declaration_that_is_refused_is_not_handed_over_to() {
    let mut server = Options::shop().start();
    let declaration = server.home().join("methodical.toml");
    let sound = fs::read_to_string(&declaration).expect("a declaration");
    fs::write(&declaration, format!("{sound}\nfields.x = ")).expect("a broken declaration");
    signal(&server, "-USR2");
    server.await_log("asked to hand over to a new process, and went on instead");
    assert_eq!(ask(server.address()).expect("an answer"), "HTTP/1.1 200 OK");
    assert!(server.terminate().success());
}

#[test]
fn systemd_is_told_how_the_service_does() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time");
    let next = |word: &str| loop {
        let mut text = [0; 512];
        let read = socket.recv(&mut text).expect("systemd is told something");
        let text = String::from_utf8_lossy(&text[..read]).into_owned();
        if text.contains(word) {
            return text;
        }
    };
    let mut server = Options::shop()
        .environment("NOTIFY_SOCKET", path.to_str().expect("a path"))
        .environment("WATCHDOG_USEC", "200000")
        .start();
    let ready = next("READY=1");
    assert!(ready.contains(&format!("STATUS=serving at http://{}", server.address())), "{ready}");
    next("WATCHDOG=1");
    next("WATCHDOG=1");
    signal(&server, "-USR2");
    assert!(next("RELOADING=1").contains("MONOTONIC_USEC="));
    next("READY=1");
    next("WATCHDOG=1");
    assert!(server.terminate().success());
    next("STOPPING=1");
}

/// `systemd-socket-activate` binds the socket, and starts the program with the first connection.
#[test]
fn a_socket_of_systemd_is_taken() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = initialized(home.path(), "api", &["--example", "shop"]);
    // The port is free again at once, and nobody else is given it so soon.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = free.expect("a free port");
    let mut child = Command::new("systemd-socket-activate")
        .args(["--listen", &address.to_string(), "--fdname", "listen"])
        .arg(env!("CARGO_BIN_EXE_methodical"))
        .arg("serve")
        .arg(&dir)
        // Somebody else's address: what is handed over counts.
        .args(["--listen", "127.0.0.1:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("systemd-socket-activate runs: the package systemd has it");
    await_that("the socket is there", || TcpStream::connect(address).is_ok());
    assert_eq!(ask(address).expect("an answer"), "HTTP/1.1 200 OK");
    // Its successor finds the socket at another place.
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-USR2", &id]).status().is_ok_and(|done| done.success()));
    for _ in 0..20 {
        assert_eq!(ask(address).expect("an answer"), "HTTP/1.1 200 OK");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(child.kill());
    drop(child.wait());
}

/// Runs a command of the program: whether it succeeded, its output, and what it said.
fn program(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn service(arguments: &[&str]) -> (bool, String, String) {
    program(&[&["service"], arguments].concat())
}

fn initialized(home: &Path, name: &str, options: &[&str]) -> String {
    let dir = home.join(name).to_str().expect("a path").to_owned();
    let (done, _, err) = program(&[&["init", &dir], options].concat());
    assert!(done, "{err}");
    dir
}

#[test]
fn the_units_are_sound_and_shut() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = initialized(home.path(), "my shop", &[]);
    let units = home.path().join("units");
    fs::create_dir(&units).expect("a folder");
    let to = units.to_str().expect("a path");
    let install = ["install", &dir, "--user", "daemon", "--to", to];
    let (done, out, err) = service(&install);
    assert!(done && out.is_empty(), "{err}");
    assert!(err.contains("systemctl enable --now methodical-my-shop.service"), "{err}");
    let unit = units.join("methodical-my-shop.service");
    let text = fs::read_to_string(&unit).expect("a unit");
    assert!(text.contains(&format!("serve \"{dir}\"")) || text.contains("serve \"/"), "{text}");
    assert!(!text.contains('{') && !text.contains('}'), "{text}");
    let socket = fs::read_to_string(units.join("methodical-my-shop.socket")).expect("a unit");
    assert!(socket.contains("ListenStream=127.0.0.1:8080\nFileDescriptorName=listen"), "{socket}");
    let verified = Command::new("systemd-analyze").arg("verify").arg(&unit).output();
    let verified = verified.expect("systemd-analyze runs: the package systemd has it");
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("methodical"), "{said}");
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&unit)
        .output()
        .expect("systemd-analyze runs");
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
    let (done, _, err) = service(&install);
    assert!(done && err.contains("are as they should be"), "{err}");
    assert!(!units.join("methodical-my-shop-plain.socket").exists());
    fs::write(&unit, "[Service]\nExecStart=/bin/true\n").expect("somebody else's unit");
    let (done, _, err) = service(&install);
    assert!(!done && err.contains("was not written by this command"), "{err}");
}

#[test]
fn what_cannot_be_a_service_is_refused_in_words() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = initialized(home.path(), "api", &[]);
    let (done, out, _) = service(&["show", &dir, "--user", "www", "--name", "api"]);
    assert!(done && out.contains("# api.service") && out.contains("# api.socket"), "{out}");
    for (arguments, word) in [
        (["show", &dir, "--user", "a b", "--name", "api"], "--user a b"),
        (["show", &dir, "--user", "www", "--name", "../api"], "--name ../api"),
        (["install", &dir, "--user", "www", "--to", "/nowhere"], "systemd"),
    ] {
        let (done, _, err) = service(&arguments);
        assert!(!done && err.contains(word), "{arguments:?}: {err}");
    }
    let declaration = Path::new(&dir).join("methodical.toml");
    let text = fs::read_to_string(&declaration).expect("a declaration");
    fs::write(&declaration, format!("listen = \"127.0.0.1:0\"\n{text}")).expect("a change");
    let (done, _, err) = service(&["show", &dir, "--user", "www", "--name", "api"]);
    assert!(!done && err.contains("a port that stay the same"), "{err}");
}

#[test]
fn plain_http_beside_https_has_a_socket_of_its_own() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = initialized(home.path(), "api", &["--domain", "shop.example"]);
    let (done, out, err) = service(&["show", &dir, "--user", "www", "--name", "api"]);
    assert!(done, "{err}");
    for part in [
        "Requires=api.socket api-plain.socket",
        "ListenStream=[::]:443\nFileDescriptorName=listen",
        "# api-plain.socket",
        "ListenStream=[::]:80\nFileDescriptorName=plain",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (done, _, err) = program(&["check", &dir]);
    assert!(done && !err.contains("nothing that is sent there"), "{err}");
}
