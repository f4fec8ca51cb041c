//! Comparisons as conditions of a statement, without their values.

use model::index;
use model::model::{FieldIndex, Kind, Model, Resource};
use model::query::{Column, Comparison, Filter, Path};
use model::search::Terms;
use model::value::Value;
use sea_query::{Expr, ExprTrait, Query, SelectStatement};

use super::search::{expression, index_table, row_number};
use super::select::plain;
use super::{column, quote};

/// A comparison that is part of a statement, with its values to be bound.
pub(crate) struct Term<'a> {
    /// What is compared.
    pub(crate) path: Path,
    /// With which parameters, in their order.
    pub(crate) operands: Operands<'a>,
    test: Test,
}

/// The values of a comparison.
pub(crate) enum Operands<'a> {
    /// None.
    None,
    /// One.
    One(&'a Value),
    /// As many as the list is long once it is filled up.
    Many(&'a [Value]),
    /// The texts from this one on, up to the first that no longer begins so, if there is one.
    Beginning(&'a str),
    /// What the index of searched text is asked.
    Expression(String),
}

/// How a value is compared, without what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    Equal,
    NotEqual,
    /// Is among so many.
    In(usize),
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    /// Is at least one parameter and less than the next.
    Within,
    Null,
    NotNull,
    /// The record's searched text matches.
    Matches,
}

impl<'a> Term<'a> {
    /// The term of a search.
    fn search(terms: &Terms) -> Self {
        let operands = Operands::Expression(expression(terms));
        Self { path: Column::Id.into(), operands, test: Test::Matches }
    }

    /// The term of a comparison.
    pub(crate) fn new(path: Path, comparison: &'a Comparison) -> Self {
        let (test, operands) = match comparison {
            Comparison::Equal(Value::Null) | Comparison::Null => (Test::Null, Operands::None),
            Comparison::NotEqual(Value::Null) | Comparison::NotNull => {
                (Test::NotNull, Operands::None)
            }
            Comparison::Equal(value) => (Test::Equal, Operands::One(value)),
            Comparison::NotEqual(value) => (Test::NotEqual, Operands::One(value)),
            // Lists of a few lengths only, so that few statements are prepared.
            Comparison::In(values) => {
                (Test::In(values.len().next_power_of_two()), Operands::Many(values))
            }
            Comparison::Greater(value) => (Test::Greater, Operands::One(value)),
            Comparison::GreaterOrEqual(value) => (Test::GreaterOrEqual, Operands::One(value)),
            Comparison::Less(value) => (Test::Less, Operands::One(value)),
            Comparison::LessOrEqual(value) => (Test::LessOrEqual, Operands::One(value)),
            Comparison::Prefix(text) => (Test::Within, Operands::Beginning(text)),
        };
        Self { path, operands, test }
    }

    /// How it is compared.
    pub(crate) fn test(&self) -> Test {
        self.test
    }
}

/// The terms of a filter, in the order in which their values are bound.
pub(crate) fn terms(filter: &Filter) -> Vec<Term<'_>> {
    let search = filter.search().map(Term::search);
    let comparisons = filter.comparisons().into_iter();
    let comparisons = comparisons.map(|(path, it)| Term::new(path.clone(), it));
    search.into_iter().chain(comparisons).collect()
}

/// Where the columns of a condition stand.
pub(super) struct Scope<'a> {
    model: &'a Model,
    resource: &'a Resource,
    /// The table, or its alias in a subquery.
    name: String,
    depth: usize,
}

impl<'a> Scope<'a> {
    pub(super) fn of(model: &'a Model, resource: &'a Resource) -> Self {
        Self { model, resource, name: resource.name.clone(), depth: 0 }
    }

    fn column(&self, name: String) -> Expr {
        Expr::col((self.name.clone(), name))
    }

