//! Single values: entity tags, dates, moments, hosts, ids, trace parents, settings, links. What is
//! read can be written, and is read again as the same.

use contract::etag::EntityTag;
use contract::host::Authority;
use contract::link::Links;
use contract::trace_context::TraceParent;
use contract::{date, structured};
use model::fold::fold;
use model::model::IdKind;
use model::setting;
use model::value::Timestamp;
use sfv::{BareItem, List, ListEntry, Parser};

use crate::world::{SETTINGS, utf8};

pub(crate) fn text(data: &[u8]) {
    tag(data);
    let Some(text) = utf8(data) else { return };
    moments(text);
    names(text);
    settings(text);
    written(text);
    let folded = fold(text);
    assert_eq!(fold(&folded), folded, "{text:?}");
}

fn tag(data: &[u8]) {
    let Some(tag) = EntityTag::parse(data) else { return };
    assert_eq!(tag.value().as_bytes(), data);
    assert_eq!(EntityTag::parse(tag.value()).as_ref(), Some(&tag));
    assert!(tag.weak_eq(&tag) && tag.strong_eq(&tag) != tag.weak);
    if data.is_ascii() {
        assert_eq!(tag.to_string().as_bytes(), data);
    }
}

fn moments(text: &str) {
    if let Some(moment) = date::parse(text) {
        assert_eq!(date::parse(&date::http_date(moment)), Some(moment), "{text}");
        assert_eq!(date::last_modified(moment), moment);
    }
    if let Some(moment) = Timestamp::parse(text) {
        let again = moment.text();
        assert_eq!(again.len(), 24);
        assert_eq!(Timestamp::parse(&again), Some(moment), "{text}");
        assert_eq!(Timestamp::from_system_time(moment.to_system_time()), moment, "{text}");
        let mut out = Vec::new();
        moment.write(&mut out);
        assert_eq!(out, again.as_bytes());
    }
}

fn names(text: &str) {
    if let Some(authority) = Authority::parse(text) {
        assert_eq!(Authority::parse(&authority.to_string()), Some(authority));
    }
    if let Some(parent) = TraceParent::parse(text) {
        assert_eq!(TraceParent::parse(&parent.to_string()), Some(parent));
    }
    for kind in [IdKind::Integer, IdKind::Uuid, IdKind::Text] {
        // One id, one path.
        if let Some(id) = kind.read(text) {
            assert_eq!(id.to_string(), text);
        }
    }
}

fn settings(text: &str) {
    for setting in setting::SETTINGS {
        let mut settings = SETTINGS.clone();
        if settings.set(setting.key, text).is_err() {
            assert_eq!(settings, *SETTINGS, "{} = {text:?}", setting.key);
        }
    }
    let _ = setting::holds_password(text);
    // What a variable holds is not looked at again, and never told.
    let environment = |_: &str| Some("${X}:hunter2".to_owned());
    match setting::expand(text, &environment) {
        Ok(expanded) => assert!(text.contains("${") || expanded == text),
        Err(why) => assert!(!why.contains("hunter2") || text.contains("hunter2"), "{why}"),
    }
}

fn written(text: &str) {
    let texts: Vec<&str> = text.split('\n').collect();
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'));
    let value = structured::strings(texts.iter().copied());
    assert_eq!(value.is_some(), printable, "{text:?}");
    if let Some(value) = value {
        let list = Parser::new(value.as_bytes()).parse::<List>();
        let list = list.unwrap_or_else(|error| panic!("{value:?}: {error}"));
        let read = list.iter().map(|entry| match entry {
            ListEntry::Item(item) => match &item.bare_item {
                BareItem::String(text) => text.as_str(),
                other => panic!("{other:?}"),
            },
            ListEntry::InnerList(list) => panic!("{list:?}"),
        });
        assert!(read.eq(texts.iter().copied()), "{text:?}");
    }
    let mut links = Links::new();
    let value = links.add(text, text).value();
    let value = value.unwrap_or_else(|| panic!("{text:?} makes no link"));
    let inner = value.as_bytes().strip_prefix(b"<").unwrap_or_default();
    let end = inner.iter().position(|byte| *byte == b'>').unwrap_or_default();
    assert!(inner[end..].starts_with(b">; rel=\"") && inner.ends_with(b"\""));
    assert_eq!(inner[end..].iter().filter(|byte| **byte == b'"').count(), 2);
}
