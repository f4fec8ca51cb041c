//! The cookie of a session (RFC 6265): its name, its reading and its writing.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use model::setting::Settings;

use crate::report::Scheme;
use crate::representation::field;

/// Where the cookie is sent over TLS alone, its name makes browsers insist on that, on this very
/// host and on the whole of it: no neighbour can set it (RFC 6265bis §4.1.3.2).
const SECURE: &str = "__Host-methodical";
const PLAIN: &str = "methodical";

/// How browsers reach this API: as `origin` says, and failing that as this request has come.
pub(crate) fn scheme(settings: &Settings, come: Option<&Scheme>) -> Scheme {
    match settings.origin.as_deref() {
        Some(origin) if origin.starts_with("https://") => Scheme::Https,
        Some(_) | None => come.copied().unwrap_or_default(),
    }
}

fn name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Https => SECURE,
        Scheme::Http | Scheme::Unsaid => PLAIN,
    }
}

/// True where a cookie of ours is sent, under either name.
pub(crate) fn is_there(headers: &HeaderMap) -> bool {
    let is_ours = |pair: &[u8]| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        name == SECURE.as_bytes() || name == PLAIN.as_bytes()
    };
    let lines = headers.get_all(header::COOKIE).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')).any(is_ours)
}

/// The token in the cookie of a session. Where two are sent, somebody else has set one of them,
/// and neither counts.
pub(crate) fn read(headers: &HeaderMap, scheme: Scheme) -> Option<&str> {
    let own = name(scheme);
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            let Some(rest) = pair.strip_prefix(own.as_bytes()) else { continue };
            let Some(value) = rest.strip_prefix(b"=") else { continue };
            if found.is_some() {
                return None;
            }
            found = Some(std::str::from_utf8(value).unwrap_or_default());
        }
    }
    found
}

/// The field that gives a browser the cookie.
pub(crate) fn set(token: &str, life: Duration, scheme: Scheme) -> HeaderValue {
    write(token, life.as_secs(), scheme)
}

/// The field that takes it away.
pub(crate) fn clear(scheme: Scheme) -> HeaderValue {
    write("", 0, scheme)
}

fn write(value: &str, seconds: u64, scheme: Scheme) -> HeaderValue {
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let name = name(scheme);
    field(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{read, scheme, set};
    use crate::report::Scheme;
    use http::header::{COOKIE, HeaderMap};
    use model::setting::Settings;
    use std::time::Duration;

    #[test]
    fn one_cookie_counts_and_two_do_not() {
        for (lines, token) in [
            (&["methodical=abc"][..], Some("abc")),
            (&["a=1; methodical=abc;b=2"], Some("abc")),
            (&["a=1", "methodical=abc"], Some("abc")),
            (&["methodical=abc; methodical=def"], None),
            (&["methodical=abc", "methodical=abc"], None),
            (&["methodical2=abc; xmethodical=abc; __Host-methodical=abc"], None),
            (&["methodical="], Some("")),
            (&[""], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.parse().unwrap());
            }
            assert_eq!(read(&headers, Scheme::Http), token, "{lines:?}");
        }
    }

    #[test]
    fn over_tls_the_cookie_is_bound_to_this_host() {
        let mut settings = Settings::default();
        let life = Duration::from_mins(1);
        let plain = "methodical=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(set("t", life, scheme(&settings, None)), plain);
        settings.set("origin", "https://shop.example").unwrap();
        let secure = "__Host-methodical=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set("t", life, scheme(&settings, None)), secure);
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "methodical=x; __Host-methodical=t".parse().unwrap());
        assert_eq!(read(&headers, Scheme::Https), Some("t"));
    }
}
