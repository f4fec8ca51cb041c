//! Who may do what: read and checked now, enforced from a later version on.

use super::place::Place;
use super::{Check, Word};
use crate::complaint::Span;
use crate::model::{Access, Model, Who};
use crate::source::{Table, Written};

/// Names that every declaration knows. `admin` is the role that may do everything.
const CIRCLES: &[&str] = &["anyone", "signed-in", "owner", "admin"];
/// What `access` grants. `write` stands for create, update and delete.
pub(crate) const GRANTS: &[&str] = &["read", "create", "update", "delete", "write"];

/// Reads a name or an array of names.
pub(super) fn who(check: &mut Check, table: &Table, key: &str) -> Option<Who> {
    let words = names(check, table, key)?;
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
    let mut or_write = |key| who(check, grants, key).or_else(|| write.clone());
    let (create, update, delete) = (or_write("create"), or_write("update"), or_write("delete"));
    Some(Access { read: who(check, grants, "read"), create, update, delete })
}

/// Checks every name against the circles and roles that there are.
pub(super) fn check(check: &mut Check, model: &Model, places: &[Place<'_>]) {
    let users = model.users();
    let roles = users.map(|at| super::signin::roles(&places[at])).unwrap_or_default();
    let known: Vec<&str> =
        CIRCLES.iter().copied().chain(roles.iter().map(String::as_str)).collect();
    for (at, place) in places.iter().enumerate() {
        let owned = users == Some(at) || model.resources[at].fields.iter().any(|f| f.owner);
        let mut tables: Vec<(&Table, &[&str])> =
            place.fields.iter().map(|field| (field.table, &["read", "write"][..])).collect();
        if let Some(Written::Table(access)) = place.table.get("access").map(|node| &node.written) {
            tables.push((access, GRANTS));
        }
        for (table, keys) in tables {
            for key in keys {
                // What is no list of names at all was complained of when it was read.
                let mut silent = Check { complaints: Vec::new() };
                for word in names(&mut silent, table, key).unwrap_or_default() {
                    name(check, &word, &known, owned, users.is_some(), place);
                }
            }
        }
    }
}

fn name(
    check: &mut Check,
    word: &Word,
    known: &[&str],
    owned: bool,
    users: bool,
    place: &Place<'_>,
) {
    let span: &Span = &word.span;
    if !known.contains(&word.text.as_str()) {
        let help = super::did_you_mean(&word.text, known.iter().copied());
        let help = help.unwrap_or_else(|| {
            format!("there are: {}; roles are the `enum` of the users' `role`", known.join(", "))
        });
        check.error(span, format!("nobody is `{}`", word.text), &help);
    } else if matches!(word.text.as_str(), "signed-in" | "owner") && !users {
        let help = "give one resource a password: { type = \"string\", format = \"password\" }";
        check.error(span, format!("\"{}\": nobody can sign in", word.text), help);
    } else if word.text == "owner" && !owned {
        let help = "add `owner = true` to the field that names the user";
        check.error(span, format!("no field says who owns a record of `{}`", place.name), help);
    }
}
