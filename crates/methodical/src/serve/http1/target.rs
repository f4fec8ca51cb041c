//! The four forms of a request target (RFC 9112 §3.2), read without a guess.

use bytes::Bytes;
use http::{HeaderValue, Uri};

use contract::host::Authority;
use contract::problem::{Kind, Problem};
use contract::{secret, table};

use super::framing::malformed;

/// A target as the engine takes it: origin-form or `*`.
#[derive(Debug)]
pub(crate) struct Target {
    /// Path and query, or `*`.
    pub(crate) uri: Uri,
    /// The authority of an absolute-form target, which replaces Host (RFC 9112 §3.2.2).
    pub(crate) authority: Option<HeaderValue>,
}

/// Reads a request target.
///
/// # Errors
/// 400 for a target outside RFC 3986 and for a form that does not belong to the method; the
/// answer never repeats the target.
pub(crate) fn read(target: &Bytes, method: &str) -> Result<Target, Problem> {
    check_characters(target)?;
    if target.starts_with(b"/") {
        return Ok(Target { uri: origin(target.clone())?, authority: None });
    }
    if target[..] == *b"*" {
        return asterisk(method, None);
    }
    match scheme(target) {
        Some(length) => absolute(target, length, method),
        None => Err(malformed(
            "The request target is neither a path that begins with `/`, nor `*`, nor a whole \
             http URL (RFC 9112 §3.2). Its form host:port belongs to CONNECT, which is for \
             proxies; this server is none.",
        )),
    }
}

/// Refuses bytes that a URI cannot hold (RFC 3986 §2), before anybody reads meaning into them.
fn check_characters(target: &[u8]) -> Result<(), Problem> {
    let mut rest = target;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' if !is_encoded(after) => {
                return Err(malformed(
                    "A `%` in the request target is not followed by two hexadecimal digits \
                     (RFC 3986 §2.1). Write a percent sign itself as %25.",
                ));
            }
            b'#' => {
                return Err(malformed(
                    "A fragment (`#…`) is not sent in a request (RFC 9112 §3.2). Leave it out, \
                     or write `#` as %23.",
                ));
            }
            b'<' | b'>' | b'`' => {
                return Err(malformed(
                    "One of `<`, `>` and a backtick stands in the request target. \
                     Percent-encode it (RFC 3986 §2.1).",
                ));
            }
            b'!'..=b'~' => {}
            _ => {
                return Err(malformed(
                    "The request target holds a byte outside printable ASCII. Percent-encode \
                     text as UTF-8: `é` is %C3%A9 (RFC 3986 §2.5). With curl: \
                     --get --data-urlencode 'name=José'.",
                ));
            }
        }
    }
    Ok(())
}

/// True for the two digits that follow a `%`.
fn is_encoded(after: &[u8]) -> bool {
    after.len() >= 2 && after[..2].iter().all(u8::is_ascii_hexdigit)
}

/// A path with a query.
fn origin(target: Bytes) -> Result<Uri, Problem> {
    Uri::from_maybe_shared(target).map_err(|_| {
        malformed(
            "The request target holds a character that has to be percent-encoded there, such as \
             `\"` (RFC 3986 §3.4).",
        )
    })
}

/// `*` names the server itself (RFC 9112 §3.2.4).
fn asterisk(method: &str, authority: Option<HeaderValue>) -> Result<Target, Problem> {
    if is_about_server(method) {
        return Ok(Target { uri: Uri::from_static("*"), authority });
    }
    let served = table::rows(table::Target::Server).map(|row| table::nature(row.method).name);
    let served = served.collect::<Vec<_>>().join(", ");
    Err(malformed(format!(
        "The target `*` is for {served} only (RFC 9112 §3.2.4). Send a path that begins with `/`."
    )))
}

fn is_about_server(method: &str) -> bool {
    match table::method(method) {
        table::Token::Served(method) => table::row(table::Target::Server, method).is_some(),
        table::Token::Withheld | table::Token::Unknown => false,
    }
}

