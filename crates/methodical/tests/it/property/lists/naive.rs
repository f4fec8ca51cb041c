//! The naive evaluation: every record is looked at, every time, by the rules as they are written
//! down. Of the product it uses the case fold, which Unicode defines, and nothing else.

use std::cmp::Ordering;

use model::fold::fold;
use serde_json::Value;

use super::ask::{Ask, Filter, Operand, Sort};
use super::schema::Kind;
use super::world::{Doc, World};

/// A member that has a value: null is none.
pub(super) fn present<'a>(doc: &'a Doc, name: &str) -> Option<&'a Value> {
    doc.get(name).filter(|value| !value.is_null())
}

/// The order of two values of one kind.
pub(super) fn compare(kind: Kind, one: &Value, two: &Value) -> Ordering {
    match (kind, one, two) {
        (Kind::Folded, Value::String(one), Value::String(two)) => fold(one).cmp(&fold(two)),
        (_, Value::String(one), Value::String(two)) => one.chars().cmp(two.chars()),
        (_, Value::Bool(one), Value::Bool(two)) => one.cmp(two),
        (Kind::Number, Value::Number(one), Value::Number(two)) => {
            let (one, two) = (one.as_f64().expect("a number"), two.as_f64().expect("a number"));
            one.partial_cmp(&two).expect("neither is NaN")
        }
        (_, Value::Number(one), Value::Number(two)) => {
            let whole = |number: &serde_json::Number| number.as_i64().expect("a whole number");
            whole(one).cmp(&whole(two))
        }
        _ => panic!("{kind:?} compares {one} with {two}"),
    }
}

/// The order of two values of which one or both may be missing: nothing comes first.
pub(super) fn ordered(kind: Kind, one: Option<&Value>, two: Option<&Value>) -> Ordering {
    match (one, two) {
        (Some(one), Some(two)) => compare(kind, one, two),
        (one, two) => one.is_some().cmp(&two.is_some()),
    }
}

impl World {
    /// The record that an id names.
    pub(super) fn named(&self, resource: usize, id: &Value) -> Option<&Doc> {
        self.all(resource).iter().find(|doc| doc["id"] == *id)
    }

    /// The value at the end of a path, with its kind.
    fn led(&self, at: usize, doc: &Doc, filter: &Filter) -> (Kind, Option<Value>) {
        let (mut at, mut doc) = (at, Some(doc));
        for step in &filter.through {
            let kind = self.resource(at).column(step).kind;
            let Kind::Reference(to) = kind else { panic!("{step} is no reference") };
            let id = doc.and_then(|doc| present(doc, step));
            doc = id.map(|id| self.named(to, id).expect("references lead somewhere"));
            at = to;
        }
        let column = self.resource(at).column(&filter.column);
        (column.kind, doc.and_then(|doc| present(doc, &filter.column)).cloned())
    }

    fn holds(&self, at: usize, doc: &Doc, filter: &Filter) -> bool {
        let (kind, value) = self.led(at, doc, filter);
        let value = value.as_ref();
        let is = |wanted: &[Ordering], operand: &Value| {
            value.is_some_and(|value| wanted.contains(&compare(kind, value, operand)))
        };
        let less = Ordering::Less;
        match (filter.operator, &filter.operand) {
            ("null", Operand::Flag(wanted)) => value.is_none() == *wanted,
            ("in", Operand::Many(operands)) => {
                operands.iter().any(|operand| is(&[Ordering::Equal], operand))
            }
            ("eq", Operand::One(operand)) => is(&[Ordering::Equal], operand),
            ("ne", Operand::One(operand)) => !is(&[Ordering::Equal], operand),
            ("gt", Operand::One(operand)) => is(&[Ordering::Greater], operand),
            ("gte", Operand::One(operand)) => is(&[Ordering::Greater, Ordering::Equal], operand),
            ("lt", Operand::One(operand)) => is(&[less], operand),
            ("lte", Operand::One(operand)) => is(&[less, Ordering::Equal], operand),
            ("prefix", Operand::One(operand)) => {
                let beginning = operand.as_str().expect("a text");
                let text = value.map(|value| value.as_str().expect("a text"));
                text.is_some_and(|text| match kind {
                    Kind::Folded => fold(text).starts_with(&fold(beginning)),
                    _ => text.starts_with(beginning),
                })
            }
            (operator, operand) => panic!("{operator} {operand:?}"),
        }
    }

    /// The records that a filter leaves, in no order.
    pub(super) fn matching(&self, ask: &Ask) -> Vec<&Doc> {
        let docs = self.all(ask.resource).iter();
        docs.filter(|doc| ask.filters.iter().all(|filter| self.holds(ask.resource, doc, filter)))
            .collect()
    }

    /// The records that a filter leaves, in order.
    pub(super) fn list(&self, ask: &Ask) -> Vec<&Doc> {
        let mut docs = self.matching(ask);
        self.sort(ask.resource, &ask.sort, &mut docs);
        docs
    }

    /// Puts records in order; the id breaks ties, in the direction of the last key.
    pub(super) fn sort(&self, at: usize, keys: &[Sort], docs: &mut [&Doc]) {
        let last = keys.last().is_some_and(|(_, descends)| *descends);
        let id = [("id".to_owned(), last)];
        let order = |one: &&Doc, two: &&Doc| {
            let mut ordering = Ordering::Equal;
            for (name, descends) in keys.iter().chain(&id) {
                let kind = self.resource(at).column(name).kind;
                let by = ordered(kind, present(one, name), present(two, name));
                ordering = ordering.then(if *descends { by.reverse() } else { by });
            }
            ordering
        };
        docs.sort_by(order);
    }

    /// The records of `resource` that refer to a record by a field, by id.
    pub(super) fn referrers(&self, resource: usize, field: &str, to: &Doc) -> Vec<&Doc> {
        let refers = |doc: &&Doc| present(doc, field) == Some(&to["id"]);
        let mut docs: Vec<&Doc> = self.all(resource).iter().filter(refers).collect();
        self.sort(resource, &[], &mut docs);
        docs
    }
}
