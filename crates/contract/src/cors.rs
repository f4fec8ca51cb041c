//! What a page of another origin may send and read (Fetch §3.2), read off the rows. Whose pages
//! these are is not said here.

use http::header::{HeaderName, HeaderValue};

use crate::allow;
use crate::table::{self, Conditions, Key, Row, Target, Token};

/// Access-Control-Allow-Methods.
pub const ALLOW_METHODS: HeaderName = HeaderName::from_static("access-control-allow-methods");
/// Access-Control-Allow-Headers.
pub const ALLOW_HEADERS: HeaderName = HeaderName::from_static("access-control-allow-headers");
/// The fields of an answer that a page could not read otherwise.
pub const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, location, link, content-location, accept-query, accept-patch, accept-post, \
     idempotent-replayed, retry-after, allow, preference-applied, request-id, ratelimit, \
     ratelimit-policy",
);

/// Fields that every row takes: a page that always sends its token is not stopped where none is
/// needed.
const ALWAYS: &[&str] = &["accept", "authorization", "prefer", "traceparent"];
const CONDITIONAL: &[&str] =
    &["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/// What a preflight for this method at this target is told. Nothing where the target does not
/// serve it: the browser refuses it then without our help.
#[must_use]
pub fn preflight(target: Target, asked: &str) -> Option<[(HeaderName, HeaderValue); 2]> {
    let Token::Served(method) = table::method(asked) else { return None };
    let row = table::row(target, method)?;
    let methods = allow::allow(table::rows(target));
    Some([(ALLOW_METHODS, methods), (ALLOW_HEADERS, fields(row))])
}

/// The fields of a request that a row looks at.
fn fields(row: &Row) -> HeaderValue {
    let mut names = ALWAYS.to_vec();
    if !row.accepts.is_empty() {
        names.push("content-type");
    }
    if row.conditions != Conditions::Ignored {
        names.extend(CONDITIONAL);
    }
    if matches!(row.key, Key::Honoured | Key::Demandable) {
        names.push("idempotency-key");
    }
    HeaderValue::try_from(names.join(", ")).expect("names of fields are field values")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::preflight;
    use crate::table::Target;

    fn said(target: Target, asked: &str) -> Option<(String, String)> {
        let [(_, methods), (_, fields)] = preflight(target, asked)?;
        Some((methods.to_str().unwrap().to_owned(), fields.to_str().unwrap().to_owned()))
    }

    #[test]
    fn a_preflight_is_told_what_the_rows_say() {
        let always = "accept, authorization, prefer, traceparent";
        let conditions = "if-match, if-none-match, if-modified-since, if-unmodified-since";
        let list = "GET, HEAD, QUERY, POST, OPTIONS";
        for (asked, fields) in [
            ("QUERY", format!("{always}, content-type, {conditions}")),
            ("GET", format!("{always}, {conditions}")),
            ("POST", format!("{always}, content-type, {conditions}, idempotency-key")),
        ] {
            assert_eq!(said(Target::Collection, asked), Some((list.to_owned(), fields)));
        }
        let (methods, fields) = said(Target::Item, "DELETE").unwrap();
        assert_eq!(methods, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
        assert_eq!(fields, format!("{always}, {conditions}, idempotency-key"));
        let (_, fields) = said(Target::Login, "POST").unwrap();
        assert_eq!(fields, format!("{always}, content-type"));
        for (target, asked) in [
            (Target::Collection, "PATCH"),
            (Target::Item, "patch"),
            (Target::Item, "TRACE"),
            (Target::Item, "FROB"),
        ] {
            assert_eq!(said(target, asked), None, "{asked}");
        }
    }
}
