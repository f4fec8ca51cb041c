//! Reads as statement text: by id, a page, a number, what a relation leads to.

use model::model::{Model, Resource};
use model::query::{Aggregate, Column, Sort};
use sea_query::{
    Asterisk, Expr, ExprTrait, Func, Order, Query, SelectStatement, SqliteQueryBuilder, UnionType,
};

use super::condition::Scope;
use super::search::{index_table, row_number};
use super::term::{Form, Term};
use super::{FOLD, aggregate, column, quote};

/// What is found, before it is read. No resource begins with an underscore.
const FOUND: &str = "_found";

/// What a statement over a list looks like, without its values: the key of the cache of texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    /// The resource.
    pub(crate) resource: usize,
    /// What is asked.
    pub(crate) ask: Ask,
    /// What has to hold.
    pub(crate) terms: Vec<Form>,
    /// The order, and whether it descends.
    pub(crate) sort: Vec<(Column, bool)>,
}

/// What is asked of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// A page of records; the last two parameters are limit and offset.
    Page,
    /// A page of records by how well they match the search that is the first term, the rank as the
    /// last column; the last three parameters are how many are ranked, limit and offset.
    Ranked,
    /// How many, up to the last parameter.
    CountTo,
    /// How many.
    Count,
    /// Every record that fulfils the terms, in no order.
    Among,
    /// The ids of those records, in no order.
    Ids,
    /// The positions in the change log where a record had fulfilled the terms until then, by what
    /// is kept of it there; the first three parameters are the position behind which is looked,
    /// the last one, and the number of the resource.
    Were,
    /// A page of groups; the last two parameters are limit and offset.
    Groups(Aggregate),
    /// How many groups, up to the last parameter.
    GroupsTo(Vec<Column>),
    /// How many groups.
    AllGroups(Vec<Column>),
}

