//! A place in an ordered list, by what the record there is ordered by: it stays where it is while
//! records are added and deleted around it.

use super::{Column, Sort};
use crate::record::Record;
use crate::value::Value;

/// Behind which record a page begins, in which direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// What that record has in the columns of the total order; null where it has no value.
    pub values: Vec<Value>,
    /// The page ends before the record, rather than beginning behind it.
    pub backwards: bool,
}

impl Position {
    /// The place of a record in a list of this order.
    #[must_use]
    pub fn of(record: &Record, sort: &[Sort]) -> Self {
        let value = |key: Sort| match key.column {
            Column::Id => record.id.to_value(),
            Column::CreatedAt => Value::Text(record.created_at.text()),
            Column::UpdatedAt => Value::Text(record.updated_at.text()),
            Column::Field(index) => {
                record.values.get(index).cloned().flatten().unwrap_or(Value::Null)
            }
        };
        let values = total_order(sort).into_iter().map(value).collect();
        Self { values, backwards: false }
    }
}

/// The order in which no two records are equal: the id breaks ties, in the direction of the key
/// before it, so that one index serves both. What would stand behind the id says nothing.
#[must_use]
pub fn total_order(sort: &[Sort]) -> Vec<Sort> {
    let mut order: Vec<Sort> = Vec::with_capacity(sort.len() + 1);
    for key in sort {
        order.push(*key);
        if key.column == Column::Id {
            return order;
        }
    }
    let descending = order.last().is_some_and(|key| key.descending);
    order.push(Sort { column: Column::Id, descending });
    order
}
