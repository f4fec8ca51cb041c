//! Which items and members a schema has said something of, for `unevaluatedItems` and
//! `unevaluatedProperties` (JSON Schema 2020-12 §11). Computed only where one of them is declared.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Rule, Schema};

/// For each item, whether a rule beside `unevaluatedItems` was applied to it.
pub(super) fn items(schema: &Schema, value: &Value, items: &[Value]) -> Vec<bool> {
    let mut evaluated = vec![false; items.len()];
    visit(schema, value, false, &mut |rule| match rule {
        Rule::Items { rest: Some(_), .. } | Rule::UnevaluatedItems(_) => evaluated.fill(true),
        Rule::Items { prefix, .. } => {
            evaluated.iter_mut().take(prefix.len()).for_each(|item| *item = true);
        }
        Rule::Contains { schema, .. } => {
            for (known, item) in evaluated.iter_mut().zip(items) {
                *known |= schema.fits(item);
            }
        }
        _ => {}
    });
    evaluated
}

/// The members to which a rule beside `unevaluatedProperties` was applied.
pub(super) fn properties<'a>(
    schema: &Schema,
    value: &Value,
    members: &'a Map<String, Value>,
) -> HashSet<&'a str> {
    let mut evaluated = HashSet::new();
    visit(schema, value, false, &mut |rule| match rule {
        Rule::UnevaluatedProperties(_) => evaluated.extend(members.keys().map(String::as_str)),
        Rule::Properties(properties) => {
            let names = members.keys().map(String::as_str);
            evaluated.extend(names.filter(|name| {
                properties.additional.is_some() || properties.matching(name).next().is_some()
            }));
        }
        _ => {}
    });
    evaluated
}

/// Shows every rule that applies to the value at this very place and holds, through the
/// applicators that do.
fn visit(schema: &Schema, value: &Value, nested: bool, see: &mut dyn FnMut(&Rule)) {
    for rule in &schema.rules {
        match rule {
            // The rule that is being checked does not count for itself.
            Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_) if !nested => {}
            Rule::AllOf(schemas) | Rule::AnyOf(schemas) | Rule::OneOf(schemas) => {
                for schema in schemas.iter().filter(|schema| schema.fits(value)) {
                    visit(schema, value, true, see);
                }
            }
            Rule::If { condition, then, otherwise } => {
                if condition.fits(value) {
                    visit(condition, value, true, see);
                    visit(then, value, true, see);
                } else {
                    visit(otherwise, value, true, see);
                }
            }
            Rule::DependentSchemas(dependents) => {
                for (name, schema) in dependents {
                    if value.get(name.as_str()).is_some() {
                        visit(schema, value, true, see);
                    }
                }
            }
            _ => see(rule),
        }
    }
}
