//! Records in and out of files and pipes, by command.

mod chunk;
pub(crate) mod content;
pub(crate) mod faults;
mod judge;
pub(crate) mod meter;
pub(crate) mod run;
pub(crate) mod state;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use model::model::{Model, ResourceIndex};
use model::suggest;
use store::Options;

use crate::command::serve::accept;
use crate::command::{place, read};
use crate::failure::Failure;
use crate::settings::Given;

/// A project whose records are moved.
pub(crate) struct Project {
    /// What is declared.
    pub(crate) model: Arc<Model>,
    /// How its store is opened.
    pub(crate) options: Options,
    /// Most rows that wait for others.
    pub(crate) waiting_rows_max: usize,
    /// Largest record.
    pub(crate) row_bytes_max: usize,
}

impl Project {
    /// Reads the declaration of the folder that the arguments name.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, Failure> {
        let declaration = read(&place(matches))?;
        let (model, resolved) = accept(&declaration, &Given::read(matches)?)?;
        let settings = resolved.settings;
        let named = settings.database.strip_prefix("sqlite:").unwrap_or(&settings.database);
        let path = declaration.dir.join(named);
        Ok(Self {
            model,
            options: Options::from(&settings, &path),
            waiting_rows_max: settings.import_waiting_rows_max,
            row_bytes_max: settings.content_bytes_max,
        })
    }

    /// The database's file.
    pub(crate) fn path(&self) -> &Path {
        &self.options.path
    }

    /// A failure of the store, with the file.
    pub(crate) fn failed(&self, error: impl std::fmt::Display) -> Failure {
        Failure::refused(format!("{}: {error}", self.path().display()))
    }

    /// The resource of this name.
    pub(crate) fn resource(&self, name: &str) -> Result<ResourceIndex, Failure> {
        let resources = &self.model.resources;
        resources.iter().position(|resource| resource.name == name).ok_or_else(|| {
            let names: Vec<_> = resources.iter().map(|resource| resource.name.as_str()).collect();
            let near = suggest::nearest(name, names.iter().copied());
            let hint = near.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            let list = names.join(", ");
            Failure::usage(format!("{name:?} is no resource.{hint} There are {list}"))
        })
    }
}

/// What a file of records is called.
pub(crate) fn file_name(resource: &str, ending: &str) -> PathBuf {
    PathBuf::from(format!("{resource}.{ending}"))
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 record`, `1,234 records`.
pub(crate) fn records(number: u64) -> String {
    format!("{} record{}", grouped(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{grouped, records};

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(records(1), "1 record");
    }
}
