//! The log: one structured line a request, and what else the program has to say. Lines leave from
//! a thread of their own, so that a slow terminal slows no answer down.

use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::level_filters::LevelFilter;

use contract::trace_context::{TraceId, TraceParent};
use engine::report::Report;
use model::setting::Settings;
use model::value::Timestamp;

/// Most bytes that wait to be written; lines beyond are counted and left out.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long lines are collected before they are written: a hundred writes a second at most.
const COLLECTION_TIME: Duration = Duration::from_millis(10);

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `key=value`, for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the line of a request says. No value that a client chose is in it but the path of a
/// request that was routed: no query, no unknown name, no content, no Authorization, no Cookie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// When the head was complete.
    pub(crate) at: SystemTime,
    /// The id of the request, as in `Request-Id` of its answer.
    pub(crate) id: &'a str,
    /// The W3C trace that it is part of.
    pub(crate) parent: Option<TraceParent>,
    /// The method, if it is a known one, or `-`.
    pub(crate) method: &'static str,
    /// What the engine allows to be said.
    pub(crate) report: &'a Report,
    /// The status, or 0 where the client left before there was one.
    pub(crate) status: u16,
    /// Bytes of content that were sent.
    pub(crate) bytes: u64,
    /// From the complete head to the first byte of the answer.
    pub(crate) first_byte: Duration,
    /// From the complete head to the last byte of the answer.
    pub(crate) total: Duration,
    /// How the answer ended.
    pub(crate) ending: Ending,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All of it was sent.
    Whole,
    /// The client left before.
    Left,
    /// Its content could not be read further.
    Interrupted,
}

/// Where lines go.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    sink: Option<Arc<Sink>>,
    format: Format,
    level: LevelFilter,
}

impl Log {
    /// Starts the log on standard error and hands `tracing` the same place.
    pub(crate) fn start(settings: &Settings) -> (Self, Closer) {
        let json = settings.log_format == "json";
        let level = settings.log_level.parse().unwrap_or(LevelFilter::INFO);
        let sink = Arc::new(Sink::default());
        let thread = {
            let sink = Arc::clone(&sink);
            std::thread::Builder::new().name("log".to_owned()).spawn(move || sink.run()).ok()
        };
        let writer = Arc::clone(&sink);
        let builder = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_target(false)
            .with_ansi(!json && io::stderr().is_terminal())
            .with_writer(move || Line(Arc::clone(&writer)));
        // A second start in one process (tests) keeps the first subscriber.
        let _ = if json {
            tracing::subscriber::set_global_default(builder.json().flatten_event(true).finish())
        } else {
            tracing::subscriber::set_global_default(builder.finish())
        };
        let format = if json { Format::Json } else { Format::Text };
        let log = Self { sink: Some(Arc::clone(&sink)), format, level };
        (log, Closer { sink, thread })
    }

    /// The same log, for those whose requests are of no interest unless they fail.
    pub(crate) fn of_failures(&self) -> Self {
        Self { level: LevelFilter::ERROR.min(self.level), ..self.clone() }
    }

    /// A log that says nothing.
    #[cfg(test)]
    pub(crate) fn off() -> Self {
        Self { sink: None, format: Format::Text, level: LevelFilter::OFF }
    }

    /// Writes the line of a request. A 500 and an answer that breaks off are errors, whatever else
    /// is left out.
    pub(crate) fn request(&self, entry: &Entry<'_>) {
        let level = if is_error(entry) { LevelFilter::ERROR } else { LevelFilter::INFO };
        let Some(sink) = self.sink.as_ref().filter(|_| level <= self.level) else { return };
        let mut line = Vec::with_capacity(320);
        match self.format {
            Format::Text => write_text(&mut line, entry),
            Format::Json => write_json(&mut line, entry),
        }
        sink.push(&line);
    }
}

