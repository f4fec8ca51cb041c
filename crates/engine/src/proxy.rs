//! For whom a declared proxy asks: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).
//! From anybody else these fields mean nothing.
//!
//! Each proxy adds its word at the right end. So the walk begins there, and goes on to the left as
//! long as whoever is named is a declared proxy too: what stands further left was said by a
//! stranger, who must not be able to spoil what stands right of it either. It is not read.

use std::net::{IpAddr, SocketAddr};

use contract::host::Authority;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use model::network::Networks;
use model::setting::Settings;

use crate::report::{Peer, Scheme};

/// What one proxy says of whoever asked it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hop {
    /// Its address; none where the proxy does not tell (`unknown`, `_hidden`).
    from: Option<IpAddr>,
    scheme: Option<Scheme>,
    host: Option<String>,
}

/// The fields are not what they must be.
struct Malformed;

/// Puts the client, its scheme and the host that it asked in the place of the proxy's.
///
/// # Errors
/// Says which fields are malformed: nothing of them is believed then.
pub(crate) fn believe(settings: &Settings, parts: &mut Parts) -> Result<(), &'static str> {
    let Some(&Peer(peer)) = parts.extensions.get::<Peer>() else { return Ok(()) };
    if !settings.proxies.contain(peer) {
        return Ok(());
    }
    let (headers, proxies) = (&parts.headers, &settings.proxies);
    let (found, complaint) = match settings.forwarded.as_str() {
        "forwarded" => (
            forwarded(peer, headers, proxies),
            "Forwarded of a declared proxy is malformed, and was not believed",
        ),
        _ => (
            x_forwarded(peer, headers, proxies),
            "X-Forwarded-For of a declared proxy is malformed, and was not believed",
        ),
    };
    let (address, hop) = found.map_err(|Malformed| complaint)?;
    parts.extensions.insert(Peer(address));
    let come = parts.extensions.get::<Scheme>().copied();
    // A proxy that speaks TLS with us and says nothing more has said enough.
    let unsaid = if come == Some(Scheme::Https) { Scheme::Https } else { Scheme::Unsaid };
    parts.extensions.insert(hop.scheme.unwrap_or(unsaid));
    if let Some(host) = hop.host.and_then(|host| HeaderValue::try_from(host).ok()) {
        parts.headers.insert(header::HOST, host);
    }
    Ok(())
}

/// The client's address, and what the proxy next to it says. Hops come from the right, and are read
/// as far as the walk goes.
fn walk(
    peer: IpAddr,
    hops: impl Iterator<Item = Result<Hop, Malformed>>,
    proxies: &Networks,
) -> Result<(IpAddr, Hop), Malformed> {
    let (mut address, mut last) = (peer, Hop::default());
    for hop in hops {
        last = hop?;
        // Whom a proxy does not name counts as the proxy itself.
        let Some(from) = last.from else { break };
        address = from;
        if !proxies.contain(from) {
            break;
        }
    }
    Ok((address, last))
}

/// The members of a list, over all lines of a field. No quoted string has a comma here.
fn members<'a>(headers: &'a HeaderMap, name: &str) -> Result<Vec<&'a str>, Malformed> {
    let mut found = Vec::new();
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| Malformed)?;
        found.extend(line.split(',').map(str::trim).filter(|member| !member.is_empty()));
    }
    Ok(found)
}

fn x_forwarded(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &Networks,
) -> Result<(IpAddr, Hop), Malformed> {
    let addresses = members(headers, "x-forwarded-for")?;
    let protos = members(headers, "x-forwarded-proto").unwrap_or_default();
    let hosts = members(headers, "x-forwarded-host").unwrap_or_default();
    // Either every proxy has added one, or one has set it for all; else none is believed.
    let of = |said: &[&str], at: usize| match said {
        [one] => Some((*one).to_owned()),
        many if many.len() == addresses.len() => many.get(at).map(|one| (*one).to_owned()),
        _ => None,
    };
    let hop = |at: usize, from: Option<IpAddr>| Hop {
        from,
        scheme: of(&protos, at).and_then(|text| scheme(&text).ok()),
        host: of(&hosts, at).and_then(|text| host(text).ok()),
    };
    if addresses.is_empty() {
        return Ok((peer, hop(0, None)));
    }
    let hops = addresses.iter().enumerate().rev().map(|(at, text)| Ok(hop(at, node(text)?)));
    walk(peer, hops, proxies)
}

