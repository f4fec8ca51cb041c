//! The operator's commands on SQLite: a snapshot to read from, and rows in chunks, each with what
//! is remembered of its import in one transaction.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::model::{FieldIndex, Model, ResourceIndex};
use model::record::Record;
use model::value::Id;
use rusqlite::{ErrorCode, OptionalExtension};

use super::failure::{Failure, broken};
use super::find::{kept, next_id};
use super::open::{self, Source};
use super::session::Session;
use super::value::{BoundId, joined, record};
use super::{acts, apply};
use crate::audit_log::{Act, Ids};
use crate::care::beside::make_private;
use crate::error::{Error, OpenError};
use crate::options::Options;
use crate::sql::search::row_number;
use crate::sql::{quote, select};
use crate::transfer::{Fate, Note, References, Row};

/// Pages that the log ahead of the database holds before a commit moves them over: beside a server
/// the server does that as well, without one nobody else would.
const CHECKPOINT_PAGES: u32 = 4_000;
const STATE: &str = "SELECT state FROM _methodical_imports WHERE key = ?";
const WAITING: &str = "SELECT row FROM _methodical_imports_waiting WHERE key = ? ORDER BY row";
const REMEMBER: &str = "INSERT INTO _methodical_imports (key, state) VALUES (?, ?) \
                        ON CONFLICT (key) DO UPDATE SET state = excluded.state";
const WAIT: &str = "INSERT OR IGNORE INTO _methodical_imports_waiting (key, row) VALUES (?, ?)";
const SETTLE: &str = "DELETE FROM _methodical_imports_waiting WHERE key = ? AND row = ?";

/// A database that fits, not claimed.
pub(crate) struct Attached {
    source: Source,
}

/// One snapshot.
pub(crate) struct Outgoing {
    session: Session,
}

/// The connection that imports.
pub(crate) struct Incoming {
    source: Source,
    session: Session,
    /// What is remembered as far as this run knows: another run of the same is noticed by it.
    known: RefCell<Option<String>>,
}

/// What a chunk has created, by resource.
type Created = BTreeMap<ResourceIndex, Batch>;

/// Records of one resource.
#[derive(Default)]
struct Batch {
    records: u64,
    /// The first of them.
    id: Option<Id>,
    /// From the first to the last, as long as their ids follow on each other.
    span: Option<(i64, i64)>,
}

impl Batch {
    fn note(&mut self, id: &Id) {
        self.span = match (id, self.span) {
            (Id::Integer(id), None) if self.records == 0 => Some((*id, *id)),
            (Id::Integer(id), Some((first, last))) if last.checked_add(1) == Some(*id) => {
                Some((first, *id))
            }
            (Id::Integer(_) | Id::Text(_), _) => None,
        };
        self.id.get_or_insert_with(|| id.clone());
        self.records += 1;
    }
}

/// Opens what is there.
pub(crate) fn attach(options: &Options, model: Arc<Model>) -> Result<Attached, OpenError> {
    open::attach(options, model).map(|source| Attached { source })
}

impl Attached {
    fn told(&self, failure: Failure) -> Error {
        failure.told(&self.source.catalog.model, 0, 0)
    }

    pub(crate) fn export(&self) -> Result<Outgoing, Error> {
        let begin = || {
            let session = self.source.reader(self.source.options.write_deadline)?;
            session.run("BEGIN")?;
            // The first read takes the snapshot.
            session
                .statement("SELECT count(*) FROM _methodical_resource")?
                .query_row([], |row| row.get::<_, i64>(0))?;
            Ok(Outgoing { session })
        };
        begin().map_err(|failure| self.told(failure))
    }

    pub(crate) fn import(&self) -> Result<Incoming, Error> {
        let session = self.source.writer().map_err(|failure| self.told(failure))?;
        let (source, known) = (self.source.clone(), RefCell::default());
        let pages = format!("PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}");
        session.connection.execute_batch(&pages).map_err(|error| self.told(error.into()))?;
        Ok(Incoming { source, session, known })
    }

    pub(crate) fn copy(&self, to: &Path) -> Result<(), Error> {
        let copied = || {
            let connection = self.source.viewer(self.source.options.write_deadline)?;
            let to = to.to_str().ok_or_else(|| broken("the path of the copy is not Unicode"))?;
            // SQLite takes a file without content for none.
            make_private(Path::new(to));
            connection.execute("VACUUM INTO ?", [to])?;
            Ok(())
        };
        copied().map_err(|failure| self.told(failure))
    }
}

