//! The load: one thread that keeps every connection busy with one request at a time, and looks at
//! each in turn. It never sleeps, so that no wake-up of its own is measured.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use memchr::memmem::Finder;

use crate::latency::Histogram;
use crate::process::Busy;
use crate::requests::Source;

const BUFFER_BYTES: usize = 64 * 1024;
/// An answer that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections that send the same kind of request.
pub(crate) struct Lane<'a> {
    /// What they send.
    pub(crate) source: &'a mut dyn Source,
    /// How many they are.
    pub(crate) connections: usize,
    /// The status that every answer must have; 0 where any will do, and they are counted.
    pub(crate) status: u16,
    /// How long a connection rests after an answer.
    pub(crate) rest: Duration,
}

impl<'a> Lane<'a> {
    /// Connections that never rest.
    pub(crate) fn new(source: &'a mut dyn Source, connections: usize, status: u16) -> Self {
        Self { source, connections, status, rest: Duration::ZERO }
    }
}

/// What a lane came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// Answers, all of the status that was wanted.
    pub(crate) answers: u64,
    /// In how many seconds.
    pub(crate) seconds: f64,
    /// How long each took.
    pub(crate) latency: Histogram,
    /// How long each took by its status, where any would do.
    pub(crate) statuses: BTreeMap<u16, Histogram>,
    /// What the server was doing.
    pub(crate) busy: Busy,
}

impl Run {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answers as f64 / self.seconds
    }

    /// Processor time of the server for each answer, in microseconds.
    pub(crate) fn effort(&self) -> f64 {
        self.busy.ran * 1e6 / self.answers.max(1) as f64
    }
}

/// One answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    /// Its status.
    pub(crate) status: u16,
    /// Status line and fields, with the empty line.
    pub(crate) head: String,
    /// Its content.
    pub(crate) content: String,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    lane: usize,
    sent: Instant,
    /// Until when nothing is sent, while it rests.
    rests: Option<Instant>,
    /// The status of an answer in chunks, while they come.
    chunked: Option<u16>,
}

/// How an answer in chunks ends. None of those that are measured has this within a record.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// Where an answer ends.
struct Extent {
    status: u16,
    head: usize,
    content: usize,
    is_chunked: bool,
}

/// Finds the ends of answers.
struct Scanner {
    end: Finder<'static>,
    length: Finder<'static>,
    chunked: Finder<'static>,
}

impl Scanner {
    fn new() -> Self {
        Self {
            end: Finder::new(b"\r\n\r\n"),
            length: Finder::new(b"\r\ncontent-length: "),
            chunked: Finder::new(b"\r\ntransfer-encoding: chunked\r\n"),
        }
    }

    /// The extent of the answer at the start, once its head is there.
    fn extent(&self, bytes: &[u8]) -> Option<Extent> {
        let head = self.end.find(bytes)? + 4;
        let status = number(bytes.get(9..12)?);
        let content = match self.length.find(&bytes[..head]) {
            Some(at) if status != 304 => number(&bytes[at + 18..head]),
            _ => 0,
        };
        let is_chunked = self.chunked.find(&bytes[..head]).is_some();
        Some(Extent { status: u16::try_from(status).unwrap_or(0), head, content, is_chunked })
    }
}

