//! What others do to the time that one answer takes: the p99 alone, divided by the p99 beside them.

use crate::latency::Histogram;
use crate::load::Run;
use crate::measure::{Figure, Pairs, median};
use crate::work::Aim;

/// Requests for one record that are under way meanwhile.
pub(crate) const READERS: usize = 4;

/// Runs of reads, alone and beside others.
#[derive(Default)]
pub(crate) struct Beside {
    pairs: Pairs,
    shares: Vec<f64>,
    alone: Histogram,
    beside: Histogram,
    others: Run,
}

impl Beside {
    /// Adds a run alone and one beside others: the reads are the first lane of both.
    pub(crate) fn add(&mut self, alone: Vec<Run>, beside: Vec<Run>) -> Result<(), String> {
        let quiet = alone.into_iter().next().ok_or("a load without a run")?;
        let mut runs = beside.into_iter();
        let crowded = runs.next().ok_or("a load without a run")?;
        self.shares.push(quiet.latency.per_mille(990) / crowded.latency.per_mille(990));
        self.alone.merge(&quiet.latency);
        self.beside.merge(&crowded.latency);
        self.pairs.add(&quiet, &crowded);
        for other in runs {
            self.others.answers += other.answers;
            self.others.latency.merge(&other.latency);
            for (status, times) in &other.statuses {
                self.others.statuses.entry(*status).or_default().merge(times);
            }
        }
        Ok(())
    }

    /// What they come to. The remark is about what went on beside.
    pub(crate) fn figure(self, aim: Aim, size: u64, remark: impl Fn(&Run) -> String) -> Figure {
        let Self { pairs, shares, alone, beside, others } = self;
        let mut figure = pairs.figure(aim, size, String::new());
        // Both sides are ours, and processor time says nothing of waiting: the reader has to judge.
        let waited = std::mem::take(&mut figure.waited);
        figure.note = format!(
            "ratio of the p99, alone by beside: {:.2} / {:.2} ms alone, when it waited for its \
             core {:.0} % of its time, {:.2} / {:.2} ms beside; {}",
            alone.per_mille(500),
            alone.per_mille(990),
            waited * 100.0,
            beside.per_mille(500),
            beside.per_mille(990),
            remark(&others)
        );
        figure.ratio = median(shares);
        figure
    }
}
