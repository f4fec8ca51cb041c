//! traceparent: the trace that a request belongs to (W3C Trace Context §3.2).

use std::fmt;

use http::{HeaderMap, HeaderName};

const FIELD: HeaderName = HeaderName::from_static("traceparent");

/// The length of a value of version 00; later versions are not shorter.
const LENGTH: usize = 55;

/// The id of a whole trace. Never all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// The id of one step of a trace. Never all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

/// Where a request stands in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The caller's step of it.
    pub span: SpanId,
    /// The caller may have recorded it.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads traceparent; `None` where it is absent, sent twice or outside its grammar: then a
    /// trace is begun anew (§4.3), and nothing is refused.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(FIELD).iter();
        let line = lines.next()?;
        if lines.next().is_some() {
            return None;
        }
        Self::parse(line.to_str().ok()?)
    }

    /// Reads a value: `version "-" trace-id "-" parent-id "-" trace-flags`, hexadecimal in lower
    /// case. Of a later version the same parts are read, and what follows them is passed over.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < LENGTH || [2, 35, 52].iter().any(|&at| bytes[at] != b'-') {
            return None;
        }
        let [version] = hex::<1>(&bytes[..2])?;
        let ends = match version {
            0xff => false,
            0 => bytes.len() == LENGTH,
            _ => matches!(bytes.get(LENGTH), None | Some(b'-')),
        };
        let trace = hex(&bytes[3..35]).filter(|id| *id != [0; 16])?;
        let span = hex(&bytes[36..52]).filter(|id| *id != [0; 8])?;
        let [flags] = hex::<1>(&bytes[53..55])?;
        let sampled = flags & 1 == 1;
        ends.then_some(Self { trace: TraceId(trace), span: SpanId(span), sampled })
    }
}

/// The value to hand on: version 00, and of the flags the one that is known (§3.2.2.5).
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-0{}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let parent = TraceParent::parse(GIVEN).unwrap();
        assert_eq!(parent.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span.to_string(), "00f067aa0ba902b7");
        assert!(parent.sampled);
        assert_eq!(parent.to_string(), GIVEN);
        let flags = GIVEN.replace("-01", "-fe");
        assert_eq!(TraceParent::parse(&flags).unwrap().to_string(), GIVEN.replace("-01", "-00"));
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for text in [
            GIVEN.replacen("00", "01", 1),
            format!("{}-what-the-future-brings", GIVEN.replacen("00", "cc", 1)),
        ] {
            assert_eq!(TraceParent::parse(&text), TraceParent::parse(GIVEN), "{text}");
        }
    }

    #[test]
    fn anything_else_begins_a_trace_anew() {
        for text in [
            String::new(),
            GIVEN.to_uppercase(),
            GIVEN.replacen("00", "ff", 1),
            format!("{GIVEN}-more"),
            format!("{GIVEN}x"),
            format!("{}x", GIVEN.replacen("00", "01", 1)),
            GIVEN[..54].to_owned(),
            GIVEN.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            GIVEN.replace("00f067aa0ba902b7", &"0".repeat(16)),
            GIVEN.replace('-', "_"),
            GIVEN.replace("4bf", "4bg"),
        ] {
            assert_eq!(TraceParent::parse(&text), None, "{text}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(TraceParent::read(&headers), None);
        headers.append(FIELD, GIVEN.parse().unwrap());
        assert!(TraceParent::read(&headers).is_some());
        headers.append(FIELD, GIVEN.parse().unwrap());
        assert_eq!(TraceParent::read(&headers), None);
    }
}
