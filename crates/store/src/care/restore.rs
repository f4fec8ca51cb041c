//! A backup becomes the database: verified whole before anything is replaced, the present one kept
//! aside, and a new epoch, so that no entity tag and no cursor of before is good for it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use model::model::Model;
use model::value::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::archive;
use super::beside::{beside, folder, own_like, stamp, sync_folder};
use super::error::CareError;
use super::exchange::{self, NEXT};
use super::header::Header;
use crate::error::OpenError;
use crate::sqlite::copy::{immutable, look, pragma_texts};
use crate::sqlite::open::{APPLICATION, LAYOUT, claim};

/// Whether the restored database is for the present declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is.
    Fits,
    /// It was made for another one, or by an older program.
    Differs,
}

/// A database that was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the backup said of itself.
    pub header: Header,
    /// Its SHA-256, which was right.
    pub sum: String,
    /// Whether `serve` takes it as it is.
    pub fit: Fit,
    /// Where the database is that was there before.
    pub aside: Option<PathBuf>,
    /// True where ids that the database aside has given are not given again.
    pub ids_continue: bool,
}

/// Claims a database, as a server does, and finishes what was interrupted.
pub(crate) fn claimed(database: &Path) -> Result<(PathBuf, File), CareError> {
    let file = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let claim = claim(&file).map_err(|error| match error {
        OpenError::Locked => CareError::Served,
        error => CareError::Open(error),
    })?;
    own_like(&beside(&file, "-serve"), &file);
    exchange::settle(&file)?;
    Ok((file, claim))
}

