//! A backup: one state of the database, compressed, summed up, and never half there under its
//! name.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use model::value::Timestamp;
use serde_json::{Value, json};

use super::archive;
use super::beside::{PART, backups, beside, folder, lock, own_like, sweep, sync_folder};
use super::error::CareError;
use super::header::Header;
use crate::sqlite::copy::{copy, look, quick_check, rest, state};

pub use crate::sqlite::copy::Pace;

/// What is backed up, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The database's file.
    pub database: PathBuf,
    /// The present moment.
    pub now: Timestamp,
    /// How much of the machine it takes.
    pub pace: Pace,
    /// Size of the log ahead of the database, in bytes, at which it is given up.
    pub log_bytes_max: u64,
    /// The version of the program.
    pub program: String,
}

/// Where a backup goes.
pub enum Target<'a> {
    /// A file that is not there yet.
    File(&'a Path),
    /// A pipe.
    Stream(&'a mut dyn Write),
}

/// How far a backup is, in bytes of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many of so many are copied.
    Copied(u64, u64),
    /// So many of so many are compressed and written.
    Written(u64, u64),
}

/// Told of progress; `Break` stops.
pub type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What it says of itself.
    pub header: Header,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its content.
    pub sum: String,
}

/// Backs up, and notes how that ended beside the database.
///
/// # Errors
/// Nothing was made then: what was begun is removed, and everything that was there before is
/// still there.
pub fn backup(plan: &Plan, target: Target<'_>, watch: Watch<'_>) -> Result<Made, CareError> {
    // SQLite puts its files beside what a link leads to.
    let real = plan.database.canonicalize().unwrap_or_else(|_| plan.database.clone());
    let plan = &Plan { database: real, ..plan.clone() };
    // A database that is not there gets no file beside it.
    drop(look(&plan.database)?);
    let note = beside(&plan.database, "-backup");
    let held = lock(&note, CareError::Underway)?;
    own_like(&note, &plan.database);
    let file = match &target {
        Target::File(path) => {
            Some(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
        }
        Target::Stream(_) => None,
    };
    let made = make(plan, target, watch);
    let told = match &made {
        Ok(made) => json!({
            "at": plan.now.text(), "file": file, "bytes": made.bytes, "sha256": made.sum,
        }),
        Err(fault) => json!({ "at": plan.now.text(), "error": fault.to_string() }),
    };
    // What cannot be noted is told by the caller all the same.
    drop(write_note(&held, &told));
    made
}

fn write_note(mut note: &File, told: &Value) -> io::Result<()> {
    note.set_len(0)?;
    note.rewind()?;
    note.write_all(told.to_string().as_bytes())
}

/// How the last backup of a database ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When it was begun, RFC 3339.
    pub at: String,
    /// What kept it from being made.
    pub error: Option<String>,
    /// Where it is; None for a pipe.
    pub file: Option<PathBuf>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Reads how the last backup of a database ended; None where none was tried.
#[must_use]
pub fn last(database: &Path) -> Option<Note> {
    let real = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let text = std::fs::read_to_string(beside(&real, "-backup")).ok()?;
    let told: Value = serde_json::from_str(&text).ok()?;
    Some(Note {
        at: told["at"].as_str()?.to_owned(),
        error: told["error"].as_str().map(str::to_owned),
        file: told["file"].as_str().map(PathBuf::from),
        bytes: told["bytes"].as_u64().unwrap_or(0),
    })
}

/// Removes the oldest backups of a database in a folder, so that so many stay.
///
/// # Errors
/// The folder cannot be read, or a file not removed.
pub fn retain(database: &Path, folder: &Path, keep: usize) -> io::Result<Vec<PathBuf>> {
    let mut all = backups(database, folder)?;
    all.truncate(all.len().saturating_sub(keep));
    for old in &all {
        std::fs::remove_file(old)?;
    }
    Ok(all)
}

/// A file that is removed unless it is kept.
struct Passing<'a>(&'a Path);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        // It may never have been made.
        drop(std::fs::remove_file(self.0));
    }
}

