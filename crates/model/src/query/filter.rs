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
    /// Those that satisfy at least one; none where there is none.
    Any(Vec<Filter>),
    /// Those that do not satisfy it. Every filter is true or false of a record, so that nothing
    /// falls between.
    Not(Box<Filter>),
    /// Those of which two values compare so; where either is absent or null they do not.
    Relate {
        /// The one value.
        left: Path,
        /// How it compares with the other.
        relation: Relate,
        /// The other value.
        right: Path,
    },
    /// Those whose searched fields match.
    Search {
        /// What is searched for.
        terms: Terms,
        /// The searched fields that are looked into; `None`: all of them.
        within: Option<Vec<FieldIndex>>,
    },
}

/// How two values of a record compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relate {
    /// They are the same; on `ignoreCase` fields folded.
    Equal,
    /// The first is less.
    Less,
    /// The first is less, or they are the same.
    LessOrEqual,
}

impl Filter {
    /// Every record.
    #[must_use]
    pub fn all() -> Self {
        Self::All(Vec::new())
    }

    /// No record.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Any(Vec::new())
    }

    /// True where every record is left out.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Any(filters) if filters.is_empty())
    }

    /// The records that satisfy both. What is always or never true is left out.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.is_all() || other.is_nothing() {
            return other;
        }
        if other.is_all() || self.is_nothing() {
            return self;
        }
        let mut all = Vec::new();
        for filter in [self, other] {
            match filter {
                Self::All(filters) => all.extend(filters),
                other => all.push(other),
            }
        }
        Self::All(all)
    }

    /// The records that satisfy one of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_all() || other.is_nothing() {
            return self;
        }
        if other.is_all() || self.is_nothing() || self == other {
            return other;
        }
        let mut any = Vec::new();
        for filter in [self, other] {
            match filter {
                Self::Any(filters) => any.extend(filters),
                other => any.push(other),
            }
        }
        Self::Any(any)
    }

    /// The records that do not satisfy it.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            filter if filter.is_all() => Self::nothing(),
            filter if filter.is_nothing() => Self::all(),
            filter => Self::Not(Box::new(filter)),
        }
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

    /// The comparisons that have to hold whatever else does, in their order.
    #[must_use]
    pub fn comparisons(&self) -> Vec<(&Path, &Comparison)> {
        fn gather<'a>(filter: &'a Filter, out: &mut Vec<(&'a Path, &'a Comparison)>) {
            match filter {
                Filter::All(filters) => filters.iter().for_each(|filter| gather(filter, out)),
                Filter::Compare { path, comparison } => out.push((path, comparison)),
                Filter::Any(_) | Filter::Not(_) | Filter::Relate { .. } | Filter::Search { .. } => {
                }
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
            Self::Any(_) | Self::Not(_) | Self::Compare { .. } | Self::Relate { .. } => None,
            Self::Search { terms, .. } => Some(terms),
        }
    }

    /// Every path that is looked at, whatever has to hold.
    pub fn each_path<'a>(&'a self, visit: &mut impl FnMut(&'a Path)) {
        match self {
            Self::All(filters) | Self::Any(filters) => {
                for filter in filters {
                    filter.each_path(visit);
                }
            }
            Self::Not(filter) => filter.each_path(visit),
            Self::Compare { path, .. } => visit(path),
            Self::Relate { left, right, .. } => {
                visit(left);
                visit(right);
            }
            Self::Search { .. } => {}
        }
    }

    /// Adds the resources that the filter looks into to those that are there.
    pub fn tables(&self, model: &Model, resource: ResourceIndex, tables: &mut Vec<ResourceIndex>) {
        self.each_path(&mut |path| {
            for end in 1..=path.through.len() {
                let table = target(model, resource, &path.through[..end]);
                if let Some(table) = table.filter(|table| !tables.contains(table)) {
                    tables.push(table);
                }
            }
        });
    }
}
