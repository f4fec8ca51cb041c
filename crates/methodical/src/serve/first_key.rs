//! The first key of a database: shown once to whoever sits at the terminal, or written to a file
//! that only its owner reads. It stands in no log.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::token;
use model::access::ADMIN;
use model::model::Model;
use store::Options;
use store::care::beside::folder;
use store::care::keys::Keys;
use store::credential::{ApiKey, NewKey};

use crate::command::key::{Drawn, draw};
use crate::serve::tour;

/// The file's name, beside the database.
const FILE: &str = "admin.key";

/// Where a key can be taken from to try what is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    /// It was shown, this once.
    Shown,
    /// It is in this file.
    File(PathBuf),
    /// From nowhere that is known here.
    Nowhere,
}

/// A first key that is about to be made, if none was yet. What it is written to is written before
/// it counts: no key is good that nobody has.
pub(crate) struct Handing {
    drawn: Option<Drawn>,
    /// The file that has it; none where it is shown.
    path: Option<PathBuf>,
    /// Why no key can be handed over.
    refusal: Option<String>,
    /// Where an older key is.
    older: Option<PathBuf>,
}

impl Handing {
    /// Gets ready to hand a key over, where the database has never had one.
    pub(crate) fn prepare(options: &Options, model: &Arc<Model>, log_format: &str) -> Self {
        let path = folder(&options.path).join(FILE);
        let mut handing = Self { drawn: None, path: None, refusal: None, older: None };
        // What cannot be looked at yet may be a database without keys when it is opened.
        if let Ok(keys) = Keys::open(options, model)
            && keys.ever().unwrap_or(false)
        {
            handing.older = holds_one_of(&path, &keys.list().unwrap_or_default()).then_some(path);
            return handing;
        }
        let drawn = draw("first".to_owned(), vec![ADMIN.to_owned()], None);
        // What reads the log as JSON is no person, whatever standard error is.
        if log_format == "json" || !io::stderr().is_terminal() {
            if let Err(fault) = write(&path, &drawn.text) {
                handing.refusal = Some(why_not(&path, &fault));
                return handing;
            }
            handing.path = Some(path);
        }
        handing.drawn = Some(drawn);
        handing
    }

    /// The key to be made.
    pub(crate) fn key(&self) -> Option<NewKey> {
        self.drawn.as_ref().map(|drawn| drawn.key.clone())
    }

    /// No key was made: nothing of one stays.
    pub(crate) fn give_up(self) {
        if let Some(path) = self.path {
            drop(fs::remove_file(path));
        }
    }

    /// Hands over what was made, and tells what was not. `named` is how a command names the
    /// project.
    pub(crate) fn hand_over(
        mut self,
        made: Option<i64>,
        named: &str,
        model: &Model,
        log_format: &str,
    ) -> Whence {
        if let Some(why) = &self.refusal {
            let advice = format!("methodical key create {named} --role admin");
            say(&format!("no key of an admin was made: {why}; make one: {advice}"), log_format);
            return Whence::Nowhere;
        }
        if made.is_none() {
            let older = self.older.take();
            self.give_up();
            return older.map_or(Whence::Nowhere, Whence::File);
        }
        match (self.path, self.drawn) {
            (Some(path), _) => {
                let said = format!("the key of an admin is in {}; keep it safe", path.display());
                say(&said, log_format);
                Whence::File(path)
            }
            (None, Some(drawn)) => {
                // As a line to paste before what the tour says to try.
                let line = if tour::needs_key(model) { "KEY=" } else { "" };
                eprintln!(
                    "This is the key of an admin, shown this once (another: methodical key \
                     create {named} --role admin):\n\n    {line}{}\n",
                    drawn.text
                );
                Whence::Shown
            }
            (None, None) => Whence::Nowhere,
        }
    }
}

fn say(text: &str, log_format: &str) {
    if log_format == "json" {
        tracing::info!("{text}");
    } else {
        eprintln!("{text}");
    }
}

/// True where the file has a key that begins as one of these does.
fn holds_one_of(path: &Path, keys: &[ApiKey]) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return false };
    keys.iter().any(|key| key.start == token::start(text.trim()))
}

fn why_not(path: &Path, fault: &io::Error) -> String {
    let path = path.display();
    match fault.kind() {
        ErrorKind::AlreadyExists => {
            format!(
                "{path} is there already, with a key of another database or of a start that \
                     was killed. Move it away and start again"
            )
        }
        _ => format!("{path} cannot be written ({fault})"),
    }
}

fn write(path: &Path, key: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = writeln!(file, "{key}").and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a key is none.
        drop(fs::remove_file(path));
    }
    written
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::write;

    #[test]
    fn only_its_owner_reads_the_file_and_none_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.key");
        write(&path, "mtdk_a").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mtdk_a\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(write(&path, "mtdk_b").is_err());
    }
}
