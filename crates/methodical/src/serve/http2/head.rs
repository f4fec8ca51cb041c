//! The head of a request (RFC 9113 §8.3), as the engine takes it: target in origin-form, authority
//! in Host, one Cookie. The library has refused what no version of HTTP/2 may carry.

use bytes::Bytes;
use http::header::{COOKIE, EXPECT, HOST};
use http::request::Parts;
use http::{HeaderValue, Request};

use contract::host::Authority;
use contract::problem::Problem;
use contract::table;
use model::setting::Settings;

use crate::serve::http1::framing::malformed;
use crate::serve::http1::head::{fields_too_many, target_too_long};
use crate::serve::http1::target;

/// The head of a request that can be answered.
#[derive(Debug)]
pub(super) struct Head {
    /// Method, target in origin-form or `*`, and fields.
    pub(super) request: Request<()>,
    /// True where the client waits for `100 Continue` before it sends content.
    pub(super) expects_continue: bool,
    /// True for a method that asks for no change.
    pub(super) safe: bool,
}

/// True where the answer carries no content (HEAD).
pub(super) fn is_bare(parts: &Parts) -> bool {
    nature(parts).is_some_and(|nature| nature.bare)
}

fn nature(parts: &Parts) -> Option<&'static table::Nature> {
    match table::method(parts.method.as_str()) {
        table::Token::Served(method) => Some(table::nature(method)),
        table::Token::Withheld | table::Token::Unknown => None,
    }
}

/// Judges a head.
///
/// # Errors
/// 400, 414 and 431, as for HTTP/1.1.
pub(super) fn judge(mut parts: Parts, settings: &Settings) -> Result<Head, Problem> {
    let path = parts.uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
    if path.len() > settings.target_bytes_max {
        return Err(target_too_long(settings));
    }
    if parts.headers.len() > settings.fields_max {
        return Err(fields_too_many(settings));
    }
    let target = target::read(&Bytes::copy_from_slice(path.as_bytes()), parts.method.as_str())?;
    if let Some(authority) = parts.uri.authority() {
        let said = parts.headers.get(HOST).map(HeaderValue::as_bytes);
        if said.is_some_and(|said| !said.eq_ignore_ascii_case(authority.as_str().as_bytes())) {
            return Err(malformed(
                "`:authority` and Host name different hosts (RFC 9113 §8.3.1). Send one of them.",
            ));
        }
        let authority = HeaderValue::from_str(authority.as_str())
            .map_err(|_| malformed("`:authority` cannot be read (RFC 9113 §8.3.1)."))?;
        parts.headers.insert(HOST, authority);
    }
    Authority::read(&parts.headers).map(drop)?;
    join_cookies(&mut parts)?;
    let expects = parts.headers.get(EXPECT).map(HeaderValue::as_bytes);
    let expects_continue = expects.is_some_and(|text| text.eq_ignore_ascii_case(b"100-continue"));
    let safe = nature(&parts).is_some_and(|nature| nature.safe);
    parts.uri = target.uri;
    // What a client says beside the request is for this connection, not for the engine.
    parts.extensions.clear();
    Ok(Head { request: Request::from_parts(parts, ()), expects_continue, safe })
}

/// Clients may send one cookie a line, because that compresses better (RFC 9113 §8.2.3).
fn join_cookies(parts: &mut Parts) -> Result<(), Problem> {
    if parts.headers.get_all(COOKIE).iter().nth(1).is_none() {
        return Ok(());
    }
    let lines: Vec<&[u8]> =
        parts.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let joined = HeaderValue::from_bytes(&lines.join(&b"; "[..]))
        .map_err(|_| malformed("Cookie cannot be read (RFC 9113 §8.2.3)."))?;
    parts.headers.insert(COOKIE, joined);
    Ok(())
}