fn number(digits: &[u8]) -> usize {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    let stream = TcpStream::connect(address).map_err(|error| format!("{address}: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Sends one request on a connection of its own.
pub(crate) fn once(address: SocketAddr, request: &[u8]) -> Result<Whole, String> {
    Client::new(address)?.ask(request)
}

/// One connection that is asked one thing after the other.
pub(crate) struct Client(TcpStream);

impl Client {
    /// Connects.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, String> {
        let stream = connect(address)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        Ok(Self(stream))
    }

    /// Sends a request and takes its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Result<Whole, String> {
        self.0.write_all(request).map_err(|error| error.to_string())?;
        let scanner = Scanner::new();
        let mut bytes = Vec::new();
        let mut part = vec![0; BUFFER_BYTES];
        loop {
            let read = self.0.read(&mut part).map_err(|error| error.to_string())?;
            bytes.extend_from_slice(&part[..read]);
            match scanner.extent(&bytes) {
                Some(extent) if bytes.len() >= extent.head + extent.content => {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    return Ok(Whole {
                        status: extent.status,
                        head: text(&bytes[..extent.head]),
                        content: text(&bytes[extent.head..]),
                    });
                }
                _ if read == 0 => return Err("the connection ended within an answer".to_owned()),
                _ => {}
            }
        }
    }
}

/// Loads a server: an unmeasured start, then the measured time. One `Run` a lane. `busy` tells
/// what the server has had of its core so far.
pub(crate) fn run(
    address: SocketAddr,
    busy: &dyn Fn() -> Busy,
    lanes: &mut [Lane<'_>],
    warm_up: Duration,
    time: Duration,
) -> Result<Vec<Run>, String> {
    let mut connections = open(address, lanes)?;
    drive(&mut connections, lanes, warm_up)?;
    let before = busy();
    let mut runs = drive(&mut connections, lanes, time)?;
    let spent = busy().since(before);
    runs.iter_mut().for_each(|run| run.busy = spent);
    finish(&mut connections)?;
    Ok(runs)
}

fn open(address: SocketAddr, lanes: &mut [Lane<'_>]) -> Result<Vec<Connection>, String> {
    let mut connections = Vec::new();
    for (lane, plan) in lanes.iter_mut().enumerate() {
        for at in 0..plan.connections {
            let stream = connect(address)?;
            stream.set_nonblocking(true).map_err(|error| error.to_string())?;
            let buffer = vec![0; BUFFER_BYTES];
            let (filled, sent, rests, chunked) = (0, Instant::now(), None, None);
            let mut connection = Connection { stream, buffer, filled, lane, sent, rests, chunked };
            if plan.rest.is_zero() {
                connection.send(plan.source.next())?;
            } else {
                // Those that rest do not come all at once.
                let share = at as f64 / plan.connections as f64;
                connection.rests = Some(connection.sent + plan.rest.mul_f64(share));
            }
            connections.push(connection);
        }
    }
    Ok(connections)
}

fn drive(
    connections: &mut [Connection],
    lanes: &mut [Lane<'_>],
    time: Duration,
) -> Result<Vec<Run>, String> {
    let scanner = Scanner::new();
    let mut runs: Vec<Run> = lanes.iter().map(|_| Run::default()).collect();
    let start = Instant::now();
    let mut now = start;
    while now.duration_since(start) < time {
        for connection in connections.iter_mut() {
            let lane = &mut lanes[connection.lane];
            if let Some(until) = connection.rests {
                if until <= now {
                    connection.send(lane.source.next())?;
                }
                continue;
            }
            let Some(status) = connection.receive(&scanner)? else { continue };
            now = Instant::now();
            let run = &mut runs[connection.lane];
            run.answers += 1;
            let took = now.duration_since(connection.sent);
            run.latency.add(took);
            if lane.status == 0 {
                run.statuses.entry(status).or_default().add(took);
            } else if status != lane.status {
                return Err(format!("an answer is a {status}, not a {}", lane.status));
            }
            if lane.rest.is_zero() {
                connection.send(lane.source.next())?;
            } else {
                connection.rests = Some(now + lane.rest);
            }
        }
        if now.elapsed() > Duration::from_millis(1) {
            now = Instant::now();
            if connections.iter().any(Connection::is_stuck) {
                return Err("an answer does not come".to_owned());
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    runs.iter_mut().for_each(|run| run.seconds = seconds);
    Ok(runs)
}

/// Takes the answers that are still on their way, so that what is measured next has the server
/// for itself.
fn finish(connections: &mut [Connection]) -> Result<(), String> {
    let scanner = Scanner::new();
    for connection in connections {
        if connection.rests.is_some() {
            continue;
        }
        // A long list is left: the server stops reading it.
        while connection.receive(&scanner)?.is_none() && connection.chunked.is_none() {
            if connection.is_stuck() {
                return Err("an answer does not come".to_owned());
            }
        }
    }
    Ok(())
}

impl Connection {
    fn send(&mut self, request: &[u8]) -> Result<(), String> {
        (self.sent, self.rests) = (Instant::now(), None);
        let mut rest = request;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(format!("sending: {error}")),
            }
        }
        Ok(())
    }

    /// True where an answer does not come. One in chunks may take its time.
    fn is_stuck(&self) -> bool {
        self.rests.is_none() && self.chunked.is_none() && self.sent.elapsed() > PATIENCE
    }

    /// The status of the answer, once all of it is here.
    fn receive(&mut self, scanner: &Scanner) -> Result<Option<u16>, String> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => Err("the server closed a connection".to_owned()),
            Ok(read) => {
                self.filled += read;
                self.judge(scanner)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(format!("receiving: {error}")),
        }
    }

    fn judge(&mut self, scanner: &Scanner) -> Result<Option<u16>, String> {
        let bytes = &self.buffer[..self.filled];
        if self.chunked.is_none() {
            let Some(extent) = scanner.extent(bytes) else { return Ok(None) };
            if !extent.is_chunked {
                return self.whole(&extent);
            }
            self.chunked = Some(extent.status);
        }
        if bytes.ends_with(LAST_CHUNK) {
            self.filled = 0;
            return Ok(self.chunked.take());
        }
        // Only what may be a part of its end is kept.
        let kept = self.filled.min(LAST_CHUNK.len());
        self.buffer.copy_within(self.filled - kept..self.filled, 0);
        self.filled = kept;
        Ok(None)
    }

    fn whole(&mut self, extent: &Extent) -> Result<Option<u16>, String> {
        let whole = extent.head + extent.content;
        if whole > self.buffer.len() {
            self.buffer.resize(whole, 0);
        }
        match self.filled.cmp(&whole) {
            Ordering::Less => Ok(None),
            Ordering::Greater => Err("bytes follow an answer".to_owned()),
            Ordering::Equal => {
                self.filled = 0;
                Ok(Some(extent.status))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Scanner;

    #[test]
    fn the_end_of_an_answer_is_found() {
        let scanner = Scanner::new();
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\ndate: x\r\n\r\nhello";
        let extent = scanner.extent(bytes).unwrap();
        assert_eq!((extent.status, extent.head, extent.content), (200, 48, 12));
        assert!(scanner.extent(&bytes[..40]).is_none());
        let bytes = b"HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n";
        assert_eq!(scanner.extent(bytes).unwrap().content, 0);
    }
}
