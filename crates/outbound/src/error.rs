//! Why a call outside came to nothing, in words that somebody who runs the program can act on. None
//! of them has a secret in it: no query, no field, no content.

use std::net::IpAddr;
use std::path::PathBuf;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The URL is none that may be called.
    #[error("{0} cannot be called: {1}")]
    Url(String, &'static str),
    /// Its name leads nowhere.
    #[error("{host} was not found: {fault}")]
    NotFound {
        /// The name.
        host: String,
        /// What the system says.
        fault: std::io::Error,
    },
    /// Its name leads to an address that is not public, and not declared.
    #[error(
        "{host} leads to {address}, which is no public address: declare it in `outbound.private` \
         if that is meant"
    )]
    Private {
        /// The name.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
    /// Nobody answers there.
    #[error("{host} cannot be reached: {fault}")]
    Unreachable {
        /// The name.
        host: String,
        /// What the system says.
        fault: std::io::Error,
    },
    /// It does not speak HTTP, or stopped speaking.
    #[error("{host} did not answer in HTTP: {fault}")]
    Broken {
        /// The name.
        host: String,
        /// What was wrong.
        fault: hyper::Error,
    },
    /// It took too long.
    #[error("{0} did not answer in time")]
    Slow(String),
    /// It answered with more than is taken.
    #[error("{0} answered with more than {1} bytes")]
    TooLarge(String, usize),
    /// It leads to somewhere else.
    #[error("{0} leads to another host, which is not followed")]
    Redirected(String),
    /// A file of certificates cannot be used.
    #[error("{0}: {1}")]
    Roots(PathBuf, String),
}
