//! What is kept on the disk: the account, the certificate with its key, and how often it failed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::serve::tls::pair::Pair;

/// The folder, which one process at a time uses.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    _lock: File,
}

/// What has failed, and when it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// How often in a row.
    pub(super) attempts: u32,
    next: u64,
}

impl Trouble {
    /// So many attempts have failed.
    pub(super) fn new(attempts: u32, next: SystemTime) -> Self {
        Self { attempts, next: next.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() }
    }

    /// When the next one may be made.
    pub(super) fn next(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.next)
    }
}

impl Files {
    /// Opens the folder, and makes it where it is not there.
    ///
    /// # Errors
    /// It cannot be used, or another process does.
    pub(super) fn open(dir: &Path) -> Result<Self, String> {
        let failed = |fault: &io::Error| format!("{}: {fault}", dir.display());
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(dir).map_err(|fault| failed(&fault))?;
        let path = dir.join("lock");
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        let lock = lock.map_err(|fault| failed(&fault))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(format!(
                "{}: another process orders certificates there; give each its own `acme.dir`",
                dir.display()
            )),
            Err(TryLockError::Error(fault)) => Err(failed(&fault)),
        }
    }

    /// The certificate and its key, where they are there and whole.
    pub(super) fn pair(&self) -> Option<Pair> {
        let path = self.dir.join("certificate.pem");
        let text = fs::read(&path).ok()?;
        Pair::read((&text, &path), (&text, &path)).ok()
    }

    /// Keeps a certificate with its key, both in one file, so that they are exchanged together.
    pub(super) fn keep_pair(&self, text: &str) -> Result<Pair, String> {
        let path = self.dir.join("certificate.pem");
        let pair = Pair::read((text.as_bytes(), &path), (text.as_bytes(), &path))?;
        self.write("certificate.pem", text)
            .map_err(|fault| format!("{} cannot be written: {fault}", path.display()))?;
        Ok(pair)
    }

    /// The account, as it was kept.
    pub(super) fn account(&self) -> Option<String> {
        fs::read_to_string(self.dir.join("account.json")).ok()
    }

    /// Keeps the account.
    pub(super) fn keep_account(&self, text: &str) -> Result<(), String> {
        self.write("account.json", text).map_err(|fault| {
            format!("the account cannot be kept in {}: {fault}", self.dir.display())
        })
    }

    /// The account is unknown to the authority.
    pub(super) fn forget_account(&self) {
        // What is not there needs no removal.
        let _ = fs::remove_file(self.dir.join("account.json"));
    }

    /// What has failed of late.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let text = fs::read_to_string(self.dir.join("failures.json")).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        let attempts = u32::try_from(value["attempts"].as_u64()?).ok()?;
        Some(Trouble { attempts, next: value["next"].as_u64()? })
    }

    /// Keeps what has failed, so that a restart is no reason to ask again.
    pub(super) fn keep_trouble(&self, trouble: &Trouble) {
        let text = json!({ "attempts": trouble.attempts, "next": trouble.next }).to_string();
        if let Err(fault) = self.write("failures.json", &text) {
            tracing::error!("{}: {fault}", self.dir.display());
        }
    }

    /// All is well again.
    pub(super) fn forget_trouble(&self) {
        // What is not there needs no removal.
        let _ = fs::remove_file(self.dir.join("failures.json"));
    }

    /// Writes a file that is never seen half, for nobody else to read.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let part = self.dir.join(format!("{name}.new"));
        let _ = fs::remove_file(&part);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, self.dir.join(name))?;
        File::open(&self.dir)?.sync_all()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Files, Trouble};
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn what_is_kept_is_found_by_one_process_and_nobody_else() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("acme");
        let files = Files::open(&dir).unwrap();
        assert!(Files::open(&dir).unwrap_err().contains("another process"));
        assert_eq!((files.trouble(), files.account()), (None, None));
        let trouble = Trouble::new(3, UNIX_EPOCH + Duration::from_secs(9));
        files.keep_trouble(&trouble);
        assert_eq!(files.trouble(), Some(trouble));
        files.forget_trouble();
        assert_eq!(files.trouble(), None);
        files.keep_account("{}").unwrap();
        assert_eq!(files.account().as_deref(), Some("{}"));
        assert!(files.keep_pair("no certificate").is_err() && files.pair().is_none());
        for entry in std::fs::read_dir(&dir).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o077, 0);
        drop(files);
        assert!(Files::open(&dir).is_ok());
    }
}
