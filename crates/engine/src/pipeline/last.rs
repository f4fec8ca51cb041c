//! What is added to every answer when it is complete: what the browser does with it, and where the
//! client stands. Nothing of this is kept or remembered: it is about this request.

use contract::table::{Operation, Target};
use http::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use model::setting::Settings;

use crate::cors::{Grant, Page};
use crate::plain;
use crate::rates::Standing;
use crate::response::VARY;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// What a page may do that is no page of ours: nothing.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const PERMISSIONS: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()");
/// What answers vary by where they vary by the representation too.
const VARY_AND_ORIGIN: HeaderValue =
    HeaderValue::from_static("accept, accept-encoding, prefer, origin");

/// What is learned on the way and told at its end.
#[derive(Default)]
pub(crate) struct Last {
    /// The page that the request was sent for.
    pub(crate) page: Page,
    /// Where whoever asks stands with the limits.
    pub(crate) standing: Standing,
    /// What a preflight asks about.
    described: Option<Target>,
    /// False where no target was found: nothing there varies.
    routed: bool,
}

impl Last {
    /// The request goes there.
    pub(crate) fn route(&mut self, page: Page, operation: Operation, target: Target) {
        self.page = page;
        self.routed = true;
        self.described = (operation == Operation::Describe).then_some(target);
    }

    /// Completes an answer.
    pub(crate) fn write<T>(&self, parts: &Parts, settings: &Settings, response: &mut Response<T>) {
        let fields = response.headers_mut();
        if self.routed {
            match fields.get(header::VARY) {
                Some(vary) if *vary == VARY => drop(fields.insert(header::VARY, VARY_AND_ORIGIN)),
                _ => drop(fields.append(header::VARY, HeaderValue::from_static("origin"))),
            }
        }
        self.page.write(&parts.headers, self.described, fields);
        self.standing.write(fields);
        protect(&parts.headers, self.page.grant, fields);
        if let Some(value) = plain::transport_security(parts, settings) {
            fields.insert(header::STRICT_TRANSPORT_SECURITY, value);
        }
    }
}

/// What browsers must not make of an answer.
fn protect(request: &HeaderMap, grant: Grant, fields: &mut HeaderMap) {
    let policy = if grant == Grant::Any { "cross-origin" } else { "same-origin" };
    fields.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static(policy));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let shown = |value: &HeaderValue| value.as_bytes().windows(9).any(|part| part == b"text/html");
    let is_page = fields.get(header::CONTENT_TYPE).is_some_and(shown);
    if !is_page && !request.get(header::ACCEPT).is_some_and(shown) {
        return;
    }
    fields.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    fields.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    fields.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    fields.insert(PERMISSIONS_POLICY, PERMISSIONS);
}
