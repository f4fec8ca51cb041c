//! Migrations in SQLite: the plan of a changed declaration, and carrying it out.

mod apply;
mod check;
pub(crate) mod files;
mod history;
pub(crate) mod schema;
mod table;

use std::time::{Duration, Instant};

use model::model::{Field, FieldIndex, Kind, Model};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSql, Value as Sql};

use self::check::{Facts, Tally, Tell};
use self::schema::Objects;
use self::table::{Lies, Target, Way};
use super::ddl::{self, Piece};
use super::failure::{Failure, broken};
use super::fold::teach;
use super::value::Bound;
use crate::migrate::pair::{Models, Pair};
use crate::migrate::{Action, IDS_MAX, Loss, Obstacle, Plan, Step, Work, convert, diff};
use crate::sql::quote;

pub(crate) use apply::apply;
pub(crate) use history::history;

/// What is known of one resource that is there before and after.
struct Table<'m> {
    pair: Pair<'m>,
    actions: Vec<Action>,
    facts: Facts,
    targets: Vec<Target>,
    lies: Lies,
    way: Way,
    /// Its number in the bookkeeping.
    number: i64,
    /// What keeps the bookkeeping is not written as this program writes it.
    is_stale: bool,
}

/// A plan, and what is needed to carry it out.
struct Prepared<'m> {
    models: Models<'m>,
    tables: Vec<Table<'m>>,
    plan: Plan,
}

/// Reads a value of the bookkeeping.
pub(crate) fn meta(connection: &Connection, name: &str) -> Result<String, Failure> {
    let text = "SELECT value FROM _methodical_meta WHERE name = ?";
    Ok(connection.query_row(text, [name], |row| row.get(0))?)
}

fn set_meta(connection: &Connection, name: &str, value: &str) -> Result<(), Failure> {
    let text = "INSERT INTO _methodical_meta (name, value) VALUES (?, ?) \
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.execute(text, (name, value))?;
    Ok(())
}

/// Writes down what the tables were made for, and what they are.
pub(crate) fn remember(
    connection: &Connection,
    model: &Model,
    theirs: &Objects,
) -> Result<(), Failure> {
    set_meta(connection, "shape", &model.shape().to_string())?;
    set_meta(connection, "declaration", &model.table_digest())?;
    schema::keep(connection, theirs)
}

/// The declaration that the tables were made for, as far as tables are concerned.
pub(super) fn kept_model(connection: &Connection) -> Result<Model, Failure> {
    let unreadable = || {
        broken(
            "what is kept of the declaration that its tables were made for was written by a \
             newer version of Methodical: use that version",
        )
    };
    Model::of_shape(&meta(connection, "shape")?).ok_or_else(unreadable)
}

/// True where the database fits a declaration as this program would make it.
pub(crate) fn is_current(connection: &Connection, model: &Model) -> Result<bool, Failure> {
    if meta(connection, "declaration")? != model.table_digest() {
        return Ok(false);
    }
    let kept = schema::kept(connection)?;
    for resource in &model.resources {
        let number = number(connection, &resource.name)?;
        if is_stale(&kept, number, &resource.name, resource) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The plan for a declaration. Changes nothing.
pub(crate) fn plan(
    connection: &Connection,
    model: &Model,
    tell: Tell<'_>,
) -> Result<Plan, Failure> {
    functions(connection)?;
    let old = kept_model(connection)?;
    Ok(prepare(connection, Models { old: &old, new: model }, tell)?.plan)
}

fn prepare<'m>(
    connection: &Connection,
    models: Models<'m>,
    tell: Tell<'_>,
) -> Result<Prepared<'m>, Failure> {
    let kept = schema::kept(connection)?;
    let mut plan = Plan {
        before: models.old.table_digest(),
        after: models.new.table_digest(),
        ..Plan::default()
    };
    for resource in models.dropped() {
        let rows = count(connection, &resource.name)?;
        let ids = first_ids(connection, &resource.name)?;
        let loss = Loss { rows, what: "every record of it".to_owned(), ids };
        plan.steps.push(Step {
            resource: resource.name.clone(),
            action: Action::DropResource,
            rows,
            work: Work::Describe,
            estimate: Duration::ZERO,
            loss: (rows > 0).then_some(loss),
        });
    }
    for at in models.added() {
        plan.steps.push(Step {
            resource: models.new.resources[at].name.clone(),
            action: Action::AddResource,
            rows: 0,
            work: Work::Describe,
            estimate: Duration::ZERO,
            loss: None,
        });
    }
    let mut tables = Vec::new();
    for pair in models.pairs() {
        let mut table = table(connection, models, pair, &kept, tell)?;
        let pace = pace(connection, &table)?;
        plan.steps.extend(table.steps(pace));
        plan.obstacles.append(&mut table.facts.obstacles);
        tables.push(table);
    }
    plan.obstacles.extend(collisions(connection, &kept, models)?);
    Ok(Prepared { models, tables, plan })
}

