//! `/metrics` on a listener of its own: what Prometheus reads, as text (exposition format 0.0.4).

use std::fmt::Write;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use tokio::net::TcpListener;

use contract::problem::{Kind, Problem};
use contract::table::{self, Operation, Target, Token};
use engine::content::{Content, ContentError};
use engine::kept::KeptFigures;
use engine::stream::Records;
use store::measure::{Figures, GROUP_SIZES, Measures};

use super::app::App;
use super::http1::Answer;
use super::http1::connection::Service;
use super::id::Ids;
use super::listen::{self, Entrance};
use super::meter::{BOUNDS_US, Meter};
use super::shutdown::Connections;
use crate::failure::Failure;
use crate::settings::Origin;

/// The media type of the text.
const TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Binds the listener.
///
/// # Errors
/// Says what to do about an address that cannot be had.
pub(crate) async fn bind(address: &str, origin: &Origin) -> Result<TcpListener, Failure> {
    let addresses = listen::addresses(address, origin)?;
    if let Some(open) = addresses.iter().find(|address| !address.ip().is_loopback()) {
        eprintln!(
            "warning: metrics on {open} can be read by everybody who reaches it: numbers by \
             route, no records"
        );
    }
    TcpListener::bind(&addresses[..]).await.map_err(|fault| {
        Failure::refused(format!(
            "cannot listen on {address} for metrics (from {origin}): {fault}\nChoose another port \
             in `metrics.listen`, or `off`"
        ))
    })
}

/// Serves the page until the task is aborted.
pub(crate) async fn serve(listener: TcpListener, page: Page, service: Arc<Service<App>>) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!("metrics are served at http://{address}/metrics");
    }
    let service = Arc::new(Service {
        answerer: page,
        settings: service.settings.clone(),
        log: service.log.of_failures(),
        ids: Ids::new(),
        meter: None,
        traces: None,
    });
    let entrance = Entrance::new(&service, &Arc::default());
    listen::accept(&[(listener, None)], &entrance, std::future::pending::<()>()).await;
}

/// What the page is made of.
pub(crate) struct Page {
    service: Arc<Service<App>>,
    measures: Measures,
    connections: Arc<Connections>,
}

impl Page {
    /// The page of a service.
    pub(crate) fn new(
        service: &Arc<Service<App>>,
        measures: Measures,
        connections: &Arc<Connections>,
    ) -> Self {
        let (service, connections) = (Arc::clone(service), Arc::clone(connections));
        Self { service, measures, connections }
    }

    async fn text(&self) -> String {
        let measures = self.measures.clone();
        // It reads the database for a moment.
        let figures = tokio::task::spawn_blocking(move || measures.figures()).await;
        let mut text = Text::default();
        if let Some(meter) = &self.service.meter {
            requests(&mut text, meter);
        }
        let connections = self.connections.count() as u64;
        text.one("connections", "gauge", "Connections that are open.", connections);
        let engine = self.service.answerer.present();
        lists(&mut text, engine.kept());
        let help = "Passwords that were verified, right ones and wrong ones.";
        text.one("passwords_verified_total", "counter", help, engine.passwords_verified());
        store(&mut text, &figures.unwrap_or_default());
        text.0
    }
}

impl Answer for Page {
    /// It is all there at once.
    type Stream = Records;

    fn answer<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Response<Content<Records>>> + Send
    where
        B: Body<Data = Bytes, Error = ContentError> + Send + Unpin,
    {
        let (parts, _) = request.into_parts();
        async move {
            let refuse = |problem: &Problem, bare| self.refuse(problem, bare).map(Content::Whole);
            let served = match table::method(parts.method.as_str()) {
                Token::Served(method) => Some(method),
                Token::Withheld | Token::Unknown => None,
            };
            let bare = served.is_some_and(|method| table::nature(method).bare);
            if parts.uri.path() != "/metrics" {
                let detail = "Here is /metrics and nothing else; the API has another port.";
                return refuse(&Problem::new(Kind::NotFound, detail), bare);
            }
            // The page is asked for as the state of the server is.
            let is_read = |row: &&table::Row| row.operation == Operation::Health;
            let row = served.and_then(|method| table::row(Target::Health, method));
            if row.filter(is_read).is_none() {
                let allow = contract::allow::allow(table::rows(Target::Health).filter(is_read));
                let problem = Problem::new(Kind::MethodNotAllowed, "This page is only read.")
                    .with_field(header::ALLOW, allow);
                return refuse(&problem, bare);
            }
            let text = Bytes::from(self.text().await);
            let length = HeaderValue::from(text.len());
            let mut response = Response::new(if bare { Bytes::new() } else { text });
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
            response.headers_mut().insert(header::CONTENT_TYPE, TYPE);
            let no_store = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, no_store);
            response.map(Content::Whole)
        }
    }

    fn refuse(&self, problem: &Problem, bare: bool) -> Response<Bytes> {
        self.service.answerer.refuse(problem, bare)
    }
}