/// The length of `http://` or `https://` at the start, in any case of letters.
fn scheme(target: &[u8]) -> Option<usize> {
    ["http://", "https://"].into_iter().map(str::len).zip([&b"http://"[..], b"https://"]).find_map(
        |(length, prefix)| target.get(..length)?.eq_ignore_ascii_case(prefix).then_some(length),
    )
}

/// A whole URL: its authority replaces Host, the rest is as in origin-form.
fn absolute(target: &Bytes, scheme: usize, method: &str) -> Result<Target, Problem> {
    let after = target.slice(scheme..);
    let end = after.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(after.len());
    let authority = after.slice(..end);
    if secret::userinfo(std::str::from_utf8(target).unwrap_or_default()) {
        let detail = "The request target has user information before its host. URLs are logged and \
                      kept in many places. Send credentials in the Authorization field, and \
                      replace the ones that were sent.";
        return Err(Problem::new(Kind::SecretInUrl, detail).closing());
    }
    let authority = std::str::from_utf8(&authority)
        .ok()
        .and_then(Authority::parse)
        .and_then(|_| HeaderValue::from_maybe_shared(authority.clone()).ok())
        .ok_or_else(|| malformed("The host in the request target is invalid (RFC 9112 §3.2.2)."))?;
    let rest = after.slice(end..);
    if rest.is_empty() && is_about_server(method) {
        return asterisk(method, Some(authority));
    }
    // An empty path is `/` (RFC 9110 §4.2.3).
    let path = if rest.starts_with(b"/") { rest } else { Bytes::from([b"/", &rest[..]].concat()) };
    Ok(Target { uri: origin(path)?, authority: Some(authority) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::read;
    use bytes::Bytes;

    fn target(method: &str, text: &'static str) -> Result<(String, Option<String>), u16> {
        let read = read(&Bytes::from_static(text.as_bytes()), method);
        let authority = |value: http::HeaderValue| value.to_str().unwrap().to_owned();
        read.map(|target| (target.uri.to_string(), target.authority.map(authority)))
            .map_err(|problem| problem.kind.entry().status)
    }

    #[test]
    fn forms() {
        let plain = |text: &str| Ok((text.to_owned(), None));
        let from = |text: &str, host: &str| Ok((text.to_owned(), Some(host.to_owned())));
        assert_eq!(target("GET", "/"), plain("/"));
        assert_eq!(
            target("GET", "/a/b?price[gte]=1&x=%20|^{}"),
            plain("/a/b?price[gte]=1&x=%20|^{}")
        );
        assert_eq!(target("GET", "//x/y"), plain("//x/y"));
        assert_eq!(target("OPTIONS", "*"), plain("*"));
        assert_eq!(target("GET", "http://a.example/p?q=1"), from("/p?q=1", "a.example"));
        assert_eq!(target("GET", "HTTP://a.example:80"), from("/", "a.example:80"));
        assert_eq!(target("GET", "https://[::1]:8080?q=1"), from("/?q=1", "[::1]:8080"));
        assert_eq!(target("OPTIONS", "http://a.example"), from("*", "a.example"));
        assert_eq!(target("OPTIONS", "http://a.example/"), from("/", "a.example"));
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "*",
            "example.com:443",
            "users",
            "ftp://a.example/",
            "http://",
            "http:///p",
            "/a#b",
            "/100%",
            "/%4",
            "/%zz",
            "/a<b",
            "/?q=\"",
            "/é",
            "/a`b",
            "http://a b/",
            "http://a:b/",
            "http://[::g]/",
        ] {
            assert_eq!(target("GET", text), Err(400), "{text}");
        }
        assert_eq!(target("CONNECT", "example.com:443"), Err(400));
        let secret = read(&Bytes::from_static(b"http://alice:pw@a.example/"), "GET").unwrap_err();
        assert_eq!(secret.kind.entry().slug, "secret-in-url");
        assert!(!secret.detail.contains("pw") && !secret.detail.contains("alice"));
    }
}
