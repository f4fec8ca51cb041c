//! The commands, one a file, and the reading of the declaration that they share.

pub(crate) mod check;
pub(crate) mod init;
pub(crate) mod routes;
pub(crate) mod serve;

use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use model::complaint::{self, Complaint, Level};
use model::declaration::{self, Reading};

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

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