/// RFC 7239 §4: elements with commas between them, of pairs with semicolons between them.
fn forwarded(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &Networks,
) -> Result<(IpAddr, Hop), Malformed> {
    walk(peer, members(headers, "forwarded")?.into_iter().rev().map(element), proxies)
}

fn element(text: &str) -> Result<Hop, Malformed> {
    let mut hop = Hop::default();
    let mut seen: Vec<String> = Vec::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(Malformed)?;
        let name = name.to_ascii_lowercase();
        let value = unquoted(value)?;
        if !is_token(&name) || seen.contains(&name) {
            return Err(Malformed);
        }
        match name.as_str() {
            "for" => hop.from = node(value)?,
            "proto" => hop.scheme = Some(scheme(value)?),
            "host" => hop.host = Some(host(value.to_owned())?),
            // `by`, and what others add.
            _ => {}
        }
        seen.push(name);
    }
    Ok(hop)
}

/// A token, or what stands in quotes. Nothing that is believed here has anything to escape.
fn unquoted(text: &str) -> Result<&str, Malformed> {
    match text.strip_prefix('"') {
        Some(rest) => {
            let inner = rest.strip_suffix('"').ok_or(Malformed)?;
            if inner.contains(['"', '\\']) { Err(Malformed) } else { Ok(inner) }
        }
        None if is_token(text) => Ok(text),
        None => Err(Malformed),
    }
}

fn is_token(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(inside)
}

/// RFC 7239 §6: an address, with a port or without; `unknown`; a name that hides it.
fn node(text: &str) -> Result<Option<IpAddr>, Malformed> {
    let bare = text.split(':').next().unwrap_or_default();
    let hidden = bare.strip_prefix('_').is_some_and(is_token);
    if bare.eq_ignore_ascii_case("unknown") || hidden {
        return Ok(None);
    }
    // Some proxies leave the brackets of IPv6 away, which is no harm where there is no port.
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match inner {
        Some(inner) => inner.parse().map(IpAddr::V6).ok(),
        None => text.parse().ok().or_else(|| {
            let with_port: Option<SocketAddr> = text.parse().ok();
            with_port.map(|address| address.ip())
        }),
    };
    address.map(|address| Some(address.to_canonical())).ok_or(Malformed)
}

fn scheme(text: &str) -> Result<Scheme, Malformed> {
    match text.to_ascii_lowercase().as_str() {
        "http" => Ok(Scheme::Http),
        "https" => Ok(Scheme::Https),
        _ => Err(Malformed),
    }
}

