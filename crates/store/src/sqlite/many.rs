//! Many records at once: row by row through the one insert, and where the tables refuse some, on
//! through the rest, so that all are found; their write is undone then as a whole.

use std::collections::HashSet;

use model::model::{FieldIndex, ResourceIndex};
use model::query::{Column, Comparison, Filter};
use model::record::{Record, Version};
use model::rows::FAULTY_ROWS_MAX;
use model::value::Id;
use rusqlite::OptionalExtension;

use super::apply;
use super::bind::bind_terms;
use super::failure::Failure;
use super::session::Session;
use super::value::{BoundId, id, joined};
use crate::change::Many;
use crate::error::{Error, Refusal, RefusedRow};
use crate::spool::Spooled;
use crate::sql::select::{Ask, Shape};
use crate::sql::term::{Term, terms};

/// Rows that are looked at together.
const PART: usize = 512;

/// Inserts every row, or says which cannot be.
pub(crate) fn insert(session: &Session, many: &Many, step: usize) -> Result<(), Error> {
    let told = |failure: Failure| failure.told(&session.catalog.model, many.resource, step);
    let fields = session.catalog.resource(many.resource).fields.len();
    let mut reading = many.rows.read(fields).map_err(told)?;
    let mut inserting = Inserting::new(session, many, step);
    let mut number = 0;
    loop {
        let mut part = Vec::new();
        while part.len() < PART
            && let Some(spooled) = reading.next().map_err(told)?
        {
            let line = spooled.line;
            part.push(Row { number, line, record: record(many, number, spooled) });
            number += 1;
        }
        if part.is_empty() {
            break;
        }
        inserting.part(&part)?;
        if inserting.rows.len() >= FAULTY_ROWS_MAX {
            break;
        }
    }
    let Inserting { mut rows, refused, .. } = inserting;
    if refused.is_empty() {
        return Ok(());
    }
    if rows.is_empty() {
        return Err(Error::Dangling { step });
    }
    rows.sort_by_key(|refused| refused.row);
    rows.truncate(FAULTY_ROWS_MAX);
    Err(Error::Rows { resource: many.resource, refused: rows, step })
}

/// A row on its way into its table.
struct Row {
    number: u64,
    line: u32,
    record: Record,
}

fn record(many: &Many, number: u64, spooled: Spooled) -> Record {
    let step = i64::try_from(number).unwrap_or(i64::MAX);
    Record {
        id: spooled.id.unwrap_or_else(|| Id::Integer(many.first_id.saturating_add(step))),
        // Never negative, as a birth is.
        version: Version { birth: many.birth.wrapping_add(step) & i64::MAX, counter: 1 },
        created_at: many.at,
        updated_at: many.at,
        values: spooled.values,
    }
}

/// What of each field's references to a part of the rows exists for the caller, for those fields
/// that may not name every record.
type Seen = Vec<(FieldIndex, HashSet<Id>)>;

/// The rows so far.
struct Inserting<'a> {
    session: &'a Session,
    many: &'a Many,
    step: usize,
    /// Those that were refused, with a fault of their own.
    rows: Vec<RefusedRow>,
    /// All that were refused: what refers to them has no fault of its own.
    refused: HashSet<Id>,
    /// Those that are there, where rows may refer to each other and not to every record: whoever
    /// sends a row knows of it.
    own: HashSet<Id>,
}

impl<'a> Inserting<'a> {
    fn new(session: &'a Session, many: &'a Many, step: usize) -> Self {
        let (refused, own) = (HashSet::new(), HashSet::new());
        Self { session, many, step, rows: Vec::new(), refused, own }
    }

    fn told(&self, failure: Failure) -> Error {
        failure.told(&self.session.catalog.model, self.many.resource, self.step)
    }

    /// Inserts a part of the rows, up to where there are too many faults.
    fn part(&mut self, part: &[Row]) -> Result<(), Error> {
        let seen = self.seen(part).map_err(|failure| self.told(failure))?;
        let refers_to_own = self.refers_to_own();
        let mut there = Vec::with_capacity(part.len());
        for row in part {
            let record = &row.record;
            // A record that is not seen is one that is not there, also in what comes of it.
            let error = if self.names_hidden(record, &seen) {
                Some(Error::Dangling { step: self.step })
            } else {
                let inserted = apply::insert(self.session, self.many.resource, record);
                inserted.err().map(|failure| self.told(failure))
            };
            match error {
                None => {
                    there.push(row);
                    if refers_to_own {
                        self.own.insert(record.id.clone());
                    }
                }
                Some(error) => self.judge(row, &seen, error)?,
            }
            if self.rows.len() >= FAULTY_ROWS_MAX {
                break;
            }
        }
        self.must(&there).map_err(|failure| self.told(failure))
    }

