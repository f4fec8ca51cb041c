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
    let mut line = Line::begin(out);
    for column in columns(resource, fields) {
        line.text(column.name(resource));
    }
    line.end();
}

/// Writes a record as a line.
pub fn write_line(
    out: &mut Vec<u8>,
    resource: &Resource,
    record: &Record,
    fields: Option<&[Column]>,
) {
    let mut line = Line::begin(out);
    for column in columns(resource, fields) {
        match column {
            Column::Id => match &record.id {
                Id::Integer(id) => line.value(Some(&Value::Integer(*id))),
                Id::Text(id) => line.text(id),
            },
            Column::CreatedAt => record.created_at.write(line.cell()),
            Column::UpdatedAt => record.updated_at.write(line.cell()),
            Column::Field(index) => {
                let shown = resource.fields.get(index).is_some_and(Field::visible);
                line.value(record.values.get(index).filter(|_| shown).and_then(Option::as_ref));
            }
        }
    }
    line.end();
}

/// The columns asked for, or all that are shown.
fn columns<'a>(
    resource: &'a Resource,
    fields: Option<&'a [Column]>,
) -> impl Iterator<Item = Column> + 'a {
    let all = fields.is_none().then(|| Column::all(resource)).into_iter().flatten();
    fields.into_iter().flatten().copied().chain(all)
}

/// A line that is being written, cell by cell.
#[derive(Debug)]
pub struct Line<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    cells: usize,
}

impl<'a> Line<'a> {
    /// A line without cells.
    #[must_use]
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, cells: 0 }
    }

    /// Adds a value. One that is absent or null is an empty cell, and an empty text is `""`;
    /// numbers and truth values are written as in JSON, any JSON as compact JSON. No text is
    /// changed to keep a spreadsheet from taking it for a formula: what is read back has to be
    /// what was written.
    pub fn value(&mut self, value: Option<&Value>) {
        match value {
            None | Some(Value::Null) => _ = self.cell(),
            Some(Value::Text(text) | Value::Json(text)) => self.text(text),
            Some(value @ (Value::Boolean(_) | Value::Integer(_) | Value::Number(_))) => {
                write_value(self.cell(), value);
            }
        }
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        write_text(self.cell(), text);
    }

    /// Ends the line with CRLF.
    pub fn end(self) {
        // One cell without a value: many readers pass over a line that has nothing in it.
        if self.out.len() == self.start {
            self.out.extend_from_slice(b"\"\"");
        }
        self.out.extend_from_slice(b"\r\n");
    }

    fn cell(&mut self) -> &mut Vec<u8> {
        if self.cells > 0 {
            self.out.push(b',');
        }
        self.cells += 1;
        self.out
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
