//! What the existing rows have against a new declaration, and what they would lose by it. Reads
//! only, and is done before anything changes.

use model::index::unique_groups;
use model::model::{Field, FieldIndex, Kind};
use model::value::{Id, Value};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::super::failure::Failure;
use super::table::{Target, compared_before, id_kind, is_filled};
use crate::migrate::convert::{convert, is_exact};
use crate::migrate::pair::{Models, Pair};
use crate::migrate::{IDS_MAX, Obstacle, Progress, diff};
use crate::sql::quote;

/// What the rows of a table say.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) rows: u64,
    pub(crate) obstacles: Vec<Obstacle>,
    /// Values that can be converted, but not back.
    pub(crate) inexact: Vec<(FieldIndex, Tally)>,
    /// Values that are not there, where the default will be.
    pub(crate) filled: Vec<(FieldIndex, Tally)>,
    /// Values of fields that go.
    pub(crate) dropped: Vec<(String, Tally)>,
}

/// How many records, and the first of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) ids: Vec<String>,
}

impl Tally {
    fn add(&mut self, id: ValueRef<'_>) {
        self.rows += 1;
        if self.ids.len() < IDS_MAX {
            self.ids.push(shown(id));
        }
    }
}

/// An id, as it is listed.
fn shown(id: ValueRef<'_>) -> String {
    match id {
        ValueRef::Integer(id) => id.to_string(),
        ValueRef::Text(id) => String::from_utf8_lossy(id).into_owned(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => "?".to_owned(),
    }
}

/// Tells of progress.
pub(crate) type Tell<'t> = &'t mut dyn FnMut(Progress);

/// Reads what has to be read.
pub(crate) fn facts(
    connection: &Connection,
    models: Models<'_>,
    pair: &Pair<'_>,
    targets: &[Target],
    tell: Tell<'_>,
) -> Result<Facts, Failure> {
    let table = quote(&pair.old.name);
    // The total that is kept: counting a large table takes long.
    let total = "SELECT total FROM _methodical_resource WHERE name = ?";
    let rows: i64 = connection.query_row(total, [&pair.old.name], |row| row.get(0))?;
    let mut facts = Facts { rows: u64::try_from(rows).unwrap_or(0), ..Facts::default() };
    for field in pair.dropped() {
        let column = quote(&field.name);
        let tally =
            tally(connection, &format!("SELECT \"id\" FROM {table} WHERE {column} IS NOT NULL"))?;
        facts.dropped.push((field.name.clone(), tally));
    }
    rows_fit(connection, models, pair, &mut facts, tell)?;
    added_fit(connection, pair, &mut facts)?;
    unique_fit(connection, pair, targets, &mut facts)?;
    references_fit(connection, models, pair, targets, &mut facts)?;
    Ok(facts)
}

/// The ids that a query gives.
fn tally(connection: &Connection, text: &str) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tally.add(row.get_ref(0)?);
    }
    Ok(tally)
}

fn oppose(pair: &Pair<'_>, facts: &mut Facts, what: String, tally: Tally) {
    if tally.rows > 0 {
        let resource = pair.new.name.clone();
        facts.obstacles.push(Obstacle { resource, what, rows: tally.rows, ids: tally.ids });
    }
}

/// A field whose values are looked at one by one.
struct Judge<'m> {
    at: FieldIndex,
    was: &'m Field,
    now: &'m Field,
}

/// What becomes of a value.
enum Fate {
    Stays,
    Filled,
    Inexact,
}

impl<'m> Judge<'m> {
    fn new(models: Models<'m>, pair: &Pair<'m>, at: FieldIndex) -> Option<Self> {
        let (was, now) = (pair.was(at)?, &pair.new.fields[at]);
        let refers = match (was.references, now.references) {
            (_, None) => false,
            (Some(was), Some(now)) => diff::leads_elsewhere(models, was.resource, now.resource),
            (None, Some(_)) => true,
        };
        let needed = was.kind != now.kind
            || was.password != now.password
            || diff::presence(was) != diff::presence(now)
            || diff::is_stricter(was, now)
            || refers;
        needed.then_some(Self { at, was, now })
    }

