//! Reading `methodical.toml`: text in, Model and settings and every complaint out.

use crate::complaint::{Complaint, Level};
use crate::model::Model;
use crate::{check, source};
use std::ops::Range;

/// What a declaration's text says.
#[derive(Debug)]
pub struct Reading {
    /// The declaration as it is meant. None where there is an error among the complaints.
    pub model: Option<Model>,
    /// The settings in the file: key, value as written (`${NAME}` not yet replaced), and where
    /// the value stands. For `Settings::apply`.
    pub settings: Vec<(String, String, Range<usize>)>,
    /// Everything to say about it, in the order of the text.
    pub complaints: Vec<Complaint>,
}

/// Reads a declaration. No file is touched: whether the seed is there is for others to find out.
#[must_use]
pub fn read(text: &str) -> Reading {
    let mut complaints = Vec::new();
    let source = source::read(text, &mut complaints);
    if source.broken {
        return Reading { model: None, settings: Vec::new(), complaints };
    }
    let (model, settings) = check::declaration(&source.root, &mut complaints);
    complaints.sort_by_key(|complaint| (complaint.span.start, complaint.level));
    complaints.dedup();
    let sound = complaints.iter().all(|complaint| complaint.level != Level::Error);
    Reading { model: model.filter(|_| sound), settings, complaints }
}

#[cfg(test)]
#[path = "declaration_tests.rs"]
mod tests;
