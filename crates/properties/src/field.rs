//! Header fields: lines of `Name: value`, read by every function that reads fields. What is read
//! is the same over several lines as over one, and in any case where case does not count.

use contract::host::Authority;
use contract::idempotency::Key;
use contract::media_type::MediaType;
use contract::negotiate::{self, Coding};
use contract::precondition::{Conditions, Validators, Verdict};
use contract::prefer::Preferences;
use contract::table::METHODS;
use contract::trace_context::TraceParent;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

const MEDIA: &[&str] = &["application/json", "application/problem+json", "text/html"];
const CODINGS: &[Coding] = &[Coding::Identity, Coding::Gzip, Coding::Zstd];

pub(crate) fn field(data: &[u8]) {
    let headers = headers(data);
    conditions(&headers);
    negotiated(&headers);
    key(&headers);
    media_type(&headers);
    let _ = Preferences::read(&headers);
    if let Some(parent) = TraceParent::read(&headers) {
        assert_eq!(TraceParent::parse(&parent.to_string()), Some(parent));
    }
    if let Ok(authority) = Authority::read(&headers) {
        assert_eq!(Authority::parse(&authority.to_string()), Some(authority));
    }
    joined(&headers);
}

/// The lines that can be fields.
fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

fn conditions(headers: &HeaderMap) {
    let Ok(conditions) = Conditions::read(headers) else { return };
    assert_eq!(conditions.fingerprint(), Conditions::fingerprint(&conditions.clone()));
    let modified = conditions.if_modified_since.or(conditions.if_unmodified_since);
    let current = Validators { version: "1.2", variant: "j", last_modified: modified };
    for nature in METHODS {
        for current in [None, Some(&current)] {
            let verdict = conditions.evaluate(nature, current);
            assert!(!conditions.is_empty() || verdict == Verdict::Proceed);
            assert!(verdict != Verdict::NotModified || (nature.safe && current.is_some()));
        }
    }
}

fn negotiated(headers: &HeaderMap) {
    let media = negotiate::media(headers, MEDIA);
    assert!(media.is_none_or(|media| MEDIA.contains(&media)));
    let coding = negotiate::coding(headers, CODINGS);
    let lower = altered(headers, <[u8]>::to_ascii_lowercase);
    let upper = altered(headers, <[u8]>::to_ascii_uppercase);
    assert_eq!(negotiate::media(&lower, MEDIA), media);
    assert_eq!(negotiate::media(&upper, MEDIA), media);
    assert_eq!(negotiate::coding(&lower, CODINGS), coding);
    assert_eq!(negotiate::coding(&upper, CODINGS), coding);
    // Without a field there is nothing to refuse.
    assert!(media.is_some() || headers.contains_key(header::ACCEPT));
    assert!(coding.is_some() || headers.contains_key(header::ACCEPT_ENCODING));
}

fn altered(headers: &HeaderMap, alter: fn(&[u8]) -> Vec<u8>) -> HeaderMap {
    let altered = headers.iter().map(|(name, value)| {
        let value = HeaderValue::from_bytes(&alter(value.as_bytes()));
        (name.clone(), value.unwrap_or_else(|error| panic!("only the case changed: {error}")))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in altered {
        headers.append(name, value);
    }
    headers
}

/// A key is itself when it is written as the String that the draft asks for.
fn key(headers: &HeaderMap) {
    let Ok(Some(key)) = Key::read(headers) else { return };
    let text = key.as_str();
    assert!((1..=255).contains(&text.len()));
    let string = contract::structured::strings([text]);
    let string = string.unwrap_or_else(|| panic!("{text:?} is no String"));
    let name = HeaderName::from_static("idempotency-key");
    let again = Key::read(&HeaderMap::from_iter([(name, string)]));
    assert!(matches!(again, Ok(Some(again)) if again == key), "{text:?}");
}

/// A media type can be written from what was read of it.
fn media_type(headers: &HeaderMap) {
    let Ok(Some(read)) = MediaType::read(headers) else { return };
    let quoted = |name: &str, value: &Option<String>| {
        let text = value.as_ref().map(|text| text.replace('\\', "\\\\").replace('"', "\\\""));
        text.map(|text| format!("; {name}=\"{text}\"")).unwrap_or_default()
    };
    let (charset, boundary) =
        (quoted("charset", &read.charset), quoted("boundary", &read.boundary));
    let text = format!("{}{charset}{boundary}", read.essence);
    let value = HeaderValue::from_str(&text);
    let value = value.unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let again = MediaType::read(&HeaderMap::from_iter([(header::CONTENT_TYPE, value)]));
    assert_eq!(again.ok().flatten().as_ref(), Some(&read), "{text}");
}

/// Several lines are one list (RFC 9110 §5.3), as long as no quoted string spans them.
fn joined(headers: &HeaderMap) {
    let mut joined = HeaderMap::new();
    for name in headers.keys() {
        let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if lines.iter().any(|line| line.contains(&b'"')) {
            return;
        }
        let value = HeaderValue::from_bytes(&lines.join(&b", "[..]));
        joined.insert(name, value.unwrap_or_else(|error| panic!("two good lines: {error}")));
    }
    assert_eq!(negotiate::media(headers, MEDIA), negotiate::media(&joined, MEDIA));
    assert_eq!(negotiate::coding(headers, CODINGS), negotiate::coding(&joined, CODINGS));
    assert_eq!(Preferences::read(headers), Preferences::read(&joined));
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        let only = |headers: &HeaderMap| {
            let lines = headers.get_all(&name).iter();
            let mut only = HeaderMap::new();
            for line in lines {
                only.append(&name, line.clone());
            }
            Conditions::read(&only).ok()
        };
        assert_eq!(only(headers), only(&joined));
    }
}
