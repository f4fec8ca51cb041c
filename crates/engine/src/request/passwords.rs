//! Where the content of a request sets passwords.

use model::value::Value;
use serde_json::Value as Json;

use crate::call::{Call, Content};

/// The passwords that the content sets, wherever it names them.
pub(super) fn passwords(call: &Call) -> Vec<&str> {
    let Some(index) = call.routed.resource else { return Vec::new() };
    let fields = call.model.resources[index].fields.iter().enumerate();
    let mut found = Vec::new();
    for (position, field) in fields.filter(|(_, field)| field.password) {
        match &call.content {
            Content::Draft(Ok(draft)) => {
                found.extend(draft.values[position].as_ref().and_then(text));
            }
            Content::Document(document) | Content::MergePatch(document) => {
                found.extend(document.get(&field.name).and_then(Json::as_str));
            }
            Content::JsonPatch(Json::Array(operations)) => {
                let pointer = format!("/{}", field.name);
                let sets = |operation: &&Json| {
                    operation.get("path").and_then(Json::as_str) == Some(&pointer)
                };
                found.extend(
                    operations
                        .iter()
                        .filter(sets)
                        .filter_map(|operation| operation.get("value")?.as_str()),
                );
            }
            // Those of many records are hashed while they are read.
            Content::None
            | Content::Draft(Err(_))
            | Content::JsonPatch(_)
            | Content::Batch(_)
            | Content::Account(_)
            | Content::Rows(_) => {}
        }
    }
    found
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}
