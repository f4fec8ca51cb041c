//! Filters in memory: what the database says of its rows, said of a record that is not there yet,
//! or was read already. Both say the same of every record.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Column, Comparison, Filter, Path, Relate, target};
use crate::fold::fold;
use crate::model::{FieldIndex, Model, ResourceIndex};
use crate::record::Record;
use crate::search::Terms;
use crate::value::Value;

/// A record, and those that it refers to.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The record itself.
    pub record: &'a Record,
    /// The records that its reference fields name, as far as they are there and a filter looks
    /// into them. What is farther away than these is absent.
    pub referred: &'a [(FieldIndex, &'a Record)],
}

impl<'a> Seen<'a> {
    /// A record of which nothing else is known.
    #[must_use]
    pub fn alone(record: &'a Record) -> Self {
        Self { record, referred: &[] }
    }

    /// The value that a path leads to; none where it is absent or null.
    fn value(&self, path: &Path) -> Option<Cow<'a, Value>> {
        let record = match path.through.as_slice() {
            [] => self.record,
            [field] => self.referred.iter().find(|(at, _)| at == field)?.1,
            _ => return None,
        };
        let value = match path.column {
            Column::Id => Cow::Owned(record.id.to_value()),
            Column::CreatedAt => Cow::Owned(Value::Text(record.created_at.text())),
            Column::UpdatedAt => Cow::Owned(Value::Text(record.updated_at.text())),
            Column::Field(field) => Cow::Borrowed(record.values.get(field)?.as_ref()?),
        };
        (*value != Value::Null).then_some(value)
    }
}

