//! Opens the one database file: claims it, recognises it, and has it made from nothing if need be.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::model::{Model, ResourceIndex};
use model::record::Record;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization, Wal};
use rusqlite::limits::Limit;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::anchor::Anchor;
use super::checkpoint::Log;
use super::credential;
use super::failure::Failure;
use super::fold;
use super::fresh::create;
use super::home::Home;
use super::migrate::files::fit;
use super::session::Session;
use super::sound;
use crate::care::beside::{beside, make_private};
use crate::care::exchange;
use crate::error::OpenError;
use crate::fault::{Fault, on};
use crate::measure::Meters;
use crate::migrate::Plan;
use crate::options::Options;
use crate::sql::Catalog;

/// How long one attempt to begin waits inside SQLite for another process.
pub(crate) const LOCK_SLICE: Duration = Duration::from_millis(100);

/// "Meth" in ASCII: tells our files from other people's.
pub(crate) const APPLICATION: i32 = 0x4d65_7468;
/// The layout of our own tables. 2: rows of text and UUID ids are numbered by a column of their
/// own; full-text indexes. 3: what the tables were made for is kept, and so is what became of them.
/// 4: sessions, API keys and the audit log; what rules look at is kept in the change log. 5: the
/// audit log knows which records a bulk was about. 6: jobs; codes that
/// are sent, and the addresses that they confirm.
pub(crate) const LAYOUT: i32 = 6;
/// Bytes that the log ahead of the database keeps on the disk when it begins anew.
const LOG_BYTES_KEPT: i64 = 64 << 20;
/// How often a claim is tried for that somebody holds for a moment, and how long between.
const CLAIM_TRIES: u32 = 5;
const CLAIM_PAUSE: Duration = Duration::from_millis(20);
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
    /// How long the log ahead of the database is, and who moves it over.
    pub(crate) log: Arc<Log>,
    /// What is counted.
    pub(crate) meters: Arc<Meters>,
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
    /// The number of the first key, where it was made just now.
    pub(crate) first_key: Option<i64>,
    /// The plan that was carried out, and how long it took.
    pub(crate) migrated: Option<(Plan, Duration)>,
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
    exchange::settle(&file).map_err(|fault| OpenError::Io(fault.to_string()))?;
    settle(&file)?;
    let source = Source::new(options.clone(), model);
    let session = source.writer().map_err(|failure| opening(&options.path, failure))?;
    // SQLite opens a file that it may not write to all the same.
    if session.connection.is_readonly(MAIN_DB).unwrap_or(false) {
        return Err(OpenError::ReadOnly);
    }
    source.home.get_or_init(|| Home::of(&options.path));
    let is_fresh = recognise(&session.connection).map_err(|found| found.told(&options.path))?;
    let (first_key, migrated) = if is_fresh {
        (create(&session, seed, &options.path)?, None)
    } else {
        let migrated = fit(&session)?;
        let first = credential::first_alone(&session);
        (first.map_err(|failure| opening(&options.path, failure))?, migrated)
    };
    let (epoch, secret) = drawn(&session, &options.path)?;
    sound::look(&session)?;
    Ok(Base { source, session, claim, epoch, secret, is_fresh, first_key, migrated })
}

/// Makes a database with empty tables where there is none, for whoever fills it in other ways than
/// by a seed, and claims it for nobody.
pub(crate) fn blank(options: &Options, model: &Arc<Model>) -> Result<Session, OpenError> {
    let source = Source::new(options.clone(), Arc::clone(model));
    let session = source.writer().map_err(|failure| opening(&options.path, failure))?;
    create(&session, &mut || Ok(Vec::new()), &options.path)?;
    Ok(session)
}

/// Opens what is there already, without claiming it.
pub(crate) fn attach(options: &Options, model: Arc<Model>) -> Result<Source, OpenError> {
    let source = Source::new(options.clone(), model);
    if !options.path.exists() {
        return Err(OpenError::Missing);
    }
    source.home.get_or_init(|| Home::of(&options.path));
    let failed = |failure: Failure| opening(&options.path, failure);
    undo_torn(&options.path, options.write_deadline).map_err(|error| failed(error.into()))?;
    let connection = source.viewer(options.write_deadline).map_err(failed)?;
    let session = source.session(connection);
    match recognise(&session.connection) {
        Ok(false) => {
            let text = "SELECT value FROM _methodical_meta WHERE name = 'declaration'";
            let was = session.connection.query_row(text, [], |row| row.get::<_, String>(0));
            if was.map_err(|error| failed(error.into()))? != session.catalog.model.table_digest() {
                let why = "nothing is read or written until it is migrated".to_owned();
                return Err(OpenError::Changed { why });
            }
            drawn(&session, &options.path).map(|_| source)
        }
        Ok(true) => Err(OpenError::Missing),
        Err(found) => Err(found.told(&options.path)),
    }
}

