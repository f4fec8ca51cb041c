//! Names of the files beside a database.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use model::value::Timestamp;

use super::error::CareError;

/// How the name of every backup ends: what is inside is a database, compressed with Zstandard.
pub const ENDING: &str = ".db.zst";
/// How the name of one ends that is not finished.
pub const PART: &str = ".part";

/// The database's name with more behind it.
#[must_use]
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a file that is about to become a database, readable for its owner alone: the files that
/// SQLite puts beside it follow its mode. One that is there stays as it is, and is not opened
/// either: closing it would let go of the locks that this process has on it. What keeps it from
/// being made SQLite says as well.
pub(crate) fn make_private(database: &Path) {
    if database.exists() {
        return;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(database));
}

/// The folder of a file.
#[must_use]
pub fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A moment as it stands in names: `20261127T230926Z`.
#[must_use]
pub fn stamp(at: Timestamp) -> String {
    let text = at.text();
    let digits: String =
        text.chars().take(19).filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{digits}Z")
}

/// The stem of a database's backups.
fn stem(database: &Path) -> String {
    let stem = database.file_stem().unwrap_or(database.as_os_str());
    stem.to_string_lossy().into_owned()
}

/// The name of a backup that is made at a moment.
#[must_use]
pub fn backup_name(database: &Path, at: Timestamp) -> String {
    format!("{}-{}{ENDING}", stem(database), stamp(at))
}

/// The backups of a database in a folder by the names that `backup_name` gives, oldest first.
///
/// # Errors
/// The folder cannot be read; one that is not there has none.
pub fn backups(database: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    named(database, folder, ENDING)
}

fn named(database: &Path, folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let head = format!("{}-", stem(database));
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let middle = name.strip_prefix(&head).and_then(|rest| rest.strip_suffix(ending));
        if middle.is_some_and(is_stamp) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// When a backup of this name was made; None where the name does not say.
#[must_use]
pub fn made_at(backup: &Path) -> Option<Timestamp> {
    let name = backup.file_name()?.to_str()?.strip_suffix(ENDING)?;
    let text = name.get(name.len().checked_sub(16)?..).filter(|text| is_stamp(text))?;
    let [date, time] = [&text[..8], &text[9..15]];
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}.000Z"))
}

fn is_stamp(text: &str) -> bool {
    text.len() == 16
        && text.char_indices().all(|(at, c)| match at {
            8 => c == 'T',
            15 => c == 'Z',
            _ => c.is_ascii_digit(),
        })
}

/// Removes what backups left that were killed: unfinished files that nobody holds any more.
pub(crate) fn sweep(database: &Path, folder: &Path) {
    let parts = named(database, folder, &format!("{ENDING}{PART}")).unwrap_or_default();
    for part in parts {
        let free = File::open(&part).is_ok_and(|file| file.try_lock().is_ok());
        if free {
            // Another sweep may have been faster.
            drop(std::fs::remove_file(&part));
        }
    }
}

/// Gives a file the owner of another. An administrator who makes a file where a server runs as
/// somebody else must not leave one that the server may not touch; whoever may not give files
/// away owns both already, as a rule.
#[cfg(unix)]
pub fn own_like(file: &Path, other: &Path) {
    use std::os::unix::fs::{MetadataExt, chown};
    let (Ok(of), Ok(to)) = (std::fs::metadata(file), std::fs::metadata(other)) else { return };
    if (of.uid(), of.gid()) != (to.uid(), to.gid()) {
        drop(chown(file, Some(to.uid()), Some(to.gid())));
    }
}

/// Files have other owners elsewhere.
#[cfg(not(unix))]
pub fn own_like(_: &Path, _: &Path) {}

/// Takes the lock on a file that is made for it.
pub(crate) fn lock(path: &Path, taken: CareError) -> Result<File, CareError> {
    let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
    let file = opened.map_err(|error| CareError::file(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(taken),
        Err(TryLockError::Error(error)) => Err(CareError::file(path, &error)),
    }
}

/// Syncs a folder, so that the names in it are as durable as the files.
pub(crate) fn sync_folder(path: &Path) -> Result<(), CareError> {
    let synced = File::open(folder(path)).and_then(|folder| folder.sync_all());
    synced.map_err(|error| CareError::file(folder(path), &error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_backups_are_backups() {
        let folder = tempfile::tempdir().unwrap();
        let at = Timestamp::parse("2026-11-27T23:09:26.123Z").unwrap();
        let database = folder.path().join("data.db");
        let name = backup_name(&database, at);
        assert_eq!(name, "data-20261127T230926Z.db.zst");
        assert_eq!(made_at(Path::new(&name)).unwrap().text(), "2026-11-27T23:09:26.000Z");
        assert_eq!(made_at(Path::new("data-1.db.zst")), None);
        let others = ["data-20261127T230926Z.db", "data-yesterday.db.zst", "data.db", "x.db.zst"];
        for name in others.iter().chain([&name.as_str(), &"data-20251127T230926Z.db.zst"]) {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = backups(&database, folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["data-20251127T230926Z.db.zst", name.as_str()]);
        assert!(backups(&database, &folder.path().join("none")).unwrap().is_empty());
    }
}
