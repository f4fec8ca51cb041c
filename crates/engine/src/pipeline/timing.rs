//! How long each stage took, for `Server-Timing` (W3C Server Timing).

use std::fmt::Write;
use std::time::Instant;

/// Stages and their ends.
pub(super) struct Timing {
    start: Instant,
    marks: [(&'static str, f64); 4],
    used: usize,
}

impl Timing {
    pub(super) fn start(start: Instant) -> Self {
        Self { start, marks: [("", 0.0); 4], used: 0 }
    }

    /// The stage of this name ends now.
    pub(super) fn mark(&mut self, stage: &'static str) {
        self.marks[self.used] = (stage, self.start.elapsed().as_secs_f64() * 1e3);
        self.used += 1;
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
