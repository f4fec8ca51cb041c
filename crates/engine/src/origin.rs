//! For whose page a browser sends a request. A cookie goes along whoever asks for it, so a request
//! that changes something counts for its bearer only where it comes from a page of ours
//! (Fetch Metadata §2.1, Fetch §3.2).

use std::net::IpAddr;

use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use http::header::{self, HeaderMap, HeaderName};

use crate::cors::Grant;
use crate::report::Scheme;
use crate::route::Routed;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request says about where it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    /// By a page of ours, or by the person at the browser.
    Own,
    /// By a page of this machine, which is a front end in development as a rule.
    Local,
    /// By a page of somebody else's.
    Foreign,
    /// Nothing: it comes from a program.
    Unsaid,
}

/// What a request brings along that a browser sends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bearing {
    /// Authorization, which no browser adds for a page that does not know the token.
    Authorization,
    /// The cookie of a session.
    Cookie,
    /// Neither.
    Nothing,
}

/// Where we are, as a browser may see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Us<'a> {
    /// The origin that is set.
    pub(crate) own: Option<&'a str>,
    /// How the request has come.
    pub(crate) scheme: Scheme,
    /// From where.
    pub(crate) peer: Option<IpAddr>,
}

/// 421 where the name in Host is none of this machine, and the request came from it: a site can
/// point its own name here.
pub(crate) fn refuse_misdirected(headers: &HeaderMap, us: Us<'_>) -> Result<(), Problem> {
    if !is_rebound(headers, us) {
        return Ok(());
    }
    let detail = "The name in Host is none of this machine, and the request came from it. Where a \
                  proxy brings it, whoever runs this server declares it (`proxies`), or sets \
                  `origin` to what browsers see. Nothing was done.";
    let violation = Violation::field("Host", "has to be localhost, 127.0.0.1 or [::1] here");
    Err(Problem::new(Kind::Misdirected, detail).with_errors(vec![violation]))
}

/// True for a request that a page of another origin has sent to read its answer. Whoever follows a
/// link from there names no origin, and sees the answer as a page of ours.
pub(crate) fn is_foreign(headers: &HeaderMap, us: Us<'_>) -> bool {
    let reads = headers.contains_key(header::ORIGIN);
    reads && matches!(site(headers, us), Site::Local | Site::Foreign)
}

/// 403 for a request that is not safe and that a page of another origin has sent which may not, or
/// that counts on a cookie and does not say for whom it was sent.
pub(crate) fn refuse_foreign(
    routed: &Routed,
    headers: &HeaderMap,
    bearing: Bearing,
    us: Us<'_>,
    grant: Grant,
) -> Result<(), Problem> {
    // Signing in and out is about the cookie, whatever else is sent along.
    let signs = matches!(routed.row.operation, Operation::Login | Operation::Logout);
    if routed.nature.safe || bearing == Bearing::Authorization && !signs {
        return Ok(());
    }
    refuse_two(headers)?;
    let foreign = |detail| match (grant, bearing) {
        (Grant::Trusted, _) => Ok(()),
        // It knows a token, or gets one for its visitor's password: nothing comes by itself. A form
        // would be given a cookie instead.
        (Grant::Any | Grant::Named, Bearing::Nothing | Bearing::Authorization)
            if !signs || is_json(headers) || bearing == Bearing::Authorization =>
        {
            Ok(())
        }
        _ => Err(refusal(detail)),
    };
    match (site(headers, us), bearing) {
        (Site::Own, _) => Ok(()),
        (Site::Unsaid, Bearing::Nothing | Bearing::Authorization) => Ok(()),
        (Site::Local, Bearing::Nothing) if !signs => Ok(()),
        // Who signs in brings no session that could be misused.
        (Site::Unsaid, Bearing::Cookie) if routed.row.operation == Operation::Login => Ok(()),
        (Site::Unsaid, Bearing::Cookie) => Err(refusal(
            "A cookie counts here only where the browser says, in Sec-Fetch-Site or Origin, that \
             a page of this origin sends the request. This one says nothing. A program sends \
             Authorization: Bearer … in the place of a cookie. Nothing was done.",
        )),
        (Site::Local | Site::Foreign, Bearing::Cookie) => foreign(
            "A page of another origin has sent this, and the cookie came along by itself. Nothing \
             was done.",
        ),
        (Site::Local | Site::Foreign, Bearing::Nothing | Bearing::Authorization) => foreign(
            "A page of another origin has sent this, and its origin is not declared (`origins`). \
             Nothing was done.",
        ),
    }
}

/// True for content that no form can send: the browser has asked before (Fetch §3.2.2).
fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers.get(header::CONTENT_TYPE).map(|media| media.as_bytes());
    let essence = essence.and_then(|media| media.split(|byte| *byte == b';').next());
    essence.is_some_and(|media| media.trim_ascii().eq_ignore_ascii_case(b"application/json"))
}

/// 400 where a field that decides for whose page this is stands there twice: browsers send each
/// once, and which of them counts would be a guess.
fn refuse_two(headers: &HeaderMap) -> Result<(), Problem> {
    for (field, name) in [(&SEC_FETCH_SITE, "Sec-Fetch-Site"), (&header::ORIGIN, "Origin")] {
        if headers.get_all(field).iter().nth(1).is_some() {
            let detail = format!("{name} is sent more than once. Nothing was done.");
            let violation = Violation::field(name, "has to be sent once");
            return Err(Problem::new(Kind::MalformedField, detail).with_errors(vec![violation]));
        }
    }
    Ok(())
}

