//! Opens the one database file: claims it, recognises it, and makes it from nothing if need be.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::model::{Model, ResourceIndex};
use model::record::Record;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension};

use super::anchor::Anchor;
use super::apply;
use super::ddl;
use super::failure::Failure;
use super::home::Home;
use super::session::Session;
use crate::error::Error;
use crate::error::OpenError;
use crate::fault::{Fault, on};
use crate::options::Options;
use crate::sql::Catalog;

/// How long one attempt to begin waits inside SQLite for another process.
pub(crate) const LOCK_SLICE: Duration = Duration::from_millis(100);

/// "Meth" in ASCII: tells our files from other people's.
const APPLICATION: i32 = 0x4d65_7468;
/// The layout of our own tables. 2: rows of text and UUID ids are numbered by a column of their
/// own; full-text indexes.
const LAYOUT: i32 = 2;
/// Pages that the log ahead of the database holds before a commit moves them over.
const CHECKPOINT_PAGES: i32 = 4_000;
/// Cache of a connection, in KiB.
const CACHE_KIB: i32 = 16_384;
/// The same of a connection for long reads. They pass over many pages and seldom come back, and
/// there may be several of them.
const LONG_CACHE_KIB: i32 = 4_096;

/// How deep triggers of our own nest in what a deletion clears: they count as levels, too.
const TRIGGERS_DEEP: u32 = 3;

/// Where connections come from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) options: Arc<Options>,
    pub(crate) catalog: Arc<Catalog>,
    /// The file that was opened first.
    pub(crate) home: Arc<OnceLock<Home>>,
    /// What readers hold while nobody writes.
    pub(crate) anchor: Arc<Anchor>,
}

/// What was found or made.
pub(crate) struct Base {
    pub(crate) source: Source,
    pub(crate) session: Session,
    /// Held as long as the store is open.
    pub(crate) claim: File,
    pub(crate) epoch: u64,
    pub(crate) secret: [u8; 32],
    pub(crate) is_fresh: bool,
}

/// Yields the records of a fresh database.
pub(crate) type Seed<'a> = &'a mut dyn FnMut() -> Result<Vec<(ResourceIndex, Record)>, String>;

/// Opens, and creates where there is nothing.
pub(crate) fn open(
    options: &Options,
    model: Arc<Model>,
    seed: Seed<'_>,
) -> Result<Base, OpenError> {
    // SQLite follows links, and puts its files beside what they lead to: two names of one database
    // are one claim.
    let file = options.path.canonicalize().unwrap_or_else(|_| options.path.clone());
    let claim = claim(&file)?;
    settle(&file)?;
    let source = Source {
        options: Arc::new(options.clone()),
        catalog: Arc::new(Catalog::new(model)),
        home: Arc::default(),
        anchor: Arc::default(),
    };
    let session = source.writer().map_err(|failure| opening(&options.path, failure))?;
    // SQLite opens a file that it may not write to all the same.
    if session.connection.is_readonly(MAIN_DB).unwrap_or(false) {
        return Err(OpenError::ReadOnly);
    }
    source.home.get_or_init(|| Home::of(&options.path));
    let is_fresh = recognise(&session).map_err(|found| found.told(&options.path))?;
    if is_fresh {
        create(&session, seed, &options.path)?;
    }
    let (epoch, secret) = compare(&session, &options.path)?;
    Ok(Base { source, session, claim, epoch, secret, is_fresh })
}

/// Claims the database for this process. SQLite's own locks stay free for other programs.
fn claim(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-serve");
    let name = PathBuf::from(name);
    let at = |error: io::Error| {
        if error.kind() == io::ErrorKind::StorageFull {
            OpenError::NoRoom
        } else {
            OpenError::Io(format!("{}: {error}", name.display()))
        }
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&name)
        .map_err(at)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked),
        Err(TryLockError::Error(error)) => Err(at(error)),
    }
}