fn table<'m>(
    connection: &Connection,
    models: Models<'m>,
    pair: Pair<'m>,
    kept: &Objects,
    tell: Tell<'_>,
) -> Result<Table<'m>, Failure> {
    let actions = diff::actions(models, &pair);
    let targets = table::targets(models, &pair);
    let facts = check::facts(connection, models, &pair, &targets, tell)?;
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?)")?;
    let columns = statement.query_map([&pair.old.name], |row| row.get(0))?;
    let columns: Vec<String> = columns.collect::<Result<_, _>>()?;
    let made = ddl::columns(models.old, pair.old).into_iter().map(|column| column.definition);
    let made = ddl::table(&pair.old.name, made);
    let is_full = kept.get(&pair.old.name).is_some_and(|table| table.text == made);
    let lies = Lies { columns, is_full };
    let way = table::way(models, &pair, &facts, &targets, &lies);
    let number = number(connection, &pair.old.name)?;
    let is_stale = actions.is_empty() && is_stale(kept, number, &pair.old.name, pair.new);
    Ok(Table { pair, actions, facts, targets, lies, way, number, is_stale })
}

/// The number of a resource in the bookkeeping.
fn number(connection: &Connection, name: &str) -> Result<i64, Failure> {
    let text = "SELECT resource FROM _methodical_resource WHERE name = ?";
    Ok(connection.query_row(text, [name], |row| row.get(0))?)
}

/// True where what is kept around a table is not what this program would make.
fn is_stale(kept: &Objects, number: i64, table: &str, resource: &model::model::Resource) -> bool {
    let made =
        |piece: &Piece| kept.get(&piece.name).map(|object| &object.text) == Some(&piece.text);
    let triggers = ddl::triggers(number, resource);
    let others = kept.values().filter(|object| object.kind == "trigger" && object.table == table);
    !triggers.iter().all(made)
        || others.count() != triggers.len()
        || !ddl::search(resource).iter().all(made)
}

