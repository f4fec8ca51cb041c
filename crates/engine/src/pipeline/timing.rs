//! How long each stage took, for `Server-Timing` (W3C Server Timing).

use std::fmt::Write;
use std::time::Instant;

use http::HeaderMap;

/// Stages and their ends.
pub(super) struct Timing {
    /// None where nobody has a preference, so that nobody can ask for it: looking at the clock
    /// after every stage takes longer than some of them.
    start: Option<Instant>,
    marks: [(&'static str, f64); 5],
    used: usize,
}

impl Timing {
    /// The first stage begins now.
    pub(super) fn start(fields: &HeaderMap) -> Self {
        let start = fields.contains_key("prefer").then(Instant::now);
        Self { start, marks: [("", 0.0); 5], used: 0 }
    }

    /// The stage of this name ends now.
    pub(super) fn mark(&mut self, stage: &'static str) {
        if let Some(start) = self.start {
            self.marks[self.used] = (stage, start.elapsed().as_secs_f64() * 1e3);
            self.used += 1;
        }
    }

    /// The field's value: milliseconds a stage.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut before = 0.0;
        for (stage, at) in &self.marks[..self.used] {
            let separator = if text.is_empty() { "" } else { ", " };
            // Writing into a String does not fail.
            let _ = write!(text, "{separator}{stage};dur={:.3}", at - before);
            before = *at;
        }
        text
    }
}
