//! The declaration exactly as it was written: a tree in the order of the file, in which every
//! key and every value knows its place.

use crate::complaint::{Complaint, Span};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) written: Written,
    pub(crate) span: Span,
    /// Where a text begins that stands in the file exactly as it is, without escapes.
    pub(crate) begins: Option<usize>,
}

/// A value as TOML has it.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// A date, a time or both, as TOML writes it without quotes.
    Moment(String),
    List(Vec<Node>),
    Table(Table),
}

/// A table: its entries in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

/// What stands in where a table was expected and something else was written.
pub(crate) static EMPTY: Table = Table { entries: Vec::new() };

/// The largest declaration that is read, in bytes: a thousand resources fit well.
const TEXT_BYTES_MAX: usize = 4 << 20;
/// How deep values may nest: far more than JSON Schema needs, far less than a stack holds.
const DEPTH_MAX: usize = 64;

/// The tree of a declaration, and whether the text was TOML at all. Where it was not, the tree
/// is what could be made of it, and further complaints about it would mislead.
pub(crate) struct Source {
    pub(crate) root: Table,
    pub(crate) broken: bool,
}

/// Reads the text.
pub(crate) fn read(text: &str, complaints: &mut Vec<Complaint>) -> Source {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the declaration is larger than {} MiB", TEXT_BYTES_MAX >> 20);
        complaints.push(Complaint::error(0..0, message, None));
        return Source { root: Table::default(), broken: true };
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    let broken = syntax(text, &errors, complaints);
    let root = table(text, root.get_ref(), 0, complaints);
    Source { root, broken }
}

/// Complains about the text's syntax: of the errors that follow from an earlier one only the
/// first is shown, but every key that is there twice.
fn syntax(text: &str, errors: &[toml::de::Error], complaints: &mut Vec<Complaint>) -> bool {
    let mut broken = false;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(text.len())..span.end.min(text.len());
        if error.message().starts_with("duplicate key") {
            let help = "keep one of the two".to_owned();
            complaints.push(Complaint::error(span, "this key is there twice", Some(help)));
        } else if !broken {
            broken = true;
            let message = format!("this is not TOML: {}", error.message());
            let help =
                "mend this first: everything else is checked when the file can be read".to_owned();
            complaints.push(Complaint::error(span, message, Some(help)));
        }
    }
    broken
}

fn table(text: &str, table: &DeTable<'_>, depth: usize, complaints: &mut Vec<Complaint>) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            node: node(text, value, depth + 1, complaints),
        })
        .collect();
    // The parser sorts by name. People expect the order in which they wrote.
    entries.sort_by_key(|entry| entry.key_span.start);
    Table { entries }
}

fn node(
    text: &str,
    value: &Spanned<DeValue<'_>>,
    depth: usize,
    complaints: &mut Vec<Complaint>,
) -> Node {
    let span = value.span();
    if depth > DEPTH_MAX {
        let message = format!("values nest deeper than {DEPTH_MAX} levels");
        complaints.push(Complaint::error(span.clone(), message, None));
        return Node { written: Written::Table(Table::default()), span, begins: None };
    }
    let written = match value.get_ref() {
        DeValue::String(value) => Written::Text(value.to_string()),
        DeValue::Integer(number) => Written::Integer(integer(number, &span, complaints)),
        DeValue::Float(number) => Written::Number(float(number.as_str(), &span, complaints)),
        DeValue::Boolean(truth) => Written::Boolean(*truth),
        DeValue::Datetime(moment) => Written::Moment(moment.to_string()),
        DeValue::Array(items) => Written::List(
            items.iter().map(|item| node(text, item, depth + 1, complaints)).collect(),
        ),
        DeValue::Table(inner) => Written::Table(table(text, inner, depth, complaints)),
    };
    let begins = match &written {
        Written::Text(value) => begins(text, &span, value),
        _ => None,
    };
    Node { written, span, begins }
}

/// Where a value begins behind its quotes, if it stands there as it is.
fn begins(text: &str, span: &Span, value: &str) -> Option<usize> {
    let written = text.get(span.clone())?;
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|it| written.starts_with(it))?;
    let inside = &written[quotes.len()..];
    // A line feed right behind three quotes is none of the text.
    let skipped = if inside.starts_with(value) { 0 } else { inside.find('\n')? + 1 };
    let is_there = inside.get(skipped..).is_some_and(|rest| rest.starts_with(value));
    (is_there && skipped <= 2).then_some(span.start + quotes.len() + skipped)
}

fn integer(number: &DeInteger<'_>, span: &Span, complaints: &mut Vec<Complaint>) -> i64 {
    i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
        let message = "this integer does not fit 64 bits";
        complaints.push(Complaint::error(span.clone(), message, None));
        0
    })
}

fn float(text: &str, span: &Span, complaints: &mut Vec<Complaint>) -> f64 {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => number,
        _ => {
            let message = "this number is not finite: JSON has no inf and no nan";
            complaints.push(Complaint::error(span.clone(), message, None));
            0.0
        }
    }
}

impl Table {
    /// The entry of this key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }
}

impl Node {
    /// What it is, in words for a complaint.
    pub(crate) fn what(&self) -> &'static str {
        match &self.written {
            Written::Text(_) => "a string",
            Written::Integer(_) => "an integer",
            Written::Number(_) => "a number",
            Written::Boolean(_) => "a boolean",
            Written::Moment(_) => "a date or time",
            Written::List(_) => "an array",
            Written::Table(_) => "a table",
        }
    }

    /// The same value as JSON. A date or time becomes a string, as JSON has it.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.written {
            Written::Text(text) | Written::Moment(text) => Value::String(text.clone()),
            Written::Integer(number) => Value::from(*number),
            Written::Number(number) => Value::from(*number),
            Written::Boolean(truth) => Value::Bool(*truth),
            Written::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Written::Table(table) => Value::Object(
                table.entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect(),
            ),
        }
    }
}
