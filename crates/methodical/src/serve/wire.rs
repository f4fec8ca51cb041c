//! What is known of a connection before its first request.

use std::net::IpAddr;

use engine::report::Scheme;

/// The other end of a connection, and what is spoken with it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wire {
    /// The address at the other end, where there is one. What PROXY protocol says replaces it.
    pub(crate) peer: Option<IpAddr>,
    /// `Https` where TLS ends here.
    pub(crate) scheme: Scheme,
}
