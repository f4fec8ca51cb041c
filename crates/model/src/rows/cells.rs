//! CSV as RFC 4180 has it, strictly: a comma between cells, quotes around a cell that holds a
//! comma, a quote or a line break. Read by a machine of ours, because it has to tell a cell of
//! nothing from one of a quoted nothing.

use std::borrow::Cow;

use contract::problem::Violation;
use serde_json::{Map, Value as Json};

use super::feed::Feed;
use super::{Cut, Stop, Whose};
use crate::form;
use crate::json;
use crate::model::{Field, FieldIndex, IdKind, Resource};
use crate::record::whole;
use crate::suggest;

/// Where in a cell the machine stands.
#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    /// Before its first byte.
    #[default]
    Start,
    /// In a cell without quotes.
    Plain,
    /// Between quotes.
    Quoted,
    /// After a quote that closes, or is the first of two.
    Closed,
    /// After a carriage return that begins the end of the line.
    Return,
}

/// A cell of the row, by offsets into it.
#[derive(Clone, Copy)]
struct Cell {
    start: usize,
    end: usize,
    is_quoted: bool,
    /// A quote stands in it, as two.
    has_quotes: bool,
}

/// What a column of the header holds.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Id,
    Field(FieldIndex),
    /// A member that is kept beside the fields.
    Kept(&'static str),
    /// The hash of a password.
    Hash(FieldIndex),
}

