//! The head of a request: request line and fields (RFC 9112 §3 and §5), parsed where they arrived
//! and handed on without a copy.

use std::mem::MaybeUninit;

use bytes::{Buf, BytesMut};
use http::header::{CONNECTION, EXPECT, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request};

use contract::fault::{self, Fault};
use contract::host::Authority;
use contract::problem::{Kind, Problem};
use contract::table;
use model::setting::Settings;

use super::diagnose::diagnose;
use super::framing::{self, Framing, malformed};
use super::target;

/// Most empty lines before a request line; RFC 9112 §2.2 asks for at least one.
const EMPTY_LINES_MAX: usize = 8;
/// Room for method and version beside the target in a request line.
const LINE_BYTES_BESIDE_TARGET: usize = 256;
/// As many fields as the setting `limits.field_count` can allow.
const FIELDS_MAX: usize = 1000;

/// The head of a request that can be answered.
#[derive(Debug)]
pub(super) struct Head {
    /// Method, target in origin-form or `*`, and fields.
    pub(super) request: Request<()>,
    /// How its content is framed.
    pub(super) framing: Framing,
    /// True where the client waits for `100 Continue` before it sends content.
    pub(super) expects_continue: bool,
    /// True for HTTP/1.0.
    pub(super) http_1_0: bool,
    /// True where the client leaves the connection open (RFC 9112 §9.3).
    pub(super) keep_alive: bool,
    /// True where the answer carries no content (HEAD).
    pub(super) bare: bool,
    /// True for a method that asks for no change.
    pub(super) safe: bool,
}

/// A request that is refused before the engine sees it.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What is wrong.
    pub(super) problem: Problem,
    /// True where the answer carries no content.
    pub(super) bare: bool,
}

/// What the input holds.
#[derive(Debug)]
pub(super) enum Reading {
    /// Not yet a whole head.
    Partial,
    /// A head; its bytes are taken from the input.
    Complete(Box<Head>),
    /// A fault.
    Refused(Refusal),
}

/// Where a field stands in the head.
#[derive(Clone, Copy, Debug)]
struct Span {
    name: (usize, usize),
    value: (usize, usize),
}

/// Reads heads from the input of one connection.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Kept between requests so that no head allocates it anew.
    spans: Vec<Span>,
    /// Input that has been looked at without finding the end of a head.
    seen: usize,
    /// Empty lines passed over before this request.
    empty_lines: usize,
}

/// What a first look at the head found, before anything is allocated.
struct Line {
    length: usize,
    method: (usize, usize),
    target: (usize, usize),
    minor: u8,
}

/// True where a line ends in LF alone. It may be taken for an end (RFC 9112 §2.2); but whoever
/// stands in front may not take it so, and what is a field to one is then a part of a value to the
/// other: that is how requests are smuggled.
fn has_lone_line_feed(head: &[u8]) -> bool {
    head.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r')
}

fn lone_line_feed() -> Problem {
    malformed("A line ends in LF alone. Every line of a head ends in CR LF (RFC 9112 §2.1).")
}

impl Reader {
    /// Reads a head from the start of the input, if all of it is there.
    pub(super) fn read(&mut self, input: &mut BytesMut, settings: &Settings) -> Reading {
        if let Err(problem) = self.skip_empty_lines(input) {
            return Reading::Refused(Refusal { problem, bare: false });
        }
        if input.is_empty() || !self.may_be_whole(input) {
            return match too_long(input, settings) {
                Some(problem) => Reading::Refused(Refusal { bare: is_bare(input), problem }),
                None => Reading::Partial,
            };
        }
        let line = match self.parse(input, settings) {
            Ok(Some(line)) => line,
            Ok(None) => {
                self.seen = input.len();
                return match too_long(input, settings) {
                    Some(problem) => Reading::Refused(Refusal { bare: is_bare(input), problem }),
                    None => Reading::Partial,
                };
            }
            Err(problem) => {
                return Reading::Refused(Refusal { bare: is_bare(input), problem });
            }
        };
        (self.seen, self.empty_lines) = (0, 0);
        let bare = is_bare(input);
        if has_lone_line_feed(&input[..line.length]) {
            return Reading::Refused(Refusal { problem: lone_line_feed(), bare });
        }
        match self.take(&line, input, settings) {
            Ok(head) => Reading::Complete(Box::new(head)),
            Err(problem) => Reading::Refused(Refusal { problem, bare }),
        }
    }

