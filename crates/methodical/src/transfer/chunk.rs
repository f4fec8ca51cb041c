//! The writing side of an import: rows in chunks, each with its faults and with what is remembered;
//! and the rows that wait for others.

use std::io;
use std::mem::take;

use contract::problem::Violation;
use model::model::ResourceIndex;
use model::value::Timestamp;
use serde_json::Value as Json;
use store::error::Error;
use store::transfer::{Fate, Import, Note, References, Row};

use super::faults::Faults;
use super::grouped;
use super::judge::{Judge, Refusal, Taken};
use super::state::State;
use super::waiting::{Origin, Waiting};
use crate::failure::Failure;

/// Faults that are told to a person; the file has all of them.
const FAULTS_TOLD: usize = 5;

/// How far the content was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Rows.
    pub(super) rows: u64,
    /// Bytes up to the end of the last of them.
    pub(super) bytes: u64,
    /// The digest of these.
    pub(super) digest: String,
}

/// What writes.
pub(super) struct Chunks<'a> {
    pub(super) judge: Judge<'a>,
    pub(super) import: &'a Import,
    pub(super) key: Option<&'a str>,
    pub(super) rows_max: usize,
    /// Most rows that may wait for others.
    pub(super) waiting_max: usize,
    pub(super) faults: Faults,
    /// As it is remembered.
    pub(super) state: State,
    pub(super) waiting: Waiting,
    pub(super) rows: Vec<Taken>,
    pub(super) refused: Vec<Refusal>,
    /// The first faults, in words.
    pub(super) told: Vec<String>,
    pub(super) now: Timestamp,
}

/// Where a row stands in its life.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is looked at for the first time.
    New,
    /// It was remembered as one that waits.
    Waited,
}

