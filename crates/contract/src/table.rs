//! METHODS and ROWS: the contract. Every other file asks a row; none branches on a method.

/// The methods that the product serves. Names are case-sensitive (RFC 9110 §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Method {
    /// Transfer a current representation (RFC 9110 §9.3.1).
    Get,
    /// GET without the content (RFC 9110 §9.3.2).
    Head,
    /// A safe query whose terms are the request's content (RFC 10008).
    Query,
    /// Describe the communication options (RFC 9110 §9.3.7).
    Options,
    /// Process the content by the target's own semantics (RFC 9110 §9.3.3).
    Post,
    /// Replace the target's representation (RFC 9110 §9.3.4).
    Put,
    /// Apply a patch document (RFC 5789).
    Patch,
    /// Remove the target's association (RFC 9110 §9.3.5).
    Delete,
}

/// What a method token on the wire turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A method of the table.
    Served(Method),
    /// Known to HTTP, served on no target: 405 (TRACE, CONNECT).
    Withheld,
    /// Unknown: 501 (RFC 9110 §9.1).
    Unknown,
}

/// What content in the request means to a method (RFC 9110 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// No meaning; non-empty content is a 400 that names QUERY.
    Refused,
    /// No meaning; read to its end and dropped.
    Drained,
    /// The content is the request: Content-Type is looked at, content is parsed.
    Required,
}

/// What a false If-None-Match leads to (RFC 9110 §13.1.2, RFC 10008 §2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FalseIfNoneMatch {
    /// 304: the client's copy is current.
    NotModified,
    /// 412.
    Failed,
    /// Conditions are ignored (OPTIONS, RFC 9110 §13.2.1).
    Ignored,
}

/// The field of a response that names the media types that a method takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// None: the method takes no content.
    None,
    /// Accept alone, in a 415 (RFC 9110 §12.5.1).
    Plain,
    /// Accept-Query (RFC 10008 §3).
    Query,
    /// Accept-Patch (RFC 5789 §3.1).
    Patch,
    /// Accept-Post (Linked Data Platform §7.1).
    Post,
}

/// What counts together when it is counted how often something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// What changes nothing.
    Read,
    /// What changes something.
    Write,
}

/// What a method is, whatever it is asked of (RFC 9110 §9.2 and §18.2).
#[derive(Clone, Copy, Debug)]
pub struct Nature {
    /// The method.
    pub method: Method,
    /// Its name on the wire.
    pub name: &'static str,
    /// It asks for no change of state (§9.2.1).
    pub safe: bool,
    /// Doing it twice has the intended effect of doing it once (§9.2.2).
    pub idempotent: bool,
    /// Its answers may be stored by a cache (§9.2.3).
    pub cacheable: bool,
    /// What content means to it.
    pub content: Content,
    /// Where the media types that it takes are announced.
    pub announcement: Announcement,
    /// What a false If-None-Match leads to.
    pub false_if_none_match: FalseIfNoneMatch,
    /// True where the answer carries no content (HEAD).
    pub bare: bool,
    /// The section that says so.
    pub section: &'static str,
}

/// The kinds of target that a request can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Target {
    /// `/api/{resource}`
    Collection,
    /// `/api/{resource}/{id}`
    Item,
    /// `/api/batch`: several writes as one.
    Batch,
    /// `/api/search`: every resource that has something to search.
    Search,
    /// `/api/changes`: what was written, in the order of the commits.
    Changes,
    /// `/api/login`: a name and a password become a session.
    Login,
    /// `/api/login/reset`: a forgotten password, by mail.
    Reset,
    /// `/api/login/confirm`: an address that a mail was sent to.
    Confirm,
    /// `/api/logout`: the session ends.
    Logout,
    /// `/api/me`: whoever asks.
    Me,
    /// `/api/me/sessions`: where whoever asks is signed in.
    Sessions,
    /// `/api/me/sessions/{id}`
    Session,
    /// `/api/me/password`: the password of whoever asks.
    Password,
    /// `/api/me/email`: the address of whoever asks.
    Address,
    /// `/api/audit`: who changed what.
    Audit,
    /// `/api` and `/`: the resources there are.
    Home,
    /// `/healthz`: the process answers.
    Health,
    /// `/readyz`: the database answers too.
    Ready,
    /// `/problems` and `/problems/{kind}`: what an error means and what to send instead.
    Problems,
    /// `/robots.txt`
    Robots,
    /// `*`: the server itself (RFC 9110 §9.3.7).
    Server,
}

