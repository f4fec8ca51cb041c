//! Tables of schemas, values that fit and values that do not.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Schema, Type};
use crate::schema::VIOLATIONS_MAX;

fn compile(schema: &Value) -> Result<Schema, Vec<(String, String)>> {
    Schema::compile(schema.as_object().unwrap())
}

/// Each line: a schema, values that fit, values that do not.
fn table(lines: &[(Value, Value, Value)]) {
    for (source, good, bad) in lines {
        let schema = compile(source).unwrap();
        for value in good.as_array().unwrap() {
            assert!(schema.fits(value), "{source} takes {value}");
        }
        for value in bad.as_array().unwrap() {
            assert!(!schema.fits(value), "{source} refuses {value}");
        }
    }
}

#[test]
fn any_value() {
    table(&[
        (json!({}), json!([null, 1, "a", [], {}]), json!([])),
        (json!({"type": "null"}), json!([null]), json!([0, false, "", [], {}])),
        (json!({"type": "boolean"}), json!([true, false]), json!([0, 1, "true", null])),
        (json!({"type": "integer"}), json!([1, -1, 1.0, 1e3, u64::MAX]), json!([1.5, "1", null])),
        (json!({"type": "number"}), json!([1, 1.5, -1e300]), json!(["1", null, true])),
        (json!({"type": "string"}), json!(["", "1"]), json!([1, null, ["a"]])),
        (json!({"type": "array"}), json!([[], [1]]), json!([{}, "[]"])),
        (json!({"type": "object"}), json!([{}, {"a": 1}]), json!([[], null])),
        (json!({"type": ["string", "null"]}), json!(["a", null]), json!([1, false])),
        (
            json!({"enum": [1, "a", null, [1, 2], {"a": 1, "b": 2}]}),
            json!([1, 1.0, "a", null, [1.0, 2], {"b": 2, "a": 1.0}]),
            json!(["1", true, [2, 1], {"a": 1}, "A"]),
        ),
        (json!({"const": {"a": [1]}}), json!([{"a": [1.0]}]), json!([{"a": [1, 1]}, null])),
        (json!({"const": 0}), json!([0, 0.0]), json!([false, "", null, []])),
        (json!({"format": "email"}), json!(["a@b.c", 1, null]), json!(["a"])),
    ]);
}

#[test]
fn numbers() {
    table(&[
        (json!({"minimum": 1.1}), json!([1.1, 2, "0"]), json!([1, 1.09])),
        (json!({"exclusiveMinimum": 1}), json!([1.1, 2]), json!([1, 1.0, 0])),
        (json!({"maximum": 3}), json!([3, 3.0, -9]), json!([3.1, 4])),
        (json!({"exclusiveMaximum": 3}), json!([2.9]), json!([3, 3.0])),
        (json!({"multipleOf": 2}), json!([4, 4.0, 0, -2]), json!([7, 2.5])),
        (json!({"multipleOf": 0.01}), json!([0.07, 19.99, 1]), json!([0.005])),
        // Binary64 would call these two equal.
        (
            json!({"maximum": 9_007_199_254_740_992_i64}),
            json!([9_007_199_254_740_992_i64]),
            json!([9_007_199_254_740_993_i64]),
        ),
    ]);
}

#[test]
fn strings() {
    table(&[
        // Characters, not bytes and not UTF-16 units.
        (json!({"minLength": 2}), json!(["ab", "éé", "😀😀", 1]), json!(["", "é", "😀"])),
        (json!({"maxLength": 2}), json!(["", "😀😀", [1, 2, 3]]), json!(["abc", "ééé"])),
        (json!({"maxLength": 2.0}), json!(["ab"]), json!(["abc"])),
        (json!({"pattern": "^a*$"}), json!(["", "aaa", 1]), json!(["ab"])),
        (json!({"pattern": "b"}), json!(["abc"]), json!(["ac"])),
        (json!({"pattern": "^a$"}), json!(["a"]), json!(["a\n", "b\na"])),
    ]);
}