/// Syncs what a process that was killed wrote ahead of the database and could not sync any more.
/// SQLite takes the commits that it finds there for durable, and so would everybody who is told of
/// them: a client that repeats its Idempotency-Key gets an answer that a power cut must not undo.
fn settle(path: &Path) -> Result<(), OpenError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = match OpenOptions::new().read(true).write(true).open(&log) {
        // Its name is synced with its folder, and may be as new as its content.
        Ok(file) => file.sync_all().and_then(|()| File::open(folder)?.sync_all()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    synced.map_err(|error| OpenError::Io(format!("{}: {error}", log.display())))
}

impl Source {
    /// Fails where the database is no longer the file that was opened first.
    pub(crate) fn at_home(&self) -> Result<(), Failure> {
        self.home.get().map_or(Ok(()), Home::check)
    }

    /// The connection that writes.
    pub(crate) fn writer(&self) -> Result<Session, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.options.path, flags)?;
        plan_once(&connection)?;
        connection.busy_timeout(LOCK_SLICE)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(super::failure::broken(format!("journal_mode is {mode}, not wal")));
        }
        // FULL: the log is synced before a commit returns, so that an acknowledged write survives
        // a power cut. NORMAL is the seeded fault that the crash tests must notice.
        let synchronous = if on(Fault::SyncOff) { "NORMAL" } else { "FULL" };
        connection.execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; \
             PRAGMA recursive_triggers = OFF; PRAGMA trusted_schema = OFF; \
             PRAGMA temp_store = MEMORY; \
             PRAGMA cache_size = -{CACHE_KIB}; PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
        ))?;
        let levels = self.options.cascade_levels_max.saturating_add(TRIGGERS_DEEP);
        let levels = i32::try_from(levels).unwrap_or(i32::MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, levels)?;
        #[cfg(test)]
        if let Some(pages) = self.options.pages_max {
            connection.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
        }
        let mut session = self.session(connection);
        session.next_ids = Some(std::cell::RefCell::default());
        Ok(session)
    }

    /// A connection that cannot write: opened read-only, told `query_only`, and every statement
    /// that is not a read is refused while it is prepared.
    pub(crate) fn reader(&self, lock_wait: Duration) -> Result<Session, Failure> {
        self.reading(lock_wait, CACHE_KIB)
    }

    /// The same for reads that take long.
    pub(crate) fn long_reader(&self, lock_wait: Duration) -> Result<Session, Failure> {
        self.reading(lock_wait, LONG_CACHE_KIB)
    }

    fn reading(&self, lock_wait: Duration, cache: i32) -> Result<Session, Failure> {
        self.at_home()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&self.options.path, flags)?;
        plan_once(&connection)?;
        connection.busy_timeout(lock_wait)?;
        connection.execute_batch(&format!(
            "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -{cache};"
        ))?;
        connection.authorizer(Some(reads_only))?;
        Ok(self.session(connection))
    }

    fn session(&self, connection: Connection) -> Session {
        Session::new(connection, Arc::clone(&self.catalog), Arc::clone(&self.options))
    }
}

/// A statement keeps its plan whatever is bound to it. Otherwise SQLite throws it away with each
/// new value of a filter or limit and prepares it again, which takes longer than most reads.
fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn reads_only(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive
        | AuthAction::Transaction { .. }
        // A full-text index asks so whether what it knows of itself is still true.
        | AuthAction::Pragma { pragma_name: "data_version", pragma_value: None } => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

/// What the file is, if it is not ours.
enum Found {
    Foreign,
    Newer(i32),
    Older(i32),
    Failed(Failure),
}

impl From<rusqlite::Error> for Found {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Found {
    fn told(self, path: &Path) -> OpenError {
        match self {
            Self::Foreign => OpenError::NotOurs,
            Self::Newer(layout) => OpenError::NewerVersion { theirs: layout, ours: LAYOUT },
            Self::Older(layout) => OpenError::OlderVersion { theirs: layout, ours: LAYOUT },
            Self::Failed(failure) => opening(path, failure),
        }
    }
}

/// True where the file is empty and shall become a database.
fn recognise(session: &Session) -> Result<bool, Found> {
    let number = |pragma: &str| -> rusqlite::Result<i32> {
        session.connection.query_row(pragma, [], |row| row.get(0))
    };
    let application = number("PRAGMA application_id")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    match application {
        APPLICATION => {}
        0 if tables == 0 => return Ok(true),
        _ => return Err(Found::Foreign),
    }
    let layout = number("PRAGMA user_version")?;
    if layout > LAYOUT {
        return Err(Found::Newer(layout));
    }
    if layout < LAYOUT {
        return Err(Found::Older(layout));
    }
    Ok(false)
}

/// Makes tables, meta and seed in one transaction: a crash leaves all or nothing.
fn create(session: &Session, seed: Seed<'_>, path: &Path) -> Result<(), OpenError> {
    let failed = |failure: Failure| opening(path, failure);
    let model = &session.catalog.model;
    // References among seeds are checked at the end, so that their order does not matter.
    session
        .connection
        .execute_batch("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON;")
        .map_err(|error| failed(error.into()))?;
    let made = session
        .connection
        .execute_batch(&ddl::script(model))
        .map_err(|error| failed(error.into()))
        .and_then(|()| meta(session).map_err(failed))
        .and_then(|()| plant(session, seed))
        .and_then(|()| session.index_written().map_err(failed))
        .and_then(|()| session.run("COMMIT").map_err(failed));
    if made.is_err() && !session.connection.is_autocommit() {
        // The first error is the one that counts.
        drop(session.run("ROLLBACK"));
    }
    made
}

fn meta(session: &Session) -> Result<(), Failure> {
    let mut random = [0_u8; 40];
    getrandom::fill(&mut random)
        .map_err(|error| super::failure::broken(format!("no random numbers: {error}")))?;
    let (epoch, secret) = random.split_at(8);
    let digest = session.catalog.model.table_digest();
    let connection = &session.connection;
    connection.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT};"
    ))?;
    let insert = "INSERT INTO _methodical_meta (name, value) VALUES (?, ?)";
    connection.execute(insert, ("layout", LAYOUT))?;
    connection.execute(insert, ("declaration", digest))?;
    connection.execute(insert, ("epoch", epoch))?;
    connection.execute(insert, ("secret", secret))?;
    Ok(())
}

