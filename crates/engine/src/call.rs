//! A request as it is understood: everything that an operation may look at, and no more.

use std::sync::Arc;

use bytes::Bytes;
use contract::negotiate::Coding;
use contract::precondition::Conditions;
use contract::prefer::Preferences;
use contract::problem::Problem;
use model::model::{FieldIndex, Model, Resource, ResourceIndex};
use model::query::{Everywhere, Position, Query, Since, View};
use model::record::{Draft, Rejection};
use model::rows::Form;
use model::setting::Settings;
use model::value::{Id, Timestamp};
use serde_json::Value;
use store::audit_log::Acts;
use store::log::After;
use store::lookup::KeyHash;
use store::spool::Spool;
use tokio::sync::OwnedSemaphorePermit;

use crate::admit::Admitted;
use crate::batch::Batch;
use crate::cursor;
use crate::op::mail::Letter;
use crate::password::Hashes;
use crate::positions::Positions;
use crate::refused::Refused;
use crate::route::Routed;

/// A request, understood. Made by `request` only.
#[derive(Clone)]
pub(crate) struct Call {
    /// Where it goes.
    pub(crate) routed: Routed,
    /// Who asks, and what they may see and do.
    pub(crate) admitted: Admitted,
    /// The declaration, as it is for whoever asks.
    pub(crate) model: Arc<Model>,
    /// The same, without anything hidden: for what is nobody's to see.
    pub(crate) whole: Arc<Model>,
    /// What a mail needs that this request may have sent.
    pub(crate) letter: Option<Letter>,
    /// The salt of the resource's ETags.
    pub(crate) salt: String,
    /// The media type that was negotiated; empty where the row offers none.
    pub(crate) media: &'static str,
    /// The content coding that was negotiated.
    pub(crate) coding: Coding,
    /// True where the client does not take the answer without a coding.
    pub(crate) identity_refused: bool,
    /// What must hold first.
    pub(crate) conditions: Conditions,
    /// What the client would like.
    pub(crate) preferences: Preferences,
    /// True where the request carries credentials.
    pub(crate) credentials: bool,
    /// The list that is asked for.
    pub(crate) query: Option<Query>,
    /// How it is read.
    pub(crate) reading: Reading,
    /// The search over every resource that is asked for.
    pub(crate) everywhere: Option<Everywhere>,
    /// The part of the change log that is asked for.
    pub(crate) following: Option<Arc<Following>>,
    /// What the client calls itself, where that is kept.
    pub(crate) agent: String,
    /// The part of the audit log that is asked for.
    pub(crate) auditing: Option<Arc<Auditing>>,
    /// The record in the list behind which the page begins, or before which it ends.
    pub(crate) position: Option<Position>,
    /// What of one record is asked for.
    pub(crate) view: View,
    /// The resources whose tables the answer depends on, beside the versions of its own records.
    pub(crate) tables: Vec<ResourceIndex>,
    /// The salt of ETags over all of these.
    pub(crate) tables_salt: String,
    /// Signs the places in lists that answers name.
    pub(crate) cursors: cursor::Key,
    /// The content.
    pub(crate) content: Content,
    /// What makes it once.
    pub(crate) key: Option<KeyUse>,
    /// Hashes of the passwords in the content, made before the writer is met.
    pub(crate) hashes: Hashes,
    /// When it was received.
    pub(crate) now: Timestamp,
    /// What the version of a new record is born with.
    pub(crate) birth: i64,
    /// The id of a new record, where the server draws it and the database does not.
    pub(crate) fresh_id: Option<Id>,
    /// Limits and times.
    pub(crate) settings: Arc<Settings>,
}

/// How what is asked for is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// At once: a record, or a page of a list.
    Once,
    /// A list to its end, chunk by chunk, while it is sent.
    InChunks,
}

