//! A value of one kind as a value of another, where there is exactly one that it can mean.

use model::json;
use model::model::Kind;
use model::value::Value;

/// The value in another kind. None where it has no meaning there.
pub(crate) fn convert(value: &Value, to: Kind) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Boolean(truth) => of_boolean(*truth, to),
        Value::Integer(number) => of_integer(*number, to),
        Value::Number(number) => of_number(*number, to),
        Value::Text(text) => of_text(text, to),
        Value::Json(text) => of_json(text, to),
    }
}

/// True where the way back leads to the very value: then nothing of it was lost.
pub(crate) fn is_exact(value: &Value, from: Kind, converted: &Value) -> bool {
    convert(converted, from).as_ref() == Some(value)
}

fn of_boolean(truth: bool, to: Kind) -> Option<Value> {
    Some(match to {
        Kind::Boolean => Value::Boolean(truth),
        Kind::Integer => Value::Integer(i64::from(truth)),
        Kind::Number => Value::Number(f64::from(u8::from(truth))),
        Kind::Text => Value::Text(truth.to_string()),
        Kind::Json => Value::Json(truth.to_string()),
    })
}

fn of_integer(number: i64, to: Kind) -> Option<Value> {
    match to {
        Kind::Integer => Some(Value::Integer(number)),
        Kind::Number => {
            let near = number as f64;
            (near as i128 == i128::from(number)).then_some(Value::Number(near))
        }
        Kind::Boolean => match number {
            0 => Some(Value::Boolean(false)),
            1 => Some(Value::Boolean(true)),
            _ => None,
        },
        Kind::Text => Some(Value::Text(number.to_string())),
        Kind::Json => Some(Value::Json(number.to_string())),
    }
}

fn of_number(number: f64, to: Kind) -> Option<Value> {
    /// The first binary64 number beyond 64 bits.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let is_whole = number.fract() == 0.0 && (-BEYOND..BEYOND).contains(&number);
    match to {
        Kind::Number => Some(Value::Number(number)),
        Kind::Integer => is_whole.then_some(Value::Integer(number as i64)),
        Kind::Boolean if is_whole => of_integer(number as i64, Kind::Boolean),
        Kind::Boolean => None,
        Kind::Text => Some(Value::Text(json::number(number).to_string())),
        Kind::Json => Some(Value::Json(json::number(number).to_string())),
    }
}

fn of_text(text: &str, to: Kind) -> Option<Value> {
    match to {
        Kind::Text => Some(Value::Text(text.to_owned())),
        Kind::Integer => text.parse().ok().map(Value::Integer),
        Kind::Number => {
            let number: f64 = text.parse().ok()?;
            // Names of numbers that JSON does not have, and the zero that no record holds.
            let fits = text.bytes().all(|byte| b"0123456789+-.eE".contains(&byte))
                && number.is_finite()
                && !(number == 0.0 && number.is_sign_negative());
            fits.then_some(Value::Number(number))
        }
        Kind::Boolean => match text {
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            _ => None,
        },
        Kind::Json => Some(Value::Json(serde_json::Value::from(text).to_string())),
    }
}

fn of_json(text: &str, to: Kind) -> Option<Value> {
    if to == Kind::Json {
        return Some(Value::Json(text.to_owned()));
    }
    match (json::parse(text.as_bytes()).ok()?, to) {
        (serde_json::Value::String(text), Kind::Text) => Some(Value::Text(text)),
        (serde_json::Value::Bool(truth), Kind::Boolean) => Some(Value::Boolean(truth)),
        (serde_json::Value::Number(number), Kind::Integer) => match number.as_i64() {
            Some(whole) => Some(Value::Integer(whole)),
            None => of_number(number.as_f64()?, Kind::Integer),
        },
        (serde_json::Value::Number(number), Kind::Number) => match number.as_i64() {
            Some(whole) => of_integer(whole, Kind::Number),
            None => number.as_f64().map(Value::Number),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn what_can_be_said_otherwise_is_and_the_rest_is_not() {
        let json = |text: &str| Value::Json(text.to_owned());
        for (from, value, to, expected, exact) in [
            (Kind::Integer, Value::Integer(7), Kind::Number, Some(Value::Number(7.0)), true),
            (Kind::Integer, Value::Integer((1 << 53) + 1), Kind::Number, None, false),
            (Kind::Integer, Value::Integer(-7), Kind::Text, Some(text("-7")), true),
            (Kind::Integer, Value::Integer(2), Kind::Boolean, None, false),
            (Kind::Number, Value::Number(2.0), Kind::Integer, Some(Value::Integer(2)), true),
            (Kind::Number, Value::Number(2.5), Kind::Integer, None, false),
            (Kind::Number, Value::Number(1e300), Kind::Integer, None, false),
            (Kind::Number, Value::Number(0.1), Kind::Text, Some(text("0.1")), true),
            (Kind::Boolean, Value::Boolean(true), Kind::Text, Some(text("true")), true),
            (Kind::Boolean, Value::Boolean(true), Kind::Integer, Some(Value::Integer(1)), true),
            (Kind::Text, text("12"), Kind::Integer, Some(Value::Integer(12)), true),
            (Kind::Text, text("007"), Kind::Integer, Some(Value::Integer(7)), false),
            (Kind::Text, text("1.50"), Kind::Number, Some(Value::Number(1.5)), false),
            (Kind::Text, text("inf"), Kind::Number, None, false),
            (Kind::Text, text("-0"), Kind::Number, None, false),
            (Kind::Text, text("twelve"), Kind::Integer, None, false),
            (Kind::Text, text("True"), Kind::Boolean, None, false),
            (Kind::Text, text("a\"b"), Kind::Json, Some(json(r#""a\"b""#)), true),
            (Kind::Json, json("{}"), Kind::Text, None, false),
            (Kind::Json, json("null"), Kind::Text, None, false),
            (Kind::Json, json("3"), Kind::Integer, Some(Value::Integer(3)), true),
            (Kind::Json, json("3.0"), Kind::Integer, Some(Value::Integer(3)), false),
        ] {
            let converted = convert(&value, to);
            assert_eq!(converted, expected, "{value:?} as {to:?}");
            let kept = converted.is_some_and(|converted| is_exact(&value, from, &converted));
            assert_eq!(kept, exact, "{value:?} as {to:?} and back");
        }
    }
}