fn make(plan: &Plan, target: Target<'_>, watch: Watch<'_>) -> Result<Made, CareError> {
    if let Target::File(path) = &target {
        if path.exists() {
            return Err(CareError::Exists(path.display().to_string()));
        }
        sweep(&plan.database, folder(path));
    }
    let spool = beside(&plan.database, "-backup-copy");
    let passing = Passing(&spool);
    let header = take(plan, &spool, watch)?;
    let damage = quick_check(&spool, 3)?;
    if !damage.is_empty() {
        return Err(CareError::Damaged(damage.join("; ")));
    }
    let made = match target {
        Target::File(path) => to_file(plan, path, &header, &spool, watch),
        Target::Stream(out) => pack(plan, out, &header, &spool, watch),
    };
    drop(passing);
    made
}

/// Takes one state of the database into a plain copy.
fn take(plan: &Plan, spool: &Path, watch: Watch<'_>) -> Result<Header, CareError> {
    // One that was killed has left its copy.
    drop(std::fs::remove_file(spool));
    private(spool)?;
    own_like(spool, &plan.database);
    let source = look(&plan.database)?;
    // From here on the connection holds one state.
    let state = state(&source)?;
    let mut told = |done, all| watch(Progress::Copied(done, all));
    copy(&source, &plan.database, spool, plan.pace, plan.log_bytes_max, &mut told)?;
    drop(source);
    let bytes = std::fs::metadata(spool).map_err(|error| CareError::file(spool, &error))?.len();
    Ok(Header {
        program: plan.program.clone(),
        sqlite: rusqlite::version().to_owned(),
        layout: state.layout,
        made: plan.now.text(),
        declaration: state.declaration,
        bytes,
        resources: state.resources,
    })
}

/// Makes an empty file that only its owner reads: whatever the database holds is in it.
fn private(path: &Path) -> Result<File, CareError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| CareError::file(path, &error))
}

fn to_file(
    plan: &Plan,
    path: &Path,
    header: &Header,
    spool: &Path,
    watch: Watch<'_>,
) -> Result<Made, CareError> {
    let part = beside(path, PART);
    let file = private(&part)?;
    own_like(&part, folder(path));
    let passing = Passing(&part);
    // As long as it is held, no other backup takes it for a leftover.
    file.try_lock().map_err(|_| CareError::Underway)?;
    let made = pack(plan, &file, header, spool, watch).map_err(|fault| match fault {
        CareError::NoRoom(_) => CareError::NoRoom(path.display().to_string()),
        fault => fault,
    })?;
    let placed = file.sync_all().and_then(|()| place(&part, path));
    placed.map_err(|error| CareError::file(path, &error))?;
    drop(passing);
    sync_folder(path)?;
    Ok(made)
}

/// Gives the file its name, unless another has it by now.
fn place(part: &Path, path: &Path) -> io::Result<()> {
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    std::fs::rename(part, path)
}

fn pack(
    plan: &Plan,
    out: impl Write,
    header: &Header,
    spool: &Path,
    watch: Watch<'_>,
) -> Result<Made, CareError> {
    let content = File::open(spool).map_err(|error| CareError::file(spool, &error))?;
    let mut since = Instant::now();
    let mut told = |done| {
        rest(plan.pace, since);
        since = Instant::now();
        watch(Progress::Written(done, header.bytes))
    };
    let out = BufWriter::with_capacity(1 << 16, out);
    let written = archive::write(out, header, &mut BufReader::new(content), &mut told);
    let written = written.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => CareError::Stopped,
        io::ErrorKind::StorageFull => CareError::NoRoom("the backup".to_owned()),
        io::ErrorKind::BrokenPipe => {
            CareError::Io("whoever read the backup has stopped reading".to_owned())
        }
        _ => CareError::Io(format!("the backup cannot be written: {error}")),
    })?;
    Ok(Made { header: header.clone(), bytes: written.bytes, sum: written.sum })
}
