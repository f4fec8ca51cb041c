//! The records of a list, one a line: NDJSON and CSV (RFC 4180).

use contract::table;
use model::record::{self, csv};
use store::lookup::Row;

use crate::call::Call;

/// What a list is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// An object around the records.
    Json,
    /// A record a line.
    Ndjson,
    /// A line of names, then a record a line.
    Csv,
}

impl Format {
    /// The format of a media type that was negotiated.
    pub(crate) fn of(media: &str) -> Self {
        match media {
            table::NDJSON => Self::Ndjson,
            table::CSV => Self::Csv,
            _ => Self::Json,
        }
    }

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Ndjson => "NDJSON",
            Self::Csv => "CSV",
        }
    }
}

/// A page of records, without anything around them.
pub(crate) fn page(call: &Call, rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + rows.len() * 200);
    write_head(&mut out, call);
    write_lines(&mut out, call, rows);
    out
}

/// What stands before the records.
pub(crate) fn write_head(out: &mut Vec<u8>, call: &Call) {
    let (_, resource) = call.resource();
    match Format::of(call.media) {
        Format::Csv => csv::write_names(out, resource, fields(call)),
        Format::Ndjson | Format::Json => {}
    }
}

/// The records, a line each.
pub(crate) fn write_lines(out: &mut Vec<u8>, call: &Call, rows: &[Row]) {
    let (_, resource) = call.resource();
    let fields = fields(call);
    for row in rows {
        match Format::of(call.media) {
            Format::Csv => csv::write_line(out, resource, &row.record, fields),
            Format::Ndjson | Format::Json => {
                record::write_json(out, resource, &row.record, fields);
                out.push(b'\n');
            }
        }
    }
}

fn fields(call: &Call) -> Option<&[model::query::Column]> {
    call.query.as_ref().and_then(|query| query.fields.as_deref())
}
