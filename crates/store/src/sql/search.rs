//! Full-text search as statement text: the names of an index, the statements that keep it, and
//! the expression that asks it.

use model::model::{Field, FieldIndex, IdKind, Resource};
use model::search::{Term, Terms};

use super::quote;

/// The statements that keep the index of one resource.
#[derive(Debug)]
pub(crate) struct SearchTexts {
    /// Says that what follows is written by the server, which indexes it itself.
    pub(crate) ours: String,
    /// Takes that back.
    pub(crate) theirs: String,
    /// The number of a row and its searched texts, by id.
    pub(crate) texts: String,
    /// What the index holds of a row, by number.
    pub(crate) kept: String,
    /// Puts a row into the index, by number, in place of what was there.
    pub(crate) put: String,
}

impl SearchTexts {
    /// None for a resource that is not searched.
    pub(crate) fn new(resource: &Resource) -> Option<Self> {
        if resource.search.is_empty() {
            return None;
        }
        let (table, number) = (quote(&resource.name), row_number(resource));
        let index = quote(&index_table(resource));
        let fields = fields(resource);
        let names: Vec<String> = fields.iter().map(|field| quote(&field.name)).collect();
        let texts: Vec<String> = fields.iter().map(|field| quote(&text_column(field))).collect();
        let (names, texts) = (names.join(", "), texts.join(", "));
        let name = resource.name.replace('\'', "''");
        let writes = |writer: u8| {
            format!("UPDATE _methodical_resource SET ours = {writer} WHERE name = '{name}'")
        };
        Some(Self {
            ours: writes(1),
            theirs: writes(0),
            texts: format!("SELECT {number}, {names} FROM {table} WHERE \"id\" = ?"),
            kept: format!("SELECT {texts} FROM {index} WHERE rowid = ?"),
            put: format!(
                "INSERT OR REPLACE INTO {index} (rowid, {texts}) VALUES (?{})",
                ", ?".repeat(fields.len())
            ),
        })
    }
}

/// The table that indexes the texts of a resource; its rowid is `row_number` there.
///
/// The parentheses keep it, and the tables that FTS5 names after it, apart from those of another
/// resource: they stand in no resource's name.
pub(crate) fn index_table(resource: &Resource) -> String {
    format!("_methodical_search({})", resource.name)
}

/// The searched fields, in the order of the index's columns: by name, so that the order of the
/// declaration does not matter.
pub(crate) fn fields(resource: &Resource) -> Vec<&Field> {
    let field = |index: &FieldIndex| &resource.fields[*index];
    let mut fields: Vec<&Field> = resource.search.iter().map(field).collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    fields
}

/// The column of the index for a field. FTS5 keeps some names for itself, such as `rank`.
pub(crate) fn text_column(field: &Field) -> String {
    format!("_text_{}", field.name)
}

/// The column, quoted, that numbers the rows of a resource and that nothing renumbers.
pub(crate) fn row_number(resource: &Resource) -> &'static str {
    match resource.id {
        IdKind::Integer => "\"id\"",
        IdKind::Uuid | IdKind::Text => "\"_number\"",
    }
}

/// The right side of a MATCH that finds the rows that these terms match, in these of the searched
/// fields. Made from tokens, which hold letters, digits and marks only: nothing of what somebody
/// typed is an operator here.
pub(crate) fn expression(
    resource: &Resource,
    terms: &Terms,
    within: Option<&[FieldIndex]>,
) -> String {
    let wanted = |within: &[FieldIndex]| {
        let within = resource.search.iter().filter(|field| within.contains(field));
        within.map(|field| &resource.fields[*field]).collect::<Vec<_>>()
    };
    let within = within.map(wanted);
    if terms.is_empty() || within.as_ref().is_some_and(Vec::is_empty) {
        // An empty phrase is found nowhere.
        return "\"\"".to_owned();
    }
    let all: Vec<String> = terms.terms().iter().map(phrase).collect();
    let all = all.join(" AND ");
    match within {
        Some(fields) if fields.len() < resource.search.len() => {
            let columns: Vec<String> =
                fields.iter().map(|field| quote(&text_column(field))).collect();
            format!("{{{}}} : ({all})", columns.join(" "))
        }
        Some(_) | None => all,
    }
}

fn phrase(term: &Term) -> String {
    let star = if term.is_prefix() { " *" } else { "" };
    format!("\"{}\"{star}", term.tokens().join(" "))
}
