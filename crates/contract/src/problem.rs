//! PROBLEMS: every error that the product can answer, one line each, and the value that carries
//! one occurrence (RFC 9457). Rendered by `engine::representation`.

use http::{HeaderName, HeaderValue};

/// What a problem is about, whoever meets it. The slug is the last segment of its `type`.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The kind.
    pub kind: Kind,
    /// Last segment of the `type` URI: `/problems/{slug}`.
    pub slug: &'static str,
    /// The status that it is answered with.
    pub status: u16,
    /// Constant per kind (RFC 9457 §3.1.3).
    pub title: &'static str,
    /// What it means, in one or two sentences.
    pub meaning: &'static str,
    /// What to send instead.
    pub remedy: &'static str,
}

macro_rules! problems {
    ($($kind:ident $slug:literal $status:literal $title:literal $meaning:literal $remedy:literal)*) => {
        /// The kinds of problem. Each has one entry in PROBLEMS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $meaning] $kind,)* }

        /// Every kind of problem, in the order of their statuses.
        pub const PROBLEMS: &[Entry] = &[$(Entry {
            kind: Kind::$kind, slug: $slug, status: $status, title: $title, meaning: $meaning, remedy: $remedy,
        },)*];
    };
}

#[rustfmt::skip]
problems! {
    MalformedRequest "malformed-request" 400 "The request is not well-formed HTTP"
        "The bytes that arrived break the framing or the syntax of HTTP/1.1 (RFC 9112), so nothing in them can be trusted."
        "Let an HTTP library build the request; the detail names the part that is wrong. The connection is closed."
    MalformedField "malformed-field" 400 "A header field cannot be read"
        "A header field that decides what happens has a value outside its grammar."
        "Correct the field that the answer names, or leave it out."
    MalformedContent "malformed-content" 400 "The content cannot be read"
        "The content is not what its Content-Type says: broken JSON, a name twice in one object, a truncated form."
        "Send content that parses; line and column of the first fault are named."
    UnknownParameter "unknown-parameter" 400 "Unknown or repeated query parameter"
        "A parameter that nobody reads would be dropped silently and the answer would be a wrong one."
        "Use a parameter from the list in the answer, each once."
    InvalidParameter "invalid-parameter" 400 "A query parameter has a value that does not fit"
        "A parameter's value is not of the type that its field has, or is outside its range."
        "Send a value as the answer describes."
    SecretInUrl "secret-in-url" 400 "A secret must not be in a URL"
        "URLs are kept in histories, logs, bookmarks and Referer fields. The request was refused before it was logged."
        "Send credentials in the Authorization field and secrets in the content of a POST. Replace the secret: it may have been recorded on its way."
    SecretInContent "secret-in-content" 400 "A token must not be in the content"
        "A token of ours stands in the content as a value, or a form has a member access_token. What is sent as data is stored, shown and exported as data."
        "Send the token in the Authorization field. Replace it where it may have been recorded on its way."
    ContentNotExpected "content-not-expected" 400 "GET and HEAD take no content"
        "Content has no meaning in GET and HEAD (RFC 9110 §9.3.1): caches and proxies drop it."
        "Put the terms into the URL's query, or send the same content with QUERY."
    ContentTypeMissing "content-type-missing" 400 "Content-Type is missing"
        "Content without a Content-Type would have to be guessed, and a guess can be wrong (RFC 9110 §8.3, RFC 10008 §2)."
        "Name the media type in Content-Type."
    KeyRequired "idempotency-key-required" 400 "Idempotency-Key is required"
        "This resource is created exactly once, so a retry has to be recognisable."
        "Send Idempotency-Key with a fresh UUID, and the same one when you retry."
    KeyMalformed "idempotency-key-malformed" 400 "Idempotency-Key cannot be used"
        "The key is empty, longer than 255 characters, sent twice, not printable ASCII, or too short to be unguessable."
        "Send one fresh UUID, quoted or bare."
    NotSignedIn "not-signed-in" 401 "You have to sign in"
        "What was asked for is not open to everybody, and the request does not say who sends it; or it says so in Authorization in a way that is not known here."
        "Sign in with a POST to login, below the prefix of the API, or use an API key, and send the token as Authorization: Bearer …"
    InvalidToken "invalid-token" 401 "The token is not valid"
        "The token in Authorization is unknown, has expired, has been revoked, or cannot be one. It is refused even where no token is needed, because whoever sends one relies on it."
        "Sign in again, or ask for a new key. To go on without signing in, leave Authorization out."
    SignInFailed "sign-in-failed" 401 "Sign-in failed"
        "No user has this name and this password. Which of them is wrong is not said."
        "Check both, and send them again."
    Forbidden "forbidden" 403 "You may not do this"
        "It is known who asks, and the rules of the declaration do not allow it."
        "Ask somebody whose role allows it, or somebody who can change your role."
    ForeignOrigin "foreign-origin" 403 "A page of another site must not do this"
        "A browser sent this request for a page of another origin, or does not say for which page. A page that you merely visit must not act under your name, and a cookie is sent along whoever asks."
        "Send it from a page of this origin, or from a program, with Authorization: Bearer … in the place of a cookie."
    HttpsRequired "https-required" 403 "This is done over HTTPS only"
        "The request came over plain HTTP, where whoever is on the way can read and change it. Safe requests without credentials are sent on to HTTPS; this one is not."
        "Send it to the https:// URL. Replace every password, token or cookie that was in it: it may have been read on its way."
    AddressNotConfirmed "address-not-confirmed" 403 "Your address is not confirmed"
        "The password is right. Here an address has to be confirmed before somebody signs in, and the one of this user is not."
        "Follow the link in the mail that was sent to it. Another mail is sent by a POST to the `reset` target below the login: its link sets a password and confirms the address."
    ReplayWithheld "replay-withheld" 403 "The remembered answer is not shown again"
        "The request was carried out the first time. What you may see has changed since then, so that the answer of that time might show what is hidden from you now. Nothing was done again."
        "GET what you may see of it; send no further request with this key."
    NotFound "not-found" 404 "Nothing is here"
        "No resource or record answers at this URL, or it has been deleted, or you may not see it."
        "Check the path and the id; GET the collection to see what there is."
    MethodNotAllowed "method-not-allowed" 405 "This method is not allowed here"
        "The target exists, and this method is not one of those that it serves."
        "Use a method from the Allow field."
    NotAcceptable "not-acceptable" 406 "No acceptable representation"
        "None of the media types in Accept is one that this target has."
        "Ask for one of the types in the answer, or leave Accept out."
    RequestTimeout "request-timeout" 408 "The request did not arrive in time"
        "The request was not complete when its time was over. Nothing was done."
        "Send it again, faster. An unsafe request that carries an Idempotency-Key can be sent again without harm."
    Conflict "conflict" 409 "The request conflicts with what is there"
        "A value that has to be unique is taken, or the record's present state does not allow the change."
        "Read the named fields of the answer, change them, and send the request again."
    StillReferenced "still-referenced" 409 "Other records refer to this one"
        "The declaration restricts deletion while other records refer to this one."
        "Delete or change the records that the answer counts, then delete again."
    CascadeTooLarge "cascade-too-large" 409 "Too many records would go along"
        "The deletion would delete or clear more other records than one request may, or a longer chain of them. Nothing was done."
        "Delete some of the records that the answer counts first, a part at a time, then delete again."
    KeyInFlight "idempotency-key-in-flight" 409 "The first request with this key is still running"
        "A request with the same Idempotency-Key is being carried out, and waiting for it took too long."
        "Send the same request again after the seconds in Retry-After."
    ChangesGone "changes-gone" 410 "These changes are no longer kept"
        "The change log is kept for a time only, and belongs to one life of the database. Between the position that was sent and what is kept, changes are missing."
        "Keep the position that GET of the changes with after=now gives, read what you follow from its lists again, then go on from that position."
    PreconditionFailed "precondition-failed" 412 "A precondition is false"
        "The record is not in the state that If-Match, If-None-Match or If-Unmodified-Since asks for: somebody else changed it. Nothing was done."
        "GET the record again, apply your change to what you get, and send it with the new ETag in If-Match."
    ContentTooLarge "content-too-large" 413 "The content is too large"
        "The content is longer than this target takes."
        "Send less in one request."
    TargetTooLong "target-too-long" 414 "The URL is too long"
        "The request target is longer than this server takes, and longer than most proxies and browsers take."
        "Send the query as the content of QUERY."
    UnsupportedMediaType "unsupported-media-type" 415 "Unsupported media type"
        "The content's media type or coding is not one that this method takes here."
        "Use a type that the Accept, Accept-Patch or Accept-Query field of the answer names; send the content without a content coding."
    ExpectationFailed "expectation-failed" 417 "Unknown expectation"
        "The Expect field asks for something other than 100-continue."
        "Leave the Expect field out."
    Misdirected "misdirected" 421 "This host is not served here"
        "The request came from this machine itself, and the name in Host is none of this machine's. A site can point a name of its own here, and its pages would be of one origin with this API then (DNS rebinding)."
        "Use localhost or 127.0.0.1. Where a proxy brings the request, whoever runs this server declares it (`proxies`), or sets `origin` to what browsers see."
    Invalid "invalid" 422 "The content does not fit the declaration"
        "The content can be read, and one or more members are missing, unknown or outside their rules. Nothing was done."
        "Correct the members that the answer points at."
    KeyReused "idempotency-key-reused" 422 "This Idempotency-Key belongs to another request"
        "The key was used before with different content, query or conditions. Nothing was done."
        "Use a fresh key for a new request; repeat a request without changing it."
    PreconditionRequired "precondition-required" 428 "A precondition is required"
        "Without one, two editors overwrite each other. This resource refuses that."
        "GET the record, and send its ETag in If-Match."
    TooManyKeys "too-many-keys" 429 "Too many remembered keys"
        "More Idempotency-Keys are remembered for this caller than are allowed at one time."
        "Wait until older keys are forgotten, or send the request without a key."
    TooManyRequests "too-many-requests" 429 "Too many attempts"
        "Passwords are tried or set more often from this address, or more of them at one time, than anybody needs."
        "Wait for the seconds in Retry-After, then send the request again."
    FieldsTooLarge "fields-too-large" 431 "The header fields are too large"
        "The header section, or one field in it, is larger than this server takes."
        "Send fewer or shorter fields; cookies are the usual cause."
    Internal "internal-error" 500 "The server made a mistake"
        "Something went wrong that is not your fault. The log has the same id."
        "Retry an idempotent request, or one with an Idempotency-Key; report the id if it goes on."
    NotImplemented "not-implemented" 501 "This method or coding is not known"
        "The method, or a transfer coding, is one that this server does not know."
        "Method names are case-sensitive: GET, not get."
    Unavailable "unavailable" 503 "Not available at the moment"
        "The server cannot do this now. Nothing was done."
        "Send the request again after the seconds in Retry-After."
    TooSlow "query-too-slow" 503 "The query took too long"
        "The query was stopped at its deadline, so that it cannot slow down others."
        "Ask for less, or declare the index that the answer names."
    VersionNotSupported "http-version-not-supported" 505 "HTTP version not supported"
        "The request names a major version of HTTP that is not spoken here."
        "Use HTTP/1.1."
    StorageFull "storage-full" 507 "The disk is full"
        "The write did not fit on the disk. Nothing was done; reads go on."
        "Free space on the server's disk and send the request again."
}

