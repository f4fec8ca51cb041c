//! JSON: ours takes what `serde_json` takes, but for what it promises to refuse; the canonical
//! text means the same, and is one.

use model::json::{self, Fault};
use serde_json::Value;

pub(crate) fn json(data: &[u8]) {
    let bare = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let theirs = serde_json::from_slice::<Value>(bare);
    match json::parse(data) {
        Ok(ours) => {
            match theirs {
                Ok(theirs) => assert!(same(&ours, &theirs), "{ours} is not {theirs}"),
                // Theirs overflows just before the largest number that binary64 has.
                Err(error) => assert!(error.to_string().contains("out of range"), "{error}"),
            }
            assert!(json::depth(&ours) <= json::DEPTH_MAX);
            canonical(&ours);
        }
        Err(fault) => {
            is_placed(&fault, bare);
            assert!(theirs.is_err() || is_stricter(&fault), "refused without need: {fault:?}");
        }
    }
}

/// What is refused although RFC 8259 leaves the choice.
fn is_stricter(fault: &Fault) -> bool {
    fault.semantic || fault.detail.contains("twice") || fault.detail.contains("deeper")
}

/// A fault lies inside the text, and its pointer is one.
fn is_placed(fault: &Fault, text: &[u8]) {
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    assert!((1..=lines.len()).contains(&fault.line), "{fault:?}");
    assert!((1..=lines[fault.line - 1].len() + 1).contains(&fault.column), "{fault:?}");
    assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{fault:?}");
    assert!(!fault.detail.is_empty());
}

/// The canonical text is read as the same value, and has itself as its canonical text.
fn canonical(value: &Value) {
    let text = json::canonical(value);
    let again = read(text.as_bytes());
    assert!(json::equal(value, &again), "{value} became {again}");
    assert_eq!(json::canonical(&again), text);
    let written = read(value.to_string().as_bytes());
    assert!(json::equal(value, &written), "{value} came back as {written}");
    assert_eq!(json::canonical(&written), text);
}

/// Reads what we wrote ourselves.
pub(crate) fn read(text: &[u8]) -> Value {
    json::parse(text).unwrap_or_else(|fault| {
        panic!("cannot read back {}: {fault:?}", String::from_utf8_lossy(text))
    })
}

/// Equality, but for the last digit of a fraction: `serde_json` reads those quickly, not exactly.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => match (ours.as_i128(), theirs.as_i128()) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => ours.as_f64().zip(theirs.as_f64()).is_some_and(|(ours, theirs)| {
                (ours - theirs).abs() <= ours.abs() * 1e-15 + f64::from_bits(4)
            }),
        },
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let names = ours.keys().eq(theirs.keys());
            names && ours.values().zip(theirs.values()).all(|(a, b)| same(a, b))
        }
        _ => ours == theirs,
    }
}
