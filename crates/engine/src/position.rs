//! Positions in the change log as clients hold them: numbers in disguise, so that nobody counts
//! from two of them how much was written between that is hidden from it.

use crate::idempotency::hash;

/// What positions are disguised with.
#[derive(Clone, Copy)]
pub(crate) struct Key([u8; 16]);

/// Rounds of a Feistel network over two halves: with four of them nobody tells it from a random
/// permutation (Luby and Rackoff 1988).
const ROUNDS: [&str; 4] = ["1", "2", "3", "4"];

impl Key {
    /// The key that the secret of a database gives.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(hash(secret, "positions", &[]))
    }

    fn round(&self, round: &str, half: u32) -> u32 {
        let whole = hash(&self.0, "position", &[round, &half.to_string()]);
        u32::from_le_bytes([whole[0], whole[1], whole[2], whole[3]])
    }

    /// Sixteen hex digits for a number.
    pub(crate) fn seal(&self, number: i64) -> String {
        let whole = number.cast_unsigned();
        let (mut left, mut right) = ((whole >> 32) as u32, whole as u32);
        for round in ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        format!("{left:08x}{right:08x}")
    }

    /// The number of sixteen hex digits. Any are those of one; `None` where they are none.
    pub(crate) fn open(&self, text: &str) -> Option<i64> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let whole = u64::from_str_radix(text, 16).ok();
        let whole = whole.filter(|_| text.len() == 16 && text.bytes().all(plain))?;
        let (mut left, mut right) = ((whole >> 32) as u32, whole as u32);
        for round in ROUNDS.into_iter().rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        Some(((u64::from(left) << 32) | u64::from(right)).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn what_is_sealed_is_opened_and_says_nothing() {
        let (key, other) = (Key::new(&[7; 32]), Key::new(&[8; 32]));
        for number in [0, 1, 2, 4711, i64::MAX] {
            let text = key.seal(number);
            assert_eq!(text.len(), 16);
            assert_eq!(key.open(&text), Some(number));
            assert_ne!(other.open(&text), Some(number));
        }
        let [one, two] = [1, 2].map(|number| key.seal(number));
        let same = one.bytes().zip(two.bytes()).filter(|(one, two)| one == two).count();
        assert!(same < 8, "{one} {two}");
        for text in ["", "12", "000000000000000g", "+00000000000001", "0000000000000001A"] {
            assert_eq!(key.open(text), None, "{text}");
        }
    }
}
