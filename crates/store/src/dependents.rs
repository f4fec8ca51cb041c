//! What depends on a record, so that its deletion deletes it, clears it, or is refused for it.

use model::model::{FieldIndex, ResourceIndex};
use model::value::Id;

/// What a deletion would meet. Where it refuses nothing and is within its limit, this is all that
/// the deletion will change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// One a reference field by which any record depends, in the order of the declaration. What
    /// becomes of the records is what the field declares.
    pub references: Vec<Dependent>,
    /// True where more records than the limit would be deleted or cleared along. There may be
    /// more of every kind then: each number is a lower bound.
    pub is_partial: bool,
    /// The records that would be deleted or cleared along, each once, seen or not. Not all of them
    /// where there are too many.
    pub along: Vec<Along>,
}

/// A record that goes along with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Along {
    /// Of this resource.
    pub resource: ResourceIndex,
    /// Its id.
    pub id: Id,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a record that goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted.
    Deleted,
    /// What refers is cleared.
    Cleared,
}

/// The records that depend by one reference field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// The resource that refers.
    pub resource: ResourceIndex,
    /// By this field.
    pub field: FieldIndex,
    /// How many records that are seen. Each of those that would be deleted is counted once, by the
    /// field that leads to it first, and not among those that would be cleared.
    pub records: u64,
    /// True where records depend so that are not seen.
    pub is_any_hidden: bool,
    /// True where counting stopped and there may be more.
    pub is_lower_bound: bool,
}
