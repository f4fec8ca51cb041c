//! What a CHECK says, where it says something of one column that a field can say, too.

use model::adopt::foreign::{Literal, Rule, Says};

use super::token::{Lexeme, Token, enclosed, source, split};

/// Any character, in a regular expression.
const ANY: &str = r"[\s\S]";

/// Reads a CHECK: one rule for each thing that has to hold. `column` knows names.
pub(crate) fn read(
    text: &str,
    words: &[Lexeme],
    column: &dyn Fn(&str) -> Option<usize>,
) -> Vec<Rule> {
    let words = bare(words);
    let all = split(words, |word| word.is("AND"));
    if all.len() > 1 {
        return all.into_iter().flat_map(|part| read(text, part, column)).collect();
    }
    let rule = |says| Rule { text: source(text, words).to_owned(), says };
    let any = split(words, |word| word.is("OR"));
    if any.len() > 1 {
        return either(text, words, &any, column);
    }
    match atom(words, column) {
        Some(found) => found.1.into_iter().map(|says| rule(Some((found.0, says)))).collect(),
        None => vec![rule(None)],
    }
}

/// Without parentheses around the whole.
fn bare(mut words: &[Lexeme]) -> &[Lexeme] {
    while let Some((inner, [])) = enclosed(words) {
        words = inner;
    }
    words
}

/// `a IS NULL OR …` says of a what the rest does, and `a = 1 OR a = 2` is one of several.
fn either(
    text: &str,
    words: &[Lexeme],
    parts: &[&[Lexeme]],
    column: &dyn Fn(&str) -> Option<usize>,
) -> Vec<Rule> {
    let none = vec![Rule { text: source(text, words).to_owned(), says: None }];
    let is_null = |part: &[Lexeme]| match bare(part) {
        [name, is, null] if is.is("IS") && null.is("NULL") => name.name().and_then(column),
        _ => None,
    };
    let null = parts.iter().find_map(|part| is_null(part));
    let rest: Vec<&[Lexeme]> =
        parts.iter().copied().filter(|part| is_null(part).is_none()).collect();
    if let ([one], Some(about)) = (rest.as_slice(), null) {
        let rules = read(text, one, column);
        let is_about = |rule: &Rule| rule.says.as_ref().is_some_and(|(at, _)| *at == about);
        return if rules.iter().all(is_about) { rules } else { none };
    }
    let mut among = Vec::new();
    let mut about = null;
    for part in rest {
        let Some((at, says)) = atom(bare(part), column) else { return none };
        let [Says::OneOf(values)] = says.as_slice() else { return none };
        if about.is_some_and(|about| about != at) {
            return none;
        }
        about = Some(at);
        among.extend(values.iter().cloned());
    }
    match about {
        Some(at) => {
            let says = Some((at, Says::OneOf(among)));
            vec![Rule { text: source(text, words).to_owned(), says }]
        }
        None => none,
    }
}

type Found = (usize, Vec<Says>);

fn atom(words: &[Lexeme], column: &dyn Fn(&str) -> Option<usize>) -> Option<Found> {
    if let Some((name, inner, rest)) = call(words) {
        let [of] = inner else { return None };
        let at = of.name().and_then(column)?;
        return match name.to_ascii_lowercase().as_str() {
            "length" => length(rest).map(|says| (at, says)),
            "json_valid" if is_true(rest) => Some((at, vec![Says::Json])),
            "typeof" => match rest {
                [is, Lexeme { token: Token::Text(kind), .. }] if is_equal(is) => {
                    Some((at, vec![Says::Type(kind.to_ascii_lowercase())]))
                }
                _ => None,
            },
            _ => None,
        };
    }
    let (first, rest) = words.split_first()?;
    let Some(at) = first.name().and_then(column) else {
        // `0 <= a`
        let (value, rest) = literal(words, column)?;
        let [operator, name] = rest else { return None };
        let at = name.name().and_then(column)?;
        return compared(&turned(operator)?, value).map(|says| (at, vec![says]));
    };
    of_column(rest, column).map(|says| (at, says))
}

