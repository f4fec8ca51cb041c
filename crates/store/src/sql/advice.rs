//! Which index a slow read lacks, as the operator would declare it.

use model::model::{Model, Resource};
use model::query::Column;

use super::{index_groups, select, unique_groups};
use crate::lookup::{Lookup, Pick};

/// The first field that a lookup filters or sorts by and that no index leads with, as
/// `resource.field`. None where every one is served, or where none can be declared.
pub(crate) fn missing_index(model: &Model, lookup: &Lookup) -> Option<String> {
    lookup.roots.iter().find_map(|node| {
        let resource = &model.resources[node.resource];
        let (filter, sort) = match &node.pick {
            Pick::Page(page) => (&page.filter, page.sort.as_slice()),
            Pick::Number(filter) => (filter, [].as_slice()),
            Pick::Key(_) | Pick::Related { .. } | Pick::NextId => return None,
        };
        let compared: Vec<Column> =
            select::terms(filter).into_iter().map(|(column, _)| column).collect();
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

/// True where an index begins with the column.
fn leads(resource: &Resource, column: Column) -> bool {
    match column {
        Column::Id => true,
        Column::CreatedAt | Column::UpdatedAt => false,
        Column::Field(index) => unique_groups(resource)
            .iter()
            .chain(&index_groups(resource))
            .any(|group| group.first() == Some(&index)),
    }
}