fn count(connection: &Connection, table: &str) -> Result<u64, Failure> {
    let text = format!("SELECT count(*) FROM {}", quote(table));
    let rows: i64 = connection.query_row(&text, [], |row| row.get(0))?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

fn first_ids(connection: &Connection, table: &str) -> Result<Vec<String>, Failure> {
    let text = format!("SELECT CAST(\"id\" AS TEXT) FROM {} ORDER BY \"id\" LIMIT ?", quote(table));
    let mut statement = connection.prepare(&text)?;
    let rows = statement.query_map([IDS_MAX as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Tables and indexes of somebody else's under names that the declaration needs.
fn collisions(
    connection: &Connection,
    kept: &Objects,
    models: Models<'_>,
) -> Result<Vec<Obstacle>, Failure> {
    let mut out = Vec::new();
    for resource in &models.new.resources {
        let made = ddl::indexes(resource).into_iter().map(|piece| piece.name);
        let names: Vec<String> = std::iter::once(resource.name.clone()).chain(made).collect();
        for (name, object) in schema::present(connection)? {
            let wanted = names.iter().any(|other| other.eq_ignore_ascii_case(&name));
            if wanted && object.kind != "trigger" && !kept.contains_key(&name) {
                out.push(Obstacle {
                    resource: resource.name.clone(),
                    what: format!(
                        "there is {} {name} of somebody else's already: give it another name",
                        if object.kind == "index" { "an index" } else { "a table or view" }
                    ),
                    rows: 0,
                    ids: Vec::new(),
                });
            }
        }
    }
    Ok(out)
}

/// Rows that are copied to learn how fast this machine is.
const SAMPLE: u64 = 2_000;
/// Copies of which the fastest counts: the others were held up by something else.
const ATTEMPTS: usize = 3;
/// How much longer it takes to write rows for good than to copy them in memory: they go to the
/// log, are synced, and are moved into the file from there.
const ON_DISK: f64 = 4.0;
/// How much of it building an index takes.
const INDEX: f64 = 0.5;
/// How much of it reading takes.
const READING: f64 = 0.2;

/// How long a row takes, in seconds: a copy of some of them into memory, on this machine.
fn pace(connection: &Connection, table: &Table<'_>) -> Result<f64, Failure> {
    if !table.is_touched() || table.facts.rows < SAMPLE {
        return Ok(0.0);
    }
    let from = quote(&table.pair.old.name);
    let mut best = f64::MAX;
    for _ in 0..ATTEMPTS {
        let begun = Instant::now();
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE _methodical_sample AS SELECT * FROM main.{from} LIMIT {SAMPLE}; \
             DROP TABLE temp._methodical_sample"
        ))?;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    Ok(best / SAMPLE as f64 * ON_DISK)
}

impl Table<'_> {
    /// True where something is done.
    fn is_touched(&self) -> bool {
        !self.actions.is_empty() || self.is_stale || self.way != Way::Leave
    }

    fn steps(&self, pace: f64) -> Vec<Step> {
        let mut rewritten = false;
        let mut actions = self.actions.clone();
        if self.is_stale {
            actions.push(Action::Renew);
        }
        let mut steps: Vec<Step> = Vec::new();
        for action in actions {
            let work = self.work(&action);
            let share = match work {
                Work::Describe => 0.0,
                Work::Read => READING,
                Work::Index => INDEX,
                // All of it is written once, whatever the number of reasons.
                Work::Rewrite if rewritten => 0.0,
                Work::Rewrite => {
                    let indexes = ddl::indexes(self.pair.new).len();
                    1.0 + INDEX * indexes as f64
                }
            };
            rewritten |= work == Work::Rewrite;
            steps.push(Step {
                resource: self.pair.new.name.clone(),
                loss: self.loss(&action),
                action,
                rows: self.facts.rows,
                work,
                estimate: Duration::from_secs_f64(self.facts.rows as f64 * pace * share),
            });
        }
        steps
    }

    fn field(&self, name: &str) -> Option<(FieldIndex, &Field)> {
        self.pair.new.field(name)
    }

    /// What the database has to do for an action.
    fn work(&self, action: &Action) -> Work {
        let rebuild = self.way == Way::Rebuild;
        let of_way = if rebuild { Work::Rewrite } else { Work::Describe };
        match action {
            Action::AddResource | Action::DropResource => Work::Describe,
            Action::DropIndex { .. } | Action::DropUnique { .. } => Work::Describe,
            Action::Watch { .. } => Work::Describe,
            Action::RenameResource { .. } | Action::RenameField { .. } => {
                let moved = ddl::indexes(self.pair.old) != ddl::indexes(self.pair.new);
                if moved && !rebuild { Work::Index } else { Work::Describe }
            }
            Action::ChangeId { .. }
            | Action::DropField { .. }
            | Action::ChangeType { .. }
            | Action::ChangeCase { .. } => Work::Rewrite,
            Action::AddField { field, .. } => {
                let folded = self.field(field).is_some_and(|(_, it)| crate::sql::is_folded(it));
                if folded { Work::Rewrite } else { Work::Describe }
            }
            Action::ChangePresence { field, .. } => {
                let filled = self.tally(&self.facts.filled, field).is_some();
                if filled { Work::Rewrite } else { Work::Read }
            }
            Action::ChangeConstraint { field, .. } => {
                let stricter = self.field(field).is_some_and(|(at, now)| {
                    self.pair.was(at).is_some_and(|was| diff::is_stricter(was, now))
                });
                if stricter { Work::Read } else { Work::Describe }
            }
            Action::ChangeDefault { .. } => of_way,
            Action::ChangeReference { .. } => Work::Read,
            Action::AddIndex { .. } | Action::AddUnique { .. } => Work::Index,
            Action::ChangeSearch { fields } => {
                if fields.is_empty() {
                    Work::Describe
                } else {
                    Work::Index
                }
            }
            Action::Renew => {
                if self.pair.new.search.is_empty() {
                    Work::Describe
                } else {
                    Work::Index
                }
            }
        }
    }

    fn tally<'t>(&self, among: &'t [(FieldIndex, Tally)], field: &str) -> Option<&'t Tally> {
        let (at, _) = self.field(field)?;
        among.iter().find(|(other, tally)| *other == at && tally.rows > 0).map(|(_, it)| it)
    }

    /// What is lost by an action.
    fn loss(&self, action: &Action) -> Option<Loss> {
        let (tally, what) = match action {
            Action::DropField { field } => {
                let (_, tally) = self.facts.dropped.iter().find(|(name, _)| name == field)?;
                (tally, format!("the values of `{field}`"))
            }
            Action::ChangeType { field, .. } => {
                let tally = self.tally(&self.facts.inexact, field)?;
                (tally, format!("how the values of `{field}` are written"))
            }
            Action::ChangePresence { field, .. } => {
                let tally = self.tally(&self.facts.filled, field)?;
                (tally, format!("which records have no `{field}`: they get the default"))
            }
            Action::AddResource
            | Action::DropResource
            | Action::RenameResource { .. }
            | Action::ChangeId { .. }
            | Action::AddField { .. }
            | Action::RenameField { .. }
            | Action::ChangeConstraint { .. }
            | Action::ChangeDefault { .. }
            | Action::ChangeCase { .. }
            | Action::ChangeReference { .. }
            | Action::AddIndex { .. }
            | Action::DropIndex { .. }
            | Action::AddUnique { .. }
            | Action::DropUnique { .. }
            | Action::ChangeSearch { .. }
            | Action::Watch { .. }
            | Action::Renew => return None,
        };
        let loss = Loss { rows: tally.rows, what, ids: tally.ids.clone() };
        (tally.rows > 0).then_some(loss)
    }
}