/// The text, line by line.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into memory does not fail.
        let _ =
            writeln!(self.0, "# HELP methodical_{name} {help}\n# TYPE methodical_{name} {kind}");
    }

    /// A sample; `labels` as they are written, braces included.
    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "methodical_{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }

    /// A histogram's samples from counts of which none holds another; `labels` without braces.
    fn histogram(&mut self, name: &str, labels: &str, bounds: &[String], counts: &[u64]) -> u64 {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut all = 0;
        let ends = bounds.iter().map(String::as_str).chain(["+Inf"]);
        for (bound, count) in ends.zip(counts) {
            all += count;
            let labels = format!("{{{labels}{comma}le=\"{bound}\"}}");
            self.sample(&format!("{name}_bucket"), &labels, all);
        }
        all
    }
}

/// Microseconds as seconds.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn requests(text: &mut Text, meter: &Meter) {
    let help = "Requests that were answered, by route, method and status.";
    text.family("requests_total", "counter", help);
    for one in meter.counted() {
        let (route, method, status) = (one.route, one.method, one.status);
        let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}");
        text.sample("requests_total", &labels, one.count);
    }
    let help = "From the complete head of a request to the last byte of its answer.";
    text.family("request_seconds", "histogram", help);
    let bounds = BOUNDS_US.map(seconds);
    for one in meter.timed() {
        let labels = format!("route=\"{}\",method=\"{}\"", one.route, one.method);
        let count = text.histogram("request_seconds", &labels, &bounds, &one.counts);
        let labels = format!("{{{labels}}}");
        text.sample("request_seconds_sum", &labels, seconds(one.sum_us));
        text.sample("request_seconds_count", &labels, count);
    }
}

fn lists(text: &mut Text, kept: KeptFigures) {
    let help = "Lists answered from what was rendered before (hit), or by a query (miss).";
    text.family("list_cache_total", "counter", help);
    text.sample("list_cache_total", "{outcome=\"hit\"}", kept.hits);
    text.sample("list_cache_total", "{outcome=\"miss\"}", kept.misses);
}

fn store(text: &mut Text, figures: &Figures) {
    text.one("write_queue", "gauge", "Writes that wait for the writer.", figures.waiting);
    let help = "Writes that shared a commit; the count is the number of commits.";
    text.family("write_group_size", "histogram", help);
    let bounds = GROUP_SIZES.map(|size| size.to_string());
    let count = text.histogram("write_group_size", "", &bounds, &figures.groups);
    text.sample("write_group_size_sum", "", figures.writes);
    text.sample("write_group_size_count", "", count);
    let help = "Groups that were lost and run again one by one.";
    text.one("write_groups_lost_total", "counter", help, figures.lost);
    text.family("reads_total", "counter", "Reads by where they were answered.");
    text.sample("reads_total", "{path=\"inline\"}", figures.inline);
    text.sample("reads_total", "{path=\"pool\"}", figures.pooled);
    let help = "Reads that were stopped at their deadline (503).";
    text.one("reads_too_slow_total", "counter", help, figures.slow);
    let help = "Reads that were refused because too many waited (503).";
    text.one("reads_refused_total", "counter", help, figures.refused);
    text.one("keys", "gauge", "Idempotency-Keys that are remembered.", figures.keys);
    text.one("jobs", "gauge", "Jobs that wait to be done outside, such as mail.", figures.jobs);
    let help = "Jobs that were given up; `methodical jobs list` says why.";
    text.one("jobs_failed", "gauge", help, figures.jobs_failed);
    text.one("database_bytes", "gauge", "Size of the database.", figures.database_bytes);
    text.one("log_bytes", "gauge", "Size of the log ahead of it.", figures.log_bytes);
    let help = "Pages of that log which have still to be moved into the database.";
    text.one("log_pages", "gauge", help, figures.log_pages);
    let help = "Passes of the thread that moves them.";
    text.one("checkpoints_total", "counter", help, figures.checkpoints);
    let help = "Pages of the database without content; vacuum gives them back.";
    text.one("free_pages", "gauge", help, figures.free_pages);
    let help = "1 where the last backup that was tried failed.";
    text.one("backup_failed", "gauge", help, u64::from(figures.backup_failed));
    if let Some(at) = figures.backup_at {
        let help = "When the last backup that was tried was begun.";
        text.family("backup_timestamp_seconds", "gauge", help);
        text.sample("backup_timestamp_seconds", "", at.seconds());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let meter = Meter::default();
        for us in [90, 100, 101, 9_000_000] {
            meter.count("/{resource}", "-", 200, Duration::from_micros(us));
        }
        let mut text = Text::default();
        requests(&mut text, &meter);
        let labels = "route=\"/{resource}\",method=\"-\"";
        for line in [
            "# TYPE methodical_requests_total counter".to_owned(),
            format!("methodical_requests_total{{{labels},status=\"200\"}} 4"),
            format!("methodical_request_seconds_bucket{{{labels},le=\"0.0001\"}} 2"),
            format!("methodical_request_seconds_bucket{{{labels},le=\"0.00025\"}} 3"),
            format!("methodical_request_seconds_bucket{{{labels},le=\"5\"}} 3"),
            format!("methodical_request_seconds_bucket{{{labels},le=\"+Inf\"}} 4"),
            format!("methodical_request_seconds_sum{{{labels}}} 9.000291"),
            format!("methodical_request_seconds_count{{{labels}}} 4"),
        ] {
            assert!(text.0.lines().any(|known| known == line), "{line}\n{}", text.0);
        }
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!([0, 100, 1_000_000, 2_500_000].map(seconds), ["0", "0.0001", "1", "2.5"]);
    }
}
