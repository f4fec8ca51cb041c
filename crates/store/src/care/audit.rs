//! Whether a database is sound, beyond what SQLite knows: what is wrong, where, and who mends it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use model::model::Model;

use super::error::CareError;
use super::exchange;
use super::restore::claimed;
use crate::sqlite::audit as checks;

/// Most ids that a finding names.
pub const IDS_MAX: usize = 20;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Pages of the file that contradict each other.
    Pages,
    /// Indexes that do not agree with their tables.
    Indexes,
    /// References to nothing.
    References,
    /// Tables or columns that are missing.
    Tables,
    /// Triggers and indexes that are missing or other than declared.
    Schema,
    /// Edits from outside that the server has not finished.
    Pending,
    /// Folded text that is not the fold of its text.
    Folds,
    /// Text that the search index does not hold as it is.
    Search,
    /// Totals and change counters.
    Totals,
    /// The change log against the records.
    Changes,
    /// Keys counted by principal.
    Keys,
}

/// Who mends a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    /// `--repair`: it is derived from what is there.
    Repair,
    /// The server, at its next start.
    Server,
    /// A person, or a backup.
    Person,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub about: About,
    /// The sentence.
    pub text: String,
    /// Ids of the records, the first of them.
    pub ids: Vec<String>,
    /// How many there are in all; 0 where nothing is counted.
    pub count: u64,
    /// Who mends it.
    pub mend: Mend,
}

impl Finding {
    pub(crate) fn new(about: About, mend: Mend, text: impl Into<String>) -> Self {
        Self { about, text: text.into(), ids: Vec::new(), count: 0, mend }
    }

    pub(crate) fn with_ids(mut self, found: (Vec<String>, u64)) -> Self {
        (self.ids, self.count) = found;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)?;
        if !self.ids.is_empty() {
            write!(out, ": {}", self.ids.join(", "))?;
            let named = self.ids.len() as u64;
            if self.count > named {
                write!(out, " and {} more", self.count - named)?;
            }
        }
        Ok(())
    }
}

/// What a check came to.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// What is wrong, in the order of importance.
    pub findings: Vec<Finding>,
    /// What was compared, for whoever wants to know what "sound" means.
    pub compared: Vec<String>,
}

impl Audit {
    /// True where nothing is wrong; what the server finishes by itself is not.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.mend == Mend::Server)
    }
}

/// Checks one state of a database, while a server runs or none does. Writes nothing.
///
/// # Errors
/// It cannot be read at all.
pub fn audit(database: &Path, model: &Arc<Model>) -> Result<Audit, CareError> {
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    checks::audit(&database, model)
}

/// What a repair came to.
#[derive(Clone, Debug)]
pub struct Repaired {
    /// What was done, a sentence each.
    pub done: Vec<String>,
    /// What is found afterwards.
    pub left: Audit,
}

/// Rebuilds what is derived, all of it or nothing, while no server runs. Records are not touched.
///
/// # Errors
/// Nothing was changed then.
pub fn repair(database: &Path, model: &Arc<Model>) -> Result<Repaired, CareError> {
    if !database.exists() && !exchange::is_underway(database) {
        return Err(CareError::Missing(database.display().to_string()));
    }
    let (database, held) = claimed(database)?;
    let before = checks::audit(&database, model)?;
    let done = checks::repair(&database, model, &before)?;
    let left = checks::audit(&database, model)?;
    drop(held);
    Ok(Repaired { done, left })
}
