//! Many records in one content: cut alike however they arrive; an array as the parser of JSON reads
//! it, lines as one text each, a table as it is written again.

use contract::problem::Place;
use model::json;
use model::record::{self, Purpose};
use model::rows::{Cutter, Form, Row, Stop};
use serde_json::Value;

use crate::record::survives;
use crate::world::MODEL;

/// One row may have this many bytes.
const ROW_BYTES_MAX: usize = 4096;

/// How the content is cut, then the content: the form by the remainder of the first byte by 3, the
/// resource by that of the second, and the size of the pieces by the third.
pub(crate) fn rows(data: &[u8]) {
    let [form, resource, size, content @ ..] = data else { return };
    let form = match form % 3 {
        0 => Form::Array,
        1 => Form::Lines,
        _ => Form::Cells,
    };
    let resource = usize::from(*resource) % MODEL.resources.len();
    let size = usize::from(*size).max(1);
    let (rows, stop) = cut(form, resource, content, content.len().max(1));
    let pieces = cut(form, resource, content, size);
    // A row that is too large is told as soon as that is known, be it malformed further on or not.
    let is_large = |stop: &Option<Stop>| matches!(stop, Some(Stop::RowTooLarge { .. }));
    if !is_large(&stop) && !is_large(&pieces.1) {
        assert_eq!(pieces, (rows.clone(), stop.clone()), "in pieces of {size}");
        if !matches!(form, Form::Cells) || stop.is_none() {
            are_the_operators(form, resource, content, size, &(rows.clone(), stop.clone()));
        }
        match form {
            Form::Array => is_what_the_parser_reads(content, &rows, stop.as_ref()),
            Form::Lines => are_lines(content, &rows),
            Form::Cells => {}
        }
    }
    for (number, row) in rows.into_iter().enumerate() {
        assert_eq!(row.number, number);
        match row.document {
            Ok(document) => {
                let resource = &MODEL.resources[resource];
                if let Ok(draft) = record::read(&MODEL, resource, &document, Purpose::Create) {
                    survives(resource, draft);
                }
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                for fault in faults {
                    let Place::Pointer(pointer) = &fault.place else { panic!("{fault:?}") };
                    assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer}");
                }
            }
        }
    }
}

fn cut(form: Form, resource: usize, content: &[u8], size: usize) -> (Vec<Row>, Option<Stop>) {
    cut_by(Cutter::new(form, &MODEL.resources[resource], ROW_BYTES_MAX), content, size)
}

/// The operator's rows are the client's, and go on behind lines that are no JSON; each ends behind
/// the one before it.
fn are_the_operators(
    form: Form,
    resource: usize,
    content: &[u8],
    size: usize,
    client: &(Vec<Row>, Option<Stop>),
) {
    let declared = &MODEL.resources[resource];
    let (rows, stop) = cut_by(Cutter::of_operator(form, declared, ROW_BYTES_MAX), content, size);
    let mut end = 0;
    for row in &rows {
        assert!(row.end > end && row.end <= content.len() as u64, "{row:?}");
        end = row.end;
        if let Ok(document) = &row.document {
            // It may be refused, with faults, and never panics.
            drop(record::read(&MODEL, declared, document, Purpose::Whole));
        }
    }
    match form {
        Form::Lines => {
            assert!(rows.len() >= client.0.len());
            assert!(!matches!(stop, Some(Stop::Malformed(_))), "{stop:?}");
            assert_eq!(rows[..client.0.len()], client.0);
        }
        Form::Array => assert_eq!((&rows, &stop), (&client.0, &client.1)),
        // Another header is allowed, so other rows can follow.
        Form::Cells => {}
    }
}

fn cut_by(mut cutter: Cutter<'_>, content: &[u8], size: usize) -> (Vec<Row>, Option<Stop>) {
    let mut rows = Vec::new();
    let mut pieces = content.chunks(size);
    loop {
        match cutter.next() {
            Ok(Some(row)) => rows.push(row),
            Ok(None) if cutter.has_ended() => return (rows, None),
            Ok(None) => match pieces.next() {
                Some(piece) => cutter.feed(piece),
                None => cutter.end(),
            },
            Err(stop) => return (rows, Some(stop)),
        }
    }
}

fn is_what_the_parser_reads(content: &[u8], rows: &[Row], stop: Option<&Stop>) {
    let bare = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let is_space = |byte: &&u8| b" \t\r\n".contains(byte);
    // What is no array is not asked for; no content at all is told elsewhere.
    match bare.iter().find(|byte| !is_space(byte)) {
        Some(b'[') => {}
        Some(_) => return assert!(stop.is_some() && rows.is_empty()),
        None => return assert!(stop.is_none() && rows.is_empty()),
    }
    let is_whole = stop.is_none() && rows.iter().all(|row| row.document.is_ok());
    match json::parse(content) {
        Ok(Value::Array(items)) => {
            assert!(is_whole, "{stop:?}");
            let documents: Vec<_> =
                rows.iter().filter_map(|row| row.document.clone().ok()).collect();
            assert_eq!(documents, items);
        }
        Ok(_) => assert!(!is_whole),
        Err(fault) => {
            assert!(!is_whole, "{fault:?}");
            // The parser looks at the encoding of the whole first.
            if let (Some(Stop::Malformed(own)), true) = (stop, std::str::from_utf8(content).is_ok())
                && !fault.semantic
            {
                assert_eq!((own.line, own.column), (fault.line, fault.column), "{own:?} {fault:?}");
            }
        }
    }
}

fn are_lines(content: &[u8], rows: &[Row]) {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    for row in rows {
        let line = lines[row.line - 1];
        match (&row.document, json::parse(line)) {
            (Ok(document), Ok(parsed)) => assert_eq!(*document, parsed),
            (Err(_), Err(fault)) => assert!(fault.semantic, "{fault:?}"),
            (document, parsed) => panic!("{document:?} is not {parsed:?}"),
        }
    }
}
