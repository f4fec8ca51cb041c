//! The one tokenizer of the product: what counts as a word, on every database alike.

use std::ops::Range;
use std::sync::LazyLock;

use caseless::Caseless;
use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{
    canonical_combining_class, decompose_canonical, is_combining_mark,
};

use super::CHARACTERS_MAX;

/// Where a token is cut. No token of a query is as long, so a cut is never seen: an index that
/// keeps the whole token finds the same.
const TOKEN_BYTES_MAX: usize = 4_096;
const _: () = assert!(TOKEN_BYTES_MAX > 4 * CHARACTERS_MAX, "a query must not reach the cut");

/// What is passed over inside a word: the combining diacritical marks of Latin, Greek and
/// Cyrillic, so that `cafe` finds `Café`, and what only says how to break or to join.
const DROPPED: [(char, char); 10] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{300}', '\u{36f}'),
    ('\u{1ab0}', '\u{1aff}'),
    ('\u{1dc0}', '\u{1dff}'),
    ('\u{200c}', '\u{200d}'),
    ('\u{2060}', '\u{2060}'),
    ('\u{20d0}', '\u{20ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{fe20}', '\u{fe2f}'),
    ('\u{e0100}', '\u{e01ef}'),
];

/// The scripts that put no spaces between words.
static UNSPACED: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let scripts = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"];
    // With the extensions: the mark that makes a vowel of kana long belongs to two scripts.
    let class = scripts.map(|script| format!(r"\p{{scx={script}}}")).concat();
    let class = regex_syntax::parse(&format!("[{class}]")).expect("these scripts exist");
    match class.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|range| (range.start(), range.end())).collect()
        }
        _ => unreachable!("a class of scripts is a class of characters"),
    }
});

/// The tokens of a text, and where they stand in it.
#[derive(Debug)]
pub(super) struct Tokens {
    /// The tokens with a space between them, which is also what an index is made from.
    pub(super) text: String,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    /// In `Tokens::text`.
    token: Range<usize>,
    /// In the original.
    span: Range<usize>,
    /// Nothing separates it from the token before it.
    is_joined: bool,
}

impl Tokens {
    /// Finds the tokens of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut writer = Writer {
            tokens: Self { text: String::with_capacity(text.len()), places: Vec::new() },
            open: None,
        };
        let mut rest = text.char_indices().peekable();
        while let Some((start, first)) = rest.next() {
            let mut end = start + first.len_utf8();
            // A character with all that combines with it: normalization reaches no farther.
            while let Some((at, next)) = rest.next_if(|(_, next)| combines(*next)) {
                end = at + next.len_utf8();
            }
            let span = start..end;
            if first.is_ascii() && span.len() == 1 {
                writer.push(first.to_ascii_lowercase(), &span);
            } else {
                // What `fold::fold` makes of the whole text, but that marks find their order
                // across what is passed over.
                let characters = text[span.clone()].chars().filter(|c| !is_passed_over(*c));
                for character in characters.nfd().default_case_fold().nfd() {
                    writer.push(character, &span);
                }
            }
        }
        writer.tokens
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The token at this place.
    pub(super) fn token(&self, at: usize) -> &str {
        &self.text[self.places[at].token.clone()]
    }

    /// Where the token at this place stands in the original, in bytes. Spans never go back, but
    /// two tokens that one character was folded to have the same.
    pub(super) fn span(&self, at: usize) -> Range<usize> {
        self.places[at].span.clone()
    }

    /// The first token that ends behind a byte of the original.
    pub(super) fn behind(&self, byte: usize) -> Option<Range<usize>> {
        let at = self.places.partition_point(|place| place.span.end <= byte);
        self.places.get(at).map(|place| place.span.clone())
    }

    /// Runs of tokens that nothing separates, as ranges of places.
    pub(super) fn words(&self) -> Vec<Range<usize>> {
        let mut words: Vec<Range<usize>> = Vec::new();
        for (at, place) in self.places.iter().enumerate() {
            match words.last_mut() {
                Some(word) if place.is_joined => word.end = at + 1,
                _ => words.push(at..at + 1),
            }
        }
        words
    }
}

/// True where a character is dropped that normalization would stop at.
fn is_passed_over(character: char) -> bool {
    Kind::of(character) == Kind::Dropped && canonical_combining_class(character) == 0
}

/// True where a character may change places with the one before it, or join it.
fn combines(character: char) -> bool {
    if character.is_ascii() {
        return false;
    }
    if is_passed_over(character) {
        return true;
    }
    let mut first = None;
    decompose_canonical(character, |part| {
        first.get_or_insert(part);
    });
    first.is_some_and(|first| canonical_combining_class(first) != 0)
}

/// What a character is to the tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Passed over.
    Dropped,
    /// Ends a token.
    Separator,
    /// Belongs to the letter before it.
    Mark,
    /// A letter or digit of a script with spaces.
    Spaced,
    /// A token of its own.
    Unspaced,
}

impl Kind {
    fn of(character: char) -> Self {
        if character.is_ascii() {
            return match character.is_ascii_alphanumeric() {
                true => Self::Spaced,
                false => Self::Separator,
            };
        }
        let among = |ranges: &[(char, char)]| {
            let at = ranges.partition_point(|(_, last)| *last < character);
            ranges.get(at).is_some_and(|(first, _)| *first <= character)
        };
        if among(&DROPPED) {
            Self::Dropped
        } else if is_combining_mark(character) {
            Self::Mark
        } else if !character.is_alphanumeric() {
            Self::Separator
        } else if among(&UNSPACED) {
            Self::Unspaced
        } else {
            Self::Spaced
        }
    }
}

struct Writer {
    tokens: Tokens,
    /// What the token is that the next character may belong to.
    open: Option<Kind>,
}

impl Writer {
    fn push(&mut self, character: char, span: &Range<usize>) {
        match Kind::of(character) {
            Kind::Dropped => {}
            Kind::Separator => self.open = None,
            // A mark without a letter is no word.
            Kind::Mark if self.open.is_none() => {}
            Kind::Mark => self.extend(character, span),
            Kind::Spaced if self.open == Some(Kind::Spaced) => self.extend(character, span),
            kind @ (Kind::Spaced | Kind::Unspaced) => {
                self.begin(kind, span);
                self.extend(character, span);
            }
        }
    }

    fn begin(&mut self, kind: Kind, span: &Range<usize>) {
        let Tokens { text, places } = &mut self.tokens;
        if !text.is_empty() {
            text.push(' ');
        }
        let is_joined = self.open.is_some();
        places.push(Place { token: text.len()..text.len(), span: span.clone(), is_joined });
        self.open = Some(kind);
    }

    fn extend(&mut self, character: char, span: &Range<usize>) {
        let Tokens { text, places } = &mut self.tokens;
        let Some(place) = places.last_mut() else { return };
        place.span.end = span.end;
        // Once cut it stays cut, also where a shorter character would still fit.
        if place.token.len() + 4 <= TOKEN_BYTES_MAX {
            text.push(character);
            place.token.end = text.len();
        }
    }
}
