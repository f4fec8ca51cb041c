//! Aggregates: what records come to together, by groups of equal values.

use super::Column;
use crate::model::{Kind, Resource};
use crate::suggest;

/// What is asked of the records of a list, in place of the records.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// What is measured, in the order asked for.
    pub measures: Vec<Measure>,
    /// What the records of a group have in common; none: one group of all.
    pub group_by: Vec<Column>,
    /// The order of the groups; what they have in common breaks ties.
    pub sort: Vec<GroupSort>,
}

/// One measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Measure {
    /// The function.
    pub function: Function,
    /// Of which column; `None`: of the records themselves (`count`).
    pub column: Option<Column>,
}

/// An aggregate function. All of them pass over records without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// How many.
    Count,
    /// The sum of numbers, exact for whole ones.
    Sum,
    /// The mean of numbers.
    Avg,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
}

/// One key of the order of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupSort {
    /// By what.
    pub key: GroupKey,
    /// Largest first.
    pub descending: bool,
}

/// What groups are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// What they have in common: an index into `group_by`.
    Group(usize),
    /// What was measured: an index into `measures`.
    Measure(usize),
}

const FUNCTIONS: [(&str, Function); 5] = [
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
];

impl Function {
    fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

impl Measure {
    /// Its name, as it is asked for and as a member of the answer: `count`, `sum(quantity)`.
    #[must_use]
    pub fn name(self, resource: &Resource) -> String {
        match self.column {
            Some(column) => format!("{}({})", self.function.name(), column.name(resource)),
            None => self.function.name().to_owned(),
        }
    }

    /// True where what is measured is a value of the column.
    #[must_use]
    pub fn is_of_the_columns_kind(self) -> bool {
        match self.function {
            Function::Min | Function::Max => true,
            Function::Count | Function::Sum | Function::Avg => false,
        }
    }

    /// Reads `count` or `sum(quantity)`.
    pub(super) fn read(resource: &Resource, text: &str) -> Result<Self, String> {
        let (name, inner) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            Some((name, inner)) => (name, Some(inner)),
            None => (text, None),
        };
        let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let hint = suggest::hint(name, FUNCTIONS.iter().map(|(name, _)| *name));
            let name = suggest::quoted(text);
            return Err(format!(
                "{name} is no aggregate{hint}; there are count, count(FIELD), sum(FIELD), \
                 avg(FIELD), min(FIELD) and max(FIELD)"
            ));
        };
        let (function, Some(inner)) = (*function, inner) else {
            return match function {
                Function::Count => Ok(Self { function: *function, column: None }),
                _ => Err(format!("{name} needs a field: {name}(FIELD)")),
            };
        };
        let column = super::read::comparable(resource, inner)?;
        applies(function, column, resource)?;
        Ok(Self { function, column: Some(column) })
    }
}

/// Refuses functions of what they cannot measure.
fn applies(function: Function, column: Column, resource: &Resource) -> Result<(), String> {
    let name = column.name(resource);
    let kind = column.kind(resource);
    let folded = column.field(resource).is_some_and(|field| field.ignore_case);
    let is_reference = column.field(resource).is_some_and(|field| field.references.is_some());
    let is_number =
        matches!(kind, Kind::Integer | Kind::Number) && column != Column::Id && !is_reference;
    match function {
        Function::Sum | Function::Avg if !is_number => {
            Err(format!("{name} is no number that could be added up"))
        }
        Function::Min | Function::Max if kind == Kind::Json => {
            Err(format!("{name} holds any JSON, which has no order"))
        }
        Function::Min | Function::Max if folded => Err(format!(
            "{name} ignores case, so that several texts can be the first: use sort={name}&limit=1"
        )),
        Function::Count | Function::Sum | Function::Avg | Function::Min | Function::Max => Ok(()),
    }
}

impl Aggregate {
    /// Reads one key of an order of groups: a field that they have in common, or a measure.
    pub(super) fn key(&self, resource: &Resource, name: &str) -> Result<GroupKey, String> {
        let groups = self.group_by.iter().map(|column| column.name(resource).to_owned());
        let groups: Vec<String> = groups.collect();
        let measures: Vec<String> = self.measures.iter().map(|it| it.name(resource)).collect();
        if let Some(at) = groups.iter().position(|group| group == name) {
            return Ok(GroupKey::Group(at));
        }
        if let Some(at) = measures.iter().position(|measure| measure == name) {
            return Ok(GroupKey::Measure(at));
        }
        let known = [groups, measures].concat();
        Err(format!(
            "{} is nothing that groups are ordered by; there are {}",
            suggest::quoted(name),
            known.join(", ")
        ))
    }

    /// The name of one key.
    pub(super) fn key_name(&self, resource: &Resource, key: GroupKey) -> String {
        match key {
            GroupKey::Group(at) => {
                self.group_by.get(at).map_or("", |column| column.name(resource)).to_owned()
            }
            GroupKey::Measure(at) => {
                self.measures.get(at).map(|measure| measure.name(resource)).unwrap_or_default()
            }
        }
    }
}
