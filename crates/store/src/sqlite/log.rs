//! Reads the change log, with the records as they are in the same snapshot.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use model::model::ResourceIndex;
use model::query::Filter;
use model::record::{Record, Version};
use model::value::Id;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::bind::bind_terms_at;
use super::failure::{Failure, broken};
use super::related::with_ids;
use super::session::Session;
use crate::log::{After, Entry, Log, Operation, Since};
use crate::sql::select::{Ask, Shape};
use crate::sql::term::terms;

/// Entries that one question looks through at most: of one resource there may be few among many.
const SCANNED_MAX: i64 = 5_000;

/// As many where some are hidden from whoever asks: an empty answer tells of so many that are.
const SCANNED_HIDDEN_MAX: i64 = 100_000;

/// Entries that are read at once, at first, and where there was nothing to be found for long.
const PART: usize = 256;
const PART_MAX: usize = 4_096;

const ENDS: &str = "SELECT coalesce((SELECT min(position) FROM _methodical_changes), 1), \
                    coalesce((SELECT max(position) FROM _methodical_changes), 0)";
const ENTRIES: &str = "SELECT position, resource, id, birth, version, operation \
    FROM _methodical_changes WHERE position > ?1 AND position <= ?2 \
    AND (?3 IS NULL OR resource = ?3) ORDER BY position LIMIT ?4";

/// What the log holds since a position.
pub(super) fn since(session: &Session, since: &Since) -> Result<Log, Failure> {
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let (oldest, newest) = session.statement(ENDS)?.query_row([], read)?;
    let mut log = Log { oldest, newest, end: newest, ..Log::default() };
    let after = match since.after {
        After::Newest => return Ok(log),
        After::Oldest => oldest - 1,
        After::Position(position) => position,
    };
    if after < oldest - 1 {
        return Ok(Log { is_gone: true, ..log });
    }
    let is_open = since.seen.is_empty();
    let most = if is_open { SCANNED_MAX } else { SCANNED_HIDDEN_MAX };
    let until = newest.min(after.saturating_add(most));
    let mut reading = Reading { session, since, until, last: after, part: PART };
    let limit = usize::try_from(since.limit).unwrap_or(usize::MAX);
    // Short of the deadline of reads, at which nobody would get any farther.
    let (begun, enough) = (Instant::now(), session.options.read_deadline / 4);
    while reading.last < until && log.entries.len() < limit {
        reading.part(limit - log.entries.len(), &mut log.entries)?;
        if begun.elapsed() >= enough {
            break;
        }
    }
    // Behind the newest there is nothing yet.
    log.end = reading.last.min(until);
    Ok(log)
}

/// How far the log was read.
struct Reading<'a> {
    session: &'a Session,
    since: &'a Since,
    until: i64,
    last: i64,
    part: usize,
}

/// What is there now under the ids of entries, as far as it is seen.
type Present = HashMap<(ResourceIndex, Id), Record>;

