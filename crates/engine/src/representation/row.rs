//! A record as JSON, with the records that are included in it: the one that a reference names in
//! the place of its id, those that refer to it under the name of their resource.

use model::model::{FieldIndex, Resource, ResourceIndex};
use model::query::{self, Column, Count, Filter, Include, Paging, Query, Relation, Sort, View};
use model::record;
use model::search::{self, Terms};
use model::value::Value;
use store::lookup::{Found, Row};

use crate::call::Call;

/// Writes a record of a list, with where in it is what was searched for, if that is wanted.
pub(super) fn write_found(
    out: &mut Vec<u8>,
    call: &Call,
    index: ResourceIndex,
    row: &Row,
    query: &Query,
) {
    write(out, call, index, row, &query.view);
    let terms = query.filter.search().filter(|_| query.view.highlight);
    if let Some(terms) = terms
        && out.pop() == Some(b'}')
    {
        if !out.ends_with(b"{") {
            out.push(b',');
        }
        let start = out.len();
        record::write_name(out, start, "_highlights");
        write_highlights(out, &call.model.resources[index], row, terms);
        out.push(b'}');
    }
}

/// Writes which searched fields match, each as HTML with what matches marked.
pub(super) fn write_highlights(out: &mut Vec<u8>, resource: &Resource, row: &Row, terms: &Terms) {
    out.push(b'{');
    let start = out.len();
    for field in resource.search.iter().filter(|it| resource.fields[**it].visible()) {
        if let Some(Some(Value::Text(text))) = row.record.values.get(*field)
            && let Some(marked) = search::highlight(text, terms)
        {
            record::write_name(out, start, &resource.fields[*field].name);
            record::write_text(out, &marked);
        }
    }
    out.push(b'}');
}

/// Writes a record.
pub(super) fn write(out: &mut Vec<u8>, call: &Call, index: ResourceIndex, row: &Row, view: &View) {
    let resource = &call.model.resources[index];
    if view.include.is_empty() {
        return record::write_json(out, resource, &row.record, view.fields.as_deref());
    }
    out.push(b'{');
    let start = out.len();
    let mut shown = Vec::new();
    let all: Vec<Column>;
    let columns = match &view.fields {
        Some(columns) => columns,
        None => {
            all = Column::all(resource).collect();
            &all
        }
    };
    for column in columns {
        let names = |relation| match relation {
            Relation::References(field) => Column::Field(field) == *column,
            Relation::ReferredBy(_) => false,
        };
        let mut included = view.include.iter().zip(&row.children);
        let referred = included.find(|(include, _)| names(include.relation));
        match referred.and_then(|(include, found)| Some((include, found.rows.first()?))) {
            Some((include, child)) => {
                record::write_name(out, start, &include.name);
                write(out, call, include.resource, child, &include.view);
                shown.push(include.name.as_str());
            }
            None => record::write_member(out, start, resource, &row.record, *column),
        }
    }
    for (include, found) in view.include.iter().zip(&row.children) {
        match include.relation {
            Relation::References(_) => {
                if let (false, Some(child)) =
                    (shown.contains(&include.name.as_str()), found.rows.first())
                {
                    record::write_name(out, start, &include.name);
                    write(out, call, include.resource, child, &include.view);
                }
            }
            Relation::ReferredBy(field) => {
                record::write_name(out, start, &include.name);
                write_all(out, call, include, found);
                if found.is_cut {
                    record::write_name(out, start, &format!("{}.next", include.name));
                    record::write_text(out, &others(call, include, field, row, found));
                }
            }
        }
    }
    out.push(b'}');
}

fn write_all(out: &mut Vec<u8>, call: &Call, include: &Include, found: &Found) {
    out.push(b'[');
    for (position, child) in found.rows.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, call, include.resource, child, &include.view);
    }
    out.push(b']');
}

/// Where the records are that were left out: on the next page, or from the first on where not even
/// a page was shown.
fn others(call: &Call, include: &Include, field: FieldIndex, row: &Row, found: &Found) -> String {
    let limit = call.settings.include_rows_max.min(call.settings.page_rows_max);
    let is_full = found.rows.len() == limit as usize;
    let query = Query {
        filter: Filter::equal(Column::Field(field), row.record.id.to_value()),
        sort: vec![Sort { column: Column::Id, descending: false }],
        paging: Paging::Page(if is_full { 2 } else { 1 }),
        limit,
        view: include.view.clone(),
        aggregate: None,
        count: Count::Bounded,
    };
    let terms = query::canonical(&call.model, include.resource, &query);
    format!("{}/{}?{terms}", call.model.prefix, call.model.resources[include.resource].name)
}
