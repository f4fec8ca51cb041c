//! The client by which this program calls others, as the settings have it.

use std::path::Path;

use model::setting::Settings;
use outbound::{Client, Rules};

use crate::failure::Failure;

/// Largest answer that is taken from anybody: keys and certificates are some kilobytes.
const BYTES_MAX: usize = 1 << 20;

/// A client under the rules that are set.
///
/// # Errors
/// The file of certificates cannot be used.
pub(crate) fn client(settings: &Settings, dir: &Path) -> Result<Client, Failure> {
    let rules = Rules {
        private: settings.outbound_private.clone(),
        roots: settings.outbound_roots.as_ref().map(|path| dir.join(path)),
        timeout: settings.outbound_timeout,
        bytes_max: BYTES_MAX,
    };
    Client::new(rules).map_err(|fault| Failure::refused(format!("`outbound.roots`: {fault}")))
}