impl Kind {
    /// This kind's line of the table.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        &PROBLEMS[self as usize]
    }
}

/// Where in a request a fault lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A JSON Pointer into the content (RFC 6901), `""` for the whole.
    Pointer(String),
    /// A query parameter, by name.
    Parameter(String),
    /// A header field, by name.
    Field(&'static str),
}

/// One fault among several of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where it lies.
    pub place: Place,
    /// What is wrong there and what is expected instead. Never holds a secret value.
    pub detail: String,
}

impl Violation {
    /// A fault in the content, at a JSON Pointer.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Place::Pointer(pointer.into()), detail: detail.into() }
    }

    /// A fault in a query parameter.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Place::Parameter(name.into()), detail: detail.into() }
    }

    /// A fault in a header field.
    pub fn field(name: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Field(name), detail: detail.into() }
    }
}

/// One occurrence of a problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its kind.
    pub kind: Kind,
    /// What is wrong this time and what to send instead. Never holds a secret value.
    pub detail: String,
    /// The single faults, where there are several or where a place can be named.
    pub errors: Vec<Violation>,
    /// Fields that the answer carries: Allow, Accept, Retry-After …
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// True where the connection cannot be used further (RFC 9112 §9.6).
    pub close: bool,
}

impl Problem {
    /// A problem with its detail.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), fields: Vec::new(), close: false }
    }

    /// Adds single faults.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Violation>) -> Self {
        self.errors.extend(errors);
        self
    }

    /// Adds a field to the answer.
    #[must_use]
    pub fn with_field(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }

    /// Says that the connection cannot be used further.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::PROBLEMS;

    #[test]
    fn every_problem_has_its_own_slug_and_stands_at_its_index() {
        for (index, entry) in PROBLEMS.iter().enumerate() {
            assert_eq!(entry.kind as usize, index);
            assert!((400..600).contains(&entry.status));
            assert_eq!(PROBLEMS.iter().filter(|other| other.slug == entry.slug).count(), 1);
        }
    }
}
