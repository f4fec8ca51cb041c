//! A histogram of times: 32 steps between powers of two, so that a figure is within 3 percent.

use std::time::Duration;

const STEPS_LOG2: u32 = 5;
const STEPS: usize = 1 << STEPS_LOG2;

/// Counts of times, by size.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    all: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; STEPS * 60], all: 0 }
    }
}

impl Histogram {
    /// Counts one time.
    pub(crate) fn add(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let place = place(nanoseconds).min(self.counts.len() - 1);
        self.counts[place] += 1;
        self.all += 1;
    }

    /// Adds the counts of another histogram.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (own, others) in self.counts.iter_mut().zip(&other.counts) {
            *own += others;
        }
        self.all += other.all;
    }

    /// How many times were counted.
    pub(crate) fn number(&self) -> u64 {
        self.all
    }

    /// The time that this many of a thousand stay under, in milliseconds.
    pub(crate) fn per_mille(&self, share: u64) -> f64 {
        let wanted = (self.all * share).div_ceil(1000).max(1);
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper(place) / 1e6;
            }
        }
        0.0
    }
}

fn place(nanoseconds: u64) -> usize {
    let size = u64::BITS - nanoseconds.leading_zeros();
    if size <= STEPS_LOG2 {
        return usize::try_from(nanoseconds).unwrap_or(0);
    }
    let shift = size - STEPS_LOG2 - 1;
    let step = usize::try_from(nanoseconds >> shift).unwrap_or(0) - STEPS;
    STEPS * (usize::try_from(shift).unwrap_or(0) + 1) + step
}

/// The end of a step, in nanoseconds.
fn upper(place: usize) -> f64 {
    if place < STEPS {
        return place as f64;
    }
    let shift = place / STEPS - 1;
    ((place % STEPS + STEPS + 1) as f64) * (2_f64).powi(i32::try_from(shift).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::Histogram;
    use std::time::Duration;

    #[test]
    fn shares_are_within_three_percent() {
        let mut histogram = Histogram::default();
        for microseconds in 1..=1000 {
            histogram.add(Duration::from_micros(microseconds));
        }
        for (share, wanted) in [(500, 0.5), (990, 0.99), (1000, 1.0)] {
            let found = histogram.per_mille(share);
            assert!((found / wanted - 1.0).abs() < 0.04, "{share}: {found}");
        }
    }

    #[test]
    fn small_and_huge_times_have_a_place() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::ZERO);
        histogram.add(Duration::from_secs(3600));
        assert!(histogram.per_mille(1) < 1e-6);
        assert!(histogram.per_mille(1000) > 3.5e6);
    }
}