/// Restores. `watch` is told of bytes of the database done and all bytes.
///
/// # Errors
/// Nothing was replaced then.
pub fn restore(
    database: &Path,
    model: &Model,
    source: impl BufRead,
    now: Timestamp,
    watch: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Restored, CareError> {
    // Before the claim: what is no backup leaves no file behind.
    let archive = archive::open(source)?;
    if archive.header.layout > i64::from(LAYOUT) {
        let theirs = i32::try_from(archive.header.layout).unwrap_or(i32::MAX);
        return Err(OpenError::NewerVersion { theirs, ours: LAYOUT }.into());
    }
    let (database, held) = claimed(database)?;
    let next = beside(&database, NEXT);
    let prepared = prepare(archive, &database, &next, now, watch);
    let (header, sum, ids_continue) = prepared.inspect_err(|_| {
        for part in ["", "-journal"] {
            // It may never have been made.
            drop(fs::remove_file(beside(&next, part)));
        }
    })?;
    let is_present = header.layout == i64::from(LAYOUT);
    let fits = is_present && header.declaration == model.table_digest();
    drop_empty_log(&database);
    let aside = free_name(&database, now);
    let was_there = exchange::exchange(&database, &aside)?;
    drop(held);
    Ok(Restored {
        header,
        sum,
        fit: if fits { Fit::Fits } else { Fit::Differs },
        aside: was_there.then_some(aside),
        ids_continue,
    })
}

/// Looking into the present database has left a log without content where there was none.
fn drop_empty_log(database: &Path) {
    let log = beside(database, "-wal");
    if fs::metadata(&log).is_ok_and(|found| found.len() == 0) {
        for part in ["-wal", "-shm"] {
            // What stays is moved with the database.
            drop(fs::remove_file(beside(database, part)));
        }
    }
}

/// A name for the present database that nothing has yet.
fn free_name(database: &Path, now: Timestamp) -> PathBuf {
    let name = beside(database, &format!("-before-{}", stamp(now)));
    let more = (2..).map(|number| beside(&name, &format!("-{number}")));
    let free = |path: &PathBuf| !["", "-wal"].iter().any(|part| beside(path, part).exists());
    std::iter::once(name.clone()).chain(more).find(free).unwrap_or(name)
}

/// Unpacks the next database, verifies it, and gives it what a restored one needs.
fn prepare<R: BufRead>(
    archive: archive::Archive<R>,
    database: &Path,
    next: &Path,
    now: Timestamp,
    watch: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(Header, String, bool), CareError> {
    let header = archive.header.clone();
    let at = |error: io::Error| CareError::file(next, &error);
    drop(fs::remove_file(next));
    let file = fresh(next).map_err(at)?;
    let mut out = BufWriter::new(&file);
    let sum = archive.unpack(&mut out, &mut |done| watch(done, header.bytes))?;
    out.flush().map_err(at)?;
    drop(out);
    verify(next, &header)?;
    let ids_continue = renew(next, database, &header, now)?;
    if let Ok(old) = fs::metadata(database) {
        file.set_permissions(old.permissions()).map_err(at)?;
    }
    let owner = if database.exists() { database } else { folder(next) };
    own_like(next, owner);
    file.sync_all().map_err(at)?;
    sync_folder(next)?;
    Ok((header, sum, ids_continue))
}

fn fresh(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether what was unpacked is a sound database of ours, and the one that the header describes.
fn verify(next: &Path, header: &Header) -> Result<(), CareError> {
    let unusable = |text: String| CareError::Unusable(text);
    let connection = immutable(next)?;
    let application: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| unusable(error.to_string()))?;
    if application != APPLICATION {
        return Err(unusable("it is a database, but not one of Methodical's".to_owned()));
    }
    let damage = pragma_texts(&connection, "PRAGMA integrity_check(5)")?;
    if !damage.is_empty() {
        return Err(unusable(format!("integrity_check says: {}", damage.join("; "))));
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    if statement.exists([])? {
        return Err(unusable("foreign_key_check finds references to nothing".to_owned()));
    }
    let state = crate::sqlite::copy::state(&connection)?;
    if (state.layout, &state.declaration) != (header.layout, &header.declaration) {
        return Err(unusable("its tables are not those that its header names".to_owned()));
    }
    Ok(())
}

/// Draws a new epoch, and goes on counting ids where the present database is: one that was given
/// since the backup is not given to another record. True where that could be done.
///
/// The secret stays: the answers to Idempotency-Keys that are in the backup belong to records that
/// are in it too, and whoever asks again must find them.
fn renew(next: &Path, old: &Path, header: &Header, now: Timestamp) -> Result<bool, CareError> {
    let mut epoch = [0_u8; 8];
    getrandom::fill(&mut epoch)
        .map_err(|error| CareError::Failed(format!("no random numbers: {error}")))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(next, flags)?;
    // A journal is undone by itself; a log would be a second file to move.
    connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
    let transaction = connection.transaction()?;
    let meta = "INSERT INTO _methodical_meta (name, value) VALUES (?1, ?2) \
                ON CONFLICT (name) DO UPDATE SET value = ?2";
    transaction.execute(meta, ("epoch", &epoch[..]))?;
    transaction.execute(meta, ("restored", format!("{} {}", now.text(), header.made)))?;
    renew_credentials(&transaction, old, header)?;
    let given = given(old);
    for (table, number) in given.iter().flatten() {
        let moved = transaction.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
            (table, number),
        )?;
        if moved == 0 {
            transaction.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE EXISTS \
                 (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)",
                (table, number),
            )?;
        }
    }
    transaction.commit()?;
    Ok(given.is_some())
}

/// Ends every session, and removes the keys that were revoked since the backup as far as the
/// present database knows: neither comes back with a restore. The other keys stay.
fn renew_credentials(next: &Connection, old: &Path, header: &Header) -> Result<(), CareError> {
    if header.layout < i64::from(LAYOUT) {
        return Ok(());
    }
    next.execute("DELETE FROM _methodical_sessions", [])?;
    let Some((last, keys)) = present_keys(next, old) else { return Ok(()) };
    let keys = serde_json::Value::from(keys).to_string();
    next.execute(
        "DELETE FROM _methodical_api_keys WHERE number <= ?1 \
         AND hex(hash) NOT IN (SELECT value FROM json_each(?2))",
        (last, keys),
    )?;
    Ok(())
}

/// How many keys the present database has given, and the hashes of those that are good still; None
/// where it cannot be read, or is another than the one that was backed up.
fn present_keys(next: &Connection, old: &Path) -> Option<(i64, Vec<String>)> {
    let connection = look(old).ok()?;
    let secret = "SELECT value FROM _methodical_meta WHERE name = 'secret'";
    let read = |of: &Connection| of.query_row(secret, [], |row| row.get::<_, Vec<u8>>(0)).ok();
    if read(&connection)? != read(next)? {
        return None;
    }
    let last = "SELECT seq FROM sqlite_sequence WHERE name = '_methodical_api_keys'";
    let last = connection.query_row(last, [], |row| row.get(0)).ok()?;
    let mut statement = connection.prepare("SELECT hex(hash) FROM _methodical_api_keys").ok()?;
    let rows = statement.query_map([], |row| row.get(0)).ok()?;
    Some((last, rows.collect::<Result<_, _>>().ok()?))
}

/// How far the present database has counted; None where it cannot be read.
fn given(old: &Path) -> Option<Vec<(String, i64)>> {
    let connection = look(old).ok()?;
    let mut statement = connection.prepare("SELECT name, seq FROM sqlite_sequence").ok()?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).ok()?;
    rows.collect::<Result<_, _>>().ok()
}