/// What stands behind the name of a column.
fn of_column(rest: &[Lexeme], column: &dyn Fn(&str) -> Option<usize>) -> Option<Vec<Says>> {
    let (operator, values) = rest.split_first()?;
    if operator.is("IN") {
        let (inner, []) = enclosed(values)? else { return None };
        let values: Option<Vec<Literal>> = split(inner, |word| word.is_mark(","))
            .into_iter()
            .map(|part| literal(part, column).filter(|(_, rest)| rest.is_empty()))
            .map(|found| found.map(|(value, _)| value))
            .collect();
        return Some(vec![Says::OneOf(values?)]);
    }
    if operator.is("BETWEEN") {
        let (least, rest) = literal(values, column)?;
        let (and, rest) = rest.split_first()?;
        let (most, []) = literal(rest, column)? else { return None };
        return and.is("AND").then(|| vec![Says::Minimum(least), Says::Maximum(most)]);
    }
    match (operator, values) {
        (is, [not, null]) if is.is("IS") && not.is("NOT") && null.is("NULL") => {
            Some(vec![Says::Present])
        }
        (is, []) if is.is("NOTNULL") => Some(vec![Says::Present]),
        (not, [null]) if not.is("NOT") && null.is("NULL") => Some(vec![Says::Present]),
        (like, [Lexeme { token: Token::Text(pattern), .. }]) if like.is("GLOB") => {
            Some(vec![Says::Pattern(glob(pattern)?)])
        }
        (like, [Lexeme { token: Token::Text(pattern), .. }]) if like.is("LIKE") => {
            Some(vec![Says::Pattern(self::like(pattern)?)])
        }
        (operator, values) => {
            let (value, []) = literal(values, column)? else { return None };
            let Token::Mark(mark) = operator.token else { return None };
            compared(mark, value).map(|says| vec![says])
        }
    }
}

fn compared(mark: &str, value: Literal) -> Option<Says> {
    match (mark, value) {
        (_, Literal::Null) => None,
        ("=" | "==", value) => Some(Says::OneOf(vec![value])),
        ("<>" | "!=", Literal::Text(text)) if text.is_empty() => Some(Says::MinLength(1)),
        (">=", value) => Some(Says::Minimum(value)),
        ("<=", value) => Some(Says::Maximum(value)),
        (">", value) => Some(Says::ExclusiveMinimum(value)),
        ("<", value) => Some(Says::ExclusiveMaximum(value)),
        _ => None,
    }
}

/// The comparison seen from its other side.
fn turned(operator: &Lexeme) -> Option<String> {
    let Token::Mark(mark) = operator.token else { return None };
    let turned = match mark {
        ">=" => "<=",
        "<=" => ">=",
        ">" => "<",
        "<" => ">",
        other => other,
    };
    Some(turned.to_owned())
}

fn is_equal(word: &Lexeme) -> bool {
    word.is_mark("=") || word.is_mark("==")
}

/// Nothing, or `= 1`: true as it stands.
fn is_true(rest: &[Lexeme]) -> bool {
    match rest {
        [] => true,
        [is, Lexeme { token: Token::Number(one), .. }] => is_equal(is) && one == "1",
        _ => false,
    }
}

