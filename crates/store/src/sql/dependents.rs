//! Who refers to a record, as statement text.

use model::model::{FieldIndex, Resource};
use sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SelectStatement, SqliteQueryBuilder};

/// The ids of those that refer by this field to one of so many; the last parameter is a limit.
pub(crate) fn referrers(resource: &Resource, field: FieldIndex, among: usize) -> String {
    let mut statement = referring(resource, field, among);
    statement.column("id");
    statement.build(SqliteQueryBuilder).0
}

/// How many refer by this field to one of so many, up to the last parameter. Where a resource
/// refers to itself, what a record says of itself does not count: it would be gone.
pub(crate) fn restrictions(
    resource: &Resource,
    field: FieldIndex,
    among: usize,
    own: Own,
) -> String {
    let mut found = referring(resource, field, among);
    found.expr(Expr::cust("1"));
    if own == Own::Passed {
        let name = resource.fields[field].name.clone();
        found.and_where(Expr::col("id").ne(Expr::col(name)));
    }
    let mut statement = Query::select();
    statement.expr(Func::count(Expr::col(Asterisk))).from_subquery(found, "found");
    statement.build(SqliteQueryBuilder).0
}

/// Whether records are passed over that refer to themselves.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Own {
    /// They are.
    Passed,
    /// There are none: the reference leads to another resource.
    None,
}

fn referring(resource: &Resource, field: FieldIndex, among: usize) -> SelectStatement {
    let mut statement = Query::select();
    let by = Expr::col(resource.fields[field].name.clone());
    statement.from(resource.name.clone()).and_where(by.is_in(vec![0; among])).limit(0);
    statement
}
