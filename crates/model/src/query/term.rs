//! Terms: what stands behind a name in a query, as text or as JSON, and the value that it means
//! where a column says of which kind it is.

use serde_json::Value as Json;

use super::{Column, Comparison};
use crate::model::{Field, IdKind, Kind, Resource};
use crate::record::{expected_id, integer_range};
use crate::value::{ID_MAX, Timestamp, Value};
use crate::{form, json, schema};

/// Most values of one `in`.
const VALUES_MAX: usize = 1000;

/// Formats whose texts compare as what they mean: a text of another form would match nothing.
const TYPED_FORMATS: [&str; 4] = ["date", "time", "date-time", "uuid"];

/// The operators, in the order in which a query is written.
pub(super) const OPERATORS: [&str; 9] =
    ["eq", "ne", "in", "gt", "gte", "lt", "lte", "prefix", "null"];

/// A value as it was sent.
#[derive(Clone, Copy)]
pub(crate) enum Term<'a> {
    Text(&'a str),
    Json(&'a Json),
}

impl<'a> Term<'a> {
    pub(super) fn text(self) -> Option<&'a str> {
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

    pub(super) fn boolean(self) -> Option<bool> {
        match self {
            Self::Text("true") => Some(true),
            Self::Text("false") => Some(false),
            Self::Text(_) => None,
            Self::Json(value) => value.as_bool(),
        }
    }

    /// The names of a list: separated by commas, or the items of an array.
    pub(super) fn names(self) -> Option<Vec<&'a str>> {
        match self {
            Self::Json(Json::Array(items)) => items.iter().map(Json::as_str).collect(),
            _ => Some(self.text()?.split(',').collect()),
        }
    }
}

/// Reads a number of pages or records, from 1.
pub(super) fn whole(term: Term<'_>, most: u32, expected: &str) -> Result<u32, String> {
    let number = term.number("").ok().and_then(|number| json::integer(&number));
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (1..=most).contains(number)).ok_or_else(|| expected.to_owned())
}

/// What a value is compared for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be the same: it has to be a value that the column can have.
    Equality,
    /// To divide right behind it (`gt`, `lte`): it has to be of the column's kind.
    Behind,
    /// To divide right before it (`gte`, `lt`): it has to be of the column's kind.
    Before,
}

/// Reads the term of an operator that exists, in the kind of its column.
pub(crate) fn comparison(
    resource: &Resource,
    column: Column,
    operator: &str,
    term: Term<'_>,
) -> Result<Comparison, String> {
    let is_null = matches!(term, Term::Json(Json::Null));
    let kind = column.kind(resource);
    if kind == Kind::Json && operator != "null" && !is_null {
        return Err("holds any JSON, which only [null] can be asked of".to_owned());
    }
    let order = |purpose| value(resource, column, term, purpose);
    match operator {
        "eq" if is_null => Ok(Comparison::Null),
        "ne" if is_null => Ok(Comparison::NotNull),
        "eq" => value(resource, column, term, Purpose::Equality).map(Comparison::Equal),
        "ne" => value(resource, column, term, Purpose::Equality).map(Comparison::NotEqual),
        "in" => values(resource, column, term).map(Comparison::In),
        "gt" => order(Purpose::Behind).map(Comparison::Greater),
        "gte" => order(Purpose::Before).map(Comparison::GreaterOrEqual),
        "lt" => order(Purpose::Before).map(Comparison::Less),
        "lte" => order(Purpose::Behind).map(Comparison::LessOrEqual),
        "prefix" if kind != Kind::Text => {
            Err("is no text, and only a text has a beginning".to_owned())
        }
        "prefix" => text(term).map(|text| Comparison::Prefix(text.to_owned())),
        _ => match term.boolean() {
            Some(true) => Ok(Comparison::Null),
            Some(false) => Ok(Comparison::NotNull),
            None => Err("must be true (no value) or false (any value)".to_owned()),
        },
    }
}

fn values(resource: &Resource, column: Column, term: Term<'_>) -> Result<Vec<Value>, String> {
    let expected = "must be values separated by commas; one that holds a comma or a quote stands \
                    in double quotes, and a quote inside it is doubled";
    let read = |term| value(resource, column, term, Purpose::Equality);
    let mut values: Vec<Value> = match term {
        Term::Json(Json::Array(items)) => {
            items.iter().map(|item| read(Term::Json(item))).collect::<Result<_, _>>()?
        }
        Term::Json(item) => vec![read(Term::Json(item))?],
        Term::Text(text) => {
            let texts = quoted_list(text).ok_or(expected)?;
            texts.iter().map(|text| read(Term::Text(text))).collect::<Result<_, _>>()?
        }
    };
    if values.is_empty() {
        return Err(expected.to_owned());
    }
    if values.len() > VALUES_MAX {
        return Err(format!("takes at most {VALUES_MAX} values"));
    }
    let mut at = 0;
    while at < values.len() {
        // Equal lists have one text; which of two equal values stands first says nothing.
        if values[..at].contains(&values[at]) { drop(values.remove(at)) } else { at += 1 }
    }
    Ok(values)
}

