//! Records as JSON: the one place that decides what of a record is shown.

use serde_json::Map;

use super::Record;
use crate::json;
use crate::model::Resource;
use crate::query::Column;
use crate::value::{Id, Value};

/// Writes a record as a JSON object: `id`, the declared fields in their order, `createdAt` and
/// `updatedAt`, or just the columns asked for, in that order. Absent values are left out; secret
/// and writeOnly fields are never written.
pub fn write_json(
    out: &mut Vec<u8>,
    resource: &Resource,
    record: &Record,
    fields: Option<&[Column]>,
) {
    out.push(b'{');
    let start = out.len();
    match fields {
        Some(columns) => {
            for column in columns {
                write_member(out, start, resource, record, *column);
            }
        }
        None => {
            write_member(out, start, resource, record, Column::Id);
            for index in 0..resource.fields.len() {
                write_member(out, start, resource, record, Column::Field(index));
            }
            write_member(out, start, resource, record, Column::CreatedAt);
            write_member(out, start, resource, record, Column::UpdatedAt);
        }
    }
    out.push(b'}');
}

/// Writes one member with what separates it from those before it in the object whose members begin
/// at `start`, if it is there to be shown.
pub fn write_member(
    out: &mut Vec<u8>,
    start: usize,
    resource: &Resource,
    record: &Record,
    column: Column,
) {
    let value = match column {
        Column::Field(index) => {
            let shown = resource.fields.get(index).is_some_and(crate::model::Field::visible);
            match record.values.get(index) {
                Some(Some(value)) if shown => Some(value),
                _ => return,
            }
        }
        Column::Id | Column::CreatedAt | Column::UpdatedAt => None,
    };
    write_name(out, start, column.name(resource));
    match (column, value) {
        (_, Some(value)) => write_value(out, value),
        (Column::Id, None) => match &record.id {
            Id::Integer(id) => write_integer(out, *id),
            Id::Text(id) => write_text(out, id),
        },
        (moment, None) => {
            let updated = moment == Column::UpdatedAt;
            out.push(b'"');
            (if updated { record.updated_at } else { record.created_at }).write(out);
            out.push(b'"');
        }
    }
}

/// Writes the name of a member in the object whose members begin at `start`, with what separates
/// it from those before it.
pub fn write_name(out: &mut Vec<u8>, start: usize, name: &str) {
    if out.len() > start {
        out.push(b',');
    }
    write_text(out, name);
    out.push(b':');
}

/// Writes a value as JSON.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => write_integer(out, *number),
        Value::Number(number) => match json::whole(*number) {
            Some(whole) => write_integer(out, whole),
            None => write_serialized(out, number),
        },
        Value::Text(text) => write_text(out, text),
        Value::Json(text) => out.extend_from_slice(text.as_bytes()),
    }
}

fn write_integer(out: &mut Vec<u8>, number: i64) {
    write_serialized(out, &number);
}

/// Writes a text as a JSON string.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    write_serialized(out, text);
}

/// serde_json writes numbers and strings straight into the bytes, without a value in between.
fn write_serialized<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("a Vec takes every byte");
}

/// The record as the JSON document that its readers see, to be patched. Absent values, and secret
/// and writeOnly fields, are not in it.
#[must_use]
pub fn document(resource: &Resource, record: &Record) -> serde_json::Value {
    let mut members = Map::with_capacity(resource.fields.len() + 3);
    members.insert("id".to_owned(), record.id.to_value().to_json());
    for (field, value) in resource.fields.iter().zip(&record.values) {
        if let (true, Some(value)) = (field.visible(), value) {
            members.insert(field.name.clone(), value.to_json());
        }
    }
    members.insert("createdAt".to_owned(), record.created_at.text().into());
    members.insert("updatedAt".to_owned(), record.updated_at.text().into());
    serde_json::Value::Object(members)
}
