//! `format`: the formats that are asserted, one line each.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::{Type, number};
use crate::calendar;

/// A format.
#[derive(Debug)]
pub(super) struct Format {
    /// Its name in a declaration.
    pub(super) name: &'static str,
    /// The type that it says something of; values of other types pass.
    pub(super) of: Type,
    /// What a value has to be, for a sentence that begins with "must be".
    pub(super) expected: &'static str,
    /// The check.
    fits: Fits,
}

#[derive(Debug)]
enum Fits {
    Text(fn(&str) -> bool),
    Number(fn(&serde_json::Number) -> bool),
}

macro_rules! formats {
    ($($name:literal $of:ident $fits:ident $check:expr, $expected:literal;)*) => {
        static FORMATS: &[Format] = &[$(Format {
            name: $name, of: Type::$of, expected: $expected, fits: Fits::$fits($check),
        },)*];
    };
}

formats! {
    "date-time" String Text date_time,
        "a date and time with a zone, such as 2026-02-06T10:30:00Z (RFC 3339)";
    "date" String Text |text| calendar::date(text.as_bytes()).is_some(),
        "a date, such as 2026-02-06";
    "time" String Text |text| calendar::time(text.as_bytes()).is_some(),
        "a time with a zone, such as 10:30:00Z (RFC 3339)";
    "duration" String Text duration, "a duration, such as P1DT12H (ISO 8601)";
    "email" String Text |text| email(text, false), "an e-mail address, such as name@example.com";
    "idn-email" String Text |text| email(text, true), "an e-mail address, such as name@example.com";
    "hostname" String Text hostname, "a host name, such as www.example.com";
    "ipv4" String Text |text| text.parse::<Ipv4Addr>().is_ok(),
        "an IPv4 address, such as 192.0.2.1";
    "ipv6" String Text |text| text.parse::<Ipv6Addr>().is_ok(),
        "an IPv6 address, such as 2001:db8::1";
    "uri" String Text |text| uri(text, false, true),
        "an absolute URI, such as https://example.com/";
    "uri-reference" String Text |text| uri(text, false, false),
        "a URI or a relative reference (RFC 3986)";
    "iri" String Text |text| uri(text, true, true),
        "an absolute IRI, such as https://example.com/é";
    "iri-reference" String Text |text| uri(text, true, false),
        "an IRI or a relative reference (RFC 3987)";
    "uuid" String Text uuid, "a UUID, such as 018f3c5e-7b1a-7c3d-9e4f-1a2b3c4d5e6f";
    "json-pointer" String Text pointer, "a JSON Pointer, such as /a/0 (RFC 6901)";
    "relative-json-pointer" String Text relative_pointer, "a relative JSON Pointer, such as 1/a";
    "regex" String Text |text| super::pattern::compile(text).is_ok(), "a regular expression";
    "password" String Text |_| true, "a password";
    "int32" Number Number |number| is_within(number, i32::MIN.into(), i32::MAX.into()),
        "a whole number of 32 bits";
    "int64" Number Number |number| is_within(number, i64::MIN, i64::MAX),
        "a whole number of 64 bits";
    "float" Number Number |number| is_at_most(number, f32::MAX.into()),
        "a number of single precision";
    "double" Number Number |number| is_at_most(number, f64::MAX), "a number of double precision";
}

fn date_time(text: &str) -> bool {
    calendar::date_time(text).is_some()
}

fn is_at_most(number: &serde_json::Number, most: f64) -> bool {
    number.as_f64().is_some_and(|number| number.abs() <= most)
}

/// The format of this name.
pub(super) fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The names of all formats.
pub fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.name)
}

impl Format {
    /// True where the value has the format, or is of a type that the format says nothing of.
    pub(super) fn fits(&self, value: &Value) -> bool {
        match (&self.fits, value) {
            (Fits::Text(fits), Value::String(text)) => fits(text),
            (Fits::Number(fits), Value::Number(number)) => fits(number),
            _ => true,
        }
    }
}

fn is_within(number: &serde_json::Number, least: i64, most: i64) -> bool {
    number::is_integer(number)
        && crate::json::integer(number)
            .is_some_and(|number| (i128::from(least)..=i128::from(most)).contains(&number))
}

/// ISO 8601 as RFC 3339 appendix A has it: units from large to small without gaps, or weeks.
fn duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let weeks = time.is_none() && units(date, "W");
    let date_fits = units(date, "YMD") || date.is_empty() && time.is_some();
    weeks || date_fits && time.is_none_or(|time| units(time, "HMS"))
}

/// True where the text is numbers, each with the next unit of the list, beginning anywhere in it.
fn units(text: &str, list: &str) -> bool {
    let mut letters = String::new();
    let mut digits = 0;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            _ if digits > 0 => {
                letters.push(char::from(byte));
                digits = 0;
            }
            _ => return false,
        }
    }
    digits == 0 && !letters.is_empty() && list.contains(&letters)
}

/// A mailbox of RFC 5321 §4.1.2: dot-atom or quoted string, at a domain or an address literal.
fn email(text: &str, international: bool) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
            || (international && !byte.is_ascii())
    };
    let dotted = local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom));
    let literal = || {
        let inner = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        inner.is_some_and(|inner| match inner.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => inner.parse::<Ipv4Addr>().is_ok(),
        })
    };
    let host = || hostname(domain) || (international && !domain.is_ascii() && labels(domain, true));
    local.len() <= 64 && text.len() <= 254 && (dotted || quoted(local)) && (host() || literal())
}

