//! What a view reads, and whether a list can ask the same.

use model::adopt::foreign::{Listed, Literal, Table, View};

use super::check::literal;
use super::table::position;
use super::token::{self, Lexeme, Token, split};

/// Words between which a view of one table says everything.
const CLAUSES: &[&str] = &["SELECT", "FROM", "WHERE", "ORDER", "GROUP", "HAVING", "LIMIT", "UNION"];

/// Reads a view.
pub(crate) fn read(name: &str, text: &str, tables: &[Table]) -> View {
    let words = token::read(text);
    let start = words.iter().position(|word| word.is("SELECT")).unwrap_or(words.len());
    let query = &words[start..];
    let mut read = Vec::new();
    for (at, pair) in query.windows(2).enumerate() {
        let is_place = pair[0].is("FROM")
            || pair[0].is("JOIN")
            || pair[0].is_mark(",")
            || pair[0].is_mark("(");
        // `table.column` is one of its columns.
        let is_whole = query.get(at + 2).is_none_or(|next| !next.is_mark("."));
        let named = pair[1].name().filter(|_| is_place && is_whole);
        let found = named
            .and_then(|name| tables.iter().position(|table| table.name.eq_ignore_ascii_case(name)));
        read.extend(found.filter(|found| !read.contains(found)));
    }
    let list = match read.as_slice() {
        [one] => listed(query, &tables[*one]),
        _ => None,
    };
    let text: Vec<&str> = text.split_whitespace().collect();
    View { name: name.to_owned(), text: text.join(" "), tables: read, list }
}

fn listed(query: &[Lexeme], table: &Table) -> Option<Listed> {
    let (select, rest) = query.split_first()?;
    let (columns, rest) = until(rest);
    let (from, rest) = rest.split_first()?;
    let (named, mut rest) = until(rest);
    if !select.is("SELECT") || !from.is("FROM") {
        return None;
    }
    let alias = match named {
        [_] => None,
        [_, alias] => alias.name(),
        [_, is, alias] if is.is("AS") => alias.name(),
        _ => return None,
    };
    let own = |word: &Lexeme| {
        word.name().is_some_and(|name| {
            name.eq_ignore_ascii_case(&table.name)
                || alias.is_some_and(|alias| alias.eq_ignore_ascii_case(name))
        })
    };
    let column = |words: &[Lexeme]| match words {
        [name] => name.name().and_then(|name| position(&table.columns, name)),
        [of, dot, name] if dot.is_mark(".") && own(of) => {
            name.name().and_then(|name| position(&table.columns, name))
        }
        _ => None,
    };
    let mut list = Listed::default();
    if !matches!(columns, [all] if all.is_mark("*")) {
        let parts = split(columns, |word| word.is_mark(","));
        list.columns = Some(parts.into_iter().map(column).collect::<Option<_>>()?);
    }
    if rest.first().is_some_and(|word| word.is("WHERE")) {
        let (conditions, after) = until(&rest[1..]);
        let parts = split(conditions, |word| word.is("AND"));
        list.filters =
            parts.into_iter().map(|part| filter(part, &column)).collect::<Option<_>>()?;
        rest = after;
    }
    if rest.first().is_some_and(|word| word.is("ORDER")) {
        let (keys, after) = until(rest.get(2..)?);
        let parts = split(keys, |word| word.is_mark(","));
        list.sort = parts.into_iter().map(|part| key(part, &column)).collect::<Option<_>>()?;
        rest = after;
    }
    (rest.is_empty() || matches!(rest, [end] if end.is_mark(";"))).then_some(list)
}

/// Up to the next clause.
fn until(words: &[Lexeme]) -> (&[Lexeme], &[Lexeme]) {
    let is_end = |word: &Lexeme| CLAUSES.iter().any(|clause| word.is(clause)) || word.is_mark(";");
    words.split_at(words.iter().position(is_end).unwrap_or(words.len()))
}

fn filter(
    part: &[Lexeme],
    column: &dyn Fn(&[Lexeme]) -> Option<usize>,
) -> Option<(usize, &'static str, Literal)> {
    let is_operator =
        |word: &Lexeme| word.is("IS") || matches!(word.token, Token::Mark(mark) if mark != ".");
    let at = part.iter().position(is_operator)?;
    let named = column(&part[..at])?;
    let behind = &part[at + 1..];
    if part[at].is("IS") {
        return match behind {
            [null] if null.is("NULL") => Some((named, "null", Literal::Boolean(true))),
            [not, null] if not.is("NOT") && null.is("NULL") => {
                Some((named, "null", Literal::Boolean(false)))
            }
            _ => None,
        };
    }
    let Token::Mark(mark) = part[at].token else { return None };
    let (value, []) = literal(behind, &|_| None)? else { return None };
    let operator = match mark {
        "=" | "==" => "eq",
        ">" => "gt",
        ">=" => "gte",
        "<" => "lt",
        "<=" => "lte",
        _ => return None,
    };
    Some((named, operator, value))
}

fn key(part: &[Lexeme], column: &dyn Fn(&[Lexeme]) -> Option<usize>) -> Option<(usize, bool)> {
    match part.split_last()? {
        (last, named) if last.is("DESC") => Some((column(named)?, true)),
        (last, named) if last.is("ASC") => Some((column(named)?, false)),
        _ => Some((column(part)?, false)),
    }
}
