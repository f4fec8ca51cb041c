//! Which index a slow read lacks, as the operator would declare it.

use model::index::{self, Ask};
use model::model::Model;
use model::query::Column;

use super::select;
use crate::lookup::{Lookup, Pick};

/// What to declare for the first root that no index serves. None where every one is served, or
/// where none can be declared.
pub(crate) fn missing_index(model: &Model, lookup: &Lookup) -> Option<String> {
    lookup.roots.iter().find_map(|node| {
        let (filter, order) = match &node.pick {
            Pick::Page(page) => (&page.filter, Some(page.sort.as_slice())),
            Pick::Number(filter) => (filter, None),
            // These go by ids and references, which have their indexes.
            Pick::Key(_) | Pick::Related { .. } | Pick::NextId | Pick::Dependents { .. } => {
                return None;
            }
        };
        let terms = select::terms(filter);
        let equal: Vec<Column> = terms.into_iter().map(|(column, _)| column).collect();
        let ask = Ask { equal: &equal, range: &[], order };
        index::advice(&model.resources[node.resource], &ask)
    })
}
