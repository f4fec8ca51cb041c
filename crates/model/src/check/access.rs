//! Who may do what: names, and the rules that have to hold besides.

use super::place::Place;
use super::role::CIRCLES;
use super::{Check, Word};
use crate::access::{ADMIN, Rule};
use crate::complaint::Span;
use crate::model::{Access, FieldIndex, Model, ResourceIndex, Who};
use crate::source::{Node, Table, Written};

/// What `access` grants. `write` stands for create, update and delete.
pub(crate) const GRANTS: &[&str] = &["read", "create", "update", "delete", "write"];
/// The keys of a grant with a rule.
const WHO_KEYS: &[&str] = &["who", "when"];

/// Reads a name, an array of names, or a table of names and a rule. The rule is read when every
/// resource is known.
pub(super) fn who(check: &mut Check, table: &Table, key: &str) -> Option<Who> {
    let node = table.get(key)?;
    let words = match &node.written {
        Written::Table(inner) => {
            for entry in &inner.entries {
                if !WHO_KEYS.contains(&entry.key.as_str()) {
                    check.unknown(entry, &format!("`{key}`"), WHO_KEYS, "");
                }
            }
            check.text(inner, "when");
            if inner.get("who").is_none() {
                let help = "add `who = [\"signed-in\"]`; `when` has to hold besides";
                check.error(&node.span, format!("`{key}` names nobody"), help);
            }
            names(check, inner, "who")?
        }
        _ => names(check, table, key)?,
    };
    Some(Who { names: words.into_iter().map(|word| word.text).collect(), when: None })
}

fn names(check: &mut Check, table: &Table, key: &str) -> Option<Vec<Word>> {
    let node = table.get(key)?;
    match &node.written {
        Written::Text(text) => Some(vec![Word { text: text.clone(), span: node.span.clone() }]),
        Written::List(items) if items.is_empty() => {
            let help = "write \"admin\" for administrators only";
            check.error(&node.span, format!("`{key}` names nobody"), help);
            None
        }
        Written::List(items) => Some(check.words(key, items)),
        _ => {
            let help = format!("write `{key} = \"anyone\"` or `{key} = [\"owner\", \"admin\"]`");
            check.mismatch(key, node, "a string or an array of strings", &help);
            None
        }
    }
}

/// Reads `access`.
pub(super) fn read(check: &mut Check, table: &Table) -> Option<Access> {
    let entry = table.entry("access")?;
    let help = "write `access = { read = \"anyone\", write = \"admin\" }`";
    let grants = check.table(entry, help)?;
    for entry in &grants.entries {
        if !GRANTS.contains(&entry.key.as_str()) {
            check.unknown(entry, "`access`", GRANTS, "");
        }
    }
    let write = who(check, grants, "write");
    let mut or_write = |key| match grants.get(key) {
        Some(_) => who(check, grants, key),
        None => write.clone(),
    };
    let (create, update, delete) = (or_write("create"), or_write("update"), or_write("delete"));
    Some(Access { read: who(check, grants, "read"), create, update, delete })
}

/// A circle as it was written.
struct Circle<'a> {
    /// Of this field, or of the resource.
    field: Option<FieldIndex>,
    key: &'static str,
    /// Where its names stand, and under which key.
    names: (&'a Table, &'static str),
    /// Its rule.
    when: Option<&'a Node>,
}

fn circles<'a>(place: &Place<'a>) -> Vec<Circle<'a>> {
    let fields = place.fields.iter().enumerate();
    let mut tables: Vec<(Option<FieldIndex>, &'a Table, &[&'static str])> =
        fields.map(|(at, field)| (Some(at), field.table, &["read", "write"][..])).collect();
    if let Some(Written::Table(access)) = place.table.get("access").map(|node| &node.written) {
        tables.push((None, access, GRANTS));
    }
    let mut circles = Vec::new();
    for (field, table, keys) in tables {
        for key in keys.iter().filter(|key| table.get(key).is_some()) {
            let circle = match table.get(key).map(|node| &node.written) {
                Some(Written::Table(inner)) => {
                    Circle { field, key, names: (inner, "who"), when: inner.get("when") }
                }
                _ => Circle { field, key, names: (table, key), when: None },
            };
            circles.push(circle);
        }
    }
    circles
}

