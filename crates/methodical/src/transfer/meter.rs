//! How far a command is: a line that is written again and again, on a terminal only.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use super::grouped;

/// How often the line is written.
const PAUSE: Duration = Duration::from_millis(200);
/// Wide enough to write over what was there.
const WIDTH: usize = 76;

/// A line of progress.
pub(crate) struct Meter {
    begun: Instant,
    shown: Option<Instant>,
    is_on: bool,
    /// What was done before this run, and is no work of its own.
    before: u64,
}

impl Meter {
    /// Begins now.
    pub(crate) fn start() -> Self {
        let is_on = std::io::stderr().is_terminal();
        Self { begun: Instant::now(), shown: None, is_on, before: 0 }
    }

    /// Begins anew behind what is done already.
    pub(crate) fn go_on_behind(&mut self, units: u64) {
        (self.begun, self.before) = (Instant::now(), units);
    }

    /// Shows how many records are done, and how much of the whole that is, in any unit.
    pub(crate) fn show(&mut self, records: u64, done: u64, whole: Option<u64>) {
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE);
        if self.is_on && is_due {
            self.shown = Some(Instant::now());
            let line = line(records, done, whole, self.before, self.begun.elapsed());
            eprint!("\r{line:<WIDTH$}");
        }
    }

    /// Takes the line away, and gives the time that it took.
    pub(crate) fn end(&mut self) -> Duration {
        if self.shown.take().is_some() {
            eprint!("\r{:<WIDTH$}\r", "");
        }
        self.begun.elapsed()
    }
}

fn line(records: u64, done: u64, whole: Option<u64>, before: u64, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(0.001);
    let here = done.saturating_sub(before) as f64;
    let share = here / (done.max(1) as f64);
    let mut line = format!("{} records", grouped(records));
    let rate = (records as f64 * share / seconds).round() as u64;
    line.push_str(&format!(", {} a second", grouped(rate)));
    if let Some(whole) = whole.filter(|whole| *whole > 0) {
        let percent = done.min(whole) * 100 / whole;
        line.push_str(&format!(", {percent} %"));
        if here > 0.0 {
            let left = (whole.saturating_sub(done)) as f64 * seconds / here;
            line.push_str(&format!(", {} left", span(left.round() as u64)));
        }
    }
    line
}

/// `12s`, `3min 20s`, `2h 5min`.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}min {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::line;
    use std::time::Duration;

    #[test]
    fn a_line_says_how_many_how_fast_and_how_long() {
        let seconds = Duration::from_secs;
        assert_eq!(
            line(50_000, 500, Some(2_000), 0, seconds(5)),
            "50,000 records, 10,000 a second, 25 %, 15s left"
        );
        assert_eq!(line(50_000, 500, None, 0, seconds(5)), "50,000 records, 10,000 a second");
        let later = line(50_000, 500, Some(100_500), 250, seconds(5));
        assert_eq!(later, "50,000 records, 5,000 a second, 0 %, 33min 20s left");
    }
}
