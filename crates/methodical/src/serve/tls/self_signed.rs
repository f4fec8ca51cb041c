//! A certificate that nobody vouches for, for development: made once, kept beside the declaration,
//! and trusted by whoever is told to.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::sign::CertifiedKey;

use super::pair::Pair;
use crate::command::shown;
use crate::log;

/// How long it is good: some systems accept no longer time.
const LIFE: Duration = Duration::from_hours(397 * 24);
/// How long before its end a new one is made.
const RENEWED: Duration = Duration::from_hours(30 * 24);

/// Where the pair is.
#[derive(Clone, Debug)]
pub(crate) struct SelfSigned {
    certificate: PathBuf,
    key: PathBuf,
}

impl SelfSigned {
    /// Beside the declaration.
    pub(crate) fn beside(dir: &Path) -> Self {
        let certificate = dir.join("self-signed.pem");
        Self { key: dir.join("self-signed.key"), certificate }
    }

    /// Reads the pair; makes it where it is not there, is near its end, or is not for this host.
    ///
    /// # Errors
    /// The files cannot be written.
    pub(crate) fn pair(&self, host: IpAddr) -> Result<Pair, String> {
        if let Some(pair) = self.kept(host) {
            return Ok(pair);
        }
        let failed = |fault: &dyn std::fmt::Display| {
            format!("{}: a certificate cannot be made: {fault}", self.certificate.display())
        };
        let (certificate, key) = make(names(host)).map_err(|fault| failed(&fault))?;
        write(&self.key, &key, 0o600).map_err(|fault| failed(&fault))?;
        write(&self.certificate, &certificate, 0o644).map_err(|fault| failed(&fault))?;
        self.read()
    }

    fn kept(&self, host: IpAddr) -> Option<Pair> {
        let pair = self.read().ok()?;
        let lasts = log::now() + RENEWED < pair.ends;
        (lasts && pair.is_for(&names(host))).then_some(pair)
    }

    fn read(&self) -> Result<Pair, String> {
        let text =
            |path: &Path| fs::read(path).map_err(|fault| format!("{}: {fault}", path.display()));
        let (certificate, key) = (text(&self.certificate)?, text(&self.key)?);
        Pair::read((&certificate, &self.certificate), (&key, &self.key))
    }

    /// The commands by which others are told to trust it.
    pub(crate) fn trusted_by(&self) -> String {
        let path = fs::canonicalize(&self.certificate).unwrap_or_else(|_| self.certificate.clone());
        let path = shown(&path);
        format!(
            "Its certificate is its own, so whoever calls it has to be told to trust it:\n\n    \
             export CURL_CA_BUNDLE={path} REQUESTS_CA_BUNDLE={path} NODE_EXTRA_CA_CERTS={path}\n\n\
             for curl, Python requests and Node in one terminal; on Debian, for everybody:\n\n    \
             sudo cp {path} /usr/local/share/ca-certificates/methodical.crt && sudo \
             update-ca-certificates\n\n"
        )
    }
}

/// Every name under which this machine reaches itself, and the address that is listened on.
fn names(host: IpAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = host.to_canonical();
    if !host.is_unspecified() && !names.contains(&host.to_string()) {
        names.push(host.to_string());
    }
    names
}

fn make(names: Vec<String>) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Methodical, for development");
    params.distinguished_name = name;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = log::now();
    // An hour early, for clocks that are behind.
    params.not_before = (now - Duration::from_hours(1)).into();
    params.not_after = (now + LIFE).into();
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// A pair that is kept nowhere, until there is a better one.
///
/// # Errors
/// There is no randomness.
pub(crate) fn passing(names: &[String]) -> Result<Arc<CertifiedKey>, String> {
    let (certificate, key) = make(names.to_vec()).map_err(|fault| fault.to_string())?;
    let at = Path::new("memory");
    Ok(Pair::read((certificate.as_bytes(), at), (key.as_bytes(), at))?.key)
}

/// Writes a file that is never seen half, nor by others before its mode is set.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".new");
    let part = PathBuf::from(part);
    // What a start left behind that was killed is not written over: it may have another mode.
    let _ = fs::remove_file(&part);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::SelfSigned;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_made_once_and_anew_for_another_host() {
        let folder = tempfile::tempdir().unwrap();
        let own = SelfSigned::beside(folder.path());
        let local = [127, 0, 0, 1].into();
        let first = own.pair(local).unwrap();
        assert_eq!(own.pair(local).unwrap().key.cert, first.key.cert);
        assert_eq!(own.pair([0, 0, 0, 0].into()).unwrap().key.cert, first.key.cert);
        let other = own.pair([192, 0, 2, 1].into()).unwrap();
        assert_ne!(other.key.cert, first.key.cert);
        let key = folder.path().join("self-signed.key");
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&key, "broken").unwrap();
        assert_ne!(own.pair(local).unwrap().key.cert, other.key.cert);
        assert!(own.trusted_by().contains("self-signed.pem"));
    }
}
