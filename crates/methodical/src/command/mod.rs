//! The commands, one a file, and the reading of the declaration that they share.

pub(crate) mod access;
pub(crate) mod adopt;
pub(crate) mod backup;
pub(crate) mod check;
mod check_database;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod jobs;
pub(crate) mod key;
pub(crate) mod migrate;
mod progress;
pub(crate) mod restore;
pub(crate) mod routes;
pub(crate) mod serve;
pub(crate) mod service;
pub(crate) mod site;
pub(crate) mod status;
pub(crate) mod vacuum;

use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use model::complaint::{self, Complaint, Level};
use model::declaration::{self, Reading};
use model::setting::Settings;
use model::value::Timestamp;

use crate::failure::Failure;

/// The name of a declaration in its folder.
pub(crate) const FILE: &str = "methodical.toml";
/// Largest declaration: far beyond what a person writes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A declaration as it was found.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// What the text says.
    pub(crate) reading: Reading,
}

/// The folder that the arguments name.
pub(crate) fn place(matches: &ArgMatches) -> PathBuf {
    matches.get_one::<String>("dir").map(PathBuf::from).unwrap_or_default()
}

/// Reads the declaration of a folder.
///
/// # Errors
/// Says what is missing and which command to run next. Faults inside it are in the reading.
pub(crate) fn read(dir: &Path) -> Result<Declaration, Failure> {
    let text = read_text(dir).map_err(Failure::refused)?;
    let reading = declaration::read(&text);
    Ok(Declaration { dir: dir.to_owned(), text, reading })
}

/// Reads the text of a folder's declaration.
fn read_text(dir: &Path) -> Result<String, String> {
    let path = dir.join(FILE);
    let shown = shown(dir);
    let dir_is_file = dir.is_file();
    if dir_is_file && dir.file_name().is_some_and(|name| name == FILE) {
        let folder = self::shown(dir.parent().unwrap_or(Path::new("")));
        return Err(format!("{shown} is the declaration itself: name its folder, {folder}"));
    }
    if dir_is_file {
        return Err(format!("{shown} is a file: name the folder that holds {FILE}"));
    }
    if !dir.is_dir() {
        return Err(format!(
            "there is no folder {shown}\nTo make it, with a declaration to start from:\n\n    \
             methodical init {shown}\n"
        ));
    }
    let length = std::fs::metadata(&path).map_or(0, |found| found.len());
    if length > FILE_BYTES_MAX {
        return Err(format!("{} is larger than {FILE_BYTES_MAX} bytes", path.display()));
    }
    std::fs::read_to_string(&path).map_err(|fault| match fault.kind() {
        ErrorKind::NotFound => format!(
            "there is no {FILE} in {shown}\nTo write one to start from:\n\n    methodical init \
             {shown}\n"
        ),
        ErrorKind::InvalidData => format!("{} is not text in UTF-8", path.display()),
        _ => format!("{} cannot be read: {fault}", path.display()),
    })
}

/// Complaints about the declaration and about its settings, each once: what needs no environment
/// is found by both.
pub(crate) fn joined(reading: &Reading, of_settings: &[Complaint]) -> Vec<Complaint> {
    let mut all = reading.complaints.clone();
    for complaint in of_settings {
        let known =
            |other: &Complaint| other.span == complaint.span && other.message == complaint.message;
        if !all.iter().any(known) {
            all.push(complaint.clone());
        }
    }
    all
}

/// A moment to the second.
fn when(at: Timestamp) -> String {
    format!("{}Z", at.text().chars().take(19).collect::<String>())
}

/// The number of a thing that a command names; `list` is the command that tells the numbers.
fn numbered(thing: &str, text: &str, list: &str) -> Result<i64, Failure> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        Failure::usage(format!("{text:?} is no number of a {thing}; `{list}` has them"))
    })
}

/// A folder as it can stand in a command line.
pub(crate) fn shown(dir: &Path) -> String {
    let text = dir.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    match text.as_str() {
        "" => ".".to_owned(),
        plain_text if plain_text.bytes().all(plain) => text,
        _ => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Where the database is.
pub(crate) fn database(dir: &Path, settings: &Settings) -> PathBuf {
    dir.join(settings.database.strip_prefix("sqlite:").unwrap_or(&settings.database))
}

/// Writes complaints of a level, or worse, to standard error. Gives the number of errors.
pub(crate) fn complain(declaration: &Declaration, complaints: &[Complaint], least: Level) -> usize {
    let told: Vec<Complaint> =
        complaints.iter().filter(|complaint| complaint.level <= least).cloned().collect();
    if !told.is_empty() {
        let path = declaration.dir.join(FILE).display().to_string();
        let color = std::io::stderr().is_terminal();
        eprint!("{}", complaint::render(&told, &declaration.text, &path, color));
    }
    told.iter().filter(|complaint| complaint.level == Level::Error).count()
}

/// Complaints about a declaration that is in no file, as text.
pub(crate) fn complaints_of(reading: &Reading, text: &str, name: &str) -> String {
    complaint::render(&reading.complaints, text, name, false)
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{FILE, joined, read_text};
    use crate::settings::{Given, resolve};
    use std::path::Path;

    #[test]
    fn a_fault_of_a_setting_is_told_once() {
        let text = "listen = \"x\"\nlimits.target = \"${GONE}\"\n[resources.a]\n\
                    fields.b = { type = \"strin\" }\n";
        let reading = model::declaration::read(text);
        let resolved = resolve(&reading.settings, &[], &Given::default()).unwrap();
        let told = joined(&reading, &resolved.complaints);
        assert_eq!(told.len(), 3, "{told:?}");
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| read_text(path).unwrap_err();
        assert!(said(&folder.path().join("none")).contains("methodical init"));
        std::fs::write(folder.path().join("letter"), "").unwrap();
        let letter = said(&folder.path().join("letter"));
        assert!(letter.contains("is a file") && !letter.contains("init"), "{letter}");
        std::fs::write(folder.path().join(FILE), "").unwrap();
        let itself = said(&folder.path().join(FILE));
        assert!(itself.contains("name its folder"), "{itself}");
    }
}
