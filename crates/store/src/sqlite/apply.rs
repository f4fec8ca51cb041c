//! Carries out changes, each one statement: the only place where a record is written.

use model::model::{Resource, ResourceIndex};
use model::record::{Record, Version};
use model::value::Id;
use rusqlite::types::ToSqlOutput;
use rusqlite::{OptionalExtension, Statement, params};

use super::failure::Failure;
use super::session::Session;
use super::value::{BoundId, column};
use super::{acts, code, credential, many, queue};
use crate::change::Change;
use crate::error::Error;
use crate::fault::{Fault, on};
use crate::lookup::Remembered;
use crate::sql::folded;

const KEYS: &str = "SELECT keys FROM _methodical_principals WHERE principal = ?";
/// An expired answer that nobody has swept yet makes room for its successor.
const REMEMBER: &str = "INSERT INTO _methodical_keys \
    (key, principal, fingerprint, answer, expires) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, \
    answer = excluded.answer, expires = excluded.expires";

/// Carries out one change; the step is the one of the write that decided on it.
pub(crate) fn apply(session: &Session, change: &Change, step: usize) -> Result<(), Error> {
    let (resource, touched) = match change {
        Change::Insert { resource, record } => (*resource, insert(session, *resource, record)),
        Change::InsertMany(many) => return many::insert(session, many, step),
        Change::Update { resource, expected, record } => {
            (*resource, update(session, *resource, *expected, record))
        }
        Change::Delete { resource, id, expected } => {
            (*resource, delete(session, *resource, id, *expected))
        }
        Change::Remember(answer) => (0, remember(session, answer)),
        Change::OpenSession(hash, opened) => (0, credential::open(session, hash, opened)),
        Change::EndSessions { user, which } => (0, credential::end(session, user, which)),
        Change::SealSession { number, seal } => (0, credential::seal(session, *number, seal)),
        Change::Act(act) => (0, acts::append(session, act)),
        Change::Enqueue(job) => (0, queue::add(session, job)),
        Change::SettleJob(number, fate) => (0, queue::settle(session, *number, fate)),
        Change::PutCode(sent) => (0, code::put(session, sent)),
        Change::EndCodes(user) => (0, code::end(session, user)),
        Change::Confirm { user, address, at } => (0, code::confirm(session, user, address, *at)),
    };
    match touched {
        Ok(0) => Err(Error::Moved { step }),
        Ok(_) => Ok(()),
        Err(failure) => Err(failure.told(&session.catalog.model, resource, step)),
    }
}

/// Binds one parameter after the other.
struct Binder<'s, 'c> {
    statement: &'s mut Statement<'c>,
    at: usize,
}

impl Binder<'_, '_> {
    fn bind(&mut self, value: impl rusqlite::ToSql) -> Result<(), Failure> {
        self.at += 1;
        Ok(self.statement.raw_bind_parameter(self.at, value)?)
    }

    fn fields(&mut self, resource: &Resource, record: &Record) -> Result<(), Failure> {
        for (field, value) in resource.fields.iter().zip(&record.values) {
            self.bind(column(field, value.as_ref()))?;
        }
        Ok(())
    }

    fn folds(&mut self, resource: &Resource, record: &Record) -> Result<(), Failure> {
        for (index, _) in folded(resource) {
            let text = match &record.values[index] {
                Some(model::value::Value::Text(text)) => Some(model::fold::fold(text)),
                _ => None,
            };
            self.bind(text)?;
        }
        Ok(())
    }

    fn decided_on(&mut self, id: &Id, expected: Version) -> Result<(), Failure> {
        self.bind(BoundId(id))?;
        if !on(Fault::No412Repeat) {
            self.bind(expected.birth)?;
            self.bind(expected.counter)?;
        }
        Ok(())
    }
}

/// Inserts a record, and moves the kept next id past it.
pub(crate) fn insert(
    session: &Session,
    resource: ResourceIndex,
    record: &Record,
) -> Result<usize, Failure> {
    let declared = session.catalog.resource(resource);
    let mut statement = session.statement(&session.catalog.texts[resource].insert)?;
    let mut binder = Binder { statement: &mut statement, at: 0 };
    binder.bind(BoundId(&record.id))?;
    binder.fields(declared, record)?;
    binder.bind(record.created_at.text())?;
    binder.bind(record.updated_at.text())?;
    binder.bind(record.version.birth)?;
    binder.bind(record.version.counter)?;
    binder.folds(declared, record)?;
    let touched = session.ours(resource, &record.id, || Ok(statement.raw_execute()?))?;
    if let (Some(kept), Id::Integer(id)) = (&session.next_ids, &record.id)
        && let Some(next) = kept.borrow_mut().get_mut(&resource)
    {
        *next = (*next).max(id.saturating_add(1));
    }
    Ok(touched)
}

fn update(
    session: &Session,
    resource: ResourceIndex,
    expected: Version,
    record: &Record,
) -> Result<usize, Failure> {
    let declared = session.catalog.resource(resource);
    let mut statement = session.statement(&session.catalog.texts[resource].update)?;
    let mut binder = Binder { statement: &mut statement, at: 0 };
    binder.fields(declared, record)?;
    binder.bind(record.updated_at.text())?;
    binder.bind(record.version.counter)?;
    binder.folds(declared, record)?;
    binder.decided_on(&record.id, expected)?;
    session.ours(resource, &record.id, || Ok(statement.raw_execute()?))
}

fn delete(
    session: &Session,
    resource: ResourceIndex,
    id: &Id,
    expected: Version,
) -> Result<usize, Failure> {
    let mut statement = session.statement(&session.catalog.texts[resource].delete)?;
    Binder { statement: &mut statement, at: 0 }.decided_on(id, expected)?;
    Ok(statement.raw_execute()?)
}

fn remember(session: &Session, answer: &Remembered) -> Result<usize, Failure> {
    if on(Fault::KeyNotRemembered) {
        return Ok(1);
    }
    let keys: Option<i64> =
        session.statement(KEYS)?.query_row([answer.principal], |row| row.get(0)).optional()?;
    let most = session.options.keys_max;
    if u64::try_from(keys.unwrap_or(0)).is_ok_and(|keys| keys >= most) {
        return Err(Failure::Told(Error::TooManyKeys));
    }
    let bytes = ToSqlOutput::from(answer.answer.as_slice());
    Ok(session.statement(REMEMBER)?.execute(params![
        answer.key,
        answer.principal,
        answer.fingerprint,
        bytes,
        answer.expires_at.0
    ])?)
}
