//! Host: the authority that a request is meant for (RFC 9112 §3.2, RFC 3986 §3.2).

use std::fmt;
use std::net::Ipv6Addr;

use http::{HeaderMap, header};

use crate::problem::{Kind, Problem, Violation};

/// `uri-host [ ":" port ]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    /// The host in lower case; an IPv6 address keeps its brackets.
    pub host: String,
    /// The port, where one is named.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads the one Host field of a request of HTTP/1.1.
    ///
    /// # Errors
    /// 400, and the connection closes: no Host, two, or an invalid one (RFC 9112 §3.2).
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut lines = headers.get_all(header::HOST).iter();
        let Some(line) = lines.next() else {
            return Err(refusal("Host is missing. HTTP/1.1 requires it."));
        };
        if lines.next().is_some() {
            return Err(refusal("Host is sent more than once. Send it once."));
        }
        let authority = line.to_str().ok().and_then(Self::parse);
        authority.ok_or_else(|| {
            refusal("Host is not a host name or address with an optional port: example.com:8080.")
        })
    }

    /// Reads a value; `None` where it is invalid. User information has no place here (RFC 9110
    /// §4.2.4), nor has an empty host (§4.2.1). An empty port is the same as none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let (address, rest) = inner.split_once(']')?;
                if !is_ip_literal(address) {
                    return None;
                }
                (
                    &text[..address.len() + 2],
                    rest.strip_prefix(':').or(rest.is_empty().then_some(""))?,
                )
            }
            None => text.split_once(':').unwrap_or((text, "")),
        };
        if !host.starts_with('[') && !is_registered_name(host.as_bytes()) {
            return None;
        }
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        Some(Self { host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// What stands between brackets: an IPv6 address, or `v1.…` (RFC 3986 §3.2.2).
fn is_ip_literal(text: &str) -> bool {
    if text.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let future = text.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.'));
    future.is_some_and(|(version, address)| {
        !version.is_empty()
            && version.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !address.is_empty()
            && address.bytes().all(|byte| is_unreserved(byte) || is_sub_delim(byte) || byte == b':')
    })
}

/// `reg-name` (RFC 3986 §3.2.2), which covers IPv4 addresses too; not empty.
fn is_registered_name(host: &[u8]) -> bool {
    let mut rest = host;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'%' if after.len() >= 2 && after[..2].iter().all(u8::is_ascii_hexdigit) => &after[2..],
            _ if is_unreserved(byte) || is_sub_delim(byte) => after,
            _ => return false,
        };
    }
    !host.is_empty()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const fn is_sub_delim(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

fn refusal(detail: &str) -> Problem {
    Problem::new(Kind::MalformedRequest, detail)
        .with_errors(vec![Violation::field("Host", detail)])
        .closing()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_host() {
        for (text, host, port) in [
            ("example.com", "example.com", None),
            ("Example.COM:8080", "example.com", Some(8080)),
            ("localhost", "localhost", None),
            ("localhost:", "localhost", None),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]", "[::1]", None),
            ("[::1]:8080", "[::1]", Some(8080)),
            ("[2001:DB8::1]:0", "[2001:db8::1]", Some(0)),
            ("[v1.fe:d]", "[v1.fe:d]", None),
            ("my_host-1", "my_host-1", None),
            ("a%20b", "a%20b", None),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
        ] {
            let authority = Authority::parse(text).unwrap();
            assert_eq!((authority.host.as_str(), authority.port), (host, port), "{text}");
        }
        assert_eq!(Authority::parse("A:80").unwrap().to_string(), "a:80");
        assert_eq!(Authority::parse("A:").unwrap().to_string(), "a");
    }

    #[test]
    fn what_is_not_a_host() {
        for text in [
            "",
            ":80",
            "a b",
            "a, b",
            "user@example.com",
            "user:pass@example.com",
            "example.com/",
            "http://example.com",
            "example.com:http",
            "example.com:65536",
            "example.com:-1",
            "example.com:80:80",
            "::1",
            "[::1",
            "[]",
            "[::1]80",
            "[::1]x",
            "[1.2.3.4]",
            "[::1%25e]",
            "[v.a]",
            "[v1.]",
            "a%2",
            "a%zz",
            "exa\u{6d}ple.com?",
            "b\u{fc}cher.example",
            "a#b",
            "a\\b",
            "a\"b",
            "<a>",
        ] {
            assert_eq!(Authority::parse(text), None, "{text}");
        }
    }

    #[test]
    fn exactly_one_host_is_required_and_anything_else_closes() {
        let mut headers = HeaderMap::new();
        let refused = |headers: &HeaderMap| {
            let problem = Authority::read(headers).unwrap_err();
            problem.close && problem.kind == Kind::MalformedRequest
        };
        assert!(refused(&headers));
        headers.append("host", "a".parse().unwrap());
        assert_eq!(Authority::read(&headers).unwrap().host, "a");
        headers.append("host", "a".parse().unwrap());
        assert!(refused(&headers));
        headers.insert("host", "a b".parse().unwrap());
        assert!(refused(&headers));
        headers.insert("host", "".parse().unwrap());
        assert!(refused(&headers));
    }
}
