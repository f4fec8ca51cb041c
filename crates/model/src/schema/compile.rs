//! Reading a schema: every keyword is known, and says something of the declared type, or is a
//! fault. All faults are found at once.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::{Properties, Rule, Schema, Type, format, pattern};
use crate::suggest;

/// Which values a keyword says something of.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    /// Values of every type.
    Any,
    /// Values of this type.
    One(Type),
    /// No value: it tells people something.
    Annotation,
}

/// Every keyword that is served.
const KEYWORDS: &[(&str, Of)] = &[
    ("type", Of::Any),
    ("enum", Of::Any),
    ("const", Of::Any),
    ("format", Of::Any),
    ("minimum", Of::One(Type::Number)),
    ("maximum", Of::One(Type::Number)),
    ("exclusiveMinimum", Of::One(Type::Number)),
    ("exclusiveMaximum", Of::One(Type::Number)),
    ("multipleOf", Of::One(Type::Number)),
    ("minLength", Of::One(Type::String)),
    ("maxLength", Of::One(Type::String)),
    ("pattern", Of::One(Type::String)),
    ("items", Of::One(Type::Array)),
    ("prefixItems", Of::One(Type::Array)),
    ("contains", Of::One(Type::Array)),
    ("minContains", Of::One(Type::Array)),
    ("maxContains", Of::One(Type::Array)),
    ("minItems", Of::One(Type::Array)),
    ("maxItems", Of::One(Type::Array)),
    ("uniqueItems", Of::One(Type::Array)),
    ("unevaluatedItems", Of::One(Type::Array)),
    ("properties", Of::One(Type::Object)),
    ("patternProperties", Of::One(Type::Object)),
    ("additionalProperties", Of::One(Type::Object)),
    ("propertyNames", Of::One(Type::Object)),
    ("required", Of::One(Type::Object)),
    ("dependentRequired", Of::One(Type::Object)),
    ("dependentSchemas", Of::One(Type::Object)),
    ("minProperties", Of::One(Type::Object)),
    ("maxProperties", Of::One(Type::Object)),
    ("unevaluatedProperties", Of::One(Type::Object)),
    ("allOf", Of::Any),
    ("anyOf", Of::Any),
    ("oneOf", Of::Any),
    ("not", Of::Any),
    ("if", Of::Any),
    ("then", Of::Any),
    ("else", Of::Any),
    ("title", Of::Annotation),
    ("description", Of::Annotation),
    ("default", Of::Annotation),
    ("examples", Of::Annotation),
    ("deprecated", Of::Annotation),
    ("readOnly", Of::Annotation),
    ("writeOnly", Of::Annotation),
    ("contentEncoding", Of::Annotation),
    ("contentMediaType", Of::Annotation),
    ("contentSchema", Of::Annotation),
    ("$comment", Of::Annotation),
];

/// The keywords of JSON Schema that are served, for suggestions.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(name, _)| *name)
}

/// Keywords that are not served, and what to write instead.
fn refusal(name: &str) -> Option<&'static str> {
    Some(match name {
        "$ref" | "$dynamicRef" | "$defs" | "$anchor" | "$dynamicAnchor" | "$id" => {
            "is not served: a field's schema stands where the field is declared; write it out here"
        }
        "$schema" | "$vocabulary" => "is not needed: every schema here is JSON Schema 2020-12",
        "definitions" => "belongs to older drafts of JSON Schema, and references are not served",
        "dependencies" => {
            "belongs to older drafts of JSON Schema; use \"dependentRequired\" or \
             \"dependentSchemas\""
        }
        "additionalItems" => {
            "belongs to older drafts of JSON Schema; use \"items\" beside \"prefixItems\""
        }
        "nullable" => "belongs to OpenAPI 3.0; write type = [\"string\", \"null\"]",
        "example" => "belongs to OpenAPI 3.0; use \"examples\"",
        _ => return None,
    })
}

impl Schema {
    /// Reads a schema from its keywords.
    ///
    /// # Errors
    /// All faults at once, each with its keyword. That of a nested schema is its path from the
    /// outermost keyword: `properties/name/minLength`.
    pub fn compile(keywords: &Map<String, Value>) -> Result<Self, Vec<(String, String)>> {
        let mut compiler = Compiler { path: Vec::new(), faults: Vec::new() };
        let schema = Self { source: keywords.clone(), ..compiler.keywords(keywords) };
        if compiler.faults.is_empty() { Ok(schema) } else { Err(compiler.faults) }
    }
}

