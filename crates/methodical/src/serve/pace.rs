//! How fast the other side has to be: each byte that it sends or takes buys it time, so that nobody
//! holds a connection with a byte now and then.

use std::time::Duration;

use tokio::time::Instant;

use model::setting::Settings;

/// What one request or one answer has moved, and how long the other side was waited for. Time that
/// we take ourselves is not counted.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How long nothing at all may move, and what the other side has for a beginning.
    patience: Duration,
    bytes_per_second: usize,
    moved: u64,
    waited: Duration,
    /// Since when the other side is waited for.
    since: Option<Instant>,
}

impl Pace {
    /// The pace of whoever sends content.
    pub(crate) fn of_sender(settings: &Settings) -> Self {
        Self::new(settings.content_gap_timeout, settings.pace_min)
    }

    /// The pace of whoever reads an answer.
    pub(crate) fn of_reader(settings: &Settings) -> Self {
        Self::new(settings.send_timeout, settings.pace_min)
    }

    fn new(patience: Duration, bytes_per_second: usize) -> Self {
        let waited = Duration::ZERO;
        Self { patience, bytes_per_second, moved: 0, waited, since: None }
    }

    /// Begins again, for the next answer.
    pub(crate) fn restart(&mut self) {
        (self.moved, self.waited, self.since) = (0, Duration::ZERO, None);
    }

    /// Bytes have moved.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.moved += bytes as u64;
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// The other side is waited for. Gives when this has to have an end; nothing where that was
    /// given already.
    pub(crate) fn wait(&mut self) -> Option<Instant> {
        if self.since.is_some() {
            return None;
        }
        let now = Instant::now();
        self.since = Some(now);
        let bought = self.moved as f64 / self.bytes_per_second.max(1) as f64;
        let bought = Duration::try_from_secs_f64(bought).unwrap_or(Duration::MAX);
        let left = self.patience.saturating_add(bought).saturating_sub(self.waited);
        Some(now + left.min(self.patience))
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;
    use tokio::time::{Instant, advance};

    #[tokio::test(start_paused = true)]
    async fn bytes_buy_time_and_none_beyond_patience() {
        let left = |pace: &mut Pace| pace.wait().map(|due| (due - Instant::now()).as_secs());
        let mut pace = Pace::new(Duration::from_secs(10), 100);
        assert_eq!(left(&mut pace), Some(10));
        assert_eq!(left(&mut pace), None, "it is known");
        advance(Duration::from_secs(9)).await;
        pace.moved(200);
        // Our own time is not theirs.
        advance(Duration::from_secs(60)).await;
        assert_eq!(left(&mut pace), Some(3), "10 + 2 - 9");
        advance(Duration::from_secs(2)).await;
        pace.moved(1_000_000);
        assert_eq!(left(&mut pace), Some(10));
        pace.restart();
        assert_eq!(left(&mut pace), Some(10));
    }
}