fn host(text: String) -> Result<String, Malformed> {
    match Authority::parse(&text) {
        Some(_) => Ok(text),
        None => Err(Malformed),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Peer, Scheme, believe};
    use http::{Request, header};
    use model::setting::Settings;

    /// The client's address, scheme and host, as they are believed.
    fn seen(peer: &str, word: &str, fields: &[(&str, &str)]) -> (String, Scheme, String, bool) {
        let mut settings = Settings::default();
        settings.set("proxies", "127.0.0.1,10.0.0.0/8,::1").unwrap();
        settings.set("forwarded", word).unwrap();
        let mut request = Request::builder().header(header::HOST, "inner:8080");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer(peer.parse().unwrap()));
        let sound = believe(&settings, &mut parts).is_ok();
        let Peer(address) = parts.extensions.get::<Peer>().unwrap();
        let scheme = parts.extensions.get::<Scheme>().copied().unwrap_or_default();
        let host = parts.headers[header::HOST].to_str().unwrap().to_owned();
        (address.to_string(), scheme, host, sound)
    }

    #[test]
    fn only_a_declared_proxy_is_believed() {
        let fields = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")];
        let of = |peer: &str| seen(peer, "x-forwarded", &fields);
        let inner = || "inner:8080".to_owned();
        assert_eq!(of("198.51.100.1"), ("198.51.100.1".into(), Scheme::Http, inner(), true));
        assert_eq!(of("127.0.0.2"), ("127.0.0.2".into(), Scheme::Http, inner(), true));
        assert_eq!(of("127.0.0.1"), ("192.0.2.1".into(), Scheme::Https, inner(), true));
        assert_eq!(of("::ffff:127.0.0.1"), ("192.0.2.1".into(), Scheme::Https, inner(), true));
        // The field that is not chosen is what the client sends.
        assert_eq!(seen("::1", "forwarded", &fields).0, "::1");
        let other = [("forwarded", "for=192.0.2.1")];
        assert_eq!(seen("::1", "x-forwarded", &other).0, "::1");
    }

    #[test]
    fn the_walk_ends_at_whom_no_proxy_is() {
        for (fields, address) in [
            (&[("x-forwarded-for", "6.6.6.6, 192.0.2.1")][..], "192.0.2.1"),
            (&[("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.1.2.3")], "192.0.2.1"),
            (&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
            (&[("x-forwarded-for", "10.0.0.9, 10.0.0.8")], "10.0.0.9"),
            (&[("x-forwarded-for", "192.0.2.1:4711")], "192.0.2.1"),
            (&[("x-forwarded-for", "2001:db8::1")], "2001:db8::1"),
            (&[("x-forwarded-for", "[2001:db8::1]:80")], "2001:db8::1"),
            (&[("x-forwarded-for", "::ffff:192.0.2.1")], "192.0.2.1"),
            (&[("x-forwarded-for", "6.6.6.6, unknown")], "127.0.0.1"),
            (&[("x-forwarded-for", "6.6.6.6, unknown, 10.0.0.8")], "10.0.0.8"),
            (&[("x-forwarded-for", "x\"y, 192.0.2.1")], "192.0.2.1"),
            (&[("x-forwarded-proto", "https, http"), ("x-forwarded-host", "a/b")], "127.0.0.1"),
            (&[], "127.0.0.1"),
        ] {
            let (found, _, _, sound) = seen("127.0.0.1", "x-forwarded", fields);
            assert!(sound && found == address, "{fields:?}: {found}");
        }
    }

    #[test]
    fn forwarded_is_read_by_the_letter() {
        for (text, address, scheme, host) in [
            ("for=192.0.2.1", "192.0.2.1", Scheme::Unsaid, "inner:8080"),
            ("For=\"[2001:db8::1]\";PROTO=https", "2001:db8::1", Scheme::Https, "inner:8080"),
            ("for=\"[2001:db8::1]:47011\"", "2001:db8::1", Scheme::Unsaid, "inner:8080"),
            (
                "for=6.6.6.6;proto=http;host=evil, for=192.0.2.1;host=\"a.example:1\";proto=https, \
                 for=10.0.0.2;proto=http;by=_x",
                "192.0.2.1",
                Scheme::Https,
                "a.example:1",
            ),
            ("for=6.6.6.6, for=_hidden;proto=https", "127.0.0.1", Scheme::Https, "inner:8080"),
            ("for=\"x, for=192.0.2.1", "192.0.2.1", Scheme::Unsaid, "inner:8080"),
            ("for=6.6.6.6, for=unknown", "127.0.0.1", Scheme::Unsaid, "inner:8080"),
            ("for=6.6.6.6, proto=https", "127.0.0.1", Scheme::Https, "inner:8080"),
        ] {
            let found = seen("127.0.0.1", "forwarded", &[("forwarded", text)]);
            assert_eq!(found, (address.into(), scheme, host.into(), true), "{text}");
        }
    }

    #[test]
    fn of_what_is_malformed_nothing_is_believed() {
        for (word, field, text) in [
            ("forwarded", "forwarded", "for=192.0.2.1;for=192.0.2.2"),
            ("forwarded", "forwarded", "for=\"192.0.2.1"),
            ("forwarded", "forwarded", "for=2001:db8::1"),
            ("forwarded", "forwarded", "for=\"192.0.2.1\\\"\""),
            ("forwarded", "forwarded", "192.0.2.1"),
            ("forwarded", "forwarded", "for=192.0.2.1;proto=gopher"),
            ("forwarded", "forwarded", "for=192.0.2.1;host=\"a b\""),
            ("forwarded", "forwarded", "for=evil.example"),
            ("forwarded", "forwarded", "for=\"6.6.6.6, for=192.0.2.1\""),
            ("x-forwarded", "x-forwarded-for", "192.0.2.1, x"),
            ("x-forwarded", "x-forwarded-for", "192.0.2.1:99999"),
        ] {
            let found = seen("127.0.0.1", word, &[(field, text)]);
            let nothing = ("127.0.0.1".into(), Scheme::Http, "inner:8080".into(), false);
            assert_eq!(found, nothing, "{text}");
        }
    }
}
