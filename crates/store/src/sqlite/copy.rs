//! A consistent copy of a database that goes on being written to.
//!
//! One read transaction is held over all steps of SQLite's backup, so that it copies one state
//! and never begins anew. It stops no writer; but the log ahead of the database cannot begin
//! anew meanwhile either, which is why the copy is a plain one, compressed only afterwards, and
//! why the log's growth is watched.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::open::{APPLICATION, LAYOUT, plan_once, undo_torn};
use crate::care::beside::{beside, make_private};
use crate::care::error::CareError;
use crate::care::exchange;
use crate::error::OpenError;

/// Pages between two looks around: a MiB.
const STEP_PAGES: i32 = 256;
/// How long a lock is waited for: the log is recovered, or another program checkpoints.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How much of the machine a backup takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// All that it needs.
    Quick,
    /// About half of a thread and of the disk, so that requests hardly notice.
    Gentle,
}

/// What one state of a database says of itself.
pub(crate) struct State {
    pub(crate) layout: i64,
    pub(crate) declaration: String,
    pub(crate) resources: Vec<(String, u64)>,
}

/// Opens a database to look at it. It has to be there, and ours.
pub(crate) fn look(database: &Path) -> Result<Connection, CareError> {
    if exchange::is_underway(database) {
        return Err(CareError::Interrupted);
    }
    if !database.exists() {
        return Err(CareError::Missing(database.display().to_string()));
    }
    undo_torn(database, LOCK_WAIT)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    plan_once(&connection)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; BEGIN;")?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application != APPLICATION {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
        return Err(match (application, tables) {
            (0, 0) => CareError::Unmade(database.display().to_string()),
            _ => OpenError::NotOurs.into(),
        });
    }
    let layout: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if layout > LAYOUT {
        return Err(OpenError::NewerVersion { theirs: layout, ours: LAYOUT }.into());
    }
    Ok(connection)
}

/// Reads what the state that a connection holds says of itself.
pub(crate) fn state(connection: &Connection) -> Result<State, CareError> {
    let layout = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let declared = "SELECT value FROM _methodical_meta WHERE name = 'declaration'";
    let declaration = connection.query_row(declared, [], |row| row.get(0))?;
    let mut statement =
        connection.prepare("SELECT name, total FROM _methodical_resource ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
    })?;
    let resources = rows.collect::<Result<_, _>>()?;
    Ok(State { layout, declaration, resources })
}

/// Copies the state that `from` holds into a fresh file. `watch` is told of bytes done and all
/// bytes.
pub(crate) fn copy(
    from: &Connection,
    database: &Path,
    to: &Path,
    pace: Pace,
    log_bytes_max: u64,
    watch: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), CareError> {
    make_private(to);
    let mut target = Connection::open(to)?;
    // Nobody else knows of the file, and one that is cut short is thrown away.
    target.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;",
    )?;
    let page: i64 = from.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let page = u64::try_from(page).unwrap_or(4096);
    let log = beside(database, "-wal");
    let backup = Backup::new(from, &mut target)?;
    loop {
        let begun = Instant::now();
        let step = backup.step(STEP_PAGES)?;
        let progress = backup.progress();
        let all = u64::try_from(progress.pagecount).unwrap_or(0) * page;
        let left = u64::try_from(progress.remaining).unwrap_or(0) * page;
        if watch(all.saturating_sub(left), all).is_break() {
            return Err(CareError::Stopped);
        }
        match step {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => std::thread::sleep(Duration::from_millis(5)),
            _ => {}
        }
        let grown = std::fs::metadata(&log).map_or(0, |found| found.len());
        if grown > log_bytes_max {
            return Err(CareError::LogTooLarge { grown, most: log_bytes_max });
        }
        // A log that grows is a reason to be done sooner.
        if grown < log_bytes_max / 4 {
            rest(pace, begun);
        }
    }
}

/// Rests as long as the work took.
pub(crate) fn rest(pace: Pace, since: Instant) {
    match pace {
        Pace::Quick => {}
        Pace::Gentle => {
            std::thread::sleep(
                since.elapsed().clamp(Duration::from_micros(100), Duration::from_millis(50)),
            );
        }
    }
}

/// What SQLite finds wrong with the pages of a file that nobody writes to; at most so many.
pub(crate) fn quick_check(file: &Path, most: u32) -> Result<Vec<String>, CareError> {
    let connection = immutable(file)?;
    pragma_texts(&connection, &format!("PRAGMA quick_check({most})"))
}

/// The lines of a check; none where all is well.
pub(crate) fn pragma_texts(
    connection: &Connection,
    pragma: &str,
) -> Result<Vec<String>, CareError> {
    let mut statement = connection.prepare(pragma)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Opens a file that nobody writes to, without locks and without files beside it.
pub(crate) fn immutable(file: &Path) -> Result<Connection, CareError> {
    let mut uri = "file:".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(uri, flags)?)
}