/// Takes back what a process that was killed while it made the database, or restored it, has left
/// half written. Its journal cannot be read past, and nobody undoes it who may only read. Later a
/// database has a log, and no journal.
pub(super) fn undo_torn(path: &Path, lock_wait: Duration) -> rusqlite::Result<()> {
    if !beside(path, "-journal").exists() {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(lock_wait)?;
    // The first read undoes it.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Claims the database for this process. SQLite's own locks stay free for other programs.
pub(crate) fn claim(path: &Path) -> Result<File, OpenError> {
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
    // Whoever asks whether a server runs holds it for a moment.
    for _ in 1..CLAIM_TRIES {
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        std::thread::sleep(CLAIM_PAUSE);
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked),
        Err(TryLockError::Error(error)) => Err(at(error)),
    }
}

/// Syncs what a process that was killed wrote ahead of the database and could not sync any more.
/// SQLite takes the commits that it finds there for durable, and so would everybody who is told of
/// them: a client that repeats its Idempotency-Key gets an answer that a power cut must not undo.
pub(super) fn settle(path: &Path) -> Result<(), OpenError> {
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
    /// A file, before anything is known of it.
    pub(crate) fn new(options: Options, model: Arc<Model>) -> Self {
        Self {
            options: Arc::new(options),
            catalog: Arc::new(Catalog::new(model)),
            home: Arc::default(),
            anchor: Arc::default(),
            log: Arc::default(),
            meters: Arc::default(),
        }
    }

    /// Fails where the database is no longer the file that was opened first.
    pub(crate) fn at_home(&self) -> Result<(), Failure> {
        self.home.get().map_or(Ok(()), Home::check)
    }

    /// The connection that writes.
    pub(crate) fn writer(&self) -> Result<Session, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        make_private(&self.options.path);
        let mut connection = Connection::open_with_flags(&self.options.path, flags)?;
        plan_once(&connection)?;
        fold::teach(&connection)?;
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
             PRAGMA cache_size = -{CACHE_KIB}; PRAGMA wal_autocheckpoint = 0; \
             PRAGMA journal_size_limit = {LOG_BYTES_KEPT};"
        ))?;
        let levels = self.options.cascade_levels_max.saturating_add(TRIGGERS_DEEP);
        let levels = i32::try_from(levels).unwrap_or(i32::MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, levels)?;
        let log = Arc::clone(&self.log);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            log.note(pages);
            Ok(())
        }))?;
        #[cfg(test)]
        if let Some(pages) = self.options.pages_max {
            connection.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
        }
        let mut session = self.session(connection);
        session.next_ids = Some(std::cell::RefCell::default());
        Ok(session)
    }

    /// The connection that moves the log over into the database, and writes nothing else.
    pub(crate) fn mover(&self) -> Result<Session, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.options.path, flags)?;
        connection.busy_timeout(LOCK_SLICE)?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; \
             PRAGMA wal_autocheckpoint = 0;",
        )?;
        Ok(self.session(connection))
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
        let mut connection = self.opened(lock_wait, cache)?;
        connection.execute_batch("PRAGMA query_only = ON")?;
        connection.authorizer(Some(reads_only))?;
        Ok(self.session(connection))
    }

    /// A connection to a file that is opened read-only.
    pub(crate) fn viewer(&self, lock_wait: Duration) -> Result<Connection, Failure> {
        self.opened(lock_wait, CACHE_KIB)
    }

    fn opened(&self, lock_wait: Duration, cache: i32) -> Result<Connection, Failure> {
        self.at_home()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.options.path, flags)?;
        plan_once(&connection)?;
        fold::teach(&connection)?;
        connection.busy_timeout(lock_wait)?;
        connection.execute_batch(&format!(
            "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -{cache};"
        ))?;
        Ok(connection)
    }

    fn session(&self, connection: Connection) -> Session {
        Session::new(connection, Arc::clone(&self.catalog), Arc::clone(&self.options))
    }
}

/// A statement keeps its plan whatever is bound to it. Otherwise SQLite throws it away with each
/// new value of a filter or limit and prepares it again, which takes longer than most reads.
pub(crate) fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
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
pub(crate) enum Found {
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
    pub(crate) fn told(self, path: &Path) -> OpenError {
        match self {
            Self::Foreign => OpenError::NotOurs,
            Self::Newer(layout) => OpenError::NewerVersion { theirs: layout, ours: LAYOUT },
            Self::Older(layout) => OpenError::OlderVersion { theirs: layout, ours: LAYOUT },
            Self::Failed(failure) => opening(path, failure),
        }
    }
}

/// True where the file is empty and shall become a database.
pub(crate) fn recognise(connection: &Connection) -> Result<bool, Found> {
    let number = |pragma: &str| -> rusqlite::Result<i32> {
        connection.query_row(pragma, [], |row| row.get(0))
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

/// Reads what was drawn when the database was made.
fn drawn(session: &Session, path: &Path) -> Result<(u64, [u8; 32]), OpenError> {
    let value = "SELECT value FROM _methodical_meta WHERE name = ?";
    let failed = |error: rusqlite::Error| opening(path, error.into());
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
pub(super) fn opening(path: &Path, failure: Failure) -> OpenError {
    match failure {
        Failure::Told(error) => OpenError::Io(format!("{}: {error}", path.display())),
        Failure::Sqlite(error) => sound::told(path, &error),
    }
}