fn refusal(detail: &str) -> Problem {
    let violations = vec![
        Violation::field("Sec-Fetch-Site", "has to be same-origin or none"),
        Violation::field("Origin", "counts where Sec-Fetch-Site is absent: has to be our own"),
    ];
    Problem::new(Kind::ForeignOrigin, detail).with_errors(violations)
}

/// Where a request was made, by Sec-Fetch-Site, and failing that by Origin.
fn site(headers: &HeaderMap, us: Us<'_>) -> Site {
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let other = match origin {
        Some(origin) if is_local(origin) => Site::Local,
        Some(_) | None => Site::Foreign,
    };
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        let said = matches!(site.as_bytes(), b"same-origin" | b"none");
        return if said && !is_rebound(headers, us) { Site::Own } else { other };
    }
    match origin {
        None => Site::Unsaid,
        Some(origin) if is_own(origin, headers, us) => Site::Own,
        Some(_) => other,
    }
}

/// True where the host that was asked is a name of somebody else for this machine: a site can point
/// its own name at a loopback address (DNS rebinding), and its pages are of one origin with that.
fn is_rebound(headers: &HeaderMap, us: Us<'_>) -> bool {
    // Over TLS the certificate is for none of theirs, and a declared proxy is no browser.
    let is_local = us.peer.is_some_and(|peer| peer.to_canonical().is_loopback());
    if !is_local || us.scheme != Scheme::Http {
        return false;
    }
    // No browser leaves it out.
    let Some(host) = headers.get(header::HOST) else { return false };
    let host = host.to_str().unwrap_or_default();
    let set = us.own.and_then(|own| own.split_once("://")).map(|(_, authority)| authority);
    set != Some(host) && !is_local_host(host)
}

/// True for our own origin: the one that is set, or that of the host that was asked.
fn is_own(origin: &str, headers: &HeaderMap, us: Us<'_>) -> bool {
    if let Some(own) = us.own {
        return origin == own;
    }
    let scheme = match us.scheme {
        Scheme::Http | Scheme::Unsaid => "http://",
        Scheme::Https => "https://",
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let same = origin.strip_prefix(scheme).is_some_and(|authority| Some(authority) == host);
    same && !is_rebound(headers, us)
}

pub(crate) fn is_local(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, authority)| is_local_host(authority))
}

fn is_local_host(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Scheme, Site, Us, is_local, refuse_two, site};
    use http::HeaderMap;

    #[test]
    fn pages_of_this_machine_are_local_and_no_others() {
        for origin in
            ["http://localhost:5173", "http://127.0.0.1", "http://[::1]:80", "https://a.localhost"]
        {
            assert!(is_local(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.nip.example",
        ] {
            assert!(!is_local(origin), "{origin}");
        }
    }

    #[test]
    fn where_a_request_was_made() {
        let set = Some("https://shop.example");
        for (fetch, origin, own, expected) in [
            (Some("same-origin"), None, None, Site::Own),
            (Some("none"), None, None, Site::Own),
            (Some("same-site"), Some("https://shop.example"), set, Site::Foreign),
            (Some("cross-site"), None, None, Site::Foreign),
            (Some("cross-site"), Some("http://localhost:5173"), None, Site::Local),
            (Some("Same-Origin"), None, None, Site::Foreign),
            (None, None, set, Site::Unsaid),
            (None, Some("https://shop.example"), set, Site::Own),
            (None, Some("http://shop.example"), set, Site::Foreign),
            (None, Some("http://192.0.2.7:8080"), None, Site::Own),
            (None, Some("https://192.0.2.7:8080"), None, Site::Foreign),
            (None, Some("null"), None, Site::Foreign),
            (None, Some("http://127.0.0.1:8080"), None, Site::Local),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", "192.0.2.7:8080".parse().unwrap());
            if let Some(fetch) = fetch {
                headers.insert("sec-fetch-site", fetch.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert("origin", origin.parse().unwrap());
            }
            let found = {
                let peer = Some("198.51.100.1".parse().unwrap());
                site(&headers, Us { own, scheme: Scheme::Http, peer })
            };
            assert_eq!(found, expected, "{fetch:?} {origin:?} {own:?}");
        }
    }

    #[test]
    fn a_name_of_somebody_else_for_this_machine_is_foreign() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "evil.example:8080".parse().unwrap());
        headers.insert("origin", "http://evil.example:8080".parse().unwrap());
        for fetch in [None, Some("same-origin"), Some("none")] {
            if let Some(fetch) = fetch {
                headers.insert("sec-fetch-site", fetch.parse().unwrap());
            }
            let by = |peer: &str| {
                let peer = Some(peer.parse().unwrap());
                site(&headers, Us { own: None, scheme: Scheme::Http, peer })
            };
            assert_eq!(by("127.0.0.1"), Site::Foreign, "{fetch:?}");
            assert_eq!(by("::ffff:127.0.0.1"), Site::Foreign, "{fetch:?}");
            assert_eq!(by("198.51.100.1"), Site::Own, "{fetch:?}");
            let own = Some("http://evil.example:8080");
            let peer = Some([127, 0, 0, 1].into());
            let set = Us { own, scheme: Scheme::Http, peer };
            assert_eq!(site(&headers, set), Site::Own, "a proxy on this machine: {fetch:?}");
        }
    }

    #[test]
    fn what_is_said_twice_is_a_guess() {
        for (name, values) in [
            ("origin", ["http://192.0.2.7", "http://evil.example"]),
            ("sec-fetch-site", ["same-origin", "cross-site"]),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(name, values[0].parse().unwrap());
            assert!(refuse_two(&headers).is_ok());
            headers.append(name, values[1].parse().unwrap());
            assert!(refuse_two(&headers).is_err(), "{name}");
        }
    }
}
