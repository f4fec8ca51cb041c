//! What comes behind a record in an ordered list, as ranges that follow each other. Each is one
//! equality after the other and then one bound, which an index serves from its first entry on,
//! whatever was passed over; one condition with OR would not be.

use model::model::Resource;
use model::query::{Column, Comparison, Sort};
use model::value::Value;

/// The comparisons of one range.
pub(crate) type Branch = Vec<(Column, Comparison)>;

/// The ranges behind a record, in order; `values` are its own in the columns of the total order.
/// Nulls come first where a key ascends, and last where it descends.
pub(crate) fn branches(resource: &Resource, order: &[Sort], values: &[Value]) -> Vec<Branch> {
    let mut out = Vec::with_capacity(order.len() + 1);
    for last in (0..order.len().min(values.len())).rev() {
        let same = order[..last].iter().zip(values).map(|(key, value)| {
            let comparison = match value {
                Value::Null => Comparison::Null,
                value => Comparison::Equal(value.clone()),
            };
            (key.column, comparison)
        });
        let same: Branch = same.collect();
        let key = order[last];
        for comparison in behind(resource, key, &values[last]) {
            let mut branch = same.clone();
            branch.push((key.column, comparison));
            out.push(branch);
        }
    }
    out
}

fn behind(resource: &Resource, key: Sort, value: &Value) -> Vec<Comparison> {
    let may_be_null = key.column.may_be_absent(resource);
    match (key.descending, value) {
        (false, Value::Null) => vec![Comparison::NotNull],
        (false, value) => vec![Comparison::Greater(value.clone())],
        (true, Value::Null) => Vec::new(),
        (true, value) if may_be_null => vec![Comparison::Less(value.clone()), Comparison::Null],
        (true, value) => vec![Comparison::Less(value.clone())],
    }
}
