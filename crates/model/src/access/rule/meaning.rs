//! What a rule means: its names found in the declaration, its values read in the kinds of what
//! they are compared with. Every fault at once.

use std::ops::Range;

use serde_json::Value as Json;

use super::name::{Meaning, Subject, find};
use super::parse::{Node, Operator, Part};
use super::{Condition, Fault};
use crate::model::{Kind, Model, ResourceIndex};
use crate::query::term::{self, Term};
use crate::query::{Column, Comparison, Relate};
use crate::suggest::nearest;
use crate::value::Value;

/// Understands a rule; beside it errors and doubts.
pub(super) fn read(
    model: &Model,
    resource: ResourceIndex,
    part: &Part,
) -> (Option<Condition>, Vec<Fault>, Vec<Fault>) {
    let mut reader = Reader { model, resource, errors: Vec::new(), doubts: Vec::new() };
    let condition = reader.condition(part).map(simple);
    if reader.errors.is_empty()
        && let Some(Condition::Constant(truth)) = condition
    {
        let (message, help) = match truth {
            true => ("this holds for every record and every caller", "leave `when` out"),
            false => ("this never holds", "for administrators only write `who = \"admin\"`"),
        };
        reader.doubts.push(Fault::new(&part.span, message, help));
    }
    (condition, reader.errors, reader.doubts)
}

/// The same without what is always or never true in it.
fn simple(condition: Condition) -> Condition {
    match condition {
        Condition::All(parts) => joined(parts, Condition::Constant(false), Condition::All),
        Condition::Any(parts) => joined(parts, Condition::Constant(true), Condition::Any),
        Condition::Not(inner) => match simple(*inner) {
            Condition::Constant(truth) => Condition::Constant(!truth),
            Condition::Not(inner) => *inner,
            other => Condition::Not(Box::new(other)),
        },
        other => other,
    }
}

/// Parts of which one decides alone, and its opposite nothing.
fn joined(
    parts: Vec<Condition>,
    decisive: Condition,
    join: fn(Vec<Condition>) -> Condition,
) -> Condition {
    let mut left = Vec::new();
    for part in parts.into_iter().map(simple) {
        match part {
            part if part == decisive => return decisive,
            Condition::Constant(_) => {}
            part => left.push(part),
        }
    }
    match (left.len(), left.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            left.push(last);
            join(left)
        }
        (_, None) => match decisive {
            Condition::Constant(truth) => Condition::Constant(!truth),
            other => other,
        },
    }
}

struct Reader<'a> {
    model: &'a Model,
    resource: ResourceIndex,
    errors: Vec<Fault>,
    doubts: Vec<Fault>,
}

