//! Request ids: sixteen hexadecimal digits that no two requests share.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes request ids. A counter from a random start is mixed by a bijection, so that ids do not
/// repeat and do not tell how many requests there were.
#[derive(Debug)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    /// Ids that begin at a random place.
    pub(crate) fn new() -> Self {
        // Without randomness from the system, the clock still tells two runs apart.
        let now = || engine::clock::now().0.unsigned_abs();
        Self(AtomicU64::new(getrandom::u64().unwrap_or_else(|_| now())))
    }

    /// The next id.
    pub(crate) fn next(&self) -> String {
        let mut id = mix(self.0.fetch_add(1, Ordering::Relaxed));
        let mut digits = vec![0; 16];
        for digit in digits.iter_mut().rev() {
            *digit = b"0123456789abcdef"[(id & 15) as usize];
            id >>= 4;
        }
        String::from_utf8(digits).unwrap_or_default()
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64 bits.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use std::collections::HashSet;

    #[test]
    fn ids_differ() {
        let ids = Ids::new();
        let made: HashSet<String> = (0..1000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 1000);
        assert!(made.iter().all(|id| id.len() == 16));
    }
}