/// Writes out what is left when the program ends.
#[derive(Debug)]
pub(crate) struct Closer {
    sink: Arc<Sink>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.sink.state().closed = true;
        self.sink.arrived.notify_one();
        if let Some(thread) = self.thread.take() {
            // A log thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

/// Lines on their way to standard error.
#[derive(Debug, Default)]
struct Sink {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    dropped: u64,
    closed: bool,
    asleep: bool,
}

impl Sink {
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut waiting = self.state();
        if waiting.bytes.len() + line.len() > WAITING_BYTES_MAX {
            waiting.dropped += 1;
            return;
        }
        waiting.bytes.extend_from_slice(line);
        if std::mem::take(&mut waiting.asleep) {
            self.arrived.notify_one();
        }
    }

    fn run(&self) {
        let mut bytes = Vec::new();
        loop {
            let mut waiting = self.state();
            while waiting.bytes.is_empty() && !waiting.closed {
                waiting.asleep = true;
                waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if !waiting.closed {
                drop(waiting);
                std::thread::sleep(COLLECTION_TIME);
                waiting = self.state();
            }
            std::mem::swap(&mut bytes, &mut waiting.bytes);
            let dropped = std::mem::take(&mut waiting.dropped);
            let closed = waiting.closed;
            drop(waiting);
            if dropped > 0 {
                bytes.extend_from_slice(format!("{dropped} log lines were left out\n").as_bytes());
            }
            // A log that cannot be written must not stop the service.
            let _ = io::stderr().write_all(&bytes);
            bytes.clear();
            if closed {
                return;
            }
        }
    }
}

/// One line of `tracing`.
struct Line(Arc<Sink>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Names and values of a line, in their order. Values are numbers or harmless text.
fn parts<'a>(entry: &'a Entry<'a>, mut part: impl FnMut(&'static str, Part<'a>)) {
    let report = entry.report;
    part("id", Part::Text(entry.id));
    if let Some(parent) = entry.parent {
        part("trace", Part::Trace(parent.trace));
    }
    part("method", Part::Text(entry.method));
    part("route", Part::Text(if report.route.is_empty() { "-" } else { report.route }));
    if let Some(path) = &report.path {
        part("path", Part::Text(path));
    }
    if !report.parameters.is_empty() {
        part("parameters", Part::Names(&report.parameters));
    }
    if let Some(caller) = &report.caller {
        part("caller", Part::Text(caller));
    }
    part("status", Part::Number(u64::from(entry.status)));
    part("bytes", Part::Number(entry.bytes));
    part("first_byte_ms", Part::Time(entry.first_byte));
    part("ms", Part::Time(entry.total));
    if let Some(problem) = report.problem {
        part("problem", Part::Text(problem));
    }
    if let Some(address) = report.address {
        part("address", Part::Address(address));
    }
    if report.replayed {
        part("replayed", Part::True);
    }
    match entry.ending {
        Ending::Whole => {}
        Ending::Left => part("left", Part::True),
        Ending::Interrupted => part("interrupted", Part::True),
    }
    if let Some(cause) = &report.cause {
        part("cause", Part::Text(cause));
    }
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Text(&'a str),
    Names(&'a [String]),
    Number(u64),
    Time(Duration),
    Address(IpAddr),
    Trace(TraceId),
    True,
}

fn level(entry: &Entry<'_>) -> &'static str {
    if is_error(entry) { "ERROR" } else { "INFO" }
}

fn is_error(entry: &Entry<'_>) -> bool {
    entry.status == 500 || entry.ending == Ending::Interrupted
}

fn write_text(line: &mut Vec<u8>, entry: &Entry<'_>) {
    write_time(line, entry.at);
    line.extend_from_slice(b" ");
    line.extend_from_slice(level(entry).as_bytes());
    line.extend_from_slice(b" request");
    parts(entry, |name, part| {
        line.push(b' ');
        line.extend_from_slice(name.as_bytes());
        line.push(b'=');
        match part {
            // Quoted where it could be taken for something else.
            Part::Text(text)
                if text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'"') =>
            {
                write_quoted(line, text);
            }
            Part::Text(text) => line.extend_from_slice(text.as_bytes()),
            Part::Names(names) => line.extend_from_slice(names.join(",").as_bytes()),
            // Writing into memory does not fail.
            Part::Address(address) => drop(write!(line, "{address}")),
            Part::Trace(trace) => drop(write!(line, "{trace}")),
            other => write_number(line, other),
        }
    });
    line.push(b'\n');
}

fn write_json(line: &mut Vec<u8>, entry: &Entry<'_>) {
    line.extend_from_slice(b"{\"timestamp\":\"");
    write_time(line, entry.at);
    line.extend_from_slice(b"\",\"level\":\"");
    line.extend_from_slice(level(entry).as_bytes());
    line.extend_from_slice(b"\",\"message\":\"request\"");
    parts(entry, |name, part| {
        line.extend_from_slice(b",\"");
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\":");
        match part {
            Part::Text(text) => write_quoted(line, text),
            Part::Names(names) => {
                // Writing into memory does not fail.
                let _ = serde_json::to_writer(&mut *line, names);
            }
            Part::Address(address) => drop(write!(line, "\"{address}\"")),
            Part::Trace(trace) => drop(write!(line, "\"{trace}\"")),
            other => write_number(line, other),
        }
    });
    line.extend_from_slice(b"}\n");
}

fn write_quoted(line: &mut Vec<u8>, text: &str) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(line, text);
}

fn write_number(line: &mut Vec<u8>, part: Part<'_>) {
    // Writing into memory does not fail.
    let _ = match part {
        Part::Number(number) => write!(line, "{number}"),
        Part::Time(time) => {
            let us = time.as_micros();
            write!(line, "{}.{:03}", us / 1000, us % 1000)
        }
        Part::True | Part::Text(_) | Part::Names(_) | Part::Address(_) | Part::Trace(_) => {
            write!(line, "true")
        }
    };
}

/// RFC 3339 in UTC with milliseconds.
fn write_time(line: &mut Vec<u8>, at: SystemTime) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).write(line);
}

