//! What becomes of the nulls of a merge patch that remove nothing.

use serde_json::Value as Json;

use super::read::is_kept;
use crate::model::Resource;

/// Carries each null of a merge patch that is about no visible member into the patched document: it
/// removes nothing there (RFC 7396 §2), and would be dropped silently. So it clears a field that
/// the client cannot see, and is refused where there is no such member.
pub fn keep_nulls(resource: &Resource, patch: &Json, document: &mut Json) {
    let (Json::Object(patch), Json::Object(document)) = (patch, document) else { return };
    for (name, _) in patch.iter().filter(|(_, value)| value.is_null()) {
        let is_seen = is_kept(name) || resource.field(name).is_some_and(|(_, it)| it.visible());
        if !is_seen {
            document.insert(name.clone(), Json::Null);
        }
    }
}
