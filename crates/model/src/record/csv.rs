//! Records as comma-separated values (RFC 4180): a line with the names of the members, then a line
//! a record. Written here and not by a library: a cell without a value and one with an empty text
//! have to be told apart, and the writers that there are quote both or neither.

use super::Record;
use super::write::write_value;
use crate::model::{Field, Resource};
use crate::query::Column;
use crate::value::{Id, Value};

/// Writes the first line: the names of the members, in the order of the lines that follow.
pub fn write_names(out: &mut Vec<u8>, resource: &Resource, fields: Option<&[Column]>) {
    write_cells(out, resource, fields, |out, column| write_text(out, column.name(resource)));
}

/// Writes a record as a line that ends in CRLF. A member that is absent or null is an empty cell,
/// and an empty text is `""`; numbers and truth values are written as in JSON, members that hold
/// any JSON as compact JSON. No text is changed to keep a spreadsheet from taking it for a
/// formula: what is read back has to be what was written.
pub fn write_line(
    out: &mut Vec<u8>,
    resource: &Resource,
    record: &Record,
    fields: Option<&[Column]>,
) {
    write_cells(out, resource, fields, |out, column| write_cell(out, resource, record, column));
}

/// The columns asked for, or all that are shown, with commas between them.
fn write_cells(
    out: &mut Vec<u8>,
    resource: &Resource,
    fields: Option<&[Column]>,
    mut write: impl FnMut(&mut Vec<u8>, Column),
) {
    let start = out.len();
    let all = fields.is_none().then(|| Column::all(resource)).into_iter().flatten();
    for (position, column) in fields.into_iter().flatten().copied().chain(all).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, column);
    }
    // One cell without a value: many readers pass over a line that has nothing in it.
    if out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_cell(out: &mut Vec<u8>, resource: &Resource, record: &Record, column: Column) {
    match column {
        Column::Id => match &record.id {
            Id::Integer(id) => write_value(out, &Value::Integer(*id)),
            Id::Text(id) => write_text(out, id),
        },
        Column::CreatedAt => record.created_at.write(out),
        Column::UpdatedAt => record.updated_at.write(out),
        Column::Field(index) => {
            let shown = resource.fields.get(index).is_some_and(Field::visible);
            match record.values.get(index).filter(|_| shown).and_then(Option::as_ref) {
                None | Some(Value::Null) => {}
                Some(Value::Text(text) | Value::Json(text)) => write_text(out, text),
                Some(value @ (Value::Boolean(_) | Value::Integer(_) | Value::Number(_))) => {
                    write_value(out, value);
                }
            }
        }
    }
}

/// A text, in double quotes where it has to be (RFC 4180 §2.5 to §2.7) and where it is empty.
fn write_text(out: &mut Vec<u8>, text: &str) {
    if !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{write_line, write_names};
    use crate::query::Column;
    use crate::record::{Record, Version};
    use crate::value::{Id, Timestamp, Value};

    const DECLARATION: &str = r#"
title = "T"
[resources.things]
fields.name = { type = "string", optional = true }
fields.count = { type = "integer", optional = true }
fields.weight = { type = ["number", "null"] }
fields.done = { type = "boolean", optional = true }
fields.free = { optional = true }
fields.hidden = { type = "string", writeOnly = true, optional = true }
"#;

    fn written(values: Vec<Option<Value>>, fields: Option<&[Column]>) -> String {
        let model = crate::declaration::read(DECLARATION).model.unwrap();
        let (created_at, updated_at) = (Timestamp(0), Timestamp(1_770_373_800_000));
        let version = Version { birth: 1, counter: 1 };
        let record = Record { id: Id::Integer(7), version, created_at, updated_at, values };
        let mut out = Vec::new();
        write_names(&mut out, &model.resources[0], fields);
        write_line(&mut out, &model.resources[0], &record, fields);
        String::from_utf8(out).unwrap()
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    fn name(value: Option<Value>) -> String {
        let mut values = vec![None; 6];
        values[0] = value;
        let two = [Column::Field(0), Column::Id];
        let written = written(values, Some(&two));
        written.strip_prefix("name,id\r\n").unwrap().strip_suffix(",7\r\n").unwrap().to_owned()
    }

    #[test]
    fn a_line_of_names_and_a_line_a_record() {
        let values = vec![
            text("Alice"),
            Some(Value::Integer(9_007_199_254_740_993)),
            Some(Value::Number(2.5)),
            Some(Value::Boolean(true)),
            Some(Value::Json(r#"{"a":[1,null]}"#.to_owned())),
            text("never shown"),
        ];
        assert_eq!(
            written(values, None),
            "id,name,count,weight,done,free,createdAt,updatedAt\r\n\
             7,Alice,9007199254740993,2.5,true,\"{\"\"a\"\":[1,null]}\",\
             1970-01-01T00:00:00.000Z,2026-02-06T10:30:00.000Z\r\n"
        );
    }

    #[test]
    fn only_what_has_to_be_quoted_is_and_an_empty_text_is_not_an_absent_one() {
        for (value, cell) in [
            (None, ""),
            (Some(Value::Null), ""),
            (text(""), "\"\""),
            (text(" a b "), " a b "),
            (text("a,b"), "\"a,b\""),
            (text("say \"hi\""), "\"say \"\"hi\"\"\""),
            (text("two\nlines"), "\"two\nlines\""),
            (text("\r"), "\"\r\""),
            (text("=1+1"), "=1+1"),
            (text("-49"), "-49"),
            (text("Zoë 🦀"), "Zoë 🦀"),
            (Some(Value::Json("null".to_owned())), "null"),
            (Some(Value::Json("\"\"".to_owned())), "\"\"\"\"\"\""),
            (Some(Value::Number(3.0)), "3"),
        ] {
            assert_eq!(name(value), cell);
        }
    }

    #[test]
    fn no_line_is_empty() {
        let one = [Column::Field(0)];
        assert_eq!(written(vec![None; 6], Some(&one)), "name\r\n\"\"\r\n");
        let hidden = [Column::Field(5)];
        assert!(!written(vec![text("secret"); 6], Some(&hidden)).contains("secret"));
    }
}