/// The table that arrives.
pub(super) struct Table<'a> {
    resource: &'a Resource,
    whose: Whose,
    header: Option<Vec<Column>>,
    /// The cells of the row that arrives, and how far it has been looked through.
    cells: Vec<Cell>,
    state: State,
    seen: usize,
    start: usize,
    has_quotes: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(resource: &'a Resource, whose: Whose) -> Self {
        Self {
            resource,
            whose,
            header: None,
            cells: Vec::new(),
            state: State::Start,
            seen: 0,
            start: 0,
            has_quotes: false,
        }
    }

    /// The next record.
    pub(super) fn next(
        &mut self,
        feed: &mut Feed,
        most: usize,
        number: usize,
    ) -> Result<Option<Cut>, Stop> {
        loop {
            let end = self.row(feed, number)?;
            if end.unwrap_or(self.seen) > most {
                return Err(Stop::RowTooLarge { number, line: feed.line });
            }
            let Some(end) = end else { return self.unfinished(feed, number) };
            let cut = self.read(feed, end, number)?;
            feed.take(end);
            (self.state, self.seen, self.start) = (State::Start, 0, 0);
            self.cells.clear();
            if cut.is_some() {
                return Ok(cut);
            }
        }
    }

    /// Nothing more than this, yet or at all.
    fn unfinished(&self, feed: &Feed, number: usize) -> Result<Option<Cut>, Stop> {
        if feed.has_ended() && self.header.is_none() {
            let detail = "the content ends here; expected a header with the names of members";
            return Err(Stop::Malformed(feed.fault(0, detail, number)));
        }
        Ok(None)
    }

    /// Looks through what has arrived of a row. Where it ends, if that is known: the offset behind
    /// its line break.
    fn row(&mut self, feed: &Feed, number: usize) -> Result<Option<usize>, Stop> {
        let rest = feed.rest();
        while let Some(byte) = rest.get(self.seen) {
            let at = self.seen;
            self.seen += 1;
            match (self.state, byte) {
                (State::Quoted, b'"') => self.state = State::Closed,
                (State::Quoted, _) => {}
                (State::Start, b'"') => (self.state, self.start) = (State::Quoted, at + 1),
                (State::Closed, b'"') => (self.state, self.has_quotes) = (State::Quoted, true),
                (State::Start | State::Plain | State::Closed, b',') => {
                    self.cell(at);
                    self.state = State::Start;
                }
                (State::Start | State::Plain | State::Closed, b'\r') => {
                    self.cell(at);
                    self.state = State::Return;
                }
                (State::Start | State::Plain | State::Closed, b'\n') => {
                    self.cell(at);
                    return Ok(Some(self.seen));
                }
                (State::Return, b'\n') => return Ok(Some(self.seen)),
                (State::Start, _) => (self.state, self.start) = (State::Plain, at),
                (State::Plain, b'"') => return Err(fault(feed, at, STRAY, number)),
                (State::Plain, _) => {}
                (State::Closed, _) => return Err(fault(feed, at, BEHIND, number)),
                (State::Return, _) => return Err(fault(feed, at - 1, RETURN, number)),
            }
        }
        if !feed.has_ended() || rest.is_empty() {
            return Ok(None);
        }
        match self.state {
            State::Quoted => {
                return Err(fault(feed, self.start.saturating_sub(1), UNCLOSED, number));
            }
            State::Start | State::Plain | State::Closed => self.cell(rest.len()),
            State::Return => {}
        }
        Ok(Some(rest.len()))
    }

    /// A cell ends before this byte.
    fn cell(&mut self, at: usize) {
        let (start, end) = match self.state {
            State::Plain => (self.start, at),
            State::Quoted | State::Closed => (self.start, at - 1),
            State::Start | State::Return => (at, at),
        };
        let is_quoted = self.state == State::Closed;
        self.cells.push(Cell { start, end, is_quoted, has_quotes: self.has_quotes });
        self.has_quotes = false;
    }

    /// What the row that ends here says; `None` for a blank line and for the header.
    fn read(&mut self, feed: &Feed, end: usize, number: usize) -> Result<Option<Cut>, Stop> {
        if let [Cell { start, end, is_quoted: false, .. }] = self.cells.as_slice()
            && start == end
        {
            return Ok(None);
        }
        let row = &feed.rest()[..end];
        let row = std::str::from_utf8(row)
            .map_err(|error| fault(feed, error.valid_up_to(), "this byte is not UTF-8", number))?;
        let Some(header) = &self.header else {
            self.header = Some(self.read_header(row, feed.line)?);
            return Ok(None);
        };
        let document = self.document(header, row);
        Ok(Some(Cut { line: feed.line, document }))
    }

    fn document(&self, header: &[Column], row: &str) -> Result<Json, Vec<Violation>> {
        if self.cells.len() != header.len() {
            let (cells, columns) = (self.cells.len(), header.len());
            let detail =
                format!("has another number of cells ({cells}) than the header ({columns})");
            return Err(vec![Violation::at("", detail)]);
        }
        let mut members = Map::with_capacity(header.len());
        let mut faults = Vec::new();
        for (column, cell) in header.iter().zip(&self.cells) {
            let text = text(row, cell);
            let (name, value) = match column {
                Column::Id | Column::Kept(_) | Column::Hash(_) if text.is_empty() => continue,
                Column::Id if self.resource.id == IdKind::Integer => {
                    ("id".into(), form::number(&text, "must be a whole number").map(Some))
                }
                Column::Id => ("id".into(), Ok(Some(Json::String(text.into_owned())))),
                Column::Kept(name) => (Cow::from(*name), Ok(Some(Json::String(text.into_owned())))),
                Column::Hash(index) => {
                    let name = whole::member(&self.resource.fields[*index]);
                    (name.into(), Ok(Some(Json::String(text.into_owned()))))
                }
                Column::Field(index) => {
                    let field = &self.resource.fields[*index];
                    (field.name.as_str().into(), form::cell(field, &text, cell.is_quoted))
                }
            };
            match value {
                Ok(Some(value)) => drop(members.insert(name.into_owned(), value)),
                Ok(None) => {}
                Err(detail) => {
                    faults.push(Violation::at(format!("/{}", json::escape(&name)), detail));
                }
            }
        }
        if faults.is_empty() { Ok(Json::Object(members)) } else { Err(faults) }
    }

    /// What the columns hold, or everything that is wrong with their names.
    fn read_header(&self, row: &str, line: usize) -> Result<Vec<Column>, Stop> {
        let cells = &self.cells;
        let mut columns: Vec<Column> = Vec::with_capacity(cells.len());
        let mut faults = Vec::new();
        for cell in cells {
            let name = text(row, cell);
            let of_operator = match self.whose {
                Whose::Client => None,
                Whose::Operator => column_of_operator(self.resource, &name),
            };
            match of_operator.map_or_else(|| column(self.resource, &name), Ok) {
                Ok(column) if columns.contains(&column) => {
                    faults.push(format!("the column {} is there twice", suggest::quoted(&name)));
                }
                Ok(column) => columns.push(column),
                Err(detail) => faults.push(detail),
            }
            if faults.len() >= crate::schema::VIOLATIONS_MAX {
                break;
            }
        }
        if faults.is_empty() {
            return Ok(columns);
        }
        if let [alone] = cells.as_slice()
            && text(row, alone).contains([';', '\t'])
        {
            faults.push("cells are separated by commas, and this header has none".to_owned());
        }
        let told = |detail| Violation::at("", format!("line {line}: {detail}"));
        Err(Stop::Header(faults.into_iter().map(told).collect()))
    }
}

