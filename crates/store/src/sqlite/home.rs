//! Whether the database is still the file that was opened. A file that was removed or replaced
//! under an open connection goes on taking writes, and all of them vanish with the process.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::error::Error;

/// What the log says; whoever reads it finds the way back.
const GONE: &str = "the database file was removed or replaced while it was open: put it back, or \
                    restart the server";

/// Where the database lies, and which file that was.
pub(crate) struct Home {
    path: PathBuf,
    file: Option<(u64, u64)>,
}

impl Home {
    /// Remembers the file that lies there now.
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), file: identity(path) }
    }

    /// Fails where another file lies there, or none.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if identity(&self.path) == self.file {
            return Ok(());
        }
        Err(Failure::Told(Error::Busy(GONE)))
    }
}

/// Device and number of a file.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Elsewhere the system does not let go of a file that is open.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}
