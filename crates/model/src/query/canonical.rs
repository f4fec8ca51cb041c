//! A query as the one URL query that means it.

use form_urlencoded::Serializer;

use super::{Count, Filter, Query};
use crate::model::Resource;
use crate::record::write_value;
use crate::value::Value;

/// Writes a query as the content of a URL after `?`: filters in the order of the columns, then
/// `sort`, `fields`, `count`, `page` and `limit`. Equal queries have equal texts.
#[must_use]
pub fn canonical(resource: &Resource, query: &Query) -> String {
    let mut out = Serializer::new(String::new());
    write_filter(&mut out, resource, &query.filter);
    if !query.sort.is_empty() {
        let keys = query.sort.iter().map(|key| {
            let sign = if key.descending { "-" } else { "" };
            format!("{sign}{}", key.column.name(resource))
        });
        out.append_pair("sort", &keys.collect::<Vec<_>>().join(","));
    }
    if let Some(fields) = &query.fields {
        let names: Vec<_> = fields.iter().map(|column| column.name(resource)).collect();
        out.append_pair("fields", &names.join(","));
    }
    match query.count {
        Count::Bounded => {}
        Count::Exact => _ = out.append_pair("count", "exact"),
        Count::None => _ = out.append_pair("count", "none"),
    }
    out.append_pair("page", &query.page.to_string());
    out.append_pair("limit", &query.limit.to_string());
    out.finish()
}

fn write_filter(out: &mut Serializer<'_, String>, resource: &Resource, filter: &Filter) {
    match filter {
        Filter::All(filters) => {
            for filter in filters {
                write_filter(out, resource, filter);
            }
        }
        Filter::Compare { column, operator: super::Operator::Equal, value } => {
            let name = column.name(resource);
            let reserved = super::read::is_reserved(name);
            let name = if reserved { format!("{name}[eq]") } else { name.to_owned() };
            out.append_pair(&name, &text(value));
        }
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
