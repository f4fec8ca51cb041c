//! Writes of records as statement text.

use model::model::Resource;
use sea_query::{Expr, ExprTrait, Query, SqliteQueryBuilder};

use super::{fold_column, folded, select};
use crate::fault::{Fault, on};

/// A new record: the columns of a read, in their order, then the folded ones.
pub(crate) fn insert(resource: &Resource) -> String {
    let mut columns = select::columns(resource);
    columns.extend(folded(resource).map(|(_, field)| fold_column(field)));
    let values: Vec<Expr> = columns.iter().map(|_| Expr::value(0)).collect();
    let mut statement = Query::insert();
    statement.into_table(resource.name.clone()).columns(columns);
    statement.values_panic(values);
    statement.build(SqliteQueryBuilder).0
}

/// The next version of a record: declared fields, `updatedAt`, the counter, the folded columns;
/// then id, birth and counter as they were decided on.
pub(crate) fn update(resource: &Resource) -> String {
    let mut statement = Query::update();
    statement.table(resource.name.clone());
    for field in &resource.fields {
        statement.value(field.name.clone(), 0);
    }
    statement.value("updatedAt", 0).value("_version", 0);
    for (_, field) in folded(resource) {
        statement.value(fold_column(field), 0);
    }
    statement.and_where(Expr::col("id").eq(0));
    if !on(Fault::No412Repeat) {
        statement.and_where(Expr::col("_birth").eq(0)).and_where(Expr::col("_version").eq(0));
    }
    statement.build(SqliteQueryBuilder).0
}

/// A record removed, by id, birth and counter as they were decided on.
pub(crate) fn delete(resource: &Resource) -> String {
    let mut statement = Query::delete();
    statement.from_table(resource.name.clone()).and_where(Expr::col("id").eq(0));
    if !on(Fault::No412Repeat) {
        statement.and_where(Expr::col("_birth").eq(0)).and_where(Expr::col("_version").eq(0));
    }
    statement.build(SqliteQueryBuilder).0
}