impl Target {
    /// True for a collection and an item: what a batch can change.
    #[must_use]
    pub const fn holds_records(self) -> bool {
        match self {
            Self::Collection | Self::Item => true,
            Self::Batch
            | Self::Search
            | Self::Changes
            | Self::Login
            | Self::Reset
            | Self::Confirm
            | Self::Address
            | Self::Logout
            | Self::Me
            | Self::Sessions
            | Self::Session
            | Self::Password
            | Self::Audit
            | Self::Home
            | Self::Health
            | Self::Ready
            | Self::Problems
            | Self::Robots
            | Self::Server => false,
        }
    }
}

/// What serves a row. `engine::serve` binds each to its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A page of records.
    List,
    /// One record.
    Fetch,
    /// A new record in a collection.
    Create,
    /// A record replaced whole, or created under the client's id.
    Replace,
    /// A record changed by a patch document.
    Patch,
    /// A record removed.
    Delete,
    /// Several of the writes above, all of them or none.
    Batch,
    /// What matches in every resource that is searched, or a page of one resource's records.
    Search,
    /// A page of the change log.
    Changes,
    /// A new session for a name and a password.
    Login,
    /// The page where a password is set by a code.
    ResetPage,
    /// A mail that sets a password, or the password that it sets.
    Reset,
    /// The page where an address is confirmed by a code.
    ConfirmPage,
    /// An address, confirmed by a code.
    Confirm,
    /// The own address, and whether it is confirmed.
    Address,
    /// A mail that confirms it.
    SendConfirmation,
    /// The session that asks, ended.
    Logout,
    /// Whoever asks, as a record.
    Me,
    /// The sessions of whoever asks.
    Sessions,
    /// One of them, ended.
    EndSession,
    /// Another password for whoever asks.
    Password,
    /// A page of the audit log.
    Audit,
    /// OPTIONS.
    Describe,
    /// The resources there are.
    Home,
    /// The process answers.
    Health,
    /// The database answers.
    Ready,
    /// An error explained.
    Explain,
    /// What crawlers may visit.
    Robots,
}

/// The most of the store that an operation is given. Ordered: each reaches further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Handle {
    /// No store.
    None,
    /// Reads in one snapshot; no way to write.
    Reader,
    /// Decides changes that commit in one transaction.
    Writer,
}

/// What a row does with the conditional fields (RFC 9110 §13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditions {
    /// Not evaluated.
    Ignored,
    /// Evaluated.
    Honoured,
    /// Evaluated, and a declaration may demand one: 428 without.
    Demandable,
}

/// What a row does with Idempotency-Key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Ignored: the row is safe.
    Ignored,
    /// Ignored though the row writes: its answer is a credential or speaks of one, which is not
    /// kept to be sent again.
    Withheld,
    /// Honoured.
    Honoured,
    /// Honoured, and a declaration may demand one: 400 without.
    Demandable,
}

/// How answers of a row may be kept (RFC 9111).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// `no-store`: answers to unsafe methods, errors, OPTIONS, states of the process.
    Never,
    /// `private, no-cache` and a validator, unless the declaration gives a life.
    Revalidate,
    /// `public, max-age=3600`: documents that change with the program only.
    Public,
}

/// One thing that the product does: what is asked of which kind of target.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The kind of target.
    pub target: Target,
    /// The method.
    pub method: Method,
    /// What serves it.
    pub operation: Operation,
    /// The most of the store that it is given.
    pub handle: Handle,
    /// Media types of request content that are understood. Empty where content has no meaning.
    pub accepts: &'static [&'static str],
    /// Media types of its answers as Content-Type says them, the preferred first.
    pub offers: &'static [&'static str],
    /// The conditional fields.
    pub conditions: Conditions,
    /// Idempotency-Key.
    pub key: Key,
    /// How its answers may be kept.
    pub cache: Cache,
    /// True where `Prefer: return=minimal` is honoured (RFC 7240 §4.2).
    pub minimal: bool,
    /// Every status that it may answer beyond COMMON_STATUSES.
    pub statuses: &'static [u16],
}

impl Row {
    /// True where it changes nothing, whatever its method promises: POST may ask as well as QUERY.
    #[must_use]
    pub const fn reads(&self) -> bool {
        !matches!(self.handle, Handle::Writer)
    }