fn quoted(local: &str) -> bool {
    let inner = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else { return false };
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'\\' => bytes.next().is_some_and(|byte| (b' '..=b'~').contains(&byte)),
            b'"' => false,
            _ => (b' '..=b'~').contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// A host name of RFC 1123 §2.1.
fn hostname(text: &str) -> bool {
    text.len() <= 253 && labels(text, false)
}

fn labels(text: &str, international: bool) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || byte == b'-' || (international && !byte.is_ascii())
            })
    })
}

/// RFC 3986 (RFC 3987 where international): scheme, authority, and the characters of the rest.
fn uri(text: &str, international: bool, absolute: bool) -> bool {
    let scheme = text.split_once(':').filter(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    let rest = match scheme {
        Some((_, rest)) => rest,
        None if absolute => return false,
        // Without a scheme, a colon in the first segment would be read as one (§4.2).
        None if text.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':')) => {
            return false;
        }
        None => text,
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (hierarchy, query) = rest.split_once('?').unwrap_or((rest, ""));
    let allowed = |part: &str, more: &str| characters(part, more, international);
    let path = match hierarchy.strip_prefix("//") {
        Some(after) => {
            let end = after.find('/').unwrap_or(after.len());
            if !authority(&after[..end], international) {
                return false;
            }
            &after[end..]
        }
        None => hierarchy,
    };
    allowed(path, ":@/") && allowed(query, ":@/?") && allowed(fragment, ":@/?")
}

fn authority(text: &str, international: bool) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(literal) => {
            let Some((address, port)) = literal.split_once(']') else { return false };
            if address.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            ("", port)
        }
        None => host.find(':').map_or((host, ""), |colon| host.split_at(colon)),
    };
    let port_fits = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    port_fits && characters(user, ":", international) && characters(host, "", international)
}

/// Unreserved characters, sub-delims, percent-encoded octets, and these.
fn characters(text: &str, more: &str, international: bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => {
                let mut hex = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                hex() && hex()
            }
            _ => {
                byte.is_ascii_alphanumeric()
                    || b"-._~!$&'()*+,;=".contains(&byte)
                    || more.as_bytes().contains(&byte)
                    || (international && !byte.is_ascii())
            }
        };
        if !fits {
            return false;
        }
    }
    true
}

fn uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escapes && (text.is_empty() || text.starts_with('/'))
}

fn relative_pointer(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (steps, rest) = text.split_at(end);
    let steps_fit = !steps.is_empty() && (steps == "0" || !steps.starts_with('0'));
    steps_fit && (rest == "#" || pointer(rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::find;

    #[test]
    fn formats_take_what_their_standards_take() {
        for (name, good, bad) in [
            (
                "date-time",
                "2026-02-06T10:30:00+01:00 1985-04-12T23:20:50.52Z",
                "2026-02-06 2026-02-30T10:30:00Z",
            ),
            ("date", "2024-02-29", "2023-02-29 2024-2-9 x"),
            ("time", "10:30:00Z 23:59:60Z 08:30:06.283185Z", "10:30:00 24:00:00Z 12:00:60Z"),
            (
                "duration",
                "P4DT12H30M5S P1Y2M P2W PT36H P1Y PT1M",
                "PT1D P 4DT P1 P1Y2W P1D2H PT P1YD P1Y1D P2S",
            ),
            (
                "email",
                "a@b.c te~st@example.com \"a@b\"@example.com a@[127.0.0.1] a@[IPv6:::1]",
                "a a@ @b .a@b a.@b a..b@c a@b_c é@b.c a@-b a@[300.0.0.1]",
            ),
            ("idn-email", "é@bücher.de a@b.c", "a@ .é@b"),
            ("hostname", "a www.example.com xn--4gbwdl.xn--wgbh1c 1.2", "-a a- a..b a_b ab. é"),
            ("ipv4", "192.0.2.1", "256.0.0.1 1.2.3 01.2.3.4 1.2.3.4/8"),
            ("ipv6", "::1 2001:db8::1 ::ffff:192.0.2.1", "12345:: 1::2::3 fe80::1%eth0 ::1/64"),
            (
                "uri",
                "http://a/b?c=d#e urn:x:y mailto:a@b http://[::1]:80/ http://u:p@h:1/ tel:+1 h:",
                "//a /a a http://a:b/ http://[x]/ http://a/%zz http://a/<> :a 1a:b http://a/é",
            ),
            ("uri-reference", "/a ../b?c #d a//b http://a", "a:b%z \\a 1:2"),
            ("iri", "http://é/ü", "é"),
            (
                "uuid",
                "2EB8AA08-aa98-11ea-b4aa-73b441d16380",
                "2eb8aa08aa9811eab4aa73b441d16380 2eb8aa08-aa98-11ea-b4aa-73b441d1638",
            ),
            ("json-pointer", "/a~0b/~1 /", "a /~2 /~"),
            ("relative-json-pointer", "0 1/a 2#", "01 -1 /a"),
            ("regex", "^a$", "("),
        ] {
            let format = find(name).unwrap();
            for text in good.split(' ') {
                assert!(format.fits(&json!(text)), "{name} {text}");
            }
            for text in bad.split(' ') {
                assert!(!format.fits(&json!(text)), "{name} {text}");
            }
            assert!(format.fits(&json!(5)), "{name} says nothing of numbers");
        }
    }

    #[test]
    fn numeric_formats_have_their_bounds() {
        let fits = |name, value| find(name).unwrap().fits(&value);
        assert!(
            fits("int32", json!(-2_147_483_648_i64)) && !fits("int32", json!(2_147_483_648_i64))
        );
        assert!(fits("int64", json!(i64::MAX)) && !fits("int64", json!(u64::MAX)));
        assert!(!fits("int64", json!(0.5)) && !fits("int64", json!(1e19)));
        assert!(fits("float", json!(1e38)) && !fits("float", json!(1e39)));
        assert!(fits("double", json!(1e308)) && fits("int64", json!("text")));
    }
}
