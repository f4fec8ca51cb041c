//! The words and signs of a rule, each with its place.

use std::ops::Range;

use serde_json::Number;

use super::Fault;

/// A piece of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a word of the language.
    Word(String),
    /// What stood in quotes.
    Text(String),
    /// A number without its sign.
    Number(Number),
    /// One of `SIGNS`.
    Sign(&'static str),
    /// Nothing more comes.
    End,
}

/// A token and where it stands, in bytes.
pub(super) type Placed = (Token, Range<usize>);

/// The signs, those first that begin like a shorter one.
const SIGNS: [&str; 16] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ",", ".", "-"];

/// What people write who know it from elsewhere, and what it is called here.
const ELSEWHERE: [(&str, &str); 12] = [
    ("=", "two values are compared with `==`"),
    ("&", "both conditions hold: `&&`"),
    ("|", "one of the conditions holds: `||`"),
    ("+", "a rule compares values and computes none"),
    ("*", "a rule compares values and computes none"),
    ("/", "a rule compares values and computes none"),
    ("%", "a rule compares values and computes none"),
    ("?", "write `a && b || !a && c`"),
    (":", "write `a && b || !a && c`"),
    ("{", "a rule compares values: there are no maps"),
    (";", "a rule is one condition"),
    ("`", "a text stands in single quotes: 'draft'"),
];

/// What people write who know it from elsewhere, of several signs that would be read one by one.
const SPELLED: [(&str, &str, &str); 7] = [
    ("===", "a rule has no `===`", "write `==`"),
    ("!==", "a rule has no `!==`", "write `!=`"),
    ("=~", "a rule has no `=~`", "there are no patterns: two values are compared with `==`"),
    ("!~", "a rule has no `!~`", "there are no patterns: two values are compared with `!=`"),
    ("<>", "a rule has no `<>`", "did you mean `!=`?"),
    ("\'\'\'", "a rule has no triple quotes", TEXTS),
    ("\"\"\"", "a rule has no triple quotes", TEXTS),
];

/// Which texts there are.
const TEXTS: &str =
    "a text stands in single or double quotes, with escapes such as \\n and \\u00e9";

/// Cuts a rule into its tokens; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Fault> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        if matches!(next, ' ' | '\t' | '\n' | '\r') {
            at += 1;
            continue;
        }
        let (token, end) = token(text, at, next)?;
        out.push((token, at..end));
        at = end;
    }
    out.push((Token::End, at..at));
    Ok(out)
}

fn token(text: &str, at: usize, next: char) -> Result<(Token, usize), Fault> {
    if let Some((signs, message, help)) = SPELLED.iter().find(|it| text[at..].starts_with(it.0)) {
        return Err(Fault::new(&(at..at + signs.len()), *message, help));
    }
    if matches!(next, '\'' | '"') {
        return quoted(text, at, next);
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let digit = |c: char| c.is_ascii_digit();
    if next.is_ascii_digit() {
        return number(text, at);
    }
    if next.is_ascii_alphabetic() || next == '_' {
        let end = text[at..].find(|c| !word(c)).map_or(text.len(), |length| at + length);
        let is_prefix = matches!(&text[at..end], "r" | "R" | "b" | "B" | "br" | "rb");
        if is_prefix && text[end..].starts_with(['\'', '"']) {
            let message = format!("a rule has no texts of the kind {}'…'", &text[at..end]);
            return Err(Fault::new(&(at..end + 1), message, TEXTS));
        }
        return Ok((Token::Word(text[at..end].to_owned()), end));
    }
    if next == '.' && !text[..at].ends_with(word) && text[at + 1..].starts_with(digit) {
        let help = "write 0.5: a number begins and ends with a digit";
        return Err(Fault::new(&(at..at + 2), "this is not a number", help));
    }
    if let Some(sign) = SIGNS.iter().find(|sign| text[at..].starts_with(**sign)) {
        return Ok((Token::Sign(sign), at + sign.len()));
    }
    let help = ELSEWHERE.iter().find(|(sign, _)| text[at..].starts_with(sign));
    let help = help.map_or("", |(_, help)| *help);
    let shown = next.escape_debug();
    Err(Fault::new(&(at..at + next.len_utf8()), format!("a rule has no `{shown}`"), help))
}

fn number(text: &str, at: usize) -> Result<(Token, usize), Fault> {
    let rest = &text.as_bytes()[at..];
    let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    let mut is_whole = true;
    if rest.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
        is_whole = false;
    }
    if matches!(rest.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(rest.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
            is_whole = false;
        }
    }
    if is_whole && rest.get(end) == Some(&b'.') {
        let help = "write 0.5 or 5.0: a number begins and ends with a digit";
        return Err(Fault::new(&(at..at + end + 1), "this is not a number", help));
    }
    let written = &text[at..at + end];
    let span = at..at + end;
    if rest.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        let help = "write whole numbers as 42 and others as 1.5 or 2e3";
        return Err(Fault::new(&span, "this is not a number", help));
    }
    let number = match is_whole {
        true => written.parse::<u64>().ok().map(Number::from),
        false => written.parse::<f64>().ok().and_then(Number::from_f64),
    };
    match number {
        Some(number) => Ok((Token::Number(number), at + end)),
        None => Err(Fault::new(&span, "this number is too large", "")),
    }
}

/// A text in quotes of one kind, with escapes as CEL has them.
fn quoted(text: &str, at: usize, quote: char) -> Result<(Token, usize), Fault> {
    let mut out = String::new();
    let mut rest = text[at + 1..].char_indices();
    while let Some((offset, next)) = rest.next() {
        let place = at + 1 + offset;
        if next == quote {
            return Ok((Token::Text(out), place + 1));
        }
        if next != '\\' {
            out.push(next);
            continue;
        }
        let escaped = rest.next().map(|(_, escaped)| escaped);
        let meant = match escaped {
            Some(same @ ('\\' | '\'' | '"' | '`' | '?')) => Some(same),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => {
                let hex: String = rest.by_ref().take(4).map(|(_, digit)| digit).collect();
                let is_hex = hex.len() == 4 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
                let code = u32::from_str_radix(&hex, 16).ok().filter(|_| is_hex);
                code.and_then(char::from_u32)
            }
            Some(_) | None => None,
        };
        let Some(meant) = meant else {
            let help = "there are \\\\ \\' \\\" \\n \\r \\t and \\u with four hex digits";
            return Err(Fault::new(&(place..place + 1), "this escape does not exist", help));
        };
        out.push(meant);
    }
    Err(Fault::new(&(at..text.len()), "this text does not end", "close its quotes"))
}
