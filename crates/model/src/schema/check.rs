//! Checking a value: each rule says what it expected, at the place where it was missed. Values are
//! never repeated in the texts: they may be secrets.

use std::collections::HashSet;
use std::fmt::Write as _;

use contract::problem::Violation;
use serde_json::{Map, Number, Value};

use super::{Properties, Rule, Schema, evaluated, number};
use crate::json;

/// How many faults of one content are reported; those after them are not looked for.
pub(crate) const VIOLATIONS_MAX: usize = 100;

/// Where a value stands: a JSON Pointer that is only spelled when there is a fault.
#[derive(Clone, Copy)]
enum Place<'a> {
    Root(&'a str),
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Place::Root(pointer) => (*pointer).to_owned(),
            Place::Member(parent, name) => format!("{}/{}", parent.pointer(), json::escape(name)),
            Place::Item(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

type Faults = Vec<Violation>;

impl Schema {
    /// Checks a value that stands at this JSON Pointer, and adds what is wrong with it, up to
    /// `VIOLATIONS_MAX` in all.
    pub fn check(&self, value: &Value, pointer: &str, out: &mut Faults) {
        self.check_at(value, Place::Root(pointer), out);
    }

    /// True where the value fits.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check_at(value, Place::Root(""), &mut faults);
        faults.is_empty()
    }

    fn check_at(&self, value: &Value, place: Place<'_>, out: &mut Faults) {
        for rule in &self.rules {
            if out.len() >= VIOLATIONS_MAX {
                return;
            }
            rule.check(value, place, out);
        }
        for rule in &self.rules {
            rule.check_unevaluated(self, value, place, out);
        }
    }
}

impl Rule {
    fn check(&self, value: &Value, place: Place<'_>, out: &mut Faults) {
        match value {
            Value::Number(number) => self.check_number(number, place, out),
            Value::String(text) => self.check_text(text, place, out),
            Value::Array(items) => self.check_array(items, place, out),
            Value::Object(members) => self.check_object(members, place, out),
            Value::Null | Value::Bool(_) => {}
        }
        self.check_any(value, place, out);
    }

    /// Rules over values of every type.
    fn check_any(&self, value: &Value, place: Place<'_>, out: &mut Faults) {
        match self {
            Self::Never => fault(out, place, "must not be here: the declaration allows no value"),
            Self::Type(types) if !types.iter().any(|kind| kind.holds(value)) => {
                let names: Vec<_> = types.iter().map(|kind| kind.phrase()).collect();
                fault(out, place, format!("must be {}", names.join(" or ")));
            }
            Self::Enum(values) if !values.iter().any(|known| json::equal(known, value)) => {
                fault(out, place, format!("must be one of: {}", listed(values)));
            }
            Self::Const(known) if !json::equal(known, value) => {
                fault(out, place, format!("must be {}", listed(std::slice::from_ref(known))));
            }
            Self::Format(format) if !format.fits(value) => {
                fault(out, place, format!("must be {}", format.expected));
            }
            Self::AllOf(schemas) => {
                for schema in schemas {
                    schema.check_at(value, place, out);
                }
            }
            Self::AnyOf(schemas) if !schemas.iter().any(|schema| schema.fits(value)) => {
                fault(
                    out,
                    place,
                    format!("must fit one of the {} schemas of anyOf", schemas.len()),
                );
            }
            Self::OneOf(schemas) => {
                let count = schemas.iter().filter(|schema| schema.fits(value)).count();
                if count != 1 {
                    let all = schemas.len();
                    let detail = format!(
                        "must fit exactly one of the {all} schemas of oneOf; it fits {count}"
                    );
                    fault(out, place, detail);
                }
            }
            Self::Not(schema) if schema.fits(value) => {
                fault(out, place, "must not fit the schema of \"not\"");
            }
            Self::If { condition, then, otherwise } => {
                let branch = if condition.fits(value) { then } else { otherwise };
                branch.check_at(value, place, out);
            }
            Self::DependentSchemas(dependents) => {
                for (_, schema) in dependents.iter().filter(|(name, _)| member(value, name)) {
                    schema.check_at(value, place, out);
                }
            }
            _ => {}
        }
    }

    fn check_number(&self, value: &Number, place: Place<'_>, out: &mut Faults) {
        let detail = match self {
            Self::Minimum(least) if json::compare(value, least).is_lt() => {
                format!("must be {least} or more")
            }
            Self::ExclusiveMinimum(bound) if json::compare(value, bound).is_le() => {
                format!("must be more than {bound}")
            }
            Self::Maximum(most) if json::compare(value, most).is_gt() => {
                format!("must be {most} or less")
            }
            Self::ExclusiveMaximum(bound) if json::compare(value, bound).is_ge() => {
                format!("must be less than {bound}")
            }
            Self::MultipleOf(divisor) if !number::is_multiple(value, divisor) => {
                format!("must be a multiple of {divisor}")
            }
            _ => return,
        };
        fault(out, place, detail);
    }

    fn check_text(&self, text: &str, place: Place<'_>, out: &mut Faults) {
        // A character takes one to four bytes: most lengths are clear without counting.
        let length = || text.chars().count() as u64;
        let detail = match self {
            Self::MinLength(1) if text.is_empty() => "must not be empty".to_owned(),
            Self::MinLength(least) if (text.len() as u64) < *least || length() < *least => {
                format!("must be at least {} long", counted(*least, "character"))
            }
            Self::MaxLength(most) if text.len() as u64 > *most && length() > *most => {
                format!("must be at most {} long", counted(*most, "character"))
            }
            Self::Pattern(pattern) if !pattern.is_match(text) => {
                "must match the pattern that the declaration gives".to_owned()
            }
            _ => return,
        };
        fault(out, place, detail);
    }

    fn check_array(&self, items: &[Value], place: Place<'_>, out: &mut Faults) {
        let length = items.len() as u64;
        let detail = match self {
            Self::MinItems(least) if length < *least => {
                format!("must have at least {}", counted(*least, "item"))
            }
            Self::MaxItems(most) if length > *most => {
                format!("must have at most {}", counted(*most, "item"))
            }
            Self::UniqueItems => {
                let mut seen = HashSet::with_capacity(items.len());
                let Some(twin) = items.iter().position(|item| !seen.insert(json::canonical(item)))
                else {
                    return;
                };
                return fault(out, Place::Item(&place, twin), "is the same as an item before it");
            }
            Self::Items { prefix, rest } => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = prefix.get(index).or(rest.as_deref()) {
                        schema.check_at(item, Place::Item(&place, index), out);
                    }
                }
                return;
            }
            Self::Contains { schema, least, most } => {
                let count = items.iter().filter(|item| schema.fits(item)).count() as u64;
                match most {
                    _ if count < *least => {
                        format!(
                            "must have at least {} that fit \"contains\"",
                            counted(*least, "item")
                        )
                    }
                    Some(most) if count > *most => {
                        format!(
                            "must have at most {} that fit \"contains\"",
                            counted(*most, "item")
                        )
                    }
                    _ => return,
                }
            }
            _ => return,
        };
        fault(out, place, detail);
    }

    fn check_object(&self, members: &Map<String, Value>, place: Place<'_>, out: &mut Faults) {
        let count = members.len() as u64;
        match self {
            Self::MinProperties(least) if count < *least => {
                fault(out, place, format!("must have at least {}", counted(*least, "member")));
            }
            Self::MaxProperties(most) if count > *most => {
                fault(out, place, format!("must have at most {}", counted(*most, "member")));
            }
            Self::Required(names) => required(members, names, place, out),
            Self::DependentRequired(dependents) => {
                for (_, names) in dependents.iter().filter(|(name, _)| members.contains_key(*name))
                {
                    required(members, names, place, out);
                }
            }
            Self::PropertyNames(schema) => {
                for name in members.keys() {
                    schema.check_at(&Value::String(name.clone()), Place::Member(&place, name), out);
                }
            }
            Self::Properties(properties) => properties.check(members, place, out),
            _ => {}
        }
    }

    /// Rules over what the other rules of the same schema left untouched.
    fn check_unevaluated(&self, whole: &Schema, value: &Value, place: Place<'_>, out: &mut Faults) {
        match (self, value) {
            (Self::UnevaluatedItems(schema), Value::Array(items)) => {
                let evaluated = evaluated::items(whole, value, items);
                for (index, item) in
                    items.iter().enumerate().filter(|(index, _)| !evaluated[*index])
                {
                    schema.check_at(item, Place::Item(&place, index), out);
                }
            }
            (Self::UnevaluatedProperties(schema), Value::Object(members)) => {
                let evaluated = evaluated::properties(whole, value, members);
                for (name, member) in
                    members.iter().filter(|(name, _)| !evaluated.contains(name.as_str()))
                {
                    schema.check_at(member, Place::Member(&place, name), out);
                }
            }
            _ => {}
        }
    }
}

