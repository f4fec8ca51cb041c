//! Patches: what a client wants changed in a document, as two media types say it.

pub mod json;
pub mod merge;
