//! Queries: the canonical text of a query is read as the same query. Secrets: found however they
//! are spelled, and never repeated.

use contract::secret::{self, Declared, Secret};
use engine::form::pairs;
use form_urlencoded::Serializer;
use model::json;
use model::model::ResourceIndex;
use model::query::{self, Paging, Query, Read, Rejection};

use crate::world::{MODEL, SETTINGS, VIOLATIONS_MAX, utf8};

pub(crate) fn query(data: &[u8]) {
    let pairs = pairs(data);
    let document = json::parse(data).ok();
    for resource in 0..MODEL.resources.len() {
        let read = query::read(&MODEL, resource, &pairs, &SETTINGS);
        if let Ok(read) = &read {
            let sent = |name: &String| pairs.iter().any(|(sent, _)| sent == name);
            assert!(read.known.iter().all(sent), "{:?}", read.known);
        }
        judge(resource, read);
        if let Some(document) = &document {
            judge(resource, query::read_json(&MODEL, resource, document, &SETTINGS));
        }
    }
}

fn judge(resource: ResourceIndex, read: Result<Read<Query>, Rejection>) {
    match read {
        Ok(read) => {
            assert!(read.query.limit >= 1 && read.query.limit <= SETTINGS.page_rows_max);
            assert!(read.query.offset() <= SETTINGS.offset_rows_max);
            returns(resource, &read.query);
            if let Some(page) = read.query.page() {
                let next = read.query.at(Paging::Page(page.saturating_add(1)));
                if next.offset() <= SETTINGS.offset_rows_max {
                    returns(resource, &next);
                }
            }
        }
        Err(rejection) => {
            assert!(!rejection.detail.is_empty());
            assert!((1..=VIOLATIONS_MAX).contains(&rejection.violations.len()));
        }
    }
}

/// The canonical text is a query of a URL, is read as the same query, and is its own canonical
/// text.
fn returns(resource: ResourceIndex, query: &Query) {
    let text = query::canonical(&MODEL, resource, query);
    let target = format!("/api/{}?{text}", MODEL.resources[resource].name);
    if target.len() < usize::from(u16::MAX) - 1 {
        assert_eq!(
            target.parse::<http::Uri>().ok().as_ref().and_then(http::Uri::query),
            Some(&*text)
        );
    }
    let again = query::read(&MODEL, resource, &pairs(text.as_bytes()), &SETTINGS);
    let again = again.unwrap_or_else(|rejection| panic!("{text} is refused: {rejection:?}"));
    assert_eq!(again.query, *query, "{text}");
    assert_eq!(query::canonical(&MODEL, resource, &again.query), text);
}

pub(crate) fn secret(data: &[u8]) {
    let Some(text) = utf8(data) else { return };
    let _ = secret::userinfo(text);
    for resource in &MODEL.resources {
        let declared = |name: &str| {
            let fold = secret::fold(name);
            let mut fields = resource.fields.iter();
            match fields.find(|field| secret::fold(&field.name) == fold) {
                Some(field) if field.visible() => Declared::Readable,
                Some(_) => Declared::Hidden,
                None => Declared::Unknown,
            }
        };
        let found = secret::find(text, &declared);
        let pairs = pairs(data);
        for spelling in [encoded(&pairs), wholly_encoded(&pairs)] {
            assert_eq!(secret::find(&spelling, &declared), found, "{spelling} is {text}");
        }
        if let Some(found) = found {
            is_silent(&found, &pairs);
        }
    }
}

/// The refusal names a parameter that was sent, and repeats no value.
fn is_silent(found: &Secret, pairs: &[(String, String)]) {
    let sent = |(name, _): &(String, String)| name.contains(&found.name);
    assert!(pairs.iter().any(sent), "{found:?}");
    let problem = found.problem();
    let ours = Secret { name: String::new(), why: found.why }.problem().detail;
    for (_, value) in pairs.iter().filter(|(_, value)| value.len() >= 8) {
        let harmless = ours.contains(value) || found.name.contains(value);
        assert!(harmless || !problem.detail.contains(value), "{}", problem.detail);
    }
}

/// The pairs as a browser writes them.
pub(crate) fn encoded(pairs: &[(String, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The pairs with each byte as `%XX`.
fn wholly_encoded(pairs: &[(String, String)]) -> String {
    let hex = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", hex(name), hex(value)));
    pairs.collect::<Vec<_>>().join("&")
}
