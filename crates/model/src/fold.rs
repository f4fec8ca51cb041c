//! The one case fold of the product: what `ignoreCase` compares, on every database alike.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// Folds text so that two texts are equal exactly when Unicode calls them a canonical caseless
/// match (Unicode 3.13, D145): letter case and the way in which accents are composed vanish,
/// accents themselves do not.
///
/// The result is in NFD, in which an accented letter also sorts beside its plain one.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Decomposing first is needed for U+0345 and what contains it; see D145.
    text.nfd().default_case_fold().nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_and_composition_vanish_and_accents_stay() {
        for (left, right) in [
            ("Alice", "aLICE"),
            ("STRASSE", "straße"),
            ("École", "e\u{301}COLE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("\u{1fc3}", "ΗΙ"),
            ("ﬁ", "FI"),
            ("Å", "\u{212b}"),
        ] {
            assert_eq!(fold(left), fold(right), "{left} {right}");
        }
        assert_ne!(fold("resume"), fold("résumé"));
        assert_ne!(fold("ı"), fold("i"));
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["Alice", "İstanbul", "ǰ", "\u{345}\u{301}", "ᾳ", "\u{390}", "가각", "ẞ"]
        {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }
}