#[test]
fn arrays() {
    table(&[
        (json!({"minItems": 1}), json!([[1], "", {}]), json!([[]])),
        (json!({"maxItems": 1}), json!([[], [1]]), json!([[1, 2]])),
        (
            json!({"uniqueItems": true}),
            json!([
                [],
                [1, 2],
                [1, true],
                [0, false],
                [[1], [2]],
                ["a", "A"],
                [{"a": 1}, {"a": 2}]
            ]),
            json!([
                [1, 1],
                [1, 1.0],
                [{"a": 1, "b": 2}, {"b": 2, "a": 1}],
                [null, null],
                [[1], [1]]
            ]),
        ),
        (json!({"uniqueItems": false}), json!([[1, 1]]), json!([])),
        (json!({"items": {"type": "integer"}}), json!([[], [1, 2], "a"]), json!([[1, "a"]])),
        (json!({"items": false}), json!([[]]), json!([[1]])),
        (
            json!({"prefixItems": [{"type": "integer"}, {"type": "string"}]}),
            json!([[], [1], [1, "a"], [1, "a", null]]),
            json!([["a"], [1, 2]]),
        ),
        (
            json!({"prefixItems": [{}, {}], "items": {"type": "string"}}),
            json!([[1, 2], [1, 2, "a"]]),
            json!([[1, 2, 3]]),
        ),
        (json!({"contains": {"minimum": 5}}), json!([[1, 5], [6]]), json!([[], [1, 2]])),
        (json!({"contains": {"const": 1}, "minContains": 2}), json!([[1, 0, 1]]), json!([[1], []])),
        (
            json!({"contains": {"const": 1}, "maxContains": 1}),
            json!([[1, 2]]),
            json!([[1, 1], [2]]),
        ),
        (json!({"contains": {"const": 1}, "minContains": 0}), json!([[], [2]]), json!([])),
        (
            json!({"prefixItems": [{}], "unevaluatedItems": false}),
            json!([[], [1]]),
            json!([[1, 2]]),
        ),
        (
            json!({"allOf": [{"prefixItems": [{}, {}]}], "unevaluatedItems": {"type": "string"}}),
            json!([[1, 2, "a"]]),
            json!([[1, 2, 3]]),
        ),
        (
            json!({"contains": {"type": "string"}, "unevaluatedItems": false}),
            json!([["a", "b"]]),
            json!([["a", 1]]),
        ),
    ]);
}

#[test]
fn objects() {
    table(&[
        (json!({"minProperties": 1}), json!([{"a": 1}, []]), json!([{}])),
        (json!({"maxProperties": 1}), json!([{}, {"a": 1}]), json!([{"a": 1, "b": 2}])),
        (json!({"required": ["a"]}), json!([{"a": null}, 1]), json!([{}, {"b": 1}])),
        (
            json!({"properties": {"a": {"type": "integer"}, "b": false}}),
            json!([{}, {"a": 1}, {"c": "x"}]),
            json!([{"a": "x"}, {"b": 1}]),
        ),
        (
            json!({"patternProperties": {"^x": {"type": "integer"}, "y$": {"minimum": 5}}}),
            json!([{"x": 1}, {"xy": 5}, {"z": "a"}]),
            json!([{"x": "a"}, {"xy": 1}]),
        ),
        (
            json!({
                "properties": {"a": {}},
                "patternProperties": {"^x": {}},
                "additionalProperties": false
            }),
            json!([{"a": 1, "x1": 2}]),
            json!([{"b": 1}]),
        ),
        (
            json!({"properties": {"a": {}}, "additionalProperties": {"type": "string"}}),
            json!([{"a": 1, "b": "x"}]),
            json!([{"b": 1}]),
        ),
        (json!({"propertyNames": {"maxLength": 1}}), json!([{"a": 1}]), json!([{"ab": 1}])),
        (
            json!({"dependentRequired": {"a": ["b", "c"]}}),
            json!([{}, {"b": 1}, {"a": 1, "b": 1, "c": 1}]),
            json!([{"a": 1}, {"a": 1, "b": 1}]),
        ),
        (
            json!({"dependentSchemas": {"a": {"required": ["b"], "maxProperties": 2}}}),
            json!([{}, {"c": 1}, {"a": 1, "b": 1}]),
            json!([{"a": 1}, {"a": 1, "b": 1, "c": 1}]),
        ),
    ]);
}

