//! A part of a list that is read to its end: each part is a read of its own, so that no snapshot
//! is held while a client takes its time.

use store::lookup::{Lookup, Pick, Row};

use crate::call::Call;
use crate::op::list;

/// How far a list has been read.
#[derive(Debug, Default)]
pub(crate) struct Place {
    passed: u64,
}

impl Place {
    /// Moves behind these records, which were read last.
    pub(crate) fn pass(&mut self, rows: &[Row]) {
        self.passed += rows.len() as u64;
    }
}

/// The next records of the list that a call asks for, at most so many.
pub(crate) fn lookup(call: &Call, place: &Place, rows: u32) -> Lookup {
    let mut lookup = list::lookup(call);
    for node in &mut lookup.roots {
        if let Pick::Page(page) = &mut node.pick {
            page.offset = place.passed;
            page.limit = rows;
            page.count = model::query::Count::None;
        }
    }
    lookup
}
