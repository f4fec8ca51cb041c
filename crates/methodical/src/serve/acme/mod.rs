//! Certificates by ACME (RFC 8555): ordered in the background, kept on the disk, renewed in time.
//! Whatever fails is tried again later and later, across restarts too: an authority that is asked
//! again and again stops answering.

mod files;
mod order;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;

use model::setting::Settings;

use self::files::{Files, Trouble};
use self::order::Authority;
use super::outside;
use super::tls::certificates::Certificates;
use super::tls::pair::Pair;
use crate::failure::Failure;
use crate::log;

/// Where the content for a challenge is asked for (RFC 8555 §8.3).
const WELL_KNOWN: &str = "/.well-known/acme-challenge/";
/// Longest time between two attempts.
const PAUSE_MAX: Duration = Duration::from_hours(24);
/// How often the clock is looked at: it may have jumped, or the machine have slept.
const SLICE: Duration = Duration::from_secs(60);

/// What is answered to whoever validates a name over plain HTTP.
#[derive(Debug, Default)]
pub(crate) struct Challenges(RwLock<HashMap<String, String>>);

impl Challenges {
    /// The answer for a path, where one is expected there.
    pub(crate) fn answer(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(WELL_KNOWN)?;
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn set(&self, token: &str, answer: &str) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(token.to_owned(), answer.to_owned());
    }

    fn remove(&self, token: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

/// How a name can be shown to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Content over plain HTTP (RFC 8555 §8.3).
    Http,
    /// A certificate over TLS (RFC 8737).
    Tls,
}

/// Orders and renews one certificate for all names.
pub(crate) struct Acme {
    names: Vec<String>,
    files: Files,
    authority: Authority,
    certificates: Arc<Certificates>,
    proofs: Vec<Proof>,
    pause: Duration,
}

impl Acme {
    /// The certificate that is kept, or one that nobody trusts until there is a better.
    ///
    /// # Errors
    /// The folder cannot be used, or another process uses it.
    pub(crate) fn new(
        settings: &Settings,
        dir: &Path,
        certificates: Arc<Certificates>,
        challenges: Arc<Challenges>,
    ) -> Result<Self, Failure> {
        let files = Files::open(&dir.join(&settings.acme_dir)).map_err(Failure::refused)?;
        let client = outside::client(settings, dir)?;
        let proofs = match (settings.acme_challenge.as_str(), settings.tls_plain.is_some()) {
            ("http-01", _) => vec![Proof::Http],
            ("any", true) => vec![Proof::Tls, Proof::Http],
            _ => vec![Proof::Tls],
        };
        let acme = Self {
            names: settings.acme_names.clone(),
            authority: Authority::new(settings, client, Arc::clone(&certificates), challenges),
            files,
            certificates,
            proofs,
            pause: settings.acme_retry,
        };
        let key = match acme.kept() {
            Some(pair) => pair.key,
            None => placeholder(&acme.names)?,
        };
        acme.certificates.exchange(vec![key]);
        Ok(acme)
    }

    /// The kept pair, where it is for these names and has not expired.
    fn kept(&self) -> Option<Pair> {
        let pair = self.files.pair()?;
        let fits = pair.is_for(&self.names) && pair.ends > log::now();
        fits.then_some(pair)
    }

    /// Goes on as long as the server does.
    pub(crate) async fn run(self) {
        loop {
            let trouble = self.files.trouble();
            let kept = self.kept();
            let due = kept.as_ref().map_or(SystemTime::UNIX_EPOCH, renewal);
            let next = trouble.as_ref().map_or(due, |trouble| due.max(trouble.next()));
            until(next).await;
            let attempts = trouble.map_or(0, |trouble| trouble.attempts);
            let proof = self.proofs[attempts as usize % self.proofs.len()];
            tracing::info!("ordering a certificate for {}", self.names.join(", "));
            match self.order(proof).await {
                Ok(pair) => {
                    self.certificates.exchange(vec![pair.key]);
                    self.files.forget_trouble();
                    tracing::info!("there is a new certificate for {}", self.names.join(", "));
                }
                Err(fault) => {
                    let wait = fault.wait.unwrap_or_else(|| self.pause_after(attempts));
                    let next = log::now() + wait;
                    self.files.keep_trouble(&Trouble::new(attempts + 1, next));
                    let meanwhile = match kept {
                        Some(_) => "the one before is used meanwhile",
                        None => "until then browsers do not trust this server",
                    };
                    tracing::error!(
                        "no certificate: {}; it is tried again in {} s, and {meanwhile}",
                        fault.words,
                        wait.as_secs()
                    );
                }
            }
        }
    }

    async fn order(&self, proof: Proof) -> Result<Pair, order::Fault> {
        let account = self.authority.account(&self.files).await?;
        let text = self.authority.order(&account, &self.names, proof).await?;
        self.files.keep_pair(&text).map_err(order::Fault::of)
    }

    /// Twice as long each time, and not for everybody at the same moment.
    fn pause_after(&self, attempts: u32) -> Duration {
        let pause = self.pause.saturating_mul(1 << attempts.min(16)).min(PAUSE_MAX);
        pause + pause.mul_f64(chance() / 10.0)
    }
}

/// When a certificate is renewed: a third of its life before its end, some a little earlier.
fn renewal(pair: &Pair) -> SystemTime {
    let life = pair.ends.duration_since(pair.begins).unwrap_or_default();
    pair.ends - life.mul_f64(1.0 / 3.0 + chance() / 50.0)
}

/// A number from 0 to 1.
fn chance() -> f64 {
    f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX)
}

/// Waits for a time of the clock.
async fn until(time: SystemTime) {
    while let Ok(left) = time.duration_since(log::now()) {
        tokio::time::sleep(left.min(SLICE)).await;
    }
}

fn placeholder(names: &[String]) -> Result<Arc<CertifiedKey>, Failure> {
    super::tls::self_signed::passing(names).map_err(Failure::refused)
}

/// What ACME cannot order a certificate for, and why.
pub(crate) fn complaint(settings: &Settings) -> Option<String> {
    let is_name = |name: &String| {
        name.contains('.') && name.parse::<IpAddr>().is_err() && !name.contains(['*', '/', ':'])
    };
    settings.acme_names.iter().find(|name| !is_name(name)).map(|name| {
        format!(
            "`acme.names`: a certificate for `{name}` cannot be had in this way; write names such \
             as shop.example, each by itself"
        )
    })
}
