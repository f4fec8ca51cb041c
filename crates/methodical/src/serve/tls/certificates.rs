//! The certificates there are at present, and which of them a client is shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

use super::{ACME, HTTP_1_1, HTTP_2};

/// Certificates by the names that they are for. They are exchanged while connections go on.
#[derive(Default)]
pub(crate) struct Certificates {
    kept: RwLock<Vec<Arc<CertifiedKey>>>,
    challenges: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Certificates")
    }
}

impl Certificates {
    /// Shows these from now on. The first is for clients that name nobody, or nobody we know.
    pub(crate) fn exchange(&self, keys: Vec<Arc<CertifiedKey>>) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Shows this one to whoever validates a name by `acme-tls/1` (RFC 8737 §3).
    pub(crate) fn set_challenge(&self, name: &str, key: Arc<CertifiedKey>) {
        let mut challenges = self.challenges.write().unwrap_or_else(PoisonError::into_inner);
        challenges.insert(name.to_ascii_lowercase(), key);
    }

    /// The name has been validated, or not.
    pub(crate) fn remove_challenge(&self, name: &str) {
        let mut challenges = self.challenges.write().unwrap_or_else(PoisonError::into_inner);
        challenges.remove(&name.to_ascii_lowercase());
    }

    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let fits = name.and_then(|name| {
            let name = ServerName::try_from(name).ok()?;
            kept.iter().find(|key| is_for(key, &name))
        });
        fits.or_else(|| kept.first()).cloned()
    }

    fn challenge(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let challenges = self.challenges.read().unwrap_or_else(PoisonError::into_inner);
        challenges.get(&name.to_ascii_lowercase()).cloned()
    }
}

/// True where a certificate is good for a name.
fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let first = key.cert.first().and_then(|first| EndEntityCert::try_from(first).ok());
    first.is_some_and(|first| first.verify_is_valid_for_subject_name(name).is_ok())
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let offered = || hello.alpn().into_iter().flatten();
        // Whoever could speak HTTP here comes for that: it is what ALPN will find (RFC 8737 §3).
        let validates = offered().any(|protocol| protocol == ACME)
            && !offered().any(|protocol| [HTTP_2, HTTP_1_1].contains(&protocol));
        let name = hello.server_name();
        if validates { self.challenge(name?) } else { self.find(name) }
    }
}