impl Filter {
    /// True where it is true of a record of this resource.
    #[must_use]
    pub fn holds(&self, model: &Model, resource: ResourceIndex, seen: Seen<'_>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|it| it.holds(model, resource, seen)),
            Self::Any(filters) => filters.iter().any(|it| it.holds(model, resource, seen)),
            Self::Not(inner) => !inner.holds(model, resource, seen),
            Self::Compare { path, comparison } => {
                let folds = is_folded(model, resource, path);
                fits(seen.value(path).as_deref(), comparison, folds)
            }
            Self::Relate { left, relation, right } => match (seen.value(left), seen.value(right)) {
                (Some(one), Some(other)) => relates(
                    (&one, is_folded(model, resource, left)),
                    *relation,
                    (&other, is_folded(model, resource, right)),
                ),
                (None, _) | (_, None) => false,
            },
            Self::Search { terms, within } => {
                let all = &model.resources[resource].search;
                finds(terms, within.as_ref().unwrap_or(all), seen.record)
            }
        }
    }

    /// The reference fields that have to be followed to know whether it holds, each once.
    #[must_use]
    pub fn references(&self) -> Vec<FieldIndex> {
        let mut fields = Vec::new();
        self.each_path(&mut |path| fields.extend(path.through.first().copied()));
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

/// True where a value compares so; `None` is absent or null.
pub(crate) fn fits(value: Option<&Value>, comparison: &Comparison, folds: bool) -> bool {
    let value = value.filter(|value| **value != Value::Null);
    let is = |other: &Value, holds: fn(Ordering) -> bool| {
        value.and_then(|value| order((value, folds), (other, folds))).is_some_and(holds)
    };
    // A JSON null that is not the field's own is a null as well.
    let is_there = value.is_some_and(|value| !matches!(value, Value::Json(text) if text == "null"));
    match comparison {
        Comparison::Null | Comparison::Equal(Value::Null) => !is_there,
        Comparison::NotNull | Comparison::NotEqual(Value::Null) => is_there,
        Comparison::Equal(other) => is(other, Ordering::is_eq),
        Comparison::NotEqual(other) => !is(other, Ordering::is_eq),
        Comparison::In(others) => others.iter().any(|other| is(other, Ordering::is_eq)),
        Comparison::Greater(other) => is(other, Ordering::is_gt),
        Comparison::GreaterOrEqual(other) => is(other, Ordering::is_ge),
        Comparison::Less(other) => is(other, Ordering::is_lt),
        Comparison::LessOrEqual(other) => is(other, Ordering::is_le),
        Comparison::Prefix(beginning) => match value {
            Some(Value::Text(text)) if folds => fold(text).starts_with(&fold(beginning)),
            Some(Value::Text(text)) => text.starts_with(beginning.as_str()),
            _ => false,
        },
    }
}

/// True where two values compare so, each with whether it is compared without regard to case.
pub(crate) fn relates(left: (&Value, bool), relation: Relate, right: (&Value, bool)) -> bool {
    order(left, right).is_some_and(|order| match relation {
        Relate::Equal => order.is_eq(),
        Relate::Less => order.is_lt(),
        Relate::LessOrEqual => order.is_le(),
    })
}

/// The order of two values of one kind: of texts that of their code points, of numbers the exact
/// one. What is null, or of another kind, has none.
fn order(left: (&Value, bool), right: (&Value, bool)) -> Option<Ordering> {
    match (left.0, right.0) {
        (Value::Text(one), Value::Text(other)) => {
            let folded = |text, folds| if folds { Cow::Owned(fold(text)) } else { text.into() };
            let one: Cow<'_, str> = folded(one, left.1);
            Some(one.cmp(&folded(other, right.1)))
        }
        (Value::Integer(one), Value::Integer(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => one.partial_cmp(other),
        (Value::Integer(one), Value::Number(other)) => mixed(*one, *other),
        (Value::Number(one), Value::Integer(other)) => mixed(*other, *one).map(Ordering::reverse),
        (Value::Boolean(one), Value::Boolean(other)) => Some(one.cmp(other)),
        (Value::Json(one), Value::Json(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

/// Compares exactly, as the numbers that both stand for.
fn mixed(whole: i64, number: f64) -> Option<Ordering> {
    // 2^63: no integer of 64 bits reaches it.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if number.is_nan() {
        None
    } else if number >= BEYOND {
        Some(Ordering::Less)
    } else if number < -BEYOND {
        Some(Ordering::Greater)
    } else {
        let floor = number.floor();
        let rest = if number > floor { Ordering::Less } else { Ordering::Equal };
        Some(whole.cmp(&(floor as i64)).then(rest))
    }
}

fn is_folded(model: &Model, resource: ResourceIndex, path: &Path) -> bool {
    let end = target(model, resource, &path.through).map(|end| &model.resources[end]);
    end.and_then(|end| path.column.field(end))
        .is_some_and(|field| field.ignore_case && field.references.is_none())
}

fn finds(terms: &Terms, fields: &[FieldIndex], record: &Record) -> bool {
    let text = |field: &FieldIndex| match record.values.get(*field)?.as_ref()? {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    terms.matches(&fields.iter().filter_map(text).collect::<Vec<_>>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Seen, fits, mixed, relates};
    use crate::query::{Column, Comparison, Filter, Path, Relate};
    use crate::sample::{alice, model};
    use crate::search::Terms;
    use crate::value::Value;
    use std::cmp::Ordering;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_value_that_is_not_there_equals_nothing_and_has_no_order() {
        let five = || Value::Integer(5);
        for absent in [None, Some(&Value::Null)] {
            for (comparison, expected) in [
                (Comparison::Equal(five()), false),
                (Comparison::NotEqual(five()), true),
                (Comparison::In(vec![five(), Value::Null]), false),
                (Comparison::Greater(five()), false),
                (Comparison::GreaterOrEqual(five()), false),
                (Comparison::Less(five()), false),
                (Comparison::LessOrEqual(five()), false),
                (Comparison::Prefix(String::new()), false),
                (Comparison::Null, true),
                (Comparison::NotNull, false),
                (Comparison::Equal(Value::Null), true),
                (Comparison::NotEqual(Value::Null), false),
            ] {
                assert_eq!(fits(absent, &comparison, false), expected, "{comparison:?}");
            }
        }
        assert!(!fits(Some(&five()), &Comparison::In(Vec::new()), false));
        assert!(!fits(Some(&five()), &Comparison::Less(Value::Null), false));
        assert!(fits(Some(&Value::Json("null".to_owned())), &Comparison::Null, false));
        assert!(fits(Some(&Value::Json("0".to_owned())), &Comparison::NotNull, false));
    }

    #[test]
    fn texts_compare_by_code_points_and_folded_where_case_does_not_count() {
        assert!(fits(Some(&text("\u{10ffff}")), &Comparison::Greater(text("\u{ffff}")), false));
        assert!(!fits(Some(&text("Straße")), &Comparison::Equal(text("STRASSE")), false));
        assert!(fits(Some(&text("Straße")), &Comparison::Equal(text("STRASSE")), true));
        assert!(fits(Some(&text("Straße")), &Comparison::Prefix("STRAS".to_owned()), true));
        assert!(!fits(Some(&text("Straße")), &Comparison::Prefix("STRAS".to_owned()), false));
        assert!(fits(Some(&text("Éa")), &Comparison::In(vec![text("x"), text("éA")]), true));
        let (one, other) = (text("ab"), text("AB"));
        assert!(relates((&one, true), Relate::Equal, (&text("ab"), false)));
        assert!(!relates((&other, false), Relate::Equal, (&one, false)));
        assert!(relates((&other, false), Relate::Less, (&one, false)));
    }

    #[test]
    fn numbers_of_two_kinds_compare_exactly() {
        let far = 9_007_199_254_740_992.0;
        for (whole, number, expected) in [
            ((1 << 53) + 1, far, Ordering::Greater),
            (1 << 53, far, Ordering::Equal),
            (i64::MAX, 9_223_372_036_854_775_808.0, Ordering::Less),
            (i64::MIN, -9_223_372_036_854_775_808.0, Ordering::Equal),
            (i64::MIN, f64::MIN, Ordering::Greater),
            (0, -0.0, Ordering::Equal),
            (0, 5e-324, Ordering::Less),
            (-1, -1.5, Ordering::Greater),
            (-2, -1.5, Ordering::Less),
        ] {
            assert_eq!(mixed(whole, number), Some(expected), "{whole} {number}");
        }
        assert_eq!(mixed(1, f64::NAN), None);
    }

    #[test]
    fn a_record_is_looked_at_with_those_that_it_refers_to() {
        let model = model();
        let (record, mut boss) = (alice(), alice());
        boss.values[0] = Some(text("Bob"));
        let field = |name| model.resources[0].field(name).unwrap().0;
        let name = Path { through: vec![field("boss")], column: Column::Field(field("name")) };
        let is_bob =
            Filter::Compare { path: name.clone(), comparison: Comparison::Equal(text("Bob")) };
        let referred = [(field("boss"), &boss)];
        let seen = Seen { record: &record, referred: &referred };
        assert!(is_bob.holds(&model, 0, seen));
        assert!(!is_bob.holds(&model, 0, Seen::alone(&record)));
        assert!(is_bob.clone().negated().holds(&model, 0, Seen::alone(&record)));
        assert_eq!(is_bob.references(), [field("boss")]);
        let own = Path::from(Column::Field(field("name")));
        let less = Filter::Relate { left: own, relation: Relate::Less, right: name };
        assert!(less.holds(&model, 0, seen) && !less.holds(&model, 0, Seen::alone(&record)));
        let far = Path { through: vec![field("boss"); 2], column: Column::Id };
        let far = Filter::Compare { path: far, comparison: Comparison::NotNull };
        assert!(!far.holds(&model, 0, seen), "what is farther away is absent");
        let times = Filter::Relate {
            left: Column::CreatedAt.into(),
            relation: Relate::Less,
            right: Column::UpdatedAt.into(),
        };
        assert!(times.and(Filter::equal(Column::Id, Value::Integer(7))).holds(&model, 0, seen));
        assert!(Filter::all().holds(&model, 0, seen) && !Filter::nothing().holds(&model, 0, seen));
    }

    #[test]
    fn a_search_finds_words_in_the_fields_that_it_may_look_into() {
        let model = model();
        let record = alice();
        let field = |name| model.resources[0].field(name).unwrap().0;
        let search = |words, within| {
            let terms = Terms::read(words).unwrap();
            Filter::Search { terms, within }.holds(&model, 0, Seen::alone(&record))
        };
        let fields = Some(vec![field("name"), field("team")]);
        assert!(search("alice red", fields.clone()) && !search("alice blue", fields));
        assert!(!search("alice red", Some(vec![field("name")])));
        assert!(!search("alice", None), "no field of the sample is searched");
    }
}
