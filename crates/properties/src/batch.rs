//! Batches: what is taken can be written and read again, every fault lies in the document, and
//! references are found, filled and escaped alike.

use std::collections::HashSet;

use contract::problem::{Place, Violation};
use contract::table::{self, Content};
use model::batch::{self, Operation, Reference, each, fill};
use model::json;
use serde_json::{Map, Value};

use crate::world::VIOLATIONS_MAX;

/// How many operations a batch may have here.
const MOST: usize = 20;

pub(crate) fn batch(data: &[u8]) {
    let Ok(document) = json::parse(data) else { return };
    references(&document);
    let reading = batch::read(document.clone(), MOST);
    let sent = document.get("operations").and_then(Value::as_array).map_or(0, Vec::len);
    assert!(reading.operations.is_empty() || reading.operations.len() == sent);
    assert!(sent <= MOST || reading.operations.is_empty());
    assert!(!reading.operations.is_empty() || !reading.faults.is_empty(), "nothing is said");
    placed(&document, "", &reading.faults);
    for (number, read) in reading.operations.iter().enumerate() {
        match read {
            Ok(operation) => survives(operation),
            Err(faults) => placed(&document, &batch::pointer(number), faults),
        }
    }
}

/// Each fault points at something that is there, or at a member that is missing there.
fn placed(document: &Value, within: &str, faults: &[Violation]) {
    assert!(faults.len() <= VIOLATIONS_MAX);
    assert!(within.is_empty() || !faults.is_empty(), "refused without a reason");
    for fault in faults {
        let Place::Pointer(pointer) = &fault.place else { panic!("{fault:?} has no pointer") };
        assert!(pointer.starts_with(within), "{pointer} is not in {within}");
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(document.pointer(parent).is_some(), "{pointer} leads nowhere");
    }
}

/// An operation that is taken is what a request could be, and is read again as the same.
fn survives(operation: &Operation) {
    let nature = table::nature(operation.method);
    assert!(!nature.safe && operation.path.starts_with('/'));
    assert_eq!(operation.body.is_some(), nature.content == Content::Required);
    let visible = |text: &str, from: u8| text.bytes().all(|byte| (from..=b'~').contains(&byte));
    assert!(visible(&operation.path, b'!'), "{}", operation.path);
    assert!(http::uri::PathAndQuery::try_from(&operation.path).is_ok(), "{}", operation.path);
    let names: HashSet<_> = operation.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), operation.headers.len());
    assert!(operation.headers.iter().all(|(_, value)| visible(value, b' ')));
    let mut members = Map::new();
    members.insert("method".to_owned(), nature.name.into());
    members.insert("path".to_owned(), operation.path.as_str().into());
    let headers = operation.headers.iter();
    let headers = headers.map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
    members.insert("headers".to_owned(), Value::Object(headers.collect()));
    members.extend(operation.body.clone().map(|body| ("body".to_owned(), body)));
    let again = batch::read(serde_json::json!({ "operations": [members] }), MOST);
    assert_eq!(again.operations, [Ok(operation.clone())]);
}

/// What is found is what is filled, and a text that is escaped is a text.
fn references(document: &Value) {
    let mut found = Vec::new();
    each(document, &mut String::new(), &mut |at, reference| {
        let there = document.pointer(at).and_then(Value::as_str).and_then(Reference::read);
        assert_eq!(there, Some(reference), "{at}");
        found.push(at.to_owned());
    });
    let mut filled = document.clone();
    let mut asked = Vec::new();
    fill(&mut filled, &mut String::new(), &mut |at, reference| {
        assert!(reference.number >= 1 && !reference.member().is_empty());
        asked.push(at.to_owned());
        Some(Value::from("$1.id"))
    });
    assert_eq!(asked, found, "not what is found is filled");
    for at in &found {
        assert_eq!(
            filled.pointer(at),
            Some(&Value::from("$1.id")),
            "what is lent is not read again"
        );
    }
    let mut escaped = document.clone();
    escape(&mut escaped);
    each(&escaped, &mut String::new(), &mut |at, _| panic!("{at} is escaped and refers"));
    fill(&mut escaped, &mut String::new(), &mut |at, _| panic!("{at} is escaped and refers"));
    assert_eq!(escaped.to_string(), document.to_string(), "the escape does not come off");
}

/// One `$` more before every text that is a reference, or would be one with fewer of them.
fn escape(document: &mut Value) {
    match document {
        Value::String(text) => {
            let bare = text.trim_start_matches('$');
            if bare.len() < text.len() && Reference::read(&format!("${bare}")).is_some() {
                text.insert(0, '$');
            }
        }
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(members) => members.values_mut().for_each(escape),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
