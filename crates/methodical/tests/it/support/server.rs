//! The real program, started on a folder of its own and killed when the test is over.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::client::Client;

/// How long a thing may take that is certain to happen. Long, for a machine under load; nothing
/// waits for all of it unless the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is started.
#[derive(Clone, Default)]
pub(crate) struct Options {
    declaration: Option<PathBuf>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Options {
    /// The shop of the repository.
    pub(crate) fn shop() -> Self {
        Self::folder(&repository().join("examples/shop"))
    }

    /// The declaration that has every kind of field and rule (`support/lab`).
    pub(crate) fn lab() -> Self {
        Self::folder(&tests().join("support/lab"))
    }

    /// A copy of any folder with a declaration.
    pub(crate) fn folder(folder: &Path) -> Self {
        Self { declaration: Some(folder.to_owned()), ..Self::default() }
    }

    /// `--set KEY=VALUE`.
    pub(crate) fn set(self, key: &str, value: &str) -> Self {
        self.argument("--set").argument(&format!("{key}={value}"))
    }

    /// One more argument of `serve`.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// A variable of its environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Copies the declaration into a fresh folder and starts the program there.
    pub(crate) fn start(self) -> Server {
        let home = tempfile::Builder::new().prefix("methodical-it-").tempdir().expect("a folder");
        if let Some(from) = &self.declaration {
            copy(from, home.path());
        }
        let process = Process::start(home.path(), &self);
        let path = home.path().to_owned();
        Server { process: Some(process), home: path, _own: Some(home), options: self }
    }
}

/// A server in a folder.
pub(crate) struct Server {
    process: Option<Process>,
    home: PathBuf,
    /// The folder that goes with it.
    _own: Option<TempDir>,
    options: Options,
}

impl Server {
    /// A server in a folder that somebody else keeps.
    pub(crate) fn over(home: &Path, options: Options) -> Self {
        let process = Some(Process::start(home, &options));
        Self { process, home: home.to_owned(), _own: None, options }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running().address
    }

    /// Where the declaration and the database are.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.home.join("data.db")
    }

    /// A client of this server.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// A client that sends an API key or a token.
    pub(crate) fn client_as(&self, token: &str) -> Client {
        self.client().bearing(token)
    }

    /// A client that may do everything.
    pub(crate) fn admin(&self) -> Client {
        self.client_as(&self.admin_key())
    }

    /// The key that the first start wrote beside the database, for nobody else to read.
    pub(crate) fn admin_key(&self) -> String {
        let key =
            fs::read_to_string(self.home.join("admin.key")).expect("the key of the first start");
        key.trim().to_owned()
    }

    /// All that it has written so far to standard output and standard error.
    pub(crate) fn log(&self) -> String {
        self.running().written.lock().expect("a log").clone()
    }

    /// Waits until it has written a text.
    pub(crate) fn await_log(&self, text: &str) {
        let start = Instant::now();
        while !self.log().contains(text) {
            let log = self.log();
            assert!(start.elapsed() < PATIENCE, "the log does not say {text:?}:\n{log}");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// The id of its process.
    pub(crate) fn process_id(&self) -> u32 {
        self.running().child.id()
    }

    /// Ends it as a power cut would (SIGKILL), and starts it again on the same folder.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        self.restart();
    }

    /// Ends it as a power cut would (SIGKILL).
    pub(crate) fn kill(&mut self) {
        // Dropping the process kills it and waits for it.
        self.process = None;
    }

    /// Starts it again on the same folder, on another port.
    pub(crate) fn restart(&mut self) {
        self.process = None;
        self.process = Some(Process::start(&self.home, &self.options));
    }

    /// Sends SIGTERM and waits for its end.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the server runs");
        let id = process.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill(1) runs");
        assert!(sent.success(), "SIGTERM could not be sent");
        process.wait()
    }

    /// Waits for its end, which something else has asked for.
    pub(crate) fn await_end(&mut self) -> ExitStatus {
        self.process.take().expect("the server runs").wait()
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("the server runs")
    }
}

struct Process {
    child: Child,
    address: SocketAddr,
    written: Arc<Mutex<String>>,
}

impl Process {
    fn start(home: &Path, options: &Options) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_methodical"))
            .arg("serve")
            .arg(home)
            .args(listening(options))
            .args(&options.arguments)
            .args(seeded())
            .envs(options.environment.iter().cloned().collect::<HashMap<_, _>>())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let written = Arc::new(Mutex::new(String::new()));
        let (found, addresses) = channel();
        follow(child.stdout.take().expect("a pipe"), written.clone(), found.clone());
        follow(child.stderr.take().expect("a pipe"), written.clone(), found);
        let address = match first(&addresses) {
            Some(address) => address,
            None => {
                drop(child.kill());
                drop(child.wait());
                panic!("the server did not print an address:\n{}", written.lock().expect("a log"));
            }
        };
        Self { child, address, written }
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the server did not end");
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Any free port, where the test does not say which.
fn listening(options: &Options) -> &'static [&'static str] {
    let said = options.arguments.iter().any(|argument| argument.starts_with("--listen"));
    if said { &[] } else { &["--listen", "127.0.0.1:0"] }
}

/// The fault that `make mutants` has chosen for this run.
fn seeded() -> Vec<String> {
    let chosen = std::env::var("METHODICAL_FAULT").ok().filter(|_| cfg!(feature = "faults"));
    chosen.map_or_else(Vec::new, |name| vec!["--fault".to_owned(), name])
}

fn first(addresses: &Receiver<SocketAddr>) -> Option<SocketAddr> {
    // An end of both streams ends the wait early: the program is gone.
    addresses.recv_timeout(PATIENCE).ok()
}

/// Keeps every line, and looks for the first address in them.
fn follow(
    stream: impl Read + Send + 'static,
    written: Arc<Mutex<String>>,
    found: Sender<SocketAddr>,
) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        let mut found = Some(found);
        while stream.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if let (Some(sender), Some(address)) = (&found, address(&text)) {
                // Nobody waits for a second one.
                let _ = sender.send(address);
                found = None;
            }
            written.lock().expect("a log").push_str(&text);
            line.clear();
        }
    });
}

/// The address in `http://127.0.0.1:34567` or `https://localhost:34567`.
fn address(line: &str) -> Option<SocketAddr> {
    if let Some((_, rest)) = line.split_once("https://localhost:") {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        return rest[..digits].parse().ok().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let (_, rest) = line.split_once("http://")?;
    let end =
        rest.find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c))).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Waits until something is true, and fails the test where it never is.
pub(crate) fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of these tests.
pub(crate) fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")
}

/// A declaration whose resources are for anyone where they do not say for whom: for tests that are
/// about something else.
pub(crate) fn open(declaration: &str) -> String {
    let mut open = String::new();
    let mut lines = declaration.lines();
    while let Some(line) = lines.next() {
        open.push_str(line);
        open.push('\n');
        let mut said = lines.clone().take_while(|line| !line.starts_with('['));
        let is_said = said.any(|line| line.starts_with("access"));
        if line.starts_with("[resources.") && !is_said {
            open.push_str("access = { read = \"anyone\", write = \"anyone\" }\n");
        }
    }
    open
}

/// Copies a folder of files, without databases and their keys.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the declaration's folder") {
        let entry = entry.expect("a folder's entry");
        let name = entry.file_name();
        if name.to_string_lossy().contains(".db") || name == "admin.key" {
            continue;
        }
        let target = to.join(&name);
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file is copied");
        }
    }
}
