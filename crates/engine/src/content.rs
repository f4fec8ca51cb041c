//! What can go wrong while the content of a request arrives.

/// Why the content of a request ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentError {
    /// It did not arrive in time (408).
    Slow,
    /// The connection ended inside it: an incomplete message (RFC 9112 §8).
    Truncated,
    /// Its framing is broken; says where (RFC 9112 §7.1).
    Malformed(&'static str),
    /// It is larger than allowed (413).
    TooLarge,
}

impl std::fmt::Display for ContentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slow => f.write_str("the content did not arrive in time"),
            Self::Truncated => f.write_str("the connection ended inside the content"),
            Self::Malformed(what) => f.write_str(what),
            Self::TooLarge => f.write_str("the content is too large"),
        }
    }
}

impl std::error::Error for ContentError {}
