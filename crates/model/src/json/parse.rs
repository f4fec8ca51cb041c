//! Reading JSON (RFC 8259): strict where the RFC leaves a choice, exact in numbers, and with the
//! place of the first fault.

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::{DEPTH_MAX, escape};

/// Why bytes are not JSON that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault in characters, from 1.
    pub column: usize,
    /// What is wrong there and what is expected instead.
    pub detail: String,
    /// True where the bytes follow the grammar (or are NaN or Infinity, which many writers emit)
    /// and the value cannot be kept: 422 instead of 400.
    pub semantic: bool,
    /// Where in the document the fault lies, as a JSON Pointer (RFC 6901).
    pub pointer: String,
}

/// Reads one JSON text. A byte order mark before it is passed over (RFC 8259 §8.1).
///
/// # Errors
/// Refuses whatever is not JSON, and, where the RFC leaves the choice: a name twice in one object,
/// nesting deeper than `DEPTH_MAX`, lone surrogates, -0, and numbers that binary64 or 64 bits
/// cannot hold.
pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    parse_part(bytes, bytes.len(), 0).map_err(|(_, fault)| fault)
}

/// Reads a value that ends before this byte, and stands inside so many arrays and objects of a
/// longer text. A fault comes with its byte, and with its line and column in the part.
///
/// # Errors
/// As `parse`.
pub(crate) fn parse_part(bytes: &[u8], end: usize, around: usize) -> Result<Value, (usize, Fault)> {
    let located = |stop: Box<Stop>, text: &str| (stop.at, stop.locate(text));
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = &bytes[..error.valid_up_to()];
            let text = std::str::from_utf8(valid).unwrap_or_default();
            return Err(located(Stop::syntax(text.len(), "this byte is not UTF-8"), text));
        }
    };
    let mut parser = Parser { text, bytes, at: 0, depth: around };
    parser.document(end).map_err(|stop| located(stop, text))
}

/// A fault by its byte; line and column are counted once it is reported.
struct Stop {
    at: usize,
    detail: String,
    semantic: bool,
    /// Built backwards while the parser returns, so that success costs nothing.
    path: Vec<String>,
}

impl Stop {
    fn syntax(at: usize, detail: impl Into<String>) -> Box<Self> {
        Box::new(Self { at, detail: detail.into(), semantic: false, path: Vec::new() })
    }

    fn semantic(at: usize, detail: impl Into<String>) -> Box<Self> {
        Box::new(Self { at, detail: detail.into(), semantic: true, path: Vec::new() })
    }

    fn within(mut self: Box<Self>, segment: String) -> Box<Self> {
        self.path.push(segment);
        self
    }

