//! Requests into responses.

pub mod content;
pub mod report;