fn length(rest: &[Lexeme]) -> Option<Vec<Says>> {
    let number = |word: &Lexeme| match &word.token {
        Token::Number(text) => text.parse::<u64>().ok(),
        Token::Word(_) | Token::Name(_) | Token::Text(_) | Token::Mark(_) => None,
    };
    match rest {
        [between, least, and, most] if between.is("BETWEEN") && and.is("AND") => {
            Some(vec![Says::MinLength(number(least)?), Says::MaxLength(number(most)?)])
        }
        [Lexeme { token: Token::Mark(mark), .. }, to] => {
            let to = number(to)?;
            Some(match *mark {
                "=" | "==" => vec![Says::MinLength(to), Says::MaxLength(to)],
                ">=" => vec![Says::MinLength(to)],
                ">" => vec![Says::MinLength(to.checked_add(1)?)],
                "<=" => vec![Says::MaxLength(to)],
                "<" => vec![Says::MaxLength(to.checked_sub(1)?)],
                "<>" | "!=" if to == 0 => vec![Says::MinLength(1)],
                _ => return None,
            })
        }
        _ => None,
    }
}

/// `name(…) …`
fn call(words: &[Lexeme]) -> Option<(&str, &[Lexeme], &[Lexeme])> {
    let (Lexeme { token: Token::Word(name), .. }, rest) = words.split_first()? else {
        return None;
    };
    let (inner, rest) = enclosed(rest)?;
    (!name.eq_ignore_ascii_case("in")).then_some((name, inner, rest))
}

/// A literal at the beginning, and what follows.
pub(crate) fn literal<'a>(
    words: &'a [Lexeme],
    column: &dyn Fn(&str) -> Option<usize>,
) -> Option<(Literal, &'a [Lexeme])> {
    if let Some((inner, rest)) = enclosed(words) {
        let (value, []) = literal(inner, column)? else { return None };
        return Some((value, rest));
    }
    let (first, rest) = words.split_first()?;
    let value = match &first.token {
        Token::Text(text) => Literal::Text(text.clone()),
        Token::Number(text) => number(text)?,
        Token::Mark("-") => {
            let (Lexeme { token: Token::Number(text), .. }, rest) = rest.split_first()? else {
                return None;
            };
            return Some((number(&format!("-{text}"))?, rest));
        }
        Token::Mark("+") => return literal(rest, column),
        Token::Word(word) => match word.to_ascii_uppercase().as_str() {
            "NULL" => Literal::Null,
            "TRUE" => Literal::Boolean(true),
            "FALSE" => Literal::Boolean(false),
            _ => return None,
        },
        // Double quotes around what no column is called mean text.
        Token::Name(name) if column(name).is_none() => Literal::Text(name.clone()),
        Token::Name(_) | Token::Mark(_) => return None,
    };
    Some((value, rest))
}

fn number(text: &str) -> Option<Literal> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(Literal::Integer(number));
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(|number| Literal::Integer(sign * number));
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Literal::Real)
}

/// A GLOB as a regular expression.
fn glob(pattern: &str) -> Option<String> {
    let mut out = String::from("^");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(&format!("{ANY}*")),
            '?' => out.push_str(ANY),
            '[' => {
                let set: String = chars.by_ref().take_while(|c| *c != ']').collect();
                let (not, set) = set.strip_prefix('^').map_or(("", &*set), |set| ("^", set));
                // A bracket within brackets is rare, and read differently everywhere.
                let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_.,:;/+@#".contains(c);
                if set.is_empty() || !set.chars().all(is_plain) || set.starts_with('-') {
                    return None;
                }
                out.push_str(&format!("[{not}{set}]"));
            }
            c => literally(&mut out, c),
        }
    }
    out.push('$');
    Some(out)
}

/// A LIKE as a regular expression, where it has no letters: it would not mind their case.
fn like(pattern: &str) -> Option<String> {
    if pattern.chars().any(char::is_alphabetic) {
        return None;
    }
    let mut out = String::from("^");
    for c in pattern.chars() {
        match c {
            '%' => out.push_str(&format!("{ANY}*")),
            '_' => out.push_str(ANY),
            c => literally(&mut out, c),
        }
    }
    out.push('$');
    Some(out)
}

fn literally(out: &mut String, c: char) {
    if r"\^$.|?*+()[]{}/".contains(c) {
        out.push('\\');
    }
    out.push(c);
}
