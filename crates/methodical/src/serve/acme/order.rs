//! One order: the account, the names shown to be ours, and the certificate.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use instant_acme::{
    Account, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, Error,
    ExternalAccountKey, HttpClient, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use model::setting::Settings;
use outbound::Client;

use super::files::Files;
use super::{Challenges, Proof};
use crate::serve::tls::certificates::Certificates;

/// How long an authority may take to look at a name, and to make a certificate.
const PATIENCE: Duration = Duration::from_secs(90);
/// What an authority says that does not know the account (RFC 8555 §6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";
/// What one says that has been asked too often.
const RATE_LIMITED: &str = "urn:ietf:params:acme:error:rateLimited";
/// How long it is left alone then.
const RATE_PAUSE: Duration = Duration::from_hours(6);

/// Why an order came to nothing.
#[derive(Debug)]
pub(super) struct Fault {
    /// For whoever runs the server.
    pub(super) words: String,
    /// How long to wait, where the authority says so.
    pub(super) wait: Option<Duration>,
}

impl Fault {
    /// One that says how it is by itself.
    pub(super) fn of(words: String) -> Self {
        Self { words, wait: None }
    }
}

impl From<Error> for Fault {
    fn from(fault: Error) -> Self {
        let wait = match &fault {
            Error::Api(problem) if problem.r#type.as_deref() == Some(RATE_LIMITED) => {
                Some(RATE_PAUSE)
            }
            _ => None,
        };
        Self { words: format!("the authority says: {fault}"), wait }
    }
}

/// The authority, and what it looks at.
pub(super) struct Authority {
    client: Client,
    directory: String,
    contact: Option<String>,
    bound: Option<(String, String)>,
    certificates: Arc<Certificates>,
    challenges: Arc<Challenges>,
}

impl Authority {
    pub(super) fn new(
        settings: &Settings,
        client: Client,
        certificates: Arc<Certificates>,
        challenges: Arc<Challenges>,
    ) -> Self {
        Self {
            client,
            directory: settings.acme_directory.clone(),
            contact: settings.acme_email.as_ref().map(|email| format!("mailto:{email}")),
            bound: settings.acme_account.clone().zip(settings.acme_account_key.clone()),
            certificates,
            challenges,
        }
    }

    /// The account there, which is opened where there is none.
    pub(super) async fn account(&self, files: &Files) -> Result<Account, Fault> {
        let builder = || Account::builder_with_http(Box::new(Outside(self.client.clone())));
        if let Some(kept) = files.account().and_then(|text| serde_json::from_str(&text).ok()) {
            match builder().from_credentials(kept).await {
                Err(Error::Api(problem)) if problem.r#type.as_deref() == Some(NO_ACCOUNT) => {
                    files.forget_account();
                }
                found => return Ok(found?),
            }
        }
        let contact: Vec<&str> = self.contact.iter().map(String::as_str).collect();
        let account = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let bound = self.bound.as_ref().map(|(id, key)| {
            let key = URL_SAFE_NO_PAD.decode(key.trim_end_matches('='));
            key.map(|key| ExternalAccountKey::new(id.clone(), &key))
        });
        let bound = bound.transpose().map_err(|_| {
            Fault::of("`acme.account_key` is not base64url, as the authority gives it".to_owned())
        })?;
        let made = builder().create(&account, self.directory.clone(), bound.as_ref()).await;
        let (account, credentials) = made?;
        let text = serde_json::to_string(&credentials)
            .map_err(|fault| Fault::of(format!("the account cannot be kept: {fault}")))?;
        files.keep_account(&text).map_err(Fault::of)?;
        Ok(account)
    }

    /// Orders a certificate. Gives it with its key, in PEM.
    pub(super) async fn order(
        &self,
        account: &Account,
        names: &[String],
        proof: Proof,
    ) -> Result<String, Fault> {
        let identifiers: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
        let mut shown = Shown { authority: self, tokens: Vec::new(), names: Vec::new() };
        let proved = shown.prove(&mut order, proof).await;
        let ready = match proved {
            Ok(()) => Ok(order.poll_ready(&patience()).await),
            Err(fault) => Err(fault),
        };
        // Whatever has come of it, nobody looks any more.
        drop(shown);
        match ready? {
            Ok(OrderStatus::Ready) => {}
            Ok(_) => return Err(refused(&mut order, proof).await),
            Err(Error::Api(problem)) => return Err(not_found(&problem.to_string(), proof)),
            Err(fault) => return Err(fault.into()),
        }
        let failed = |fault: &dyn std::fmt::Display| {
            Fault::of(format!("a request for a certificate cannot be made: {fault}"))
        };
        let key = KeyPair::generate().map_err(|fault| failed(&fault))?;
        let mut params = CertificateParams::new(names).map_err(|fault| failed(&fault))?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key).map_err(|fault| failed(&fault))?;
        order.finalize_csr(request.der()).await?;
        let chain = order.poll_certificate(&patience()).await?;
        Ok(format!("{}{chain}", key.serialize_pem()))
    }
}

