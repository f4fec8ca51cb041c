//! Codes that are sent by mail: whoever has one has read the mail of an address.

use model::value::{Id, Timestamp};

use crate::credential::TokenHash;

/// A code that was sent. Only its hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its hash.
    pub hash: TokenHash,
    /// What it is good for: it is good for nothing else.
    pub purpose: String,
    /// The user that it was made for; none where nobody was found, which nobody can tell.
    pub user: Option<Id>,
    /// The address that it was sent to. Another one ends it.
    pub address: String,
    /// A mark of the password that the user had. Another one ends it.
    pub seal: [u8; 16],
    /// When it ends by itself.
    pub expires_at: Timestamp,
}
