//! An answer with its form, before validators, caching and coding are settled.

use http::{HeaderName, HeaderValue};

/// A rendered answer, before validators and caching are settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The media type of the content; empty where there is none.
    pub(crate) media: &'static str,
    /// The content.
    pub(crate) content: Vec<u8>,
    /// Fields that belong to what happened: Location, Content-Location, ETag of a write, Link.
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    /// The version part of the ETag of a read; empty where there is none.
    pub(crate) version: String,
    /// When what is shown was last changed, in milliseconds since 1970.
    pub(crate) modified: Option<i64>,
    /// What the variant part of the ETag folds in beside what was asked for.
    pub(crate) included: String,
}

impl Answer {
    /// An answer without fields or validators.
    pub(crate) fn new(status: u16, media: &'static str, content: Vec<u8>) -> Self {
        Self {
            status,
            media,
            content,
            fields: Vec::new(),
            version: String::new(),
            modified: None,
            included: String::new(),
        }
    }
}
