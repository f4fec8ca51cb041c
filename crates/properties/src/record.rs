//! Records: whatever is taken is shown as JSON that can be sent back unchanged, and what is
//! secret is not in it.

use model::json;
use model::model::{IdKind, Resource};
use model::query::Column;
use model::record::{self, Draft, Purpose, Record, Version};
use model::value::{Id, Timestamp};
use serde_json::Value;

use crate::json::read;
use crate::world::{MODEL, VIOLATIONS_MAX};

pub(crate) fn record(data: &[u8]) {
    let Ok(document) = json::parse(data) else { return };
    for resource in &MODEL.resources {
        let id = id(resource);
        for purpose in [Purpose::Create, Purpose::CreateAt(&id), Purpose::Seed] {
            match record::read(&MODEL, resource, &document, purpose) {
                Ok(draft) => {
                    let current = survives(resource, draft);
                    replaced(resource, &document, &current);
                }
                Err(rejection) => {
                    assert!((1..=VIOLATIONS_MAX).contains(&rejection.violations.len()));
                }
            }
        }
    }
}

/// What was taken once to create a record can replace it, and changes nothing.
fn replaced(resource: &Resource, document: &Value, current: &Record) {
    let purpose = Purpose::Replace { current };
    if let Ok(draft) = record::read(&MODEL, resource, document, purpose) {
        assert_eq!(draft.values, current.values, "{document}");
        assert_eq!(draft.id.as_ref(), Some(&current.id));
    }
}

fn id(resource: &Resource) -> Id {
    match resource.id {
        IdKind::Integer => Id::Integer(7),
        IdKind::Uuid => Id::Text("018f3c5e-7b1a-7c3d-9e4f-1a2b3c4d5e6f".to_owned()),
        IdKind::Text => Id::Text("seven".to_owned()),
    }
}

/// A draft as a record: written, read, and read again as PUT and PATCH would have it.
pub(crate) fn survives(resource: &Resource, draft: Draft) -> Record {
    let now = Timestamp(1_770_373_800_123);
    let record = Record {
        id: draft.id.unwrap_or_else(|| id(resource)),
        version: Version { birth: 1, counter: 1 },
        created_at: draft.created_at.unwrap_or(now),
        updated_at: draft.updated_at.unwrap_or(now),
        values: draft.values,
    };
    let shown = written(resource, &record, None);
    assert!(json::equal(&shown, &record::document(resource, &record)), "{shown}");
    let current = &record;
    for purpose in [Purpose::Replace { current }, Purpose::Patch { current }] {
        let again = record::read(&MODEL, resource, &shown, purpose);
        let again = again.unwrap_or_else(|rejection| panic!("{shown} is refused: {rejection:?}"));
        assert_eq!(again.values, record.values, "{shown}");
        assert_eq!(again.id.as_ref(), Some(&record.id));
    }
    columns(resource, &record, &shown);
    record
}

fn written(resource: &Resource, record: &Record, fields: Option<&[Column]>) -> Value {
    let mut out = Vec::new();
    record::write_json(&mut out, resource, record, fields);
    read(&out)
}

/// Each column by itself is what the whole has there, and nothing hidden is shown.
fn columns(resource: &Resource, record: &Record, shown: &Value) {
    let all: Vec<Column> = Column::all(resource).collect();
    assert_eq!(written(resource, record, Some(&all)).to_string(), shown.to_string());
    for column in all {
        let single = written(resource, record, Some(&[column]));
        let name = column.name(resource);
        assert_eq!(single.get(name), shown.get(name), "{name}");
        assert!(single.as_object().is_some_and(|members| members.len() <= 1));
    }
    for field in resource.fields.iter().filter(|field| !field.visible()) {
        assert_eq!(shown.get(&field.name), None, "{} is shown", field.name);
    }
}
