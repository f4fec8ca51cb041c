//! Content as it comes and goes: what can go wrong while that of a request arrives, and that of an
//! answer, which is there at once or is read while it is sent.

use bytes::Bytes;

use crate::stream::Records;

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

/// The content of an answer. `S` is what a stream of it is made of.
#[derive(Debug)]
pub enum Content<S = Records> {
    /// All of it. Empty in the answer to a request that gets none.
    Whole(Bytes),
    /// What is read while it is sent, at the pace of the client. In the answer to a HEAD it stands
    /// for the content that GET would have, and is not read further.
    Stream(S),
}

impl Content {
    /// All of it, read to its end: for callers without a connection.
    ///
    /// # Errors
    /// Reading ended before the end.
    pub async fn collect(self) -> Result<Bytes, Interrupted> {
        let mut records = match self {
            Self::Whole(content) => return Ok(content),
            Self::Stream(records) => records,
        };
        let mut whole = Vec::new();
        while let Some(chunk) = records.next().await {
            whole.extend_from_slice(&chunk?);
        }
        Ok(whole.into())
    }
}

/// The content of an answer ended before its end, because it could not be read further. Whoever
/// sends it must not let it look whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// Why. For the log only.
    pub cause: String,
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the content could not be read to its end: {}", self.cause)
    }
}

impl std::error::Error for Interrupted {}