/// Splits at commas outside double quotes, as in CSV (RFC 4180 §2). None where a quote is not
/// closed, or something stands behind a closed one.
fn quoted_list(text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            match rest.split_once(',') {
                Some((value, behind)) => {
                    out.push(value.to_owned());
                    rest = behind;
                    continue;
                }
                None => {
                    out.push(rest.to_owned());
                    return Some(out);
                }
            }
        };
        let mut value = String::new();
        let mut inside = quoted;
        loop {
            let (part, behind) = inside.split_once('"')?;
            value.push_str(part);
            inside = behind;
            match inside.strip_prefix('"') {
                Some(behind) => {
                    value.push('"');
                    inside = behind;
                }
                None => break,
            }
        }
        out.push(value);
        if inside.is_empty() {
            return Some(out);
        }
        rest = inside.strip_prefix(',')?;
    }
}

fn text(term: Term<'_>) -> Result<&str, String> {
    match term.text() {
        Some(text) if text.contains('\0') => {
            Err("must not contain the character U+0000".to_owned())
        }
        Some(text) => Ok(text),
        None => Err("must be a string".to_owned()),
    }
}

/// The value of a comparison, in the kind of its column.
fn value(
    resource: &Resource,
    column: Column,
    term: Term<'_>,
    purpose: Purpose,
) -> Result<Value, String> {
    if matches!(column, Column::CreatedAt | Column::UpdatedAt) {
        return moment(term, purpose).map(|it| Value::Text(it.text())).map_err(str::to_owned);
    }
    let field = column.field(resource);
    match column.kind(resource) {
        Kind::Text => {
            let text = text(term)?;
            if column == Column::Id && purpose == Purpose::Equality {
                let fits = resource.id.read(text).is_some();
                return if fits {
                    Ok(Value::Text(text.to_owned()))
                } else {
                    Err(format!("must be {}", expected_id(resource.id)))
                };
            }
            let format = field.and_then(|field| field.schema.format());
            if let Some(format) = format.filter(|format| TYPED_FORMATS.contains(format)) {
                schema::refuse_format(format, text)?;
            }
            Ok(Value::Text(text.to_owned()))
        }
        Kind::Integer => integer(resource, field, term, purpose).map(Value::Integer),
        Kind::Number => {
            let number = term.number("must be a number, such as 19.99")?;
            number.as_f64().map(Value::Number).ok_or_else(|| "must be a number".to_owned())
        }
        Kind::Boolean => {
            term.boolean().map(Value::Boolean).ok_or_else(|| "must be true or false".to_owned())
        }
        Kind::Json => Err("holds any JSON, which only [null] can be asked of".to_owned()),
    }
}

/// A moment to compare those with that the server keeps, which are whole milliseconds: clients
/// send more digits, and what lies between two of them must not count as either.
fn moment(term: Term<'_>, purpose: Purpose) -> Result<Timestamp, &'static str> {
    let expected = "must be a date and time, such as 2026-02-06T10:30:00.000Z";
    let (floor, ceiling) = term.text().and_then(Timestamp::around).ok_or(expected)?;
    match purpose {
        Purpose::Equality if floor != ceiling => {
            Err("has more digits than a millisecond, and no record does: cut them off")
        }
        Purpose::Equality | Purpose::Behind => Ok(floor),
        Purpose::Before => Ok(ceiling),
    }
}

fn integer(
    resource: &Resource,
    field: Option<&Field>,
    term: Term<'_>,
    purpose: Purpose,
) -> Result<i64, String> {
    let (range, expected) = match (field, purpose) {
        (Some(field), _) => integer_range(field),
        (None, Purpose::Equality) => (1..=ID_MAX, expected_whole_id(resource.id)),
        (None, Purpose::Behind | Purpose::Before) => {
            (-ID_MAX..=ID_MAX, "must be a whole number within ±(2^53-1)")
        }
    };
    let number = term.number("must be a whole number")?;
    let number = json::integer(&number).ok_or("must be a whole number")?;
    let number = i64::try_from(number).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| expected.to_owned())
}

fn expected_whole_id(kind: IdKind) -> &'static str {
    match kind {
        IdKind::Integer => "must be a whole number from 1 to 2^53-1",
        IdKind::Uuid | IdKind::Text => expected_id(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted_list;

    #[test]
    fn a_list_is_split_at_commas_outside_quotes() {
        let split = |text| quoted_list(text).map(|values| values.join("|"));
        assert_eq!(split("a,b").as_deref(), Some("a|b"));
        assert_eq!(split("").as_deref(), Some(""));
        assert_eq!(split("a,,b").as_deref(), Some("a||b"));
        assert_eq!(split("\"a,b\",c").as_deref(), Some("a,b|c"));
        assert_eq!(split("\"a\"\"b\"").as_deref(), Some("a\"b"));
        assert_eq!(split("a\"b").as_deref(), Some("a\"b"));
        assert_eq!(split("\"a"), None);
        assert_eq!(split("\"a\"b"), None);
        assert_eq!(split("\"a\",").as_deref(), Some("a|"));
    }
}
