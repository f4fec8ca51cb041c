//! The report: what became of every table, and what did not come along.

use super::foreign::Foreign;
use super::note::{Class, Note};
use super::plan::{IdSource, Resource};

/// Writes it.
pub(super) fn write(foreign: &Foreign, resources: &[Resource], notes: &[Note]) -> String {
    let rows: u64 = foreign.tables.iter().map(|table| table.rows).sum();
    let mut out = format!(
        "{}: {} tables with {rows} rows, {} views\n\n",
        foreign.name,
        foreign.tables.len(),
        foreign.views.len()
    );
    let mut lines = vec![["table", "rows", "resource", "id", "fields"].map(str::to_owned)];
    for resource in resources {
        let table = &foreign.tables[resource.table];
        let id = match resource.id {
            IdSource::Column(key) => table.columns[key].name.clone(),
            IdSource::Row => "(number of the row)".to_owned(),
            IdSource::Count => "(counted)".to_owned(),
        };
        let fields = resource.fields.len().to_string();
        lines.push([table.name.clone(), table.rows.to_string(), resource.name.clone(), id, fields]);
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4].map(width);
    for line in &lines {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        out.push_str(&format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end()));
    }
    for class in Class::ALL {
        let of: Vec<&Note> = notes.iter().filter(|note| note.class == *class).collect();
        if !of.is_empty() {
            out.push_str(&format!("\n{}:\n", class.heading()));
        }
        for note in of {
            let text: Vec<&str> = note.text.split_whitespace().collect();
            out.push_str(&format!("  {}: {}\n", note.place, text.join(" ")));
        }
    }
    out
}
