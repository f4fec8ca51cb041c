//! What the log may know of a request: names and patterns, never values.

/// The id of a request, set by the connection: in the answer, the log, and the problem of a 500.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Marks a response after which the connection must close (RFC 9112 §9.6).
#[derive(Clone, Copy, Debug)]
pub struct Close;

/// What a log line says beside status, bytes and time. An extension of every response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The pattern that matched: `/{resource}/{id}`; `-` where none did.
    pub route: &'static str,
    /// The resource.
    pub resource: Option<String>,
    /// The path, of routed requests only.
    pub path: Option<String>,
    /// Names of the known query parameters.
    pub parameters: Vec<String>,
    /// The slug of the problem that was answered.
    pub problem: Option<&'static str>,
    /// The answer was remembered for the request's Idempotency-Key.
    pub replayed: bool,
    /// What went wrong inside; for the log only.
    pub cause: Option<String>,
}
