//! Reading a query: the same vocabulary as URL parameters, as a form, and as a JSON object.

use contract::fault::{self, Fault};
use contract::problem::{Place, Violation};
use serde_json::Value as Json;

use super::{Column, Count, Filter, Operator, Query, Sort};
use crate::form;
use crate::model::{IdKind, Kind, Model, Resource};
use crate::record::{expected_id, integer_range};
use crate::schema::VIOLATIONS_MAX;
use crate::setting::Settings;
use crate::value::{Timestamp, Value};
use crate::{json, suggest};

/// The words that are parameters in themselves.
const WORDS: [&str; 5] = ["page", "limit", "sort", "fields", "count"];

/// Words that will be parameters, and what serves meanwhile.
const LATER: [(&str, &str); 5] = [
    ("cursor", "use \"page\""),
    ("include", "GET the records that are referred to"),
    ("q", "filter by a field, as in name=…"),
    ("query", "filter by a field, as in name=…"),
    ("aggregate", "\"count=exact\" counts"),
];

/// Operators that will be, besides `eq`.
const OPERATORS_LATER: [&str; 8] = ["ne", "in", "gt", "gte", "lt", "lte", "prefix", "null"];

/// A query that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The query.
    pub query: Query,
    /// The names of the parameters that it was read from: they may be logged, others may not.
    pub known: Vec<String>,
}

/// Why a query was not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// True where a parameter is unknown or repeated; false where only values do not fit.
    pub unknown: bool,
    /// What is wrong, in a sentence or two, with the parameters that there are.
    pub detail: String,
    /// The single faults: at parameters, or at JSON Pointers where the query came as JSON.
    pub violations: Vec<Violation>,
    /// The names of the parameters that are known: they may be logged, others may not.
    pub known: Vec<String>,
}

/// Reads the parameters of a URL, or the pairs of a form.
///
/// # Errors
/// All faults at once, with a listing of the parameters where one was unknown.
pub fn read(
    model: &Model,
    resource: &Resource,
    pairs: &[(String, String)],
    settings: &Settings,
) -> Result<Read, Rejection> {
    let mut reader = Reader::new(resource, settings);
    for (name, text) in pairs {
        let place = || Place::Parameter(suggest::shown(name));
        if reader.understands(name) || !is_ignored(model, name) {
            reader.parameter(name, Term::Text(text), &place);
        }
    }
    reader.finish(&|name| Place::Parameter(name.to_owned()))
}

/// Reads the content of a QUERY: an object with the same names. Numbers and booleans are typed,
/// `sort` and `fields` may be arrays, and `{"name": {"eq": "x"}}` means `name[eq]=x`.
///
/// # Errors
/// As `read`, with JSON Pointers.
pub fn read_json(
    resource: &Resource,
    content: &Json,
    settings: &Settings,
) -> Result<Read, Rejection> {
    let mut reader = Reader::new(resource, settings);
    let Json::Object(members) = content else {
        reader.fault(Place::Pointer(String::new()), "must be an object with parameters as members");
        return reader.finish(&|name| Place::Pointer(name.to_owned()));
    };
    for (name, value) in members {
        let pointer = format!("/{}", json::escape(name));
        match value {
            // An operator by name, as it would stand in brackets.
            Json::Object(operators) if Column::find(resource, name).is_some() => {
                for (operator, value) in operators {
                    let place = || Place::Pointer(format!("{pointer}/{}", json::escape(operator)));
                    reader.parameter(&format!("{name}[{operator}]"), Term::Json(value), &place);
                }
            }
            value => {
                reader.parameter(name, Term::Json(value), &|| Place::Pointer(pointer.clone()));
            }
        }
    }
    reader.finish(&|name| Place::Pointer(format!("/{name}")))
}

/// The parameters that a list of this resource has, for a sentence.
#[must_use]
pub fn known(resource: &Resource) -> String {
    let filters = Column::all(resource).filter(|column| filterable(resource, *column));
    let filters: Vec<_> = filters.map(|column| column.name(resource)).collect();
    format!("{}; filters: {}", WORDS.join(", "), filters.join(", "))
}

