//! Certificates in files that somebody else renews: read at the start, and again when they change.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::setting::Settings;

use super::certificates::Certificates;
use super::pair::Pair;
use crate::log;

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_secs(2);
/// Largest file that is read: a chain of certificates is some kilobytes.
const BYTES_MAX: u64 = 1 << 20;

/// Where pairs are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    paths: Vec<(PathBuf, PathBuf)>,
    /// What they looked like before they were read: what changes later is noticed.
    seen: Look,
}

/// By what a change is noticed: size, time of change, and number of a file.
type Look = Vec<Option<(u64, i64, i64, u64)>>;

impl Files {
    /// The files that are set, beside the declaration where they are relative.
    pub(crate) fn new(settings: &Settings, dir: &Path) -> Self {
        let certificates = settings.tls_certificates.iter().map(|path| dir.join(path));
        let keys = settings.tls_keys.iter().map(|path| dir.join(path));
        let paths: Vec<_> = certificates.zip(keys).collect();
        Self { seen: look(&paths), paths }
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// Says which file is wrong, and how.
    pub(crate) fn read(&self) -> Result<Vec<Pair>, String> {
        self.paths
            .iter()
            .map(|(at, key_at)| {
                let (certificate, key) = (text(at)?, text(key_at)?);
                Pair::read((&certificate, at), (&key, key_at))
            })
            .collect()
    }

    /// Exchanges the certificates whenever the files have changed. A pair that does not fit is told
    /// of, and the one before stays.
    pub(crate) async fn follow(self, certificates: Arc<Certificates>) {
        let mut seen = self.seen.clone();
        loop {
            tokio::time::sleep(PAUSE).await;
            let now = look(&self.paths);
            if now == seen {
                continue;
            }
            seen = now;
            match self.read() {
                Ok(pairs) => {
                    self.warn(&pairs);
                    certificates.exchange(pairs.into_iter().map(|pair| pair.key).collect());
                    tracing::info!("the certificate was read again");
                }
                Err(why) => tracing::error!(
                    "the certificate has changed and cannot be used; the one before stays: {why}"
                ),
            }
        }
    }

    /// Tells of what clients will refuse, and of keys that others can read.
    pub(crate) fn warn(&self, pairs: &[Pair]) {
        for ((at, key_at), pair) in self.paths.iter().zip(pairs) {
            if let Some(complaint) = pair.complaint(log::now()) {
                tracing::warn!("the certificate in {} {complaint}", at.display());
            }
            if fs::metadata(key_at).is_ok_and(|found| found.mode() & 0o004 != 0) {
                tracing::warn!(
                    "everybody on this machine can read the private key: chmod o-r {}",
                    key_at.display()
                );
            }
        }
    }
}

fn look(paths: &[(PathBuf, PathBuf)]) -> Look {
    let look = |path: &PathBuf| {
        // Links are followed: whoever renews often exchanges what they point to.
        let found = fs::metadata(path).ok()?;
        Some((found.size(), found.mtime(), found.mtime_nsec(), found.ino()))
    };
    paths.iter().flat_map(|(at, key_at)| [look(at), look(key_at)]).collect()
}

fn text(path: &Path) -> Result<Vec<u8>, String> {
    let read = fs::metadata(path).and_then(|found| match found.len() {
        0..=BYTES_MAX => fs::read(path),
        _ => Err(io::Error::other("far too large for a certificate or a key")),
    });
    read.map_err(|fault| {
        let next = match fault.kind() {
            ErrorKind::PermissionDenied => {
                ": let the user that this program runs as read it, and nobody else"
            }
            ErrorKind::NotFound => ": set `tls.certificate` and `tls.key` to files that are there",
            _ => "",
        };
        format!("{}: {fault}{next}", path.display())
    })
}
