//! The one timer of a connection. Its deadline moves with every request, and mostly forwards: so
//! the timer is left where it was and moved only when it fires, which costs nothing per request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline that can be moved cheaply.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    deadline: Instant,
}

impl Alarm {
    /// An alarm that is due after this time.
    pub(crate) fn after(time: Duration) -> Self {
        Self::at(Instant::now() + time)
    }

    /// An alarm that is due then.
    pub(crate) fn at(deadline: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(deadline)), deadline }
    }

    /// Moves the deadline.
    pub(crate) fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(deadline);
        }
    }

    /// Moves the deadline to this time from now.
    pub(crate) fn set_after(&mut self, time: Duration) {
        self.set(Instant::now() + time);
    }

    /// Ready when the deadline has passed.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.sleep.as_mut().poll(context).is_ready() {
            if Instant::now() >= self.deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::Alarm;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_moves_both_ways() {
        let start = Instant::now();
        let mut alarm = Alarm::after(Duration::from_secs(1));
        alarm.set_after(Duration::from_secs(5));
        poll_fn(|context| alarm.poll(context)).await;
        assert_eq!(start.elapsed().as_secs(), 5);
        alarm.set_after(Duration::from_secs(60));
        alarm.set_after(Duration::from_secs(2));
        poll_fn(|context| alarm.poll(context)).await;
        assert_eq!(start.elapsed().as_secs(), 7);
    }
}
