//! SQL as words: as much of its grammar as is needed to find a CHECK and to see what it says.

use std::ops::Range;

/// A word of SQL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A keyword or a name.
    Word(String),
    /// A name in quotes. In double quotes it may be meant as text.
    Name(String),
    /// Text.
    Text(String),
    /// A number.
    Number(String),
    /// An operator or a parenthesis; everything else, too.
    Mark(&'static str),
}

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) at: Range<usize>,
}

impl Lexeme {
    /// True of this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(&self.token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// True of this mark.
    pub(crate) fn is_mark(&self, mark: &str) -> bool {
        matches!(self.token, Token::Mark(other) if other == mark)
    }

    /// The name that it is.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.token {
            Token::Word(name) | Token::Name(name) => Some(name),
            Token::Text(_) | Token::Number(_) | Token::Mark(_) => None,
        }
    }
}

/// Marks, the longer ones first.
const MARKS: &[&str] = &[
    "->>", "||", "<=", ">=", "<>", "!=", "==", "<<", ">>", "->", "(", ")", ",", ";", ".", "<", ">",
    "=", "+", "-", "*", "/", "%", "&", "|", "~",
];

/// Splits a text into words; comments are none.
pub(crate) fn read(text: &str) -> Vec<Lexeme> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = match c {
            c if c.is_whitespace() => (None, c.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => {
                (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4))
            }
            '\'' => quoted(rest, '\'', Token::Text),
            '"' | '`' => quoted(rest, c, Token::Name),
            '[' => {
                let end = rest.find(']').unwrap_or(rest.len() - 1);
                (Some(Token::Name(rest[1..end.max(1)].to_owned())), end + 1)
            }
            c if c.is_ascii_digit() || (c == '.' && digit_follows(rest)) => number(rest),
            c if c.is_alphanumeric() || c == '_' || c == '$' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                let end = end.unwrap_or(rest.len());
                (Some(Token::Word(rest[..end].to_owned())), end)
            }
            _ => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                Some(mark) => (Some(Token::Mark(mark)), mark.len()),
                None => (Some(Token::Mark("?")), c.len_utf8()),
            },
        };
        if let Some(token) = token {
            out.push(Lexeme { token, at: at..at + length });
        }
        at += length;
    }
    out
}

fn digit_follows(rest: &str) -> bool {
    rest[1..].starts_with(|c: char| c.is_ascii_digit())
}

fn quoted(rest: &str, quote: char, token: fn(String) -> Token) -> (Option<Token>, usize) {
    let mut inner = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            inner.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            inner.push(quote);
            chars.next();
        } else {
            return (Some(token(inner)), at + 1);
        }
    }
    (Some(token(inner)), rest.len())
}

fn number(rest: &str) -> (Option<Token>, usize) {
    let mut before = ' ';
    let end = rest.find(|c: char| {
        let is_exponent_sign = matches!(before, 'e' | 'E') && matches!(c, '+' | '-');
        let goes_on = c.is_ascii_alphanumeric() || c == '.' || c == '_' || is_exponent_sign;
        before = c;
        !goes_on
    });
    let end = end.unwrap_or(rest.len());
    (Some(Token::Number(rest[..end].replace('_', ""))), end)
}

/// The words between the parenthesis that opens at the first one and its end; and what follows.
pub(crate) fn enclosed(words: &[Lexeme]) -> Option<(&[Lexeme], &[Lexeme])> {
    if !words.first()?.is_mark("(") {
        return None;
    }
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        if word.is_mark("(") {
            depth += 1;
        } else if word.is_mark(")") {
            depth -= 1;
            if depth == 0 {
                return Some((&words[1..at], &words[at + 1..]));
            }
        }
    }
    None
}

/// Splits where a word stands that ends a part, outside of all parentheses.
pub(crate) fn split(words: &[Lexeme], is_end: impl Fn(&Lexeme) -> bool) -> Vec<&[Lexeme]> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut between) = (0_usize, 0, false);
    for (at, word) in words.iter().enumerate() {
        if word.is_mark("(") {
            depth += 1;
        } else if word.is_mark(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            // The AND of BETWEEN joins nothing.
            if word.is("BETWEEN") {
                between = true;
            } else if word.is("AND") && between {
                between = false;
            } else if is_end(word) {
                parts.push(&words[start..at]);
                start = at + 1;
            }
        }
    }
    parts.push(&words[start..]);
    parts
}

/// The text of words, as it was written.
pub(crate) fn source<'a>(text: &'a str, words: &[Lexeme]) -> &'a str {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => &text[first.at.start..last.at.end],
        _ => "",
    }
}