#[test]
fn members_that_no_other_rule_has_seen() {
    table(&[
        (
            json!({
                "allOf": [{"properties": {"a": {}}}],
                "properties": {"b": {}},
                "unevaluatedProperties": false
            }),
            json!([{}, {"a": 1, "b": 2}]),
            json!([{"c": 1}]),
        ),
        (
            json!({
                "if": {"properties": {"kind": {"const": "x"}}, "required": ["kind"]},
                "then": {"properties": {"x": {}}},
                "else": {"properties": {"y": {}}},
                "unevaluatedProperties": false
            }),
            json!([{"kind": "x", "x": 1}, {"y": 1}]),
            json!([{"kind": "x", "y": 1}, {"x": 1}, {"kind": "z"}]),
        ),
        (
            json!({
                "anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}],
                "unevaluatedProperties": false
            }),
            json!([{"a": "x"}, {"a": "x", "b": 1}, {"b": 1}]),
            json!([{"a": 1}]),
        ),
        (
            json!({
                "properties": {"inner": {"unevaluatedProperties": false}},
                "unevaluatedProperties": {"type": "integer"}
            }),
            json!([{"inner": {}, "n": 1}]),
            json!([{"inner": {"a": 1}}, {"n": "a"}]),
        ),
    ]);
}

#[test]
fn combinations() {
    table(&[
        (json!({"allOf": [{"minimum": 1}, {"maximum": 3}]}), json!([1, 3, "a"]), json!([0, 4])),
        (json!({"anyOf": [{"type": "integer"}, {"minimum": 2}]}), json!([1, 2.5]), json!([1.5])),
        (json!({"anyOf": [true, false]}), json!([1]), json!([])),
        (json!({"oneOf": [{"type": "integer"}, {"minimum": 2}]}), json!([1, 2.5]), json!([3, 1.5])),
        (json!({"not": {"type": "integer"}}), json!(["a", 1.5]), json!([1])),
        (json!({"not": {"not": {"const": 1}}}), json!([1]), json!([2])),
        (
            json!({
                "if": {"exclusiveMaximum": 0},
                "then": {"minimum": -10},
                "else": {"multipleOf": 2}
            }),
            json!([-1, 4, 0]),
            json!([-100, 3]),
        ),
        (json!({"if": {"const": 1}, "then": false}), json!([2]), json!([1])),
    ]);
}

#[test]
fn every_fault_of_a_value_has_its_place() {
    let schema = compile(&json!({
        "type": "object",
        "required": ["name", "x/y"],
        "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "minLength": 3},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
            "x/y": {"properties": {"a~b": {"type": "null"}}}
        }
    }))
    .unwrap();
    let mut faults = Vec::new();
    let value = json!({"name": "ab", "tags": ["a", "c", 1], "x/y": {"a~b": 1}, "nmae": 1});
    schema.check(&value, "/field", &mut faults);
    let found: Vec<_> = faults
        .iter()
        .map(|fault| match &fault.place {
            contract::problem::Place::Pointer(pointer) => (pointer.as_str(), fault.detail.as_str()),
            place => panic!("{place:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            ("/field/name", "must be at least 3 characters long"),
            ("/field/tags/1", "must be one of: \"a\", \"b\""),
            ("/field/tags/2", "must be one of: \"a\", \"b\""),
            ("/field/x~1y/a~0b", "must be null"),
            ("/field/nmae", "is not a known member; did you mean \"name\"?"),
        ]
    );
}

#[test]
fn a_value_is_never_repeated_in_a_fault() {
    let schema = compile(&json!({
        "type": "string", "minLength": 50, "pattern": "^x", "format": "email", "enum": ["a"],
        "not": {"const": "hunter2"}
    }))
    .unwrap();
    let mut faults = Vec::new();
    schema.check(&json!("hunter2"), "", &mut faults);
    assert_eq!(faults.len(), 5);
    assert!(faults.iter().all(|fault| !fault.detail.contains("hunter2")));
}