impl Shape {
    /// The shape of a question about what a filter leaves.
    pub(crate) fn new(resource: usize, ask: Ask, terms: &[Term<'_>], sort: &[Sort]) -> Self {
        Self {
            resource,
            ask,
            terms: terms.iter().map(|term| term.form.clone()).collect(),
            sort: sort.iter().map(|key| (key.column, key.descending)).collect(),
        }
    }

    /// The statement.
    pub(crate) fn text(&self, model: &Model) -> String {
        let resource = &model.resources[self.resource];
        let statement = match &self.ask {
            Ask::Page => self.page(model, resource),
            Ask::Ranked => self.ranked(model, resource),
            Ask::Count if self.apart().is_some() => outer_count(self.numbered(model, resource)),
            Ask::Count => {
                let mut counted = self.counted(model, resource);
                counted.expr(Func::count(Expr::col(Asterisk)));
                counted
            }
            Ask::CountTo => {
                let mut numbered = self.numbered(model, resource);
                numbered.limit(0);
                outer_count(numbered)
            }
            Ask::Among => {
                let mut statement = records(resource);
                self.narrow(model, resource, &mut statement);
                statement
            }
            Ask::Ids => {
                let mut statement = self.counted(model, resource);
                statement.column((resource.name.clone(), "id"));
                statement
            }
            Ask::Were => {
                let mut statement = Query::select();
                statement.column("_position");
                statement.from_subquery(self.kept(resource), resource.name.clone());
                self.narrow(model, resource, &mut statement);
                statement
            }
            Ask::Groups(asked) => {
                let mut groups = aggregate::groups(resource, asked);
                self.narrow(model, resource, &mut groups);
                groups.limit(0).offset(0);
                groups
            }
            Ask::GroupsTo(by) => {
                let mut groups = self.group_rows(model, resource, by);
                groups.limit(0);
                outer_count(groups)
            }
            Ask::AllGroups(by) => outer_count(self.group_rows(model, resource, by)),
        };
        statement.build(SqliteQueryBuilder).0
    }

    fn narrow(&self, model: &Model, resource: &Resource, statement: &mut SelectStatement) {
        let scope = Scope::of(model, resource);
        for form in &self.terms {
            statement.cond_where(scope.condition(form));
        }
    }

    /// What the change log keeps of records, as if it were their table: the columns that the terms
    /// look at. Where one of them was not kept, nothing is known of a record.
    fn kept(&self, resource: &Resource) -> SelectStatement {
        let mut kept = Query::select();
        kept.expr(Expr::cust("\"position\" AS \"_position\", \"id\""));
        kept.from("_methodical_changes");
        kept.and_where(Expr::cust_with_values(
            "\"position\" > ? AND \"position\" <= ? AND \"resource\" = ?",
            [0, 0, 0],
        ));
        kept.and_where(Expr::cust("\"operation\" <> 'insert'"));
        let mut columns = Vec::new();
        self.terms.iter().for_each(|form| form.columns(&mut columns));
        for by in columns.into_iter().filter(|by| *by != Column::Id) {
            let (name, compared) = (plain(resource, by), column(resource, by));
            let place = format!("'$.{}'", quote(&name).replace('\'', "''"));
            let value = format!("json_extract(\"was\", {place})");
            kept.expr(Expr::cust(format!("{value} AS {}", quote(&name))));
            if compared != name {
                kept.expr(Expr::cust(format!("{FOLD}({value}) AS {}", quote(&compared))));
            }
            kept.and_where(Expr::cust(format!("json_type(\"was\", {place}) IS NOT NULL")));
        }
        kept
    }

    /// What each of several lists fulfils.
    fn apart(&self) -> Option<&[Form]> {
        match self.terms.as_slice() {
            [Form::Apart(lists)] => Some(lists),
            _ => None,
        }
    }

    /// Several lists as one, each of them the statement with what it fulfils.
    fn united(
        model: &Model,
        resource: &Resource,
        (lists, how): (&[Form], UnionType),
        statement: &SelectStatement,
    ) -> SelectStatement {
        let scope = Scope::of(model, resource);
        let mut lists = lists.iter().map(|form| {
            let mut list = statement.clone();
            list.cond_where(scope.condition(form));
            list
        });
        let mut united = lists.next().unwrap_or_else(|| statement.clone());
        lists.for_each(|list| {
            united.union(how, list);
        });
        united
    }

    fn page(&self, model: &Model, resource: &Resource) -> SelectStatement {
        if let Some(lists) = self.apart() {
            return self.merged(model, resource, lists);
        }
        let mut statement = records(resource);
        self.narrow(model, resource, &mut statement);
        for (by, order) in self.order(resource) {
            statement.order_by(by, order);
        }
        statement.limit(0).offset(0);
        statement
    }

    fn order(&self, resource: &Resource) -> impl Iterator<Item = (String, Order)> {
        let order = |descending| if descending { Order::Desc } else { Order::Asc };
        self.sort.iter().map(move |(by, descending)| (column(resource, *by), order(*descending)))
    }

    /// A page of several lists: they are merged by what orders them, which is all that is read of
    /// them, and what is in two of them comes once. Then the records of the page are read.
    fn merged(&self, model: &Model, resource: &Resource, lists: &[Form]) -> SelectStatement {
        let mut list = Query::select();
        list.from(resource.name.clone());
        for (by, _) in self.order(resource) {
            list.column(by);
        }
        let mut merged = Self::united(model, resource, (lists, UnionType::Distinct), &list);
        for (by, order) in self.order(resource) {
            merged.order_by(by, order);
        }
        merged.limit(0).offset(0);
        let mut statement = Query::select();
        for name in columns(resource) {
            statement.column((resource.name.clone(), name));
        }
        statement.from_subquery(merged, FOUND);
        // A cross join is never walked the other way round.
        statement.cross_join(resource.name.clone());
        statement.and_where(Expr::col((resource.name.clone(), "id")).eq(Expr::col((FOUND, "id"))));
        for (by, order) in self.order(resource) {
            statement.order_by((FOUND, by), order);
        }
        statement
    }

    /// The index is asked once, and knows how well each of what it finds matches. So that a word
    /// that most records have costs no more than another, only the newest of them are ranked, and
    /// only the records of the page are read.
    fn ranked(&self, model: &Model, resource: &Resource) -> SelectStatement {
        let (table, number) = (quote(&resource.name), row_number(resource));
        let mut best = Query::select();
        best.expr(Expr::cust("\"number\", \"rank\""));
        best.from_subquery(self.candidates(model, resource), "newest");
        best.order_by("rank", Order::Asc).order_by("number", Order::Asc);
        best.limit(0).offset(0);
        let mut statement = Query::select();
        for name in columns(resource) {
            statement.column((resource.name.clone(), name));
        }
        statement.column(("best", "rank"));
        statement.from_subquery(best, "best").inner_join(
            resource.name.clone(),
            Expr::cust(format!("{table}.{number} = \"best\".\"number\"")),
        );
        statement.order_by(("best", "rank"), Order::Asc);
        statement.order_by(("best", "number"), Order::Asc);
        statement
    }

    /// The newest records that match, by number, with how well each does.
    fn candidates(&self, model: &Model, resource: &Resource) -> SelectStatement {
        let quoted = quote(&index_table(resource));
        let mut newest = self.matching(model, resource);
        newest
            .expr(Expr::cust(format!("{quoted}.rowid AS \"number\", bm25({quoted}) AS \"rank\"")));
        newest.order_by_expr(Expr::cust(format!("{quoted}.rowid")), Order::Desc);
        newest.limit(0);
        newest
    }

    /// What fulfils the terms, the first of which is a search: row by row from the index, so that
    /// it can be left early. The table is asked only where there are more terms.
    fn matching(&self, model: &Model, resource: &Resource) -> SelectStatement {
        let (index, number) = (index_table(resource), row_number(resource));
        let (quoted, table) = (quote(&index), quote(&resource.name));
        let mut matching = Query::select();
        matching.from(index);
        if self.terms.len() > 1 {
            matching.inner_join(
                resource.name.clone(),
                Expr::cust(format!("{table}.{number} = {quoted}.rowid")),
            );
        }
        matching.and_where(Expr::cust_with_values(format!("{quoted} MATCH ?"), [""]));
        let scope = Scope::of(model, resource);
        for form in self.terms.iter().skip(1) {
            matching.cond_where(scope.condition(form));
        }
        matching
    }

    /// A row for each record, with nothing in it.
    fn numbered(&self, model: &Model, resource: &Resource) -> SelectStatement {
        if let Some(lists) = self.apart() {
            let mut one = Query::select();
            one.expr(Expr::cust("1")).from(resource.name.clone());
            return Self::united(model, resource, (lists, UnionType::All), &one);
        }
        let mut counted = self.counted(model, resource);
        counted.expr(Expr::cust("1"));
        counted
    }

    /// What is counted, without the columns.
    fn counted(&self, model: &Model, resource: &Resource) -> SelectStatement {
        if self.terms.first().is_some_and(Form::is_search) {
            return self.matching(model, resource);
        }
        let mut counted = Query::select();
        counted.from(resource.name.clone());
        self.narrow(model, resource, &mut counted);
        counted
    }

    fn group_rows(&self, model: &Model, resource: &Resource, by: &[Column]) -> SelectStatement {
        let mut groups = Query::select();
        groups.expr(Expr::cust("1")).from(resource.name.clone());
        self.narrow(model, resource, &mut groups);
        for by in by {
            groups.group_by_col(column(resource, *by));
        }
        groups
    }
}

fn outer_count(counted: SelectStatement) -> SelectStatement {
    let mut outer = Query::select();
    outer.expr(Func::count(Expr::col(Asterisk))).from_subquery(counted, "found");
    outer
}

/// A column as it is kept, not as it is compared: references are never folded.
pub(super) fn plain(resource: &Resource, by: Column) -> String {
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
