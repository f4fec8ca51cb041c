//! How often something may be tried, in a fixed piece of memory, however many try it.
//!
//! Each limit is a GCRA (a leaky bucket that keeps one moment instead of a level): a table of
//! moments at which its slots are empty again. Whoever is counted has two slots, drawn by keyed
//! hashes, and is refused only where both are full: that two share one of them by chance, or
//! because somebody has many addresses, does no harm by itself. Nothing is swept, and nobody can
//! make it grow.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Slots of one limit: half a megabyte.
const SLOTS: usize = 1 << 16;

/// A number of attempts a minute.
pub(crate) struct Limit {
    /// When each slot is empty again, in microseconds since `start`.
    slots: Vec<AtomicU64>,
    keys: [RandomState; 2],
    start: Instant,
    /// What one attempt fills.
    each_us: u64,
    /// What fits.
    most_us: u64,
}

/// Where a limit leaves somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// How much there is room for.
    pub(crate) left: u64,
    /// After how many seconds there is room for all again.
    pub(crate) reset_s: u64,
}

/// What limits count by.
pub(crate) const WINDOW_S: u64 = 60;
const MINUTE: Duration = Duration::from_secs(WINDOW_S);

impl Limit {
    /// So many attempts at once, and as many a minute after that.
    pub(crate) fn a_minute(attempts: u64) -> Self {
        let most_us = u64::try_from(MINUTE.as_micros()).unwrap_or(u64::MAX);
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            keys: [RandomState::new(), RandomState::new()],
            start: Instant::now(),
            each_us: (most_us / attempts.max(1)).max(1),
            most_us,
        }
    }

    /// Counts an attempt, and says where that leaves whoever it was. An error: after how many
    /// seconds another may be made.
    pub(crate) fn count(&self, who: &impl Hash) -> (Result<(), u64>, Level) {
        let (slots, now) = (self.slots(who), self.now());
        let counted = self.attempt_in(&slots, now);
        let filled = self.least(&slots, now);
        let left = self.most_us.saturating_sub(filled) / self.each_us;
        (counted, Level { left, reset_s: filled.div_ceil(1_000_000) })
    }

    /// Counts so many more attempts that were made together: what there is no room for is not
    /// taken back, but nothing more is let in until it would have fitted.
    pub(crate) fn charge(&self, who: &impl Hash, attempts: u64) {
        let now = self.now();
        for slot in self.slots(who) {
            let fill = |empty: u64| {
                let full = empty.max(now).saturating_add(attempts.saturating_mul(self.each_us));
                Some(full.min(now + 2 * self.most_us))
            };
            // The closure never gives up.
            let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fill);
        }
    }

    /// Counts an attempt. An error: after how many seconds another may be made.
    pub(crate) fn attempt(&self, who: &impl Hash) -> Result<(), u64> {
        self.attempt_at(who, self.now())
    }

    /// Whether an attempt could be made now, without counting one.
    pub(crate) fn look(&self, who: &impl Hash) -> Result<(), u64> {
        self.look_at(&self.slots(who), self.now())
    }

    /// Takes an attempt back that was counted, and came to nothing through no doing of its own.
    pub(crate) fn give_back(&self, who: &impl Hash) {
        for slot in self.slots(who) {
            let empty = |empty: u64| Some(empty.saturating_sub(self.each_us));
            // The closure never gives up.
            let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, empty);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn slots(&self, who: &impl Hash) -> [&AtomicU64; 2] {
        self.keys.each_ref().map(|key| {
            let at = usize::try_from(key.hash_one(who) % SLOTS as u64).unwrap_or(0);
            &self.slots[at]
        })
    }

    fn look_at(&self, slots: &[&AtomicU64; 2], now: u64) -> Result<(), u64> {
        let least = self.least(slots, now);
        if least + self.each_us > self.most_us {
            return Err((least + self.each_us - self.most_us).div_ceil(1_000_000).max(1));
        }
        Ok(())
    }

    /// The emptier of the two says the most that can have been tried.
    fn least(&self, slots: &[&AtomicU64; 2], now: u64) -> u64 {
        let filled = slots.map(|slot| slot.load(Ordering::Relaxed).max(now) - now);
        filled[0].min(filled[1])
    }

    fn attempt_at(&self, who: &impl Hash, now: u64) -> Result<(), u64> {
        self.attempt_in(&self.slots(who), now)
    }

    fn attempt_in(&self, slots: &[&AtomicU64; 2], now: u64) -> Result<(), u64> {
        self.look_at(slots, now)?;
        for slot in slots {
            let fill = |empty: u64| Some(empty.max(now) + self.each_us);
            // The closure never gives up.
            let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fill);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Limit;

    #[test]
    fn so_many_at_once_and_as_many_a_minute() {
        let limit = Limit::a_minute(6);
        for attempt in 0..6 {
            assert_eq!(limit.attempt_at(&"a", 1_000_000), Ok(()), "{attempt}");
        }
        assert_eq!(limit.attempt_at(&"a", 1_000_000), Err(10));
        assert_eq!(limit.attempt_at(&"a", 6_000_000), Err(5), "waiting counts");
        assert_eq!(limit.attempt_at(&"a", 11_000_000), Ok(()));
        assert_eq!(limit.attempt_at(&"a", 11_000_000), Err(10));
        assert_eq!(limit.attempt_at(&"b", 1_000_000), Ok(()), "somebody else");
        for _ in 0..6 {
            assert_eq!(
                limit.attempt_at(&"a", 200_000_000),
                Ok(()),
                "a minute later all is forgotten"
            );
        }
    }

    #[test]
    fn what_is_only_looked_at_or_given_back_does_not_count() {
        let limit = Limit::a_minute(2);
        for _ in 0..5 {
            assert_eq!(limit.look(&"a"), Ok(()));
            assert_eq!(limit.attempt(&"a"), Ok(()));
            limit.give_back(&"a");
        }
        assert_eq!((limit.attempt(&"a"), limit.attempt(&"a")), (Ok(()), Ok(())));
        assert!(limit.look(&"a").is_err() && limit.attempt(&"a").is_err());
        limit.give_back(&"a");
        assert_eq!(limit.attempt(&"a"), Ok(()));
    }

    #[test]
    fn many_others_keep_nobody_out() {
        let limit = Limit::a_minute(10);
        for other in 0..2_000 {
            for _ in 0..10 {
                let _ = limit.attempt_at(&other, 0);
            }
        }
        let kept_out = (10_000..10_200).filter(|who| limit.attempt_at(who, 0).is_err()).count();
        assert!(kept_out <= 8, "{kept_out} of 200 have two full slots by chance");
    }
}