    fn judge(&self, found: ValueRef<'_>) -> Result<Fate, String> {
        let Some(value) = read(self.was.kind, found) else { return self.absent() };
        if self.was.password != self.now.password {
            return Err("a password is kept as a hash, and cannot become or have been anything \
                        else: drop this field and add another one"
                .to_owned());
        }
        let Some(converted) = convert(&value, self.now.kind) else {
            return Err(match (self.was.kind, self.now.kind) {
                (Kind::Integer, Kind::Number) => {
                    "has more digits than binary64 can hold".to_owned()
                }
                (_, now) => format!("is not {}", phrase(now)),
            });
        };
        if !self.now.password {
            self.fits(&converted.to_json())?;
        }
        match self.was.kind == self.now.kind || is_exact(&value, self.was.kind, &converted) {
            true => Ok(Fate::Stays),
            false => Ok(Fate::Inexact),
        }
    }

    fn fits(&self, value: &serde_json::Value) -> Result<(), String> {
        match self.now.fault(value) {
            Some(detail) => Err(detail),
            None => Ok(()),
        }
    }

    fn absent(&self) -> Result<Fate, String> {
        if is_filled(self.was, self.now) {
            Ok(Fate::Filled)
        } else if self.now.optional {
            Ok(Fate::Stays)
        } else if self.now.nullable {
            self.fits(&serde_json::Value::Null).map(|()| Fate::Stays)
        } else {
            Err("is absent, and it is required".to_owned())
        }
    }
}

fn phrase(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a string",
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Json => "JSON",
    }
}

/// A value as it lies in the column of a field of this kind.
pub(crate) fn read(kind: Kind, found: ValueRef<'_>) -> Option<Value> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(match (kind, found) {
        (_, ValueRef::Null) => return None,
        (Kind::Boolean, ValueRef::Integer(number)) => Value::Boolean(number != 0),
        (_, ValueRef::Integer(number)) => Value::Integer(number),
        (_, ValueRef::Real(number)) => Value::Number(number),
        (Kind::Json, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Value::Json(text(bytes)),
        (_, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Value::Text(text(bytes)),
    })
}

/// Reasons against records, in the order in which they were found.
#[derive(Default)]
struct Reasons(Vec<(String, Tally)>);

impl Reasons {
    /// More of them than anybody reads are one.
    const MAX: usize = 20;

    fn add(&mut self, what: String, id: ValueRef<'_>) {
        let known = self.0.iter().position(|(other, _)| *other == what);
        let at = known.unwrap_or_else(|| {
            let is_full = self.0.len() >= Self::MAX;
            let what = if is_full { "other reasons".to_owned() } else { what };
            if self.0.last().is_none_or(|(last, _)| *last != what) {
                self.0.push((what, Tally::default()));
            }
            self.0.len() - 1
        });
        self.0[at].1.add(id);
    }
}

/// How many rows are looked at between two tellings.
const STRIDE: u64 = 10_000;

fn rows_fit(
    connection: &Connection,
    models: Models<'_>,
    pair: &Pair<'_>,
    facts: &mut Facts,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let fields = 0..pair.new.fields.len();
    let judges: Vec<Judge<'_>> = fields.filter_map(|at| Judge::new(models, pair, at)).collect();
    let new_ids = pair.old.id != pair.new.id;
    if judges.is_empty() && !new_ids {
        return Ok(());
    }
    let columns = judges.iter().map(|judge| quote(&judge.was.name));
    let columns = std::iter::once("\"id\"".to_owned()).chain(columns).collect::<Vec<_>>();
    let text = format!("SELECT {} FROM {}", columns.join(", "), quote(&pair.old.name));
    let mut statement = connection.prepare(&text)?;
    let mut rows = statement.query([])?;
    let mut reasons = Reasons::default();
    let mut fates: Vec<[Tally; 2]> = judges.iter().map(|_| <[Tally; 2]>::default()).collect();
    let mut done = 0;
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?;
        if new_ids && !id_fits(pair, id) {
            let kind = pair.new.id.word();
            reasons.add(format!("the id cannot be one of id = \"{kind}\""), id);
        }
        for (at, judge) in judges.iter().enumerate() {
            match judge.judge(row.get_ref(at + 1)?) {
                Ok(Fate::Stays) => {}
                Ok(Fate::Filled) => fates[at][0].add(id),
                Ok(Fate::Inexact) => fates[at][1].add(id),
                Err(detail) => reasons.add(format!("`{}` {detail}", judge.now.name), id),
            }
        }
        done += 1;
        if done % STRIDE == 0 {
            let doing = format!("checking {}", pair.new.name);
            tell(Progress { doing, done, rows: facts.rows });
        }
    }
    for (judge, [filled, inexact]) in judges.iter().zip(fates) {
        facts.filled.push((judge.at, filled));
        facts.inexact.push((judge.at, inexact));
    }
    for (what, tally) in reasons.0 {
        oppose(pair, facts, what, tally);
    }
    Ok(())
}

