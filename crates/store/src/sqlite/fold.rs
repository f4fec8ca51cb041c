//! The fold as a function of SQL on our own connections, for what no column keeps folded.

use std::borrow::Cow;

use model::fold::fold;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value, ValueRef};

use crate::sql::FOLD;

/// Teaches a connection to fold. What is no text stays as it is.
pub(crate) fn teach(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(FOLD, 1, flags, |context| match context.get_raw(0) {
        ValueRef::Text(bytes) => Ok(Value::Text(match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => fold(text),
            // Broken from outside: what can be read of it is compared.
            Cow::Owned(text) => fold(&text),
        })),
        other => Ok(other.try_into()?),
    })
}
