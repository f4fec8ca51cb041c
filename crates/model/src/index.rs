//! Which indexes a resource has, which list each of them serves, and which one a list lacks.
//!
//! Every index ends with the id, as every order does. So an index on `a` serves the order by `a`,
//! and one on `a` and `b` does not: among records with the same `a` it knows `b` before the id.

use crate::model::{Field, FieldIndex, Kind, Resource};
use crate::query::{Column, Sort};

/// The most compared columns that an index is proposed for: each of them costs every write.
const EQUAL_MAX: usize = 3;

/// A list, as far as an index is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Columns that are compared with one value, or with null.
    pub equal: &'a [Column],
    /// Columns that are compared otherwise: with a bound, a beginning, several values.
    pub range: &'a [Column],
    /// In which order, the id at its end understood; None where there is none to keep: a count.
    pub order: Option<&'a [Sort]>,
}

/// Every group of fields that is unique, by itself or together; the id is not among them.
#[must_use]
pub fn unique_groups(resource: &Resource) -> Vec<Vec<FieldIndex>> {
    let alone = resource.fields.iter().enumerate().filter(|(_, field)| field.unique);
    let mut groups: Vec<Vec<FieldIndex>> = alone.map(|(index, _)| vec![index]).collect();
    for group in &resource.unique {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    groups
}

/// Every group of columns that an index serves and that is not unique.
#[must_use]
pub fn index_groups(resource: &Resource) -> Vec<Vec<Column>> {
    let unique = unique_indexes(resource);
    let alone = resource.fields.iter().enumerate().filter(|(_, field)| is_indexed(field));
    let mut groups: Vec<Vec<Column>> = Vec::new();
    let alone = alone.map(|(index, _)| vec![Column::Field(index)]);
    for group in alone.chain(resource.index.iter().cloned()) {
        if !unique.contains(&group) && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// True where the field brings an index of its own that is not unique. A reference does: the
/// database looks for what refers to a record each time that one is deleted.
#[must_use]
pub fn is_indexed(field: &Field) -> bool {
    field.index || field.references.is_some()
}

/// The group of columns that an index is missing for, as it would be declared. None where one
/// serves the list, or where none can be declared.
#[must_use]
pub fn lacking(resource: &Resource, ask: &Ask<'_>) -> Option<Vec<Column>> {
    let equal: Vec<Column> =
        ask.equal.iter().copied().filter(|column| can_lead(resource, *column)).collect();
    let found = |group: &Vec<FieldIndex>| {
        group.iter().all(|field| ask.equal.contains(&Column::Field(*field)))
    };
    // A comparison that leaves one record needs no other, whatever it is sorted by.
    if ask.equal.contains(&Column::Id) || unique_groups(resource).iter().any(found) {
        return None;
    }
    let run = ask.order.map(|sort| run(resource, sort, &equal)).unwrap_or_default();
    let range = ask.range.iter().copied().find(|column| can_lead(resource, *column));
    let range = range.filter(|column| !equal.contains(column));
    let by_order = || proposed(resource, &equal, &run, ask.order.map_or(End::Any, |_| End::Here));
    let by_range = || range.and_then(|by| proposed(resource, &equal, &[by], End::Any));
    // The order comes first: records in order need not all be found before the first is shown.
    // Where that is served and still too slow, few of those that are passed over match.
    let first = if run.is_empty() && range.is_some() { None } else { by_order() };
    first.or_else(by_range)
}

/// What to declare so that an index serves the list, and where, as a text such as
/// `index = true` for orders.quantity. None where one serves it, or where none can be declared.
#[must_use]
pub fn advice(resource: &Resource, ask: &Ask<'_>) -> Option<String> {
    let group = lacking(resource, ask)?;
    let (name, line) = (&resource.name, line(resource, &group));
    Some(match group.as_slice() {
        [Column::Field(field)] => format!("`{line}` for {name}.{}", resource.fields[*field].name),
        _ => format!("`{line}` in [resources.{name}]"),
    })
}

/// True where one pass over an index can give this order: all of it in one direction.
#[must_use]
pub fn is_one_way(resource: &Resource, sort: &[Sort]) -> bool {
    let keys = telling(resource, sort);
    keys.windows(2).all(|pair| pair[0].descending == pair[1].descending)
}

/// The line that declares an index for these columns: `index = true` in a field, or `index` of the
/// resource with the groups that it has already.
#[must_use]
pub fn line(resource: &Resource, group: &[Column]) -> String {
    if let [Column::Field(_)] = group {
        return "index = true".to_owned();
    }
    let written = |group: &[Column]| {
        let names = group.iter().map(|column| format!("{:?}", column.name(resource)));
        format!("[{}]", names.collect::<Vec<_>>().join(", "))
    };
    let groups = resource.index.iter().map(Vec::as_slice).chain([group]);
    format!("index = [{}]", groups.map(written).collect::<Vec<_>>().join(", "))
}

/// What may follow the columns of an index that are wanted.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Nothing but the id.
    Here,
    /// Anything.
    Any,
}

/// The group for an index, unless there is one.
fn proposed(
    resource: &Resource,
    equal: &[Column],
    then: &[Column],
    end: End,
) -> Option<Vec<Column>> {
    let most = equal.len().min(EQUAL_MAX);
    let group: Vec<Column> = equal[..most].iter().chain(then).copied().collect();
    let is_distinct = then.last().is_some_and(|column| is_distinct(resource, *column));
    let serves = |index: &Vec<Column>| {
        let compared = index.iter().take_while(|column| equal.contains(column)).count();
        let rest = &index[compared..];
        compared >= most
            && rest.starts_with(then)
            && (rest.len() == then.len() || is_distinct || end == End::Any)
    };
    let indexes = unique_indexes(resource).into_iter().chain(index_groups(resource));
    (!group.is_empty() && !indexes.into_iter().any(|index| serves(&index))).then_some(group)
}

/// The columns that an index must have for an order among records that are equal in these.
fn run(resource: &Resource, sort: &[Sort], equal: &[Column]) -> Vec<Column> {
    let keys = telling(resource, sort);
    let mut keys = keys.iter().filter(|key| !equal.contains(&key.column)).peekable();
    let direction = keys.peek().map(|key| key.descending);
    keys.take_while(|key| Some(key.descending) == direction)
        .map(|key| key.column)
        .take_while(|column| can_lead(resource, *column))
        .collect()
}

/// The keys of an order up to the first that no two records share.
fn telling<'a>(resource: &Resource, sort: &'a [Sort]) -> &'a [Sort] {
    let last = sort.iter().position(|key| is_distinct(resource, key.column));
    last.map_or(sort, |last| &sort[..=last])
}

/// True where no two records share a value.
fn is_distinct(resource: &Resource, column: Column) -> bool {
    match column {
        Column::Id => true,
        Column::CreatedAt | Column::UpdatedAt => false,
        Column::Field(index) => {
            let field = &resource.fields[index];
            field.unique && !field.optional && !field.nullable
        }
    }
}

/// True where an index can be declared that has this column.
fn can_lead(resource: &Resource, column: Column) -> bool {
    match column {
        Column::Id => false,
        Column::CreatedAt | Column::UpdatedAt => true,
        Column::Field(index) => {
            let field = &resource.fields[index];
            field.visible() && (field.kind != Kind::Json || field.references.is_some())
        }
    }
}

fn unique_indexes(resource: &Resource) -> Vec<Vec<Column>> {
    let columns = |group: Vec<FieldIndex>| group.into_iter().map(Column::Field).collect();
    unique_groups(resource).into_iter().map(columns).collect()
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
