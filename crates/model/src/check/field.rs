//! One field: its schema, its default, and which of its keys can stand together.

use super::place::{FieldPlace, Place, is_field_name};
use super::top::PARAMETERS;
use super::{Check, access, keyword, kind, relation};
use crate::model::{Field, Kind, Shown};
use crate::schema::Schema;
use crate::source::{Node, Written};
use crate::value::Value;
use contract::problem::Violation;
use contract::secret::{self, Declared};
use serde_json::{Map, Value as Json};

/// Reads a field. Always gives one back, so that others can be checked against it.
pub(super) fn read(check: &mut Check, place: &FieldPlace<'_>, places: &[Place<'_>]) -> Field {
    let shape = kind::read(check, place);
    let mut field = plain(check, place);
    field.kind = shape.kind;
    field.nullable = shape.null;
    keyword::check(check, place, &shape);
    let mut keywords = keywords(place);
    if place.has("references") {
        relation::read(check, place, places, &mut field, &shape, &mut keywords);
    } else if let Some(entry) = place.table.entry("onDelete") {
        check.error(&entry.key_span, "`onDelete` belongs to a reference", "add `references`");
    }
    if shape.unknown {
        return field;
    }
    presence(check, place, &field);
    if field.kind == Kind::Json && !place.has("type") && !field.optional {
        // A field that takes any JSON takes null, too.
        field.nullable = true;
    }
    combinations(check, place, &field);
    field.schema = schema(check, place, &keywords);
    fits(check, place, &field);
    field.default = default(check, place, &field);
    parameter(check, place, &field);
    field
}

/// The keys that are plain.
fn plain(check: &mut Check, place: &FieldPlace<'_>) -> Field {
    let table = place.table;
    let format = check.text(table, "format");
    let password = format.is_some_and(|format| format.text == "password");
    Field {
        name: place.name.to_owned(),
        kind: Kind::Json,
        schema: Schema::default(),
        default: None,
        optional: check.boolean(table, "optional"),
        nullable: false,
        unique: check.boolean(table, "unique"),
        index: check.boolean(table, "index"),
        references: None,
        owner: check.boolean(table, "owner"),
        immutable: check.boolean(table, "immutable"),
        secret: check.boolean(table, "secret"),
        read_only: check.boolean(table, "readOnly"),
        write_only: check.boolean(table, "writeOnly") || password,
        password,
        ignore_case: check.boolean(table, "ignoreCase"),
        read: access::who(check, table, "read"),
        write: access::who(check, table, "write"),
        was: was(check, place),
        shown: Shown::Always,
        sealed: false,
    }
}

fn was(check: &mut Check, place: &FieldPlace<'_>) -> Option<String> {
    let word = check.text(place.table, "was")?;
    if word.text == place.name {
        let help = "leave `was` out, or name what the field was called before";
        check.error(&word.span, "that is what it is called now", help);
    } else if !is_field_name(&word.text) {
        check.error(&word.span, format!("no field can have been called `{}`", word.text), "");
    }
    Some(word.text)
}

/// JSON Schema's part of the field.
fn keywords(place: &FieldPlace<'_>) -> Map<String, Json> {
    let known = keyword::known();
    let ours = |key: &str| keyword::FIELD_KEYS.contains(&key) || !known.contains(&key);
    let mut keywords = Map::new();
    for entry in place.table.entries.iter().filter(|entry| !ours(&entry.key)) {
        let boolean = matches!(entry.node.written, Written::Boolean(_));
        if !(entry.key == "required" && boolean) {
            keywords.insert(entry.key.clone(), entry.node.to_json());
        }
    }
    // Types that do not exist are complained of in words of our own.
    let known = |name: &Json| name.as_str().is_some_and(kind::is_type);
    match keywords.get_mut("type") {
        Some(Json::Array(names)) => {
            names.retain(known);
            names.dedup();
            if names.is_empty() {
                keywords.remove("type");
            }
        }
        Some(name) if !known(name) => {
            keywords.remove("type");
        }
        _ => {}
    }
    keywords
}

/// A value is there, absent or null: which of these can be.
fn presence(check: &mut Check, place: &FieldPlace<'_>, field: &Field) {
    if field.optional && field.nullable {
        let help = "`optional` leaves an absent value out, \"null\" shows it: choose one";
        check.error(place.key("optional"), "a field is optional or nullable, never both", help);
    }
    if field.optional && place.has("default") {
        let help = "a default stands in wherever no value is sent: leave `optional` out";
        check.error(place.key("optional"), "a field with a default is never absent", help);
    }
    let silent = !(field.optional || field.nullable || place.has("default"));
    if field.read_only && silent {
        let help = "add `default` or `optional = true`: no client can send a value";
        check.error(place.key("readOnly"), "a required field that nobody can write", help);
    }
}

