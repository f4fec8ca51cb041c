//! What only the text of a table says: its CHECKs, collations and computed columns.

use model::adopt::foreign::{Column, Default_, Rule};

use super::check;
use super::token::{self, Lexeme, enclosed, source, split};

/// Words that begin a constraint of the whole table.
const CONSTRAINTS: &[&str] = &["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];

/// Adds to columns what the text of their table says, and gives its CHECKs.
pub(crate) fn read(text: &str, columns: &mut [Column]) -> Vec<Rule> {
    let words = token::read(text);
    let Some(start) = words.iter().position(|word| word.is_mark("(")) else { return Vec::new() };
    let Some((inner, _)) = enclosed(&words[start..]) else { return Vec::new() };
    let mut checks: Vec<&[Lexeme]> = Vec::new();
    for item in split(inner, |word| word.is_mark(",")) {
        let is_constraint =
            item.first().is_some_and(|first| CONSTRAINTS.iter().any(|word| first.is(word)));
        let name = item.first().filter(|_| !is_constraint).and_then(Lexeme::name);
        let at = name.and_then(|name| position(columns, name));
        let mut rest = item;
        while let Some((word, behind)) = rest.split_first() {
            rest = behind;
            match enclosed(behind) {
                Some((inner, after)) => {
                    if word.is("CHECK") {
                        checks.push(inner);
                    } else if let (true, Some(at)) = (word.is("AS"), at)
                        && let Some(kept) = &mut columns[at].generated
                    {
                        *kept = source(text, inner).to_owned();
                    }
                    rest = after;
                }
                None if word.is("COLLATE") => {
                    if let (Some(at), Some(name)) = (at, behind.first().and_then(Lexeme::name)) {
                        collate(&mut columns[at], name);
                    }
                }
                None => {}
            }
        }
    }
    let column = |name: &str| position(columns, name);
    checks.into_iter().flat_map(|words| check::read(text, words, &column)).collect()
}

/// Where a column of this name stands.
pub(crate) fn position(columns: &[Column], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
}

fn collate(column: &mut Column, name: &str) {
    if name.eq_ignore_ascii_case("NOCASE") {
        column.ignores_case = true;
    } else if !name.eq_ignore_ascii_case("BINARY") {
        column.collation = Some(name.to_owned());
    }
}

/// A DEFAULT from its text.
pub(crate) fn default(text: &str) -> Default_ {
    let words = token::read(text);
    let mut bare = words.as_slice();
    while let Some((inner, [])) = enclosed(bare) {
        bare = inner;
    }
    match check::literal(bare, &|_| None) {
        Some((literal, [])) => Default_::Literal(literal),
        _ => Default_::Expression(text.to_owned()),
    }
}
