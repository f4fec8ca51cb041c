//! Batches that are read, what is said of those that are not, and references.
#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::{Reading, Reference, each, fill, read};

fn told(reading: &Reading) -> Vec<String> {
    let of_operations = reading.operations.iter().filter_map(|read| read.as_ref().err()).flatten();
    let told = reading.faults.iter().chain(of_operations);
    told.map(|fault| match &fault.place {
        contract::problem::Place::Pointer(pointer) => format!("{pointer} {}", fault.detail),
        other => panic!("{other:?} is no pointer"),
    })
    .collect()
}

#[test]
fn a_batch_is_a_list_of_requests() {
    let reading = read(
        json!({"operations": [
            {"method": "POST", "path": "/api/users?utm_a=1", "body": {"name": "A"}},
            {"method": "DELETE", "path": "/api/users/$1.id", "headers": {"if-match": "\"a.j\""}},
        ]}),
        2,
    );
    assert_eq!(told(&reading), [""; 0]);
    let operations: Vec<_> = reading.operations.into_iter().map(Result::unwrap).collect();
    assert_eq!(operations[0].path, "/api/users?utm_a=1");
    assert_eq!(operations[0].body, Some(json!({"name": "A"})));
    assert_eq!(operations[1].headers, [("If-Match", "\"a.j\"".to_owned())]);
    assert_eq!(operations[1].body, None);
}

#[test]
fn every_fault_is_told_at_once_and_at_its_place() {
    let reading = read(
        json!({"operation": 1, "operations": [
            {"method": "GET", "path": "http://a/api/users", "haeders": {}},
            {"method": "PST", "path": "/a b", "headers": []},
            {"path": 1, "body": 1},
            {"method": "DELETE", "path": "/api/users/1", "body": null, "headers":
                {"IF-MATCH": "*", "If-Match": "*", "Idempotency-Key": "k", "Cookie": "c",
                 "Content-Tpye": "t", "prefer": 1, "Content-Type": "é"}},
            {"method": "PUT", "path": "//host/api/users"},
            5,
        ]}),
        100,
    );
    let told = told(&reading);
    let expected = [
        "/operation is not a member of a batch; did you mean \"operations\"?",
        "/operations/0/method GET changes nothing",
        "/operations/0/path must be the path of a collection",
        "/operations/0/haeders is not a member of an operation; did you mean \"headers\"?",
        "/operations/1/method must be one of POST, PUT, PATCH, DELETE; did you mean \"POST\"?",
        "/operations/1/path must be printable ASCII",
        "/operations/1/headers must be an object",
        "/operations/2/method is required: one of POST, PUT, PATCH, DELETE",
        "/operations/2/path must be a string",
        "/operations/3/headers/If-Match is there more than once",
        "/operations/3/headers/Idempotency-Key belongs to the batch",
        "/operations/3/headers/Cookie belongs to the request",
        "/operations/3/headers/Content-Tpye is not a field of an operation",
        "/operations/3/headers/prefer must be a string",
        "/operations/3/headers/Content-Type must be printable ASCII",
        "/operations/3/body has no meaning in a DELETE",
        "/operations/4/path must be the path of a collection",
        "/operations/4/body is required: the content of the PUT",
        "/operations/5 must be an object with",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}, not {expected}");
    }
}

#[test]
fn the_number_of_operations_is_bounded_both_ways() {
    for (document, expected) in [
        (json!([]), " must be an object"),
        (json!({}), "/operations is required"),
        (json!({"operations": {}}), "/operations must be an array"),
        (json!({"operations": []}), "/operations must have at least one"),
        (json!({"operations": [1, 2, 3]}), "/operations has 3 operations, and at most 2"),
    ] {
        let told = told(&read(document, 2));
        assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}");
    }
}

#[test]
fn a_reference_is_a_whole_string_of_one_form() {
    let reference = Reference::read("$12.place.streets.0.a-b").unwrap();
    assert_eq!((reference.number, reference.member()), (12, "place"));
    let record = json!({"place": {"streets": [{"a-b": 7}]}});
    assert_eq!(reference.pick(&record), Ok(&json!(7)));
    assert_eq!(Reference::read("$1.place.no.x").unwrap().pick(&record), Err("place.no"));
    assert_eq!(
        Reference::read("$1.place.streets.1").unwrap().pick(&record),
        Err("place.streets.1")
    );
    let far = Reference::read("$99999999999999999999999.id").unwrap();
    assert_eq!(far.number, usize::MAX);
    for text in [
        "",
        "$",
        "$1",
        "$1.",
        "$.id",
        "$0.id",
        "$01.id",
        "$5.00",
        "$1.a.",
        "$1..a",
        "$1.a b",
        " $1.id",
        "$1.id ",
        "$-1.id",
        "x$1.id",
        "$1.é",
        "$$1.id",
        "$1.id,$2.id",
    ] {
        assert_eq!(Reference::read(text), None, "{text}");
    }
}

#[test]
fn references_are_filled_at_any_depth_and_other_texts_stay() {
    let mut document = json!({
        "a": "$1.id", "$1.id": "$2.name", "b/c": ["$$1.id", "$$$1.id", "$$ecret", "at $1.id", null],
        "d": {"e": "$3.id"},
    });
    let mut seen = Vec::new();
    each(&document, &mut String::new(), &mut |at, reference| {
        seen.push(format!("{at} {}", reference.number));
    });
    assert_eq!(seen, ["/a 1", "/$1.id 2", "/d/e 3"]);
    fill(&mut document, &mut String::from("/body"), &mut |at, reference| match reference.number {
        1 => Some(Json::from(43)),
        2 => Some(Json::from(at)),
        _ => None,
    });
    let expected = json!({
        "a": 43, "$1.id": "/body/$1.id", "b/c": ["$1.id", "$$1.id", "$$ecret", "at $1.id", null],
        "d": {"e": "$3.id"},
    });
    assert_eq!(document, expected);
}
