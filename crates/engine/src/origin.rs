//! For whose page a browser sends a request. A cookie goes along whoever asks for it, so a request
//! that changes something counts for its bearer only where it comes from a page of ours
//! (Fetch Metadata §2.1, Fetch §3.2).

use std::net::IpAddr;

use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use http::header::{self, HeaderMap, HeaderName};

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

/// 403 for a request that is not safe and that a page of another origin has sent, or that counts on
/// a cookie and does not say for whom it was sent.
pub(crate) fn refuse_foreign(
    routed: &Routed,
    headers: &HeaderMap,
    bearing: Bearing,
    us: Us<'_>,
) -> Result<(), Problem> {
    // Signing in and out is about the cookie, whatever else is sent along.
    let signs = matches!(routed.row.operation, Operation::Login | Operation::Logout);
    if routed.nature.safe || bearing == Bearing::Authorization && !signs {
        return Ok(());
    }
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
        (Site::Local | Site::Foreign, Bearing::Cookie) => Err(refusal(
            "A page of another origin has sent this, and the cookie came along by itself. Nothing \
             was done.",
        )),
        (Site::Local | Site::Foreign, Bearing::Nothing | Bearing::Authorization) => Err(refusal(
            "A page of another origin has sent this, without a token of its own. Nothing was done.",
        )),
    }
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
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let other = match origin {
        Some(origin) if is_local(origin) => Site::Local,
        Some(_) | None => Site::Foreign,
    };
    if let Some(site) = sites.next() {
        let said = matches!(site.as_bytes(), b"same-origin" | b"none") && sites.next().is_none();
        return if said { Site::Own } else { other };
    }
    match origin {
        None => Site::Unsaid,
        Some(origin) if is_own(origin, headers, us) => Site::Own,
        Some(_) => other,
    }
}

/// True for our own origin: the one that is set, or that of the host that was asked. On a loopback
/// address only local names count as that: a site can point its own name there (DNS rebinding).
fn is_own(origin: &str, headers: &HeaderMap, us: Us<'_>) -> bool {
    if let Some(own) = us.own {
        return origin == own;
    }
    let scheme = match us.scheme {
        Scheme::Http => "http://",
        Scheme::Https => "https://",
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let same = origin.strip_prefix(scheme).is_some_and(|authority| Some(authority) == host);
    same && (is_local(origin) || !us.peer.is_some_and(|peer| peer.is_loopback()))
}

fn is_local(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
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
    use super::{Scheme, Site, Us, is_local, site};
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
        let by = |peer: &str| {
            let peer = Some(peer.parse().unwrap());
            site(&headers, Us { own: None, scheme: Scheme::Http, peer })
        };
        assert_eq!(by("127.0.0.1"), Site::Foreign);
        assert_eq!(by("198.51.100.1"), Site::Own);
    }
}
