//! Forms into the same documents that JSON gives: urlencoded (WHATWG URL §5.1) and multipart
//! (RFC 7578).

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::problem::{Kind, Problem, Violation};
use futures_util::stream;
use multer::{Constraints, Multipart, SizeLimit};
use serde_json::Value;

use crate::call::Call;

/// Most fields of one form: a form is one record.
const FORM_FIELDS_MAX: usize = 1000;

/// The name and value pairs of an urlencoded form, in order.
pub(super) fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

pub(super) fn urlencoded(call: &Call, bytes: &[u8]) -> Result<Value, Problem> {
    document(call, &pairs(bytes))
}

pub(super) async fn multipart(
    call: &Call,
    media_type: &MediaType,
    bytes: &Bytes,
) -> Result<Value, Problem> {
    let Some(boundary) =
        media_type.boundary.as_deref().filter(|text| (1..=70).contains(&text.len()))
    else {
        let detail = "Content-Type: multipart/form-data needs a boundary of 1 to 70 characters. \
                      Let an HTTP library write the field.";
        return Err(Problem::new(Kind::MalformedContent, detail));
    };
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(bytes.clone())]);
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(bytes.len() as u64));
    let mut parts = Multipart::with_constraints(whole, boundary, limits);
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
        let Some(name) = part.name().map(str::to_owned) else {
            let detail = "A part has no name in its Content-Disposition (RFC 7578 §4.2).";
            return Err(Problem::new(Kind::MalformedContent, detail));
        };
        if part.file_name().is_some() {
            let detail = "Files are not taken yet: send the part without a filename.";
            return Err(Problem::new(Kind::Invalid, detail)
                .with_errors(vec![Violation::at(format!("/{name}"), "is a file")]));
        }
        if pairs.len() == FORM_FIELDS_MAX {
            let detail = format!("A form may have at most {FORM_FIELDS_MAX} fields.");
            return Err(Problem::new(Kind::ContentTooLarge, detail));
        }
        let value = part.bytes().await.map_err(|error| broken(&error))?;
        let value = String::from_utf8(value.to_vec()).map_err(|_| {
            Problem::new(Kind::MalformedContent, "A part of the form is not UTF-8.")
                .with_errors(vec![Violation::at(format!("/{name}"), "is not UTF-8")])
        })?;
        pairs.push((name, value));
    }
    document(call, &pairs)
}

fn broken(error: &multer::Error) -> Problem {
    let detail = match error {
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders => {
            "The form ends before its closing boundary, so a part of it is missing."
        }
        _ => "The form is not well-formed multipart/form-data (RFC 7578).",
    };
    Problem::new(Kind::MalformedContent, detail)
}

fn document(call: &Call, pairs: &[(String, String)]) -> Result<Value, Problem> {
    let (_, resource) = call.resource();
    model::form::read_pairs(resource, pairs).map_err(|violations| {
        Problem::new(Kind::Invalid, "The form does not fit the declaration.")
            .with_errors(violations)
    })
}
