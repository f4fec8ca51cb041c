//! The first key of a database: shown once to whoever sits at the terminal, or written to a file
//! that only its owner reads. It stands in no log.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use model::access::ADMIN;
use store::care::beside::folder;

use crate::command::key::{Drawn, draw};
use crate::command::shown;

/// The file's name, beside the database.
const FILE: &str = "admin.key";

/// A key that may do everything.
pub(crate) fn first() -> Drawn {
    draw("first".to_owned(), vec![ADMIN.to_owned()], None)
}

/// Hands the key over. What reads the log as JSON is no person, whatever standard error is.
pub(crate) fn hand_over(key: &str, database: &Path, dir: &Path, log_format: &str) {
    if log_format != "json" && io::stderr().is_terminal() {
        eprintln!(
            "This is the key of an admin, shown this once (another: methodical key create {} \
             --role admin):\n\n    {key}\n",
            shown(dir)
        );
        return;
    }
    let path = folder(database).join(FILE);
    let said = match write(&path, key) {
        Ok(()) => format!("the key of an admin is in {}; keep it safe", path.display()),
        Err(fault) => {
            let why = match fault.kind() {
                ErrorKind::AlreadyExists => {
                    "that is there already, from another database".to_owned()
                }
                _ => fault.to_string(),
            };
            format!(
                "no key of an admin was written to {} ({why}); make one: methodical key create {} \
                 --role admin",
                path.display(),
                shown(dir)
            )
        }
    };
    if log_format == "json" {
        tracing::info!("{said}");
    } else {
        eprintln!("{said}");
    }
}

fn write(path: &Path, key: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{key}")?;
    file.sync_all()
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
