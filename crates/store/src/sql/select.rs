//! Reads as statement text: by id, a page, a number, what a relation leads to.

use model::model::Resource;
use model::query::{Column, Filter, Operator, Sort};
use model::value::Value;
use sea_query::{
    Asterisk, Expr, ExprTrait, Func, Order, Query, SelectStatement, SqliteQueryBuilder,
};

use super::column;

/// What a statement over a list looks like, without its values: the key of the cache of texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    /// The resource.
    pub(crate) resource: usize,
    /// What is asked.
    pub(crate) ask: Ask,
    /// The columns that are compared, and whether with null.
    pub(crate) terms: Vec<(Column, bool)>,
    /// The order, and whether it descends.
    pub(crate) sort: Vec<(Column, bool)>,
}

/// What is asked of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// A page of records; the last two parameters are limit and offset.
    Page,
    /// How many, up to the last parameter.
    CountTo,
    /// How many.
    Count,
    /// Those whose column (the one term) is among so many values; the last parameter is a limit.
    Among(usize),
}

/// The comparisons of a filter, in the order in which their values are bound.
pub(crate) fn terms(filter: &Filter) -> Vec<(Column, &Value)> {
    fn gather<'a>(filter: &'a Filter, out: &mut Vec<(Column, &'a Value)>) {
        match filter {
            Filter::All(filters) => filters.iter().for_each(|filter| gather(filter, out)),
            Filter::Compare { column, operator: Operator::Equal, value } => {
                out.push((*column, value));
            }
        }
    }
    let mut out = Vec::new();
    gather(filter, &mut out);
    out
}

impl Shape {
    /// The shape of a question about what a filter leaves.
    pub(crate) fn new(
        resource: usize,
        ask: Ask,
        terms: &[(Column, &Value)],
        sort: &[Sort],
    ) -> Self {
        Self {
            resource,
            ask,
            terms: terms
                .iter()
                .map(|(column, value)| (*column, matches!(value, Value::Null)))
                .collect(),
            sort: sort.iter().map(|key| (key.column, key.descending)).collect(),
        }
    }

    /// The statement.
    pub(crate) fn text(&self, resource: &Resource) -> String {
        let statement = match self.ask {
            Ask::Page => self.page(resource),
            Ask::Count => {
                let mut counted = Query::select();
                counted.expr(Func::count(Expr::col(Asterisk))).from(resource.name.clone());
                self.narrow(resource, &mut counted);
                counted
            }
            Ask::CountTo => {
                let mut counted = Query::select();
                counted.expr(Expr::cust("1")).from(resource.name.clone()).limit(0);
                self.narrow(resource, &mut counted);
                let mut outer = Query::select();
                outer.expr(Func::count(Expr::col(Asterisk))).from_subquery(counted, "found");
                outer
            }
            Ask::Among(number) => self.among(resource, number),
        };
        statement.build(SqliteQueryBuilder).0
    }

    fn narrow(&self, resource: &Resource, statement: &mut SelectStatement) {
        for (by, is_null) in &self.terms {
            let compared = Expr::col(column(resource, *by));
            statement.and_where(if *is_null { compared.is_null() } else { compared.eq(0) });
        }
    }

    fn page(&self, resource: &Resource) -> SelectStatement {
        let mut statement = records(resource);
        self.narrow(resource, &mut statement);
        let order = |descending| if descending { Order::Desc } else { Order::Asc };
        for (by, descending) in &self.sort {
            statement.order_by(column(resource, *by), order(*descending));
        }
        if !self.sort.iter().any(|(by, _)| *by == Column::Id) {
            // In the direction of the key before it, so that one index serves both.
            let descending = self.sort.last().is_some_and(|(_, descending)| *descending);
            statement.order_by("id", order(descending));
        }
        statement.limit(0).offset(0);
        statement
    }

    fn among(&self, resource: &Resource, number: usize) -> SelectStatement {
        let mut statement = records(resource);
        let by = self.terms.first().map_or(Column::Id, |(by, _)| *by);
        let by = plain(resource, by);
        statement.and_where(Expr::col(by.clone()).is_in(vec![0; number]));
        if by != "id" {
            statement.order_by(by, Order::Asc);
        }
        statement.order_by("id", Order::Asc).limit(0);
        statement
    }
}

/// A column as it is kept, not as it is compared: references are never folded.
fn plain(resource: &Resource, by: Column) -> String {
    match by {
        Column::Field(index) => resource.fields[index].name.clone(),
        Column::Id | Column::CreatedAt | Column::UpdatedAt => column(resource, by),
    }
}

/// The columns of a record, in the order in which they are read.
pub(crate) fn columns(resource: &Resource) -> Vec<String> {
    let fields = resource.fields.iter().map(|field| field.name.clone());
    let kept = ["createdAt", "updatedAt", "_birth", "_version"].map(str::to_owned);
    std::iter::once("id".to_owned()).chain(fields).chain(kept).collect()
}

fn records(resource: &Resource) -> SelectStatement {
    let mut statement = Query::select();
    statement.columns(columns(resource)).from(resource.name.clone());
    statement
}

/// One record by its id.
pub(crate) fn key(resource: &Resource) -> String {
    let mut statement = records(resource);
    statement.and_where(Expr::col("id").eq(0));
    statement.build(SqliteQueryBuilder).0
}

/// The largest id that is in use.
pub(crate) fn largest(resource: &Resource) -> String {
    let mut statement = Query::select();
    statement.expr(Func::max(Expr::col("id"))).from(resource.name.clone());
    statement.build(SqliteQueryBuilder).0
}