const STRAY: &str = "a quote stands in a cell that does not begin with one; put the whole cell \
                     in quotes, and write each quote inside it twice";
const BEHIND: &str = "after the quote that closes a cell, a comma or the end of the line is \
                      expected; a quote inside a cell is written twice";
const RETURN: &str = "a carriage return outside quotes is followed by a line feed";
const UNCLOSED: &str = "this quote is never closed";

fn fault(feed: &Feed, offset: usize, detail: &str, number: usize) -> Stop {
    Stop::Malformed(feed.fault(offset, detail, number))
}

/// The text of a cell: what stands there, each two quotes as one.
fn text<'a>(row: &'a str, cell: &Cell) -> Cow<'a, str> {
    // The bytes around a cell are ASCII, so it begins and ends between characters.
    let text = &row[cell.start..cell.end];
    if cell.has_quotes { text.replace("\"\"", "\"").into() } else { text.into() }
}

/// A column that a client may not send.
fn column_of_operator(resource: &Resource, name: &str) -> Option<Column> {
    if let Some((index, _)) = resource.field(name) {
        return Some(Column::Field(index));
    }
    let kept = ["createdAt", "updatedAt", whole::VERSION, whole::RESOURCE];
    if let Some(kept) = kept.into_iter().find(|kept| *kept == name) {
        return Some(Column::Kept(kept));
    }
    if name == "id" {
        return Some(Column::Id);
    }
    let field = whole::hashed(resource, name)?;
    resource.field(&field.name).map(|(index, _)| Column::Hash(index))
}

fn column(resource: &Resource, name: &str) -> Result<Column, String> {
    if let Some((index, field)) = resource.field(name).filter(|(_, field)| field.exists()) {
        if field.read_only {
            return Err(format!("the column {name:?} is set by the server: leave it out"));
        }
        return Ok(Column::Field(index));
    }
    match name {
        "id" if resource.id != IdKind::Integer => Ok(Column::Id),
        "id" => Err("the column \"id\" is chosen by the server: leave it out".to_owned()),
        "createdAt" | "updatedAt" => {
            Err(format!("the column {name:?} is set by the server: leave it out"))
        }
        "" => Err("a column has no name".to_owned()),
        _ => {
            let is_taken = |field: &&Field| !field.secret && !field.read_only && field.exists();
            let known = resource.fields.iter().filter(is_taken);
            let hint = suggest::hint(name, known.map(|field| field.name.as_str()));
            Err(format!("{} is not a member of {}{hint}", suggest::quoted(name), resource.name))
        }
    }
}