    /// Notes why a row was refused, unless the error is about the whole write.
    fn judge(&mut self, row: &Row, seen: &Seen, error: Error) -> Result<(), Error> {
        let why = match error {
            Error::Taken { fields, .. } => Some(Refusal::Taken(fields)),
            Error::Dangling { .. } => {
                let missing = self.missing(&row.record, seen);
                let missing = missing.map_err(|failure| self.told(failure))?;
                (!missing.is_empty()).then_some(Refusal::Dangling(missing))
            }
            error => return Err(error),
        };
        self.refused.insert(row.record.id.clone());
        let (row, line) = (row.number, row.line);
        self.rows.extend(why.map(|why| RefusedRow { row, line, why }));
        Ok(())
    }

    fn refers_to_own(&self) -> bool {
        let declared = self.session.catalog.resource(self.many.resource);
        let refers = |field: &FieldIndex| {
            let to = declared.fields[*field].references;
            to.is_some_and(|to| to.resource == self.many.resource)
        };
        self.many.referred.iter().any(|(field, among)| !among.is_all() && refers(field))
    }

    /// What of the references in these rows exists for the caller.
    fn seen(&self, part: &[Row]) -> Result<Seen, Failure> {
        let declared = self.session.catalog.resource(self.many.resource);
        let mut seen = Seen::new();
        for (field, among) in self.many.referred.iter().filter(|(_, among)| !among.is_all()) {
            let Some(to) = declared.fields[*field].references else { continue };
            let named = part.iter().filter_map(|row| joined(&row.record, *field)).collect();
            seen.push((*field, ids(self.session, to.resource, named, among)?));
        }
        Ok(seen)
    }

    fn names_hidden(&self, record: &Record, seen: &Seen) -> bool {
        seen.iter().any(|(field, seen)| {
            let id = joined(record, *field);
            id.is_some_and(|id| !seen.contains(&id) && !self.is_own(*field, record, &id))
        })
    }

    /// True of a row that names itself, or a row before it.
    fn is_own(&self, field: FieldIndex, record: &Record, id: &Id) -> bool {
        let declared = self.session.catalog.resource(self.many.resource);
        let to = declared.fields[field].references;
        to.is_some_and(|to| to.resource == self.many.resource)
            && (*id == record.id || self.refused.contains(id) || self.own.contains(id))
    }

    /// The fields that name no record, but for those that name a row which was refused itself.
    fn missing(&self, record: &Record, seen: &Seen) -> Result<Vec<FieldIndex>, Failure> {
        let catalog = &self.session.catalog;
        let mut missing = Vec::new();
        for (index, field) in catalog.resource(self.many.resource).fields.iter().enumerate() {
            let (Some(to), Some(id)) = (field.references, joined(record, index)) else { continue };
            if self.is_own(index, record, &id) {
                continue;
            }
            let is_there = match seen.iter().find(|(field, _)| *field == index) {
                Some((_, seen)) => seen.contains(&id),
                None => {
                    let mut statement = self.session.statement(&catalog.texts[to.resource].key)?;
                    statement.query_row([BoundId(&id)], |_| Ok(())).optional()?.is_some()
                }
            };
            if !is_there {
                missing.push(index);
            }
        }
        Ok(missing)
    }

    /// Refuses those of the rows that are there and are not what they have to be.
    fn must(&mut self, there: &[&Row]) -> Result<(), Failure> {
        if self.many.must.is_all() {
            return Ok(());
        }
        let named = there.iter().map(|row| row.record.id.clone()).collect();
        let good = ids(self.session, self.many.resource, named, &self.many.must)?;
        for row in there.iter().filter(|row| !good.contains(&row.record.id)) {
            self.refused.insert(row.record.id.clone());
            let (row, line) = (row.number, row.line);
            self.rows.push(RefusedRow { row, line, why: Refusal::Forbidden });
        }
        Ok(())
    }
}

/// Those of these ids under which there is a record that is among those.
fn ids(
    session: &Session,
    resource: ResourceIndex,
    mut wanted: Vec<Id>,
    among: &Filter,
) -> Result<HashSet<Id>, Failure> {
    wanted.sort_unstable();
    wanted.dedup();
    let declared = session.catalog.resource(resource);
    let mut found = HashSet::new();
    for part in wanted.chunks(PART) {
        let named = Comparison::In(part.iter().map(Id::to_value).collect());
        let mut all = vec![Term::new(Column::Id.into(), &named)];
        all.extend(terms(among));
        let mut statement = session.shaped(Shape::new(resource, Ask::Ids, &all, &[]))?;
        bind_terms(session, resource, &mut statement, &all)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            found.insert(id(declared, row.get_ref(0)?)?);
        }
    }
    Ok(found)
}
