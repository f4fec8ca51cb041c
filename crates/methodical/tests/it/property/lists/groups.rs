//! Groups of records, by the naive evaluation.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::ask::{Aggregate, Ask, measure_name};
use super::hold::{Held, equal};
use super::naive::{compare, ordered, present};
use super::schema::{Column, Kind};
use super::world::{Doc, World};
use crate::support::answer::Answer;

/// What a measure comes to.
#[derive(Clone, Debug)]
enum Measured {
    Nothing,
    /// An exact number.
    Whole(i128),
    /// A number of the machine, and how far off it may be. Infinite where a sum on the way may be.
    Near(f64, f64),
    /// A value that stands in a record.
    Value(Kind, Value),
}

/// A group: what its records have in common, and what they come to.
struct Group {
    keys: Vec<Option<Value>>,
    measured: Vec<Measured>,
}

/// A group as it was shown.
type Shown = HashMap<String, Box<RawValue>>;

impl World {
    /// A page of groups.
    pub(super) fn hold_groups(&self, ask: &Ask, asked: &Aggregate, answer: &Answer) -> Held {
        equal("the status", &answer.status, &200)?;
        let list = answer.json();
        let text = answer.text();
        let raw: HashMap<&str, &RawValue> =
            serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let shown: Vec<Shown> =
            serde_json::from_str(raw["groups"].get()).map_err(|error| error.to_string())?;
        let mut groups = self.groups(ask, asked);
        let limit = ask.limit(self);
        let start = (ask.page() - 1) * limit;
        let end = (start + limit).min(groups.len());
        if asked.is_nearly_ordered() {
            hold_any_order(asked, &groups, &shown)?;
        } else {
            sort(asked, &mut groups);
            let page = groups.get(start..end).unwrap_or_default();
            equal("the number of groups", &shown.len(), &page.len())?;
            for (group, shown) in page.iter().zip(&shown) {
                hold(asked, group, shown)?;
            }
        }
        let names: Vec<String> = asked.group_by.iter().map(|column| column.name.clone()).collect();
        let names: Vec<String> =
            names.into_iter().chain(asked.measures.iter().map(measure_name)).collect();
        for group in list["groups"].as_array().ok_or("no groups")? {
            let is: Vec<String> = group.as_object().ok_or("no group")?.keys().cloned().collect();
            equal("the members of a group", &is, &names)?;
        }
        self.hold_total(ask, groups.len(), &list)?;
        self.hold_frame(ask, "groups", &list)?;
        let farthest = self.schema.limits.offset;
        let has_next = end < groups.len() && start < groups.len() && start + limit <= farthest;
        equal("next", &list.get("next").is_some(), &has_next)
    }

    fn groups(&self, ask: &Ask, asked: &Aggregate) -> Vec<Group> {
        let mut parts: Vec<(Vec<Option<Value>>, Vec<&Doc>)> = Vec::new();
        for doc in self.matching(ask) {
            let keys: Vec<Option<Value>> =
                asked.group_by.iter().map(|by| present(doc, &by.name).cloned()).collect();
            let is_same = |other: &Vec<Option<Value>>| {
                let same = |(by, (one, two)): (&Column, (&Option<Value>, &Option<Value>))| {
                    ordered(by.kind, one.as_ref(), two.as_ref()).is_eq()
                };
                asked.group_by.iter().zip(keys.iter().zip(other)).all(same)
            };
            match parts.iter_mut().find(|(other, _)| is_same(other)) {
                Some((other, docs)) => {
                    docs.push(doc);
                    // Of several spellings the least is shown.
                    for (known, own) in other.iter_mut().zip(keys) {
                        if let (Some(Value::String(one)), Some(Value::String(two))) = (&known, &own)
                            && two.chars().lt(one.chars())
                        {
                            *known = own;
                        }
                    }
                }
                None => parts.push((keys, vec![doc])),
            }
        }
        if parts.is_empty() && asked.group_by.is_empty() {
            parts.push((Vec::new(), Vec::new()));
        }
        let group = |(keys, docs): (Vec<Option<Value>>, Vec<&Doc>)| Group {
            keys,
            measured: asked.measures.iter().map(|it| measure(it, &docs)).collect(),
        };
        parts.into_iter().map(group).collect()
    }
}