/// True where a name is a word of the vocabulary, so that a field of this name is only meant by
/// `name[eq]`.
pub(super) fn is_reserved(name: &str) -> bool {
    WORDS.contains(&name) || LATER.iter().any(|(word, _)| *word == name)
}

/// True for a parameter that the declaration passes over (`ignore_parameters`).
#[must_use]
pub fn is_ignored(model: &Model, name: &str) -> bool {
    model.ignore_parameters.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    })
}

/// JSON text, numbers and truth values cannot be told apart by equality of a document.
fn filterable(resource: &Resource, column: Column) -> bool {
    column.field(resource).is_none_or(|field| field.kind != Kind::Json)
}

/// A value as it was sent.
#[derive(Clone, Copy)]
enum Term<'a> {
    Text(&'a str),
    Json(&'a Json),
}

impl<'a> Term<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Json(value) => value.as_str(),
        }
    }

    /// The number that it is. A text is one only where everything is a text.
    fn number(self, expected: &'static str) -> Result<serde_json::Number, &'static str> {
        let value = match self {
            Self::Text(text) => form::number(text, expected)?,
            Self::Json(value) => value.clone(),
        };
        match value {
            Json::Number(number) => Ok(number),
            _ => Err(expected),
        }
    }

    fn boolean(self) -> Option<bool> {
        match self {
            Self::Text("true") => Some(true),
            Self::Text("false") => Some(false),
            Self::Text(_) => None,
            Self::Json(value) => value.as_bool(),
        }
    }

    /// The names of a list: separated by commas, or the items of an array.
    fn names(self) -> Option<Vec<&'a str>> {
        match self {
            Self::Json(Json::Array(items)) => items.iter().map(Json::as_str).collect(),
            _ => Some(self.text()?.split(',').collect()),
        }
    }
}

/// What a name means.
enum Meaning {
    Word(&'static str),
    Filter(Column),
    /// Nothing, or nothing yet.
    Nothing,
}

/// A name and the operator in brackets behind it.
fn parts(name: &str) -> (&str, Option<&str>) {
    match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((base, operator)) => (base, Some(operator)),
        None => (name, None),
    }
}

struct Reader<'a> {
    resource: &'a Resource,
    settings: &'a Settings,
    query: Query,
    filters: Vec<(Column, Value)>,
    known: Vec<String>,
    words: Vec<&'static str>,
    columns: Vec<Column>,
    unknown: bool,
    faults: Vec<Violation>,
}

/// Where a parameter stands; only spelled when there is a fault.
type At<'a> = &'a dyn Fn() -> Place;

