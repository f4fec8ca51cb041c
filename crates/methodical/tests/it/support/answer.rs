//! An answer as it came from the wire, and what holds for every answer whatever was asked.

use std::io::{Error, ErrorKind, Read};

use serde_json::Value;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The reason phrase.
    pub(crate) reason: String,
    /// Fields in order, names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    /// The content, as it was sent (content codings are not undone).
    pub(crate) content: Vec<u8>,
    /// All of it, as it came.
    pub(crate) bytes: Vec<u8>,
}

fn malformed(what: &str, bytes: &[u8]) -> Error {
    let text = String::from_utf8_lossy(bytes).into_owned();
    Error::new(ErrorKind::InvalidData, format!("{what}: {text:?}"))
}

impl Answer {
    /// Reads one answer from the start of some bytes; `None` where it is not there to its end.
    /// Gives the number of bytes that it took.
    pub(crate) fn parse(
        bytes: &[u8],
        method: &str,
        ended: bool,
    ) -> std::io::Result<Option<(Self, usize)>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| malformed("not text", bytes))?;
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let rest = status_line
            .strip_prefix("HTTP/1.1 ")
            .ok_or_else(|| malformed("not a status line", bytes))?;
        let (code, reason) = rest.split_once(' ').ok_or_else(|| malformed("no space", bytes))?;
        let status = code.parse().map_err(|_| malformed("no status", bytes))?;
        let mut fields = Vec::new();
        for line in lines {
            let (name, value) =
                line.split_once(':').ok_or_else(|| malformed("not a field", line.as_bytes()))?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let reason = reason.to_owned();
        let mut answer = Self { status, reason, fields, content: Vec::new(), bytes: Vec::new() };
        let start = end + 4;
        let Some(length) = answer.length(&bytes[start..], method, ended)? else { return Ok(None) };
        let taken = start + length.on_wire;
        answer.content = length.content;
        answer.bytes = bytes[..taken].to_vec();
        Ok(Some((answer, taken)))
    }

    fn length(&self, rest: &[u8], method: &str, ended: bool) -> std::io::Result<Option<Length>> {
        if method == "HEAD" || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Some(Length { on_wire: 0, content: Vec::new() }));
        }
        if self.field("transfer-encoding").is_some() {
            return unchunk(rest);
        }
        let Some(length) = self.field("content-length") else {
            return Ok(ended.then(|| Length { on_wire: rest.len(), content: rest.to_vec() }));
        };
        let length: usize = length.parse().map_err(|_| malformed("length", length.as_bytes()))?;
        Ok(rest.get(..length).map(|content| Length { on_wire: length, content: content.to_vec() }))
    }

    /// A field's value; several lines are joined with commas (RFC 9110 §5.3).
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self
            .fields
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The members of a field that is a list, trimmed.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let value = self.field(name).unwrap_or_default();
        value
            .split(',')
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// The content with its content coding undone.
    pub(crate) fn decoded(&self) -> Vec<u8> {
        match self.field("content-encoding").as_deref() {
            None => self.content.clone(),
            Some("gzip") => {
                let mut out = Vec::new();
                flate2::read::GzDecoder::new(&self.content[..])
                    .read_to_end(&mut out)
                    .expect("the content is gzip");
                out
            }
            Some("zstd") => zstd::decode_all(&self.content[..]).expect("the content is zstd"),
            Some(other) => panic!("a coding that nobody asked for: {other}"),
        }
    }

    /// The content as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.decoded()).expect("the content is UTF-8")
    }

    /// The content as JSON.
    pub(crate) fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not JSON ({error}): {text:?}"))
    }

    /// True where the server says that it closes the connection.
    pub(crate) fn closes(&self) -> bool {
        self.list("connection").iter().any(|option| option.eq_ignore_ascii_case("close"))
    }

    /// Holds the answer against what no answer may break.
    pub(crate) fn check(&self, method: &str, target: &str) {
        let faults = super::gate::faults(self, method);
        assert!(
            faults.is_empty(),
            "{method} {target}: an answer that no request may get:\n  {}\n{}",
            faults.join("\n  "),
            self.show()
        );
    }

    /// The answer for a person to read.
    pub(crate) fn show(&self) -> String {
        let mut text = format!("{} {}\n", self.status, self.reason);
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(&self.content));
        text
    }
}

struct Length {
    on_wire: usize,
    content: Vec<u8>,
}

/// Undoes the chunked transfer coding (RFC 9112 §7.1), strictly.
fn unchunk(rest: &[u8]) -> std::io::Result<Option<Length>> {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let Some(end) = rest[at..].windows(2).position(|two| two == b"\r\n") else {
            return Ok(None);
        };
        let line = std::str::from_utf8(&rest[at..at + end])
            .map_err(|_| malformed("chunk size", &rest[at..at + end]))?;
        let size =
            usize::from_str_radix(line, 16).map_err(|_| malformed("chunk", line.as_bytes()))?;
        at += end + 2;
        let Some(chunk) = rest.get(at..at + size + 2) else { return Ok(None) };
        if &chunk[size..] != b"\r\n" {
            return Err(malformed("no CRLF after a chunk", chunk));
        }
        content.extend_from_slice(&chunk[..size]);
        at += size + 2;
        if size == 0 {
            return Ok(Some(Length { on_wire: at, content }));
        }
    }
}
