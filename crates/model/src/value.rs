//! Values as records hold them.

use std::fmt;

/// The largest integer id: 2^52, so that every client can hold it exactly.
pub const ID_MAX: i64 = 1 << 52;

/// A value of a field. Absence is `Option::None` around it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON null, of a nullable field.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A finite binary64 number.
    Number(f64),
    /// Text.
    Text(String),
    /// Any JSON, as compact JSON text (valid by construction).
    Json(String),
}

/// The id of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id {
    /// Of `id = "integer"`.
    Integer(i64),
    /// Of `id = "uuid"` and `id = "text"`.
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => write!(out, "{id}"),
            Self::Text(id) => out.write_str(id),
        }
    }
}

impl Id {
    /// The id as the value of a field that refers to it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Integer(id) => Value::Integer(*id),
            Self::Text(id) => Value::Text(id.clone()),
        }
    }
}

/// A moment in UTC: milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 with exactly
/// three digits of a second, so that the order of the text is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);
