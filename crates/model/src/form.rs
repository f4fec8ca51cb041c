//! Forms into JSON: every control sends text, and the declaration knows what was meant.

use std::collections::HashSet;

use contract::problem::Violation;
use serde_json::{Map, Value};

use crate::json;
use crate::model::{Field, IdKind, Kind, Resource};
use crate::schema::{Schema, Type, VIOLATIONS_MAX};

/// Turns the pairs of a form into the JSON document that they mean, to be read as a record.
///
/// A text becomes what its field holds; an empty control of a field that may be left out is left
/// out, and one of a nullable field is null; a checkbox (`on`) is true; an array is its name
/// repeated, or one JSON array. Names that are no fields are kept, so that the record's reader can
/// refuse them with a suggestion.
///
/// # Errors
/// Texts that are not of their field's type, and repeated names of fields that hold one value.
pub fn read_pairs(
    resource: &Resource,
    pairs: &[(String, String)],
) -> Result<Value, Vec<Violation>> {
    let mut document = Map::new();
    let mut seen = HashSet::new();
    let mut faults = Vec::new();
    for (name, text) in pairs {
        let field = resource.field(name).map(|(_, field)| field).filter(|field| field.exists());
        let read = match field {
            Some(field) if field.schema.is_array() => {
                array(field, &mut document, text);
                continue;
            }
            _ if !seen.insert(name) => Err("is there more than once, and holds one value"),
            Some(field) => scalar(field, text),
            None if name == "id" && resource.id == IdKind::Integer => {
                number(text, "must be a whole number").map(Some)
            }
            None => Ok(Some(Value::String(text.clone()))),
        };
        match read {
            Ok(Some(value)) => {
                document.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(_) if faults.len() >= VIOLATIONS_MAX => break,
            Err(detail) => {
                faults.push(Violation::at(format!("/{}", json::escape(name)), detail));
            }
        }
    }
    if faults.is_empty() { Ok(Value::Object(document)) } else { Err(faults) }
}

/// Reads the text of a control; `None`: it says nothing.
fn scalar(field: &Field, text: &str) -> Result<Option<Value>, &'static str> {
    // Empty text is a text of its own only where a text must or may stand.
    let has_other = field.optional || (field.kind != Kind::Text && field.default.is_some());
    if text.is_empty() {
        if field.nullable {
            return Ok(Some(Value::Null));
        }
        if has_other || field.kind != Kind::Text {
            return Ok(None);
        }
    }
    match field.kind {
        Kind::Text => Ok(Some(Value::String(text.to_owned()))),
        Kind::Integer => number(text, "must be a whole number").map(Some),
        Kind::Number => number(text, "must be a number, such as 19.99").map(Some),
        Kind::Boolean => match text {
            "true" | "on" => Ok(Some(Value::Bool(true))),
            "false" | "off" => Ok(Some(Value::Bool(false))),
            _ => Err("must be true or false"),
        },
        Kind::Json => Ok(Some(json_or_text(text, 1))),
    }
}

/// Reads the text of a cell of CSV; `None`: it says nothing. As a form's, but that a text of
/// nothing can be told from nothing by its quotes, and that spreadsheets write TRUE and FALSE.
///
/// # Errors
/// What the text must be instead.
pub(crate) fn cell(field: &Field, text: &str, quoted: bool) -> Result<Option<Value>, &'static str> {
    if text.is_empty() {
        let is_text = matches!(field.kind, Kind::Text | Kind::Json) && !field.schema.is_array();
        return Ok(match quoted && is_text {
            true => Some(Value::String(String::new())),
            false => field.nullable.then_some(Value::Null),
        });
    }
    if field.schema.is_array() {
        return Ok(Some(match parse(text, 1) {
            Some(Value::Array(items)) => Value::Array(items),
            _ => Value::Array(vec![item(field.schema.items(), text)]),
        }));
    }
    match field.kind {
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Ok(Some(Value::Bool(true))),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Ok(Some(Value::Bool(false))),
        _ => scalar(field, text),
    }
}

/// Adds the text of a control to the array of its name.
fn array(field: &Field, document: &mut Map<String, Value>, text: &str) {
    let present = document.contains_key(&field.name);
    if text.is_empty() && (present || field.optional || field.default.is_some()) {
        return;
    }
    let place = document.entry(field.name.clone()).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(items) = place else { return };
    if text.is_empty() {
        return;
    }
    match parse(text, 1) {
        Some(Value::Array(sent)) if !present => items.extend(sent),
        _ => items.push(item(field.schema.items(), text)),
    }
}

