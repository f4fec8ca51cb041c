//! The declaration as text, with comments on what it does not say.

use serde_json::Value as Json;

use super::draft::{Draft, Presence, Source};
use super::foreign::Foreign;
use super::note::{Class, Note};
use super::plan::{IdSource, Resource};
use crate::model::IdKind;

/// The longest line of a comment.
const COLUMNS_MAX: usize = 98;

/// Writes the declaration.
pub(super) fn write(foreign: &Foreign, resources: &[Resource], notes: &[Note]) -> String {
    let mut out = String::from("#:schema ./methodical.schema.json\n");
    let opening = format!(
        "Written by `methodical adopt` from {}. Comments say where it is not the same; access is \
         not declared: what is not granted is for administrators.",
        foreign.name
    );
    comment(&mut out, &opening);
    let title = if foreign.name.trim().is_empty() { "API" } else { &foreign.name };
    out.push_str(&format!("\ntitle = {}\n", string(title)));
    for resource in resources {
        one(&mut out, foreign, resource, resources, notes);
    }
    for note in notes.iter().filter(|note| note.table.is_none()) {
        out.push('\n');
        comment(&mut out, &format!("{}: {}", note.place, note.text));
    }
    out
}

fn one(
    out: &mut String,
    foreign: &Foreign,
    resource: &Resource,
    resources: &[Resource],
    notes: &[Note],
) {
    let table = &foreign.tables[resource.table];
    out.push('\n');
    let of_table = notes.iter().filter(|note| note.table == Some(resource.table));
    let (of_columns, of_table): (Vec<&Note>, Vec<&Note>) =
        of_table.partition(|note| note.column.is_some());
    for note in of_table {
        comment(out, &told(note, &table.name));
    }
    out.push_str(&format!("[resources.{}]\n", resource.name));
    if let IdSource::Column(key) = resource.id {
        let name = &table.columns[key].name;
        if name != "id" {
            comment(out, &format!("id: was {}", string(name)));
        }
        of_columns.iter().filter(|note| note.column == Some(key)).for_each(|note| {
            comment(out, &format!("id: {}", told(note, name)));
        });
    }
    match resource.id_kind {
        IdKind::Integer => {}
        IdKind::Uuid => out.push_str("id = \"uuid\"\n"),
        IdKind::Text => out.push_str("id = \"text\"\n"),
    }
    for (key, groups) in [("unique", &resource.unique), ("index", &resource.index)] {
        if !groups.is_empty() {
            let group = |group: &Vec<usize>| {
                let names = group.iter().map(|field| string(&resource.fields[*field].name));
                format!("[{}]", names.collect::<Vec<_>>().join(", "))
            };
            let groups: Vec<String> = groups.iter().map(group).collect();
            out.push_str(&format!("{key} = [{}]\n", groups.join(", ")));
        }
    }
    for (at, column) in table.columns.iter().enumerate() {
        let is_key = resource.id == IdSource::Column(at);
        let draft = resource.fields.iter().find(|draft| is_of(foreign, resource, draft, at));
        if !(is_key && draft.is_none()) {
            for note in of_columns.iter().filter(|note| note.column == Some(at)) {
                let line = told(note, &column.name);
                comment(
                    out,
                    &if draft.is_some() { line } else { format!("{}: {line}", column.name) },
                );
            }
        }
        draft.into_iter().for_each(|draft| field(out, draft, resources));
    }
    let joined = resource
        .fields
        .iter()
        .filter(|draft| !(0..table.columns.len()).any(|at| is_of(foreign, resource, draft, at)));
    joined.for_each(|draft| field(out, draft, resources));
}

fn is_of(foreign: &Foreign, resource: &Resource, draft: &Draft, at: usize) -> bool {
    match draft.source {
        Source::Column { column, .. } => column == at,
        Source::Reference(reference) => {
            foreign.tables[resource.table].references[reference].columns == [at]
        }
    }
}

/// A note where it is clear what it is about.
fn told(note: &Note, name: &str) -> String {
    match note.class {
        Class::Renamed => format!("was {}", string(name)),
        Class::LeftBehind => format!("left behind: {}", note.text),
        Class::Unkept => format!("not kept: {}", note.text),
        Class::Otherwise => note.text.clone(),
    }
}

fn field(out: &mut String, draft: &Draft, resources: &[Resource]) {
    let mut parts: Vec<String> = Vec::new();
    let mut types: Vec<String> = draft.types.iter().map(|name| string(name)).collect();
    if draft.presence == Presence::Nullable && !types.is_empty() {
        types.push(string("null"));
    }
    match types.as_slice() {
        [] => {}
        [one] => parts.push(format!("type = {one}")),
        many => parts.push(format!("type = [{}]", many.join(", "))),
    }
    if let Some((to, action)) = draft.references
        && let Some(to) = resources.iter().find(|resource| resource.table == to)
    {
        parts.push(format!("references = {}", string(&to.name)));
        if action != "restrict" {
            parts.push(format!("onDelete = {}", string(action)));
        }
    }
    parts.extend(draft.keywords.iter().map(|(key, value)| format!("{key} = {}", toml(value))));
    let flags = [
        ("unique", draft.unique),
        ("ignoreCase", draft.ignore_case && draft.types == ["string"]),
        ("index", draft.index),
        ("secret", draft.secret),
        ("optional", draft.presence == Presence::Optional),
    ];
    let set = flags.iter().filter(|(_, is_set)| *is_set);
    parts.extend(set.map(|(name, _)| format!("{name} = true")));
    let inner = if parts.is_empty() { String::new() } else { format!(" {} ", parts.join(", ")) };
    out.push_str(&format!("fields.{} = {{{inner}}}\n", draft.name));
}

/// A comment, broken where it is too long.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + word.len() >= COLUMNS_MAX && line.len() > 1 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#  ");
        }
        line.push(' ');
        // TOML takes no other control characters in a comment, and no person can read them.
        line.extend(word.chars().filter(|c| !c.is_control()));
    }
    out.push_str(&line);
    out.push('\n');
}

/// A string of TOML.
pub(super) fn string(text: &str) -> String {
    // JSON's escapes are TOML's, but for DEL, which TOML does not take as it is.
    Json::from(text).to_string().replace('\u{7f}', "\\u007F")
}

fn toml(value: &Json) -> String {
    match value {
        Json::String(text) => string(text),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Json::Object(members) if members.is_empty() => "{}".to_owned(),
        Json::Object(members) => {
            let member =
                |(name, value): (&String, &Json)| format!("{} = {}", string(name), toml(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        // A number of JSON is one of TOML; the rest is true and false.
        other => other.to_string(),
    }
}
