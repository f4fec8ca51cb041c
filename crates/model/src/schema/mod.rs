//! JSON Schema 2020-12 as a field declares it: read once, checked against every value.
//!
//! All validation keywords and applicators are served; `format` is asserted. References between
//! schemas are not: a field's schema stands where the field is declared.

mod check;
mod compile;
mod evaluated;
mod format;
mod number;
mod pattern;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Number, Value};

pub(crate) use check::VIOLATIONS_MAX;
pub use compile::keywords;
pub use format::names as formats;

/// A compiled schema. The default one takes every value.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    rules: Vec<Rule>,
    /// As written, of a schema that `compile` was given; empty in what it holds.
    source: Map<String, Value>,
}

/// A type of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `object`
    Object,
    /// `array`
    Array,
    /// `number`
    Number,
    /// `string`
    String,
    /// `integer`: a number without a fraction, also where it is written 1.0.
    Integer,
}

/// One keyword, or a few that only mean something together.
#[derive(Clone, Debug)]
enum Rule {
    /// The schema `false`.
    Never,
    Type(Vec<Type>),
    Enum(Vec<Value>),
    Const(Value),
    Minimum(Number),
    ExclusiveMinimum(Number),
    Maximum(Number),
    ExclusiveMaximum(Number),
    MultipleOf(Number),
    MinLength(u64),
    MaxLength(u64),
    Pattern(Regex),
    Format(&'static format::Format),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    Items {
        prefix: Vec<Schema>,
        rest: Option<Box<Schema>>,
    },
    Contains {
        schema: Box<Schema>,
        least: u64,
        most: Option<u64>,
    },
    MinProperties(u64),
    MaxProperties(u64),
    Required(Vec<String>),
    DependentRequired(BTreeMap<String, Vec<String>>),
    DependentSchemas(BTreeMap<String, Schema>),
    PropertyNames(Box<Schema>),
    Properties(Properties),
    AllOf(Vec<Schema>),
    AnyOf(Vec<Schema>),
    OneOf(Vec<Schema>),
    Not(Box<Schema>),
    If {
        condition: Box<Schema>,
        then: Box<Schema>,
        otherwise: Box<Schema>,
    },
    UnevaluatedItems(Box<Schema>),
    UnevaluatedProperties(Box<Schema>),
}

/// `properties`, `patternProperties` and `additionalProperties`: each member falls under the first
/// two as often as they match, and under the last one where they do not.
#[derive(Clone, Debug, Default)]
struct Properties {
    named: BTreeMap<String, Schema>,
    patterns: Vec<(Regex, Schema)>,
    additional: Option<Box<Schema>>,
}

impl Schema {
    /// The keywords as they were written.
    #[must_use]
    pub fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// The types that `type` allows; `None` where it is not declared.
    #[must_use]
    pub fn types(&self) -> Option<&[Type]> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Type(types) => Some(types.as_slice()),
            _ => None,
        })
    }

    /// True where its values are arrays, or null.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.types().is_some_and(|types| {
            types.contains(&Type::Array)
                && types.iter().all(|kind| matches!(kind, Type::Array | Type::Null))
        })
    }

    /// What `items` says of the items of an array, after those of `prefixItems`.
    #[must_use]
    pub fn items(&self) -> Option<&Self> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Items { rest, .. } => rest.as_deref(),
            _ => None,
        })
    }

    /// The format that is asserted.
    #[must_use]
    pub fn format(&self) -> Option<&'static str> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Format(format) => Some(format.name),
            _ => None,
        })
    }
}

impl Type {
    /// Every type and its name.
    const ALL: [(&'static str, Self); 7] = [
        ("null", Self::Null),
        ("boolean", Self::Boolean),
        ("object", Self::Object),
        ("array", Self::Array),
        ("number", Self::Number),
        ("string", Self::String),
        ("integer", Self::Integer),
    ];

    /// The type of this name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// True where the value is of this type.
    #[must_use]
    pub fn holds(self, value: &Value) -> bool {
        match value {
            Value::Null => self == Self::Null,
            Value::Bool(_) => self == Self::Boolean,
            Value::Object(_) => self == Self::Object,
            Value::Array(_) => self == Self::Array,
            Value::String(_) => self == Self::String,
            Value::Number(number) => {
                self == Self::Number || self == Self::Integer && number::is_integer(number)
            }
        }
    }

    /// The type with its article, for a sentence.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "true or false",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Integer => "a whole number",
        }
    }
}

/// Says what a text of a format has to be, where it is not.
pub(crate) fn refuse_format(name: &str, text: &str) -> Result<(), String> {
    match format::find(name) {
        Some(format) if !format.fits(&Value::String(text.to_owned())) => {
            Err(format!("must be {}", format.expected))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
