//! What proves who asks: sessions of users, and API keys of programs. Their secrets are not here:
//! only their hashes are kept.

use model::model::ResourceIndex;
use model::record::Record;
use model::value::{Id, Timestamp};

/// SHA-256 of a token. Tokens are 256 random bits, so that a plain hash says nothing of them.
pub type TokenHash = [u8; 32];

/// Stands among `Lookup::states` for the sessions and keys: its change counter grows whenever one
/// ends or changes what it allows. A new one, or one that is used, leaves it as it is.
pub const CREDENTIALS: ResourceIndex = usize::MAX;

/// A session: who signed in, where, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number, which is no secret.
    pub number: i64,
    /// The record of the users' resource that signed in.
    pub user: Id,
    /// A hash of the password's hash at that time: a session ends with the password that opened it,
    /// whoever changes it.
    pub seal: [u8; 16],
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was last used, as far as that is written down yet.
    pub used_at: Option<Timestamp>,
    /// From which address it was opened.
    pub address: String,
    /// What the client called itself (User-Agent), cut to 200 characters.
    pub agent: String,
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number.
    pub number: i64,
    /// What it is called.
    pub name: String,
    /// How it begins, so that its owner recognises it.
    pub start: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, as far as that is written down yet.
    pub used_at: Option<Timestamp>,
}

/// An API key that is to be made. Its number is drawn by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The hash of its text, which is kept nowhere.
    pub hash: TokenHash,
    /// What it is.
    pub key: ApiKey,
}

/// What a token is known to be. What has expired is no longer found.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// A session, with the record of its user; `None` where that is gone.
    Session(Session, Option<Record>),
    /// An API key.
    Key(ApiKey),
}

/// Which sessions of a user are to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this number.
    Number(i64),
    /// All but the one with this number.
    Others(i64),
    /// All.
    All,
}

/// What was last used when, gathered in memory and written down from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Used {
    /// A session.
    Session(i64),
    /// A key.
    Key(i64),
}
