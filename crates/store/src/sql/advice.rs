//! Which index a slow read lacks, as the operator would declare it.

use model::model::Model;
use model::query::Column;

use super::condition::leads;
use crate::lookup::{Lookup, Pick};

/// The first field that a lookup filters or sorts by and that no index leads with, as
/// `resource.field`. None where every one is served, or where none can be declared.
pub(crate) fn missing_index(model: &Model, lookup: &Lookup) -> Option<String> {
    lookup.roots.iter().find_map(|node| {
        let resource = &model.resources[node.resource];
        let (filter, sort) = match &node.pick {
            Pick::Page(page) => (&page.filter, page.sort.as_slice()),
            Pick::Number(filter) => (filter, [].as_slice()),
            Pick::Groups(groups) => (&groups.filter, [].as_slice()),
            Pick::Key(_) | Pick::Related { .. } | Pick::NextId => return None,
        };
        let compared: Vec<Column> = filter
            .comparisons()
            .into_iter()
            .map(|(path, _)| match path.through.first() {
                Some(field) => Column::Field(*field),
                None => path.column,
            })
            .collect();
        // One served comparison leaves few records, whatever else is compared or sorted by.
        let wanted = if compared.is_empty() {
            sort.first().map(|key| key.column)
        } else if compared.iter().any(|column| leads(resource, *column)) {
            None
        } else {
            compared.first().copied()
        };
        match wanted {
            Some(Column::Field(field)) if !leads(resource, Column::Field(field)) => {
                Some(format!("{}.{}", resource.name, resource.fields[field].name))
            }
            _ => None,
        }
    })
}
