//! A record as the store keeps it: its reading from and writing to JSON, its writing to CSV, and
//! all that is moved of it with the operator's commands.

pub mod csv;
pub mod whole;

mod nulls;
mod read;
mod write;

use crate::value::{Id, Timestamp, Value};

pub use nulls::keep_nulls;
pub use read::{Draft, Purpose, Rejection, read};
pub(crate) use read::{expected_id, integer_range};
pub use write::{document, write_json, write_member, write_name, write_text, write_value};

/// One record: what was declared, and what the server keeps beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: Id,
    /// Which state of which life of this id it is.
    pub version: Version,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed; grows strictly per record.
    pub updated_at: Timestamp,
    /// One value a declared field, in the order of `Resource::fields`. `None`: absent.
    pub values: Vec<Option<Value>>,
}

/// The version of a record: drawn at random at insert, then counted, so that a record that is
/// deleted and created again never revives an old ETag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// Drawn at insert; never negative.
    pub birth: i64,
    /// 1 at insert, plus one a change.
    pub counter: i64,
}

#[cfg(test)]
mod tests;
