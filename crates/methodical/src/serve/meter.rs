//! Counts requests: by route, method and status, and their times. Counting one is three relaxed
//! additions and a few comparisons; no lock, no memory asked for. Labels are patterns, names of
//! the table and numbers, never anything that a client chose.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the times that are counted apart, in microseconds; one more counts all above.
pub(crate) const BOUNDS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 5_000_000,
];

/// Places for routes, for methods, and for series; a power of two. There are far fewer of each.
const ROUTES: usize = 64;
const METHODS: usize = 16;
const SERIES: usize = 2_048;

/// Names, each at the place where it was first seen.
struct Names<const N: usize>([OnceLock<&'static str>; N]);

impl<const N: usize> Names<N> {
    fn new() -> Self {
        Self(std::array::from_fn(|_| OnceLock::new()))
    }

    /// The place of a name. Where all are taken, the last is shared.
    fn place(&self, name: &'static str) -> usize {
        for (at, known) in self.0.iter().enumerate() {
            if *known.get_or_init(|| name) == name {
                return at;
            }
        }
        N - 1
    }

    fn name(&self, at: usize) -> &'static str {
        self.0.get(at).and_then(OnceLock::get).copied().unwrap_or("-")
    }
}

/// How often one route was answered with one status to one method.
#[derive(Default)]
struct Series {
    /// Route, method and status, and 1 more; 0 while it is free.
    key: AtomicU32,
    count: AtomicU64,
}

/// The times of one route and method.
#[derive(Default)]
struct Times {
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// The counters.
pub(crate) struct Meter {
    routes: Names<ROUTES>,
    methods: Names<METHODS>,
    series: Box<[Series]>,
    times: Box<[Times]>,
}

/// A counter as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) route: &'static str,
    pub(crate) method: &'static str,
    pub(crate) status: u32,
    pub(crate) count: u64,
}

/// Times as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timed {
    pub(crate) route: &'static str,
    pub(crate) method: &'static str,
    /// By bound, and above; none of them in another.
    pub(crate) counts: [u64; BOUNDS_US.len() + 1],
    pub(crate) sum_us: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            routes: Names::new(),
            methods: Names::new(),
            series: (0..SERIES).map(|_| Series::default()).collect(),
            times: (0..ROUTES * METHODS).map(|_| Times::default()).collect(),
        }
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Meter")
    }
}

impl Meter {
    /// Counts an answer.
    pub(crate) fn count(
        &self,
        route: &'static str,
        method: &'static str,
        status: u16,
        total: Duration,
    ) {
        let route = self.routes.place(if route.is_empty() { "-" } else { route });
        let method = self.methods.place(method);
        let key = (route * METHODS + method) * 1024 + usize::from(status.min(1023)) + 1;
        if let Some(series) = self.find(u32::try_from(key).unwrap_or(u32::MAX)) {
            series.count.fetch_add(1, Ordering::Relaxed);
        }
        let us = u64::try_from(total.as_micros()).unwrap_or(u64::MAX);
        let times = &self.times[route * METHODS + method];
        let at = BOUNDS_US.partition_point(|most| *most < us);
        times.counts[at].fetch_add(1, Ordering::Relaxed);
        times.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// The series of a key, which takes a free place the first time.
    fn find(&self, key: u32) -> Option<&Series> {
        let start = (key.wrapping_mul(0x9e37_79b9) >> 16) as usize;
        (0..SERIES).map(|step| &self.series[(start + step) % SERIES]).find(|series| {
            let known = series.key.load(Ordering::Relaxed);
            known == key
                || known == 0
                    && series
                        .key
                        .compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed)
                        .map_or_else(|other| other == key, |_| true)
        })
    }

    /// Every counter that has counted, in an order that stays.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        let mut all: Vec<Counted> = self
            .series
            .iter()
            .filter_map(|series| {
                let key = series.key.load(Ordering::Relaxed).checked_sub(1)?;
                let place = (key / 1024) as usize;
                Some(Counted {
                    route: self.routes.name(place / METHODS),
                    method: self.methods.name(place % METHODS),
                    status: key % 1024,
                    count: series.count.load(Ordering::Relaxed),
                })
            })
            .collect();
        all.sort_by_key(|one| (one.route, one.method, one.status));
        all
    }

    /// The times of every route and method that was asked for.
    pub(crate) fn timed(&self) -> Vec<Timed> {
        let mut all: Vec<Timed> = self
            .times
            .iter()
            .enumerate()
            .map(|(place, times)| Timed {
                route: self.routes.name(place / METHODS),
                method: self.methods.name(place % METHODS),
                counts: std::array::from_fn(|at| times.counts[at].load(Ordering::Relaxed)),
                sum_us: times.sum_us.load(Ordering::Relaxed),
            })
            .filter(|timed| timed.counts.iter().any(|count| *count > 0))
            .collect();
        all.sort_by_key(|one| (one.route, one.method));
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn threads_that_count_at_once_lose_nothing() {
        let meter = Arc::new(Meter::default());
        let routes = ["/{resource}", "/{resource}/{id}", "/", ""];
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let meter = Arc::clone(&meter);
                std::thread::spawn(move || {
                    for round in 0..1_000_u16 {
                        let status = 200 + round % 50;
                        let time = Duration::from_micros(u64::from(round) * 10);
                        meter.count(routes[usize::from(round) % 4], "-", status, time);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let counted = meter.counted();
        assert_eq!(counted.iter().map(|one| one.count).sum::<u64>(), 4_000);
        assert_eq!(counted.len(), 100, "each pair of a route and a status once");
        let timed = meter.timed();
        assert_eq!(timed.len(), 4);
        assert_eq!(timed.iter().flat_map(|one| one.counts).sum::<u64>(), 4_000);
        assert_eq!(timed.iter().map(|one| one.sum_us).sum::<u64>(), 4 * 4_995_000);
    }

    #[test]
    fn more_names_than_places_share_the_last() {
        let names = Names::<2>::new();
        assert_eq!([names.place("a"), names.place("b"), names.place("c")], [0, 1, 1]);
        assert_eq!(names.name(0), "a");
    }
}