/// The content of a request, parsed.
#[derive(Clone)]
pub(crate) enum Content {
    /// None, or none with a meaning.
    None,
    /// A record to create, read already: it depends on nothing that is stored.
    Draft(Result<Draft, Rejection>),
    /// Records to create, or why they cannot be: read already, as a draft is.
    Rows(Result<Arc<Rows>, Problem>),
    /// A record to put in the place of another: what is there decides on some of its rules.
    Document(Value),
    /// A merge patch (RFC 7396).
    MergePatch(Value),
    /// A JSON Patch (RFC 6902).
    JsonPatch(Value),
    /// Several writes, each a request of its own.
    Batch(Batch),
    /// What is done about whoever asks.
    Account(Arc<Account>),
}

/// What is done about whoever asks. It has passwords in it, so it is never shown.
pub(crate) enum Account {
    /// Somebody signs in.
    SignIn {
        /// By one of these fields, the first that somebody has.
        fields: Vec<FieldIndex>,
        /// Under this name.
        name: String,
        /// With this password.
        password: String,
        /// And goes on there.
        then: Then,
    },
    /// The session ends.
    SignOut(Then),
    /// Whoever has this name has forgotten its password.
    Ask {
        /// By one of these fields, the first that somebody has.
        fields: Vec<FieldIndex>,
        /// Under this name.
        name: String,
    },
    /// A code from a mail comes back.
    Redeem {
        /// The code.
        code: String,
        /// The password that shall count, where it sets one.
        password: Option<String>,
        /// And goes on there.
        then: Then,
    },
    /// Another password.
    Password {
        /// The one that counts so far.
        current: String,
        /// The one that shall count.
        password: String,
        /// And goes on there.
        then: Then,
    },
}

/// What a client does once it has signed in or out, or has another password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// A program takes the answer.
    Answer,
    /// A browser goes on to this path, with or without a cookie.
    Visit(String),
}

/// A question to the audit log.
pub(crate) enum Auditing {
    /// What was done.
    Acts(Acts),
    /// What was refused, as far as it is remembered.
    Refusals(Vec<Refused>),
}

/// A question to the change log, and what its answer is written with.
pub(crate) struct Following {
    /// What is asked.
    pub(crate) since: Since,
    /// What its position means.
    pub(crate) after: After,
    /// How positions are written.
    pub(crate) positions: Positions,
    /// The salts of the ETags of each resource.
    pub(crate) salts: Vec<String>,
}

/// Many records to create.
pub(crate) struct Rows {
    /// Their ids, where they have them already, and their values.
    pub(crate) spool: Arc<Spool>,
    /// How they were written.
    pub(crate) form: Form,
    /// The ids that they have already as JSON, between commas, as far as they are wanted.
    pub(crate) ids: Bytes,
    /// Kept until they are written: how many may lie on the disk at one time is bounded.
    pub(crate) _turn: Option<OwnedSemaphorePermit>,
}

/// An Idempotency-Key in its scope.
#[derive(Clone)]
pub(crate) struct KeyUse {
    /// Keyed hash over principal, method, target and key.
    pub(crate) hash: KeyHash,
    /// Keyed hash over the principal.
    pub(crate) principal: KeyHash,
    /// Keyed hash over content, query and conditions.
    pub(crate) fingerprint: [u8; 16],
    /// When it may be forgotten.
    pub(crate) expires_at: Timestamp,
}

impl Call {
    /// The resource that is spoken of, with its index.
    ///
    /// # Panics
    /// On a target that has none: the row would be bound to the wrong operation.
    pub(crate) fn resource(&self) -> (ResourceIndex, &Resource) {
        let index = self.routed.resource.expect("collections and items name a resource");
        (index, &self.model.resources[index])
    }

    /// The writes that this one is made of, where it is a batch.
    pub(crate) fn batch(&self) -> Option<&Batch> {
        if let Content::Batch(batch) = &self.content { Some(batch) } else { None }
    }

    /// What is done about whoever asks.
    pub(crate) fn account(&self) -> Option<&Account> {
        if let Content::Account(account) = &self.content { Some(account) } else { None }
    }

    /// The id that is spoken of.
    ///
    /// # Panics
    /// On a target that has none.
    pub(crate) fn id(&self) -> &Id {
        self.routed.id.as_ref().expect("items name an id")
    }
}