    /// For how often it may be asked for.
    #[must_use]
    pub const fn class(&self) -> Class {
        if self.reads() { Class::Read } else { Class::Write }
    }

    /// True where content may be left out though the method gives it a meaning: there is nothing
    /// that has to be said.
    #[must_use]
    pub const fn content_is_optional(&self) -> bool {
        matches!(self.operation, Operation::Logout | Operation::SendConfirmation)
    }
}

/// Statuses that any request may be answered with, whatever its row: framing, routing, who asks,
/// limits and faults of the server.
pub const COMMON_STATUSES: &[u16] =
    &[308, 400, 401, 403, 404, 405, 406, 408, 413, 414, 417, 421, 429, 431, 500, 501, 503, 505];

/// JSON (RFC 8259), and what the program prefers to answer with.
pub const JSON: &str = "application/json";
/// JSON, one record a line.
pub const NDJSON: &str = "application/x-ndjson";
/// A page for people.
pub const HTML: &str = "text/html; charset=utf-8";
/// Comma-separated values (RFC 4180 §3). Its first line names the columns.
pub const CSV: &str = "text/csv; charset=utf-8; header=present";
const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

const RECORDS: &[&str] = &[JSON, URLENCODED, MULTIPART];
/// One record, or many: as a JSON array, a line each, or a table.
const BULKS: &[&str] = &[JSON, URLENCODED, MULTIPART, NDJSON, "text/csv"];
const QUERIES: &[&str] = &[URLENCODED, JSON];
const LISTS: &[&str] = &[JSON, NDJSON, CSV];
const PATCHES: &[&str] = &[MERGE, JSON_PATCH, JSON];

/// What each method is (RFC 9110 §9.3, RFC 5789, RFC 10008).
#[rustfmt::skip]
pub const METHODS: &[Nature] = &[
    Nature { method: Method::Get, name: "GET", safe: true, idempotent: true, cacheable: true, content: Content::Refused, announcement: Announcement::None, false_if_none_match: FalseIfNoneMatch::NotModified, bare: false, section: "RFC 9110 §9.3.1" },
    Nature { method: Method::Head, name: "HEAD", safe: true, idempotent: true, cacheable: true, content: Content::Refused, announcement: Announcement::None, false_if_none_match: FalseIfNoneMatch::NotModified, bare: true, section: "RFC 9110 §9.3.2" },
    Nature { method: Method::Query, name: "QUERY", safe: true, idempotent: true, cacheable: true, content: Content::Required, announcement: Announcement::Query, false_if_none_match: FalseIfNoneMatch::NotModified, bare: false, section: "RFC 10008 §2" },
    Nature { method: Method::Options, name: "OPTIONS", safe: true, idempotent: true, cacheable: false, content: Content::Drained, announcement: Announcement::None, false_if_none_match: FalseIfNoneMatch::Ignored, bare: false, section: "RFC 9110 §9.3.7" },
    Nature { method: Method::Post, name: "POST", safe: false, idempotent: false, cacheable: false, content: Content::Required, announcement: Announcement::Post, false_if_none_match: FalseIfNoneMatch::Failed, bare: false, section: "RFC 9110 §9.3.3" },
    Nature { method: Method::Put, name: "PUT", safe: false, idempotent: true, cacheable: false, content: Content::Required, announcement: Announcement::Plain, false_if_none_match: FalseIfNoneMatch::Failed, bare: false, section: "RFC 9110 §9.3.4" },
    Nature { method: Method::Patch, name: "PATCH", safe: false, idempotent: false, cacheable: false, content: Content::Required, announcement: Announcement::Patch, false_if_none_match: FalseIfNoneMatch::Failed, bare: false, section: "RFC 5789 §2" },
    Nature { method: Method::Delete, name: "DELETE", safe: false, idempotent: true, cacheable: false, content: Content::Drained, announcement: Announcement::None, false_if_none_match: FalseIfNoneMatch::Failed, bare: false, section: "RFC 9110 §9.3.5" },
];

