//! Spans as OTLP has them over HTTP, in JSON (OpenTelemetry Protocol 1.x,
//! `ExportTraceServiceRequest`; ids are hexadecimal, 64-bit numbers are strings).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::trace_context::{SpanId, TraceId};
use serde_json::{Value, json};

/// `SPAN_KIND_SERVER`.
const KIND_SERVER: u8 = 2;
/// `STATUS_CODE_ERROR`.
const STATUS_ERROR: u8 = 2;

/// A request that was answered. Nothing in it was chosen by a client but the trace that it came
/// with.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// The trace that it belongs to.
    pub(crate) trace: TraceId,
    /// Its own id.
    pub(crate) id: SpanId,
    /// The caller's step, where the caller named one.
    pub(crate) parent: Option<SpanId>,
    /// When the head was complete.
    pub(crate) at: SystemTime,
    /// Until the last byte of the answer.
    pub(crate) total: Duration,
    /// Until the first byte of the answer.
    pub(crate) first_byte: Duration,
    /// A method of the table, or `-`.
    pub(crate) method: &'static str,
    /// The pattern of the route, or `-`.
    pub(crate) route: &'static str,
    /// The resource that was asked for.
    pub(crate) resource: Option<String>,
    /// The status; 0 where the client left before there was one.
    pub(crate) status: u16,
    /// The slug of the problem that was answered.
    pub(crate) problem: Option<&'static str>,
    /// True where a remembered answer was sent again.
    pub(crate) replayed: bool,
    /// The request's id, as its answer and the log have it.
    pub(crate) request: String,
}

/// The content of a request to `/v1/traces`.
pub(crate) fn export(service: &str, instance: &str, spans: &[Span]) -> Vec<u8> {
    let resource = [
        text("service.name", service),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", instance),
    ];
    let spans: Vec<Value> = spans.iter().map(span).collect();
    let scope = json!({ "name": "methodical", "version": env!("CARGO_PKG_VERSION") });
    let document = json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }]});
    document.to_string().into_bytes()
}

/// The names are those of OpenTelemetry's conventions for HTTP servers (1.23 and later).
fn span(span: &Span) -> Value {
    let method = if span.method == "-" { "_OTHER" } else { span.method };
    let mut attributes =
        vec![text("http.request.method", method), text("methodical.request.id", &span.request)];
    let mut name = if span.method == "-" { "HTTP".to_owned() } else { span.method.to_owned() };
    if span.route != "-" && !span.route.is_empty() {
        attributes.push(text("http.route", span.route));
        name.push(' ');
        name.push_str(span.route);
    }
    if span.status > 0 {
        attributes.push(number("http.response.status_code", u64::from(span.status)));
    }
    if let Some(resource) = &span.resource {
        attributes.push(text("methodical.resource", resource));
    }
    if let Some(problem) = span.problem {
        attributes.push(text("error.type", problem));
    }
    if span.replayed {
        attributes.push(json!({ "key": "methodical.replayed", "value": { "boolValue": true } }));
    }
    // A fault of the client's is none of ours: the conventions leave the status unset then.
    let status = match span.status {
        500.. => json!({ "code": STATUS_ERROR }),
        _ => json!({}),
    };
    let first_byte = json!({
        "timeUnixNano": nanoseconds(span.at + span.first_byte),
        "name": "first byte",
    });
    let mut document = json!({
        "traceId": span.trace.to_string(),
        "spanId": span.id.to_string(),
        "name": name,
        "kind": KIND_SERVER,
        "startTimeUnixNano": nanoseconds(span.at),
        "endTimeUnixNano": nanoseconds(span.at + span.total),
        "attributes": attributes,
        "events": [first_byte],
        "status": status,
    });
    if let Some(parent) = span.parent {
        document["parentSpanId"] = parent.to_string().into();
    }
    document
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn number(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

fn nanoseconds(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Span, export};
    use contract::trace_context::TraceParent;
    use serde_json::{Value, json};
    use std::time::{Duration, UNIX_EPOCH};

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn sent(span: Span) -> Value {
        let content: Value = serde_json::from_slice(&export("shop", "1", &[span])).unwrap();
        content["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone()
    }

    fn example() -> Span {
        let parent = TraceParent::parse(PARENT).unwrap();
        Span {
            trace: parent.trace,
            id: contract::trace_context::SpanId([1; 8]),
            parent: Some(parent.span),
            at: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            total: Duration::from_millis(3),
            first_byte: Duration::from_millis(2),
            method: "GET",
            route: "/api/users/{id}",
            resource: Some("users".to_owned()),
            status: 404,
            problem: Some("not-found"),
            replayed: false,
            request: "0123456789abcdef".to_owned(),
        }
    }

    #[test]
    fn a_span_is_what_the_protocol_says() {
        let span = sent(example());
        assert_eq!(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span["spanId"], "0101010101010101");
        assert_eq!(span["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(span["name"], "GET /api/users/{id}");
        assert_eq!(span["startTimeUnixNano"], "1700000000000000000");
        assert_eq!(span["endTimeUnixNano"], "1700000000003000000");
        assert_eq!(span["status"], json!({}), "a 404 is no fault of the server's");
        let status = json!({
            "key": "http.response.status_code", "value": { "intValue": "404" }
        });
        assert!(span["attributes"].as_array().unwrap().contains(&status));
    }

    #[test]
    fn a_fault_of_ours_is_an_error_and_an_unknown_method_has_no_name() {
        let span = sent(Span { status: 503, parent: None, ..example() });
        assert_eq!(span["status"], json!({ "code": 2 }));
        assert_eq!(span.get("parentSpanId"), None);
        let span = sent(Span { method: "-", route: "-", status: 0, ..example() });
        assert_eq!(span["name"], "HTTP");
        assert!(!span["attributes"].to_string().contains("http.route"));
        assert!(!span["attributes"].to_string().contains("status_code"));
    }
}
