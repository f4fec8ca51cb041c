//! Why the content of a request did not arrive.

/// The error of a request's content as it is read from the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentError {
    /// It did not arrive in time: 408.
    Slow,
    /// The connection ended before it did; it must not be applied (RFC 9112 §8).
    Truncated,
    /// Its framing is broken: 400. Says how.
    Malformed(&'static str),
}

impl std::fmt::Display for ContentError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slow => out.write_str("the content did not arrive in time"),
            Self::Truncated => out.write_str("the connection ended before the content did"),
            Self::Malformed(how) => write!(out, "the content's framing is broken: {how}"),
        }
    }
}

impl std::error::Error for ContentError {}
