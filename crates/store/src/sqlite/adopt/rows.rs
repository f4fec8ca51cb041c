//! The rows of a table in the order of a resource's fields: one statement, with ids in the place of
//! what is referred to by other keys.

use model::adopt::foreign::{Foreign, Table};
use model::adopt::plan::{Carried, IdSource, Plan, Source};

use super::relation::joined;
use super::{Strange, row_number};
use crate::sql::quote;

/// Counts the rows of tables that have no number or key which could be an id.
pub(crate) fn count(strange: &Strange, foreign: &Foreign, plan: &Plan) -> rusqlite::Result<()> {
    for carried in plan.carried.iter().filter(|carried| carried.id == IdSource::Count) {
        let table = &foreign.tables[carried.table];
        let by = located(table);
        let order: Vec<String> =
            table.key.iter().map(|at| quote(&table.columns[*at].name)).collect();
        let order = if order.is_empty() { by.clone() } else { order };
        let columns: Vec<String> =
            by.iter().enumerate().map(|(at, name)| format!("{name} AS k{at}")).collect();
        let map = map(carried.table);
        let keys: Vec<String> = (0..by.len()).map(|at| format!("k{at}")).collect();
        strange.connection.execute_batch(&format!(
            "CREATE TEMP TABLE {map} AS SELECT {}, row_number() OVER (ORDER BY {}) AS id FROM {}; \
             CREATE INDEX temp.{map}_keys ON {map} ({});",
            columns.join(", "),
            order.join(", "),
            quote(&table.name),
            keys.join(", ")
        ))?;
    }
    Ok(())
}

fn map(table: usize) -> String {
    format!("_methodical_{table}")
}

/// What tells a row of a table without good numbers apart.
fn located(table: &Table) -> Vec<String> {
    if let (Some(name), Some(_)) = (row_number(table), table.numbers) {
        return vec![name.to_owned()];
    }
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let by = if table.key.is_empty() { &all } else { &table.key };
    by.iter().map(|at| quote(&table.columns[*at].name)).collect()
}

/// The statement that reads a resource's rows: the id, when it was created and changed, then a
/// value a field.
pub(crate) fn select(foreign: &Foreign, plan: &Plan, carried: &Carried) -> String {
    let table = &foreign.tables[carried.table];
    let mut columns = vec![id(foreign, carried, "t")];
    let time = |time: &Option<usize>| match time {
        Some(at) => format!("t.{}", quote(&table.columns[*at].name)),
        None => "NULL".to_owned(),
    };
    columns.extend(carried.times.iter().map(time));
    for source in &carried.values {
        columns.push(match source {
            Source::Column { column, .. } => format!("t.{}", quote(&table.columns[*column].name)),
            Source::Reference(at) => referred(foreign, plan, table, *at),
        });
    }
    format!("SELECT {} FROM {} AS t", columns.join(", "), quote(&table.name))
}

/// The id of a row of this table, by which alias it is known.
fn id(foreign: &Foreign, carried: &Carried, alias: &str) -> String {
    let table = &foreign.tables[carried.table];
    match carried.id {
        IdSource::Column(key) => format!("{alias}.{}", quote(&table.columns[key].name)),
        IdSource::Row => format!("{alias}.{}", row_number(table).unwrap_or("rowid")),
        IdSource::Count => {
            let by = located(table).into_iter().enumerate();
            let by: Vec<String> =
                by.map(|(at, name)| format!("m.k{at} IS {alias}.{name}")).collect();
            let map = map(carried.table);
            format!("(SELECT m.id FROM temp.{map} AS m WHERE {})", by.join(" AND "))
        }
    }
}

/// The id of what a reference leads to.
fn referred(foreign: &Foreign, plan: &Plan, table: &Table, at: usize) -> String {
    let reference = &table.references[at];
    let target = reference.target.as_ref().and_then(|(to, columns)| {
        Some((plan.carried.iter().find(|carried| carried.table == *to)?, columns))
    });
    let Some((carried, columns)) = target else { return "NULL".to_owned() };
    let other = &foreign.tables[carried.table];
    format!(
        "(SELECT {} FROM {} AS p WHERE {})",
        id(foreign, carried, "p"),
        quote(&other.name),
        joined(table, other, reference, columns)
    )
}
