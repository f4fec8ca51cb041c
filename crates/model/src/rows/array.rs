//! The items of a JSON array, cut where strings and nesting say that one ends. What stands in an
//! item is left to the parser.

use contract::problem::Violation;
use serde_json::Value as Json;

use super::feed::Feed;
use super::{Cut, Stop, part};
use crate::json;

/// What is awaited.
#[derive(Default, PartialEq)]
enum State {
    /// The bracket that opens the array.
    #[default]
    Before,
    /// The first item, or the end.
    First,
    /// An item after a comma.
    Item,
    /// Nothing but space.
    After,
}

/// How far the item that arrives has been looked through.
#[derive(Default)]
pub(super) struct Scan {
    state: State,
    seen: usize,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Scan {
    /// The next item.
    pub(super) fn next(
        &mut self,
        feed: &mut Feed,
        most: usize,
        number: usize,
    ) -> Result<Option<Cut>, Stop> {
        if self.seen == 0 {
            pass_space(feed);
        }
        match (&self.state, feed.rest().first()) {
            (State::Before, Some(b'[')) => {
                feed.take(1);
                self.state = State::First;
                pass_space(feed);
            }
            (State::Before, Some(_)) => {
                return Err(malformed(feed, 0, "an array of records is expected here", 0));
            }
            (State::After, Some(_)) => {
                let detail = "there is something after the end of the array";
                return Err(malformed(feed, 0, detail, number));
            }
            (State::Before | State::After, None) => return Ok(None),
            (State::First | State::Item, _) => {}
        }
        match self.end(feed.rest()) {
            Some(end) => self.cut(feed, end, most, number),
            None if feed.has_ended() => Err(unfinished(feed, &self.state, number)),
            None if feed.rest().len() > most => Err(too_large(feed, number)),
            None => Ok(None),
        }
    }

    /// Where the item ends, if that has arrived.
    fn end(&mut self, rest: &[u8]) -> Option<usize> {
        for (offset, byte) in rest.iter().enumerate().skip(self.seen) {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' if self.depth > 0 => self.depth -= 1,
                b']' | b'}' => return Some(offset),
                b',' if self.depth == 0 => return Some(offset),
                _ => {}
            }
        }
        self.seen = rest.len();
        None
    }

    fn cut(
        &mut self,
        feed: &mut Feed,
        end: usize,
        most: usize,
        number: usize,
    ) -> Result<Option<Cut>, Stop> {
        let rest = feed.rest();
        let after = rest[end];
        if end == 0 && after == b']' && self.state == State::First {
            feed.take(1);
            *self = Self { state: State::After, ..Self::default() };
            pass_space(feed);
            return match feed.rest().is_empty() {
                true => Ok(None),
                false => self.next(feed, most, number),
            };
        }
        if end == 0 {
            let detail = format!("expected a JSON value, found {:?}", char::from(after));
            return Err(malformed(feed, 0, &detail, number));
        }
        if end > most {
            return Err(too_large(feed, number));
        }
        let (line, document) = (feed.line, value(&rest[..=end], end, feed, number)?);
        if after == b'}' {
            let detail = "expected \",\" or \"]\" after an array item, found '}'";
            return Err(malformed(feed, end, detail, number));
        }
        feed.take(end + 1);
        let state = if after == b',' { State::Item } else { State::After };
        *self = Self { state, ..Self::default() };
        Ok(Some(Cut { line, document }))
    }
}

fn pass_space(feed: &mut Feed) {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let length = feed.rest().iter().take_while(|byte| is_space(byte)).count();
    if length > 0 {
        feed.take(length);
    }
}

fn malformed(feed: &Feed, offset: usize, detail: &str, number: usize) -> Stop {
    Stop::Malformed(feed.fault(offset, detail, number))
}

/// A row that does not end. A quote that was forgotten makes one of all that follow: then that is
/// the fault, and the parser finds it.
fn too_large(feed: &Feed, number: usize) -> Stop {
    let rest = feed.rest();
    match json::parse_part(rest, rest.len(), 1) {
        // The last bytes may be half a character.
        Err((at, fault)) if at + 4 < rest.len() && !fault.semantic => {
            Stop::Malformed(feed.placed(fault, number))
        }
        _ => Stop::RowTooLarge { number, line: feed.line },
    }
}

/// Reads an item that stands at the feed's place and ends before this byte.
fn value(
    text: &[u8],
    end: usize,
    feed: &Feed,
    number: usize,
) -> Result<Result<Json, Vec<Violation>>, Stop> {
    part(json::parse_part(text, end, 1), feed, number)
}

/// The content ends inside the array.
fn unfinished(feed: &Feed, state: &State, number: usize) -> Stop {
    let rest = feed.rest();
    if rest.is_empty() {
        let expected = if *state == State::First { " or \"]\"" } else { "" };
        let detail = format!("the content ends here; expected a JSON value{expected}");
        return malformed(feed, 0, &detail, number);
    }
    match value(rest, rest.len(), feed, number) {
        Err(stop) => stop,
        Ok(_) => {
            let detail = "the content ends here; expected \",\" or \"]\" after an array item";
            malformed(feed, rest.len(), detail, number)
        }
    }
}
