//! Where a database is and what it is for, as commands that care for it need to know.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;

use model::complaint::Level;
use model::model::Model;
use model::setting::Settings;
use store::care::beside::{backups, beside};
use store::care::error::CareError;

use crate::command::{complain, count, joined, place, read, shown};
use crate::failure::Failure;
use crate::settings::{self, Given};

/// A declaration with its database.
pub(crate) struct Site {
    /// The folder of the declaration.
    pub(crate) dir: PathBuf,
    /// How a command names it: the folder, and the database where it was named.
    pub(crate) named: String,
    /// The declaration.
    pub(crate) model: Arc<Model>,
    /// The settings.
    pub(crate) settings: Settings,
    /// The database's file, which may not be there.
    pub(crate) database: PathBuf,
}

impl Site {
    /// Reads the declaration and the settings that the arguments name.
    ///
    /// # Errors
    /// The declaration has errors, which are told; or it is not there.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, Failure> {
        Self::at(&place(matches), matches)
    }

    /// The same for a folder that is found in another way.
    ///
    /// # Errors
    /// The declaration has errors, which are told; or it is not there.
    pub(crate) fn at(dir: &Path, matches: &ArgMatches) -> Result<Self, Failure> {
        let declaration = read(dir)?;
        let given = Given::read(matches)?;
        let reading = &declaration.reading;
        let resolved = settings::resolve(&reading.settings, &settings::environment(), &given)?;
        let complaints = joined(reading, &resolved.complaints);
        let errors = complain(&declaration, &complaints, Level::Error);
        let Some(model) = reading.model.as_ref().filter(|_| errors == 0) else {
            let errors = count(errors.max(1), "error");
            return Err(Failure::refused(format!("{errors} in the declaration; nothing was done")));
        };
        let database = database(&declaration.dir, &resolved.settings);
        let model = Arc::new(model.clone());
        let named = format!("{}{}", shown(&declaration.dir), given.place());
        Ok(Self { dir: declaration.dir, named, model, settings: resolved.settings, database })
    }

    /// The folder of backups.
    pub(crate) fn backup_dir(&self) -> PathBuf {
        self.dir.join(&self.settings.backup_dir)
    }

    /// Says what kept a command from its work, and what can be done.
    pub(crate) fn failure(&self, fault: &CareError) -> Failure {
        let mut message = fault.to_string();
        let names_it = matches!(fault, CareError::Missing(_));
        if matches!(fault, CareError::Open(_) | CareError::Damaged(_) | CareError::Failed(_))
            && !names_it
        {
            message = format!("{}: {message}", self.database.display());
        }
        let is_damage = match fault {
            CareError::Open(error) => error.is_damage(),
            CareError::Damaged(_) => true,
            _ => false,
        };
        if is_damage {
            message.push_str(&way_out(&self.dir, &self.database, &self.backup_dir()));
        }
        Failure::refused(message)
    }
}

/// The database that the settings name.
pub(crate) fn database(dir: &Path, settings: &Settings) -> PathBuf {
    let named = settings.database.strip_prefix("sqlite:").unwrap_or(&settings.database);
    dir.join(named)
}

/// What can be done about a damaged database, the best first.
pub(crate) fn way_out(dir: &Path, database: &Path, backup_dir: &Path) -> String {
    let (dir, file) = (shown(dir), shown(database));
    let log = beside(database, "-wal");
    let copied = if log.exists() {
        format!("mv {} {file}.damaged-wal\n    ", shown(&log))
    } else {
        String::new()
    };
    let newest = backups(database, backup_dir).ok().and_then(|mut all| all.pop());
    let (backup, whence) = match &newest {
        Some(newest) => (shown(newest), "this is the newest backup".to_owned()),
        None => {
            let folder = shown(backup_dir);
            ("FILE".to_owned(), format!("no backup is in {folder}; perhaps there is one elsewhere"))
        }
    };
    format!(
        "\nNothing was changed. What you can do, the best first:\n\n\
         \x20 1. Restore a backup ({whence}); the damaged file is kept aside:\n\n    \
         methodical restore {dir} {backup}\n\n\
         \x20 2. See what is damaged; what is derived can be built anew:\n\n    \
         methodical check {dir} --database\n    \
         methodical check {dir} --database --repair\n\n\
         \x20 3. Without a backup, save what can still be read, put it in its place, and see what \
         is missing:\n\n    \
         mv {file} {file}.damaged\n    {copied}\
         sqlite3 {file}.damaged .recover | sqlite3 {file}\n    \
         methodical check {dir} --database --repair\n\n    \
         Where sqlite3 says \"SQL logic error\" it was built without .recover: docs/OPERATING.md \
         has the way by .dump.\n"
    )
}

/// A number of bytes, for people.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    // Three digits are exact enough to be read.
    #[expect(clippy::cast_precision_loss, reason = "for people, to one decimal")]
    let mut number = bytes as f64 / 1024.0;
    let mut at = 0;
    while number >= 1024.0 && at + 1 < units.len() {
        number /= 1024.0;
        at += 1;
    }
    format!("{number:.1} {}", units[at])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(12), "12 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
        assert_eq!(size(3 << 50), "3072.0 TiB");
    }
}
