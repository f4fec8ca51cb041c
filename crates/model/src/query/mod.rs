//! The query language: which records, in which order, which page of them, with what hanging on
//! them, or what they come to together.

mod aggregate;
mod canonical;
mod column;
mod everywhere;
mod filter;
pub(crate) mod holds;
mod position;
mod read;
mod since;
pub(crate) mod term;
mod view;
mod words;

use crate::model::{FieldIndex, Model, Resource, ResourceIndex};

pub use aggregate::{Aggregate, Function, GroupKey, GroupSort, Measure};
pub use canonical::{canonical, selection, view};
pub use column::Column;
pub use everywhere::{Everywhere, read_everywhere, read_everywhere_json};
pub use filter::{Comparison, Filter, Path, Relate};
pub use holds::Seen;
pub use position::{Position, total_order};
pub use read::{Read, Rejection, is_ignored, known, read, read_item, read_json};
pub use since::{After, Since, read_since};
pub use view::{Include, Relation, View};

/// How many references a filter or an include follows from a record.
pub const DEPTH_MAX: usize = 2;

/// A list as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which records.
    pub filter: Filter,
    /// In which order; the id breaks ties (it is not listed unless asked for).
    pub sort: Vec<Sort>,
    /// Where in the list.
    pub paging: Paging,
    /// How many records a page.
    pub limit: u32,
    /// What is shown of each record.
    pub view: View,
    /// What the records come to together, in place of the records.
    pub aggregate: Option<Aggregate>,
    /// How exactly the total is wanted.
    pub count: Count,
}

/// Where in a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Paging {
    /// The page of this number, from 1.
    Page(u32),
    /// Behind the record that a cursor names: the text that was given for it, empty for the
    /// beginning of the list. What it names is known to whoever has the key of its signature.
    Cursor(String),
}

impl Query {
    /// The number of the page, where pages are numbered.
    #[must_use]
    pub fn page(&self) -> Option<u32> {
        match self.paging {
            Paging::Page(page) => Some(page),
            Paging::Cursor(_) => None,
        }
    }

    /// How many records stand before the page, as far as its number says so.
    #[must_use]
    pub fn offset(&self) -> u64 {
        let page = self.page().unwrap_or(1);
        u64::from(page.saturating_sub(1)) * u64::from(self.limit)
    }

    /// True where the records stand in the order of how well they match what is searched for,
    /// because no other order was asked for.
    #[must_use]
    pub fn is_ranked(&self) -> bool {
        self.aggregate.is_none() && self.sort.is_empty() && self.filter.search().is_some()
    }

    /// The same query in another place of the list.
    #[must_use]
    pub fn at(&self, paging: Paging) -> Self {
        Self { paging, ..self.clone() }
    }

    /// Every resource whose table the answer depends on, the listed one first, each once.
    #[must_use]
    pub fn tables(&self, model: &Model, resource: ResourceIndex) -> Vec<ResourceIndex> {
        let mut tables = vec![resource];
        self.filter.tables(model, resource, &mut tables);
        self.view.tables(&mut tables);
        tables
    }
}

/// One key of an order. Nulls and absent values come first when ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub column: Column,
    /// Largest first.
    pub descending: bool,
}

/// How exactly a total is wanted (`count`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Kept where it can be, otherwise counted up to 10,000.
    Bounded,
    /// Counted to the end.
    Exact,
    /// Not at all.
    None,
}

/// The resource that a chain of reference fields leads to.
#[must_use]
pub fn target(model: &Model, from: ResourceIndex, through: &[FieldIndex]) -> Option<ResourceIndex> {
    through.iter().try_fold(from, |at, field| {
        let resource: &Resource = model.resources.get(at)?;
        Some(resource.fields.get(*field)?.references?.resource)
    })
}

#[cfg(test)]
mod tests;
