//! How long the content of a request is, decided by RFC 9112 §6.3 without a guess.

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

use contract::fault::{self, Fault};
use contract::problem::{Kind, Problem};

/// How the content of a request is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// No content.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunked (RFC 9112 §7.1).
    Chunked,
}

/// Reads Content-Length and Transfer-Encoding.
///
/// # Errors
/// 400 for everything that two parsers could understand differently, 501 for a transfer coding
/// that is unknown here. The connection cannot be used further (RFC 9112 §6.3).
pub(super) fn read(fields: &HeaderMap, http_1_0: bool) -> Result<Framing, Problem> {
    if fields.contains_key(TRANSFER_ENCODING) {
        if http_1_0 {
            return Err(malformed(
                "Transfer-Encoding does not exist in HTTP/1.0 (RFC 9112 §6.1). \
                 Send Content-Length.",
            ));
        }
        if fields.contains_key(CONTENT_LENGTH) && !fault::on(Fault::ClTeAccepted) {
            return Err(malformed(
                "Content-Length and Transfer-Encoding contradict each other (RFC 9112 §6.3). \
                 Send only one of them.",
            ));
        }
        return transfer_codings(fields);
    }
    let mut lengths = fields.get_all(CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(Framing::Empty),
        (Some(length), None) => content_length(length.as_bytes()),
        (Some(_), Some(_)) => Err(malformed(
            "Content-Length stands there more than once (RFC 9112 §6.3). Send it once.",
        )),
    }
}

/// Only `1*DIGIT` (RFC 9110 §8.6): no sign, no list, no base.
fn content_length(value: &[u8]) -> Result<Framing, Problem> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let length = std::str::from_utf8(value).ok().filter(|_| digits);
    match length.and_then(|text| text.parse::<u64>().ok()) {
        Some(0) => Ok(Framing::Empty),
        Some(length) => Ok(Framing::Length(length)),
        None => Err(malformed(
            "Content-Length is not one decimal number of bytes that fits in 64 bits \
             (RFC 9110 §8.6).",
        )),
    }
}

fn transfer_codings(fields: &HeaderMap) -> Result<Framing, Problem> {
    let mut codings = Vec::new();
    for line in fields.get_all(TRANSFER_ENCODING) {
        // Empty list elements are allowed (RFC 9110 §5.6.1.2).
        let elements = line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        codings.extend(elements.filter(|element| !element.is_empty()));
    }
    let is_chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let Some((last, before)) = codings.split_last() else {
        return Err(malformed("Transfer-Encoding is empty. Send `chunked`, or Content-Length."));
    };
    if fault::on(Fault::TeLastChunkedUnchecked) {
        return Ok(Framing::Chunked);
    }
    if !is_chunked(last) {
        return Err(malformed(
            "The last transfer coding is not chunked, so the end of the content cannot be told \
             (RFC 9112 §6.3). Send `Transfer-Encoding: chunked`, or Content-Length.",
        ));
    }
    if before.iter().any(is_chunked) {
        return Err(malformed("chunked is applied more than once (RFC 9112 §6.1)."));
    }
    if !before.is_empty() {
        let detail = "The only transfer coding known here is chunked. \
                      Send `Transfer-Encoding: chunked` alone.";
        return Err(Problem::new(Kind::NotImplemented, detail).closing());
    }
    Ok(Framing::Chunked)
}

/// A 400 after which the connection is closed.
pub(crate) fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::MalformedRequest, detail).closing()
}

#[cfg(test)]
mod tests {
    use super::{Framing, read};
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn framing(lines: &[(&'static str, &'static str)], http_1_0: bool) -> Result<Framing, u16> {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        read(&fields, http_1_0).map_err(|problem| {
            assert!(problem.close, "a framing fault ends the connection: {lines:?}");
            problem.kind.entry().status
        })
    }

    #[test]
    fn lengths() {
        let length = |value| framing(&[("content-length", value)], false);
        assert_eq!(framing(&[], false), Ok(Framing::Empty));
        assert_eq!(length("0"), Ok(Framing::Empty));
        assert_eq!(length("42"), Ok(Framing::Length(42)));
        assert_eq!(length("0042"), Ok(Framing::Length(42)));
        assert_eq!(length("18446744073709551615"), Ok(Framing::Length(u64::MAX)));
        for wrong in
            ["", "+5", "-1", "0x5", "5 5", "5,5", "5, 5", "5.0", "five", "18446744073709551616"]
        {
            assert_eq!(length(wrong), Err(400), "{wrong}");
        }
        let twice = [("content-length", "5"), ("content-length", "5")];
        assert_eq!(framing(&twice, false), Err(400));
    }

    #[test]
    fn codings() {
        let coding = |value| framing(&[("transfer-encoding", value)], false);
        for chunked in ["chunked", "CHUNKED", " chunked", ", chunked ,"] {
            assert_eq!(coding(chunked), Ok(Framing::Chunked), "{chunked}");
        }
        for wrong in [
            "",
            ",",
            "gzip",
            "chunked, gzip",
            "chunked, chunked",
            "identity",
            "xchunked",
            "chunked;q=1",
        ] {
            assert_eq!(coding(wrong), Err(400), "{wrong}");
        }
        assert_eq!(coding("gzip, chunked"), Err(501));
        let lines = [("transfer-encoding", "gzip"), ("transfer-encoding", "chunked")];
        assert_eq!(framing(&lines, false), Err(501));
        assert_eq!(framing(&[("transfer-encoding", "chunked")], true), Err(400));
        let both = [("transfer-encoding", "chunked"), ("content-length", "5")];
        assert_eq!(framing(&both, false), Err(400));
    }
}
