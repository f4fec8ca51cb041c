//! Full-text search: any text can be searched for and searched in. What is searched for can be
//! written again, and what is shown of what was found is the text and nothing else.

use model::search::{CHARACTERS_MAX, TERMS_MAX, Term, Terms, highlight, indexed};

use crate::world::utf8;

/// A query, a line feed, and a text.
pub(crate) fn search(data: &[u8]) {
    let Some(data) = utf8(data) else { return };
    let (query, text) = data.split_once('\n').unwrap_or((data, data));
    in_itself(text);
    match Terms::read(query) {
        Ok(terms) => {
            returns(&terms);
            found(&terms, text);
        }
        Err(error) => {
            assert!(error.starts_with("the text to search for "), "{error}");
            let pieces = query.chars().filter(|c| !c.is_alphanumeric()).count() + 1;
            // Folding makes at most three characters of one, and a phrase may need spaces.
            assert!(query.chars().count() * 6 > CHARACTERS_MAX || pieces > TERMS_MAX, "{query}");
        }
    }
}

/// What an index takes of a text is made of words and spaces, and has the same words.
fn in_itself(text: &str) {
    let index = indexed(text);
    assert_eq!(indexed(&index), index, "{text:?}");
    if !text.is_ascii() {
        let plain = |c: char| c == ' ' || c.is_ascii_lowercase() || c.is_ascii_digit();
        assert!(index.chars().all(|c| !c.is_ascii() || plain(c)), "{index:?}");
    }
    let words: String = text.chars().take(50).collect();
    if let Ok(terms) = Terms::read(&words) {
        // Cut where it was, the last word may be another one: what is searched in is cut alike.
        assert_eq!(terms.matches(&[&words]), !terms.is_empty(), "{words:?}");
        assert_eq!(terms.matches(&[&indexed(&words)]), !terms.is_empty(), "{words:?}");
    }
}

/// The canonical text is read as the same terms, and no token holds what an engine could read.
fn returns(terms: &Terms) {
    let text = terms.text();
    assert!(text.chars().count() <= CHARACTERS_MAX);
    assert_eq!(Terms::read(&text).as_ref(), Ok(terms), "{text:?}");
    assert!(terms.terms().len() <= TERMS_MAX);
    for token in terms.terms().iter().flat_map(Term::tokens) {
        assert!(!token.is_empty());
        let plain = |c: char| !c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit();
        assert!(token.chars().all(plain), "{token:?}");
    }
}

/// A text is shown where a term is found in it, and what is shown is escaped.
fn found(terms: &Terms, text: &str) {
    let one = |term: &Term| Terms::of(term).matches(&[text]);
    let number = terms.terms().iter().filter(|term| one(term)).count();
    let shown = highlight(text, terms);
    assert_eq!(shown.is_some(), number > 0, "{terms:?} in {text:?}");
    assert_eq!(terms.matches(&[text]), number > 0 && number == terms.terms().len());
    // An index that was made from this text finds the same.
    assert_eq!(terms.matches(&[&indexed(text)]), terms.matches(&[text]), "{terms:?} in {text:?}");
    let Some(shown) = shown else { return };
    let mut plain = String::new();
    let mut marks = 0_usize;
    let mut rest = shown.as_str();
    while let Some(at) = rest.find(['<', '&']) {
        plain.push_str(&rest[..at]);
        let (piece, meant) = PIECES
            .iter()
            .find(|(piece, _)| rest[at..].starts_with(piece))
            .unwrap_or_else(|| panic!("{shown:?}"));
        marks += usize::from(*piece == "<mark>");
        plain.push_str(meant);
        rest = &rest[at + piece.len()..];
    }
    plain.push_str(rest);
    assert!(marks > 0 && shown.matches("</mark>").count() == marks, "{shown:?}");
    assert!(!shown.contains(['"', '\'', '\0']) || text.contains('\0'), "{shown:?}");
    if plain != text {
        let cut = plain.strip_prefix('…').unwrap_or(&plain);
        let cut = cut.strip_suffix('…').unwrap_or(cut);
        assert!(text.contains(cut) || text.contains(&*plain), "{plain:?} of {text:?}");
        assert!(cut.chars().count() <= 202, "{plain:?}");
    }
}

/// What may stand in HTML that is shown, and what it stands for.
const PIECES: [(&str, &str); 7] = [
    ("<mark>", ""),
    ("</mark>", ""),
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
];
