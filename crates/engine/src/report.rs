//! What a connection and the engine tell each other beside request and response, as extensions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// The id of a request: stands in its answer's `Request-Id` and in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// How a client's request travels, as far as it is known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    #[default]
    Http,
    /// Over TLS.
    Https,
    /// Through a declared proxy that does not say how.
    Unsaid,
}

/// When the head of a request was complete.
#[derive(Clone, Copy, Debug)]
pub struct Received(pub SystemTime, pub Instant);

/// What the log may say about an answer.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The pattern of the route.
    pub route: &'static str,
    /// The resource that was asked for.
    pub resource: Option<String>,
    /// Names of known query parameters, never values.
    pub parameters: Vec<String>,
    /// The path, where the request was routed.
    pub path: Option<String>,
    /// Who asked, as kind and id: `user:1`. None where nobody has signed in.
    pub caller: Option<Arc<str>>,
    /// From where, where the request was refused for who asked or how often.
    pub address: Option<IpAddr>,
    /// The slug of the problem that was answered.
    pub problem: Option<&'static str>,
    /// True where a remembered answer was sent again.
    pub replayed: bool,
    /// Why a 500 happened, or why the content ended too early. For the log only.
    pub cause: Option<String>,
}

/// The connection cannot be used after this answer.
#[derive(Clone, Copy, Debug)]
pub struct Close;
