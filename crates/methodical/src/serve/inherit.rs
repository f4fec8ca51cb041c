//! Sockets that were bound before this process began: by systemd (sd_listen_fds(3)), or by the
//! process whose place it takes. Whoever connects meanwhile waits in the system's queue, and is not
//! refused.
//!
//! A process hands its sockets over as its successor's standard input, a socket in which they lie
//! (`handover`). systemd's are numbered from 3 on, and counted in its variables.

use std::env;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};

use listenfd::ListenFd;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketType, recvmsg, sockopt,
};

/// How a hand-over begins; the names of the sockets follow, with spaces between them.
pub(crate) const GREETING: &str = "methodical-sockets";
/// Most sockets that are handed over.
pub(crate) const SOCKETS_MAX: usize = 8;
/// The names of sockets, in the order in which unnamed ones are taken.
pub(crate) const NAMES: [&str; 3] = ["listen", "plain", "metrics"];
/// A process that is started by this one gets none of the sockets by accident.
#[cfg(target_os = "linux")]
const CLOSED_ON_EXEC: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const CLOSED_ON_EXEC: RecvFlags = RecvFlags::empty();
/// More than all names take.
const TEXT_BYTES_MAX: usize = 256;

/// The sockets, each to be taken once.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    sockets: Vec<(String, TcpListener)>,
    /// True where another process of ours has made place for this one.
    succeeds: bool,
}

impl Inherited {
    /// Finds them.
    ///
    /// # Errors
    /// What was handed over are no listening sockets.
    pub(crate) fn find() -> io::Result<Self> {
        match of_predecessor()? {
            Some(sockets) => Ok(Self { sockets, succeeds: true }),
            None => Ok(Self { sockets: of_systemd()?, succeeds: false }),
        }
    }

    /// The socket of this name, where there is one.
    pub(crate) fn take(&mut self, name: &str) -> Option<TcpListener> {
        let at = self.sockets.iter().position(|(known, _)| known == name)?;
        Some(self.sockets.swap_remove(at).1)
    }

    /// True where this process takes the place of another.
    pub(crate) fn succeeds(&self) -> bool {
        self.succeeds
    }

    /// What nobody has taken: names that mean nothing here, or an address that is not set.
    pub(crate) fn left(&self) -> impl Iterator<Item = &str> {
        self.sockets.iter().map(|(name, _)| name.as_str())
    }
}

/// The sockets that systemd has opened, by name where it has named them.
fn of_systemd() -> io::Result<Vec<(String, TcpListener)>> {
    let mut given = ListenFd::from_env();
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names: Vec<&str> = names.split(':').collect();
    let mut found = Vec::new();
    for at in 0..given.len() {
        let Some(socket) = given.take_tcp_listener(at)? else { continue };
        let said = names.get(at).copied().filter(|name| NAMES.contains(name));
        let name = said.or(NAMES.get(at).copied()).unwrap_or_default();
        found.push((name.to_owned(), socket));
    }
    Ok(found)
}

/// The sockets that lie in standard input, where a process of ours has put them.
fn of_predecessor() -> io::Result<Option<Vec<(String, TcpListener)>>> {
    let stdin = io::stdin();
    // Anything else is what a terminal, a shell or a supervisor gives.
    if !matches!(sockopt::socket_type(stdin.as_fd()), Ok(SocketType::DGRAM)) {
        return Ok(None);
    }
    receive(stdin.as_fd())
}

fn receive(from: impl AsFd) -> io::Result<Option<Vec<(String, TcpListener)>>> {
    let mut text = [0; TEXT_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | CLOSED_ON_EXEC;
    let mut into = [IoSliceMut::new(&mut text)];
    let Ok(received) = recvmsg(from, &mut into, &mut control, flags) else { return Ok(None) };
    let text = String::from_utf8_lossy(&text[..received.bytes]);
    let mut words = text.split(' ');
    if words.next() != Some(GREETING) {
        return Ok(None);
    }
    let fds: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    let sockets = words.map(str::to_owned).zip(fds.into_iter().map(TcpListener::from));
    sockets
        .map(|(name, socket)| socket.local_addr().map(|_| (name, socket)))
        .collect::<io::Result<_>>()
        .map(Some)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::receive;
    use crate::serve::handover::pack;
    use std::net::TcpListener;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_is_packed_is_received_and_still_listens() {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let second = TcpListener::bind("127.0.0.1:0").unwrap();
        let sent = [("listen", &first), ("metrics", &second)];
        let input = pack(&sent).unwrap();
        let received = receive(&input).unwrap().unwrap();
        let addresses = |of: &[&TcpListener]| -> Vec<_> {
            of.iter().map(|socket| socket.local_addr().unwrap()).collect()
        };
        let names: Vec<&str> = received.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["listen", "metrics"]);
        let theirs: Vec<&TcpListener> = received.iter().map(|(_, socket)| socket).collect();
        assert_eq!(addresses(&theirs), addresses(&[&first, &second]));
        drop((first, second));
        assert!(std::net::TcpStream::connect(theirs[1].local_addr().unwrap()).is_ok());
        assert!(receive(&input).unwrap().is_none(), "there is only one message");
    }

    #[test]
    fn other_sockets_as_input_mean_nothing() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        assert!(receive(&ours).unwrap().is_none(), "nothing in it");
        std::io::Write::write_all(&mut &theirs, b"GET / HTTP/1.1\r\n").unwrap();
        assert!(receive(&ours).unwrap().is_none(), "something else in it");
    }
}
