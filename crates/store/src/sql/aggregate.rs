//! Aggregates as statement text: keys, then measures. An exact sum takes two columns.

use model::model::{Kind, Resource};
use model::query::{Aggregate, Column, Function, GroupKey, Measure};
use sea_query::{Expr, Order, Query, SelectStatement};

use super::select::plain;
use super::{column, is_folded, quote};

/// The groups of a resource's records, without filter and page.
pub(super) fn groups(resource: &Resource, aggregate: &Aggregate) -> SelectStatement {
    let mut statement = Query::select();
    statement.from(resource.name.clone());
    for by in &aggregate.group_by {
        statement.expr(shown(resource, *by));
        statement.group_by_col(column(resource, *by));
    }
    for measure in &aggregate.measures {
        for text in texts(resource, *measure) {
            statement.expr(Expr::cust(text));
        }
    }
    let order = |descending| if descending { Order::Desc } else { Order::Asc };
    for sort in &aggregate.sort {
        match sort.key {
            GroupKey::Group(at) => {
                statement
                    .order_by(column(resource, aggregate.group_by[at]), order(sort.descending));
            }
            GroupKey::Measure(at) => {
                for text in ordered(resource, aggregate.measures[at]) {
                    statement.order_by_expr(Expr::cust(text), order(sort.descending));
                }
            }
        }
    }
    for (at, by) in aggregate.group_by.iter().enumerate() {
        if !aggregate.sort.iter().any(|sort| sort.key == GroupKey::Group(at)) {
            statement.order_by(column(resource, *by), Order::Asc);
        }
    }
    statement
}

/// Texts that fold alike are one group: of their spellings the first is shown.
fn shown(resource: &Resource, by: Column) -> Expr {
    let name = quote(&plain(resource, by));
    match by.field(resource) {
        Some(field) if is_folded(field) => Expr::cust(format!("min({name})")),
        Some(_) | None => Expr::cust(name),
    }
}

/// True where a measure is an exact sum: of the upper bits, and of the lower 32.
pub(crate) fn is_exact_sum(resource: &Resource, measure: Measure) -> bool {
    let is_integer = measure.column.is_some_and(|by| by.kind(resource) == Kind::Integer);
    measure.function == Function::Sum && is_integer
}

fn texts(resource: &Resource, measure: Measure) -> Vec<String> {
    let Some(by) = measure.column else { return vec!["count(*)".to_owned()] };
    let name = quote(&plain(resource, by));
    if is_exact_sum(resource, measure) {
        // A sum of whole numbers may not fit 64 bits; a sum of halves of them always does.
        return vec![format!("sum({name} >> 32)"), format!("sum({name} & 4294967295)")];
    }
    vec![match measure.function {
        Function::Count if by.kind(resource) == Kind::Json => {
            format!("count(nullif({name}, 'null'))")
        }
        Function::Count => format!("count({name})"),
        Function::Sum => finite(&format!("sum({name})")),
        Function::Avg => finite(&format!("avg({name})")),
        Function::Min => format!("min({name})"),
        Function::Max => format!("max({name})"),
    }]
}

/// A number, or nothing where it is none that is finite: so it is shown, and so it is ordered.
fn finite(number: &str) -> String {
    // In SQL a number that is too large for a double is an infinite one.
    format!("CASE WHEN abs({number}) < 9e999 THEN {number} END")
}

fn ordered(resource: &Resource, measure: Measure) -> Vec<String> {
    match texts(resource, measure).as_slice() {
        // What the lower halves carry over belongs to the upper ones.
        [upper, lower] => {
            vec![format!("{upper} + ({lower} >> 32)"), format!("{lower} & 4294967295")]
        }
        others => others.to_vec(),
    }
}
