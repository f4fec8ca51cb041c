//! Why a head could not be parsed: finds the first broken rule and says it in words. Runs only
//! after a parse has failed, so it is written for its message, not for speed.

use contract::problem::{Kind, Problem, Violation};

use super::chunk::is_token;
use super::framing::malformed;

/// Names the first rule of RFC 9112 that these bytes break.
pub(super) fn diagnose(input: &[u8]) -> Problem {
    let mut lines = input.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if let Some(problem) = request_line(without_cr(first)) {
        return problem;
    }
    for (number, line) in lines.enumerate() {
        let line = without_cr(line);
        if line.is_empty() {
            break;
        }
        if let Some(problem) = field_line(line, number == 0) {
            return problem;
        }
    }
    malformed("The header section is not well-formed (RFC 9112 §5).")
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn request_line(line: &[u8]) -> Option<Problem> {
    if line.iter().any(|byte| byte.is_ascii_control()) {
        return Some(malformed(
            "The request line holds a control character, such as TAB, NUL or a CR without LF \
             (RFC 9112 §3).",
        ));
    }
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else {
        return Some(malformed(
            "The request line is not `METHOD target HTTP/1.1` with single spaces between \
             (RFC 9112 §3). A space inside the target is written %20.",
        ));
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Some(malformed("The method is not a token (RFC 9110 §9.1)."));
    }
    if target.is_empty() {
        return Some(malformed("The request target is missing (RFC 9112 §3.2)."));
    }
    match major_version(version) {
        Some(1) if version.len() == 8 => None,
        Some(1) | None => Some(malformed(
            "The HTTP version is not `HTTP/1.1` (RFC 9112 §2.3). It is case-sensitive.",
        )),
        Some(_) => Some(
            Problem::new(
                Kind::VersionNotSupported,
                "This server speaks HTTP/1.1. Other versions are not reached over this connection.",
            )
            .closing(),
        ),
    }
}

/// The major number of `HTTP/2` or `HTTP/2.0`.
fn major_version(version: &[u8]) -> Option<u32> {
    let numbers = std::str::from_utf8(version).ok()?.strip_prefix("HTTP/")?;
    let (major, minor) = numbers.split_once('.').unwrap_or((numbers, "0"));
    let digit = |text: &str| text.len() == 1 && text.as_bytes()[0].is_ascii_digit();
    if digit(major) && digit(minor) { major.parse().ok() } else { None }
}

fn field_line(line: &[u8], first: bool) -> Option<Problem> {
    if matches!(line[0], b' ' | b'\t') {
        return Some(malformed(if first {
            "Whitespace stands before the first field line (RFC 9112 §2.2)."
        } else {
            "A field line begins with whitespace. Folded lines are obsolete: write each field on \
             one line (RFC 9112 §5.2)."
        }));
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Some(malformed("A field line has no colon after its name (RFC 9112 §5)."));
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.last().is_some_and(u8::is_ascii_whitespace) {
        return Some(malformed(
            "Whitespace stands between a field name and its colon (RFC 9112 §5.1).",
        ));
    }
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Some(malformed(
            "A field name is empty or holds a character that names cannot have (RFC 9110 §5.1).",
        ));
    }
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    value.iter().any(control).then(|| {
        let detail = "A field value holds NUL, CR or another control character (RFC 9110 §5.5).";
        let errors = known_name(name).map(|name| Violation::field(name, detail));
        malformed(detail).with_errors(errors.into_iter().collect())
    })
}

/// The name if it is one that everybody knows: anything else in broken bytes is not repeated.
fn known_name(name: &[u8]) -> Option<&'static str> {
    const KNOWN: &[&str] = &[
        "Accept",
        "Authorization",
        "Content-Length",
        "Content-Type",
        "Cookie",
        "Host",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Transfer-Encoding",
        "User-Agent",
    ];
    KNOWN.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name)).copied()
}

#[cfg(test)]
mod tests {
    use super::diagnose;

    #[test]
    fn each_rule_has_its_own_words() {
        for (head, status, words) in [
            ("GET /\r\n", 400, "single spaces"),
            ("GET  / HTTP/1.1\r\n", 400, "single spaces"),
            ("GET / HTTP/1.1 \r\n", 400, "single spaces"),
            ("GET\t/ HTTP/1.1\r\n", 400, "control character"),
            ("G(T / HTTP/1.1\r\n", 400, "token"),
            ("GET / http/1.1\r\n", 400, "HTTP version"),
            ("GET / HTTP/11\r\n", 400, "HTTP version"),
            ("PRI * HTTP/2.0\r\n", 505, "HTTP/1.1"),
            ("GET / HTTP/0.9\r\n", 505, "HTTP/1.1"),
            ("GET / HTTP/1.1\r\n Host: a\r\n", 400, "before the first"),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n", 400, "Folded"),
            ("GET / HTTP/1.1\r\nHost : a\r\n", 400, "colon"),
            ("GET / HTTP/1.1\r\nHost\r\n", 400, "no colon"),
            ("GET / HTTP/1.1\r\n: a\r\n", 400, "name is empty"),
            ("GET / HTTP/1.1\r\nHost: a\0b\r\n", 400, "NUL"),
            ("GET / HTTP/1.1\r\nHost: a\rb\r\n", 400, "NUL, CR"),
        ] {
            let problem = diagnose(head.as_bytes());
            assert_eq!(problem.kind.entry().status, status, "{head:?}");
            assert!(problem.detail.contains(words), "{head:?}: {}", problem.detail);
            assert!(problem.close);
        }
    }
}
