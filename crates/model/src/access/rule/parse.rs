//! The grammar of rules: `||` over `&&` over one comparison, `!` before a name or parentheses.

use std::ops::Range;

use serde_json::{Number, Value as Json};

use super::Fault;
use super::lex::{Placed, Token, tokens};

/// The longest rule, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;
/// How deep `!` and parentheses may nest.
const DEPTH_MAX: usize = 32;
/// The most names and values in a rule.
const LEAVES_MAX: usize = 256;

/// A part of a rule as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) node: Node,
    pub(super) span: Range<usize>,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Or(Vec<Part>),
    And(Vec<Part>),
    Not(Box<Part>),
    Compare(Box<Part>, Operator, Box<Part>),
    Literal(Json),
    List(Vec<Part>),
    Path(Vec<Name>),
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl Operator {
    /// As the language of lists calls it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Less => "lt",
            Self::LessOrEqual => "lte",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "gte",
            Self::In => "in",
        }
    }

    /// The same with its sides exchanged.
    pub(super) fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual | Self::In => self,
        }
    }

    /// True where it asks for the same, or for another.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }

    fn of(token: &Token) -> Option<Self> {
        Some(match token {
            Token::Sign("==") => Self::Equal,
            Token::Sign("!=") => Self::NotEqual,
            Token::Sign("<") => Self::Less,
            Token::Sign("<=") => Self::LessOrEqual,
            Token::Sign(">") => Self::Greater,
            Token::Sign(">=") => Self::GreaterOrEqual,
            Token::Word(word) if word == "in" => Self::In,
            Token::Word(_) | Token::Text(_) | Token::Number(_) | Token::Sign(_) | Token::End => {
                return None;
            }
        })
    }
}

/// Reads a rule; the first thing that is wrong with it ends the reading.
pub(super) fn parse(text: &str) -> Result<Part, Fault> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("a rule has at most {TEXT_BYTES_MAX} bytes");
        return Err(Fault::new(&(0..text.len()), message, ""));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, leaves: 0 };
    let whole = parser.any()?;
    match parser.next() {
        (Token::End, _) => Ok(whole),
        (token, span) => Err(behind(&token, &span)),
    }
}

/// The rule on one line: whitespace between its tokens is one space.
pub(super) fn one_line(text: &str) -> String {
    let Ok(tokens) = tokens(text) else { return text.to_owned() };
    let mut out = String::new();
    let mut end = 0;
    for (_, span) in tokens.iter().filter(|(token, _)| *token != Token::End) {
        if span.start > end && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&text[span.clone()]);
        end = span.end;
    }
    out
}

