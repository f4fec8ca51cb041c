//! Full-text search, from the words that somebody types to what they find: the tokenizer, the
//! grammar of `q`, and what it means. The store's index must find exactly what `Terms` matches.

mod highlight;
mod token;

use std::borrow::Cow;

use token::Tokens;

pub use highlight::highlight;

/// Most characters in a text to search for, as it is sent and as it is meant.
pub const CHARACTERS_MAX: usize = 1_000;
/// Most terms in a text to search for.
pub const TERMS_MAX: usize = 32;

/// What is searched for: every term has to be found. Without any, nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms(Vec<Term>);

/// A word, a phrase, or the beginning of a word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    tokens: Vec<String>,
    is_prefix: bool,
}

impl Term {
    /// Tokens that follow each other in one field; never none. They hold letters, digits and the
    /// marks of letters only, whatever was typed.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// True where the last token is only the beginning of what is to be found.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    fn text(&self) -> String {
        let joined = self.tokens.concat();
        if self.is_prefix {
            // Only what was written in one piece can be a prefix.
            return joined + "*";
        }
        let tokens = Tokens::of(&joined);
        let is_one_piece = list(&tokens, 0..tokens.len()) == self.tokens;
        if is_one_piece { joined } else { format!("\"{}\"", self.tokens.join(" ")) }
    }
}

impl Terms {
    /// Reads what somebody typed: words that must all be found, `"phrases"`, and `prefix*`.
    /// Whatever else stands there separates words, so any text can be read; a quote that is not
    /// closed reaches to the end. A text without a word finds nothing.
    ///
    /// A word of a script without spaces, and one that changes between scripts, is a phrase of
    /// its tokens.
    ///
    /// # Errors
    /// A sentence, where the text is longer than `CHARACTERS_MAX` or has more than `TERMS_MAX`
    /// terms.
    pub fn read(text: &str) -> Result<Self, String> {
        short(text)?;
        let mut terms = Vec::new();
        for (number, part) in text.split('"').enumerate() {
            if number % 2 == 0 {
                words(part, &mut terms);
            } else {
                let tokens = Tokens::of(part);
                add(Term { tokens: list(&tokens, 0..tokens.len()), is_prefix: false }, &mut terms);
            }
        }
        if terms.len() > TERMS_MAX {
            return Err(format!(
                "the text to search for has {} words and phrases; {TERMS_MAX} are the most, and \
                 fewer find more",
                terms.len()
            ));
        }
        let terms = Self(terms);
        // Folding makes some texts longer. What is meant can be sent again as it is written here.
        short(&terms.text())?;
        Ok(terms)
    }

    /// One term alone.
    #[must_use]
    pub fn of(term: &Term) -> Self {
        Self(vec![term.clone()])
    }

    /// The terms, in the order in which they were written, each once.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// True where there is no word: then nothing is found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one text that is read as these terms and as no others.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(Term::text).collect::<Vec<_>>().join(" ")
    }

    /// True where every term is found in at least one of these fields of a record.
    #[must_use]
    pub fn matches(&self, texts: &[&str]) -> bool {
        let fields: Vec<Tokens> = texts.iter().map(|text| Tokens::of(text)).collect();
        let found = |term| fields.iter().any(|field| occurrences(field, term).next().is_some());
        !self.is_empty() && self.0.iter().all(found)
    }
}

/// The text that an index takes for a field: its tokens with a space between them. Text in ASCII
/// stays as it is, because every tokenizer of a database finds the same words in it: runs of
/// `A-Z a-z 0-9`, without regard to case.
#[must_use]
pub fn indexed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(Tokens::of(text).text) }
}

fn short(text: &str) -> Result<(), String> {
    // Counting stops early: the text may be as long as a request.
    if text.chars().nth(CHARACTERS_MAX).is_none() {
        return Ok(());
    }
    Err(format!(
        "the text to search for is longer than {CHARACTERS_MAX} characters; a few words are enough"
    ))
}

fn list(tokens: &Tokens, places: std::ops::Range<usize>) -> Vec<String> {
    places.map(|at| tokens.token(at).to_owned()).collect()
}

/// The words of what stands outside quotes.
fn words(part: &str, terms: &mut Vec<Term>) {
    let tokens = Tokens::of(part);
    for word in tokens.words() {
        let end = tokens.span(word.end - 1).end;
        let is_prefix = part[end..].starts_with('*');
        add(Term { tokens: list(&tokens, word), is_prefix }, terms);
    }
}

fn add(term: Term, terms: &mut Vec<Term>) {
    if !term.tokens.is_empty() && !terms.contains(&term) {
        terms.push(term);
    }
}

/// Where a term begins among the tokens of a field, each time that it does (Knuth, Morris and
/// Pratt: in time that grows with the field only, whatever the term repeats).
fn occurrences<'a>(field: &'a Tokens, term: &'a Term) -> impl Iterator<Item = usize> + 'a {
    let (whole, stem) = match term.tokens.split_last() {
        Some((last, whole)) if term.is_prefix => (whole, Some(last)),
        _ => (term.tokens.as_slice(), None),
    };
    let borders = borders(whole);
    // How many tokens of `whole` end before the place that is looked at.
    let mut matched = 0;
    (0..=field.len()).filter_map(move |at| {
        let begins = |stem: &String| at < field.len() && field.token(at).starts_with(&**stem);
        let is_found = matched == whole.len() && stem.is_none_or(begins);
        let found = is_found.then(|| at - whole.len());
        if at < field.len() {
            matched = longer(whole, &borders, matched, field.token(at));
        }
        found
    })
}

/// How many tokens of a phrase are matched after one more token.
fn longer(whole: &[String], borders: &[usize], matched: usize, token: &str) -> usize {
    let mut matched = matched;
    loop {
        if whole.get(matched).is_some_and(|next| next == token) {
            return matched + 1;
        }
        match matched.checked_sub(1) {
            Some(last) => matched = borders[last],
            None => return 0,
        }
    }
}

/// For each beginning of a phrase, the longest shorter beginning that it ends with.
fn borders(whole: &[String]) -> Vec<usize> {
    let mut borders = vec![0; whole.len()];
    for at in 1..whole.len() {
        borders[at] = longer(whole, &borders, borders[at - 1], &whole[at]);
    }
    borders
}

#[cfg(test)]
mod tests;
