//! The fields that say what a target takes: Allow, Accept-Query, Accept-Patch, Accept-Post, and
//! Accept in a refusal. All of them are read off the rows.

use http::HeaderValue;
use http::header::{ACCEPT, ALLOW, HeaderName};

use crate::structured;
use crate::table::{Announcement, Row, nature};

/// Accept-Query (RFC 10008 §3).
pub const ACCEPT_QUERY: HeaderName = HeaderName::from_static("accept-query");
/// Accept-Patch (RFC 5789 §3.1).
pub const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// Accept-Post (Linked Data Platform §7.1, registered with IANA).
pub const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// Allow: the methods of a target, in the order of the table (RFC 9110 §10.2.1).
#[must_use]
pub fn allow<'a>(rows: impl IntoIterator<Item = &'a Row>) -> HeaderValue {
    list(rows.into_iter().map(|row| nature(row.method).name))
}

/// Accept-Query: a structured field List of Strings (RFC 10008 §3); `None` where the target takes
/// no query.
#[must_use]
pub fn accept_query<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<HeaderValue> {
    structured::strings(types(rows, Announcement::Query)?.iter().copied())
}

/// Accept-Patch: a list of media types (RFC 5789 §3.1); `None` where the target takes no patch.
#[must_use]
pub fn accept_patch<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<HeaderValue> {
    types(rows, Announcement::Patch).map(|types| list(types.iter().copied()))
}

/// Accept-Post: a list of media types; `None` where the target takes no POST.
#[must_use]
pub fn accept_post<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<HeaderValue> {
    types(rows, Announcement::Post).map(|types| list(types.iter().copied()))
}

/// What an answer to OPTIONS says of a target: Allow, and each Accept-* that it has.
#[must_use]
pub fn described(rows: &[&Row]) -> Vec<(HeaderName, HeaderValue)> {
    let rows = || rows.iter().copied();
    let mut fields = vec![(ALLOW, allow(rows()))];
    fields.extend(accept_query(rows()).map(|value| (ACCEPT_QUERY, value)));
    fields.extend(accept_patch(rows()).map(|value| (ACCEPT_PATCH, value)));
    fields.extend(accept_post(rows()).map(|value| (ACCEPT_POST, value)));
    fields
}

/// What a 415 for the media type carries (RFC 9110 §15.5.16): the types that the row takes, in
/// the field that is made for its method, and in Accept but for a patch (RFC 5789 §2.2).
#[must_use]
pub fn refused(row: &Row) -> Vec<(HeaderName, HeaderValue)> {
    let accept = || (ACCEPT, list(row.accepts.iter().copied()));
    match nature(row.method).announcement {
        Announcement::None => Vec::new(),
        Announcement::Plain => vec![accept()],
        Announcement::Patch => accept_patch([row]).map(|v| (ACCEPT_PATCH, v)).into_iter().collect(),
        Announcement::Post => {
            let own = accept_post([row]).map(|value| (ACCEPT_POST, value));
            own.into_iter().chain([accept()]).collect()
        }
        Announcement::Query => {
            let own = accept_query([row]).map(|value| (ACCEPT_QUERY, value));
            own.into_iter().chain([accept()]).collect()
        }
    }
}

/// The media types of the row whose method has this field of its own.
fn types<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    announcement: Announcement,
) -> Option<&'static [&'static str]> {
    let mut rows = rows.into_iter();
    rows.find(|row| nature(row.method).announcement == announcement).map(|row| row.accepts)
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> HeaderValue {
    let text = texts.collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(text).expect("methods and media types of the table are field values")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::table::{Method, Target, row, rows};

    fn said(fields: &[(HeaderName, HeaderValue)]) -> Vec<String> {
        let line = |(name, value): &(HeaderName, HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        fields.iter().map(line).collect()
    }

    #[test]
    fn allow_names_every_method_of_the_target() {
        for (target, methods) in [
            (Target::Collection, "GET, HEAD, QUERY, POST, OPTIONS"),
            (Target::Item, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
            (Target::Health, "GET, HEAD, OPTIONS"),
            (Target::Server, "OPTIONS"),
        ] {
            assert_eq!(allow(rows(target)), methods);
        }
        assert_eq!(allow([]), "", "Allow may be empty (RFC 9110 §10.2.1)");
    }

    #[test]
    fn accept_query_is_a_list_of_strings_and_the_others_are_lists_of_media_types() {
        assert_eq!(
            said(&described(&rows(Target::Collection).collect::<Vec<_>>())),
            [
                "allow: GET, HEAD, QUERY, POST, OPTIONS",
                r#"accept-query: "application/x-www-form-urlencoded", "application/json""#,
                "accept-post: application/json, application/x-www-form-urlencoded, \
                 multipart/form-data, application/x-ndjson, text/csv",
            ]
        );
        assert_eq!(
            said(&described(&rows(Target::Item).collect::<Vec<_>>())),
            [
                "allow: GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
                "accept-patch: application/merge-patch+json, application/json-patch+json, \
                 application/json",
            ]
        );
        assert_eq!(accept_query(rows(Target::Item)), None);
        assert_eq!(accept_patch(rows(Target::Collection)), None);
        assert_eq!(accept_post(rows(Target::Item)), None);
    }

    #[test]
    fn a_415_names_the_types_in_the_field_of_its_method() {
        for (target, method, names) in [
            (Target::Collection, Method::Post, &["accept-post", "accept"][..]),
            (Target::Collection, Method::Query, &["accept-query", "accept"]),
            (Target::Item, Method::Put, &["accept"]),
            (Target::Item, Method::Patch, &["accept-patch"]),
            (Target::Item, Method::Delete, &[]),
        ] {
            let fields = refused(row(target, method).unwrap());
            let named: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(named, names);
        }
    }
}
