//! Prefer: what a client would like and can do without (RFC 7240).

use http::{HeaderMap, HeaderName};

use crate::field;

const FIELD: HeaderName = HeaderName::from_static("prefer");

/// The preferences that the product knows. All others, and what cannot be read, are ignored
/// (§2): a preference is never a reason for an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `return=minimal` (§4.2): no content where none is needed.
    pub minimal: bool,
    /// `return=representation` (§4.2): the state after the change as content.
    pub representation: bool,
    /// `server-timing`, our own: where the time went, in a Server-Timing field.
    pub server_timing: bool,
}

impl Preferences {
    /// Reads every line of Prefer. Of a preference that is given twice the first counts (§2).
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        let mut returned = false;
        for member in field::members(headers, &FIELD) {
            let Some((name, value)) = preference(member) else { continue };
            match name.as_str() {
                "return" if !returned => {
                    returned = true;
                    preferences.minimal = value.eq_ignore_ascii_case("minimal");
                    preferences.representation = value.eq_ignore_ascii_case("representation");
                }
                "server-timing" => preferences.server_timing = true,
                _ => {}
            }
        }
        preferences
    }
}

/// `token [ BWS "=" BWS word ]`, its parameters dropped. An empty value is no value (§2).
fn preference(member: &[u8]) -> Option<(String, String)> {
    let head = field::split(member, b';').next()?;
    let (name, value) = match head.iter().position(|&byte| byte == b'=') {
        Some(at) => (head[..at].trim_ascii(), head[at + 1..].trim_ascii()),
        None => (head, &head[head.len()..]),
    };
    let value = if value.is_empty() { String::new() } else { field::word(value)? };
    Some((field::token(name)?.to_ascii_lowercase(), value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Preferences {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FIELD, line.parse().unwrap());
        }
        Preferences::read(&headers)
    }

    const NONE: Preferences =
        Preferences { minimal: false, representation: false, server_timing: false };
    const MINIMAL: Preferences = Preferences { minimal: true, ..NONE };
    const REPRESENTATION: Preferences = Preferences { representation: true, ..NONE };
    const TIMING: Preferences = Preferences { server_timing: true, ..NONE };

    #[test]
    fn the_forms_of_one_preference() {
        for line in [
            "return=minimal",
            "Return=Minimal",
            "return=\"minimal\"",
            "return = minimal",
            "return=minimal; foo=\"some parameter\"",
            "respond-async, wait=100, return=minimal, handling=lenient",
            "foo=\"a, return=representation\", return=minimal",
            ", ,return=minimal,",
            "priority=5;x=\"return=representation\", return=minimal",
        ] {
            assert_eq!(read(&[line]), MINIMAL, "{line}");
        }
        assert_eq!(read(&["return=representation"]), REPRESENTATION);
        for line in ["server-timing", "Server-Timing", "server-timing=\"\"", "server-timing=1"] {
            assert_eq!(read(&[line]), TIMING, "{line}");
        }
    }

    #[test]
    fn several_lines_combine() {
        let both = Preferences { server_timing: true, ..MINIMAL };
        assert_eq!(read(&["return=minimal, server-timing"]), both);
        assert_eq!(read(&["server-timing", "return=minimal"]), both);
    }

    #[test]
    fn the_first_of_a_duplicate_counts() {
        assert_eq!(read(&["return=minimal, return=representation"]), MINIMAL);
        assert_eq!(read(&["return=representation", "return=minimal"]), REPRESENTATION);
        assert_eq!(read(&["return=everything, return=minimal"]), NONE);
    }

    #[test]
    fn what_is_unknown_or_unreadable_is_ignored() {
        for line in [
            "",
            "minimal",
            "return",
            "return=",
            "return=\"\"",
            "return=\"minimal",
            "retürn=minimal",
            "return minimal",
            "=minimal",
            "x-return=minimal",
        ] {
            assert_eq!(read(&[line]), NONE, "{line}");
        }
        assert_eq!(read(&["a b, return=minimal"]), MINIMAL);
    }
}
