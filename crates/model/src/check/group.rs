//! Lists of fields that a resource names: unique and indexed together, searched, signed in by.

use super::place::Place;
use super::{Check, Word};
use crate::complaint::Span;
use crate::model::{Field, FieldIndex, Kind};
use crate::source::Written;

/// The field that a word names, or a complaint.
fn find(check: &mut Check, fields: &[Field], word: &Word) -> Option<FieldIndex> {
    let at = fields.iter().position(|field| field.name == word.text);
    if at.is_none() {
        let names = fields.iter().map(|field| field.name.as_str());
        let help = match word.text.as_str() {
            "id" | "createdAt" | "updatedAt" => {
                "it is kept by the server: only declared fields can stand here".to_owned()
            }
            name => super::did_you_mean(name, names.clone()).unwrap_or_else(|| {
                format!("its fields are: {}", names.collect::<Vec<_>>().join(", "))
            }),
        };
        check.error(&word.span, format!("there is no field `{}`", word.text), &help);
    }
    at
}

/// Fields that `q` looks into: strings that are shown.
pub(super) fn search(check: &mut Check, place: &Place<'_>, fields: &[Field]) -> Vec<FieldIndex> {
    let mut found = Vec::new();
    for word in check.texts(place.table, "search") {
        let Some(at) = find(check, fields, &word) else { continue };
        let field = &fields[at];
        if !field.visible() {
            let help = "what nobody may see must not be found";
            check.error(&word.span, format!("`{}` is never shown", word.text), help);
        } else if field.kind != Kind::Text || field.references.is_some() {
            check.error(&word.span, format!("`{}` is not a string", word.text), "leave it out");
        }
        found.push(at);
    }
    found
}

/// Fields that name the user who signs in: unique strings that are shown.
pub(super) fn login(check: &mut Check, place: &Place<'_>, fields: &[Field]) -> Vec<FieldIndex> {
    let mut found = Vec::new();
    for word in check.texts(place.table, "login") {
        let Some(at) = find(check, fields, &word) else { continue };
        let field = &fields[at];
        let name = &word.text;
        if !field.visible() {
            check.error(&word.span, format!("`{name}` is never shown"), "leave it out");
        } else if field.kind != Kind::Text || field.references.is_some() {
            check.error(&word.span, format!("`{name}` is not a string"), "leave it out");
        } else if !field.unique {
            let help = format!("add `unique = true` to `{name}`: it must name one user");
            check.error(&word.span, format!("`{name}` is not unique"), &help);
        }
        found.push(at);
    }
    found
}

/// `unique = [["a", "b"]]` and `index = [["a", "b"]]`.
pub(super) fn groups(
    check: &mut Check,
    place: &Place<'_>,
    fields: &[Field],
    key: &str,
) -> Vec<Vec<FieldIndex>> {
    let Some(node) = place.table.get(key) else { return Vec::new() };
    let help = format!("write `{key} = [[\"a\", \"b\"]]`: an array of groups of fields");
    let Written::List(items) = &node.written else {
        check.mismatch(key, node, "an array of arrays", &help);
        return Vec::new();
    };
    if items.iter().any(|item| matches!(item.written, Written::Text(_))) {
        check.error(&node.span, format!("`{key}` must be an array of arrays"), &help);
        return Vec::new();
    }
    let mut groups: Vec<Vec<FieldIndex>> = Vec::new();
    for item in items {
        let Written::List(words) = &item.written else {
            check.mismatch(&format!("{key}[]"), item, "an array of strings", &help);
            continue;
        };
        let written = words.len();
        let words = check.words(key, words);
        let group: Vec<_> = words.iter().filter_map(|word| one(check, fields, word)).collect();
        if words.len() == written {
            size(check, key, &item.span, &words);
        }
        // What is left of a faulty group says nothing of what was meant.
        if group.len() == written && groups.contains(&group) {
            check.error(&item.span, format!("this group is in `{key}` twice"), "");
        }
        groups.push(if group.len() == written { group } else { Vec::new() });
    }
    groups
}

fn one(check: &mut Check, fields: &[Field], word: &Word) -> Option<FieldIndex> {
    let at = find(check, fields, word)?;
    let field = &fields[at];
    if !field.visible() {
        let help = "a value that nobody may see must not be found out by trying";
        check.error(&word.span, format!("`{}` is never shown", word.text), help);
    } else if field.kind == Kind::Json {
        let help = "give the field one type: string, integer, number or boolean";
        check.error(&word.span, format!("`{}` cannot be compared", word.text), help);
    }
    Some(at)
}

fn size(check: &mut Check, key: &str, span: &Span, words: &[Word]) {
    match words {
        [] => check.error(span, "this group is empty", ""),
        [word] => {
            let help = format!("write `{key} = true` in the field `{}`", word.text);
            check.warn(span, "a group of one field", &help);
        }
        _ => {}
    }
}

/// A field that was renamed: the old name must be free, and be claimed once.
pub(super) fn was(check: &mut Check, place: &Place<'_>, fields: &[Field]) {
    for (at, field) in fields.iter().enumerate() {
        let Some(old) = &field.was else { continue };
        let span = place.fields[at].value("was");
        if *old != field.name && fields.iter().any(|other| other.name == *old) {
            let message = format!("`{old}` is still a field of its own");
            check.error(span, message, "leave `was` out, or remove the other field");
        } else if fields[..at].iter().any(|other| other.was.as_ref() == Some(old)) {
            check.error(span, format!("two fields say that they were `{old}`"), "");
        }
    }
}
