//! Views and what else stays behind, each with what there is instead.

use form_urlencoded::byte_serialize;

use super::draft::{Draft, Source};
use super::foreign::{Listed, Literal, View};
use super::note::{Class, Note};
use super::plan::{IdSource, Planner, Resource};
use crate::check::PARAMETERS;

/// Notes what is no table.
pub(super) fn note(planner: &mut Planner<'_>) {
    let foreign = planner.foreign;
    for view in &foreign.views {
        let text = match instead(planner, view) {
            Some(target) => format!("a view; {target}"),
            None => "a view over what is not carried over".to_owned(),
        };
        let text = format!("{text}. It was: {}", view.text);
        planner.notes.push(stays(&view.name, text));
    }
    for other in &foreign.others {
        planner.notes.push(stays(&other.name, format!("a {}: {}", other.what, other.why)));
    }
}

fn stays(name: &str, text: String) -> Note {
    let class = Class::LeftBehind;
    Note { class, table: None, column: None, place: name.to_owned(), text }
}

/// The list that gives the same, or the one to begin with.
fn instead(planner: &Planner<'_>, view: &View) -> Option<String> {
    let resources: Vec<&Resource> =
        view.tables.iter().filter_map(|table| planner.resource_of(*table)).collect();
    let first = resources.first()?;
    if let Some(target) = view.list.as_ref().and_then(|list| listed(planner, first, list)) {
        return Some(format!("the same is GET {target}"));
    }
    // The one from which most of the others are reached.
    let mut best = (*first, joined(planner, first, view));
    for resource in &resources[1..] {
        let joined = joined(planner, resource, view);
        if joined.len() > best.1.len() {
            best = (*resource, joined);
        }
    }
    let (resource, joined) = best;
    let include = match joined.as_slice() {
        [] => String::new(),
        names => format!("?include={}", names.join(",")),
    };
    Some(format!("to begin with there is GET /api/{}{include}", resource.name))
}

/// The fields that refer to other tables of the view.
fn joined(planner: &Planner<'_>, resource: &Resource, view: &View) -> Vec<String> {
    let references = &planner.foreign.tables[resource.table].references;
    let is_joined = |draft: &&Draft| match draft.source {
        Source::Reference(at) => references[at]
            .target
            .as_ref()
            .is_some_and(|(to, _)| *to != resource.table && view.tables.contains(to)),
        Source::Column { .. } => false,
    };
    resource.fields.iter().filter(is_joined).map(|draft| draft.name.clone()).collect()
}

fn listed(planner: &Planner<'_>, resource: &Resource, list: &Listed) -> Option<String> {
    let references = &planner.foreign.tables[resource.table].references;
    let name = |column: usize| {
        let is_of = |draft: &&Draft| match draft.source {
            Source::Column { column: other, .. } => other == column,
            Source::Reference(at) => references[at].columns == [column],
        };
        match resource.fields.iter().find(is_of) {
            Some(draft) => (!draft.secret).then(|| draft.name.clone()),
            None => (resource.id == IdSource::Column(column)).then(|| "id".to_owned()),
        }
    };
    let mut parts = Vec::new();
    if let Some(columns) = &list.columns {
        let names: Option<Vec<String>> = columns.iter().map(|at| name(*at)).collect();
        parts.push(format!("fields={}", names?.join(",")));
    }
    for (column, operator, literal) in &list.filters {
        let name = name(*column)?;
        let is_boolean =
            resource.fields.iter().any(|draft| draft.name == name && draft.types == ["boolean"]);
        let value = match literal {
            Literal::Integer(number) if is_boolean => (*number != 0).to_string(),
            Literal::Integer(number) => number.to_string(),
            Literal::Real(number) => number.to_string(),
            Literal::Boolean(truth) => truth.to_string(),
            Literal::Text(text) => byte_serialize(text.as_bytes()).collect(),
            Literal::Null => return None,
        };
        parts.push(match *operator {
            "eq" if !PARAMETERS.contains(&&*name) => format!("{name}={value}"),
            operator => format!("{name}[{operator}]={value}"),
        });
    }
    if !list.sort.is_empty() {
        let key = |(column, descending): &(usize, bool)| {
            Some(format!("{}{}", if *descending { "-" } else { "" }, name(*column)?))
        };
        let keys: Option<Vec<String>> = list.sort.iter().map(key).collect();
        parts.push(format!("sort={}", keys?.join(",")));
    }
    let query = if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
    Some(format!("/api/{}{query}", resource.name))
}
