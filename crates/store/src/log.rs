//! The change log: what was written, by whomever, in the order of the commits.

use model::model::ResourceIndex;
use model::query::Filter;
use model::record::{Record, Version};
use model::value::Id;

/// Which entries of the log are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Since {
    /// From where on.
    pub after: After,
    /// Of this resource alone.
    pub resource: Option<ResourceIndex>,
    /// How many at most.
    pub limit: u32,
    /// Which records of each resource the caller sees; empty: all. Entries of others are passed
    /// over, unless the caller saw the record before: then `record` is none.
    pub seen: Vec<Filter>,
}

/// From where on entries are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// From the oldest that is kept.
    Oldest,
    /// None: only the newest position.
    Newest,
    /// Behind this position.
    Position(i64),
}

/// A part of the log, from the snapshot that its records are from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The position of the oldest entry that is kept; 1 in an empty log.
    pub oldest: i64,
    /// The position of the newest entry; 0 in an empty log.
    pub newest: i64,
    /// How far the log was looked through: nothing that is wanted is missing up to here.
    pub end: i64,
    /// What is wanted, in order.
    pub entries: Vec<Entry>,
    /// True where entries behind the position have been forgotten; then there are none here.
    pub is_gone: bool,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it stands.
    pub position: i64,
    /// The resource.
    pub resource: ResourceIndex,
    /// The record.
    pub id: Id,
    /// Its version after that; before it, where it was deleted.
    pub version: Version,
    /// What was done.
    pub operation: Operation,
    /// What is there now under this id and seen by the caller, if anything is.
    pub record: Option<Record>,
}

/// What can be done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It was created.
    Insert,
    /// It has another version.
    Update,
    /// It was removed.
    Delete,
    /// It went from what a caller sees: it was removed, or is not seen any more. No entry says so;
    /// it is what one of them is to somebody.
    Leave,
}
