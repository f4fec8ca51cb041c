//! Schemas: keywords, a line feed, a value. Whatever a schema is, the applicators of JSON Schema
//! say of it what logic says.

use contract::problem::Place;
use model::json;
use model::schema::Schema;
use serde_json::{Map, Value, json};

use crate::world::halves;

pub(crate) fn schema(data: &[u8]) {
    let Some((keywords, value)) = halves(data) else { return };
    let (Ok(keywords), Ok(value)) = (json::parse(keywords), json::parse(value)) else { return };
    let same = compile(&json!({"const": value, "enum": [value]}));
    assert!(same.is_none_or(|same| same.fits(&value)), "{value} is not itself");
    let Some(schema) = compile(&keywords) else { return };
    let fits = schema.fits(&value);
    let again = compile(&Value::Object(schema.source().clone()));
    assert!(again.is_some_and(|again| again.fits(&value) == fits), "{keywords}");
    faults(&schema, &value, fits);
    logic(&keywords, &value, fits);
}

fn compile(keywords: &Value) -> Option<Schema> {
    match Schema::compile(keywords.as_object()?) {
        Ok(schema) => Some(schema),
        Err(faults) => {
            assert!(faults.iter().all(|(_, message)| !message.is_empty()) && !faults.is_empty());
            None
        }
    }
}

/// There are faults exactly where it does not fit, and each is in the value.
fn faults(schema: &Schema, value: &Value, fits: bool) {
    let mut faults = Vec::new();
    schema.check(value, "/field", &mut faults);
    assert_eq!(faults.is_empty(), fits);
    for fault in faults {
        let Place::Pointer(pointer) = &fault.place else { panic!("{fault:?}") };
        let inside = pointer.strip_prefix("/field");
        let inside = inside.unwrap_or_else(|| panic!("{pointer} is outside of the field"));
        // A missing member is told where it should be.
        let parent = inside.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(value.pointer(parent).is_some(), "{pointer} is nowhere in {value}");
    }
}

fn logic(keywords: &Value, value: &Value, fits: bool) {
    let wrapped = json!({"a": value});
    for (keywords, value, expected) in [
        (json!({"not": keywords}), value, !fits),
        (json!({"not": {"not": keywords}}), value, fits),
        (json!({"allOf": [keywords, keywords]}), value, fits),
        (json!({"allOf": [keywords, {"not": keywords}]}), value, false),
        (json!({"anyOf": [false, keywords]}), value, fits),
        (json!({"anyOf": [keywords, {"not": keywords}]}), value, true),
        (json!({"oneOf": [keywords]}), value, fits),
        (json!({"oneOf": [keywords, keywords]}), value, false),
        (json!({"if": keywords, "then": false}), value, !fits),
        (json!({"if": keywords, "else": false}), value, fits),
        (json!({"items": keywords}), &json!([value, value]), fits),
        (json!({"prefixItems": [true, keywords]}), &json!([null, value]), fits),
        (json!({"contains": keywords}), &json!([value]), fits),
        (json!({"unevaluatedItems": keywords}), &json!([value]), fits),
        (json!({"properties": {"a": keywords}}), &wrapped, fits),
        (json!({"patternProperties": {"^a$": keywords}}), &wrapped, fits),
        (json!({"additionalProperties": keywords}), &wrapped, fits),
        (json!({"unevaluatedProperties": keywords}), &wrapped, fits),
        (json!({"dependentSchemas": {"a": {"properties": {"a": keywords}}}}), &wrapped, fits),
    ] {
        // One that is too deep or too large is refused, and says nothing.
        if let Some(schema) = keywords.as_object().and_then(sound) {
            assert_eq!(schema.fits(value), expected, "{keywords} on {value}");
        }
    }
}

fn sound(keywords: &Map<String, Value>) -> Option<Schema> {
    Schema::compile(keywords).ok()
}