fn plant(session: &Session, seed: Seed<'_>) -> Result<(), OpenError> {
    let model = &session.catalog.model;
    for (number, (resource, record)) in seed().map_err(OpenError::Seed)?.iter().enumerate() {
        apply::insert(session, *resource, record).map_err(|failure| {
            let name = &model.resources[*resource].name;
            match failure.told(model, *resource, number) {
                Error::Full => OpenError::NoRoom,
                error => OpenError::Seed(format!("{name} {}: {}", record.id, why(model, &error))),
            }
        })?;
    }
    dangling(session).map_or(Ok(()), |text| Err(OpenError::Seed(text)))
}

fn why(model: &Model, error: &Error) -> String {
    match error {
        Error::Taken { resource, fields, .. } => {
            let fields: Vec<&str> = fields
                .iter()
                .map(|field| model.resources[*resource].fields[*field].name.as_str())
                .collect();
            match fields.as_slice() {
                [] => "another record has this id".to_owned(),
                fields => format!("another record has the same {}", fields.join(" and ")),
            }
        }
        error => error.to_string(),
    }
}

/// The first seeded reference that names no record.
fn dangling(session: &Session) -> Option<String> {
    let model = &session.catalog.model;
    model.resources.iter().find_map(|resource| {
        resource.fields.iter().find_map(|field| {
            let to = &model.resources[field.references?.resource].name;
            let [table, column, parent] =
                [&resource.name, &field.name, to].map(|name| crate::sql::quote(name));
            let text = format!(
                "SELECT \"id\", {column} FROM {table} WHERE {column} IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM {parent} AS p WHERE p.\"id\" = {table}.{column}) LIMIT 1"
            );
            let show = |value: rusqlite::types::Value| match value {
                rusqlite::types::Value::Integer(id) => id.to_string(),
                rusqlite::types::Value::Text(id) => id,
                _ => "?".to_owned(),
            };
            let pair = session
                .connection
                .query_row(&text, [], |row| Ok((show(row.get(0)?), show(row.get(1)?))));
            let (id, named) = pair.optional().ok()??;
            let (table, column) = (&resource.name, &field.name);
            Some(format!(
                "{table} {id}: `{column}` names {to} {named}, which is not among the seed"
            ))
        })
    })
}

/// Compares what the database was made for with what is declared now.
fn compare(session: &Session, path: &Path) -> Result<(u64, [u8; 32]), OpenError> {
    let value = "SELECT value FROM _methodical_meta WHERE name = ?";
    let failed = |error: rusqlite::Error| opening(path, error.into());
    let was: String =
        session.connection.query_row(value, ["declaration"], |row| row.get(0)).map_err(failed)?;
    let now = session.catalog.model.table_digest();
    if was != now {
        return Err(OpenError::Changed { was, now });
    }
    number(session).map_err(failed)?;
    let epoch: [u8; 8] =
        session.connection.query_row(value, ["epoch"], |row| row.get(0)).map_err(failed)?;
    let secret: [u8; 32] =
        session.connection.query_row(value, ["secret"], |row| row.get(0)).map_err(failed)?;
    Ok((u64::from_be_bytes(epoch), secret))
}

/// Learns which number each resource has in the bookkeeping.
fn number(session: &Session) -> rusqlite::Result<()> {
    let text = "SELECT resource FROM _methodical_resource WHERE name = ?";
    let mut statement = session.connection.prepare(text)?;
    let resources = session.catalog.model.resources.iter();
    let numbers = resources
        .map(|resource| statement.query_row([&resource.name], |row| row.get(0)))
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    session.catalog.numbers.get_or_init(|| numbers);
    Ok(())
}

/// A failure while opening, as the operator should read it.
fn opening(path: &Path, failure: Failure) -> OpenError {
    let error = match failure {
        Failure::Told(error) => return OpenError::Io(format!("{}: {error}", path.display())),
        Failure::Sqlite(error) => error,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotOurs,
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged(error.to_string()),
        Some(ErrorCode::DiskFull) => OpenError::NoRoom,
        Some(ErrorCode::ReadOnly) => OpenError::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked,
        _ => OpenError::Io(format!("{}: {error}", path.display())),
    }
}
