//! The two encodings of a form into names and values: urlencoded (WHATWG URL §5.1) and multipart
//! (RFC 7578). What they mean is the declaration's to say. Public, so that what strangers send is
//! read by the same functions where the server is tried with random bytes.

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::problem::{Kind, Problem, Violation};
use futures_util::stream;
use http::header::{self, HeaderMap, HeaderValue};
use model::json;
use multer::{Constraints, Multipart, SizeLimit};

/// Most fields of one form: a form is one record.
const FORM_FIELDS_MAX: usize = 1000;

/// The names and values of an urlencoded form, or of the query of a URL, in their order. Bytes
/// that are no UTF-8 become U+FFFD, as the standard says.
#[must_use]
pub fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// The names and values of the parts of `multipart/form-data`, in their order.
///
/// # Errors
/// 400 where it is malformed, ends too early or is not UTF-8; 413 with more parts than one form
/// may have; 422 with a file.
pub async fn multipart(
    media_type: &MediaType,
    bytes: &Bytes,
) -> Result<Vec<(String, String)>, Problem> {
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
        let Some(name) = part.name().filter(|_| is_form_data(part.headers())).map(str::to_owned)
        else {
            let detail = "A part is no field of a form: each has Content-Disposition: form-data; \
                          name=\"…\" (RFC 7578 §4.2).";
            return Err(Problem::new(Kind::MalformedContent, detail));
        };
        if part.file_name().is_some() {
            let detail = "Files are not taken yet: send the part without a filename.";
            return Err(
                Problem::new(Kind::Invalid, detail).with_errors(at_part(&name, "is a file"))
            );
        }
        if pairs.len() == FORM_FIELDS_MAX {
            let detail = format!("A form may have at most {FORM_FIELDS_MAX} fields.");
            return Err(Problem::new(Kind::ContentTooLarge, detail));
        }
        let value = part.bytes().await.map_err(|error| broken(&error))?;
        let value = String::from_utf8(value.to_vec()).map_err(|_| {
            Problem::new(Kind::MalformedContent, "A part of the form is not UTF-8.")
                .with_errors(at_part(&name, "is not UTF-8"))
        })?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// A fault of the part with this name.
fn at_part(name: &str, detail: &str) -> Vec<Violation> {
    vec![Violation::at(format!("/{}", json::escape(name)), detail)]
}

/// True for a part that says that it is a field of a form.
fn is_form_data(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_DISPOSITION).map_or(&[][..], HeaderValue::as_bytes);
    let kind = value.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"form-data")
}

fn broken(error: &multer::Error) -> Problem {
    let detail = match error {
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders => {
            "The form ends before its closing boundary, so a part of it is missing; or a part has \
             no empty line after its Content-Disposition."
        }
        _ => "The form is not well-formed multipart/form-data (RFC 7578).",
    };
    Problem::new(Kind::MalformedContent, detail)
}
