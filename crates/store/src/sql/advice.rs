//! Which index a slow read lacks, as the operator would declare it.

use model::index::{self, Ask};
use model::model::{Model, Resource};
use model::query::{Column, Comparison, Filter};

use crate::lookup::{Lookup, Pick};

/// What to declare for the first root that no index serves. None where every one is served, or
/// where none can be declared.
pub(crate) fn missing_index(model: &Model, lookup: &Lookup) -> Option<String> {
    lookup.roots.iter().find_map(|node| {
        let (filter, order) = match &node.pick {
            Pick::Page(page) => (&page.filter, Some(page.sort.as_slice())),
            Pick::Groups(groups) => (&groups.filter, None),
            Pick::Number(filter) => (filter, None),
            // These go by ids and references, which have their indexes.
            Pick::Key(_) | Pick::Related { .. } | Pick::NextId | Pick::Dependents { .. } => {
                return None;
            }
        };
        let (equal, range) = compared(filter);
        let ask = Ask { equal: &equal, range: &range, order };
        index::advice(&model.resources[node.resource], &ask)
            .or_else(|| referenced(model, &model.resources[node.resource], filter))
    })
}

/// What to declare where records are referred to, so that they are found by their value: from
/// there, the index that every reference has leads back.
fn referenced(model: &Model, resource: &Resource, filter: &Filter) -> Option<String> {
    filter.comparisons().into_iter().find_map(|(path, comparison)| {
        if path.through.is_empty() || !selects(comparison) {
            return None;
        }
        let mut end = resource;
        for field in &path.through {
            end = &model.resources[end.fields[*field].references?.resource];
        }
        index::advice(end, &Ask { equal: &[path.column], range: &[], order: None })
    })
}

/// False for what most of a table fulfils: no index helps. A reference that is absent has no value
/// either, so that null leads nowhere through one.
fn selects(comparison: &Comparison) -> bool {
    match comparison {
        Comparison::NotEqual(_) | Comparison::NotNull | Comparison::Null => false,
        Comparison::Equal(_)
        | Comparison::In(_)
        | Comparison::Greater(_)
        | Comparison::GreaterOrEqual(_)
        | Comparison::Less(_)
        | Comparison::LessOrEqual(_)
        | Comparison::Prefix(_) => true,
    }
}

/// The columns that are compared with one value, and those that are compared otherwise.
fn compared(filter: &Filter) -> (Vec<Column>, Vec<Column>) {
    let (mut equal, mut range) = (Vec::new(), Vec::new());
    for (path, comparison) in filter.comparisons() {
        match (path.through.first(), comparison) {
            // Most of a table is not equal: no index helps.
            (_, Comparison::NotEqual(_) | Comparison::NotNull) => {}
            // What is referred to leads here by the reference, among several.
            (Some(field), _) => range.push(Column::Field(*field)),
            (None, Comparison::Equal(_) | Comparison::Null) => equal.push(path.column),
            (
                None,
                Comparison::In(_)
                | Comparison::Greater(_)
                | Comparison::GreaterOrEqual(_)
                | Comparison::Less(_)
                | Comparison::LessOrEqual(_)
                | Comparison::Prefix(_),
            ) => range.push(path.column),
        }
    }
    (equal, range)
}
