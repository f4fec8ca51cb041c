//! What can go wrong in a store, in its own words. No statuses.

use model::model::{FieldIndex, ResourceIndex};

/// Why a lookup or a write did not succeed. Nothing was written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A value, or a group of values, is taken.
    #[error("a unique value is taken")]
    Taken {
        /// In this resource.
        resource: ResourceIndex,
        /// By these fields; empty: by the id.
        fields: Vec<FieldIndex>,
        /// The step of the write that met it.
        step: usize,
    },
    /// A reference names no record, or a record that is still referred to would go.
    #[error("a reference would dangle")]
    Dangling {
        /// The step of the write that met it.
        step: usize,
    },
    /// The record changed between the decision and the write.
    #[error("the record is no longer in the version that was decided on")]
    Moved {
        /// The step of the write that met it.
        step: usize,
    },
    /// More keys than one principal may have.
    #[error("too many keys are remembered for this principal")]
    TooManyKeys,
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
    /// The queue is full, the database is locked by another process, or the store is closing.
    #[error("the store is busy: {0}")]
    Busy(&'static str),
    /// The deadline of a read passed. The index that would serve it is named where one is missing.
    #[error("the read took too long")]
    TooSlow {
        /// `resource.field` to index.
        index: Option<String>,
    },
    /// A fault of the database or the disk; the text is for the log only.
    #[error("the database failed: {0}")]
    Broken(String),
}
