//! Whom the program trusts when it calls outside.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::CallError;

/// The authorities that browsers trust, and those of a file.
pub(crate) fn config(further: Option<&Path>) -> Result<Arc<ClientConfig>, CallError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in further.map(read).transpose()?.into_iter().flatten() {
        roots.add(certificate).map_err(|fault| {
            let path = further.unwrap_or(Path::new("")).to_owned();
            CallError::Roots(path, format!("a certificate cannot be used: {fault}"))
        })?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|fault| CallError::Roots(Default::default(), fault.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The certificates of a file in PEM.
pub(crate) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, CallError> {
    let failed = |fault: &dyn std::fmt::Display| {
        CallError::Roots(path.to_owned(), format!("no certificates in PEM: {fault}"))
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(|fault| failed(&fault))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| failed(&fault))?;
    if certificates.is_empty() { Err(failed(&"none is in it")) } else { Ok(certificates) }
}
