//! Forms as conditions of a statement, without their values.

use model::index;
use model::model::{FieldIndex, Kind, Model, Resource, ResourceIndex};
use model::query::{Column, Path, Relate};
use sea_query::{Cond, Condition, Expr, ExprTrait, Query, SelectStatement};

use super::search::{index_table, row_number};
use super::select::plain;
use super::term::{Form, Test};
use super::{column, quote};

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

    /// The condition that a record fulfils.
    pub(super) fn condition(&self, form: &Form) -> Condition {
        let parts = |mut all: Condition, forms: &[Form]| {
            for form in forms {
                all = all.add(self.condition(form));
            }
            all
        };
        match form {
            Form::All(forms) if forms.is_empty() => Cond::all().add(Expr::cust("1")),
            Form::Any(forms) if forms.is_empty() => Cond::all().add(Expr::cust("0")),
            Form::All(forms) => parts(Cond::all(), forms),
            Form::Any(forms) | Form::Apart(forms) => parts(Cond::any(), forms),
            Form::Compare(path, test) => {
                Cond::all().add(self.led(&path.through, path.column, test))
            }
            // What is not known to be true is false: nothing falls between.
            Form::Unless(path, test) => {
                let compared = self.led(&path.through, path.column, test);
                Cond::all().add(Expr::cust_with_exprs("(?) IS NOT TRUE", [compared]))
            }
            Form::Relate(left, relation, right) => {
                Cond::all().add(Expr::cust(self.related(left, *relation, right)))
            }
            Form::Unrelate(left, relation, right) => {
                let related = self.related(left, *relation, right);
                Cond::all().add(Expr::cust(format!("({related}) IS NOT TRUE")))
            }
        }
    }

    fn related(&self, left: &Path, relation: Relate, right: &Path) -> String {
        let sign = match relation {
            Relate::Equal => "=",
            Relate::Less => "<",
            Relate::LessOrEqual => "<=",
        };
        let value = |path: &Path| self.value(&path.through, path.column);
        format!("{} {sign} {}", value(left), value(right))
    }

    /// A value to which references lead, as it is compared; NULL where they lead nowhere.
    fn value(&self, through: &[FieldIndex], by: Column) -> String {
        let Some((field, rest)) = through.split_first() else {
            return format!("{}.{}", quote(&self.name), quote(&column(self.resource, by)));
        };
        let declared = &self.resource.fields[*field];
        let Some(to) = declared.references else { return "NULL".to_owned() };
        let inner = self.inner(to.resource);
        format!(
            "(SELECT {} FROM {} AS {alias} WHERE {alias}.\"id\" = {}.{})",
            inner.value(rest, by),
            quote(&inner.resource.name),
            quote(&self.name),
            quote(&declared.name),
            alias = quote(&inner.name),
        )
    }

    /// The columns of what a reference leads to.
    fn inner(&self, resource: ResourceIndex) -> Scope<'a> {
        Scope {
            model: self.model,
            resource: &self.model.resources[resource],
            // No resource begins with an underscore, so that no alias hides a table.
            name: format!("_{}", self.depth + 1),
            depth: self.depth + 1,
        }
    }

    /// The condition that a value fulfils to which references lead.
    fn led(&self, through: &[FieldIndex], by: Column, test: &Test) -> Expr {
        let Some((field, rest)) = through.split_first() else { return self.compare(by, test) };
        let Some(to) = self.resource.fields[*field].references else { return Expr::cust("0") };
        let inner = self.inner(to.resource);
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
        found.and_where(self.led(rest, by, test));
        found
    }

    /// True where an index leads to the records of a value.
    fn is_led(&self, rest: &[FieldIndex], by: Column) -> bool {
        self.end(rest).is_some_and(|end| leads(end, by))
    }

    /// The resource to which references lead.
    fn end(&self, through: &[FieldIndex]) -> Option<&'a Resource> {
        let model = self.model;
        through.iter().try_fold(self.resource, |at, field| {
            Some(&model.resources[at.fields.get(*field)?.references?.resource])
        })
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
pub(super) fn leads(resource: &Resource, column: Column) -> bool {
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
