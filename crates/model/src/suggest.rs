//! Did you mean …? The nearest known word to one that nobody knows.

/// The known word that is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of the lengths; nobody misspells a name into a text.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    known
        .into_iter()
        .filter_map(|candidate| {
            let most = (candidate.len().max(word.len()) / 3).max(1);
            let known = candidate.to_lowercase();
            // Words whose lengths differ by more are farther apart, and need no comparing: a
            // request can hold a hundred of them.
            if known.chars().count().abs_diff(length) > most {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&lower, &known);
            (distance <= most).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "name"?`, or nothing.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default()
}

/// A word of a request, short and printable enough to stand in an answer.
pub(crate) fn shown(word: &str) -> String {
    let mut shown: String = word.chars().take(64).filter(|c| !c.is_control()).collect();
    if shown.len() < word.len() {
        shown.push('…');
    }
    shown
}

/// A word of a request in quotes.
pub(crate) fn quoted(word: &str) -> String {
    format!("\"{}\"", shown(word))
}

#[cfg(test)]
mod tests {
    use super::{nearest, quoted};

    #[test]
    fn a_slip_finds_its_word_and_another_word_does_not() {
        let known = ["name", "email", "createdAt"];
        assert_eq!(nearest("nmae", known), Some("name"));
        assert_eq!(nearest("created_at", known), Some("createdAt"));
        assert_eq!(nearest("Email", known), Some("email"));
        assert_eq!(nearest("price", known), None);
        assert_eq!(nearest(&"name".repeat(100), known), None);
    }

    #[test]
    fn a_quoted_word_is_short_and_printable() {
        assert_eq!(quoted("a\u{0}b"), "\"ab…\"");
        assert!(quoted(&"ä".repeat(1_000)).chars().count() <= 67);
    }
}