/// The wall clock, for the log and for Date.
#[expect(clippy::disallowed_methods, reason = "the log and Date say when something happened")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Ending, Entry, TraceParent, write_json, write_text};
    use engine::report::Report;
    use std::time::{Duration, UNIX_EPOCH};

    fn report() -> Report {
        Report {
            route: "/api/users/{id}",
            path: Some("/api/users/7".to_owned()),
            parameters: vec!["fields".to_owned(), "page".to_owned()],
            problem: Some("not-found"),
            cause: Some("two\nlines".to_owned()),
            ..Report::default()
        }
    }

    fn entry(report: &Report) -> Entry<'_> {
        Entry {
            at: UNIX_EPOCH + Duration::from_millis(1_770_373_800_123),
            id: "00ff",
            parent: TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            method: "GET",
            report,
            status: 404,
            bytes: 12,
            first_byte: Duration::from_micros(1042),
            total: Duration::from_micros(2500),
            ending: Ending::Whole,
        }
    }

    #[test]
    fn a_line_of_text() {
        let mut line = Vec::new();
        write_text(&mut line, &entry(&report()));
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "2026-02-06T10:30:00.123Z INFO request id=00ff \
             trace=4bf92f3577b34da6a3ce929d0e0e4736 method=GET route=/api/users/{id} \
             path=/api/users/7 parameters=fields,page status=404 bytes=12 first_byte_ms=1.042 \
             ms=2.500 problem=not-found cause=\"two\\nlines\"\n"
        );
    }

    #[test]
    fn a_line_of_json() {
        let mut line = Vec::new();
        write_json(&mut line, &entry(&report()));
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["timestamp"], "2026-02-06T10:30:00.123Z");
        assert_eq!(value["parameters"], serde_json::json!(["fields", "page"]));
        assert_eq!(value["ms"], 2.5);
        assert_eq!(value["cause"], "two\nlines");
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error_and_one_that_was_left_is_none() {
        let report = report();
        for (ending, level, word) in [
            (Ending::Left, " INFO ", " left=true "),
            (Ending::Interrupted, " ERROR ", " interrupted=true "),
        ] {
            let mut line = Vec::new();
            write_text(&mut line, &Entry { ending, status: 200, ..entry(&report) });
            let line = String::from_utf8(line).unwrap();
            assert!(line.contains(level) && line.contains(word), "{line}");
        }
    }
}