#[test]
fn faults_end_at_their_limit_and_twins_are_found_in_time() {
    let schema = compile(&json!({"items": {"type": "string"}})).unwrap();
    let mut faults = Vec::new();
    schema.check(&json!(vec![1; 100_000]), "", &mut faults);
    assert_eq!(faults.len(), VIOLATIONS_MAX);
    let unique = compile(&json!({"uniqueItems": true})).unwrap();
    assert!(unique.fits(&json!((0..100_000).collect::<Vec<_>>())));
}

#[test]
fn annotations_are_taken_and_say_nothing() {
    let schema = compile(&json!({
        "title": "T", "description": "D", "default": 1, "examples": [2], "deprecated": true,
        "readOnly": true, "writeOnly": false, "$comment": "c", "contentMediaType": "a/b"
    }))
    .unwrap();
    assert!(schema.fits(&json!({"any": "thing"})));
}

#[test]
fn what_is_not_a_schema_is_refused_with_its_path() {
    for (schema, keyword, word) in [
        (json!({"minimun": 1}), "minimun", "\"minimum\""),
        (json!({"type": "text"}), "type", "string"),
        (json!({"type": ["string", "string"]}), "type", "twice"),
        (json!({"type": []}), "type", "at least one"),
        (json!({"type": 5}), "type", "not a type"),
        (json!({"enum": []}), "enum", "at least one"),
        (json!({"minimum": "1"}), "minimum", "number"),
        (json!({"multipleOf": 0}), "multipleOf", "more than 0"),
        (json!({"minLength": -1}), "minLength", "0 or more"),
        (json!({"maxLength": 1.5}), "maxLength", "whole"),
        (json!({"pattern": "("}), "pattern", "regular expression"),
        (json!({"pattern": 1}), "pattern", "string"),
        (json!({"format": "emial"}), "format", "\"email\""),
        (json!({"uniqueItems": 1}), "uniqueItems", "true or false"),
        (json!({"required": "a"}), "required", "array"),
        (json!({"items": [{}]}), "items", "prefixItems"),
        (json!({"items": 1}), "items", "schema"),
        (json!({"allOf": []}), "allOf", "at least one"),
        (json!({"anyOf": [{}, {"maximum": "x"}]}), "anyOf/1/maximum", "number"),
        (json!({"properties": {"a": {"minItems": -1}}}), "properties/a/minItems", "0 or more"),
        (json!({"patternProperties": {"(": {}}}), "patternProperties/(", "regular"),
        (json!({"$ref": "#/a"}), "$ref", "write it out"),
        (json!({"$defs": {}}), "$defs", "write it out"),
        (json!({"dependencies": {}}), "dependencies", "dependentRequired"),
        (json!({"additionalItems": false}), "additionalItems", "prefixItems"),
        (json!({"nullable": true}), "nullable", "null"),
        (json!({"then": {}}), "then", "if"),
        (json!({"minimum": 2, "maximum": 1}), "minimum", "no value fits"),
        (
            json!({"type": "integer", "minLength": 1}),
            "minLength",
            "only says something of a string",
        ),
        (
            json!({"type": "integer", "format": "email"}),
            "format",
            "only says something of a string",
        ),
        (json!({"type": "string", "format": "int64"}), "format", "only says something of a number"),
    ] {
        let faults = compile(&schema).unwrap_err();
        assert_eq!(faults.len(), 1, "{schema}: {faults:?}");
        assert_eq!(faults[0].0, keyword, "{schema}");
        assert!(faults[0].1.contains(word), "{schema}: {}", faults[0].1);
    }
    let faults = compile(&json!({"minimum": "a", "foo": 1, "items": {"bar": 2}})).unwrap_err();
    assert_eq!(faults.len(), 3, "all at once: {faults:?}");
}

#[test]
fn a_schema_tells_what_forms_and_storage_need() {
    let schema = compile(&json!({
        "type": ["array", "null"], "items": {"type": "integer", "format": "int64"}
    }))
    .unwrap();
    assert!(schema.is_array());
    let items = schema.items().unwrap();
    assert_eq!(items.types(), Some([Type::Integer].as_slice()));
    assert_eq!(items.format(), Some("int64"));
    assert!(!Schema::default().is_array());
    assert!(!compile(&json!({"type": ["array", "string"]})).unwrap().is_array());
}
