//! Lists of fields that a resource names: unique and indexed together, sorted, searched, signed in
//! by.

use super::place::Place;
use super::{Check, Word};
use crate::complaint::Span;
use crate::index;
use crate::model::{Field, FieldIndex, Kind};
use crate::query::{Column, Sort};
use crate::source::Written;

/// The columns that the server keeps and that can be indexed.
const TIMES: &[&str] = &["createdAt", "updatedAt"];

/// The field that a word names, or a complaint. Other names may stand there too.
fn find(check: &mut Check, fields: &[Field], word: &Word, others: &[&str]) -> Option<FieldIndex> {
    let at = fields.iter().position(|field| field.name == word.text);
    if at.is_none() {
        let names = fields.iter().map(|field| field.name.as_str()).chain(others.iter().copied());
        let help = match word.text.as_str() {
            "id" if others == TIMES => "the id ends every index by itself: leave it out".to_owned(),
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
        let Some(at) = find(check, fields, &word, &[]) else { continue };
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
        let Some(at) = find(check, fields, &word, &[]) else { continue };
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

/// `sort = ["-createdAt", "name"]`, or one of them alone: the order of a list that asks for none.
pub(super) fn sort(check: &mut Check, place: &Place<'_>, fields: &[Field]) -> Vec<Sort> {
    let Some(node) = place.table.get("sort") else { return Vec::new() };
    let before = check.complaints.len();
    let words = match &node.written {
        Written::List(items) => check.words("sort", items),
        // As the parameter of a list writes it.
        Written::Text(text) => {
            let word = |part: &str| Word { text: part.trim().to_owned(), span: node.span.clone() };
            text.split(',').map(word).collect()
        }
        _ => {
            let help = "write `sort = [\"-createdAt\", \"name\"]`; - is for the largest first";
            check.mismatch("sort", node, "an array of strings", help);
            return Vec::new();
        }
    };
    if words.is_empty() {
        let help = "leave it out: without it a list is in the order of ids";
        check.error(&node.span, "`sort` names nothing", help);
    }
    let mut keys: Vec<Sort> = Vec::new();
    for word in words {
        let name = word.text.strip_prefix('-');
        let descending = name.is_some();
        let word = Word { text: name.unwrap_or(&word.text).to_owned(), span: word.span };
        let Some(column) = sortable(check, fields, &word) else { continue };
        if keys.iter().any(|key| key.column == column) {
            check.error(&word.span, format!("`{}` is in `sort` twice", word.text), "");
        }
        keys.push(Sort { column, descending });
    }
    // What is left of a faulty order says nothing of what was meant.
    if check.complaints.len() > before { Vec::new() } else { keys }
}

/// A column that lists can be sorted by.
fn sortable(check: &mut Check, fields: &[Field], word: &Word) -> Option<Column> {
    if word.text == "id" {
        return Some(Column::Id);
    }
    column(check, fields, word, &["id", "createdAt", "updatedAt"])
}

/// `unique = [["a", "b"]]`
pub(super) fn unique(
    check: &mut Check,
    place: &Place<'_>,
    fields: &[Field],
) -> Vec<Vec<FieldIndex>> {
    let groups = groups(check, place, fields, "unique", &[]);
    let field = |column| match column {
        Column::Field(at) => Some(at),
        Column::Id | Column::CreatedAt | Column::UpdatedAt => None,
    };
    groups.into_iter().map(|group| group.into_iter().filter_map(field).collect()).collect()
}

/// `index = [["a", "createdAt"]]`
pub(super) fn index(check: &mut Check, place: &Place<'_>, fields: &[Field]) -> Vec<Vec<Column>> {
    groups(check, place, fields, "index", TIMES)
}

/// Groups of declared fields, and of these columns besides. One an item, an empty one for what
/// is no group.
fn groups(
    check: &mut Check,
    place: &Place<'_>,
    fields: &[Field],
    key: &str,
    others: &[&str],
) -> Vec<Vec<Column>> {
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
    let mut groups: Vec<Vec<Column>> = Vec::new();
    for item in items {
        let Written::List(words) = &item.written else {
            check.mismatch(&format!("{key}[]"), item, "an array of strings", &help);
            groups.push(Vec::new());
            continue;
        };
        let written = words.len();
        let words = check.words(key, words);
        let group: Vec<_> =
            words.iter().filter_map(|word| column(check, fields, word, others)).collect();
        // What is left of a faulty group says nothing of what was meant.
        let is_sound = group.len() == written;
        if words.is_empty() && written == 0 {
            check.error(&item.span, "this group is empty", "");
        } else if is_sound && groups.contains(&group) {
            check.error(&item.span, format!("this group is in `{key}` twice"), "");
        } else if let ([Column::Field(at)], true) = (group.as_slice(), is_sound) {
            alone(check, key, &item.span, &fields[*at]);
        }
        groups.push(if is_sound { group } else { Vec::new() });
    }
    groups
}

/// A column that can be compared: a field that is shown, or one of these.
fn column(check: &mut Check, fields: &[Field], word: &Word, others: &[&str]) -> Option<Column> {
    match word.text.as_str() {
        "createdAt" if others.contains(&"createdAt") => return Some(Column::CreatedAt),
        "updatedAt" if others.contains(&"updatedAt") => return Some(Column::UpdatedAt),
        _ => {}
    }
    let at = find(check, fields, word, others)?;
    let field = &fields[at];
    if !field.visible() {
        let help = "a value that nobody may see must not be found out by trying";
        check.error(&word.span, format!("`{}` is never shown", word.text), help);
    } else if field.kind == Kind::Json {
        let help = "give the field one type: string, integer, number or boolean";
        check.error(&word.span, format!("`{}` cannot be compared", word.text), help);
    }
    Some(Column::Field(at))
}

/// A group of one field, which says it by itself.
fn alone(check: &mut Check, key: &str, span: &Span, field: &Field) {
    let name = &field.name;
    let (is_said, said) = match key {
        "unique" => (field.unique, "is unique"),
        _ => (field.unique || index::is_indexed(field), "has an index"),
    };
    if is_said {
        check.warn(span, format!("`{name}` {said} by itself"), "leave this group out");
    } else {
        let help = format!("write `{key} = true` in the field `{name}`");
        check.warn(span, "a group of one field", &help);
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