impl Chunks<'_> {
    /// True where the chunk has as many rows as it may.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() + self.refused.len() >= self.rows_max
    }

    /// Takes a row into the chunk, or refuses it.
    pub(super) fn take(&mut self, origin: Origin, document: Json, stage: Stage) {
        let resource = origin.resource;
        let has_waited = stage == Stage::Waited;
        match engine::transfer::read(self.judge.model, resource, &document, self.now) {
            Ok(row) => self.rows.push(Taken { origin, has_waited, document, row }),
            Err(errors) => self.refuse(origin, (Some(resource), Some(document)), errors, stage),
        }
    }

    /// Refuses a row.
    pub(super) fn refuse(
        &mut self,
        origin: Origin,
        about: (Option<ResourceIndex>, Option<Json>),
        errors: Vec<Violation>,
        stage: Stage,
    ) {
        let refusal = self.judge.refusal(origin, stage == Stage::Waited, about, errors);
        self.refused.push(refusal);
    }

    /// Writes the chunk, and then what has waited for it.
    pub(super) fn flush(&mut self, place: &Place) -> Result<(), Failure> {
        loop {
            self.commit(place)?;
            while !self.is_full() {
                match self.waiting.next_ready().map_err(|fault| unheld(&fault))? {
                    Some((origin, document)) => self.take(origin, document, Stage::Waited),
                    None => break,
                }
            }
            if self.rows.is_empty() && self.refused.is_empty() {
                return Ok(());
            }
        }
    }

    /// Writes everything that is left: circles, and the faults of what waits for nothing.
    pub(super) fn finish(&mut self, place: &Place) -> Result<(), Failure> {
        self.flush(place)?;
        loop {
            let circles = self.waiting.circles();
            if circles.is_empty() {
                break;
            }
            self.together(&circles)?;
            self.flush(place)?;
        }
        for number in self.waiting.numbers() {
            let held = self.waiting.take(number).map_err(|fault| unheld(&fault))?;
            if let Some((origin, document, missing)) = held {
                let missing = missing.into_iter().map(|(field, (to, id))| (field, to, id));
                let errors = self.judge.errors(origin.resource, &Fate::Missing(missing.collect()));
                let about = (Some(origin.resource), Some(document));
                self.refuse(origin, about, errors, Stage::Waited);
            }
            if self.is_full() {
                self.commit(place)?;
            }
        }
        self.commit(place)?;
        self.state.is_finished = true;
        self.write(&[], &[], place, References::AtOnce).map(drop)
    }

    /// Writes the rows of the chunk, without what waits.
    fn commit(&mut self, place: &Place) -> Result<(), Failure> {
        let (rows, refused) = (take(&mut self.rows), take(&mut self.refused));
        let fates = self.write(&rows, &refused, place, References::AtOnce)?;
        for (taken, fate) in rows.into_iter().zip(fates) {
            match fate {
                Fate::Created if self.waiting.is_empty() => {}
                Fate::Created => {
                    if let Some(name) = taken.name() {
                        self.waiting.created(&name);
                    }
                }
                Fate::Missing(missing) => {
                    let missing = missing.into_iter().map(|(field, to, id)| (field, (to, id)));
                    let (missing, own) = (missing.collect(), taken.name());
                    let held = self.waiting.hold(taken.origin, &taken.document, own, missing);
                    held.map_err(|fault| unheld(&fault))?;
                    self.refuse_crowds()?;
                }
                Fate::Taken(_) | Fate::Unfit(_) => {}
            }
        }
        Ok(())
    }

    /// Ends where so many rows wait that it is no matter of their order any more.
    fn refuse_crowds(&mut self) -> Result<(), Failure> {
        if self.waiting.count() <= self.waiting_max {
            return Ok(());
        }
        let wanted: Vec<_> = self.waiting.wanted().into_iter().collect();
        let names = wanted.iter().map(|index| self.judge.model.resources[*index].name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        Err(Failure::refused(format!(
            "more than {} rows wait for records of {names} that have not come: import those first; \
             then the same command goes on",
            grouped(self.waiting_max as u64)
        )))
    }

    /// Writes rows that refer to each other, all at once; those that cannot be are refused, and
    /// the others go on waiting.
    fn together(&mut self, numbers: &[u64]) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some((origin, document)) =
                self.waiting.peek(*number).map_err(|fault| unheld(&fault))?
            else {
                continue;
            };
            self.take(origin, document, Stage::Waited);
            match self.rows.pop() {
                Some(row) => rows.push(row),
                None => drop(self.waiting.take(*number).map_err(|fault| unheld(&fault))?),
            }
        }
        let place = Place::default();
        let fates = self.write(&rows, &[], &place, References::Together)?;
        let are_all = fates.iter().all(|fate| *fate == Fate::Created);
        for (taken, fate) in rows.iter().zip(&fates) {
            let refusal = self.judge.by_fate(taken, fate);
            if are_all || refusal.is_some() {
                self.waiting.take(taken.origin.number).map_err(|fault| unheld(&fault))?;
            }
            self.refused.extend(refusal);
            if let (true, Some(name)) = (are_all, taken.name()) {
                self.waiting.created(&name);
            }
        }
        Ok(())
    }

    /// Writes rows and faults in one transaction, and remembers how far that is.
    fn write(
        &mut self,
        rows: &[Taken],
        refused: &[Refusal],
        place: &Place,
        references: References,
    ) -> Result<Vec<Fate>, Failure> {
        let nothing = rows.is_empty() && refused.is_empty();
        if nothing && place.rows <= self.state.rows && !self.state.is_finished {
            return Ok(Vec::new());
        }
        let list: Vec<&Row> = rows.iter().map(|taken| &taken.row).collect();
        let (judge, old, faults) = (self.judge, &self.state, &mut self.faults);
        let mut written = None;
        let noted = &mut |fates: &[Fate]| {
            let found: Vec<Refusal> =
                rows.iter().zip(fates).filter_map(|(row, fate)| judge.by_fate(row, fate)).collect();
            let mut all: Vec<&Refusal> = refused.iter().chain(&found).collect();
            all.sort_by_key(|refusal| refusal.number);
            let mut state = moved(old, place);
            let list = all.iter().map(|refusal| &refusal.fault);
            state.faults_bytes = faults.write(old.faults_bytes, list)?;
            state.faulty += all.len() as u64;
            let created = fates.iter().filter(|fate| **fate == Fate::Created).count();
            state.created += created as u64;
            let note = note(&state, rows, fates, &all);
            let words = all.iter().take(FAULTS_TOLD).map(|refusal| refusal.fault.words());
            written = Some((state, words.collect::<Vec<_>>()));
            Ok(note)
        };
        let fates = self.import.write(self.key, &list, references, noted);
        let fates = fates.map_err(|error| failed(&error, &self.state))?;
        if let Some((state, words)) = written.filter(|_| all_or_some(&fates, references)) {
            self.state = state;
            let room = FAULTS_TOLD.saturating_sub(self.told.len());
            self.told.extend(words.into_iter().take(room));
        }
        Ok(fates)
    }
}

/// False where all rows should have been written together, and none was.
fn all_or_some(fates: &[Fate], references: References) -> bool {
    references == References::AtOnce || fates.iter().all(|fate| *fate == Fate::Created)
}

/// The state, at this place if it is further on.
fn moved(old: &State, place: &Place) -> State {
    let mut state = old.clone();
    if place.bytes >= old.bytes && place.rows >= old.rows {
        (state.rows, state.bytes) = (place.rows, place.bytes);
        state.digest.clone_from(&place.digest);
    }
    state
}

/// What is remembered: who begins to wait, and who waits no longer.
fn note(state: &State, rows: &[Taken], fates: &[Fate], refused: &[&Refusal]) -> Note {
    let both = || rows.iter().zip(fates);
    let waits = both().filter(|(_, fate)| matches!(fate, Fate::Missing(_)));
    let settled = both().filter(|(row, fate)| row.has_waited && **fate == Fate::Created);
    let given_up = refused.iter().filter(|refusal| refusal.has_waited);
    Note {
        state: state.text(),
        waiting: waits.map(|(row, _)| row.origin.number).collect(),
        settled: settled
            .map(|(row, _)| row.origin.number)
            .chain(given_up.map(|refusal| refusal.number))
            .collect(),
    }
}

fn failed(error: &Error, state: &State) -> Failure {
    let rows = grouped(state.rows);
    Failure::refused(format!(
        "{error}\nThe first {rows} rows are kept; the same command goes on behind them"
    ))
}

pub(super) fn unheld(fault: &io::Error) -> Failure {
    Failure::refused(format!("rows that wait for others cannot be kept on the disk: {fault}"))
}
