//! Documents of the operator's into rows to be written, and the order in which resources move.

use contract::problem::Violation;
use model::model::{IdKind, Model, Resource, ResourceIndex};
use model::record::{self, Draft, Purpose, Record, Version};
use model::value::{Id, Timestamp, Value};
use serde_json::Value as Json;
use store::transfer::Row;

use crate::{clock, password};

/// Reads the document of a record with all that is kept of it. What it leaves out the server
/// chooses: the id, the times, the version. Passwords become hashes.
///
/// # Errors
/// All faults at once, with pointers into the document.
pub fn read(
    model: &Model,
    index: ResourceIndex,
    document: &Json,
    now: Timestamp,
) -> Result<Row, Vec<Violation>> {
    let resource = &model.resources[index];
    let draft = record::read(model, resource, document, Purpose::Whole)
        .map_err(|rejection| rejection.violations)?;
    Ok(row(resource, index, draft, now))
}

/// The row of a draft.
pub(crate) fn row(resource: &Resource, index: ResourceIndex, draft: Draft, now: Timestamp) -> Row {
    let has_id = draft.id.is_some() || resource.id != IdKind::Integer;
    let id = draft.id.unwrap_or_else(|| match resource.id {
        IdKind::Integer => Id::Integer(0),
        IdKind::Uuid | IdKind::Text => Id::Text(clock::uuid()),
    });
    let mut values = draft.values;
    for (at, (value, field)) in values.iter_mut().zip(&resource.fields).enumerate() {
        let is_plain = field.password && !draft.hashed.contains(&at);
        if let (true, Some(Value::Text(sent))) = (is_plain, &value) {
            *value = Some(Value::Text(password::hash(sent)));
        }
    }
    let version = draft.version.unwrap_or_else(|| Version { birth: clock::birth(), counter: 1 });
    let created_at = draft.created_at.unwrap_or(now);
    let updated_at = draft.updated_at.unwrap_or(created_at);
    Row { resource: index, record: Record { id, version, created_at, updated_at, values }, has_id }
}

/// Every resource, behind those that it refers to as far as there is such an order.
#[must_use]
pub fn order(model: &Model) -> Vec<ResourceIndex> {
    let mut order = Vec::with_capacity(model.resources.len());
    let mut is_begun = vec![false; model.resources.len()];
    for index in 0..model.resources.len() {
        visit(model, index, &mut is_begun, &mut order);
    }
    order
}

fn visit(
    model: &Model,
    index: ResourceIndex,
    is_begun: &mut [bool],
    order: &mut Vec<ResourceIndex>,
) {
    if std::mem::replace(&mut is_begun[index], true) {
        return;
    }
    let references = model.resources[index].fields.iter().filter_map(|field| field.references);
    for reference in references {
        visit(model, reference.resource, is_begun, order);
    }
    order.push(index);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{order, read};
    use model::value::{Id, Timestamp, Value};
    use serde_json::json;

    const DECLARATION: &str = "[resources.lines]\n\
        fields.order = { references = \"orders\" }\n\
        fields.above = { references = \"lines\", optional = true }\n\
        [resources.orders]\nfields.user = { references = \"users\" }\n\
        [resources.users]\nlogin = [\"name\"]\n\
        fields.name = { type = \"string\", unique = true }\n\
        fields.password = { type = \"string\", format = \"password\", optional = true }\n\
        fields.first = { references = \"orders\", optional = true }\n";

    #[test]
    fn resources_come_behind_what_they_refer_to() {
        let model = model::declaration::read(DECLARATION).model.unwrap();
        // Users and orders refer to each other: one of them has to be first.
        assert_eq!(order(&model), [2, 1, 0]);
    }

    #[test]
    fn what_is_left_out_is_chosen_and_passwords_become_hashes() {
        let model = model::declaration::read(DECLARATION).model.unwrap();
        let now = Timestamp(7);
        let password = |document| {
            let row = read(&model, 2, &document, now).unwrap();
            assert_eq!((row.record.created_at, row.record.updated_at), (now, now));
            assert!(row.record.version.birth >= 0 && row.record.version.counter == 1);
            (row.has_id, row.record.id, row.record.values[1].clone())
        };
        let (has_id, _, hash) = password(json!({"name": "A", "password": "a long one"}));
        assert!(!has_id);
        assert!(matches!(&hash, Some(Value::Text(hash)) if hash.starts_with("$argon2id$")));
        let Some(Value::Text(hash)) = hash else { unreachable!() };
        let moved = password(json!({"id": 5, "name": "A", "_hash_password": hash}));
        assert_eq!(moved, (true, Id::Integer(5), Some(Value::Text(hash))));
    }
}
