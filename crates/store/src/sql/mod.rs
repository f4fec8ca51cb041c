//! Statement text, built once a shape. Values are never part of it: they are bound.

pub(crate) mod advice;
pub(crate) mod aggregate;
pub(crate) mod apart;
pub(crate) mod change;
pub(crate) mod condition;
pub(crate) mod dependents;
pub(crate) mod search;
pub(crate) mod select;
pub(crate) mod term;

use std::sync::{Arc, OnceLock};

use model::model::{Field, FieldIndex, IdKind, Kind, Model, Resource, ResourceIndex};
use model::query::Column;

use self::search::SearchTexts;

/// The function that folds a text, on our own connections: for what no column keeps folded.
pub(crate) const FOLD: &str = "_methodical_fold";

/// The text of the statements that every resource needs, and the model that they were built from.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// The declaration.
    pub(crate) model: Arc<Model>,
    /// One a resource.
    pub(crate) texts: Vec<Texts>,
    /// The number that each resource has in the bookkeeping. It is the table's that counts: the
    /// order of resources in the declaration may change without a migration.
    pub(crate) numbers: OnceLock<Vec<i64>>,
}

/// The statements of one resource whose shape never varies.
#[derive(Debug)]
pub(crate) struct Texts {
    /// One record by its id.
    pub(crate) key: String,
    /// A new record.
    pub(crate) insert: String,
    /// The next version of a record.
    pub(crate) update: String,
    /// A record removed.
    pub(crate) delete: String,
    /// The largest id (integer ids only).
    pub(crate) largest: String,
    /// What keeps its full-text index, where it has one.
    pub(crate) search: Option<SearchTexts>,
}

impl Catalog {
    pub(crate) fn new(model: Arc<Model>) -> Self {
        let texts = model
            .resources
            .iter()
            .map(|resource| Texts {
                key: select::key(resource),
                insert: change::insert(resource),
                update: change::update(resource),
                delete: change::delete(resource),
                largest: select::largest(resource),
                search: SearchTexts::new(resource),
            })
            .collect();
        Self { model, texts, numbers: OnceLock::new() }
    }

    /// The number of a resource in the bookkeeping.
    pub(crate) fn number(&self, index: ResourceIndex) -> i64 {
        self.numbers.get().and_then(|numbers| numbers.get(index)).copied().unwrap_or(-1)
    }

    pub(crate) fn resource(&self, index: ResourceIndex) -> &Resource {
        &self.model.resources[index]
    }
}

/// True where a field has a shadow column with its folded text.
pub(crate) fn is_folded(field: &Field) -> bool {
    field.ignore_case && field.kind == Kind::Text && field.references.is_none()
}

/// The fields of a resource that have a shadow column, in order.
pub(crate) fn folded(resource: &Resource) -> impl Iterator<Item = (FieldIndex, &Field)> {
    resource.fields.iter().enumerate().filter(|(_, field)| is_folded(field))
}

/// The shadow column of a field.
pub(crate) fn fold_column(field: &Field) -> String {
    format!("_fold_{}", field.name)
}

/// The column in which a field is compared and ordered.
pub(crate) fn compared(field: &Field) -> String {
    if is_folded(field) { fold_column(field) } else { field.name.clone() }
}

/// The column that is compared and ordered for a column of the query language.
pub(crate) fn column(resource: &Resource, column: Column) -> String {
    match column {
        Column::Id => "id".to_owned(),
        Column::CreatedAt => "createdAt".to_owned(),
        Column::UpdatedAt => "updatedAt".to_owned(),
        Column::Field(index) => compared(&resource.fields[index]),
    }
}

/// What a field holds in the table: a reference holds what the ids that it names are.
pub(crate) fn stored_kind(model: &Model, field: &Field) -> Kind {
    match field.references {
        Some(to) => match model.resources[to.resource].id {
            IdKind::Integer => Kind::Integer,
            IdKind::Uuid | IdKind::Text => Kind::Text,
        },
        None => field.kind,
    }
}

/// An identifier, quoted.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
