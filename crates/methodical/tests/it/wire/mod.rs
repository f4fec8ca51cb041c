//! Below requests: TLS, HTTP/2, and who abuses either.

mod abuse;
mod browser;
mod frames;
mod http2;
mod tls;
