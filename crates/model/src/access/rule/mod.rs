//! Conditions over record and caller: `when = "record.author == caller.id"`.
//!
//! The language is a closed subset of CEL, in which everything is true or false: docs/RULES.md. A
//! rule is read (`lex`, `parse`) and understood (`meaning`) once, with the declaration. For one
//! caller at one moment only the record is unknown, and what is left is a filter over records
//! (`residual`).

mod lex;
mod meaning;
mod name;
mod parse;
mod residual;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use crate::model::{Model, ResourceIndex};
use crate::query::{Column, Comparison, Path, Relate};

/// A condition, as it was declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    text: String,
    condition: Condition,
}

/// What is said of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: bytes from the start of the rule.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead; empty where nothing is known.
    pub help: String,
}

/// What became of the text of a rule.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The rule; none where there is an error.
    pub rule: Option<Rule>,
    /// Why it is none.
    pub errors: Vec<Fault>,
    /// What is hardly meant so.
    pub doubts: Vec<Fault>,
}

/// A rule as it is meant: true or false of every record.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Constant(bool),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// A value compares so with what was written.
    Test {
        operand: Operand,
        comparison: Comparison,
    },
    /// Two values compare so; where either is absent they do not.
    Relate {
        left: Operand,
        relation: Relate,
        right: Operand,
    },
}

/// A value that is known when the rule is asked.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    /// Of the record, or of one that it refers to.
    Record(Path),
    /// Of the record that the caller is.
    Caller(Column),
    /// The roles of the caller: a user has one at most, a key any number.
    Role,
    /// The moment of the request.
    Now,
}

impl Fault {
    fn new(span: &Range<usize>, message: impl Into<String>, help: &str) -> Self {
        Self { span: span.clone(), message: message.into(), help: help.to_owned() }
    }
}

impl Rule {
    /// Reads a rule over the records of a resource.
    #[must_use]
    pub fn read(model: &Model, resource: ResourceIndex, text: &str) -> Reading {
        match parse::parse(text) {
            Err(fault) => Reading { rule: None, errors: vec![fault], doubts: Vec::new() },
            Ok(part) => {
                let (condition, errors, doubts) = meaning::read(model, resource, &part);
                let rule = condition.filter(|_| errors.is_empty());
                let text = parse::one_line(text);
                let rule = rule.map(|condition| Self { text, condition });
                Reading { rule, errors, doubts }
            }
        }
    }

    /// In the place of one that could not be read, so that nothing is said of how open it is.
    #[must_use]
    pub(crate) fn unread() -> Self {
        Self { text: String::new(), condition: Condition::Constant(false) }
    }

    /// The values of the record, and of those that it refers to, that it looks at.
    #[must_use]
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.condition.each_operand(&mut |operand| {
            if let Operand::Record(path) = operand {
                paths.push(path);
            }
        });
        paths
    }

    /// True where it looks at the clock.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        let mut is_timed = false;
        self.condition.each_operand(&mut |operand| is_timed |= *operand == Operand::Now);
        is_timed
    }

    /// The columns of the record itself that it looks at, each once: where it looks at a record
    /// that is referred to, the reference.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        self.condition.each_operand(&mut |operand| {
            if let Operand::Record(path) = operand {
                columns.push(path.through.first().map_or(path.column, |it| Column::Field(*it)));
            }
        });
        columns.sort();
        columns.dedup();
        columns
    }
}

impl Condition {
    fn each_operand<'a>(&'a self, visit: &mut impl FnMut(&'a Operand)) {
        match self {
            Self::Constant(_) => {}
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.each_operand(visit);
                }
            }
            Self::Not(inner) => inner.each_operand(visit),
            Self::Test { operand, .. } => visit(operand),
            Self::Relate { left, right, .. } => {
                visit(left);
                visit(right);
            }
        }
    }
}

/// The rule as it was written, on one line.
impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// The columns of its own records that decide who may read them: what has to be remembered of a
/// record that is changed or deleted. The id is never among them, because it stays.
#[must_use]
pub fn watched_columns(model: &Model, resource: ResourceIndex) -> Vec<Column> {
    let declared = &model.resources[resource];
    let Some(who) = declared.access.as_ref().and_then(|access| access.read.as_ref()) else {
        return Vec::new();
    };
    let mut columns = who.when.as_ref().map(Rule::columns).unwrap_or_default();
    if who.names.iter().any(|name| name == "owner") && model.users() != Some(resource) {
        columns.extend(declared.fields.iter().position(|it| it.owner).map(Column::Field));
    }
    columns.retain(|column| *column != Column::Id);
    columns.sort();
    columns.dedup();
    columns
}
