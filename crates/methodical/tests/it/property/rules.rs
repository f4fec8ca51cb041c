//! What the declaration of the property tests demands of a record, written by hand: the model
//! shares nothing with the program.

use serde_json::{Map, Value, json};

/// The resources, in the order of the declaration.
pub(super) const RESOURCES: [&str; 3] = ["things", "parts", "notes"];

/// The declared fields of a resource, in their order.
pub(super) fn fields(resource: &str) -> &'static [&'static str] {
    match resource {
        "things" => &["name", "code", "rank", "mood", "tags"],
        "parts" => &["of", "by", "on", "size"],
        _ => &["text"],
    }
}

/// The members of a document as they would be kept; None where it breaks a rule that does not
/// depend on other records. `id`, `createdAt` and `updatedAt` are not looked at.
pub(super) fn kept(resource: &str, document: &Value) -> Option<Map<String, Value>> {
    let members = document.as_object()?;
    let own = ["id", "createdAt", "updatedAt"];
    let known = |name: &str| own.contains(&name) || fields(resource).contains(&name);
    if !members.keys().all(|name| known(name)) {
        return None;
    }
    let mut out = Map::new();
    for &name in fields(resource) {
        match members.get(name) {
            Some(value) if fits(resource, name, value) => {
                out.insert(name.to_owned(), value.clone())
            }
            Some(_) => return None,
            None => match absent(resource, name)? {
                Value::Null if is_optional(resource, name) => None,
                value => out.insert(name.to_owned(), value),
            },
        };
    }
    Some(out)
}

fn fits(resource: &str, name: &str, value: &Value) -> bool {
    let number = |most: i64| value.as_i64().is_some_and(|number| (0..=most).contains(&number));
    match (resource, name) {
        (_, "name") => value.as_str().is_some_and(|text| (1..=12).contains(&text.chars().count())),
        (_, "rank") => number(9),
        (_, "size") => number(i64::MAX),
        (_, "mood") => value.is_null() || value.is_string(),
        (_, "tags") => value
            .as_array()
            .is_some_and(|items| items.len() <= 4 && items.iter().all(Value::is_string)),
        // Ids of things.
        (_, "of" | "by" | "on") => value.as_str().is_some_and(|id| id != "a b"),
        _ => value.is_string(),
    }
}

fn is_optional(resource: &str, name: &str) -> bool {
    matches!((resource, name), ("things", "code") | ("parts", "by" | "on"))
}

/// What stands where nothing was sent: null for nothing. None: it is required.
fn absent(resource: &str, name: &str) -> Option<Value> {
    match name {
        "rank" => Some(json!(3)),
        "tags" => Some(json!([])),
        "size" => Some(json!(1)),
        _ if is_optional(resource, name) => Some(Value::Null),
        _ => None,
    }
}

/// The references of a part, with what they refer to.
pub(super) fn references(values: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    ["of", "by", "on"].into_iter().filter_map(|name| Some((name, values.get(name)?.as_str()?)))
}

/// What a field is compared by: one spelling a fold, nothing before everything.
pub(super) fn compared(name: &str, value: Option<&Value>) -> (u8, i64, String) {
    match value {
        None | Some(Value::Null) => (0, 0, String::new()),
        Some(Value::Number(number)) => (1, number.as_i64().unwrap_or_default(), String::new()),
        Some(Value::String(text)) if name == "name" => (2, 0, folded(text)),
        Some(Value::String(text)) => (2, 0, text.clone()),
        Some(other) => (3, 0, other.to_string()),
    }
}

/// The names that are drawn, each with its fold: Unicode's CaseFolding.txt, status C and F, after
/// canonical decomposition (Unicode §3.13, D145).
pub(super) const NAMES: [(&str, &str); 9] = [
    ("alpha", "alpha"),
    ("Alpha", "alpha"),
    ("ALPHA", "alpha"),
    ("beta", "beta"),
    ("Straße", "strasse"),
    ("STRASSE", "strasse"),
    ("Élan", "e\u{301}lan"),
    ("éLAN", "e\u{301}lan"),
    ("Ω mega", "ω mega"),
];

fn folded(text: &str) -> String {
    let known = NAMES.iter().find(|(name, _)| *name == text);
    known.map_or_else(|| text.to_ascii_lowercase(), |(_, fold)| (*fold).to_owned())
}