struct Compiler {
    path: Vec<String>,
    faults: Vec<(String, String)>,
}

impl Compiler {
    fn fault(&mut self, detail: impl Into<String>) {
        self.faults.push((self.path.join("/"), detail.into()));
    }

    /// Reads with one more step in the path.
    fn within<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.to_owned());
        let result = read(self);
        self.path.pop();
        result
    }

    /// Reads a schema in any form: an object, true or false.
    fn schema(&mut self, value: &Value) -> Schema {
        match value {
            Value::Bool(true) => Schema::default(),
            Value::Bool(false) => Schema { rules: vec![Rule::Never], ..Schema::default() },
            Value::Object(keywords) => self.keywords(keywords),
            _ => {
                self.fault("must be a schema: a table of keywords, or true or false");
                Schema::default()
            }
        }
    }

    fn keywords(&mut self, keywords: &Map<String, Value>) -> Schema {
        let mut schema = Schema::default();
        for (name, value) in keywords {
            let rule = self.within(name, |this| {
                this.known(name);
                this.assertion(name, value).or_else(|| this.applicator(name, value))
            });
            schema.rules.extend(rule);
        }
        schema.rules.extend(self.items(keywords));
        schema.rules.extend(self.contains(keywords));
        schema.rules.extend(self.properties(keywords));
        schema.rules.extend(self.condition(keywords));
        self.relevance(keywords, schema.types());
        self.contradictions(keywords);
        // The type first: its message is the one that helps most.
        schema.rules.sort_by_key(|rule| !matches!(rule, Rule::Type(_)));
        schema
    }

    fn known(&mut self, name: &str) {
        if KEYWORDS.iter().any(|(known, _)| *known == name) {
            return;
        }
        match refusal(name) {
            Some(reason) => self.fault(reason),
            None => {
                let hint = suggest::hint(name, keywords());
                self.fault(format!("is not a keyword of JSON Schema 2020-12{hint}"));
            }
        }
    }

    /// A keyword that says something of one value by itself.
    fn assertion(&mut self, name: &str, value: &Value) -> Option<Rule> {
        match name {
            "type" => self.types(value),
            "enum" => match value {
                Value::Array(values) if !values.is_empty() => Some(Rule::Enum(values.clone())),
                _ => self.none("must be an array of at least one value"),
            },
            "const" => Some(Rule::Const(value.clone())),
            "format" => self.format(value),
            "minimum" => self.number(value).map(Rule::Minimum),
            "maximum" => self.number(value).map(Rule::Maximum),
            "exclusiveMinimum" => self.number(value).map(Rule::ExclusiveMinimum),
            "exclusiveMaximum" => self.number(value).map(Rule::ExclusiveMaximum),
            "multipleOf" => match self.number(value) {
                Some(number) if number.as_f64().is_some_and(|number| number > 0.0) => {
                    Some(Rule::MultipleOf(number))
                }
                Some(_) => self.none("must be more than 0"),
                None => None,
            },
            "minLength" => self.count(value).map(Rule::MinLength),
            "maxLength" => self.count(value).map(Rule::MaxLength),
            "minItems" => self.count(value).map(Rule::MinItems),
            "maxItems" => self.count(value).map(Rule::MaxItems),
            "minProperties" => self.count(value).map(Rule::MinProperties),
            "maxProperties" => self.count(value).map(Rule::MaxProperties),
            "pattern" => match value.as_str().map(pattern::compile) {
                Some(Ok(pattern)) => Some(Rule::Pattern(pattern)),
                Some(Err(reason)) => self.none(reason),
                None => self.none("must be a string with a regular expression"),
            },
            "uniqueItems" => match value.as_bool() {
                Some(unique) => unique.then_some(Rule::UniqueItems),
                None => self.none("must be true or false"),
            },
            "required" => Some(Rule::Required(self.names(value))),
            _ => None,
        }
    }

    /// A keyword that holds schemas and stands by itself.
    fn applicator(&mut self, name: &str, value: &Value) -> Option<Rule> {
        match name {
            "allOf" => self.list(value).map(Rule::AllOf),
            "anyOf" => self.list(value).map(Rule::AnyOf),
            "oneOf" => self.list(value).map(Rule::OneOf),
            "not" => Some(Rule::Not(Box::new(self.schema(value)))),
            "propertyNames" => Some(Rule::PropertyNames(Box::new(self.schema(value)))),
            "unevaluatedItems" => Some(Rule::UnevaluatedItems(Box::new(self.schema(value)))),
            "unevaluatedProperties" => {
                Some(Rule::UnevaluatedProperties(Box::new(self.schema(value))))
            }
            "dependentSchemas" => Some(Rule::DependentSchemas(self.table(value))),
            "dependentRequired" => match value {
                Value::Object(members) => {
                    let names = |(name, value): (&String, &Value)| {
                        (name.clone(), self.within(name, |this| this.names(value)))
                    };
                    Some(Rule::DependentRequired(members.iter().map(names).collect()))
                }
                _ => self.none("must be a table of arrays of member names"),
            },
            _ => None,
        }
    }

    /// Notes a fault where a rule would stand.
    fn none<T>(&mut self, detail: impl Into<String>) -> Option<T> {
        self.fault(detail);
        None
    }

    fn types(&mut self, value: &Value) -> Option<Rule> {
        let names = match value {
            Value::Array(names) => names.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut types = Vec::new();
        for name in names {
            let text = name.as_str().unwrap_or_default();
            match Type::read(text) {
                Some(kind) if types.contains(&kind) => self.fault("names a type twice"),
                Some(kind) => types.push(kind),
                None => {
                    let known = Type::ALL.map(|(name, _)| name);
                    let hint = suggest::hint(text, known);
                    self.fault(format!(
                        "{name} is not a type of JSON Schema{hint}; the types are {}",
                        known.join(", ")
                    ));
                }
            }
        }
        if names.is_empty() {
            self.fault("must name at least one type");
        }
        Some(Rule::Type(types))
    }

    fn format(&mut self, value: &Value) -> Option<Rule> {
        let name = value.as_str().unwrap_or_default();
        match format::find(name) {
            Some(format) => Some(Rule::Format(format)),
            None => {
                let known: Vec<_> = format::names().collect();
                let hint = suggest::hint(name, known.iter().copied());
                self.none(format!(
                    "{value} is not a format that is checked{hint}; the formats are {}",
                    known.join(", ")
                ))
            }
        }
    }

    fn number(&mut self, value: &Value) -> Option<Number> {
        match value {
            Value::Number(number) => Some(number.clone()),
            _ => self.none("must be a number"),
        }
    }

    fn count(&mut self, value: &Value) -> Option<u64> {
        let whole = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0);
        match value.as_u64().or(whole.map(|number| number as u64)) {
            Some(count) => Some(count),
            None => self.none("must be a whole number, 0 or more"),
        }
    }

    fn names(&mut self, value: &Value) -> Vec<String> {
        let names: Option<Vec<String>> = value
            .as_array()
            .and_then(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
        names.unwrap_or_else(|| {
            self.fault("must be an array of member names");
            Vec::new()
        })
    }

    fn list(&mut self, value: &Value) -> Option<Vec<Schema>> {
        match value {
            Value::Array(schemas) if !schemas.is_empty() => Some(
                schemas
                    .iter()
                    .enumerate()
                    .map(|(index, schema)| {
                        self.within(&index.to_string(), |this| this.schema(schema))
                    })
                    .collect(),
            ),
            _ => self.none("must be an array of at least one schema"),
        }
    }

    fn table(&mut self, value: &Value) -> BTreeMap<String, Schema> {
        let Value::Object(members) = value else {
            self.fault("must be a table of schemas");
            return BTreeMap::new();
        };
        let read = |(name, schema): (&String, &Value)| {
            (name.clone(), self.within(name, |this| this.schema(schema)))
        };
        members.iter().map(read).collect()
    }

    fn items(&mut self, keywords: &Map<String, Value>) -> Option<Rule> {
        let prefix = keywords
            .get("prefixItems")
            .and_then(|value| self.within("prefixItems", |this| this.list(value)));
        let rest = keywords.get("items").map(|value| {
            self.within("items", |this| match value {
                Value::Array(_) => {
                    this.fault("must be one schema; for one schema an item use \"prefixItems\"");
                    Box::default()
                }
                value => Box::new(this.schema(value)),
            })
        });
        (prefix.is_some() || rest.is_some())
            .then(|| Rule::Items { prefix: prefix.unwrap_or_default(), rest })
    }

    fn contains(&mut self, keywords: &Map<String, Value>) -> Option<Rule> {
        let mut count = |name: &str| {
            keywords.get(name).and_then(|value| self.within(name, |this| this.count(value)))
        };
        let (least, most) = (count("minContains"), count("maxContains"));
        let schema = keywords.get("contains")?;
        let schema = Box::new(self.within("contains", |this| this.schema(schema)));
        Some(Rule::Contains { schema, least: least.unwrap_or(1), most })
    }

    fn properties(&mut self, keywords: &Map<String, Value>) -> Option<Rule> {
        let mut properties = Properties::default();
        let mut any = false;
        if let Some(value) = keywords.get("properties") {
            properties.named = self.within("properties", |this| this.table(value));
            any = true;
        }
        if let Some(value) = keywords.get("patternProperties") {
            properties.patterns = self.within("patternProperties", |this| this.patterns(value));
            any = true;
        }
        if let Some(value) = keywords.get("additionalProperties") {
            let schema = self.within("additionalProperties", |this| this.schema(value));
            properties.additional = Some(Box::new(schema));
            any = true;
        }
        any.then_some(Rule::Properties(properties))
    }

    fn patterns(&mut self, value: &Value) -> Vec<(regex::Regex, Schema)> {
        let Value::Object(members) = value else {
            self.fault("must be a table of schemas");
            return Vec::new();
        };
        let mut patterns = Vec::new();
        for (text, schema) in members {
            let read = self.within(text, |this| {
                let schema = this.schema(schema);
                match pattern::compile(text) {
                    Ok(pattern) => Some((pattern, schema)),
                    Err(reason) => this.none(reason),
                }
            });
            patterns.extend(read);
        }
        patterns
    }

    fn condition(&mut self, keywords: &Map<String, Value>) -> Option<Rule> {
        let mut branch = |name: &str| {
            let value = keywords.get(name)?;
            Some(Box::new(self.within(name, |this| this.schema(value))))
        };
        let (condition, then, otherwise) = (branch("if"), branch("then"), branch("else"));
        match condition {
            Some(condition) => Some(Rule::If {
                condition,
                then: then.unwrap_or_default(),
                otherwise: otherwise.unwrap_or_default(),
            }),
            None if then.is_some() || otherwise.is_some() => {
                let name = if then.is_some() { "then" } else { "else" };
                self.within(name, |this| this.none("says nothing without \"if\""))
            }
            None => None,
        }
    }

    /// A keyword that says nothing of the declared type was meant to say something.
    fn relevance(&mut self, keywords: &Map<String, Value>, types: Option<&[Type]>) {
        let Some(types) = types.filter(|types| !types.is_empty()) else { return };
        for (name, value) in keywords {
            let of = match KEYWORDS.iter().find(|(known, _)| known == name) {
                Some((_, Of::One(kind))) => *kind,
                Some(("format", _)) => match value.as_str().and_then(format::find) {
                    Some(format) => format.of,
                    None => continue,
                },
                _ => continue,
            };
            let concerned =
                |kind: &Type| *kind == of || (of == Type::Number && *kind == Type::Integer);
            if !types.iter().any(concerned) {
                let what = of.phrase();
                self.within(name, |this| {
                    this.fault(format!(
                        "only says something of {what}, which the declared type is not"
                    ));
                });
            }
        }
    }

    /// Two bounds between which nothing fits.
    fn contradictions(&mut self, keywords: &Map<String, Value>) {
        for (least, most) in [
            ("minimum", "maximum"),
            ("minLength", "maxLength"),
            ("minItems", "maxItems"),
            ("minContains", "maxContains"),
            ("minProperties", "maxProperties"),
        ] {
            if let (Some(Value::Number(low)), Some(Value::Number(high))) =
                (keywords.get(least), keywords.get(most))
                && crate::json::compare(low, high).is_gt()
            {
                self.within(least, |this| {
                    this.fault(format!("is more than \"{most}\", so that no value fits"));
                });
            }
        }
    }
}
