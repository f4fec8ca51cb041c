//! What is left of a rule when everything but the record is known: a filter.

use super::{Condition, Operand, Rule};
use crate::access::Caller;
use crate::model::{Model, ResourceIndex};
use crate::query::{Column, Comparison, Filter, Path, Relate, holds};
use crate::value::{Timestamp, Value};

impl Rule {
    /// Which records fulfil it, for this caller at this moment. Whoever may do everything is
    /// asked for nothing.
    #[must_use]
    pub fn residual(
        &self,
        model: &Model,
        _resource: ResourceIndex,
        caller: &Caller,
        now: Timestamp,
    ) -> Filter {
        if caller.is_admin() {
            return Filter::all();
        }
        Known { model, caller, now }.filter(&self.condition)
    }
}

/// All that is known before a record is.
struct Known<'a> {
    model: &'a Model,
    caller: &'a Caller,
    now: Timestamp,
}

fn constant(truth: bool) -> Filter {
    if truth { Filter::all() } else { Filter::nothing() }
}

impl Known<'_> {
    fn filter(&self, condition: &Condition) -> Filter {
        match condition {
            Condition::Constant(truth) => constant(*truth),
            Condition::All(parts) => {
                parts.iter().fold(Filter::all(), |all, part| all.and(self.filter(part)))
            }
            Condition::Any(parts) => {
                parts.iter().fold(Filter::nothing(), |any, part| any.or(self.filter(part)))
            }
            Condition::Not(inner) => self.filter(inner).negated(),
            Condition::Test { operand: Operand::Record(path), comparison } => {
                Filter::Compare { path: path.clone(), comparison: comparison.clone() }
            }
            Condition::Test { operand, comparison } => constant(self.fits(operand, comparison)),
            Condition::Relate { left, relation, right } => match (left, right) {
                (Operand::Record(left), Operand::Record(right)) => {
                    let (left, right) = (left.clone(), right.clone());
                    Filter::Relate { left, relation: *relation, right }
                }
                (Operand::Record(path), known) => {
                    self.compared(path, known, |value| match relation {
                        Relate::Equal => Comparison::Equal(value),
                        Relate::Less => Comparison::Less(value),
                        Relate::LessOrEqual => Comparison::LessOrEqual(value),
                    })
                }
                (known, Operand::Record(path)) => {
                    self.compared(path, known, |value| match relation {
                        Relate::Equal => Comparison::Equal(value),
                        Relate::Less => Comparison::Greater(value),
                        Relate::LessOrEqual => Comparison::GreaterOrEqual(value),
                    })
                }
                (left, right) => {
                    let (lefts, rights) = (self.values(left), self.values(right));
                    let (folds_left, folds_right) = (self.folds(left), self.folds(right));
                    constant(lefts.iter().any(|left| {
                        rights.iter().any(|right| {
                            let (left, right) = ((left, folds_left), (right, folds_right));
                            holds::relates(left, *relation, right)
                        })
                    }))
                }
            },
        }
    }

    /// The records of which a value compares so with one that is known.
    fn compared(&self, path: &Path, known: &Operand, how: impl Fn(Value) -> Comparison) -> Filter {
        let mut values = self.values(known);
        let comparison = match (values.pop(), known) {
            (None, _) => return Filter::nothing(),
            (Some(last), Operand::Role) if !values.is_empty() => {
                values.push(last);
                Comparison::In(values)
            }
            (Some(value), _) => how(value),
        };
        Filter::Compare { path: path.clone(), comparison }
    }

    /// Whether a value that is known compares so with what was written.
    fn fits(&self, operand: &Operand, comparison: &Comparison) -> bool {
        let values = self.values(operand);
        let folds = self.folds(operand);
        let mut each = values.iter();
        match (operand, comparison) {
            // Of several roles each is the caller's.
            (Operand::Role, Comparison::NotEqual(role)) => !values.contains(role),
            (Operand::Role, _) if !values.is_empty() => {
                each.any(|value| holds::fits(Some(value), comparison, folds))
            }
            (_, _) => holds::fits(each.next(), comparison, folds),
        }
    }

    /// What an operand that is not of the record comes to: nothing where it is absent.
    fn values(&self, operand: &Operand) -> Vec<Value> {
        match operand {
            Operand::Record(_) => Vec::new(),
            Operand::Caller(column) => self.caller.value(*column).into_iter().collect(),
            Operand::Role => match self.caller {
                Caller::Operator | Caller::Nobody => Vec::new(),
                Caller::User { role, .. } => role.iter().cloned().map(Value::Text).collect(),
                Caller::Key { roles, .. } => roles.iter().cloned().map(Value::Text).collect(),
            },
            Operand::Now => vec![Value::Text(self.now.text())],
        }
    }

    /// True where an operand is compared without regard to case.
    fn folds(&self, operand: &Operand) -> bool {
        let Operand::Caller(Column::Field(field)) = operand else { return false };
        let users = self.model.users().map(|users| &self.model.resources[users]);
        users.is_some_and(|users| users.fields[*field].ignore_case)
    }
}
