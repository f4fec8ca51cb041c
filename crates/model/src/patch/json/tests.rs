//! The examples of RFC 6902 appendix A, and the traps beside them.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Fault, FaultKind, OPERATIONS_MAX, apply};

const LIMIT: usize = 1 << 16;

fn patched(document: &Value, patch: &Value) -> Result<Value, Fault> {
    let before = document.clone();
    let result = apply(document, patch, LIMIT);
    assert_eq!(*document, before, "the document given is never changed");
    result
}

fn kind(document: &Value, patch: &Value) -> (FaultKind, String) {
    let fault = patched(document, patch).expect_err(&patch.to_string());
    (fault.kind, fault.pointer)
}

#[test]
fn the_examples_of_appendix_a_that_succeed() {
    for (document, patch, result) in [
        // A.1 to A.6: adding, removing, replacing, moving.
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux"}]),
            json!({"baz": "qux", "foo": "bar"}),
        ),
        (
            json!({"foo": ["bar", "baz"]}),
            json!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
            json!({"foo": ["bar", "qux", "baz"]}),
        ),
        (
            json!({"baz": "qux", "foo": "bar"}),
            json!([{"op": "remove", "path": "/baz"}]),
            json!({"foo": "bar"}),
        ),
        (
            json!({"foo": ["bar", "qux", "baz"]}),
            json!([{"op": "remove", "path": "/foo/1"}]),
            json!({"foo": ["bar", "baz"]}),
        ),
        (
            json!({"baz": "qux", "foo": "bar"}),
            json!([{"op": "replace", "path": "/baz", "value": "boo"}]),
            json!({"baz": "boo", "foo": "bar"}),
        ),
        (
            json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
            json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
            json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
        ),
        // A.7: moving an array element.
        (
            json!({"foo": ["all", "grass", "cows", "eat"]}),
            json!([{"op": "move", "from": "/foo/1", "path": "/foo/3"}]),
            json!({"foo": ["all", "cows", "eat", "grass"]}),
        ),
        // A.8: testing a value: success.
        (
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
            json!([
                {"op": "test", "path": "/baz", "value": "qux"},
                {"op": "test", "path": "/foo/1", "value": 2}
            ]),
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
        ),
        // A.10: adding a nested member object. A.11: ignoring unrecognized elements.
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/child", "value": {"grandchild": {}}}]),
            json!({"foo": "bar", "child": {"grandchild": {}}}),
        ),
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]),
            json!({"foo": "bar", "baz": "qux"}),
        ),
        // A.14: ~ escape ordering. A.16: adding an array value.
        (
            json!({"/": 9, "~1": 10}),
            json!([{"op": "test", "path": "/~01", "value": 10}]),
            json!({"/": 9, "~1": 10}),
        ),
        (
            json!({"foo": ["bar"]}),
            json!([{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]),
            json!({"foo": ["bar", ["abc", "def"]]}),
        ),
    ] {
        assert_eq!(patched(&document, &patch).unwrap(), result, "{patch}");
    }
}

#[test]
fn the_examples_of_appendix_a_that_fail() {
    // A.9: testing a value: error.
    let patch = json!([{"op": "test", "path": "/baz", "value": "bar"}]);
    assert_eq!(
        kind(&json!({"baz": "qux"}), &patch),
        (FaultKind::TestFailed, "/0/value".to_owned())
    );
    // A.12: adding to a nonexistent target.
    let patch = json!([{"op": "add", "path": "/baz/bat", "value": "qux"}]);
    assert_eq!(
        kind(&json!({"foo": "bar"}), &patch),
        (FaultKind::Inapplicable, "/0/path".to_owned())
    );
    // A.15: comparing strings and numbers.
    let patch = json!([{"op": "test", "path": "/~01", "value": "10"}]);
    assert_eq!(kind(&json!({"/": 9, "~1": 10}), &patch).0, FaultKind::TestFailed);
}