/// An item of an array, as the type of its schema reads it.
fn item(schema: Option<&Schema>, text: &str) -> Value {
    match schema.and_then(Schema::types) {
        Some(types) if types.contains(&Type::String) => Value::String(text.to_owned()),
        _ => json_or_text(text, 2),
    }
}

/// A text that is no JSON means itself, as does one that would make a document of `around` more
/// levels deeper than one that can be sent as JSON: it could be kept, and not be sent back.
fn json_or_text(text: &str, around: usize) -> Value {
    parse(text, around).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn parse(text: &str, around: usize) -> Option<Value> {
    let value = json::parse(text.as_bytes()).ok()?;
    (json::depth(&value) + around <= json::DEPTH_MAX).then_some(value)
}

/// Reads a number by the grammar of JSON. Surrounding space is a slip of the hand.
pub(crate) fn number(text: &str, expected: &'static str) -> Result<Value, &'static str> {
    match json::parse(text.trim_matches(' ').as_bytes()) {
        Ok(number @ Value::Number(_)) => Ok(number),
        _ => Err(expected),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contract::problem::Place;
    use serde_json::{Value, json};

    use super::read_pairs;
    use crate::sample::{model, people};

    fn pairs(form: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(form.as_bytes()).into_owned().collect()
    }

    fn read(form: &str) -> Value {
        read_pairs(&people(), &pairs(form)).expect(form)
    }

    #[test]
    fn texts_become_what_their_fields_hold() {
        for (form, document) in [
            ("", json!({})),
            (
                "name=Bob&age=5&score=1.5&active=true",
                json!({"name": "Bob", "age": 5, "score": 1.5, "active": true}),
            ),
            ("name=5", json!({"name": "5"})),
            ("age=+5+&score=1e3", json!({"age": 5, "score": 1000.0})),
            ("active=on", json!({"active": true})),
            ("active=off", json!({"active": false})),
            ("boss=3&team=3", json!({"boss": 3, "team": "3"})),
            ("data={\"a\":[1]}", json!({"data": {"a": [1]}})),
            ("data=plain+text", json!({"data": "plain text"})),
            ("data=5", json!({"data": 5})),
            ("big=-9223372036854775808", json!({"big": i64::MIN})),
            ("tags=a&tags=b", json!({"tags": ["a", "b"]})),
            ("tags=1", json!({"tags": ["1"]})),
            ("tags=[\"a\",\"b\"]", json!({"tags": ["a", "b"]})),
            ("id=5&other=x", json!({"id": 5, "other": "x"})),
        ] {
            assert_eq!(read(form), document, "{form}");
        }
    }

    #[test]
    fn an_empty_control_says_nothing_where_nothing_can_be_said() {
        for (form, document) in [
            ("email=", json!({})),
            ("age=", json!({"age": null})),
            ("score=", json!({})),
            ("boss=&data=&tags=", json!({})),
            ("name=", json!({"name": ""})),
        ] {
            assert_eq!(read(form), document, "{form}");
        }
        assert_eq!(
            read_pairs(&model().resources[1], &pairs("page=")).unwrap(),
            json!({"page": ""})
        );
    }

    #[test]
    fn texts_of_another_type_and_repeated_names_are_refused() {
        for (form, pointer) in [
            ("age=abc", "/age"),
            ("age=0x10", "/age"),
            ("age=1_000", "/age"),
            ("score=NaN", "/score"),
            ("score=inf", "/score"),
            ("score=1e999", "/score"),
            ("score=1,5", "/score"),
            ("score=-0", "/score"),
            ("active=yes", "/active"),
            ("id=x", "/id"),
            ("name=a&name=b", "/name"),
            ("email=&email=a@b.c", "/email"),
            ("x/y=1&x/y=1", "/x~1y"),
        ] {
            let faults = read_pairs(&people(), &pairs(form)).expect_err(form);
            assert_eq!(faults.len(), 1, "{form}");
            assert_eq!(faults[0].place, Place::Pointer(pointer.to_owned()), "{form}");
        }
        let many = pairs(&"a=1&".repeat(100_000));
        assert_eq!(read_pairs(&people(), &many).unwrap_err().len(), 100);
    }
}
