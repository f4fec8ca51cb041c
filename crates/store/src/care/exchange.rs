//! Puts one database in the place of another, with its log, so that a crash at any moment leaves
//! one of the two whole under the name.
//!
//! A database and the log ahead of it are two files and one thing: a log that lies beside another
//! database would be played into it. Two names cannot be changed at once, so what is being done is
//! noted first, and whoever opens the database next finishes it or takes it back.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::beside::{beside, sync_folder};
use super::error::CareError;

/// The files that are a database.
const PARTS: [&str; 3] = ["-wal", "-shm", ""];
/// The note; its content is the name, within the folder, that the old database gets.
const NOTE: &str = "-exchange";
/// The database that takes the other's place.
pub(crate) const NEXT: &str = "-restore";

fn at(path: &Path) -> impl Fn(io::Error) -> CareError + '_ {
    move |error| CareError::file(path, &error)
}

/// True of what was moved, false where there was nothing.
fn moved(from: &Path, to: &Path) -> Result<bool, CareError> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CareError::file(from, &error)),
    }
}

/// Moves the present database to `aside`, and the next one into its place. True where there was a
/// present one.
pub(crate) fn exchange(database: &Path, aside: &Path) -> Result<bool, CareError> {
    let note = beside(database, NOTE);
    let name = aside.file_name().unwrap_or_default();
    let mut file = fs::File::create(&note).map_err(at(&note))?;
    file.write_all(name.as_encoded_bytes()).and_then(|()| file.sync_all()).map_err(at(&note))?;
    sync_folder(database)?;
    let mut was_there = false;
    for part in PARTS {
        was_there |= moved(&beside(database, part), &beside(aside, part))?;
    }
    let next = beside(database, NEXT);
    fs::rename(&next, database).map_err(at(&next))?;
    sync_folder(database)?;
    fs::remove_file(&note).map_err(at(&note))?;
    Ok(was_there)
}

/// Finishes an exchange that was interrupted, or takes it back. For whoever has claimed the
/// database, before it is opened.
pub(crate) fn settle(database: &Path) -> Result<(), CareError> {
    let note = beside(database, NOTE);
    let name = match fs::read(&note) {
        Ok(name) => name,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(CareError::file(&note, &error)),
    };
    let next = beside(database, NEXT);
    if next.exists() {
        // The new one is not in its place yet: what was moved comes back.
        if let Some(aside) = aside(database, &name) {
            for part in PARTS.iter().rev() {
                let (from, to) = (beside(&aside, part), beside(database, part));
                if !to.exists() {
                    moved(&from, &to)?;
                }
            }
        }
        sync_folder(database)?;
        fs::remove_file(&next).map_err(at(&next))?;
    }
    fs::remove_file(&note).map_err(at(&note))
}

/// True while an exchange is under way or was interrupted.
pub(crate) fn is_underway(database: &Path) -> bool {
    beside(database, NOTE).exists()
}

/// None where the note itself is cut short: then nothing was moved yet.
fn aside(database: &Path, name: &[u8]) -> Option<PathBuf> {
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    Some(database.with_file_name(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Files by name, and what they hold.
    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        found.sort();
        found
    }

    fn pair(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn both_databases_are_whole_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("data.db");
        for (suffix, text) in [("", "old"), ("-wal", "log"), (NEXT, "new")] {
            fs::write(beside(&database, suffix), text).unwrap();
        }
        assert!(exchange(&database, &folder.path().join("aside.db")).unwrap());
        let expected =
            [pair("aside.db", "old"), pair("aside.db-wal", "log"), pair("data.db", "new")];
        assert_eq!(files(folder.path()), expected);
        settle(&database).unwrap();
        assert_eq!(files(folder.path()), expected);
    }

    /// Every state in which a crash can leave the files.
    #[test]
    fn whatever_moment_it_was_interrupted_at_one_of_the_two_is_whole() {
        let old = vec![pair("data.db", "old"), pair("data.db-wal", "log")];
        let new =
            vec![pair("aside.db", "old"), pair("aside.db-wal", "log"), pair("data.db", "new")];
        for step in 0..=5 {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("data.db");
            let aside = folder.path().join("aside.db");
            for (suffix, text) in [("", "old"), ("-wal", "log"), (NEXT, "new")] {
                fs::write(beside(&database, suffix), text).unwrap();
            }
            let note = beside(&database, NOTE);
            fs::write(&note, if step == 0 { "" } else { "aside.db" }).unwrap();
            if step >= 2 {
                fs::rename(beside(&database, "-wal"), beside(&aside, "-wal")).unwrap();
            }
            if step >= 3 {
                fs::rename(&database, &aside).unwrap();
            }
            if step >= 4 {
                fs::rename(beside(&database, NEXT), &database).unwrap();
            }
            if step >= 5 {
                fs::remove_file(&note).unwrap();
            }
            settle(&database).unwrap();
            let expected = if step < 4 { &old } else { &new };
            assert_eq!(&files(folder.path()), expected, "after step {step}");
        }
    }
}