#[test]
fn traps_that_succeed() {
    for (document, patch, result) in [
        (json!({"a": 1}), json!([]), json!({"a": 1})),
        (json!({"a": 1}), json!([{"op": "add", "path": "", "value": [1]}]), json!([1])),
        (json!({"a": 1}), json!([{"op": "replace", "path": "", "value": 5}]), json!(5)),
        (
            json!({"a": 1}),
            json!([{"op": "test", "path": "", "value": {"a": 1.0}}]),
            json!({"a": 1}),
        ),
        (json!({"": 1}), json!([{"op": "replace", "path": "/", "value": 2}]), json!({"": 2})),
        (
            json!({"a": null}),
            json!([{"op": "test", "path": "/a", "value": null}]),
            json!({"a": null}),
        ),
        (json!({}), json!([{"op": "add", "path": "/a", "value": null}]), json!({"a": null})),
        (json!([1]), json!([{"op": "add", "path": "/1", "value": 2}]), json!([1, 2])),
        (
            json!({"0": 1}),
            json!([{"op": "add", "path": "/01", "value": 2}]),
            json!({"0": 1, "01": 2}),
        ),
        (json!({"-": 1}), json!([{"op": "remove", "path": "/-"}]), json!({})),
        (json!({"a": 1}), json!([{"op": "move", "from": "/a", "path": "/a"}]), json!({"a": 1})),
        (
            json!({"a": {"b": 1}}),
            json!([{"op": "move", "from": "/a/b", "path": "/a"}]),
            json!({"a": 1}),
        ),
        (
            json!({"a": 1}),
            json!([{"op": "copy", "from": "", "path": "/b"}]),
            json!({"a": 1, "b": {"a": 1}}),
        ),
        (json!({"é/~": 1}), json!([{"op": "remove", "path": "/é~1~0"}]), json!({})),
        (
            json!({"a": {"x": 1, "y": 2}}),
            json!([{"op": "test", "path": "/a", "value": {"y": 2.0, "x": 1}}]),
            json!({"a": {"x": 1, "y": 2}}),
        ),
        (
            json!({"ab": 1}),
            json!([{"op": "move", "from": "/ab", "path": "/abc"}]),
            json!({"abc": 1}),
        ),
    ] {
        assert_eq!(patched(&document, &patch).unwrap(), result, "{patch}");
    }
}

#[test]
fn what_is_not_a_patch_is_malformed_whatever_the_document() {
    for (patch, pointer) in [
        (json!({"op": "add"}), ""),
        (json!("add"), ""),
        (json!([1]), "/0"),
        (json!([{}]), "/0/op"),
        (json!([{"op": 1, "path": ""}]), "/0/op"),
        (json!([{"op": "ADD", "path": "", "value": 1}]), "/0/op"),
        (json!([{"op": "spam", "path": ""}]), "/0/op"),
        (json!([{"op": "remove"}]), "/0/path"),
        (json!([{"op": "remove", "path": 1}]), "/0/path"),
        (json!([{"op": "remove", "path": "a"}]), "/0/path"),
        (json!([{"op": "remove", "path": "/a~"}]), "/0/path"),
        (json!([{"op": "remove", "path": "/a~2"}]), "/0/path"),
        (json!([{"op": "add", "path": "/a"}]), "/0/value"),
        (json!([{"op": "replace", "path": "/a"}]), "/0/value"),
        (json!([{"op": "test", "path": "/a"}]), "/0/value"),
        (json!([{"op": "move", "path": "/a"}]), "/0/from"),
        (json!([{"op": "copy", "path": "/a", "from": "x"}]), "/0/from"),
        (json!([{"op": "move", "from": "/a", "path": "/a/b"}]), "/0/from"),
        (json!([{"op": "move", "from": "", "path": "/a"}]), "/0/from"),
        // A fault of a later operation is found before an earlier one is tried.
        (json!([{"op": "remove", "path": "/none"}, {"op": "x", "path": ""}]), "/1/op"),
    ] {
        assert_eq!(
            kind(&json!({"a": 1}), &patch),
            (FaultKind::Malformed, pointer.to_owned()),
            "{patch}"
        );
    }
    let many = vec![json!({"op": "test", "path": "", "value": {}}); OPERATIONS_MAX + 1];
    assert_eq!(kind(&json!({}), &Value::Array(many)).0, FaultKind::Malformed);
}

