//! A part of a list that is read to its end: each part is a read of its own, so that no snapshot
//! is held while a client takes its time.

use model::query::{Count, Position, Relation, View};
use store::lookup::{Lookup, Pick, Row};

use crate::call::Call;
use crate::op::list;

/// How far a list has been read: behind which record, if any.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<Position>);

impl Place {
    /// Moves behind these records, which were read last.
    pub(crate) fn pass(&mut self, call: &Call, rows: &[Row]) {
        if let (Some(row), Some(query)) = (rows.last(), &call.query) {
            self.0 = Some(Position::of(&row.record, &query.sort));
        }
    }
}

/// Most records of a part: as many as can each show all that a record may include, so that what one
/// shows does not depend on those that are read with it.
pub(crate) fn rows_max(call: &Call) -> u32 {
    let includes_many = call.query.as_ref().is_some_and(|query| refers_back(&query.view));
    let settings = &call.settings;
    let each = settings.include_rows_max.min(settings.page_rows_max);
    if includes_many { (settings.included_rows_max / each.max(1)).max(1) } else { u32::MAX }
}

/// True where records are included that refer to others.
fn refers_back(view: &View) -> bool {
    view.include.iter().any(|include| match include.relation {
        Relation::ReferredBy(_) => true,
        Relation::References(_) => refers_back(&include.view),
    })
}

/// The next records of the list that a call asks for, at most so many.
pub(crate) fn lookup(call: &Call, place: &Place, rows: u32) -> Lookup {
    let mut lookup = list::lookup(call);
    lookup.states.clear();
    for node in &mut lookup.roots {
        if let Pick::Page(page) = &mut node.pick {
            page.after = place.0.clone();
            // Ranks change while a list is read; what is read to its end stands by id.
            page.is_ranked = false;
            page.offset = 0;
            page.limit = rows;
            page.count = Count::None;
        }
    }
    lookup
}
