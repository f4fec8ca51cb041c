//! Texts as people write them, as far as an index can tell: few words are frequent, most are rare
//! (Zipf's law), and a key that a few texts share. The same in every run.

use crate::data::mix;

/// Different words, the keys apart.
const WORDS: u64 = 50_000;
const CONSONANTS: &[u8; 20] = b"bcdfghjklmnprstvwxyz";
const VOWELS: &[u8; 5] = b"aeiou";
/// Letters of a key after its first.
const KEY_LETTERS: u32 = 5;
/// Texts that share a key.
const SHARED: u64 = 8;

/// The word of this rank, from 0: the larger the rarer.
pub(crate) fn word(mut rank: u64) -> String {
    let mut out = String::new();
    while out.len() < 4 || rank > 0 {
        let syllable = usize::try_from(rank % 100).unwrap_or(0);
        out.push(char::from(CONSONANTS[syllable % 20]));
        out.push(char::from(VOWELS[syllable / 20]));
        rank /= 100;
    }
    out
}

/// A rank drawn so that each comes about as often as its reciprocal says.
fn drawn(random: u64) -> u64 {
    let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
    let rank = (WORDS as f64).powf(share) - 1.0;
    (rank as u64).min(WORDS - 1)
}

/// The word that eight texts have, this one among them. No other word begins with its letter.
pub(crate) fn key(id: u64) -> String {
    let group = id / SHARED;
    let letter =
        |place: u32| (b'a' + u8::try_from(group / 26_u64.pow(place) % 26).unwrap_or(0)) as char;
    std::iter::once('q').chain((0..KEY_LETTERS).rev().map(letter)).collect()
}

/// The text of a document: its key, and 20 to 50 words.
pub(crate) fn text(id: u64) -> String {
    let number = 20 + mix(id) % 31;
    let mut out = key(id);
    for place in 0..number {
        out.push(' ');
        out.push_str(&word(drawn(mix(id * 64 + place))));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{key, text, word};
    use std::collections::HashSet;

    #[test]
    fn words_differ_and_the_first_are_frequent() {
        let words: HashSet<String> = (0..50_000).map(word).collect();
        assert_eq!(words.len(), 50_000);
        let holding = |word: &str| {
            (1..=1000).filter(|id| text(*id).split(' ').any(|other| other == word)).count()
        };
        assert!(holding(&word(0)) > 800);
        let middle = holding(&word(100));
        assert!((10..80).contains(&middle), "{middle}");
        assert_eq!(holding(&key(80)), 8);
    }
}
