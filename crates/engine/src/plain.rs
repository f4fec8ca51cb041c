//! What may go over plain HTTP: everything on this machine and through a proxy that is declared,
//! and for others nothing that anybody on the way could use.

use std::net::IpAddr;

use contract::host::Authority;
use contract::problem::{Kind, Problem};
use contract::table::Operation;
use http::header::{self, HeaderValue};
use http::request::Parts;
use model::setting::Settings;

use crate::report::{Peer, Scheme};
use crate::route::Routed;
use crate::{Inner, cookie};

/// The port that an https URL leaves out (RFC 9110 §4.2.2).
const HTTPS_PORT: &str = "443";

/// Where to ask instead, for a safe request without credentials that came in the clear; nothing
/// where it may be answered here.
///
/// # Errors
/// 403 for what must not come in the clear: it cannot be undone that it has.
pub(crate) fn way(
    inner: &Inner,
    routed: &Routed,
    parts: &Parts,
) -> Result<Option<HeaderValue>, Problem> {
    if !is_in_the_clear(parts) || is_for_anybody(routed.row.operation) {
        return Ok(None);
    }
    let settings = &inner.settings;
    let encrypted = elsewhere(settings, parts);
    if let Some(what) = credential(inner, routed, parts) {
        return Err(refusal(what, encrypted.is_some()));
    }
    let Some(encrypted) = encrypted else { return Ok(None) };
    if !routed.nature.safe || parts.headers.contains_key(header::CONTENT_TYPE) {
        return Err(refusal("content", true));
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(HeaderValue::try_from(format!("{encrypted}{path}")).ok())
}

fn is_in_the_clear(parts: &Parts) -> bool {
    let is_plain = parts.extensions.get::<Scheme>() == Some(&Scheme::Http);
    let is_local = |peer: &Peer| peer.0.to_canonical().is_loopback();
    is_plain && parts.extensions.get::<Peer>().is_some_and(|peer| !is_local(peer))
}

/// Whoever watches whether this is alive has no use for a redirect.
fn is_for_anybody(operation: Operation) -> bool {
    matches!(operation, Operation::Health | Operation::Ready)
}

/// What of a request is a secret, if anything is.
fn credential(inner: &Inner, routed: &Routed, parts: &Parts) -> Option<&'static str> {
    let signs_up = routed.resource.is_some() && routed.resource == inner.model.users();
    if parts.headers.contains_key(header::AUTHORIZATION) {
        Some("Authorization")
    } else if cookie::is_there(&parts.headers) {
        Some("the cookie of a session")
    } else if matches!(
        routed.row.operation,
        Operation::Login | Operation::Password | Operation::Reset | Operation::Confirm
    ) || signs_up && !routed.nature.safe
    {
        Some("a password")
    } else {
        None
    }
}

/// The origin by which this API is reached over TLS, if it is.
fn elsewhere(settings: &Settings, parts: &Parts) -> Option<String> {
    if let Some(origin) = settings.origin.as_ref().filter(|own| own.starts_with("https://")) {
        return Some(origin.clone());
    }
    if !settings.has_tls() {
        return None;
    }
    let host = Authority::read(&parts.headers).ok()?.host;
    let port = settings.listen.rsplit(':').next().filter(|port| *port != HTTPS_PORT);
    Some(match port {
        Some(port) => format!("https://{host}:{port}"),
        None => format!("https://{host}"),
    })
}

fn refusal(what: &str, is_encrypted: bool) -> Problem {
    let next = if is_encrypted {
        "Send it to the https:// URL."
    } else {
        "Whoever runs this server sets `tls.source`, or declares the proxy in front that speaks \
         TLS (`proxies`)."
    };
    let detail = format!(
        "The request came over plain HTTP, from another machine, with {what}: whoever is on the \
         way can read that. It was not looked at, and nothing was done. {next}"
    );
    Problem::new(Kind::HttpsRequired, detail)
}

/// The value of Strict-Transport-Security. It may be sent over TLS only (RFC 6797 §7.2), and means
/// nothing for an address (§8.1.1). For `localhost` it would lock out every other server that is
/// tried there.
pub(crate) fn transport_security(parts: &Parts, settings: &Settings) -> Option<HeaderValue> {
    let is_over_tls = parts.extensions.get::<Scheme>() == Some(&Scheme::Https);
    let age = settings.tls_hsts.filter(|_| is_over_tls)?;
    if settings.tls_source == "self-signed" {
        return None;
    }
    let host = Authority::read(&parts.headers).ok()?.host;
    is_public_name(&host)
        .then(|| HeaderValue::try_from(format!("max-age={}", age.as_secs())).ok())?
}

fn is_public_name(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    let is_local = name == "localhost" || name.ends_with(".localhost");
    !is_local && !host.starts_with('[') && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::transport_security;
    use crate::report::Scheme;
    use http::Request;
    use model::setting::Settings;

    #[test]
    fn names_that_browsers_reach_over_tls_keep_to_it() {
        let mut settings = Settings::default();
        let value = |host: &str, scheme: Scheme, settings: &Settings| {
            let mut request = Request::new(());
            request.headers_mut().insert("host", host.parse().unwrap());
            request.extensions_mut().insert(scheme);
            transport_security(&request.into_parts().0, settings)
        };
        for host in ["shop.example", "shop.example:8443", "localhost.example"] {
            assert_eq!(value(host, Scheme::Https, &settings).unwrap(), "max-age=15552000");
            assert_eq!(value(host, Scheme::Http, &settings), None);
            assert_eq!(value(host, Scheme::Unsaid, &settings), None);
        }
        for host in ["localhost", "LocalHost.:8443", "a.localhost", "192.0.2.1:8443", "[::1]:1"] {
            assert_eq!(value(host, Scheme::Https, &settings), None, "{host}");
        }
        settings.set("tls.hsts", "off").unwrap();
        assert_eq!(value("shop.example", Scheme::Https, &settings), None);
        settings.set("tls.hsts", "1d").unwrap();
        assert_eq!(value("shop.example", Scheme::Https, &settings).unwrap(), "max-age=86400");
        settings.set("tls.source", "self-signed").unwrap();
        assert_eq!(value("shop.example", Scheme::Https, &settings), None);
    }
}
