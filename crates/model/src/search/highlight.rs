//! What was found, shown in the text that it was found in.

use std::ops::Range;

use super::token::Tokens;
use super::{Terms, occurrences};

/// Most characters of a text that are shown, not counting marks and escapes.
const FRAGMENT_CHARACTERS_MAX: usize = 200;
/// How many of them stand before what was found first.
const BEFORE_CHARACTERS: usize = 60;

/// The text as HTML, with `<mark>` around each word and phrase that was found, `…` where a long
/// text was cut. None where nothing was found in it.
///
/// Everything of the text is escaped: the marks are the only elements.
#[must_use]
pub fn highlight(text: &str, terms: &Terms) -> Option<String> {
    let tokens = Tokens::of(text);
    let found = found(&tokens, terms);
    let shown = fragment(text, &tokens, found.first()?);
    let mut out = String::with_capacity(2 * shown.len());
    let mut at = shown.start;
    if shown.start > 0 {
        out.push('…');
    }
    for mark in found {
        let (start, end) = (mark.start.max(at), mark.end.min(shown.end));
        if start < end {
            escape(&text[at..start], &mut out);
            out.push_str("<mark>");
            escape(&text[start..end], &mut out);
            out.push_str("</mark>");
            at = end;
        }
    }
    escape(&text[at..shown.end], &mut out);
    if shown.end < text.len() {
        out.push('…');
    }
    Some(out)
}

/// The bytes of the original that were found, in order; what overlaps or touches is one.
fn found(tokens: &Tokens, terms: &Terms) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for term in terms.terms() {
        let last = term.tokens().len() - 1;
        let spans =
            occurrences(tokens, term).map(|at| tokens.span(at).start..tokens.span(at + last).end);
        found.extend(spans);
    }
    found.sort_unstable_by_key(|span| span.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for span in found {
        match apart.last_mut() {
            Some(before) if span.start <= before.end => before.end = before.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

/// The part of a text that is shown: all of a short one, otherwise whole words around what was
/// found first, as far as there is room for them.
fn fragment(text: &str, tokens: &Tokens, first: &Range<usize>) -> Range<usize> {
    let whole = 0..text.len();
    if after(text, 0, FRAGMENT_CHARACTERS_MAX) == text.len() {
        return whole;
    }
    let mut start = before(text, first.start, BEFORE_CHARACTERS);
    let mut end = after(text, start, FRAGMENT_CHARACTERS_MAX);
    if end == text.len() {
        start = before(text, end, FRAGMENT_CHARACTERS_MAX).min(first.start);
    }
    if let Some(word) = tokens.behind(start)
        && word.start < start
    {
        start = word.end.min(first.start);
    }
    if let Some(word) = tokens.behind(end)
        && word.start < end
        && word.start >= first.end
    {
        end = word.start;
    }
    if start > 0 {
        start = first.start - text[start..first.start].trim_start().len();
    }
    if end < text.len() && end > first.end {
        end = first.end + text[first.end..end].trim_end().len();
    }
    start..end
}

/// The byte so many characters before another one.
fn before(text: &str, byte: usize, characters: usize) -> usize {
    let start = text[..byte].char_indices().rev().nth(characters - 1);
    start.map_or(0, |(at, _)| at)
}

/// The byte so many characters after another one.
fn after(text: &str, byte: usize, characters: usize) -> usize {
    text[byte..].char_indices().nth(characters).map_or(text.len(), |(at, _)| byte + at)
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}