fn measure((function, column): &(&'static str, Option<Column>), docs: &[&Doc]) -> Measured {
    let Some(column) = column else { return Measured::Whole(docs.len() as i128) };
    let values: Vec<&Value> = docs.iter().filter_map(|doc| present(doc, &column.name)).collect();
    let is_whole = column.kind != Kind::Number;
    let by = |one: &&&Value, two: &&&Value| compare(column.kind, one, two);
    let value = |value: Option<&&Value>| {
        value.map_or(Measured::Nothing, |value| Measured::Value(column.kind, (*value).clone()))
    };
    match *function {
        "count" => Measured::Whole(values.len() as i128),
        _ if values.is_empty() => Measured::Nothing,
        "sum" if is_whole => Measured::Whole(whole(&values)),
        "avg" if is_whole => {
            let number = values.len() as f64;
            let size: f64 = values.iter().map(|value| number_of(value).abs()).sum();
            Measured::Near(whole(&values) as f64 / number, 1e-9 * size / number)
        }
        "sum" | "avg" => {
            let by = if *function == "sum" { 1.0 } else { values.len() as f64 };
            let (sum, size) = added(&values);
            Measured::Near(sum / by, 1e-9 * size / by)
        }
        "min" => value(values.iter().min_by(by)),
        "max" => value(values.iter().max_by(by)),
        other => panic!("{other} is no function"),
    }
}

fn whole(values: &[&Value]) -> i128 {
    values.iter().map(|value| i128::from(value.as_i64().expect("a whole number"))).sum()
}

fn number_of(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// The sum, with what was lost on the way added in the end (Neumaier), and the sum of the sizes.
fn added(values: &[&Value]) -> (f64, f64) {
    let (mut sum, mut lost, mut size) = (0.0_f64, 0.0, 0.0);
    for value in values {
        let number = number_of(value);
        let next = sum + number;
        lost +=
            if sum.abs() >= number.abs() { (sum - next) + number } else { (number - next) + sum };
        sum = next;
        size += number.abs();
    }
    (if size.is_finite() { sum + lost } else { sum }, size)
}

/// The place of a key of the order: among what groups have in common, or what was measured.
enum Key {
    Group(usize),
    Measure(usize),
}

fn key(asked: &Aggregate, name: &str) -> Key {
    match asked.group_by.iter().position(|column| column.name == name) {
        Some(at) => Key::Group(at),
        None => {
            let is = |it: &(&'static str, Option<Column>)| measure_name(it) == name;
            Key::Measure(asked.measures.iter().position(is).expect("a measure"))
        }
    }
}

fn sort(asked: &Aggregate, groups: &mut [Group]) {
    groups.sort_by(|one, two| {
        let mut order = Ordering::Equal;
        for (name, descends) in &asked.sort {
            let by = match key(asked, name) {
                Key::Group(at) => by_group(asked, at, one, two),
                Key::Measure(at) => by_measure(&one.measured[at], &two.measured[at]),
            };
            order = order.then(if *descends { by.reverse() } else { by });
        }
        for at in 0..asked.group_by.len() {
            order = order.then(by_group(asked, at, one, two));
        }
        order
    });
}

fn by_group(asked: &Aggregate, at: usize, one: &Group, two: &Group) -> Ordering {
    ordered(asked.group_by[at].kind, one.keys[at].as_ref(), two.keys[at].as_ref())
}

fn by_measure(one: &Measured, two: &Measured) -> Ordering {
    match (one, two) {
        (Measured::Nothing, Measured::Nothing) => Ordering::Equal,
        (Measured::Nothing, _) => Ordering::Less,
        (_, Measured::Nothing) => Ordering::Greater,
        (Measured::Whole(one), Measured::Whole(two)) => one.cmp(two),
        (Measured::Value(kind, one), Measured::Value(_, two)) => compare(*kind, one, two),
        (Measured::Near(one, _), Measured::Near(two, _)) => {
            one.partial_cmp(two).unwrap_or(Ordering::Equal)
        }
        _ => panic!("{one:?} and {two:?} are of one measure"),
    }
}

fn hold(asked: &Aggregate, group: &Group, shown: &Shown) -> Held {
    for (by, key) in asked.group_by.iter().zip(&group.keys) {
        let is = shown.get(&by.name).ok_or("a key is missing")?;
        let must = key.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
        equal(&by.name, &is.get().to_owned(), &must)?;
    }
    for (measure, measured) in asked.measures.iter().zip(&group.measured) {
        let name = measure_name(measure);
        let is = shown.get(&name).ok_or_else(|| format!("{name} is missing"))?.get();
        hold_measured(measured, is).map_err(|fault| format!("{name} {fault}"))?;
    }
    Ok(())
}

fn hold_measured(measured: &Measured, is: &str) -> Held {
    let must = match measured {
        Measured::Nothing => "null".to_owned(),
        Measured::Whole(number) => number.to_string(),
        Measured::Value(_, value) => value.to_string(),
        Measured::Near(number, off) => {
            // What is not finite is null; so may be what was not on the way.
            if is == "null" && !(number.is_finite() && off.is_finite()) {
                return Ok(());
            }
            let found: f64 = is.parse().map_err(|_| format!("is no number: {is}"))?;
            let is_near = (found - number).abs() <= *off || !off.is_finite();
            return equal(
                "is near",
                &(is_near, found),
                &(true, if is_near { found } else { *number }),
            );
        }
    };
    equal("is", &is.to_owned(), &must)
}

/// The same groups in the order of what they show, which is compared with what they come to.
fn hold_any_order(asked: &Aggregate, groups: &[Group], shown: &[Shown]) -> Held {
    equal("the number of groups", &shown.len(), &groups.len())?;
    let mut met: Vec<Group> = Vec::new();
    for shown in shown {
        let is_same = |group: &&Group| {
            asked.group_by.iter().zip(&group.keys).all(|(by, key)| {
                let must = key.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
                shown.get(&by.name).is_some_and(|is| is.get() == must)
            })
        };
        let group = groups.iter().find(is_same).ok_or("a group that is none")?;
        hold(asked, group, shown)?;
        let as_shown =
            |(measure, measured): (&(&'static str, Option<Column>), &Measured)| match measured {
                Measured::Near(..) => {
                    let number = shown.get(&measure_name(measure)).map(|it| it.get().parse());
                    number
                        .and_then(Result::ok)
                        .map_or(Measured::Nothing, |number| Measured::Near(number, 0.0))
                }
                other => other.clone(),
            };
        let measured = asked.measures.iter().zip(&group.measured).map(as_shown).collect();
        met.push(Group { keys: group.keys.clone(), measured });
    }
    let keys = |groups: &[Group]| groups.iter().map(|it| it.keys.clone()).collect::<Vec<_>>();
    let is = keys(&met);
    sort(asked, &mut met);
    equal("the order of the groups", &is, &keys(&met))
}