    /// Passes over empty lines before a request line (RFC 9112 §2.2).
    fn skip_empty_lines(&mut self, input: &mut BytesMut) -> Result<(), Problem> {
        loop {
            let length = match input.first_chunk::<2>() {
                Some(b"\r\n") => 2,
                _ if input.first() == Some(&b'\n') => return Err(lone_line_feed()),
                _ => return Ok(()),
            };
            input.advance(length);
            self.seen = 0;
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES_MAX {
                return Err(malformed("Only empty lines arrive where a request line should be."));
            }
        }
    }

    /// False where a whole head cannot be there: so that a head that drips in is not parsed again
    /// with every byte.
    fn may_be_whole(&self, input: &[u8]) -> bool {
        if self.seen == 0 {
            return true;
        }
        let fresh = &input[self.seen.saturating_sub(2).min(input.len())..];
        fresh.windows(2).any(|pair| pair == b"\n\n")
            || fresh.windows(3).any(|three| three == b"\n\r\n")
    }

    /// Finds the parts of a head. `None`: it is not whole yet.
    fn parse(
        &mut self,
        input: &mut BytesMut,
        settings: &Settings,
    ) -> Result<Option<Line>, Problem> {
        match self.scan(input, settings) {
            Err(httparse::Error::Version) if read_as_highest_minor(input) => {
                self.scan(input, settings)
            }
            result => result,
        }
        .map_err(|fault| match fault {
            httparse::Error::TooManyHeaders => fields_too_many(settings),
            _ => diagnose(input),
        })
    }

    fn scan(&mut self, input: &[u8], settings: &Settings) -> Result<Option<Line>, httparse::Error> {
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
        let fields = &mut fields[..settings.fields_max.min(FIELDS_MAX)];
        let mut request = httparse::Request::new(&mut []);
        let status = request.parse_with_uninit_headers(input, fields)?;
        let httparse::Status::Complete(length) = status else { return Ok(None) };
        let start = input.as_ptr() as usize;
        let span = |part: &[u8]| (part.as_ptr() as usize - start, part.len());
        self.spans.clear();
        self.spans.extend(
            request
                .headers
                .iter()
                .map(|field| Span { name: span(field.name.as_bytes()), value: span(field.value) }),
        );
        let (Some(method), Some(target), Some(minor)) =
            (request.method, request.path, request.version)
        else {
            return Err(httparse::Error::Token);
        };
        let (method, target) = (span(method.as_bytes()), span(target.as_bytes()));
        Ok(Some(Line { length, method, target, minor }))
    }

    /// Takes a whole head from the input and judges it.
    fn take(
        &self,
        line: &Line,
        input: &mut BytesMut,
        settings: &Settings,
    ) -> Result<Head, Problem> {
        if line.target.1 > settings.target_bytes_max {
            return Err(target_too_long(settings));
        }
        // Whether the line came in one piece or in many: the same line is too long.
        let end = line.target.0 + line.target.1;
        let rest = input[end..].iter().position(|byte| *byte == b'\n').unwrap_or(0);
        if end + rest > line_bytes_max(settings) {
            return Err(line_too_long(input, settings));
        }
        let fields_length = line.length - end;
        if fields_length > settings.fields_bytes_max {
            return Err(self.fields_too_large(input, settings));
        }
        let head = input.split_to(line.length).freeze();
        let slice = |(start, length): (usize, usize)| head.slice(start..start + length);
        let mut fields = HeaderMap::with_capacity(self.spans.len() + 1);
        for span in &self.spans {
            let (start, length) = span.name;
            let name = HeaderName::from_bytes(&head[start..start + length]);
            let value = HeaderValue::from_maybe_shared(slice(span.value));
            let (Ok(name), Ok(value)) = (name, value) else { return Err(diagnose(&head)) };
            fields.append(name, value);
        }
        let method = slice(line.method);
        let token = std::str::from_utf8(&method).map_err(|_| diagnose(&head))?;
        finish(token, &slice(line.target), fields, line.minor == 0)
    }

    /// 431, naming the largest field if its name is no secret in itself.
    fn fields_too_large(&self, input: &[u8], settings: &Settings) -> Problem {
        let largest = self.spans.iter().max_by_key(|span| span.value.1);
        let name = largest
            .and_then(|span| HeaderName::from_bytes(&input[span.name.0..][..span.name.1]).ok())
            .filter(|name| name.as_str().len() <= 64);
        let largest = name.map(|name| format!(" The largest field is {name}.")).unwrap_or_default();
        let detail = format!(
            "The header section is larger than {} bytes.{largest}",
            settings.fields_bytes_max
        );
        Problem::new(Kind::FieldsTooLarge, detail).closing()
    }
}

