//! The processes that are measured, each on the core of the servers, and what they take.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bare::Constant;
use crate::load::{self, Run};
use crate::requests;

/// How long a process may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts processes.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    /// The core of the servers; None where there is only one, or nothing to pin with.
    pub(crate) core: Option<u32>,
    /// The server that is measured.
    pub(crate) server: PathBuf,
    /// The declaration that it serves.
    pub(crate) declaration: PathBuf,
}

/// What a process has had of its core, in seconds over all of its threads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Busy {
    /// Running.
    pub(crate) ran: f64,
    /// Ready to run, while something else did.
    pub(crate) waited: f64,
}

impl Busy {
    /// What the process of this number, or `self`, has had so far. Nothing where the system does
    /// not tell.
    pub(crate) fn of(process: &str) -> Self {
        let threads = fs::read_dir(format!("/proc/{process}/task"));
        let mut busy = Self::default();
        for thread in threads.into_iter().flatten().flatten() {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap_or(0.0) / 1e9);
            busy.ran += numbers.next().unwrap_or(0.0);
            busy.waited += numbers.next().unwrap_or(0.0);
        }
        busy
    }

    /// What came since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { ran: self.ran - before.ran, waited: self.waited - before.waited }
    }
}

/// A server that runs. Ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Launcher {
    fn command(&self, program: &Path) -> Command {
        let mut command = match self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.arg("-c").arg(core.to_string()).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts our server as anybody would: its defaults, its log (to nowhere), `FULL`.
    pub(crate) fn ours(&self, database: &Path) -> Result<Server, String> {
        self.ours_with(database, &[])
    }

    /// Starts our server with these settings, each `KEY=VALUE`. Where they have it speak TLS, it
    /// answers plain HTTP too: with a refusal.
    pub(crate) fn ours_with(&self, database: &Path, settings: &[&str]) -> Result<Server, String> {
        let address = free_address().map_err(|error| error.to_string())?;
        let mut command = self.command(&self.server);
        command.arg("serve").arg(&self.declaration).arg("--listen").arg(address.to_string());
        command.arg("--database").arg(database);
        command.args(settings.iter().flat_map(|setting| ["--set", setting]));
        Server::start(command, address, &requests::get("/api", ""))
    }

    /// Starts a bare hyper server.
    pub(crate) fn bare(&self, constant: Constant) -> Result<Server, String> {
        let address = free_address().map_err(|error| error.to_string())?;
        let mut command = self.command(&own_path()?);
        let Constant { status, content, field } = constant;
        command.arg("bare").arg(address.to_string());
        command.args([usize::from(status), content, field].map(|number| number.to_string()));
        Server::start(command, address, &requests::get("/", ""))
    }

    /// Runs raw inserts.
    pub(crate) fn raw(&self, database: &Path, group: u64, time: Duration) -> Result<Run, String> {
        let time = time.as_millis().to_string();
        self.own("raw", &[&*database.to_string_lossy(), &group.to_string(), &time])
    }

    /// Makes an API key, which works beside a running server.
    pub(crate) fn key(&self, database: &Path, role: &str) -> Result<String, String> {
        let mut command = Command::new(&self.server);
        command.args(["key", "create"]).arg(&self.declaration).args(["--role", role]);
        command.arg("--database").arg(database);
        Ok(output(&mut command)?.trim().to_owned())
    }

    /// Backs a database up into a file, as an operator would while it is served: wherever the
    /// system lets it run.
    pub(crate) fn backup(&self, database: &Path, file: &Path) -> Result<(), String> {
        let _ = fs::remove_file(file);
        let mut command = Command::new(&self.server);
        command.arg("backup").arg(&self.declaration).arg(file).arg("--database").arg(database);
        output(&mut command).map(drop)
    }

    /// Has a process of this program do something, and tell what came of it.
    pub(crate) fn own(&self, what: &str, arguments: &[&str]) -> Result<Run, String> {
        let mut command = self.command(&own_path()?);
        command.arg(what).args(arguments).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let output = command.output().map_err(|error| format!("{what}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Option<Vec<f64>> =
            text.split_whitespace().map(|number| number.parse().ok()).collect();
        let Some(&[answers, seconds, ran, waited]) = numbers.as_deref() else {
            return Err(format!("`{what}` told no figures"));
        };
        let busy = Busy { ran, waited };
        Ok(Run { answers: answers as u64, seconds, busy, ..Run::default() })
    }
}

/// What a command that has to succeed prints.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    if output.status.success() { Ok(out) } else { Err(format!("{command:?}: {err}")) }
}

fn own_path() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("the path of this program: {error}"))
}

/// An address that nobody listens on, as the system hands it out.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

impl Server {
    /// Starts a server and waits for its first answer.
    fn start(mut command: Command, address: SocketAddr, probe: &[u8]) -> Result<Self, String> {
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut server = Self { child, address };
        let start = Instant::now();
        while load::once(address, probe).is_err() {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("{command:?} ended with {status}: run it by hand to see why"));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{command:?} does not answer"));
            }
        }
        Ok(server)
    }

    /// Memory that it has in use, in megabytes: of its own, and with the pages of files.
    pub(crate) fn memory(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kibibytes.map(|number| number * 1024.0 / 1e6).ok_or_else(|| "no VmRSS".to_owned())
    }

    /// What it has had of its core.
    pub(crate) fn busy(&self) -> Busy {
        Busy::of(&self.child.id().to_string())
    }

    /// Ends it as an operator would, so that its database is one whole file.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        if !told.is_ok_and(|status| status.success()) {
            return Err("a server could not be told to stop".to_owned());
        }
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.child.try_wait() {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("a server does not stop".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // It is ended in any case; there is nobody to tell.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
