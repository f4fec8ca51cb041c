//! Many records in one content: an array, NDJSON or CSV is cut into rows while it arrives, and
//! each row is read into the document that it means. Never more is held than one row and one piece.

mod array;
mod cells;
mod feed;
#[cfg(test)]
mod tests;

use contract::problem::Violation;
use serde_json::Value as Json;

use crate::json::{self, Fault};
use crate::model::Resource;
use feed::Feed;

/// Most faulty rows that one answer names.
pub const FAULTY_ROWS_MAX: usize = 100;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The items of a JSON array.
    Array,
    /// A JSON text a line.
    Lines,
    /// CSV (RFC 4180): a header with the names of members, then a record a line.
    Cells,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number, from 0: what its pointers begin with.
    pub number: usize,
    /// The line that it begins at, from 1.
    pub line: usize,
    /// Bytes of the content up to its end.
    pub end: u64,
    /// The document that it means, or its faults, with pointers into the row.
    pub document: Result<Json, Vec<Violation>>,
}

/// Why no further row can be cut.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The content is not what it is called. The pointer begins with the row's number.
    Malformed(Fault),
    /// A row is larger than one may be.
    RowTooLarge {
        /// The number of the row.
        number: usize,
        /// The line that it begins at.
        line: usize,
    },
    /// The header of CSV names what no row may have. The faults are about the whole content.
    Header(Vec<Violation>),
}

/// Whose rows they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A client's: the header of a table names what a client may set, and a fault ends the cutting.
    Client,
    /// The operator's: the header may name all that is moved of a record, and a line that is no
    /// JSON is a faulty row like others.
    Operator,
}

/// Cuts content that arrives in pieces into rows.
pub struct Cutter<'a> {
    feed: Feed,
    form: Cutting<'a>,
    whose: Whose,
    row_bytes_max: usize,
    rows: usize,
}

enum Cutting<'a> {
    Array(array::Scan),
    Lines,
    Cells(cells::Table<'a>),
}

/// A row without its number.
struct Cut {
    line: usize,
    document: Result<Json, Vec<Violation>>,
}

impl<'a> Cutter<'a> {
    /// Begins with no content. No row may be larger than this.
    #[must_use]
    pub fn new(form: Form, resource: &'a Resource, row_bytes_max: usize) -> Self {
        Self::begin(form, resource, row_bytes_max, Whose::Client)
    }

    /// As `new`, for content of the operator's: with all that `record::whole` writes.
    #[must_use]
    pub fn of_operator(form: Form, resource: &'a Resource, row_bytes_max: usize) -> Self {
        Self::begin(form, resource, row_bytes_max, Whose::Operator)
    }

    fn begin(form: Form, resource: &'a Resource, row_bytes_max: usize, whose: Whose) -> Self {
        let form = match form {
            Form::Array => Cutting::Array(array::Scan::default()),
            Form::Lines => Cutting::Lines,
            Form::Cells => Cutting::Cells(cells::Table::new(resource, whose)),
        };
        Self { feed: Feed::default(), form, whose, row_bytes_max, rows: 0 }
    }

    /// Adds a piece of the content.
    pub fn feed(&mut self, piece: &[u8]) {
        self.feed.add(piece);
    }

    /// Says that nothing more comes.
    pub fn end(&mut self) {
        self.feed.end();
    }

    /// True once it was said that nothing more comes.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.feed.has_ended()
    }

    /// The next row; `None` where more of the content is needed, or none is left after its end.
    ///
    /// # Errors
    /// What keeps further rows from being cut. It must not be asked again then.
    #[allow(clippy::should_implement_trait, reason = "it can go on after None")]
    pub fn next(&mut self) -> Result<Option<Row>, Stop> {
        if !self.feed.has_begun() {
            return Ok(None);
        }
        let (feed, most, number) = (&mut self.feed, self.row_bytes_max, self.rows);
        let cut = match &mut self.form {
            Cutting::Array(scan) => scan.next(feed, most, number),
            Cutting::Lines => line(feed, most, number, self.whose),
            Cutting::Cells(table) => table.next(feed, most, number),
        }?;
        let Some(Cut { line, document }) = cut else { return Ok(None) };
        self.rows += 1;
        let end = self.feed.used();
        Ok(Some(Row { number, line, end, document }))
    }
}

/// The next line that is not blank.
fn line(feed: &mut Feed, most: usize, number: usize, whose: Whose) -> Result<Option<Cut>, Stop> {
    loop {
        let end = feed.find_line_feed();
        let rest = feed.rest();
        let length = end.unwrap_or(rest.len());
        if length > most {
            return Err(Stop::RowTooLarge { number, line: feed.line });
        }
        if end.is_none() && (!feed.has_ended() || rest.is_empty()) {
            return Ok(None);
        }
        let text = &rest[..length];
        let cut = if text.trim_ascii().is_empty() {
            None
        } else {
            let read = json::parse_part(text, length, 0).map_err(|(at, fault)| {
                let detail = fault.detail.replace("the content ends", "the line ends");
                (at, Fault { detail, ..fault })
            });
            let document = match (read, whose) {
                (Err((_, fault)), Whose::Operator) if !fault.semantic => {
                    let detail = format!("column {}: {}", fault.column, fault.detail);
                    Err(vec![Violation::at(fault.pointer, detail)])
                }
                (read, Whose::Client | Whose::Operator) => part(read, feed, number)?,
            };
            Some(Cut { line: feed.line, document })
        };
        feed.take(length + usize::from(end.is_some()));
        if cut.is_some() {
            return Ok(cut);
        }
    }
}

/// What was read of a row that stands at the feed's place.
fn part(
    read: Result<Json, (usize, Fault)>,
    feed: &Feed,
    number: usize,
) -> Result<Result<Json, Vec<Violation>>, Stop> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err((_, fault)) if fault.semantic => {
            Ok(Err(vec![Violation::at(fault.pointer, fault.detail)]))
        }
        Err((_, fault)) => Err(Stop::Malformed(feed.placed(fault, number))),
    }
}
