//! What the program calls outside: other people's HTTP servers and mail servers. Every call has a
//! deadline and a size. One over HTTP goes to no private address that is not declared, and follows
//! no redirect to another host; mail goes to the server that is set. The crate is given what to
//! send, and knows nothing of why.

mod address;
mod client;
mod error;
pub mod mail;
mod tls;

pub use client::{Client, Rules};
pub use error::CallError;
