//! A new process takes the place of this one, under the same process id and with the same sockets:
//! for a new version of the program, or a changed declaration. Nobody is refused meanwhile: who
//! connects waits in the system's queue until the new process has opened the database.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};

use super::inherit::{GREETING, SOCKETS_MAX};

/// What systemd tells of its own sockets. They are handed over like the others, so that a process
/// that believed these variables would look for them at the wrong place.
const OF_SYSTEMD: [&str; 3] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// The end that sends has no use in the new process.
#[cfg(target_os = "linux")]
const CLOSED_ON_EXEC: SocketFlags = SocketFlags::CLOEXEC;
#[cfg(not(target_os = "linux"))]
const CLOSED_ON_EXEC: SocketFlags = SocketFlags::empty();

/// The sockets of this process, by name.
#[derive(Debug, Default)]
pub(crate) struct Sockets(Vec<(&'static str, TcpListener)>);

impl Sockets {
    /// Keeps a second handle of a socket, so that it outlives whoever listens to it.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    pub(crate) fn keep(&mut self, name: &'static str, socket: &impl AsFd) -> io::Result<()> {
        let copy = socket.as_fd().try_clone_to_owned()?;
        self.0.push((name, TcpListener::from(copy)));
        Ok(())
    }
}

/// Asks the program as it is on the disk now whether it takes the declaration.
///
/// # Errors
/// What it says against it, or why it cannot be asked.
pub(crate) fn check(dir: &Path) -> Result<(), String> {
    let ran = Command::new(program()).arg("check").arg(dir).stdin(Stdio::null()).output();
    match ran {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(fault) => Err(format!("{} does not run: {fault}", program().display())),
    }
}

/// Becomes the new process. Everything has to be finished and written by now.
///
/// # Errors
/// Only where that failed: this process goes on then.
pub(crate) fn become_successor(sockets: &Sockets) -> io::Result<Infallible> {
    let named: Vec<_> = sockets.0.iter().map(|(name, socket)| (*name, socket)).collect();
    let mut command = Command::new(program());
    command.args(env::args_os().skip(1)).stdin(Stdio::from(pack(&named)?));
    for name in OF_SYSTEMD {
        command.env_remove(name);
    }
    Err(command.exec())
}

/// The name by which this program was called: by it, the shell's PATH finds its successor too.
fn program() -> std::path::PathBuf {
    env::args_os().next().unwrap_or_else(|| OsString::from("methodical")).into()
}

/// A standard input in which these sockets lie.
pub(super) fn pack(sockets: &[(&str, &TcpListener)]) -> io::Result<OwnedFd> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::DGRAM, CLOSED_ON_EXEC, None)?;
    let mut text = GREETING.to_owned();
    for (name, _) in sockets {
        text.push(' ');
        text.push_str(name);
    }
    let fds: Vec<BorrowedFd<'_>> = sockets.iter().map(|(_, socket)| socket.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("more sockets than can be handed over"));
    }
    sendmsg(&ours, &[IoSlice::new(text.as_bytes())], &mut control, SendFlags::empty())?;
    Ok(theirs)
}
