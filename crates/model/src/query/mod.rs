//! The query language: which records, in which order, which page of them.

mod canonical;
mod read;

use crate::model::{Field, FieldIndex, Resource};
use crate::value::Value;

pub use canonical::canonical;
pub use read::{Read, Rejection, is_ignored, known, read, read_json};

/// A list as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which records.
    pub filter: Filter,
    /// In which order; the id breaks ties (it is not listed unless asked for).
    pub sort: Vec<Sort>,
    /// Which page, from 1.
    pub page: u32,
    /// How many records a page.
    pub limit: u32,
    /// The members to show, in the order asked for; `None`: all.
    pub fields: Option<Vec<Column>>,
    /// How exactly the total is wanted.
    pub count: Count,
}

impl Query {
    /// How many records stand before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.limit)
    }

    /// The same query on another page.
    #[must_use]
    pub fn with_page(&self, page: u32) -> Self {
        Self { page, ..self.clone() }
    }
}

/// What a column is: a declared field, or one that the server keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// `id`
    Id,
    /// `createdAt`
    CreatedAt,
    /// `updatedAt`
    UpdatedAt,
    /// A declared field.
    Field(FieldIndex),
}

impl Column {
    /// Its name: a member of answers, and a parameter of filters.
    #[must_use]
    pub fn name(self, resource: &Resource) -> &str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
            Self::Field(index) => resource.fields.get(index).map_or("", |field| &field.name),
        }
    }

    /// The column of this name, among those that are shown: others do not exist here.
    #[must_use]
    pub fn find(resource: &Resource, name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "createdAt" => Some(Self::CreatedAt),
            "updatedAt" => Some(Self::UpdatedAt),
            _ => {
                let (index, _) = resource.field(name).filter(|(_, field)| field.visible())?;
                Some(Self::Field(index))
            }
        }
    }

    /// Every column that is shown, in the order of answers.
    pub fn all(resource: &Resource) -> impl Iterator<Item = Self> {
        let shown =
            |(index, field): (FieldIndex, &Field)| field.visible().then_some(Self::Field(index));
        let fields = resource.fields.iter().enumerate().filter_map(shown);
        std::iter::once(Self::Id).chain(fields).chain([Self::CreatedAt, Self::UpdatedAt])
    }

    /// The declared field, if it is one.
    #[must_use]
    pub fn field(self, resource: &Resource) -> Option<&Field> {
        match self {
            Self::Field(index) => resource.fields.get(index),
            Self::Id | Self::CreatedAt | Self::UpdatedAt => None,
        }
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

/// Which records.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Those that satisfy every one; all records where there is none.
    All(Vec<Filter>),
    /// Those whose column compares so with a value. On an `ignoreCase` field both sides are folded.
    Compare {
        /// The column.
        column: Column,
        /// The comparison.
        operator: Operator,
        /// The value, of the column's kind.
        value: Value,
    },
}

impl Filter {
    /// Every record.
    #[must_use]
    pub fn all() -> Self {
        Self::All(Vec::new())
    }

    /// True where no record is left out.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All(filters) if filters.is_empty())
    }
}

/// How a column compares with a value. (Part 2 brings the others.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Equal,
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

#[cfg(test)]
mod tests;