    fn locate(&self, text: &str) -> Fault {
        let before = text.get(..self.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Fault {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            detail: self.detail.clone(),
            semantic: self.semantic,
            pointer: self.path.iter().rev().flat_map(|part| ["/", part.as_str()]).collect(),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Box<Stop>>;

impl Parser<'_> {
    fn document(&mut self, end: usize) -> Parsed<Value> {
        self.space();
        if self.at == self.bytes.len() {
            return Err(Stop::syntax(self.at, "the content is empty; a JSON value is expected"));
        }
        let value = self.value()?;
        self.space();
        if self.at != end {
            return Err(match self.depth {
                0 => Stop::syntax(self.at, "there is something after the end of the JSON value"),
                _ => self.unexpected("\",\" or \"]\" after an array item"),
            });
        }
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Goes past a byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Parsed<Value> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Parsed<Value>) -> Parsed<Value> {
        if self.depth == DEPTH_MAX {
            let detail = format!("arrays and objects are nested deeper than {DEPTH_MAX}");
            return Err(Stop::syntax(self.at, detail));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Parsed<Value> {
        let mut members = Map::new();
        self.space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a member name in double quotes"));
            }
            let name = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(self.unexpected("\":\" after the member name"));
            }
            self.space();
            let value = match self.value() {
                Ok(value) => value,
                Err(stop) => return Err(stop.within(escape(&name))),
            };
            match members.entry(name) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(place) => {
                    let segment = escape(place.key());
                    let stop = Stop::syntax(start, "this name is twice in one object");
                    return Err(stop.within(segment));
                }
            };
            self.space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.unexpected("\",\" or \"}\" after a member"));
            }
        }
    }

    fn array(&mut self) -> Parsed<Value> {
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            match self.value() {
                Ok(value) => items.push(value),
                Err(stop) => return Err(stop.within(items.len().to_string())),
            }
            self.space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.unexpected("\",\" or \"]\" after an array item"));
            }
        }
    }

    fn unexpected(&self, expected: &str) -> Box<Stop> {
        match self.text[self.at..].chars().next() {
            None => Stop::syntax(self.at, format!("the content ends here; expected {expected}")),
            Some(found) => Stop::syntax(self.at, format!("expected {expected}, found {found:?}")),
        }
    }

    fn word(&mut self) -> Parsed<Value> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let value = match &rest[..length] {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "NaN" | "Infinity" => return Err(self.not_finite(self.at)),
            "True" | "False" | "None" | "undefined" => {
                let detail = "JSON has the words true, false and null, in lower case";
                return Err(Stop::syntax(self.at, detail));
            }
            _ => return Err(self.unexpected("a JSON value")),
        };
        self.at += length;
        Ok(value)
    }

    fn not_finite(&self, at: usize) -> Box<Stop> {
        Stop::semantic(at, "NaN and Infinity are not JSON numbers; leave the member out")
    }

    /// Reads a string whose opening quote is next.
    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let start = self.at;
        let plain = self.plain();
        if self.take(b'"') {
            return Ok(self.text[start..plain].to_owned());
        }
        let mut string = self.text[start..plain].to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escaped()?),
                Some(_) => {
                    let detail =
                        "a control character must be escaped inside a string, as \\n or \\u000a";
                    return Err(Stop::syntax(self.at, detail));
                }
                None => return Err(self.unexpected("the closing quote of a string")),
            }
            let start = self.at;
            let end = self.plain();
            string.push_str(&self.text[start..end]);
        }
    }

    /// Goes past characters that stand for themselves; returns where they end.
    fn plain(&mut self) -> usize {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at += length.unwrap_or(rest.len());
        self.at
    }

    fn escaped(&mut self) -> Parsed<char> {
        let start = self.at;
        let letter = self.bytes.get(start + 1).copied();
        self.at = (start + 2).min(self.bytes.len());
        Ok(match letter {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(start),
            _ => {
                let detail = "after a backslash, one of \" \\ / b f n r t u is expected";
                return Err(Stop::syntax(start, detail));
            }
        })
    }

    /// Reads the digits of `\uXXXX`, and those of a second one where the first is half a pair.
    fn code_point(&mut self, start: usize) -> Parsed<char> {
        let lone = || Stop::semantic(start, "this is half of a surrogate pair, not a character");
        let first = self.unit(start)?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if first >= 0xdc00 || !self.bytes[self.at..].starts_with(b"\\u") {
            return Err(lone());
        }
        let second_start = self.at;
        self.at += 2;
        let second = self.unit(second_start)?;
        if !(0xdc00..=0xdfff).contains(&second) {
            return Err(lone());
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(lone)
    }

    fn unit(&mut self, start: usize) -> Parsed<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, byte| {
            char::from(*byte).to_digit(16).map(|digit| unit * 16 + digit)
        });
        match unit {
            Some(unit) if digits.len() == 4 => {
                self.at += 4;
                Ok(unit)
            }
            _ => Err(Stop::syntax(start, "\\u is followed by exactly four hexadecimal digits")),
        }
    }

    fn digits(&mut self, what: &str) -> Parsed<()> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        if length == 0 { Err(self.unexpected(what)) } else { Ok(()) }
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        self.take(b'-');
        if self.bytes[self.at..].starts_with(b"Infinity") {
            return Err(self.not_finite(start));
        }
        let zero = self.peek() == Some(b'0');
        let first = self.at;
        self.digits("a digit")?;
        if zero && self.at > first + 1 {
            return Err(Stop::syntax(start, "a number must not begin with a needless zero"));
        }
        let mut whole = true;
        if self.take(b'.') {
            self.digits("a digit after the decimal point")?;
            whole = false;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits("a digit of the exponent")?;
            whole = false;
        }
        exact(&self.text[start..self.at], whole).map_err(|detail| Stop::semantic(start, detail))
    }
}

/// The number that a literal of JSON's grammar stands for, if it can be kept.
fn exact(literal: &str, whole: bool) -> Result<Value, &'static str> {
    if whole && literal != "-0" {
        if let Ok(number) = literal.parse::<i64>() {
            return Ok(Value::from(number));
        }
        if let Ok(number) = literal.parse::<u64>() {
            return Ok(Value::from(number));
        }
    }
    let number = literal.parse::<f64>().unwrap_or(f64::INFINITY);
    if number == 0.0 && number.is_sign_negative() {
        return Err("negative zero cannot be kept; send 0");
    }
    // A whole number that loses digits in binary64 would come back as another one.
    if whole && number.is_finite() && format!("{number:.0}") != literal {
        return Err("this whole number has more digits than can be kept; send it as a string");
    }
    let number = Number::from_f64(number);
    number.map(Value::Number).ok_or("this number is beyond the range of binary64 (±1.8e308)")
}
