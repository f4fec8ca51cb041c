//! Who sends a request through whose browser: until access rules are enforced, reaching the server
//! is all the permission there is, and a page of another site must not borrow it (RFC 9110 §17.4
//! warns of the like; Fetch §3.2 defines Origin).

use contract::problem::{Kind, Problem, Violation};
use http::header::{HeaderMap, ORIGIN};

use crate::route::Routed;

/// 403 for an unsafe request of a page that was not served from this machine. Programs send no
/// Origin. Other names for the loopback address count as foreign: a site can point its own name
/// there (DNS rebinding).
pub(super) fn refuse_foreign(routed: &Routed, headers: &HeaderMap) -> Result<(), Problem> {
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    if routed.nature.safe || origin.is_none_or(is_local) {
        return Ok(());
    }
    let detail = "The Origin of this request is not on this machine, and nobody has to sign in \
                  yet. Nothing was done.";
    let violation = Violation::field("Origin", "only http://localhost and loopback addresses");
    Err(Problem::new(Kind::ForeignOrigin, detail).with_errors(vec![violation]))
}

fn is_local(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::is_local;

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
}