/// What the product does. A declaration can only narrow a row, never widen it.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    // Collections
    Row { target: Target::Collection, method: Method::Get, operation: Operation::List, handle: Handle::Reader, accepts: &[], offers: LISTS, conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Collection, method: Method::Head, operation: Operation::List, handle: Handle::Reader, accepts: &[], offers: LISTS, conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Collection, method: Method::Query, operation: Operation::List, handle: Handle::Reader, accepts: QUERIES, offers: LISTS, conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412, 415, 422] },
    Row { target: Target::Collection, method: Method::Post, operation: Operation::Create, handle: Handle::Writer, accepts: BULKS, offers: &[JSON], conditions: Conditions::Honoured, key: Key::Demandable, cache: Cache::Never, minimal: true, statuses: &[201, 409, 412, 415, 422, 507] },
    Row { target: Target::Collection, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    // Items
    Row { target: Target::Item, method: Method::Get, operation: Operation::Fetch, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Item, method: Method::Head, operation: Operation::Fetch, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Item, method: Method::Put, operation: Operation::Replace, handle: Handle::Writer, accepts: RECORDS, offers: &[JSON], conditions: Conditions::Demandable, key: Key::Honoured, cache: Cache::Never, minimal: true, statuses: &[200, 201, 204, 409, 412, 415, 422, 428, 507] },
    Row { target: Target::Item, method: Method::Patch, operation: Operation::Patch, handle: Handle::Writer, accepts: PATCHES, offers: &[JSON], conditions: Conditions::Demandable, key: Key::Honoured, cache: Cache::Never, minimal: true, statuses: &[200, 204, 409, 412, 415, 422, 428, 507] },
    Row { target: Target::Item, method: Method::Delete, operation: Operation::Delete, handle: Handle::Writer, accepts: &[], offers: &[JSON], conditions: Conditions::Demandable, key: Key::Honoured, cache: Cache::Never, minimal: true, statuses: &[200, 204, 409, 412, 422, 428, 507] },
    Row { target: Target::Item, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    // Several writes as one. Its statuses are those of its operations, but that 200 says all went well.
    Row { target: Target::Batch, method: Method::Post, operation: Operation::Batch, handle: Handle::Writer, accepts: &[JSON], offers: &[JSON], conditions: Conditions::Demandable, key: Key::Demandable, cache: Cache::Never, minimal: false, statuses: &[200, 409, 412, 415, 422, 428, 507] },
    Row { target: Target::Batch, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    // Search
    Row { target: Target::Search, method: Method::Get, operation: Operation::Search, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Search, method: Method::Head, operation: Operation::Search, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Search, method: Method::Query, operation: Operation::Search, handle: Handle::Reader, accepts: QUERIES, offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412, 415, 422] },
    Row { target: Target::Search, method: Method::Post, operation: Operation::Search, handle: Handle::Reader, accepts: QUERIES, offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200, 415, 422] },
    Row { target: Target::Search, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    // The change log
    Row { target: Target::Changes, method: Method::Get, operation: Operation::Changes, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 410, 412] },
    Row { target: Target::Changes, method: Method::Head, operation: Operation::Changes, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 410, 412] },
    Row { target: Target::Changes, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    // Who asks
    Row { target: Target::Login, method: Method::Post, operation: Operation::Login, handle: Handle::Writer, accepts: RECORDS, offers: &[JSON], conditions: Conditions::Ignored, key: Key::Withheld, cache: Cache::Never, minimal: false, statuses: &[200, 303, 415, 422, 507] },
    Row { target: Target::Login, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Reset, method: Method::Get, operation: Operation::ResetPage, handle: Handle::None, accepts: &[], offers: &[HTML], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Reset, method: Method::Head, operation: Operation::ResetPage, handle: Handle::None, accepts: &[], offers: &[HTML], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Reset, method: Method::Post, operation: Operation::Reset, handle: Handle::Writer, accepts: RECORDS, offers: &[JSON], conditions: Conditions::Ignored, key: Key::Withheld, cache: Cache::Never, minimal: false, statuses: &[200, 202, 303, 415, 422, 507] },
    Row { target: Target::Reset, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Confirm, method: Method::Get, operation: Operation::ConfirmPage, handle: Handle::None, accepts: &[], offers: &[HTML], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Confirm, method: Method::Head, operation: Operation::ConfirmPage, handle: Handle::None, accepts: &[], offers: &[HTML], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Confirm, method: Method::Post, operation: Operation::Confirm, handle: Handle::Writer, accepts: RECORDS, offers: &[JSON], conditions: Conditions::Ignored, key: Key::Withheld, cache: Cache::Never, minimal: false, statuses: &[200, 303, 415, 422, 507] },
    Row { target: Target::Confirm, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Address, method: Method::Get, operation: Operation::Address, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Address, method: Method::Head, operation: Operation::Address, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Address, method: Method::Post, operation: Operation::SendConfirmation, handle: Handle::Writer, accepts: RECORDS, offers: &[JSON], conditions: Conditions::Ignored, key: Key::Withheld, cache: Cache::Never, minimal: false, statuses: &[202, 409, 415, 422, 507] },
    Row { target: Target::Address, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Logout, method: Method::Post, operation: Operation::Logout, handle: Handle::Writer, accepts: RECORDS, offers: &[JSON], conditions: Conditions::Ignored, key: Key::Withheld, cache: Cache::Never, minimal: false, statuses: &[200, 303, 415, 422, 507] },
    Row { target: Target::Logout, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Me, method: Method::Get, operation: Operation::Me, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Me, method: Method::Head, operation: Operation::Me, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Me, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Sessions, method: Method::Get, operation: Operation::Sessions, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Sessions, method: Method::Head, operation: Operation::Sessions, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Sessions, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Session, method: Method::Delete, operation: Operation::EndSession, handle: Handle::Writer, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Withheld, cache: Cache::Never, minimal: true, statuses: &[200, 204, 507] },
    Row { target: Target::Session, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Password, method: Method::Post, operation: Operation::Password, handle: Handle::Writer, accepts: RECORDS, offers: &[JSON], conditions: Conditions::Ignored, key: Key::Withheld, cache: Cache::Never, minimal: true, statuses: &[200, 204, 303, 415, 422, 507] },
    Row { target: Target::Password, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    // Who did what
    Row { target: Target::Audit, method: Method::Get, operation: Operation::Audit, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Audit, method: Method::Head, operation: Operation::Audit, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Audit, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    // The program's own pages
    Row { target: Target::Home, method: Method::Get, operation: Operation::Home, handle: Handle::None, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Home, method: Method::Head, operation: Operation::Home, handle: Handle::None, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Revalidate, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Home, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Health, method: Method::Get, operation: Operation::Health, handle: Handle::None, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Health, method: Method::Head, operation: Operation::Health, handle: Handle::None, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Health, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Ready, method: Method::Get, operation: Operation::Ready, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Ready, method: Method::Head, operation: Operation::Ready, handle: Handle::Reader, accepts: &[], offers: &[JSON], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[200] },
    Row { target: Target::Ready, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Problems, method: Method::Get, operation: Operation::Explain, handle: Handle::None, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Public, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Problems, method: Method::Head, operation: Operation::Explain, handle: Handle::None, accepts: &[], offers: &[JSON], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Public, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Problems, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Robots, method: Method::Get, operation: Operation::Robots, handle: Handle::None, accepts: &[], offers: &["text/plain"], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Public, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Robots, method: Method::Head, operation: Operation::Robots, handle: Handle::None, accepts: &[], offers: &["text/plain"], conditions: Conditions::Honoured, key: Key::Ignored, cache: Cache::Public, minimal: false, statuses: &[200, 304, 412] },
    Row { target: Target::Robots, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
    Row { target: Target::Server, method: Method::Options, operation: Operation::Describe, handle: Handle::None, accepts: &[], offers: &[], conditions: Conditions::Ignored, key: Key::Ignored, cache: Cache::Never, minimal: false, statuses: &[204] },
];

/// Reads a method token. Case counts (RFC 9110 §9.1): `get` is unknown.
#[must_use]
pub fn method(token: &str) -> Token {
    if let Some(nature) = METHODS.iter().find(|nature| nature.name == token) {
        return Token::Served(nature.method);
    }
    if matches!(token, "TRACE" | "CONNECT") { Token::Withheld } else { Token::Unknown }
}

/// What a method is.
#[must_use]
pub const fn nature(method: Method) -> &'static Nature {
    find(METHODS, method)
}

/// What some natures say of a method.
pub(crate) const fn find(methods: &[Nature], method: Method) -> &Nature {
    let mut i = 0;
    while i < methods.len() {
        if methods[i].method as u8 == method as u8 {
            return &methods[i];
        }
        i += 1;
    }
    panic!("a method is not in METHODS")
}

/// The row of a target and a method; `None` is a 405.
#[must_use]
pub fn row(target: Target, method: Method) -> Option<&'static Row> {
    rows(target).find(|row| row.method == method)
}

/// The rows of one kind of target, in the order of the table.
pub fn rows(target: Target) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.target == target)
}
