//! The values of a filter on their way into a statement, in the order of its text.

use model::model::{Model, ResourceIndex};
use model::query::{Column, target};
use model::value::Value;
use rusqlite::Statement;

use super::failure::Failure;
use super::session::Session;
use super::value::{Bound, compared};
use crate::sql::is_folded;
use crate::sql::search::expression;
use crate::sql::term::{Leaf, Operands, Term, Test, behind};

/// Binds the values of terms, and returns the next free parameter.
pub(super) fn bind_terms(
    session: &Session,
    resource: ResourceIndex,
    statement: &mut Statement<'_>,
    terms: &[Term<'_>],
) -> Result<usize, Failure> {
    bind_terms_at(session, resource, statement, terms, 1)
}

/// The same behind parameters that are bound already.
pub(super) fn bind_terms_at(
    session: &Session,
    resource: ResourceIndex,
    statement: &mut Statement<'_>,
    terms: &[Term<'_>],
    at: usize,
) -> Result<usize, Failure> {
    let model = &session.catalog.model;
    let mut binder = Binder { statement, model, at };
    for leaf in terms.iter().flat_map(|term| &term.leaves) {
        let table = target(model, resource, &leaf.path.through).unwrap_or(resource);
        binder.leaf(table, leaf)?;
    }
    Ok(binder.at)
}

struct Binder<'s, 'c, 'm> {
    statement: &'s mut Statement<'c>,
    model: &'m Model,
    at: usize,
}

impl Binder<'_, '_, '_> {
    fn leaf(&mut self, table: ResourceIndex, leaf: &Leaf<'_>) -> Result<(), Failure> {
        let by = leaf.path.column;
        match (&leaf.operands, leaf.test) {
            (Operands::None, _) => Ok(()),
            (Operands::One(value), _) => self.value(table, by, value),
            (Operands::Many(values), test) => {
                let Some(last) = values.last() else { return Ok(()) };
                let length = if let Test::In(length) = test { length } else { values.len() };
                // The last one fills the list up.
                (0..length).try_for_each(|at| self.value(table, by, values.get(at).unwrap_or(last)))
            }
            (Operands::Beginning(text), _) => self.beginning(table, by, text),
            (Operands::Search(terms, within), _) => {
                let text = expression(&self.model.resources[table], terms, *within);
                self.statement.raw_bind_parameter(self.at, text)?;
                self.at += 1;
                Ok(())
            }
        }
    }

    fn beginning(&mut self, table: ResourceIndex, by: Column, text: &str) -> Result<(), Failure> {
        let folds = by.field(&self.model.resources[table]).is_some_and(is_folded);
        let text = if folds { model::fold::fold(text) } else { text.to_owned() };
        match behind(&text) {
            Some(end) => {
                self.bind(&Value::Text(text))?;
                self.bind(&Value::Text(end))
            }
            // Every text is less than every blob.
            None => {
                self.bind(&Value::Text(text))?;
                self.statement.raw_bind_parameter(self.at, rusqlite::types::Value::Blob(vec![]))?;
                self.at += 1;
                Ok(())
            }
        }
    }

    fn value(&mut self, table: ResourceIndex, by: Column, value: &Value) -> Result<(), Failure> {
        let folded = compared(&self.model.resources[table], by, value);
        self.bind(folded.as_ref().unwrap_or(value))
    }

    fn bind(&mut self, value: &Value) -> Result<(), Failure> {
        self.statement.raw_bind_parameter(self.at, Bound(value))?;
        self.at += 1;
        Ok(())
    }
}
