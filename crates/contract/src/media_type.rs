//! Content-Type: the media type of a request's content (RFC 9110 §8.3).

use http::{HeaderMap, header};

use crate::field;
use crate::problem::{Kind, Problem, Violation};

/// The media type of content, with the parameters that are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype` in lower case.
    pub essence: String,
    /// `charset`, in lower case.
    pub charset: Option<String>,
    /// `boundary` of a multipart type (RFC 2046 §5.1.1), as it came: case counts.
    pub boundary: Option<String>,
    /// `header` of CSV (RFC 4180 §3), in lower case: `present` or `absent`.
    pub header: Option<String>,
}

impl MediaType {
    /// Reads Content-Type; `None` where it is absent or empty.
    ///
    /// # Errors
    /// 400 where it is sent twice, is not a media type, or names charset, boundary or header
    /// twice: two readers could take such content for two different things.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
        let Some(line) = lines.next() else { return Ok(None) };
        if lines.next().is_some() {
            return Err(refusal("Content-Type is sent more than once. Send it once."));
        }
        if line.as_bytes().trim_ascii().is_empty() {
            return Ok(None);
        }
        Self::parse(line.as_bytes()).map(Some)
    }

    fn parse(line: &[u8]) -> Result<Self, Problem> {
        let mut pieces = field::split(line, b';');
        let essence = pieces.next().and_then(essence).ok_or_else(|| {
            refusal("Content-Type is not a media type. Send for example application/json.")
        })?;
        let mut media_type = Self { essence, charset: None, boundary: None, header: None };
        // `;` with nothing after it is within the grammar (RFC 9110 §5.6.6).
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            let (name, value) = field::parameter(piece).ok_or_else(|| {
                refusal(
                    "A parameter of Content-Type is not of the form name=value or name=\"value\".",
                )
            })?;
            let (place, value) = match name.as_str() {
                "charset" => (&mut media_type.charset, value.to_ascii_lowercase()),
                "boundary" => (&mut media_type.boundary, value),
                "header" => (&mut media_type.header, value.to_ascii_lowercase()),
                _ => continue,
            };
            if place.replace(value).is_some() {
                let detail = format!("Content-Type names {name} more than once. Name it once.");
                return Err(refusal(&detail));
            }
        }
        media_type.check_boundary()?;
        Ok(media_type)
    }

    /// A multipart type has a boundary of 1 to 70 characters of RFC 2046 §5.1.1.
    fn check_boundary(&self) -> Result<(), Problem> {
        if !self.essence.starts_with("multipart/") {
            return Ok(());
        }
        let fits = self.boundary.as_deref().is_some_and(|boundary| {
            matches!(boundary.len(), 1..=70)
                && boundary.bytes().all(is_boundary)
                && !boundary.ends_with(' ')
        });
        if fits {
            return Ok(());
        }
        Err(refusal(
            "Content-Type needs a boundary of 1 to 70 characters (RFC 2046 §5.1.1). Let the HTTP \
             library set Content-Type for multipart content: it knows the boundary that it wrote.",
        ))
    }
}

/// `type/subtype` in lower case. Wildcards are for Accept.
fn essence(piece: &[u8]) -> Option<String> {
    let (kind, subtype) = std::str::from_utf8(piece).ok()?.split_once('/')?;
    let named = |part: &str| field::token(part.as_bytes()).is_some() && part != "*";
    (named(kind) && named(subtype))
        .then(|| piece.to_ascii_lowercase())
        .map(|bytes| bytes.into_iter().map(char::from).collect())
}

fn is_boundary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte)
}

fn refusal(detail: &str) -> Problem {
    Problem::new(Kind::MalformedField, detail)
        .with_errors(vec![Violation::field("Content-Type", detail)])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Option<MediaType>, Kind> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("content-type", line.parse().unwrap());
        }
        MediaType::read(&headers).map_err(|problem| problem.kind)
    }

    fn of(
        essence: &str,
        charset: Option<&str>,
        boundary: Option<&str>,
    ) -> Result<Option<MediaType>, Kind> {
        Ok(Some(MediaType {
            essence: essence.into(),
            charset: charset.map(Into::into),
            boundary: boundary.map(Into::into),
            header: None,
        }))
    }

    #[test]
    fn absent_or_empty_is_none() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[""]), Ok(None));
        assert_eq!(read(&["  "]), Ok(None));
    }

    #[test]
    fn type_subtype_and_charset_are_case_insensitive() {
        assert_eq!(read(&["application/json"]), of("application/json", None, None));
        assert_eq!(read(&["Application/JSON"]), of("application/json", None, None));
        for line in [
            "text/html;charset=utf-8",
            "Text/HTML;Charset=\"utf-8\"",
            "text/html; charset=\"utf-8\"",
            "text/html;charset=UTF-8",
            "text/html ; charset=utf-8 ; ",
        ] {
            assert_eq!(read(&[line]), of("text/html", Some("utf-8"), None), "{line}");
        }
        let unknown = "application/json; version=1; profile=\"a;b\"";
        assert_eq!(read(&[unknown]), of("application/json", None, None));
    }

    #[test]
    fn a_table_says_whether_it_has_a_header() {
        let header = |line| read(&[line]).unwrap().and_then(|media_type| media_type.header);
        assert_eq!(header("text/csv; header=Present"), Some("present".to_owned()));
        assert_eq!(header("text/csv;header=absent;charset=utf-8"), Some("absent".to_owned()));
        assert_eq!(header("text/csv"), None);
        assert_eq!(read(&["text/csv;header=absent;header=present"]), Err(Kind::MalformedField));
    }

    #[test]
    fn a_multipart_type_has_a_boundary_and_keeps_its_case() {
        let form = |boundary| of("multipart/form-data", None, Some(boundary));
        assert_eq!(read(&["multipart/form-data; boundary=aBc"]), form("aBc"));
        assert_eq!(read(&["multipart/form-data; boundary=\"a b:c\""]), form("a b:c"));
        let longest = "x".repeat(70);
        assert_eq!(read(&[&format!("multipart/form-data;boundary={longest}")]), form(&longest));
        for line in [
            "multipart/form-data".to_owned(),
            "multipart/form-data; boundary=\"\"".to_owned(),
            "multipart/form-data; boundary=\"a \"".to_owned(),
            "multipart/form-data; boundary=\"a\\\"b\"".to_owned(),
            "multipart/form-data; boundary=a; boundary=b".to_owned(),
            format!("multipart/form-data; boundary={longest}x"),
        ] {
            assert_eq!(read(&[&line]), Err(Kind::MalformedField), "{line}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "json",
            "application/",
            "/json",
            "application json",
            "application/json, text/html",
            "application/json; charset",
            "application/json; charset =utf-8",
            "application/json; charset= utf-8",
            "application/json; charset=\"utf-8",
            "*/*",
            "application/*",
            "a/b/c",
            "application/json; charset=utf-8; charset=utf-8",
            "application/json; charset=\u{e9}",
        ] {
            assert_eq!(read(&[line]), Err(Kind::MalformedField), "{line}");
        }
        let twice = ["application/json", "application/json"];
        assert_eq!(read(&twice), Err(Kind::MalformedField));
    }
}