#[test]
fn what_does_not_fit_the_document_is_inapplicable() {
    for (document, operation) in [
        (json!({}), json!({"op": "remove", "path": "/a"})),
        (json!({}), json!({"op": "replace", "path": "/a", "value": 1})),
        (json!({}), json!({"op": "test", "path": "/a", "value": null})),
        (json!({}), json!({"op": "remove", "path": ""})),
        (json!({"a": 1}), json!({"op": "add", "path": "/a/b", "value": 1})),
        (json!({"a": "x"}), json!({"op": "add", "path": "/a/0", "value": 1})),
        (json!([1]), json!({"op": "add", "path": "/2", "value": 1})),
        (json!([1]), json!({"op": "add", "path": "/00", "value": 1})),
        (json!([1, 2]), json!({"op": "remove", "path": "/01"})),
        (json!([1]), json!({"op": "add", "path": "/+1", "value": 1})),
        (json!([1]), json!({"op": "add", "path": "/-1", "value": 1})),
        (json!([1]), json!({"op": "add", "path": "/1e0", "value": 1})),
        (json!([1]), json!({"op": "add", "path": "/", "value": 1})),
        (json!([1]), json!({"op": "remove", "path": "/-"})),
        (json!([1]), json!({"op": "replace", "path": "/-", "value": 1})),
        (json!([1]), json!({"op": "test", "path": "/1", "value": 1})),
        (json!([1]), json!({"op": "remove", "path": "/99999999999999999999999999"})),
        (json!({}), json!({"op": "copy", "from": "/a", "path": "/b"})),
        (json!({}), json!({"op": "move", "from": "/a", "path": "/a"})),
    ] {
        let patch = json!([operation]);
        assert_eq!(kind(&document, &patch).0, FaultKind::Inapplicable, "{patch}");
    }
}

#[test]
fn a_patch_is_applied_whole_or_not_at_all_and_in_order() {
    let document = json!({"a": 1});
    let patch = json!([
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "add", "path": "/b", "value": 3},
        {"op": "test", "path": "/b", "value": 4}
    ]);
    assert_eq!(kind(&document, &patch), (FaultKind::TestFailed, "/3/value".to_owned()));
}

#[test]
fn a_patch_cannot_grow_the_document_without_an_end() {
    let doubling: Vec<_> = (0..100)
        .map(|step| json!({"op": "copy", "from": "/a", "path": format!("/a/{step}")}))
        .collect();
    let fault = kind(&json!({"a": {"x": "y".repeat(100)}}), &Value::Array(doubling));
    assert_eq!(fault.0, FaultKind::Inapplicable);
    let nested = json!({"op": "copy", "from": "", "path": "/a"});
    assert_eq!(kind(&json!({}), &Value::Array(vec![nested; 500])).0, FaultKind::Inapplicable);
    let mut deeper = Vec::new();
    for level in 1..200 {
        deeper.push(json!({"op": "add", "path": "/a".repeat(level), "value": {}}));
    }
    assert_eq!(
        kind(&json!({}), &Value::Array(deeper)),
        (FaultKind::Inapplicable, "/63/path".to_owned())
    );
    // Replacing something by as much is no growth.
    let same: Vec<_> = (0..100)
        .map(|_| json!({"op": "add", "path": "/a", "value": "y".repeat(LIMIT / 2)}))
        .collect();
    assert!(patched(&json!({"a": 1}), &Value::Array(same)).is_ok());
}

#[test]
fn the_pointers_of_rfc_6901_section_5() {
    let document = json!({
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
        "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8
    });
    for (pointer, value) in [
        ("", document.clone()),
        ("/foo", json!(["bar", "baz"])),
        ("/foo/0", json!("bar")),
        ("/", json!(0)),
        ("/a~1b", json!(1)),
        ("/c%d", json!(2)),
        ("/e^f", json!(3)),
        ("/g|h", json!(4)),
        ("/i\\j", json!(5)),
        ("/k\"l", json!(6)),
        ("/ ", json!(7)),
        ("/m~0n", json!(8)),
    ] {
        let patch = json!([{"op": "test", "path": pointer, "value": value}]);
        assert!(patched(&document, &patch).is_ok(), "{pointer}");
    }
}