impl Properties {
    fn check(&self, members: &Map<String, Value>, place: Place<'_>, out: &mut Faults) {
        for (name, member) in members {
            let place = Place::Member(&place, name);
            let mut known = false;
            for schema in self.matching(name) {
                schema.check_at(member, place, out);
                known = true;
            }
            match &self.additional {
                Some(schema) if !known && matches!(schema.rules.as_slice(), [Rule::Never]) => {
                    let hint = crate::suggest::hint(name, self.named.keys().map(String::as_str));
                    fault(out, place, format!("is not a known member{hint}"));
                }
                Some(schema) if !known => schema.check_at(member, place, out),
                _ => {}
            }
        }
    }

    /// The schemas that `properties` and `patternProperties` have for a member.
    pub(super) fn matching<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Schema> {
        let patterns = self.patterns.iter().filter(move |(pattern, _)| pattern.is_match(name));
        self.named.get(name).into_iter().chain(patterns.map(|(_, schema)| schema))
    }
}

fn member(value: &Value, name: &str) -> bool {
    value.as_object().is_some_and(|members| members.contains_key(name))
}

fn required(members: &Map<String, Value>, names: &[String], place: Place<'_>, out: &mut Faults) {
    for name in names.iter().filter(|name| !members.contains_key(*name)) {
        fault(out, Place::Member(&place, name), "is required");
    }
}

fn fault(out: &mut Faults, place: Place<'_>, detail: impl Into<String>) {
    if out.len() < VIOLATIONS_MAX {
        out.push(Violation::at(place.pointer(), detail));
    }
}

fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The values of a declaration, as JSON, the first few of them.
fn listed(values: &[Value]) -> String {
    let mut text = String::new();
    for (index, value) in values.iter().take(20).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(text, "{separator}{value}").unwrap_or_default();
    }
    if values.len() > 20 {
        text.push_str(", …");
    }
    text
}
