//! JSON Merge Patch (RFC 7396): members as they shall be, null for those that shall go.

use contract::fault::{self, Fault};
use serde_json::{Map, Value};

/// Applies a merge patch to a document, as the MergePatch function of RFC 7396 §2 does.
pub fn apply(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(members) = document else { return };
    if fault::on(Fault::MergeNullKept) {
        members.extend(patch.iter().map(|(name, value)| (name.clone(), value.clone())));
        return;
    }
    // One pass for all that go: removing them one by one would take time for each that stays.
    members.retain(|name, _| !matches!(patch.get(name), Some(Value::Null)));
    for (name, value) in patch.iter().filter(|(_, value)| !value.is_null()) {
        // A new member is merged too: the nulls inside it vanish.
        apply(members.entry(name.clone()).or_insert(Value::Null), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::apply;

    #[test]
    fn the_examples_of_appendix_a() {
        for (original, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut document = original.clone();
            apply(&mut document, &patch);
            assert_eq!(document, result, "{original} {patch}");
        }
    }

    #[test]
    fn the_example_of_section_3() {
        let mut document = json!({
            "title": "Goodbye!",
            "author": {"givenName": "John", "familyName": "Doe"},
            "tags": ["example", "sample"],
            "content": "This will be unchanged"
        });
        apply(
            &mut document,
            &json!({
                "title": "Hello!",
                "phoneNumber": "+01-123-456-7890",
                "author": {"familyName": null},
                "tags": ["example"]
            }),
        );
        let expected = json!({
            "title": "Hello!",
            "author": {"givenName": "John"},
            "tags": ["example"],
            "content": "This will be unchanged",
            "phoneNumber": "+01-123-456-7890"
        });
        // As text, since the order of members is to stay too.
        assert_eq!(document.to_string(), expected.to_string());
    }

    #[test]
    fn nulls_inside_an_array_are_values_and_applying_twice_changes_nothing() {
        let mut document = json!({"a": 1, "b": {"c": 2}});
        let patch = json!({"a": [null, {"x": null}], "b": {"c": null, "d": {"e": null}}});
        apply(&mut document, &patch);
        let once = document.clone();
        assert_eq!(once, json!({"a": [null, {"x": null}], "b": {"d": {}}}));
        apply(&mut document, &patch);
        assert_eq!(document, once);
    }
}
