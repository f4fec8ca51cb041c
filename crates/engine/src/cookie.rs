//! The cookie of a session (RFC 6265): its name, its reading and its writing.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use model::setting::Settings;

use crate::representation::field;

/// Where the cookie is sent over TLS alone, its name makes browsers insist on that, on this very
/// host and on the whole of it: no neighbour can set it (RFC 6265bis §4.1.3.2).
const SECURE: &str = "__Host-methodical";
const PLAIN: &str = "methodical";

/// True where browsers reach this API over TLS.
fn is_secure(settings: &Settings) -> bool {
    settings.origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
}

fn name(settings: &Settings) -> &'static str {
    if is_secure(settings) { SECURE } else { PLAIN }
}

/// The token in the cookie of a session. Where two are sent, somebody else has set one of them,
/// and neither counts.
pub(crate) fn read<'a>(headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
    let own = name(settings);
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
pub(crate) fn set(token: &str, life: Duration, settings: &Settings) -> HeaderValue {
    write(token, life.as_secs(), settings)
}

/// The field that takes it away.
pub(crate) fn clear(settings: &Settings) -> HeaderValue {
    write("", 0, settings)
}

fn write(value: &str, seconds: u64, settings: &Settings) -> HeaderValue {
    let secure = if is_secure(settings) { "; Secure" } else { "" };
    let name = name(settings);
    field(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{read, set};
    use http::header::{COOKIE, HeaderMap};
    use model::setting::Settings;
    use std::time::Duration;

    #[test]
    fn one_cookie_counts_and_two_do_not() {
        let plain = Settings::default();
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
            assert_eq!(read(&headers, &plain), token, "{lines:?}");
        }
    }

    #[test]
    fn over_tls_the_cookie_is_bound_to_this_host() {
        let mut settings = Settings::default();
        let life = Duration::from_mins(1);
        let plain = "methodical=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(set("t", life, &settings), plain);
        settings.set("origin", "https://shop.example").unwrap();
        let secure = "__Host-methodical=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set("t", life, &settings), secure);
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "methodical=x; __Host-methodical=t".parse().unwrap());
        assert_eq!(read(&headers, &settings), Some("t"));
    }
}