/// Checks every name against the circles and roles that there are, and reads the rules.
pub(super) fn check(check: &mut Check, model: &mut Model, places: &[Place<'_>]) {
    for (at, place) in places.iter().enumerate() {
        for circle in circles(place) {
            // What is no list of names at all was complained of when it was read.
            let mut silent = Check { complaints: Vec::new() };
            let (table, key) = circle.names;
            let words = names(&mut silent, table, key).unwrap_or_default();
            for word in &words {
                name(check, word, model, at, place);
            }
            let Some(node) = circle.when else { continue };
            if !words.is_empty() && words.iter().all(|word| word.text == ADMIN) {
                let help = "leave `when` out, or name others";
                check.warn(&node.span, "administrators may whatever a rule says", help);
            }
            let rule = rule(check, model, at, node).unwrap_or_else(Rule::unread);
            put(model, at, &circle, place, &rule);
        }
    }
}

fn name(check: &mut Check, word: &Word, model: &Model, resource: ResourceIndex, place: &Place<'_>) {
    let (span, text): (&Span, &str) = (&word.span, &word.text);
    let users = model.users();
    let owned = users == Some(resource) || model.resources[resource].fields.iter().any(|f| f.owner);
    let roles = model.roles.iter().map(String::as_str);
    let known: Vec<&str> = CIRCLES.into_iter().chain(roles).collect();
    if !known.contains(&text) {
        let help = super::did_you_mean(text, known.iter().copied());
        let help = help.unwrap_or_else(|| {
            let known = known.join(", ");
            format!(
                "there are: {known}; roles are the `enum` of the users' `role`, and `roles` at \
                 the top for keys"
            )
        });
        check.error(span, format!("nobody is `{text}`"), &help);
    } else if text == "owner" && users.is_none() {
        let help = "give one resource a password: { type = \"string\", format = \"password\" }";
        check.error(span, "\"owner\": nobody can sign in as a record", help);
    } else if text == "owner" && !owned {
        let help = "add `owner = true` to the field that names the user";
        check.error(span, format!("no field says who owns a record of `{}`", place.name), help);
    }
}

/// Reads a rule; what is wrong with it is shown inside its text, where that is possible.
fn rule(check: &mut Check, model: &Model, at: ResourceIndex, node: &Node) -> Option<Rule> {
    let Written::Text(text) = &node.written else { return None };
    let reading = Rule::read(model, at, text);
    let place = |span: &Span| match node.begins {
        Some(begins) => begins + span.start..begins + span.end,
        None => node.span.clone(),
    };
    for fault in &reading.errors {
        check.error(&place(&fault.span), &fault.message, &fault.help);
    }
    for doubt in &reading.doubts {
        check.warn(&place(&doubt.span), &doubt.message, &doubt.help);
    }
    reading.rule
}

/// Puts a rule where it belongs.
fn put(model: &mut Model, at: ResourceIndex, circle: &Circle<'_>, place: &Place<'_>, rule: &Rule) {
    let resource = &mut model.resources[at];
    let set = |who: Option<&mut Who>| {
        if let Some(who) = who {
            who.when = Some(rule.clone());
        }
    };
    if let Some(field) = circle.field {
        let field = &mut resource.fields[field];
        let who = if circle.key == "read" { &mut field.read } else { &mut field.write };
        set(who.as_mut());
        return;
    }
    let Some(access) = resource.access.as_mut() else { return };
    let written = match place.table.get("access").map(|node| &node.written) {
        Some(Written::Table(table)) => table,
        _ => return,
    };
    let stands_for = |key: &str| {
        circle.key == key || circle.key == "write" && key != "read" && written.get(key).is_none()
    };
    for (key, who) in [
        ("read", &mut access.read),
        ("create", &mut access.create),
        ("update", &mut access.update),
        ("delete", &mut access.delete),
    ] {
        if stands_for(key) {
            set(who.as_mut());
        }
    }
}
