//! Brings the keys of other issuers: from where the declaration says, or from where the issuer's
//! own discovery document says (OpenID Connect Discovery §4).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::issuer::Issuers;
use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderMap, Request, StatusCode};
use model::issuer::Issuer;
use outbound::Client;
use serde_json::Value;

use super::app::App;
use super::http1::connection::Service;

/// How often it is looked whether keys have become old.
const PAUSE: Duration = Duration::from_secs(10);

/// Goes on as long as the server does. A declaration that is exchanged brings other issuers.
pub(crate) async fn follow(service: Arc<Service<App>>, client: Client) {
    loop {
        let issuers = service.answerer.present().issuers();
        let wanted = issuers.wanted();
        for (number, issuer) in issuers.due() {
            // One that hangs keeps no other from its turn.
            tokio::spawn(bring(Arc::clone(&issuers), number, issuer, client.clone()));
        }
        let _ = tokio::time::timeout(PAUSE, wanted.notified()).await;
    }
}

async fn bring(issuers: Arc<Issuers>, number: usize, issuer: Issuer, client: Client) {
    let brought = fetch(&client, &issuer).await;
    let kept = brought.and_then(|(keys, fresh)| issuers.set(number, &keys, fresh));
    if let Err(why) = kept {
        issuers.failed(number);
        tracing::error!("the keys of the issuer `{}` cannot be had: {why}", issuer.name);
    }
}

/// The key set, and how long it may be kept.
async fn fetch(client: &Client, issuer: &Issuer) -> Result<(Bytes, Option<Duration>), String> {
    let url = match &issuer.jwks {
        Some(url) => url.clone(),
        None => discover(client, &issuer.issuer).await?,
    };
    let (fields, keys) = get(client, &url).await?;
    Ok((keys, max_age(&fields)))
}

async fn discover(client: &Client, issuer: &str) -> Result<String, String> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let (_, text) = get(client, &url).await?;
    let document: Value =
        serde_json::from_slice(&text).map_err(|fault| format!("{url} is no JSON: {fault}"))?;
    if document["issuer"] != issuer {
        return Err(format!(
            "{url} speaks of another issuer, to the letter: {}",
            document["issuer"]
        ));
    }
    let keys = document["jwks_uri"].as_str();
    keys.map(str::to_owned).ok_or_else(|| format!("{url} has no `jwks_uri`"))
}

async fn get(client: &Client, url: &str) -> Result<(HeaderMap, Bytes), String> {
    let request = Request::get(url).header(ACCEPT, "application/json").body(Bytes::new());
    let request = request.map_err(|_| format!("{url} is no URL"))?;
    let (parts, content) =
        client.send(request).await.map_err(|fault| fault.to_string())?.into_parts();
    match parts.status {
        StatusCode::OK => Ok((parts.headers, content)),
        status => Err(format!("{url} answers {status}")),
    }
}

fn max_age(fields: &HeaderMap) -> Option<Duration> {
    let text = fields.get(CACHE_CONTROL)?.to_str().ok()?;
    let mut ages = text.split(',').filter_map(|part| part.trim().strip_prefix("max-age="));
    ages.next_back()?.parse().ok().map(Duration::from_secs)
}
