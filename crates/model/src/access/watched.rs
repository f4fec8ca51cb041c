//! What of a record decides who sees it: the change log keeps it, so that whoever saw a record
//! before is told that it is gone.

use crate::model::{Model, ResourceIndex};
use crate::query::Column;

/// The columns of its own that the read rules of a resource look at, in the order of the
/// declaration. The id is none of them: it never changes.
#[must_use]
pub fn watched_columns(model: &Model, resource: ResourceIndex) -> Vec<Column> {
    let resource = &model.resources[resource];
    let read = resource.access.as_ref().and_then(|access| access.read.as_ref());
    let names_owner = read.is_some_and(|who| who.names.iter().any(|name| name == "owner"));
    let owner = resource.fields.iter().position(|field| field.owner);
    owner.filter(|_| names_owner).map(Column::Field).into_iter().collect()
}