impl<'a> Reader<'a> {
    fn new(resource: &'a Resource, settings: &'a Settings) -> Self {
        let query = Query {
            filter: Filter::all(),
            sort: Vec::new(),
            page: 1,
            limit: settings.page_rows_default.min(settings.page_rows_max),
            fields: None,
            count: Count::Bounded,
        };
        Self {
            resource,
            settings,
            query,
            filters: Vec::new(),
            known: Vec::new(),
            words: Vec::new(),
            columns: Vec::new(),
            unknown: false,
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, place: Place, detail: impl Into<String>) {
        if self.faults.len() < VIOLATIONS_MAX {
            self.faults.push(Violation { place, detail: detail.into() });
        }
    }

    fn understands(&self, name: &str) -> bool {
        !matches!(self.meaning(name), Meaning::Nothing)
    }

    fn meaning(&self, name: &str) -> Meaning {
        if let Some(word) = WORDS.iter().find(|word| **word == name) {
            return Meaning::Word(word);
        }
        let (base, operator) = parts(name);
        match (Column::find(self.resource, base), operator) {
            (Some(_), None) if is_reserved(name) => Meaning::Nothing,
            (Some(column), None | Some("eq")) => Meaning::Filter(column),
            (Some(_), Some(_)) | (None, _) => Meaning::Nothing,
        }
    }

    /// Why a name means nothing here.
    fn nothing(&self, name: &str) -> String {
        let (base, operator) = parts(name);
        let column = Column::find(self.resource, base);
        if let (None, Some((word, instead))) =
            (operator, LATER.iter().find(|(word, _)| *word == name))
        {
            let field = column.map_or_else(String::new, |_| {
                format!("; to filter by the field of that name, use {word}[eq]")
            });
            return format!("is not in this version: {instead}{field}");
        }
        match (column, operator) {
            (Some(_), Some(operator)) if OPERATORS_LATER.contains(&operator) => {
                format!("the operator {operator} is not in this version: use {base}=…")
            }
            (Some(_), _) => format!("has an operator that does not exist: use {base}=…"),
            (None, _) => {
                let columns = Column::all(self.resource).map(|column| column.name(self.resource));
                let hint = suggest::hint(base, WORDS.into_iter().chain(columns));
                format!("is not a parameter of this list{hint}")
            }
        }
    }

    fn parameter(&mut self, name: &str, term: Term<'_>, place: At<'_>) {
        if self.faults.len() >= VIOLATIONS_MAX {
            return;
        }
        let result = match self.meaning(name) {
            Meaning::Nothing if fault::on(Fault::UnknownParameterIgnored) => return,
            Meaning::Nothing => {
                self.unknown = true;
                self.fault(place(), self.nothing(name));
                return;
            }
            Meaning::Word(word) if self.words.contains(&word) => return self.repeated(place),
            Meaning::Filter(column) if self.columns.contains(&column) => {
                return self.repeated(place);
            }
            Meaning::Word(word) => {
                self.words.push(word);
                self.word(word, term)
            }
            Meaning::Filter(column) => {
                self.columns.push(column);
                self.value(column, term).map(|value| self.filters.push((column, value)))
            }
        };
        self.known.push(name.to_owned());
        if let Err(detail) = result {
            self.fault(place(), detail);
        }
    }

    fn repeated(&mut self, place: At<'_>) {
        self.unknown = true;
        self.fault(place(), "is there more than once");
    }

    fn word(&mut self, word: &str, term: Term<'_>) -> Result<(), String> {
        match word {
            "page" => self.query.page = whole(term, u32::MAX, "must be a whole number from 1")?,
            "limit" => {
                let most = self.settings.page_rows_max;
                let expected = format!("must be a whole number from 1 to {most}");
                self.query.limit = whole(term, most, &expected)?;
            }
            "count" => {
                self.query.count = match term.text() {
                    Some("exact") => Count::Exact,
                    Some("none") => Count::None,
                    _ => return Err("must be exact or none".to_owned()),
                }
            }
            "sort" => self.query.sort = self.sort(term)?,
            _ => self.query.fields = Some(self.fields(term)?),
        }
        Ok(())
    }

    fn sort(&self, term: Term<'_>) -> Result<Vec<Sort>, String> {
        let expected = "must be names of fields, separated by commas; - before a name puts the \
                        largest first";
        let names = term.names().ok_or(expected)?;
        let mut keys: Vec<Sort> = Vec::with_capacity(names.len().min(8));
        for name in names {
            let (descending, name) = match name.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, name),
            };
            let column = self.column(name)?;
            if !filterable(self.resource, column) {
                return Err(format!("{name} holds any JSON, which has no order"));
            }
            if keys.iter().any(|key| key.column == column) {
                return Err(format!("has {name} more than once"));
            }
            keys.push(Sort { column, descending });
        }
        if keys.is_empty() { Err(expected.to_owned()) } else { Ok(keys) }
    }

    fn fields(&self, term: Term<'_>) -> Result<Vec<Column>, String> {
        let expected = "must be names of fields, separated by commas";
        let names = term.names().ok_or(expected)?;
        let mut columns = Vec::with_capacity(names.len().min(16));
        for name in names {
            let column = self.column(name)?;
            if columns.contains(&column) {
                return Err(format!("has {name} more than once"));
            }
            columns.push(column);
        }
        if columns.is_empty() { Err(expected.to_owned()) } else { Ok(columns) }
    }

    fn column(&self, name: &str) -> Result<Column, String> {
        Column::find(self.resource, name).ok_or_else(|| {
            let names = || Column::all(self.resource).map(|column| column.name(self.resource));
            let hint = suggest::hint(name, names());
            let known: Vec<_> = names().collect();
            let name = suggest::quoted(name);
            format!("{name} is not a field{hint}; the fields are {}", known.join(", "))
        })
    }

    /// The value of a filter, in the kind of its column.
    fn value(&self, column: Column, term: Term<'_>) -> Result<Value, String> {
        let (kind, field) = match column {
            Column::CreatedAt | Column::UpdatedAt => {
                let moment = term.text().and_then(Timestamp::parse);
                let expected = "must be a date and time, such as 2026-02-06T10:30:00.000Z";
                return match moment {
                    Some(moment) => Ok(Value::Text(moment.text())),
                    None => Err(expected.to_owned()),
                };
            }
            Column::Id if self.resource.id == IdKind::Integer => (Kind::Integer, None),
            Column::Id => (Kind::Text, None),
            Column::Field(index) => {
                let field = &self.resource.fields[index];
                (field.kind, Some(field))
            }
        };
        match kind {
            Kind::Text => match term.text() {
                Some(text) if text.contains('\0') => {
                    Err("must not contain the character U+0000".to_owned())
                }
                Some(text) if column == Column::Id && self.resource.id.read(text).is_none() => {
                    Err(format!("must be {}", expected_id(self.resource.id)))
                }
                Some(text) => Ok(Value::Text(text.to_owned())),
                None => Err("must be a string".to_owned()),
            },
            Kind::Integer => {
                let (range, expected) = match field {
                    Some(field) => integer_range(field),
                    None => (1..=crate::value::ID_MAX, "must be a whole number from 1 to 2^53-1"),
                };
                let number = term.number("must be a whole number")?;
                let number = json::integer(&number).ok_or("must be a whole number")?;
                let number = i64::try_from(number).ok().filter(|number| range.contains(number));
                number.map(Value::Integer).ok_or_else(|| expected.to_owned())
            }
            Kind::Number => {
                let number = term.number("must be a number, such as 19.99")?;
                number.as_f64().map(Value::Number).ok_or_else(|| "must be a number".to_owned())
            }
            Kind::Boolean => {
                term.boolean().map(Value::Boolean).ok_or_else(|| "must be true or false".to_owned())
            }
            Kind::Json => Err("holds any JSON, and cannot be filtered by".to_owned()),
        }
    }

    fn finish(mut self, place: &dyn Fn(&str) -> Place) -> Result<Read, Rejection> {
        let most = self.settings.offset_rows_max;
        if self.query.offset() > most {
            let last = most / u64::from(self.query.limit.max(1)) + 1;
            let detail = format!(
                "reaches beyond {most} records: with this limit the last page is {last}; filter, \
                 or sort the other way, to find what is farther"
            );
            self.fault(place("page"), detail);
        }
        if !self.faults.is_empty() {
            let detail = if self.unknown {
                format!("Known parameters: {}.", known(self.resource))
            } else {
                "A parameter has a value that does not fit.".to_owned()
            };
            let (unknown, violations, known) = (self.unknown, self.faults, self.known);
            return Err(Rejection { unknown, detail, violations, known });
        }
        // One order for one meaning: equal lists have one ETag and one prepared statement.
        self.filters.sort_by_key(|(column, _)| match column {
            Column::Id => (0, 0),
            Column::Field(index) => (1, *index),
            Column::CreatedAt => (2, 0),
            Column::UpdatedAt => (3, 0),
        });
        let compare =
            |(column, value)| Filter::Compare { column, operator: Operator::Equal, value };
        self.query.filter = Filter::All(self.filters.into_iter().map(compare).collect());
        Ok(Read { query: self.query, known: self.known })
    }
}

/// Reads a number of pages or records, from 1.
fn whole(term: Term<'_>, most: u32, expected: &str) -> Result<u32, String> {
    let number = term.number("").ok().and_then(|number| json::integer(&number));
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (1..=most).contains(number)).ok_or_else(|| expected.to_owned())
}
