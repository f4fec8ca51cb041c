//! A line of progress on a terminal: how much, how fast, how long still. Silent elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use super::site::size;

/// How often the line is written anew.
const PAUSE: Duration = Duration::from_millis(100);

/// A line that is written over and over.
pub(crate) struct Line {
    is_shown: bool,
    what: &'static str,
    begun: Instant,
    written: Option<Instant>,
}

impl Line {
    /// A line that is shown where standard error is a terminal.
    pub(crate) fn new() -> Self {
        Self { is_shown: stderr().is_terminal(), what: "", begun: Instant::now(), written: None }
    }

    /// So many bytes of so many are done.
    pub(crate) fn tell(&mut self, what: &'static str, done: u64, all: u64) {
        if self.what != what {
            (self.what, self.begun, self.written) = (what, Instant::now(), None);
        }
        let is_early = self.written.is_some_and(|at| at.elapsed() < PAUSE);
        if !self.is_shown || is_early && done < all {
            return;
        }
        self.written = Some(Instant::now());
        let text = text(what, done, all, self.begun.elapsed());
        // A terminal that is gone is no reason to stop.
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if self.written.is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

fn text(what: &str, done: u64, all: u64, elapsed: Duration) -> String {
    let percent = done.saturating_mul(100) / all.max(1);
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1000) / millis;
    let left = all.saturating_sub(done) / rate.max(1);
    format!("{what} {percent} % of {}, {}/s, {left} s left", size(all), size(rate))
}

#[cfg(test)]
mod tests {
    use super::text;
    use std::time::Duration;

    #[test]
    fn a_line_says_how_long_still() {
        let line = text("copying", 10 << 20, 40 << 20, Duration::from_secs(5));
        assert_eq!(line, "copying 25 % of 40.0 MiB, 2.0 MiB/s, 15 s left");
    }
}