/// One side of a comparison.
enum Side<'p> {
    Literal(&'p Json),
    List(&'p [Part]),
    Subject(Subject),
}

impl Reader<'_> {
    fn error(&mut self, span: &Range<usize>, message: impl Into<String>, help: &str) {
        self.errors.push(Fault::new(span, message, help));
    }

    fn condition(&mut self, part: &Part) -> Option<Condition> {
        match &part.node {
            Node::Or(parts) => Some(Condition::Any(self.each(parts)?)),
            Node::And(parts) => Some(Condition::All(self.each(parts)?)),
            Node::Not(inner) => self.condition(inner).map(|inner| Condition::Not(Box::new(inner))),
            Node::Compare(left, operator, right) => self.comparison(left, *operator, right),
            Node::Literal(Json::Bool(truth)) => Some(Condition::Constant(*truth)),
            Node::Literal(_) | Node::List(_) => {
                let help = "compare it: record.status == 'draft'";
                self.error(&part.span, "a value alone is no condition", help);
                None
            }
            Node::Path(names) => {
                let subject = self.subject(find(self.model, self.resource, names))?;
                let column = match subject.meaning {
                    Meaning::Plain { kind: Kind::Boolean, .. } => subject.column,
                    _ => None,
                };
                if column.is_none() {
                    let name = &subject.name;
                    let message = format!("`{name}` is {}, no condition", subject.meaning.said());
                    let help = format!("compare it, or write {name} != null where it has to be");
                    self.error(&part.span, message, &help);
                    return None;
                }
                let comparison = Comparison::Equal(Value::Boolean(true));
                Some(Condition::Test { operand: subject.operand, comparison })
            }
        }
    }

    /// Every part, so that the faults of all of them are found.
    fn each(&mut self, parts: &[Part]) -> Option<Vec<Condition>> {
        let read: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        read.into_iter().collect()
    }

    fn subject(&mut self, found: Result<Subject, Fault>) -> Option<Subject> {
        found.map_err(|fault| self.errors.push(fault)).ok()
    }

    fn side<'p>(&mut self, part: &'p Part) -> Option<Side<'p>> {
        match &part.node {
            Node::Literal(value) => Some(Side::Literal(value)),
            Node::List(items) => Some(Side::List(items)),
            Node::Path(names) => {
                let found = find(self.model, self.resource, names);
                self.subject(found).map(Side::Subject)
            }
            Node::Or(_) | Node::And(_) | Node::Not(_) | Node::Compare(..) => {
                let help = "join conditions with && and ||, and take the opposite with !(…)";
                self.error(&part.span, "values are compared, conditions are not", help);
                None
            }
        }
    }

    fn comparison(&mut self, left: &Part, operator: Operator, right: &Part) -> Option<Condition> {
        let span = left.span.start..right.span.end;
        let (one, other) = (self.side(left), self.side(right));
        match (one?, other?) {
            (Side::Subject(subject), Side::List(items)) if operator == Operator::In => {
                self.list(subject, items, &right.span)
            }
            (_, Side::List(_)) | (Side::List(_), _) => {
                let help = "write record.status in ['draft', 'ready']";
                self.error(&span, "a list stands behind `in`, and a name before it", help);
                None
            }
            (_, _) if operator == Operator::In => {
                let help = "write record.status in ['draft', 'ready']; several roles of the \
                            caller are compared with caller.role == 'editor'";
                self.error(&right.span, "behind `in` stands a list of values", help);
                None
            }
            (Side::Subject(subject), Side::Literal(value)) => {
                self.test(subject, operator, value, &left.span, &right.span)
            }
            (Side::Literal(value), Side::Subject(subject)) => {
                self.test(subject, operator.turned(), value, &right.span, &left.span)
            }
            (Side::Subject(one), Side::Subject(other)) => self.relate(one, operator, other, &span),
            (Side::Literal(_), Side::Literal(_)) => {
                let help = "compare a value of the record, of the caller, or now";
                self.error(&span, "this says nothing of record or caller", help);
                None
            }
        }
    }

    fn list(&mut self, subject: Subject, items: &[Part], span: &Range<usize>) -> Option<Condition> {
        if items.is_empty() {
            self.error(span, "nothing is in an empty list", "name the values");
            return None;
        }
        let read: Vec<_> = items
            .iter()
            .map(|item| match &item.node {
                Node::Literal(Json::Null) => {
                    let help = "write `x == null || x in […]`";
                    self.error(&item.span, "null is in no list", help);
                    None
                }
                Node::Literal(value) => {
                    match self.literal(&subject, Operator::Equal, value, &item.span)? {
                        Comparison::Equal(value) => Some(value),
                        _ => None,
                    }
                }
                _ => {
                    let help = "write record.status in ['draft', 'ready']";
                    self.error(&item.span, "a list has values and no names", help);
                    None
                }
            })
            .collect();
        let mut values: Vec<Value> = Vec::new();
        for value in read.into_iter().collect::<Option<Vec<_>>>()? {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Some(Condition::Test { operand: subject.operand, comparison: Comparison::In(values) })
    }

    /// A name compared with a value.
    fn test(
        &mut self,
        subject: Subject,
        operator: Operator,
        value: &Json,
        name: &Range<usize>,
        span: &Range<usize>,
    ) -> Option<Condition> {
        if *value == Json::Null {
            return self.null(subject, operator, name, span);
        }
        let comparison = self.literal(&subject, operator, value, span)?;
        self.moment(&subject, operator, name);
        Some(Condition::Test { operand: subject.operand, comparison })
    }

    fn null(
        &mut self,
        subject: Subject,
        operator: Operator,
        name: &Range<usize>,
        span: &Range<usize>,
    ) -> Option<Condition> {
        let comparison = match operator {
            Operator::Equal => Comparison::Null,
            Operator::NotEqual => Comparison::NotNull,
            _ => {
                let help = "x == null and x != null say whether a value is there";
                self.error(span, "null is neither greater nor less than anything", help);
                return None;
            }
        };
        if subject.is_always_there(self.model) {
            let message = format!("`{}` is always there", subject.name);
            self.doubts.push(Fault::new(name, message, "leave this comparison out"));
            return Some(Condition::Constant(comparison == Comparison::NotNull));
        }
        Some(Condition::Test { operand: subject.operand, comparison })
    }

    /// A value in the kind of what it is compared with.
    fn literal(
        &mut self,
        subject: &Subject,
        operator: Operator,
        value: &Json,
        span: &Range<usize>,
    ) -> Option<Comparison> {
        let name = &subject.name;
        if !self.is_ordered(&subject.meaning, operator, span) {
            return None;
        }
        let (at, column) = match subject.column {
            Some(column) => column,
            None if subject.meaning == Meaning::Role => return self.role(operator, value, span),
            // `now` is written as the moments are that the server keeps.
            None => (self.resource, Column::CreatedAt),
        };
        let resource = &self.model.resources[at];
        let read = term::comparison(resource, column, operator.word(), Term::Json(value));
        let comparison = match read {
            Ok(comparison) => comparison,
            Err(expected) => {
                self.error(span, format!("`{name}` {expected}"), "");
                return None;
            }
        };
        let field = column.field(resource).filter(|field| !field.ignore_case);
        if let Some(field) = field.filter(|_| operator.is_equality())
            && let Some(fault) = field.fault(value)
        {
            let words = field.schema.source().get("enum").and_then(Json::as_array);
            let words = words.into_iter().flatten().filter_map(Json::as_str);
            let near = value.as_str().and_then(|text| nearest(text, words));
            let help = near.map(|near| format!("did you mean '{near}'?")).unwrap_or_default();
            self.error(span, format!("`{name}` is never this: it {fault}"), &help);
            return None;
        }
        Some(comparison)
    }

    fn role(
        &mut self,
        operator: Operator,
        value: &Json,
        span: &Range<usize>,
    ) -> Option<Comparison> {
        let roles = &self.model.roles;
        let known = roles.iter().any(|role| value.as_str() == Some(role));
        if !known {
            let near = value.as_str().and_then(|it| nearest(it, roles.iter().map(String::as_str)));
            let help = match near {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("there are: {}", roles.join(", ")),
            };
            self.error(span, "no caller has this role", &help);
            return None;
        }
        let value = Value::Text(value.as_str()?.to_owned());
        let is_equal = operator == Operator::Equal;
        Some(if is_equal { Comparison::Equal(value) } else { Comparison::NotEqual(value) })
    }

    /// Refuses to order what has no order.
    fn is_ordered(&mut self, meaning: &Meaning, operator: Operator, span: &Range<usize>) -> bool {
        let unordered =
            matches!(meaning, Meaning::Role | Meaning::Plain { kind: Kind::Boolean, .. });
        if operator.is_equality() || !unordered {
            return true;
        }
        let message = format!("{} has no order", meaning.said());
        self.error(span, message, "compare it with == or !=");
        false
    }

    /// Doubts about moments that clients write as they like.
    fn moment(&mut self, subject: &Subject, operator: Operator, span: &Range<usize>) {
        let Some((at, Column::Field(field))) = subject.column else { return };
        let field = &self.model.resources[at].fields[field];
        let is_free = !field.read_only && field.schema.source().get("pattern").is_none();
        if subject.meaning == Meaning::Moment && is_free && !operator.is_equality() {
            let message = format!("`{}` is compared as text, whatever its offset", subject.name);
            let help = format!(
                "add `pattern = \"T[0-9:]{{8}}[.][0-9]{{3}}Z$\"` to `{}`: moments in UTC of one \
                 form are in order",
                field.name
            );
            self.doubts.push(Fault::new(span, message, &help));
        }
    }

    /// A name compared with a name.
    fn relate(
        &mut self,
        one: Subject,
        operator: Operator,
        other: Subject,
        span: &Range<usize>,
    ) -> Option<Condition> {
        if let Some(help) = one.meaning.against(&other.meaning, self.model) {
            let (left, right) = (one.meaning.of(self.model), other.meaning.of(self.model));
            let message = format!("`{}` is {left}, `{}` is {right}", one.name, other.name);
            self.error(span, message, &help);
            return None;
        }
        if one.operand == other.operand {
            self.error(span, "this compares a value with itself", "");
            return None;
        }
        // A role that is compared with text has no order either, on whichever side it stands.
        let meaning = [&one, &other].into_iter().find(|it| it.meaning == Meaning::Role);
        if !self.is_ordered(&meaning.unwrap_or(&one).meaning, operator, span) {
            return None;
        }
        self.moment(&one, operator, span);
        self.moment(&other, operator, span);
        let (left, right) = (one.operand, other.operand);
        let relate = |left, relation, right| Condition::Relate { left, relation, right };
        Some(match operator {
            Operator::Equal => relate(left, Relate::Equal, right),
            Operator::NotEqual => Condition::Not(Box::new(relate(left, Relate::Equal, right))),
            Operator::Less => relate(left, Relate::Less, right),
            Operator::LessOrEqual => relate(left, Relate::LessOrEqual, right),
            Operator::Greater => relate(right, Relate::Less, left),
            Operator::GreaterOrEqual => relate(right, Relate::LessOrEqual, left),
            // Refused before: behind `in` stands a list.
            Operator::In => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, simple};
    use crate::access::rule::Operand;
    use crate::query::Comparison;

    #[test]
    fn what_is_always_or_never_true_vanishes() {
        let open = || Condition::Test { operand: Operand::Role, comparison: Comparison::NotNull };
        let constant = Condition::Constant;
        let not = |inner| Condition::Not(Box::new(inner));
        for (condition, expected) in [
            (Condition::All(vec![constant(true), open()]), open()),
            (Condition::All(vec![constant(false), open()]), constant(false)),
            (Condition::Any(vec![constant(true), open()]), constant(true)),
            (Condition::Any(vec![constant(false), constant(false)]), constant(false)),
            (Condition::All(vec![constant(true), constant(true)]), constant(true)),
            (not(not(open())), open()),
            (not(Condition::Any(vec![constant(true), open()])), constant(false)),
            (Condition::Any(vec![open(), open()]), Condition::Any(vec![open(), open()])),
        ] {
            assert_eq!(simple(condition), expected);
        }
    }
}
