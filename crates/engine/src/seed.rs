//! The records of a fresh database, from NDJSON files: one JSON object a line.

use std::collections::HashMap;

use model::json;
use model::model::{IdKind, Model, Resource, ResourceIndex};
use model::record::{self, Purpose, Record, Version};
use model::value::{Id, Timestamp, Value};

use crate::{clock, password};

/// A file of records of one resource.
pub struct File {
    /// The resource.
    pub resource: ResourceIndex,
    /// Its text.
    pub text: String,
    /// What people call it in complaints.
    pub name: String,
}

/// Reads every file; each line is checked as a POST would be, and may name its id.
///
/// # Errors
/// The first faulty line, by file and line.
pub fn read(
    model: &Model,
    files: &[File],
    now: Timestamp,
) -> Result<Vec<(ResourceIndex, Record)>, String> {
    let mut records = Vec::new();
    let mut last: HashMap<ResourceIndex, i64> = HashMap::new();
    for file in files {
        let resource = &model.resources[file.resource];
        let lines = file.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (number, line) in lines {
            let place = format!("{}:{}", file.name, number + 1);
            let last = last.entry(file.resource).or_default();
            let record = read_line(model, resource, line, now, last)
                .map_err(|fault| format!("{place}: {fault}"))?;
            records.push((file.resource, record));
        }
    }
    Ok(records)
}

fn read_line(
    model: &Model,
    resource: &Resource,
    line: &str,
    now: Timestamp,
    last: &mut i64,
) -> Result<Record, String> {
    let document = json::parse(line.as_bytes())
        .map_err(|fault| format!("column {}: {}", fault.column, fault.detail))?;
    let draft = record::read(model, resource, &document, Purpose::Seed).map_err(|rejection| {
        let faults: Vec<_> = rejection
            .violations
            .iter()
            .map(|violation| match &violation.place {
                contract::problem::Place::Pointer(pointer) => {
                    format!("{pointer}: {}", violation.detail)
                }
                contract::problem::Place::Parameter(_) | contract::problem::Place::Field(_) => {
                    violation.detail.clone()
                }
            })
            .collect();
        faults.join("; ")
    })?;
    let id = match (draft.id, resource.id) {
        (Some(id), _) => id,
        (None, IdKind::Integer) => Id::Integer(*last + 1),
        (None, IdKind::Uuid | IdKind::Text) => Id::Text(clock::uuid()),
    };
    if let Id::Integer(id) = id {
        *last = id.max(*last);
    }
    let mut values = draft.values;
    for (value, field) in values.iter_mut().zip(&resource.fields) {
        if let (true, Some(Value::Text(sent))) = (field.password, &value) {
            *value = Some(Value::Text(password::hash(sent)));
        }
    }
    let version = Version { birth: clock::birth(), counter: 1 };
    let created_at = draft.created_at.unwrap_or(now);
    let updated_at = draft.updated_at.unwrap_or(created_at);
    Ok(Record { id, version, created_at, updated_at, values })
}
