//! What opening a store comes to.

use std::time::Duration;

use crate::measure::Measures;
use crate::migrate::Plan;
use crate::reader::Reader;
use crate::writer::Writer;

/// An open store.
#[derive(Clone, Debug)]
pub struct Opened {
    /// For whoever may only read.
    pub reader: Reader,
    /// For whoever may write.
    pub writer: Writer,
    /// Drawn when the database was made: part of every ETag, so that another database, or a
    /// restored one, never revives an old tag.
    pub epoch: u64,
    /// Drawn when the database was made: keys the hashes of fingerprints and cursors.
    pub secret: [u8; 32],
    /// For whoever wants to know how it does.
    pub measures: Measures,
    /// True where the database was made just now, and seeded.
    pub fresh: bool,
    /// The number of the key of the options, where the database has it now and had none before.
    pub first_key: Option<i64>,
    /// What was done so that the database fits a changed declaration, and how long it took.
    pub migrated: Option<(Plan, Duration)>,
}
