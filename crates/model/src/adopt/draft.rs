//! A field on its way into the declaration.

use serde_json::{Map, Value as Json, json};

use super::cell::Form;
use super::foreign::{Default_, Literal};
use crate::schema::Schema;

/// Where the values of a field come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From a column.
    Column {
        /// Which one.
        column: usize,
        /// How its cells are read.
        form: Form,
    },
    /// The id of what a reference of the table leads to.
    Reference(usize),
}

/// What stands where there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// There always is one.
    Required,
    /// It may be absent.
    Optional,
    /// It may be null: a default stands in where nothing is sent.
    Nullable,
}

/// A field on its way into the declaration.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) source: Source,
    /// The types but null; empty where it takes any JSON.
    pub(super) types: Vec<&'static str>,
    pub(super) presence: Presence,
    /// JSON Schema's part but the type.
    pub(super) keywords: Map<String, Json>,
    /// The table that it refers to, and the word for what a deletion does.
    pub(super) references: Option<(usize, &'static str)>,
    pub(super) unique: bool,
    pub(super) index: bool,
    pub(super) ignore_case: bool,
    pub(super) secret: bool,
}

impl Draft {
    pub(super) fn new(name: String, source: Source) -> Self {
        Self {
            name,
            source,
            types: Vec::new(),
            presence: Presence::Required,
            keywords: Map::new(),
            references: None,
            unique: false,
            index: false,
            ignore_case: false,
            secret: false,
        }
    }

    /// True where its values can be compared, and so be unique and indexed.
    pub(super) fn is_comparable(&self) -> bool {
        !self.secret && (self.references.is_some() || self.form().is_some_and(is_scalar))
    }

    /// How cells are read; None of a reference.
    pub(super) fn form(&self) -> Option<Form> {
        match self.source {
            Source::Column { form, .. } => Some(form),
            Source::Reference(_) => None,
        }
    }

    /// True where a value fits the keywords so far.
    pub(super) fn takes(&self, value: &Json) -> bool {
        self.schema().is_some_and(|schema| schema.fits(value))
    }

    /// True where the keywords so far go together.
    pub(super) fn is_sound(&self) -> bool {
        let among = self.keywords.get("enum").and_then(Json::as_array);
        let values = among.map_or(&[][..], Vec::as_slice);
        self.schema().is_some_and(|schema| values.iter().all(|value| schema.fits(value)))
    }

    fn schema(&self) -> Option<Schema> {
        let mut keywords = self.keywords.clone();
        keywords.remove("default");
        if !self.types.is_empty() {
            keywords.insert("type".to_owned(), json!(self.types));
        }
        Schema::compile(&keywords).ok()
    }

    /// Declares a DEFAULT. False where the field cannot have it.
    pub(super) fn set_default(&mut self, default: &Default_) -> bool {
        let Default_::Literal(literal) = default else { return false };
        if *literal == Literal::Null {
            return true;
        }
        let value = self.form().and_then(|form| value(form, literal));
        let is_null_among = self.presence != Presence::Required;
        // TOML has no null, and an `enum` without it would refuse the nulls that there are.
        let Some(value) = value.filter(|value| {
            self.takes(value) && !(is_null_among && self.keywords.contains_key("enum"))
        }) else {
            return false;
        };
        if is_null_among {
            self.presence = Presence::Nullable;
        }
        self.keywords.insert("default".to_owned(), value);
        true
    }
}

fn is_scalar(form: Form) -> bool {
    match form {
        Form::Integer | Form::Number | Form::Boolean | Form::Text => true,
        Form::Json | Form::Mixed => false,
    }
}

/// True where there is a null in it: TOML has none.
fn holds_null(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.iter().any(holds_null),
        Json::Object(members) => members.values().any(holds_null),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// A literal as a value of this form, as the database would keep it.
pub(super) fn value(form: Form, literal: &Literal) -> Option<Json> {
    match (form, literal) {
        (Form::Integer, Literal::Integer(number)) => Some(json!(number)),
        (Form::Integer, Literal::Real(number)) => {
            crate::json::whole(*number).map(|whole| json!(whole))
        }
        (Form::Integer, Literal::Boolean(truth)) => Some(json!(i64::from(*truth))),
        (Form::Integer, Literal::Text(text)) => Some(json!(text.trim().parse::<i64>().ok()?)),
        (Form::Number, Literal::Integer(number)) => Some(json!(number)),
        (Form::Number, Literal::Real(number)) => Some(crate::json::number(*number)),
        (Form::Number, Literal::Text(text)) => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite())?;
            Some(crate::json::number(number))
        }
        (Form::Boolean, Literal::Integer(number @ (0 | 1))) => Some(json!(*number == 1)),
        (Form::Boolean, Literal::Boolean(truth)) => Some(json!(truth)),
        (Form::Boolean, Literal::Text(text)) => match text.as_str() {
            "0" => Some(json!(false)),
            "1" => Some(json!(true)),
            _ => None,
        },
        (Form::Text, Literal::Text(text)) => Some(json!(text)),
        (Form::Text, Literal::Integer(number)) => Some(json!(number.to_string())),
        (Form::Json, Literal::Text(text)) => {
            crate::json::parse(text.as_bytes()).ok().filter(|value| !holds_null(value))
        }
        (
            Form::Integer | Form::Number | Form::Boolean | Form::Text | Form::Json | Form::Mixed,
            _,
        ) => None,
    }
}