/// Keys that cannot stand together, or not with what the field holds.
fn combinations(check: &mut Check, place: &FieldPlace<'_>, field: &Field) {
    let mut refuse = |key: &str, message: &str, help: &str| {
        if place.has(key) {
            check.error(place.key(key), message, help);
        }
    };
    if field.read_only && !field.visible() {
        refuse("readOnly", "nobody could read or write this field", "leave one of the two out");
    }
    if !field.visible() {
        let help = "a value that nobody may see must not be found out by trying";
        for key in ["unique", "index"] {
            refuse(key, &format!("`{key}` on a field that is never shown"), help);
        }
        refuse("read", "nobody ever reads this field", "leave `read` out");
    }
    if field.read_only {
        refuse(
            "write",
            "a readOnly field is never taken from a client",
            "leave one of the two out",
        );
    }
    if field.kind == Kind::Json {
        let help = "give the field one type: string, integer, number or boolean";
        for key in ["unique", "index"] {
            refuse(key, &format!("`{key}` needs values that can be compared"), help);
        }
    }
    if field.kind != Kind::Text || field.references.is_some() {
        refuse("ignoreCase", "`ignoreCase` is for strings", "leave it out");
    }
    if field.password {
        let help = "a password is kept as a hash only, and compared with nothing else";
        for key in ["default", "enum", "const", "examples", "ignoreCase", "references"] {
            refuse(key, &format!("a password cannot have `{key}`"), help);
        }
        if field.kind != Kind::Text {
            refuse("format", "a password is a string", "write `type = \"string\"`");
        }
    }
    if field.unique && field.index {
        check.warn(place.key("index"), "`unique` has an index already", "leave `index` out");
    }
    if field.unique && place.has("default") {
        let help = "the second record without a value of its own would be refused";
        check.warn(place.key("default"), "a default on a unique field serves once", help);
    }
}

/// What a filter by this field looks like, where `?NAME=` is not one.
fn parameter(check: &mut Check, place: &FieldPlace<'_>, field: &Field) {
    let name = place.name;
    if !field.visible() {
        return;
    }
    if PARAMETERS.contains(&name) {
        let help = format!("to filter by this field write ?{name}[eq]=…");
        check.note(place.span, format!("`{name}` is a parameter of every list"), &help);
    } else if secret::find(&format!("{name}=x"), &|_| Declared::Readable).is_some() {
        let help = "filter by it with QUERY, or hide it with `secret` or `writeOnly`";
        check.note(place.span, format!("a URL with `{name}=` is refused as a secret"), help);
    }
}

/// Compiles the schema; what is wrong with it is shown at the keyword.
fn schema(check: &mut Check, place: &FieldPlace<'_>, keywords: &Map<String, Json>) -> Schema {
    match Schema::compile(keywords) {
        Ok(schema) => schema,
        Err(faults) => {
            for (keyword, message) in faults {
                let span = located(place, &keyword);
                let (message, help) = message.split_once("; ").unwrap_or((&message, ""));
                check.error(&span, format!("`{keyword}` {message}"), help);
            }
            Schema::default()
        }
    }
}

/// Where a keyword stands: `items/pattern` is looked for level by level.
fn located(place: &FieldPlace<'_>, keyword: &str) -> crate::complaint::Span {
    let mut span = place.span.clone();
    let mut table = Some(place.table);
    let mut node: Option<&Node> = None;
    for step in keyword.split('/') {
        let next = match (table, node.map(|node| &node.written)) {
            (Some(table), _) => table.get(step),
            (None, Some(Written::List(items))) => {
                step.parse::<usize>().ok().and_then(|at| items.get(at))
            }
            _ => None,
        };
        let Some(next) = next else { break };
        span = next.span.clone();
        node = Some(next);
        table = match &next.written {
            Written::Table(inner) => Some(inner),
            _ => None,
        };
    }
    span
}

/// Values that the declaration names must be such as a record could hold.
fn fits(check: &mut Check, place: &FieldPlace<'_>, field: &Field) {
    for (key, list) in [("enum", true), ("const", false), ("examples", true)] {
        let Some(node) = place.table.get(key) else { continue };
        let values: Vec<&Node> = match &node.written {
            Written::List(items) if list => items.iter().collect(),
            _ if list => continue,
            _ => vec![node],
        };
        for value in values {
            let faults = faults(field, value);
            if !faults.is_empty() {
                let message = format!("no record could hold this value: {}", faults.join("; "));
                check.error(&value.span, message, "");
            }
        }
    }
}

fn faults(field: &Field, node: &Node) -> Vec<String> {
    let mut found: Vec<Violation> = Vec::new();
    field.schema.check(&node.to_json(), "", &mut found);
    found.into_iter().map(|violation| violation.detail).collect()
}

fn default(check: &mut Check, place: &FieldPlace<'_>, field: &Field) -> Option<Value> {
    let node = place.table.get("default")?;
    let value = typed(field.kind, node);
    let faults = faults(field, node);
    if !faults.is_empty() || value.is_none() {
        let detail =
            if faults.is_empty() { "its type differs".to_owned() } else { faults.join("; ") };
        check.error(&node.span, format!("the default does not fit the field: {detail}"), "");
    }
    value
}

/// A written value as a record holds it.
fn typed(kind: Kind, node: &Node) -> Option<Value> {
    match (kind, &node.written) {
        (Kind::Text, Written::Text(text) | Written::Moment(text)) => {
            Some(Value::Text(text.clone()))
        }
        (Kind::Integer, Written::Integer(number)) => Some(Value::Integer(*number)),
        (Kind::Integer, Written::Number(number)) => {
            let whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
            whole.then_some(Value::Integer(*number as i64))
        }
        (Kind::Number, Written::Integer(number)) => Some(Value::Number(*number as f64)),
        (Kind::Number, Written::Number(number)) => Some(Value::Number(*number)),
        (Kind::Boolean, Written::Boolean(truth)) => Some(Value::Boolean(*truth)),
        (Kind::Json, _) => Some(Value::Json(node.to_json().to_string())),
        _ => None,
    }
}
