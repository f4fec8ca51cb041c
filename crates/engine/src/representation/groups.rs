//! Groups of records: what those of each have in common, and what they come to.

use model::model::Resource;
use model::query::Aggregate;
use model::record;
use store::lookup::{Group, Measured};

/// Writes one group as a JSON object: its keys by the names of their fields, null where there is
/// no value, and its measures by the names that they were asked for with.
pub(super) fn write(out: &mut Vec<u8>, resource: &Resource, aggregate: &Aggregate, group: &Group) {
    out.push(b'{');
    let start = out.len();
    for (column, key) in aggregate.group_by.iter().zip(&group.keys) {
        record::write_name(out, start, column.name(resource));
        record::write_value(out, key);
    }
    for (measure, measured) in aggregate.measures.iter().zip(&group.measures) {
        record::write_name(out, start, &measure.name(resource));
        match measured {
            Measured::Nothing => out.extend_from_slice(b"null"),
            Measured::Whole(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Measured::Value(value) => record::write_value(out, value),
        }
    }
    out.push(b'}');
}
