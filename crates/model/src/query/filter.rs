//! Filters: which records. Every comparison has one meaning, on both databases and in memory:
//! a value that is absent or null equals nothing, and is neither greater nor less than anything.

use super::{Column, target};
use crate::model::{FieldIndex, Model, ResourceIndex};
use crate::search::Terms;
use crate::value::Value;

/// A value that a record leads to: one of its own columns, or one of a record that it refers to.
/// Where a reference on the way names nothing, the value is absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// The reference fields on the way: each is a field of the resource that the one before it
    /// refers to. At most `DEPTH_MAX`.
    pub through: Vec<FieldIndex>,
    /// The column at the end.
    pub column: Column,
}

impl From<Column> for Path {
    fn from(column: Column) -> Self {
        Self { through: Vec::new(), column }
    }
}

/// How a value compares. On an `ignoreCase` field both sides are folded.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// It is this (`eq`).
    Equal(Value),
    /// It is not this, or absent: the records that `eq` leaves out (`ne`).
    NotEqual(Value),
    /// It is one of these (`in`).
    In(Vec<Value>),
    /// It is greater (`gt`).
    Greater(Value),
    /// It is greater or equal (`gte`).
    GreaterOrEqual(Value),
    /// It is less (`lt`).
    Less(Value),
    /// It is less or equal (`lte`).
    LessOrEqual(Value),
    /// It is a text that begins so (`prefix`).
    Prefix(String),
    /// It is absent or null (`null=true`).
    Null,
    /// It is there (`null=false`).
    NotNull,
}

impl Comparison {
    /// The operator, as it stands in brackets behind a name.
    #[must_use]
    pub fn operator(&self) -> &'static str {
        match self {
            Self::Equal(_) => "eq",
            Self::NotEqual(_) => "ne",
            Self::In(_) => "in",
            Self::Greater(_) => "gt",
            Self::GreaterOrEqual(_) => "gte",
            Self::Less(_) => "lt",
            Self::LessOrEqual(_) => "lte",
            Self::Prefix(_) => "prefix",
            Self::Null | Self::NotNull => "null",
        }
    }
}

/// Which records.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Those that satisfy every one; all records where there is none.
    All(Vec<Filter>),
    /// Those whose value compares so.
    Compare {
        /// Which value.
        path: Path,
        /// How it compares.
        comparison: Comparison,
    },
    /// Those whose searched fields match.
    Search(Terms),
}

impl Filter {
    /// Every record.
    #[must_use]
    pub fn all() -> Self {
        Self::All(Vec::new())
    }

    /// The records whose own column is this.
    #[must_use]
    pub fn equal(column: Column, value: Value) -> Self {
        Self::Compare { path: column.into(), comparison: Comparison::Equal(value) }
    }

    /// True where no record is left out.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All(filters) if filters.is_empty())
    }

    /// The comparisons, in their order: all of them have to hold.
    #[must_use]
    pub fn comparisons(&self) -> Vec<(&Path, &Comparison)> {
        fn gather<'a>(filter: &'a Filter, out: &mut Vec<(&'a Path, &'a Comparison)>) {
            match filter {
                Filter::All(filters) => filters.iter().for_each(|filter| gather(filter, out)),
                Filter::Compare { path, comparison } => out.push((path, comparison)),
                Filter::Search(_) => {}
            }
        }
        let mut out = Vec::new();
        gather(self, &mut out);
        out
    }

    /// What is searched for, if something is.
    #[must_use]
    pub fn search(&self) -> Option<&Terms> {
        match self {
            Self::All(filters) => filters.iter().find_map(Self::search),
            Self::Compare { .. } => None,
            Self::Search(terms) => Some(terms),
        }
    }

    /// Adds the resources that the filter looks into to those that are there.
    pub(super) fn tables(
        &self,
        model: &Model,
        resource: ResourceIndex,
        tables: &mut Vec<ResourceIndex>,
    ) {
        for (path, _) in self.comparisons() {
            for end in 1..=path.through.len() {
                let table = target(model, resource, &path.through[..end]);
                if let Some(table) = table.filter(|table| !tables.contains(table)) {
                    tables.push(table);
                }
            }
        }
    }
}
