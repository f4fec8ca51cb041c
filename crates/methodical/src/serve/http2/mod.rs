//! HTTP/2 (RFC 9113): the library keeps frames, streams and compression in order; who asks too much
//! of it is judged here, and every request takes the same way as one of HTTP/1.1.

mod answer;
mod calm;
pub(crate) mod connection;
mod content;
mod head;