fn patience() -> RetryPolicy {
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(PATIENCE)
}

/// What is shown to the authority until it has looked.
struct Shown<'a> {
    authority: &'a Authority,
    tokens: Vec<String>,
    names: Vec<String>,
}

impl Shown<'_> {
    async fn prove(&mut self, order: &mut Order, proof: Proof) -> Result<(), Fault> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let kind = match proof {
                Proof::Http => ChallengeType::Http01,
                Proof::Tls => ChallengeType::TlsAlpn01,
            };
            let name = authorization.identifier().to_string();
            let Some(mut challenge) = authorization.challenge(kind) else {
                let words = format!("the authority does not look at {name} in this way: {proof:?}");
                return Err(Fault::of(words));
            };
            let answer = challenge.key_authorization();
            match proof {
                Proof::Http => {
                    self.authority.challenges.set(&challenge.token, answer.as_str());
                    self.tokens.push(challenge.token.clone());
                }
                Proof::Tls => {
                    let key = shown_key(&name, answer.digest().as_ref()).map_err(Fault::of)?;
                    self.authority.certificates.set_challenge(&name, key);
                    self.names.push(name);
                }
            }
            challenge.set_ready().await?;
        }
        Ok(())
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        for token in &self.tokens {
            self.authority.challenges.remove(token);
        }
        for name in &self.names {
            self.authority.certificates.remove_challenge(name);
        }
    }
}

/// The certificate that shows a name to be ours (RFC 8737 §3).
fn shown_key(name: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, String> {
    let failed = |fault: &dyn std::fmt::Display| format!("{name} cannot be shown: {fault}");
    let key = KeyPair::generate().map_err(|fault| failed(&fault))?;
    let params = CertificateParams::new(vec![name.to_owned()]);
    let mut params = params.map_err(|fault| failed(&fault))?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key).map_err(|fault| failed(&fault))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|fault| failed(&fault))?;
    // Nobody but the authority understands what is critical in it, so it is not looked at here.
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}

/// What the authority did not find at which name.
async fn refused(order: &mut Order, proof: Proof) -> Fault {
    let mut words = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        // What is known of it may be older than the refusal.
        if authorization.refresh().await.is_err() {
            continue;
        }
        let name = authorization.identifier().to_string();
        let faults =
            authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        words.extend(faults.map(|fault| format!("{name}: {fault}")));
    }
    not_found(&words.join("; "), proof)
}

fn not_found(words: &str, proof: Proof) -> Fault {
    let door = match proof {
        Proof::Http => "port 80 has to be open, and to lead to `tls.plain`",
        Proof::Tls => "port 443 has to be open, and to lead to `listen`",
    };
    Fault::of(format!(
        "the authority looked and did not find us ({words}). The name has to lead to this machine, \
         {door}"
    ))
}

/// Our client, as the library takes it.
struct Outside(Client);

impl HttpClient for Outside {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(|fault| Error::Other(fault.into()))?;
            let request = Request::from_parts(parts, body.to_bytes());
            let answer = client.send(request).await.map_err(|fault| Error::Other(fault.into()))?;
            Ok(BytesResponse::from(answer.map(http_body_util::Full::new)))
        })
    }
}
