//! One text for every way of writing the same content, for the fingerprint of a key.

use serde_json::Value;

/// The content with its members in order and its spaces gone. The media type takes part where it
/// decides on the meaning (patches); forms and JSON of the same values are the same request.
pub(super) fn canonical(essence: &str, document: &Value) -> String {
    let mut out = String::new();
    if essence.contains("patch") {
        out.push_str(essence);
    }
    write(&mut out, document);
    out
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in sorted {
                write(out, &Value::String(name.clone()));
                out.push(':');
                write(out, value);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(out, item);
                out.push(',');
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;
    use serde_json::json;

    #[test]
    fn order_of_members_does_not_count_and_order_of_items_does() {
        let one = canonical("application/json", &json!({"a": 1, "b": [1, 2]}));
        assert_eq!(one, canonical("application/json", &json!({"b": [1, 2], "a": 1})));
        assert_ne!(one, canonical("application/json", &json!({"a": 1, "b": [2, 1]})));
        assert_ne!(one, canonical("application/json", &json!({"a": "1", "b": [1, 2]})));
    }

    #[test]
    fn a_merge_patch_is_not_a_json_patch() {
        let document = json!([]);
        assert_ne!(
            canonical("application/merge-patch+json", &document),
            canonical("application/json-patch+json", &document)
        );
    }
}