fn id_fits(pair: &Pair<'_>, found: ValueRef<'_>) -> bool {
    let converted =
        read(id_kind(pair.old.id), found).and_then(|value| convert(&value, id_kind(pair.new.id)));
    let Some(converted) = converted else { return false };
    let (segment, id) = match converted {
        Value::Integer(id) => (id.to_string(), Id::Integer(id)),
        Value::Text(id) => (id.clone(), Id::Text(id)),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Json(_) => return false,
    };
    // Two spellings of one number would become one record.
    pair.new.id.read(&segment) == Some(id) && segment == shown(found)
}

/// A field that is new, required and without a default can be in no record that is there.
fn added_fit(connection: &Connection, pair: &Pair<'_>, facts: &mut Facts) -> Result<(), Failure> {
    for (at, field) in pair.new.fields.iter().enumerate() {
        let is_open = field.optional || field.nullable || field.default.is_some();
        if pair.fields[at].is_some() || is_open {
            continue;
        }
        let all = tally(connection, &format!("SELECT \"id\" FROM {}", quote(&pair.old.name)))?;
        let what =
            format!("`{}` is new and required: give it a default, or make it optional", field.name);
        oppose(pair, facts, what, all);
    }
    Ok(())
}

fn unique_fit(
    connection: &Connection,
    pair: &Pair<'_>,
    targets: &[Target],
    facts: &mut Facts,
) -> Result<(), Failure> {
    let before: Vec<Option<Vec<String>>> =
        unique_groups(pair.old).iter().map(|group| pair.names_now(group)).collect();
    for group in unique_groups(pair.new) {
        let fields: Vec<&Field> = group.iter().map(|at| &pair.new.fields[*at]).collect();
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let stays = |at: &FieldIndex| {
            let now = &pair.new.fields[*at];
            pair.was(*at).is_some_and(|was| {
                was.kind == now.kind && was.ignore_case == now.ignore_case && !is_filled(was, now)
            })
        };
        if before.contains(&Some(names.clone())) && group.iter().all(stays) {
            continue;
        }
        let values: Option<Vec<String>> =
            fields.iter().map(|field| compared_before(targets, field)).collect();
        let Some(values) = values else { continue };
        let given: Vec<String> =
            values.iter().map(|value| format!("{value} IS NOT NULL")).collect();
        let text = format!(
            "SELECT id FROM (SELECT \"id\" AS id, count(*) OVER (PARTITION BY {}) AS number \
             FROM {} WHERE {}) WHERE number > 1",
            values.join(", "),
            quote(&pair.old.name),
            given.join(" AND ")
        );
        let tally = tally(connection, &text)?;
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let what =
            format!("{} shall be unique, and another record has the same", names.join(" and "));
        oppose(pair, facts, what, tally);
    }
    Ok(())
}

fn references_fit(
    connection: &Connection,
    models: Models<'_>,
    pair: &Pair<'_>,
    targets: &[Target],
    facts: &mut Facts,
) -> Result<(), Failure> {
    for (at, field) in pair.new.fields.iter().enumerate() {
        let (Some(to), Some(was)) = (field.references, pair.was(at)) else { continue };
        let parent = models.before()[to.resource];
        let same = was.references.is_some_and(|was| Some(was.resource) == parent);
        if same && was.kind == field.kind {
            continue;
        }
        let Some(value) = compared_before(targets, field) else { continue };
        let name = &models.new.resources[to.resource].name;
        let among = match parent {
            Some(parent) => {
                let (old, new) =
                    (&models.old.resources[parent], &models.new.resources[to.resource]);
                let (from, to) = (id_kind(old.id), id_kind(new.id));
                let id = match from == to {
                    true => "\"id\"".to_owned(),
                    false => format!("_methodical_convert({}, {}, \"id\")", from as u8, to as u8),
                };
                let table = quote(&old.name);
                format!(" AND {value} NOT IN (SELECT {id} FROM {table} WHERE {id} IS NOT NULL)")
            }
            None => String::new(),
        };
        let text = format!(
            "SELECT \"id\" FROM {} WHERE {value} IS NOT NULL{among}",
            quote(&pair.old.name)
        );
        let what = format!("`{}` names no record of {name}", field.name);
        oppose(pair, facts, what, tally(connection, &text)?);
    }
    Ok(())
}
