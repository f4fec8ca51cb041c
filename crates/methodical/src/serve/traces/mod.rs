//! Traces for a collector of OpenTelemetry: a span a request, sent in batches, and left out where
//! nobody takes them: no request waits for a collector.

mod otlp;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use contract::trace_context::{SpanId, TraceId, TraceParent};
use engine::report::Report;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use model::setting::Settings;
use outbound::Client;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use self::otlp::{Span, export};
use crate::failure::Failure;

/// Spans that wait; more are left out.
const WAITING_MAX: usize = 4_096;
/// Spans that are sent at once.
const AT_ONCE: usize = 512;
/// How long spans are collected.
const COLLECTION_TIME: Duration = Duration::from_secs(2);

/// Takes note of requests.
#[derive(Clone, Debug)]
pub(crate) struct Traces {
    sender: Sender<Span>,
    /// One of so many traces that begin here is recorded.
    every: u32,
}

/// Sends what was noted.
pub(crate) struct Exporter {
    spans: Receiver<Span>,
    client: Client,
    url: String,
    authorization: Option<HeaderValue>,
    service: String,
    instance: String,
}

/// What is noted of a request beside its report.
pub(crate) struct Noted<'a> {
    /// When its head was complete.
    pub(crate) at: SystemTime,
    /// Until the first byte of its answer.
    pub(crate) first_byte: Duration,
    /// Until the last.
    pub(crate) total: Duration,
    /// Its method, where that is one of the table.
    pub(crate) method: &'static str,
    /// The status; 0 where there was none.
    pub(crate) status: u16,
    /// Its id.
    pub(crate) id: &'a str,
}

impl Traces {
    /// Both ends, where a collector is declared.
    ///
    /// # Errors
    /// What is sent as Authorization cannot be sent.
    pub(crate) fn open(
        settings: &Settings,
        client: &Client,
        title: &str,
        instance: String,
    ) -> Result<Option<(Self, Exporter)>, Failure> {
        let Some(endpoint) = &settings.traces_endpoint else { return Ok(None) };
        let authorization = settings.traces_authorization.as_ref().map(|text| {
            let value = HeaderValue::from_str(text).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            value.map_err(|_| {
                Failure::refused("`traces.authorization` cannot stand in a header field")
            })
        });
        let (sender, spans) = channel(WAITING_MAX);
        let exporter = Exporter {
            spans,
            client: client.clone(),
            url: format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            authorization: authorization.transpose()?,
            service: title.to_owned(),
            instance,
        };
        Ok(Some((Self { sender, every: settings.traces_every }, exporter)))
    }

    /// Takes note of a request. A trace that was begun elsewhere is recorded where it says so.
    pub(crate) fn note(&self, parent: Option<TraceParent>, report: &Report, noted: &Noted<'_>) {
        let draw = engine::clock::draw();
        let recorded = match parent {
            Some(parent) => parent.sampled,
            None => draw.is_multiple_of(u64::from(self.every)),
        };
        if !recorded {
            return;
        }
        let trace = parent.map_or_else(
            || {
                let high = engine::clock::draw().to_be_bytes();
                let low = (engine::clock::draw() | 1).to_be_bytes();
                let mut bits = [0; 16];
                bits[..8].copy_from_slice(&high);
                bits[8..].copy_from_slice(&low);
                TraceId(bits)
            },
            |parent| parent.trace,
        );
        let span = Span {
            trace,
            id: SpanId((draw | 1).to_be_bytes()),
            parent: parent.map(|parent| parent.span),
            at: noted.at,
            total: noted.total,
            first_byte: noted.first_byte,
            method: noted.method,
            route: report.route,
            resource: report.resource.clone(),
            status: noted.status,
            problem: report.problem,
            replayed: report.replayed,
            request: noted.id.to_owned(),
        };
        // Where too many wait, a collector that misses some is better than a server that waits.
        let _ = self.sender.try_send(span);
    }
}

impl Exporter {
    /// Goes on as long as requests are noted.
    pub(crate) async fn run(mut self) {
        let mut waiting = Vec::with_capacity(AT_ONCE);
        let mut failing = false;
        while self.spans.recv_many(&mut waiting, AT_ONCE).await > 0 {
            if waiting.len() < AT_ONCE {
                tokio::time::sleep(COLLECTION_TIME).await;
                while waiting.len() < AT_ONCE
                    && let Ok(span) = self.spans.try_recv()
                {
                    waiting.push(span);
                }
            }
            let sent = self.send(&waiting).await;
            match (&sent, failing) {
                (Err(why), false) => tracing::warn!("traces are not taken, and left out: {why}"),
                (Ok(()), true) => tracing::info!("traces are taken again"),
                _ => {}
            }
            failing = sent.is_err();
            waiting.clear();
        }
    }

    async fn send(&self, spans: &[Span]) -> Result<(), String> {
        let content = Bytes::from(export(&self.service, &self.instance, spans));
        let request = Request::post(&self.url).header(CONTENT_TYPE, "application/json");
        let mut request = request.body(content).map_err(|_| "the URL cannot be read".to_owned())?;
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let answer = self.client.send(request).await.map_err(|fault| fault.to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the collector answers {status}")),
        }
    }
}