impl Reading<'_> {
    /// Reads on, and adds what is wanted, up to so many entries.
    ///
    /// With each comes what is there now under its id, also where it was deleted: it may have been
    /// created again, and of a row that was replaced from outside the entries come in no certain
    /// order. So whoever puts what is there, and removes what is not, ends with the truth. What is
    /// not seen now is told of as gone where it had been seen until then, and nowhere else.
    fn part(&mut self, room: usize, wanted: &mut Vec<Entry>) -> Result<(), Failure> {
        let begin = self.last;
        // Where some are passed over, more are read than there is room for.
        let most = if self.since.seen.is_empty() { room.min(PART) } else { self.part };
        let found = self.entries(most)?;
        let present = self.present(&found)?;
        let gone = self.gone(begin, &found, &present)?;
        let is_end = found.len() < most;
        let mut left = room;
        for (position, entry) in found {
            if left == 0 {
                // The one before was the last that there was room for.
                return Ok(());
            }
            self.last = position;
            let Some(mut entry) = entry else { continue };
            let key = (entry.resource, entry.id.clone());
            entry.record = present.get(&key).cloned();
            let is_open = self.seen(entry.resource).is_none();
            if entry.record.is_some() || is_open || gone.contains(&position) {
                wanted.push(entry);
                left -= 1;
            }
        }
        if is_end {
            self.last = self.until;
        }
        if left == room {
            self.part = PART_MAX.min(self.part * 2);
        }
        Ok(())
    }

    /// Which records of a resource the caller sees; None: all.
    fn seen(&self, resource: ResourceIndex) -> Option<&Filter> {
        self.since.seen.get(resource).filter(|filter| !filter.is_all())
    }

    /// The next entries; None in place of one that is of no resource any more.
    fn entries(&self, most: usize) -> Result<Vec<(i64, Option<Entry>)>, Failure> {
        let number = self.since.resource.map(|index| self.session.catalog.number(index));
        let mut statement = self.session.statement(ENTRIES)?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query((self.last, self.until, number, limit))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((row.get(0)?, entry(self.session, row)?));
        }
        Ok(found)
    }

    /// What is there now under the ids of these entries.
    fn present(&self, found: &[(i64, Option<Entry>)]) -> Result<Present, Failure> {
        let mut wanted: BTreeMap<ResourceIndex, Vec<Id>> = BTreeMap::new();
        for entry in found.iter().filter_map(|(_, entry)| entry.as_ref()) {
            wanted.entry(entry.resource).or_default().push(entry.id.clone());
        }
        let mut present = Present::new();
        let all = Filter::all();
        for (resource, mut ids) in wanted {
            ids.sort_unstable();
            ids.dedup();
            let seen = self.seen(resource).unwrap_or(&all);
            if seen.is_nothing() {
                continue;
            }
            for record in with_ids(self.session, resource, &ids, seen)? {
                present.insert((resource, record.id.clone()), record);
            }
        }
        Ok(present)
    }

    /// The positions where a record that is not seen now had been seen until then. References are
    /// followed to what is there now: of the records that are referred to nothing is kept.
    fn gone(
        &self,
        begin: i64,
        found: &[(i64, Option<Entry>)],
        present: &Present,
    ) -> Result<HashSet<i64>, Failure> {
        let mut gone = HashSet::new();
        let mut asked = Vec::new();
        let Some((end, _)) = found.last() else { return Ok(gone) };
        for entry in found.iter().filter_map(|(_, entry)| entry.as_ref()) {
            let resource = entry.resource;
            let is_there = present.contains_key(&(resource, entry.id.clone()));
            let Some(seen) = self.seen(resource) else { continue };
            if is_there || asked.contains(&resource) || seen.is_nothing() {
                continue;
            }
            asked.push(resource);
            let terms = terms(seen);
            let shape = Shape::new(resource, Ask::Were, &terms, &[]);
            let mut statement = self.session.shaped(shape)?;
            statement.raw_bind_parameter(1, begin)?;
            statement.raw_bind_parameter(2, end)?;
            statement.raw_bind_parameter(3, self.session.catalog.number(resource))?;
            bind_terms_at(self.session, resource, &mut statement, &terms, 4)?;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                gone.insert(row.get(0)?);
            }
        }
        Ok(gone)
    }
}

/// An entry, unless it is of a resource that is no longer declared.
fn entry(session: &Session, row: &Row<'_>) -> Result<Option<Entry>, Failure> {
    let number: i64 = row.get(1)?;
    let known = |index: &ResourceIndex| session.catalog.number(*index) == number;
    let Some(resource) = (0..session.catalog.model.resources.len()).find(known) else {
        return Ok(None);
    };
    let id = match row.get_ref(2)? {
        ValueRef::Integer(id) => Id::Integer(id),
        ValueRef::Text(id) => Id::Text(String::from_utf8_lossy(id).into_owned()),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => return Ok(None),
    };
    let operation = match row.get_ref(5)?.as_str().unwrap_or_default() {
        "insert" => Operation::Insert,
        "update" => Operation::Update,
        "delete" => Operation::Delete,
        other => return Err(broken(format!("the change log knows no operation {other:?}"))),
    };
    let version = Version { birth: row.get(3)?, counter: row.get(4)? };
    let position = row.get(0)?;
    Ok(Some(Entry { position, resource, id, version, operation, record: None }))
}
