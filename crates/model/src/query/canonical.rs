//! A query as the one URL query that means it.

use form_urlencoded::Serializer;

use super::{Comparison, Count, Filter, Paging, Path, Query, View, target};
use crate::model::{Model, Resource, ResourceIndex};
use crate::record::write_value;
use crate::value::Value;

/// Writes a query as the content of a URL after `?`: filters in the order of the columns, then
/// `aggregate`, `groupBy`, `sort`, `include`, `fields`, `count`, and the page or cursor with
/// `limit`. Equal queries have equal texts.
#[must_use]
pub fn canonical(model: &Model, index: ResourceIndex, query: &Query) -> String {
    let mut out = Serializer::new(String::new());
    select(&mut out, model, index, query);
    show(&mut out, model, index, &query.view);
    match query.count {
        Count::Bounded => {}
        Count::Exact => _ = out.append_pair("count", "exact"),
        Count::None => _ = out.append_pair("count", "none"),
    }
    match &query.paging {
        Paging::Page(page) => _ = out.append_pair("page", &page.to_string()),
        Paging::Cursor(cursor) => _ = out.append_pair("cursor", cursor),
    }
    out.append_pair("limit", &query.limit.to_string());
    out.finish()
}

/// Writes which records a query selects, and in which order: what a cursor is a place in.
#[must_use]
pub fn selection(model: &Model, index: ResourceIndex, query: &Query) -> String {
    let mut out = Serializer::new(String::new());
    select(&mut out, model, index, query);
    out.finish()
}

/// Writes what is shown of one record.
#[must_use]
pub fn view(model: &Model, index: ResourceIndex, view: &View) -> String {
    let mut out = Serializer::new(String::new());
    show(&mut out, model, index, view);
    out.finish()
}

type Out<'a> = Serializer<'a, String>;

fn select(out: &mut Out<'_>, model: &Model, index: ResourceIndex, query: &Query) {
    let resource = &model.resources[index];
    if let Some(terms) = query.filter.search() {
        out.append_pair("q", &terms.text());
    }
    write_filter(out, model, index, &query.filter);
    let sign = |descending| if descending { "-" } else { "" };
    if let Some(aggregate) = &query.aggregate {
        let measures: Vec<_> = aggregate.measures.iter().map(|it| it.name(resource)).collect();
        out.append_pair("aggregate", &measures.join(","));
        if !aggregate.group_by.is_empty() {
            let names: Vec<_> = aggregate.group_by.iter().map(|it| it.name(resource)).collect();
            out.append_pair("groupBy", &names.join(","));
        }
        if !aggregate.sort.is_empty() {
            let keys = aggregate.sort.iter().map(|sort| {
                format!("{}{}", sign(sort.descending), aggregate.key_name(resource, sort.key))
            });
            out.append_pair("sort", &keys.collect::<Vec<_>>().join(","));
        }
    }
    if !query.sort.is_empty() {
        let keys = query.sort.iter();
        let keys = keys.map(|key| format!("{}{}", sign(key.descending), key.column.name(resource)));
        out.append_pair("sort", &keys.collect::<Vec<_>>().join(","));
    }
}

fn show(out: &mut Out<'_>, model: &Model, index: ResourceIndex, view: &View) {
    let mut names = Vec::new();
    included(view, "", &mut names);
    if !names.is_empty() {
        out.append_pair("include", &names.join(","));
    }
    let mut fields = Vec::new();
    shown(model, index, view, "", &mut fields);
    if !fields.is_empty() {
        out.append_pair("fields", &fields.join(","));
    }
    if view.highlight {
        out.append_pair("highlight", "true");
    }
}

/// Every include with the path to it; one that leads on to others is named by them.
fn included(view: &View, before: &str, names: &mut Vec<String>) {
    for include in &view.include {
        let name = format!("{before}{}", include.name);
        if include.view.include.is_empty() {
            names.push(name);
        } else {
            included(&include.view, &format!("{name}."), names);
        }
    }
}

fn shown(model: &Model, index: ResourceIndex, view: &View, before: &str, names: &mut Vec<String>) {
    let resource = &model.resources[index];
    let columns = view.fields.iter().flatten();
    names.extend(columns.map(|column| format!("{before}{}", column.name(resource))));
    for include in &view.include {
        let before = format!("{before}{}.", include.name);
        shown(model, include.resource, &include.view, &before, names);
    }
}

fn write_filter(out: &mut Out<'_>, model: &Model, index: ResourceIndex, filter: &Filter) {
    for (path, comparison) in filter.comparisons() {
        let name = name(model, index, path);
        let plain = matches!(comparison, Comparison::Equal(_));
        let name = if plain && !super::read::is_reserved(&name) {
            name
        } else {
            format!("{name}[{}]", comparison.operator())
        };
        out.append_pair(&name, &operand(comparison));
    }
}

/// The name of a value: the fields on the way to it, and its own.
fn name(model: &Model, index: ResourceIndex, path: &Path) -> String {
    let mut name = String::new();
    for (at, field) in path.through.iter().enumerate() {
        let resource = target(model, index, &path.through[..at]).map(|at| &model.resources[at]);
        name.push_str(resource.map_or("", |resource| &resource.fields[*field].name));
        name.push('.');
    }
    let end: &Resource = &model.resources[target(model, index, &path.through).unwrap_or(index)];
    name.push_str(path.column.name(end));
    name
}

fn operand(comparison: &Comparison) -> String {
    match comparison {
        Comparison::Equal(value)
        | Comparison::NotEqual(value)
        | Comparison::Greater(value)
        | Comparison::GreaterOrEqual(value)
        | Comparison::Less(value)
        | Comparison::LessOrEqual(value) => text(value),
        Comparison::In(values) => {
            let quoted = |value| {
                let text = text(value);
                let is_plain = !text.contains(',') && !text.starts_with('"');
                if is_plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
            };
            values.iter().map(quoted).collect::<Vec<_>>().join(",")
        }
        Comparison::Prefix(text) => text.clone(),
        Comparison::Null => "true".to_owned(),
        Comparison::NotNull => "false".to_owned(),
    }
}

/// A value as a parameter carries it.
fn text(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Number(_) => {
            let mut bytes = Vec::new();
            write_value(&mut bytes, value);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}
