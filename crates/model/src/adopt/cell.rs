//! Cells of a database that is not ours, and how they become values of a field.

use crate::json;
use crate::value::Value;

/// The largest whole number that every reader of JSON keeps exactly.
const EXACT_MAX: i64 = (1 << 53) - 1;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number; it may be infinite.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Text that is not UTF-8.
    Broken,
    /// Bytes, so many.
    Blob(u64),
}

/// How the cells of a column become values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whole numbers.
    Integer,
    /// Any numbers.
    Number,
    /// 0 and 1 are false and true.
    Boolean,
    /// Text as it is.
    Text,
    /// Text that is JSON.
    Json,
    /// Several types beside each other.
    Mixed,
}

/// Reads a cell that is not null.
///
/// # Errors
/// Why the cell has no place in a record.
pub fn read(form: Form, cell: Cell<'_>) -> Result<Value, &'static str> {
    const OTHER: &str = "it is of another type than the rest of its column";
    match (form, cell) {
        (_, Cell::Blob(_)) => Err("it is a BLOB"),
        (_, Cell::Broken) => Err("its text is not UTF-8"),
        (_, Cell::Text(text)) if text.contains('\0') => Err("its text contains U+0000"),
        (_, Cell::Real(number)) if !number.is_finite() => Err("it is infinite"),
        (Form::Integer, Cell::Integer(number)) => Ok(Value::Integer(number)),
        (Form::Number, Cell::Integer(number)) => {
            let is_exact = (-EXACT_MAX..=EXACT_MAX).contains(&number);
            let why = "it has more digits than the other numbers of its column can have";
            if is_exact { Ok(Value::Number(number as f64)) } else { Err(why) }
        }
        // Negative zero is zero.
        (Form::Number, Cell::Real(number)) => Ok(Value::Number(number + 0.0)),
        (Form::Boolean, Cell::Integer(number @ (0 | 1))) => Ok(Value::Boolean(number == 1)),
        (Form::Text, Cell::Text(text)) => Ok(Value::Text(text.to_owned())),
        (Form::Json, Cell::Text(text)) => match json::parse(text.as_bytes()) {
            Ok(document) => Ok(Value::Json(document.to_string())),
            Err(_) => Err("it is not JSON"),
        },
        (Form::Mixed, cell) => Ok(Value::Json(mixed(cell).to_string())),
        (
            Form::Integer | Form::Number | Form::Boolean | Form::Text | Form::Json,
            Cell::Null | Cell::Integer(_) | Cell::Real(_) | Cell::Text(_),
        ) => Err(OTHER),
    }
}

fn mixed(cell: Cell<'_>) -> serde_json::Value {
    match cell {
        Cell::Integer(number) => number.into(),
        Cell::Real(number) => json::number(number + 0.0),
        Cell::Text(text) => text.into(),
        Cell::Null | Cell::Broken | Cell::Blob(_) => serde_json::Value::Null,
    }
}
