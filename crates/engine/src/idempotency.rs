//! Idempotency-Key: its scope, the fingerprint of what it was used for, the form of a remembered
//! answer, and the keys that are in flight.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::fault::{self, Fault};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use store::audit_log::Actor;
use store::lookup::KeyHash;
use tokio::sync::watch;

use crate::call::Call;

/// A keyed hash over parts, none of which can run into the next.
pub(crate) fn hash(secret: &[u8], purpose: &str, parts: &[&str]) -> [u8; 16] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length of key serves");
    mac.update(purpose.as_bytes());
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part.as_bytes());
    }
    let whole = mac.finalize().into_bytes();
    let mut short = [0; 16];
    short.copy_from_slice(&whole[..16]);
    short
}

/// Whose key it is: the user's or the API key's, never that of one token. All who have not signed
/// in are one.
pub(crate) fn principal(secret: &[u8; 32], actor: &Actor) -> KeyHash {
    match &actor.id {
        Some(id) => hash(secret, "principal", &[actor.kind, id]),
        None => hash(secret, "principal", &["anonymous"]),
    }
}

/// The scope of a key: principal, method, canonical resource and id. The query is left out.
pub(crate) fn scope(secret: &[u8; 32], principal: &KeyHash, call: &Call, key: &str) -> KeyHash {
    if fault::on(Fault::KeyUnscoped) {
        return hash(secret, "key", &[key]);
    }
    let principal: String = principal.iter().map(|byte| format!("{byte:02x}")).collect();
    hash(secret, "key", &[&principal, call.routed.nature.name, &call.routed.path, key])
}

/// What a key was used for: content, query and conditions.
pub(crate) fn fingerprint(secret: &[u8; 32], call: &Call, canonical: &str) -> [u8; 16] {
    if fault::on(Fault::FingerprintIgnored) {
        return [0; 16];
    }
    // Parameters that are passed over do not make another request of it.
    let query: Vec<_> =
        form_urlencoded::parse(call.routed.query.as_deref().unwrap_or_default().as_bytes())
            .filter(|(name, _)| !model::query::is_ignored(&call.model, name))
            .map(|(name, value)| format!("{}:{name}={value}", name.len()))
            .collect();
    hash(secret, "fingerprint", &[canonical, &query.join("&"), &call.conditions.fingerprint()])
}

/// Many rows as one canonical text: a keyed hash that grows with them, so that none is kept for it.
pub(crate) struct Print {
    mac: Hmac<Sha256>,
    rows: u64,
}

impl Print {
    /// Of no rows.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length of key serves");
        mac.update(b"rows");
        Self { mac, rows: 0 }
    }

    /// Adds the canonical text of a row.
    pub(crate) fn add(&mut self, canonical: &str) {
        self.mac.update(&(canonical.len() as u64).to_le_bytes());
        self.mac.update(canonical.as_bytes());
        self.rows += 1;
    }

    /// The text that stands for all of them.
    pub(crate) fn finish(self) -> String {
        let hash = self.mac.finalize().into_bytes();
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{} rows {hash}", self.rows)
    }
}

/// The keys that are being carried out in this process.
#[derive(Default)]
pub(crate) struct Running(Mutex<HashMap<KeyHash, watch::Receiver<()>>>);

/// Holds a key until it is dropped.
pub(crate) struct Turn<'a> {
    running: &'a Running,
    hash: KeyHash,
    // Dropping it wakes whoever waits.
    _done: watch::Sender<()>,
}

impl Running {
    /// Takes the key, or waits for whoever has it. `None` once the waiting took too long.
    pub(crate) async fn enter(&self, hash: KeyHash, wait: Duration) -> Option<Turn<'_>> {
        let taken = async {
            loop {
                match self.try_enter(hash) {
                    Ok(turn) => return turn,
                    // An error says that the sender is gone, which is what is waited for.
                    Err(mut other) => drop(other.changed().await),
                }
            }
        };
        tokio::time::timeout(wait, taken).await.ok()
    }

    fn try_enter(&self, hash: KeyHash) -> Result<Turn<'_>, watch::Receiver<()>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.entry(hash) {
            Entry::Occupied(other) => Err(other.get().clone()),
            Entry::Vacant(place) => {
                let (done, waiting) = watch::channel(());
                place.insert(waiting);
                Ok(Turn { running: self, hash, _done: done })
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.hash);
    }
}