/// Judges a head whose parts are found: authority, target, framing, persistence.
fn finish(
    token: &str,
    target: &bytes::Bytes,
    mut fields: HeaderMap,
    http_1_0: bool,
) -> Result<Head, Problem> {
    check_host(&fields, http_1_0)?;
    let target = target::read(target, token)?;
    if let Some(authority) = target.authority {
        fields.insert(HOST, authority);
    }
    let framing = framing::read(&fields, http_1_0)?;
    let keep_alive = is_persistent(&fields, http_1_0);
    let expects_continue = !http_1_0
        && framing != Framing::Empty
        && fields
            .get(EXPECT)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let nature = match table::method(token) {
        table::Token::Served(method) => Some(table::nature(method)),
        table::Token::Withheld | table::Token::Unknown => None,
    };
    let mut request = Request::new(());
    *request.method_mut() =
        token.parse().map_err(|_| malformed("The method is not a token (RFC 9110 §9.1)."))?;
    *request.uri_mut() = target.uri;
    *request.version_mut() = if http_1_0 { http::Version::HTTP_10 } else { http::Version::HTTP_11 };
    *request.headers_mut() = fields;
    Ok(Head {
        request,
        framing,
        expects_continue,
        http_1_0,
        keep_alive,
        bare: nature.is_some_and(|nature| nature.bare),
        safe: nature.is_some_and(|nature| nature.safe),
    })
}

/// Exactly one Host, and a valid one (RFC 9112 §3.2); HTTP/1.0 may leave it out.
fn check_host(fields: &HeaderMap, http_1_0: bool) -> Result<(), Problem> {
    let absent = !fields.contains_key(HOST);
    if (absent && http_1_0) || fault::on(Fault::TwoHostsAccepted) {
        return Ok(());
    }
    Authority::read(fields).map(drop)
}

/// RFC 9112 §9.3: `close` wins; HTTP/1.0 has to ask.
fn is_persistent(fields: &HeaderMap, http_1_0: bool) -> bool {
    let (mut close, mut keep_alive) = (false, false);
    for line in fields.get_all(CONNECTION) {
        for option in line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            close |= option.eq_ignore_ascii_case(b"close");
            keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }
    !close && (keep_alive || !http_1_0)
}

/// A higher minor version is read as the highest known one (RFC 9110 §2.5). True if it was one.
fn read_as_highest_minor(input: &mut BytesMut) -> bool {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let line = &input[..end];
    let end = end - usize::from(line.ends_with(b"\r"));
    let Some(version) = end.checked_sub(8).map(|start| &input[start..end]) else { return false };
    if version.starts_with(b"HTTP/1.") && matches!(version[7], b'2'..=b'9') {
        input[end - 1] = b'1';
        return true;
    }
    false
}

/// True where the method, if one can be read, has answers without content.
fn is_bare(input: &[u8]) -> bool {
    let token = input.split(|byte| *byte == b' ').next().unwrap_or_default();
    let token = std::str::from_utf8(&token[..token.len().min(32)]).unwrap_or_default();
    match table::method(token) {
        table::Token::Served(method) => table::nature(method).bare,
        table::Token::Withheld | table::Token::Unknown => false,
    }
}

/// What an unfinished head is refused for before its end has come.
fn too_long(input: &[u8], settings: &Settings) -> Option<Problem> {
    let most = line_bytes_max(settings);
    match input.iter().take(most + 1).position(|byte| *byte == b'\n') {
        None if input.len() > most => Some(line_too_long(input, settings)),
        Some(line) if input.len() - line > settings.fields_bytes_max => {
            let detail =
                format!("The header section is larger than {} bytes.", settings.fields_bytes_max);
            Some(Problem::new(Kind::FieldsTooLarge, detail).closing())
        }
        _ => None,
    }
}

fn line_bytes_max(settings: &Settings) -> usize {
    settings.target_bytes_max + LINE_BYTES_BESIDE_TARGET
}

/// A request line that is too long by its target, or by something that is no method.
fn line_too_long(input: &[u8], settings: &Settings) -> Problem {
    if input[..LINE_BYTES_BESIDE_TARGET].contains(&b' ') {
        return target_too_long(settings);
    }
    malformed("The request line does not begin with a method (RFC 9112 §3).")
}

pub(crate) fn target_too_long(settings: &Settings) -> Problem {
    let detail = format!(
        "The request target is longer than {} bytes. Send the query as the content of QUERY.",
        settings.target_bytes_max
    );
    Problem::new(Kind::TargetTooLong, detail).closing()
}

pub(crate) fn fields_too_many(settings: &Settings) -> Problem {
    let detail = format!("The request has more than {} header fields.", settings.fields_max);
    Problem::new(Kind::FieldsTooLarge, detail).closing()
}
