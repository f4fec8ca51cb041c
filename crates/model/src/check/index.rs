//! Whether the declared order of lists has an index, and whether the declared groups say something
//! that others do not.

use super::Check;
use super::place::Place;
use crate::complaint::Span;
use crate::index::{self, Ask};
use crate::model::{FieldIndex, Model, Resource};
use crate::query::{Column, Sort};
use crate::source::Written;

/// Warns of orders that no index serves, and of groups that add nothing.
pub(super) fn check(check: &mut Check, model: &Model, places: &[Place<'_>]) {
    for (resource, place) in model.resources.iter().zip(places) {
        order(check, resource, place);
        uniques(check, resource, place);
        indexes(check, resource, place);
    }
}

fn order(check: &mut Check, resource: &Resource, place: &Place<'_>) {
    if resource.index.iter().any(Vec::is_empty) {
        // One that could not be read may be the one that serves it.
        return;
    }
    let span = place.of("sort");
    if !index::is_one_way(resource, &resource.sort) {
        let descending = resource.sort[0].descending;
        let turned: Vec<Sort> =
            resource.sort.iter().map(|key| Sort { descending, ..*key }).collect();
        let mut help = format!("write `sort = {}`", written(resource, &turned));
        if let Some(group) = lacking(resource, &turned) {
            help.push_str(&format!(" and {}", declared(resource, &group)));
        }
        let message = "an index is read in one direction: none can serve this order";
        check.warn(span, message, &help);
    } else if let Some(group) = lacking(resource, &resource.sort) {
        let help = format!("add {}", declared(resource, &group));
        let message = "no index serves this order: every list would sort all records";
        check.warn(span, message, &help);
    }
}

fn lacking(resource: &Resource, sort: &[Sort]) -> Option<Vec<Column>> {
    index::lacking(resource, &Ask { equal: &[], range: &[], order: Some(sort) })
}

/// The line to add, and where.
fn declared(resource: &Resource, group: &[Column]) -> String {
    let line = index::line(resource, group);
    match group {
        [Column::Field(at)] => format!("`{line}` to the field `{}`", resource.fields[*at].name),
        _ => format!("`{line}`"),
    }
}

fn written(resource: &Resource, sort: &[Sort]) -> String {
    let key = |key: &Sort| {
        let sign = if key.descending { "-" } else { "" };
        format!("\"{sign}{}\"", key.column.name(resource))
    };
    format!("[{}]", sort.iter().map(key).collect::<Vec<_>>().join(", "))
}

/// Warns of groups that are unique because fewer of their fields are.
fn uniques(check: &mut Check, resource: &Resource, place: &Place<'_>) {
    for (at, group) in resource.unique.iter().enumerate().filter(|(_, group)| group.len() > 1) {
        let has = |fields: &[FieldIndex]| fields.iter().all(|field| group.contains(field));
        let span = item(place, "unique", at);
        if let Some(field) = group.iter().find(|field| resource.fields[**field].unique) {
            let name = &resource.fields[*field].name;
            let message = format!("`{name}` is unique by itself, and so is every group with it");
            check.warn(span, message, "leave this group out");
            continue;
        }
        let others = resource.unique.iter().enumerate();
        let other = others
            .filter(|(other, fields)| *other != at && fields.len() > 1)
            .find(|(other, fields)| has(fields) && (fields.len() < group.len() || *other < at));
        if let Some((_, fields)) = other {
            let message = format!("{} are unique together already", names(resource, fields));
            let help = "leave this group out; where its order is meant, put it into `index`";
            check.warn(span, message, help);
        }
    }
}

/// Warns of indexes that there are already, or that begin with what no two records share.
fn indexes(check: &mut Check, resource: &Resource, place: &Place<'_>) {
    for (at, group) in resource.index.iter().enumerate().filter(|(_, group)| group.len() > 1) {
        let span = item(place, "index", at);
        let columns = |fields: &[FieldIndex]| -> Vec<Column> {
            fields.iter().copied().map(Column::Field).collect()
        };
        if resource.unique.iter().any(|fields| columns(fields) == *group) {
            let message = "this group is in `unique`, which brings an index";
            check.warn(span, message, "leave it out here");
        } else if let Some(Column::Field(first)) = group.first()
            && let field = &resource.fields[*first]
            && field.unique
            && !(field.optional || field.nullable)
        {
            let message = format!(
                "no two records have the same `{}`: what follows it in an index orders nothing",
                field.name
            );
            check.warn(span, message, "leave this group out");
        }
    }
}

fn names(resource: &Resource, fields: &[FieldIndex]) -> String {
    let name = |field: &FieldIndex| format!("`{}`", resource.fields[*field].name);
    fields.iter().map(name).collect::<Vec<_>>().join(" and ")
}

/// Where a group stands, or else its key.
fn item<'a>(place: &Place<'a>, key: &str, at: usize) -> &'a Span {
    let items = match place.table.get(key).map(|node| &node.written) {
        Some(Written::List(items)) => items.as_slice(),
        _ => &[],
    };
    items.get(at).map_or(place.of(key), |item| &item.span)
}