impl Outgoing {
    fn told(&self, failure: Failure) -> Error {
        failure.told(&self.session.catalog.model, 0, 0)
    }

    pub(crate) fn total(&self, resource: ResourceIndex) -> Result<u64, Error> {
        kept(&self.session, resource).map(|kept| kept.total).map_err(|failure| self.told(failure))
    }

    pub(crate) fn records(
        &self,
        resource: ResourceIndex,
        take: &mut dyn FnMut(&Record) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut read = || -> Result<(), Failure> {
            let declared = self.session.catalog.resource(resource);
            let columns: Vec<_> =
                select::columns(declared).iter().map(|name| quote(name)).collect();
            let text = format!(
                "SELECT {} FROM {} ORDER BY {}",
                columns.join(", "),
                quote(&declared.name),
                row_number(declared)
            );
            let mut statement = self.session.statement(&text)?;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                if take(&record(declared, row)?).is_break() {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(|failure| self.told(failure))
    }
}

impl Incoming {
    fn told(&self, failure: Failure) -> Error {
        failure.told(&self.session.catalog.model, 0, 0)
    }

    pub(crate) fn hurry(&self) -> Result<(), Error> {
        let set = self.session.connection.execute_batch("PRAGMA synchronous = OFF");
        set.map_err(|error| self.told(error.into()))
    }

    pub(crate) fn remembered(&self, key: &str) -> Result<Option<(String, Vec<u64>)>, Error> {
        let read = || -> Result<_, Failure> {
            let state =
                self.session.statement(STATE)?.query_row([key], |row| row.get::<_, String>(0));
            let Some(state) = state.optional()? else { return Ok(None) };
            let mut statement = self.session.statement(WAITING)?;
            let rows = statement.query_map([key], |row| row.get::<_, i64>(0))?;
            let rows = rows.map(|row| Ok(u64::try_from(row?).unwrap_or(0)));
            Ok(Some((state, rows.collect::<rusqlite::Result<_>>()?)))
        };
        let found = read().map_err(|failure| self.told(failure))?;
        self.known.replace(found.as_ref().map(|(state, _)| state.clone()));
        Ok(found)
    }

    pub(crate) fn forget(&self, key: &str) -> Result<(), Error> {
        self.transaction(|| {
            let connection = &self.session.connection;
            connection.execute("DELETE FROM _methodical_imports WHERE key = ?", [key])?;
            connection.execute("DELETE FROM _methodical_imports_waiting WHERE key = ?", [key])?;
            Ok(())
        })?;
        self.known.replace(None);
        Ok(())
    }

    pub(crate) fn write(
        &self,
        key: Option<&str>,
        rows: &[&Row],
        references: References,
        note: &mut dyn FnMut(&[Fate]) -> Result<Note, String>,
    ) -> Result<Vec<Fate>, Error> {
        let mut fates = Vec::with_capacity(rows.len());
        let mut state = None;
        let written = self.transaction(|| {
            fates.clear();
            self.refuse_rival(key)?;
            if references == References::Together {
                self.session.run("PRAGMA defer_foreign_keys = ON")?;
            }
            let mut created = Created::new();
            for row in rows {
                fates.push(self.insert(row, &mut created)?);
            }
            let are_all = fates.iter().all(|fate| *fate == Fate::Created);
            if references == References::Together && !are_all {
                return Err(Failure::Told(Error::Dangling { step: 0 }));
            }
            let note = note(&fates).map_err(broken)?;
            if let Some(key) = key {
                self.remember(key, &note)?;
                state = Some(note.state);
            }
            self.write_down(created)?;
            self.session.index_written()
        });
        match written {
            Ok(()) => {
                if state.is_some() {
                    self.known.replace(state);
                }
                Ok(fates)
            }
            // They are told, and nothing was written.
            Err(Error::Dangling { .. }) if fates.iter().any(|fate| *fate != Fate::Created) => {
                Ok(fates)
            }
            Err(error) => Err(error),
        }
    }

    /// Fails where another run has moved on what this one knows.
    fn refuse_rival(&self, key: Option<&str>) -> Result<(), Failure> {
        let Some(key) = key else { return Ok(()) };
        let found: Option<String> =
            self.session.statement(STATE)?.query_row([key], |row| row.get(0)).optional()?;
        if found == *self.known.borrow() {
            return Ok(());
        }
        let why = "another run imports the same at the moment";
        Err(Failure::Told(Error::Busy(why)))
    }

    fn remember(&self, key: &str, note: &Note) -> Result<(), Failure> {
        self.session.statement(REMEMBER)?.execute((key, &note.state))?;
        for (text, rows) in [(WAIT, &note.waiting), (SETTLE, &note.settled)] {
            let mut statement = self.session.statement(text)?;
            for row in rows {
                statement.execute((key, i64::try_from(*row).unwrap_or(i64::MAX)))?;
            }
        }
        Ok(())
    }

    /// Adds to the audit log what this chunk has created.
    fn write_down(&self, created: Created) -> Result<(), Failure> {
        let at = (self.session.options.clock)();
        for (resource, created) in created {
            let (first, last) = created.span.unwrap_or_default();
            let (ids, record) = match (created.records, created.id) {
                (1, id) => (Ids::Unnamed, id),
                (_, _) if created.span.is_some() => (Ids::Span(first, last), None),
                _ => (Ids::Unnamed, None),
            };
            let (resource, records) = (Some(resource), created.records);
            let act = acts::of_operator(at, "import");
            acts::append(&self.session, &Act { resource, record, records, ids, ..act })?;
        }
        Ok(())
    }

    /// Inserts a row, or says why it cannot be.
    fn insert(&self, row: &Row, created: &mut Created) -> Result<Fate, Failure> {
        let numbered = match row.has_id {
            true => None,
            false => {
                let next = next_id(&self.session, row.resource)?;
                let id = Id::Integer(next.ok_or_else(|| broken("a row has no id"))?);
                Some(Record { id, ..row.record.clone() })
            }
        };
        let record = numbered.as_ref().unwrap_or(&row.record);
        let Err(failure) = apply::insert(&self.session, row.resource, record) else {
            created.entry(row.resource).or_default().note(&record.id);
            return Ok(Fate::Created);
        };
        if self.session.connection.is_autocommit() {
            return Err(failure);
        }
        let is_constraint = failure.code() == Some(ErrorCode::ConstraintViolation);
        match failure.told(&self.session.catalog.model, row.resource, 0) {
            Error::Taken { fields, .. } => Ok(Fate::Taken(fields)),
            Error::Dangling { .. } => {
                let missing = self.missing(row.resource, record)?;
                Ok(match missing.is_empty() {
                    true => Fate::Unfit("a reference names no record".to_owned()),
                    false => Fate::Missing(missing),
                })
            }
            error if is_constraint => Ok(Fate::Unfit(error.to_string())),
            error => Err(Failure::Told(error)),
        }
    }

    /// What a record refers to that is not there.
    fn missing(
        &self,
        resource: ResourceIndex,
        record: &Record,
    ) -> Result<Vec<(FieldIndex, ResourceIndex, Id)>, Failure> {
        let catalog = &self.session.catalog;
        let mut missing = Vec::new();
        for (index, field) in catalog.resource(resource).fields.iter().enumerate() {
            let (Some(to), Some(id)) = (field.references, joined(record, index)) else { continue };
            if to.resource == resource && id == record.id {
                continue;
            }
            let mut statement = self.session.statement(&catalog.texts[to.resource].key)?;
            if statement.query_row([BoundId(&id)], |_| Ok(())).optional()?.is_none() {
                missing.push((index, to.resource, id));
            }
        }
        Ok(missing)
    }

    /// Runs something in a transaction of its own, which waits for other processes.
    fn transaction(&self, mut run: impl FnMut() -> Result<(), Failure>) -> Result<(), Error> {
        let since = Instant::now();
        loop {
            self.source.at_home().map_err(|failure| self.told(failure))?;
            let done = self.session.run("BEGIN IMMEDIATE").and_then(|()| {
                // Others may have written since the last one.
                if let Some(kept) = &self.session.next_ids {
                    kept.borrow_mut().clear();
                }
                run()?;
                self.session.run("COMMIT")
            });
            let Err(failure) = done else { return Ok(()) };
            self.session.unindexed.borrow_mut().clear();
            if !self.session.connection.is_autocommit() {
                self.session.run("ROLLBACK").map_err(|failure| self.told(failure))?;
            }
            let is_over = since.elapsed() >= self.session.options.write_deadline;
            if !failure.is_busy() || is_over {
                return Err(self.told(failure));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