/// What stands where the rule could have ended.
fn behind(token: &Token, span: &Range<usize>) -> Fault {
    let help = match token {
        Token::Word(word) if word.eq_ignore_ascii_case("and") => "both conditions hold: `&&`",
        Token::Word(word) if word.eq_ignore_ascii_case("or") => "one of the conditions holds: `||`",
        Token::Word(word) if matches!(word.as_str(), "is" | "like") => "values compare with `==`",
        Token::Sign("(") => "rules have no functions; `x != null` says that a value is there",
        Token::Sign("[") => "a value is named with a dot: record.status",
        Token::Sign("-") => "a rule compares values and computes none",
        Token::Sign("==" | "!=" | "<" | "<=" | ">" | ">=") => {
            "two values are compared at a time: a < b && b < c"
        }
        Token::Word(_) | Token::Text(_) | Token::Number(_) | Token::Sign(_) | Token::End => {
            "conditions are joined with `&&` and `||`"
        }
    };
    Fault::new(span, format!("{} cannot stand here", shown(token)), help)
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("`{word}`"),
        Token::Text(_) => "a text".to_owned(),
        Token::Number(_) => "a number".to_owned(),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "the end of the rule".to_owned(),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    depth: usize,
    leaves: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        // Behind the last token, which is the end, nothing is looked at.
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn next(&mut self) -> Placed {
        let end = || (Token::End, 0..0);
        let last = self.tokens.last().cloned();
        let next = self.tokens.get(self.at).cloned().or(last).unwrap_or_else(end);
        self.at += 1;
        next
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn any(&mut self) -> Result<Part, Fault> {
        let first = self.all()?;
        let mut parts = vec![first];
        while self.takes("||") {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Node::Or))
    }

    fn all(&mut self) -> Result<Part, Fault> {
        let first = self.comparison()?;
        let mut parts = vec![first];
        while self.takes("&&") {
            parts.push(self.comparison()?);
        }
        Ok(joined(parts, Node::And))
    }

    fn comparison(&mut self) -> Result<Part, Fault> {
        let left = self.unary()?;
        let Some(operator) = Operator::of(self.peek()) else { return Ok(left) };
        if let Node::Not(_) = left.node {
            let help = "write !(a == b), or a != b";
            return Err(Fault::new(&left.span, "`!` takes only what stands right behind it", help));
        }
        self.at += 1;
        let right = self.unary()?;
        let span = left.span.start..right.span.end;
        Ok(Part { node: Node::Compare(Box::new(left), operator, Box::new(right)), span })
    }

    fn unary(&mut self) -> Result<Part, Fault> {
        let (token, span) = self.next();
        self.leaves += 1;
        if self.depth >= DEPTH_MAX {
            return Err(Fault::new(&span, format!("a rule nests at most {DEPTH_MAX} deep"), ""));
        }
        if self.leaves > LEAVES_MAX {
            let message = format!("a rule has at most {LEAVES_MAX} names and values");
            return Err(Fault::new(&span, message, ""));
        }
        match token {
            Token::Sign("!") => {
                self.depth += 1;
                let inner = self.unary()?;
                self.depth -= 1;
                let span = span.start..inner.span.end;
                Ok(Part { node: Node::Not(Box::new(inner)), span })
            }
            Token::Sign("(") => {
                self.depth += 1;
                let inner = self.any()?;
                self.depth -= 1;
                let end = self.closing(")", "this parenthesis is not closed", &span)?;
                Ok(Part { node: inner.node, span: span.start..end })
            }
            Token::Sign("[") => self.list(&span),
            Token::Sign("-") => self.negative(&span),
            Token::Text(text) => Ok(Part { node: Node::Literal(Json::String(text)), span }),
            Token::Number(number) => Ok(Part { node: Node::Literal(Json::Number(number)), span }),
            Token::Word(word) => self.word(word, span),
            Token::Sign(_) | Token::End => Err(missing(&token, &span)),
        }
    }

    fn closing(&mut self, sign: &str, message: &str, open: &Range<usize>) -> Result<usize, Fault> {
        match self.next() {
            (Token::Sign(next), span) if next == sign => Ok(span.end),
            (Token::End, _) => Err(Fault::new(open, message, &format!("add `{sign}`"))),
            (token, span) => Err(behind(&token, &span)),
        }
    }

    fn list(&mut self, open: &Range<usize>) -> Result<Part, Fault> {
        let mut items = Vec::new();
        self.depth += 1;
        while !matches!(self.peek(), Token::Sign("]")) {
            items.push(self.unary()?);
            if !self.takes(",") {
                break;
            }
        }
        self.depth -= 1;
        let end = self.closing("]", "this list is not closed", open)?;
        Ok(Part { node: Node::List(items), span: open.start..end })
    }

    fn negative(&mut self, sign: &Range<usize>) -> Result<Part, Fault> {
        let (token, span) = self.next();
        let number = match &token {
            Token::Number(number) => match number.as_u64() {
                Some(whole) => i64::try_from(-i128::from(whole)).ok().map(Number::from),
                None => number.as_f64().and_then(|it| Number::from_f64(-it)),
            },
            Token::Word(_) | Token::Text(_) | Token::Sign(_) | Token::End => None,
        };
        let Some(number) = number else {
            let help = "a rule compares values and computes none";
            return Err(Fault::new(sign, "`-` stands before a number only", help));
        };
        Ok(Part { node: Node::Literal(Json::Number(number)), span: sign.start..span.end })
    }

    fn word(&mut self, word: String, span: Range<usize>) -> Result<Part, Fault> {
        let literal = match word.as_str() {
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            "null" => Some(Json::Null),
            _ => None,
        };
        if let Some(literal) = literal {
            return Ok(Part { node: Node::Literal(literal), span });
        }
        if word == "in" {
            return Err(missing(&Token::Word(word), &span));
        }
        if word.eq_ignore_ascii_case("not") {
            return Err(Fault::new(&span, "`not` cannot stand here", "the opposite is `!(…)`"));
        }
        let start = span.start;
        let mut names = vec![Name { text: word, span }];
        while self.takes(".") {
            match self.next() {
                (Token::Word(text), span) => names.push(Name { text, span }),
                (token, span) => {
                    let message = format!("{} is no name", shown(&token));
                    return Err(Fault::new(&span, message, "behind a dot stands a field"));
                }
            }
        }
        let end = names.last().map_or(start, |name| name.span.end);
        Ok(Part { node: Node::Path(names), span: start..end })
    }
}

/// Something was expected, and this came.
fn missing(token: &Token, span: &Range<usize>) -> Fault {
    let message = format!("a condition or a value is missing before {}", shown(token));
    Fault::new(span, message, "for example: record.status == 'draft'")
}

fn joined(mut parts: Vec<Part>, node: fn(Vec<Part>) -> Node) -> Part {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let start = parts.first().map_or(0, |part| part.span.start);
    let end = parts.last().map_or(0, |part| part.span.end);
    Part { node: node(parts), span: start..end }
}