/// Teaches SQL what only we can do: to convert values, and to fold case.
fn functions(connection: &Connection) -> Result<(), Failure> {
    // A column that is gone would otherwise be taken for a text where somebody has quoted it.
    for config in [DbConfig::SQLITE_DBCONFIG_DQS_DDL, DbConfig::SQLITE_DBCONFIG_DQS_DML] {
        connection.set_db_config(config, false)?;
    }
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("_methodical_convert", 3, flags, |context| converted(context))?;
    teach(connection)?;
    Ok(())
}

/// `_methodical_convert(from, to, value)`; NULL where it has no meaning there.
fn converted(context: &Context<'_>) -> rusqlite::Result<Option<Sql>> {
    let kinds = [Kind::Text, Kind::Integer, Kind::Number, Kind::Boolean, Kind::Json];
    let kind = |at| -> rusqlite::Result<Option<Kind>> {
        let number: u8 = context.get(at)?;
        Ok(kinds.into_iter().find(|kind| *kind as u8 == number))
    };
    let (Some(from), Some(to)) = (kind(0)?, kind(1)?) else { return Ok(None) };
    let value = check::read(from, context.get_raw(2));
    let Some(value) = value.and_then(|value| convert::convert(&value, to)) else {
        return Ok(None);
    };
    Ok(match Bound(&value).to_sql()? {
        rusqlite::types::ToSqlOutput::Borrowed(borrowed) => Some(borrowed.try_into()?),
        rusqlite::types::ToSqlOutput::Owned(owned) => Some(owned),
        _ => None,
    })
}

/// Writes down the largest number that a resource has had: none is ever given twice, because the
/// change log goes on telling of those that are gone.
fn keep_number(connection: &Connection) -> Result<i64, Failure> {
    let text = "INSERT INTO _methodical_meta (name, value) \
                SELECT 'number', coalesce(max(resource), 0) FROM _methodical_resource WHERE true \
                ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value) \
                RETURNING value";
    Ok(connection.query_row(text, [], |row| row.get(0))?)
}

/// The next number for a resource.
fn next_number(connection: &Connection) -> Result<i64, Failure> {
    let next = keep_number(connection)? + 1;
    connection.execute("UPDATE _methodical_meta SET value = ? WHERE name = 'number'", [next])?;
    Ok(next)
}