    /// The condition that a value fulfils to which references lead.
    pub(super) fn condition(&self, through: &[FieldIndex], by: Column, test: &Test) -> Expr {
        let Some((field, rest)) = through.split_first() else { return self.compare(by, test) };
        let Some(to) = self.resource.fields[*field].references else { return Expr::cust("0") };
        let inner = Scope {
            model: self.model,
            resource: &self.model.resources[to.resource],
            // No resource begins with an underscore, so that no alias hides a table.
            name: format!("_{}", self.depth + 1),
            depth: self.depth + 1,
        };
        let reference = self.column(self.resource.fields[*field].name.clone());
        match test {
            // What is absent is not equal: it is what is left when those that are have gone.
            Test::NotEqual => inner.exists(reference, rest, by, &Test::Equal).not(),
            Test::Null => inner.exists(reference, rest, by, &Test::NotNull).not(),
            Test::Equal
            | Test::In(_)
            | Test::Greater
            | Test::GreaterOrEqual
            | Test::Less
            | Test::LessOrEqual
            | Test::Within
            | Test::Matches
            | Test::NotNull => {
                // An index there leads to few records, from which this table's own index on the
                // reference leads here; without one, looking at each record's own is cheaper.
                if inner.is_led(rest, by) && *test != Test::NotNull {
                    let mut found = inner.select(rest, by, test);
                    found.column((inner.name.clone(), "id"));
                    reference.in_subquery(found)
                } else {
                    inner.exists(reference, rest, by, test)
                }
            }
        }
    }

    fn exists(&self, reference: Expr, rest: &[FieldIndex], by: Column, test: &Test) -> Expr {
        let mut found = self.select(rest, by, test);
        found.expr(Expr::cust("1")).and_where(self.column("id".to_owned()).eq(reference));
        Expr::exists(found)
    }

    fn select(&self, rest: &[FieldIndex], by: Column, test: &Test) -> SelectStatement {
        let mut found = Query::select();
        found.from_as(self.resource.name.clone(), self.name.clone());
        found.and_where(self.condition(rest, by, test));
        found
    }

    /// True where an index leads to the records of a value.
    fn is_led(&self, rest: &[FieldIndex], by: Column) -> bool {
        let mut end = self.resource;
        for field in rest {
            let Some(to) = end.fields[*field].references else { return false };
            end = &self.model.resources[to.resource];
        }
        leads(end, by)
    }

    fn compare(&self, by: Column, test: &Test) -> Expr {
        let name = column(self.resource, by);
        let compared = self.column(name);
        if let (Test::Null | Test::NotNull, Kind::Json) = (test, by.kind(self.resource)) {
            // A JSON null that is not the field's own is kept as text.
            let name = format!("{}.{}", quote(&self.name), quote(&plain(self.resource, by)));
            let negated = if *test == Test::NotNull { " NOT" } else { "" };
            return Expr::cust(format!("nullif({name}, 'null') IS{negated} NULL"));
        }
        match test {
            Test::Equal => compared.eq(0),
            Test::NotEqual => compared.is_not(0),
            Test::In(number) => compared.is_in(vec![0; *number]),
            Test::Greater => compared.gt(0),
            Test::GreaterOrEqual => compared.gte(0),
            Test::Less => compared.lt(0),
            Test::LessOrEqual => compared.lte(0),
            Test::Within => compared.clone().gte(0).and(compared.lt(0)),
            Test::Matches => {
                let index = quote(&index_table(self.resource));
                let number = format!("{}.{}", quote(&self.name), row_number(self.resource));
                let text = format!("{number} IN (SELECT rowid FROM {index} WHERE {index} MATCH ?)");
                Expr::cust_with_values(text, [""])
            }
            Test::Null => compared.is_null(),
            Test::NotNull => compared.is_not_null(),
        }
    }
}

/// True where an index begins with the column.
fn leads(resource: &Resource, column: Column) -> bool {
    match column {
        Column::Id => true,
        Column::CreatedAt | Column::UpdatedAt | Column::Field(_) => {
            let unique = index::unique_groups(resource);
            let is_unique = unique
                .iter()
                .any(|group| group.first().copied().map(Column::Field) == Some(column));
            is_unique
                || index::index_groups(resource).iter().any(|group| group.first() == Some(&column))
        }
    }
}

/// The first text that is greater than every text with this beginning, in the order of code
/// points. None where there is none: after U+10FFFF nothing comes.
pub(crate) fn behind(beginning: &str) -> Option<String> {
    let mut characters: Vec<char> = beginning.chars().collect();
    while let Some(last) = characters.pop() {
        // Between U+D7FF and U+E000 lie the surrogates, which are no characters.
        let next =
            if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn behind_a_beginning_comes_the_next_character() {
        assert_eq!(behind("ab").as_deref(), Some("ac"));
        assert_eq!(behind("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(behind("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(behind("\u{10ffff}"), None);
        assert_eq!(behind(""), None);
    }
}
