//! Values and records, to and from what SQLite binds and returns.

use model::model::{Field, FieldIndex, IdKind, Kind, Resource};
use model::query::Column;
use model::record::{Record, Version};
use model::value::{Id, Timestamp, Value};
use rusqlite::Row;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::failure::{Failure, broken};
use crate::sql::is_folded;

/// A value of ours on its way into a statement, borrowed.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Boolean(flag) => ValueRef::Integer(i64::from(*flag)),
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Number(number) => ValueRef::Real(*number),
            Value::Text(text) | Value::Json(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// A field's value on its way into its column: absent is NULL; a JSON null is NULL only where the
/// field is nullable, otherwise the text `null`.
pub(crate) fn column<'a>(field: &Field, value: Option<&'a Value>) -> ToSqlOutput<'a> {
    ToSqlOutput::Borrowed(match value {
        Some(Value::Null) if field.kind == Kind::Json && !field.nullable => ValueRef::Text(b"null"),
        None | Some(Value::Null) => ValueRef::Null,
        Some(Value::Boolean(flag)) => ValueRef::Integer(i64::from(*flag)),
        Some(Value::Integer(number)) => ValueRef::Integer(*number),
        Some(Value::Number(number)) => ValueRef::Real(*number),
        Some(Value::Text(text) | Value::Json(text)) => ValueRef::Text(text.as_bytes()),
    })
}

/// An id on its way into a statement, borrowed.
pub(crate) struct BoundId<'a>(pub(crate) &'a Id);

impl ToSql for BoundId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Id::Integer(id) => ValueRef::Integer(*id),
            Id::Text(id) => ValueRef::Text(id.as_bytes()),
        }))
    }
}

/// What a comparison with a column binds: folded where the column is.
pub(crate) fn compared(resource: &Resource, column: Column, value: &Value) -> Option<Value> {
    match (column, value) {
        (Column::Field(index), Value::Text(text)) if is_folded(&resource.fields[index]) => {
            Some(Value::Text(model::fold::fold(text)))
        }
        _ => None,
    }
}

/// The record in the columns of `sql::select::columns`.
pub(crate) fn record(resource: &Resource, row: &Row<'_>) -> Result<Record, Failure> {
    let fields = resource.fields.len();
    let id = id(resource, row.get_ref(0)?)?;
    let mut values = Vec::with_capacity(fields);
    for (index, field) in resource.fields.iter().enumerate() {
        values.push(
            value(field, row.get_ref(index + 1)?)
                .ok_or_else(|| foreign(resource, &id, &field.name))?,
        );
    }
    let time = |at: usize, name: &str| {
        row.get_ref(at)?
            .as_str()
            .ok()
            .and_then(Timestamp::parse)
            .ok_or_else(|| foreign(resource, &id, name))
    };
    Ok(Record {
        created_at: time(fields + 1, "createdAt")?,
        updated_at: time(fields + 2, "updatedAt")?,
        version: Version { birth: row.get(fields + 3)?, counter: row.get(fields + 4)? },
        values,
        id,
    })
}

fn foreign(resource: &Resource, id: &Id, column: &str) -> Failure {
    broken(format!("{} {id} holds something in `{column}` that does not fit it", resource.name))
}

/// The id in a column of a resource's ids.
pub(crate) fn id(resource: &Resource, found: ValueRef<'_>) -> Result<Id, Failure> {
    match (resource.id, found) {
        (IdKind::Integer, ValueRef::Integer(id)) => Ok(Id::Integer(id)),
        (IdKind::Uuid | IdKind::Text, ValueRef::Text(id)) => text(id)
            .map(Id::Text)
            .ok_or_else(|| broken(format!("{}: an id is not UTF-8", resource.name))),
        _ => Err(broken(format!("{}: an id is not of its kind", resource.name))),
    }
}

/// The value of a field. The outer None: it does not fit the column.
fn value(field: &Field, found: ValueRef<'_>) -> Option<Option<Value>> {
    Some(match found {
        ValueRef::Null if field.nullable => Some(Value::Null),
        ValueRef::Null => None,
        ValueRef::Integer(number) if field.kind == Kind::Boolean => {
            Some(Value::Boolean(number != 0))
        }
        ValueRef::Integer(number) => Some(Value::Integer(number)),
        ValueRef::Real(number) => Some(Value::Number(number)),
        ValueRef::Text(bytes) if field.kind == Kind::Json => Some(Value::Json(text(bytes)?)),
        ValueRef::Text(bytes) => Some(Value::Text(text(bytes)?)),
        ValueRef::Blob(_) => return None,
    })
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// The value of a reference field, or the id, that a relation joins by.
pub(crate) fn joined(record: &Record, field: FieldIndex) -> Option<Id> {
    match record.values.get(field)?.as_ref()? {
        Value::Integer(id) => Some(Id::Integer(*id)),
        Value::Text(id) => Some(Id::Text(id.clone())),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Json(_) => None,
    }
}
