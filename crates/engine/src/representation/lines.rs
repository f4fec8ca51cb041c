//! A list as lines: NDJSON and CSV (RFC 4180), a record or a group of records each.

use std::ops::Range;

use contract::table;
use model::query::{Aggregate, Query};
use model::record::csv::{self, Line};
use store::lookup::{Found, Group, Measured, Row};

use super::{groups, row};
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

/// A page of records or groups, without anything around them.
pub(super) fn page(call: &Call, found: &Found, shown: Range<usize>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + shown.len() * 200);
    write_head(&mut out, call);
    match &query(call).aggregate {
        Some(aggregate) => {
            for group in &found.groups[shown] {
                write_group(&mut out, call, aggregate, group);
            }
        }
        None => write_records(&mut out, call, &found.rows[shown]),
    }
    out
}

/// Writes what stands before the lines.
pub(crate) fn write_head(out: &mut Vec<u8>, call: &Call) {
    let (_, resource) = call.resource();
    let query = query(call);
    match (Format::of(call.media), &query.aggregate) {
        (Format::Ndjson | Format::Json, _) => {}
        (Format::Csv, None) => csv::write_names(out, resource, query.view.fields.as_deref()),
        (Format::Csv, Some(aggregate)) => {
            let mut line = Line::begin(out);
            for column in &aggregate.group_by {
                line.text(column.name(resource));
            }
            for measure in &aggregate.measures {
                line.text(&measure.name(resource));
            }
            line.end();
        }
    }
}

/// Writes records, a line each.
pub(crate) fn write_records(out: &mut Vec<u8>, call: &Call, rows: &[Row]) {
    let (index, resource) = call.resource();
    let query = query(call);
    for row in rows {
        match Format::of(call.media) {
            Format::Csv => {
                csv::write_line(out, resource, &row.record, query.view.fields.as_deref())
            }
            Format::Ndjson | Format::Json => {
                row::write_found(out, call, index, row, query);
                out.push(b'\n');
            }
        }
    }
}

fn write_group(out: &mut Vec<u8>, call: &Call, aggregate: &Aggregate, group: &Group) {
    let (_, resource) = call.resource();
    match Format::of(call.media) {
        Format::Ndjson | Format::Json => {
            groups::write(out, resource, aggregate, group);
            out.push(b'\n');
        }
        Format::Csv => {
            let mut line = Line::begin(out);
            for key in &group.keys {
                line.value(Some(key));
            }
            for measured in &group.measures {
                match measured {
                    Measured::Nothing => line.value(None),
                    Measured::Whole(number) => line.text(&number.to_string()),
                    Measured::Value(value) => line.value(Some(value)),
                }
            }
            line.end();
        }
    }
}

fn query(call: &Call) -> &Query {
    call.query.as_ref().expect("lists are asked for with a query")
}
