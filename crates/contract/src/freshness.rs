//! Cache-Control: how long an answer may be kept, and by whom (RFC 9111 §5.2.2).

use http::HeaderValue;

use crate::table::Cache;

/// What errors and answers to unsafe methods carry. Said on errors too, because several of them
/// may be kept by heuristic where nothing is said (RFC 9110 §15.1).
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A life in caches that a declaration gives to reads of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Shared caches may keep it.
    pub public: bool,
    /// For how many seconds it is fresh; `None` asks the server every time.
    pub max_age_s: Option<u32>,
}

/// The Cache-Control of a row's successful answers. A request with credentials never gets a
/// declared life: what one caller may see must not be kept for another (RFC 9111 §3.5).
#[must_use]
pub fn cache_control(cache: Cache, life: Option<Life>, credentials: bool) -> HeaderValue {
    match cache {
        Cache::Never => NO_STORE,
        Cache::Public => HeaderValue::from_static("public, max-age=3600"),
        Cache::Revalidate => match life.filter(|_| !credentials) {
            Some(life) => declared(life),
            None => HeaderValue::from_static("private, no-cache"),
        },
    }
}

fn declared(life: Life) -> HeaderValue {
    let who = if life.public { "public" } else { "private" };
    let text = match life.max_age_s {
        Some(seconds) => format!("{who}, max-age={seconds}"),
        None => format!("{who}, no-cache"),
    };
    HeaderValue::try_from(text).expect("letters and digits are a field value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_says_what_may_be_kept() {
        let minute = Some(Life { public: true, max_age_s: Some(60) });
        let own = Some(Life { public: false, max_age_s: Some(5) });
        let shared = Some(Life { public: true, max_age_s: None });
        for (cache, life, credentials, said) in [
            (Cache::Never, None, false, "no-store"),
            (Cache::Never, minute, false, "no-store"),
            (Cache::Public, None, true, "public, max-age=3600"),
            (Cache::Revalidate, None, false, "private, no-cache"),
            (Cache::Revalidate, None, true, "private, no-cache"),
            (Cache::Revalidate, minute, false, "public, max-age=60"),
            (Cache::Revalidate, minute, true, "private, no-cache"),
            (Cache::Revalidate, own, false, "private, max-age=5"),
            (Cache::Revalidate, shared, false, "public, no-cache"),
        ] {
            assert_eq!(cache_control(cache, life, credentials), said);
        }
    }

    /// RFC 9111 §3.5: each of these lets a shared cache keep an answer to a request with
    /// Authorization.
    #[test]
    fn credentials_never_meet_a_directive_that_shares() {
        let life = Some(Life { public: true, max_age_s: Some(60) });
        let value = cache_control(Cache::Revalidate, life, true);
        for directive in ["public", "s-maxage", "must-revalidate"] {
            assert!(!value.as_bytes().windows(directive.len()).any(|w| w == directive.as_bytes()));
        }
    }
}
