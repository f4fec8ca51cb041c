//! Answers as bytes, to be kept with the write that they answer, and read again years of versions
//! later: a format byte, what the caller saw, the status, the media type, the fields, the content.

use http::{HeaderName, HeaderValue};

use crate::answer::Answer;
use crate::vantage::Vantage;

const FORMAT: u8 = 2;
/// As it was before it was kept what the caller saw.
const WITHOUT_VIEW: u8 = 1;
/// The media types that a remembered answer can have.
const MEDIA: &[&str] = &["", "application/json"];

/// An answer that was kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What the caller saw. Empty of answers that were kept before this was.
    pub(crate) view: Vantage,
    /// The answer.
    pub(crate) answer: Answer,
}

/// The bytes to keep.
pub(crate) fn encode(view: &Vantage, answer: &Answer) -> Vec<u8> {
    let mut out = vec![FORMAT];
    put_text(&mut out, view.written().as_bytes());
    out.extend_from_slice(&answer.status.to_le_bytes());
    let media = MEDIA.iter().position(|media| *media == answer.media).unwrap_or_default();
    out.push(u8::try_from(media).unwrap_or_default());
    put(&mut out, &u32::try_from(answer.fields.len()).unwrap_or_default().to_le_bytes());
    for (name, value) in &answer.fields {
        put_text(&mut out, name.as_str().as_bytes());
        put_text(&mut out, value.as_bytes());
    }
    put(&mut out, &answer.content);
    out
}

/// The answer that was kept; `None` where the bytes are of a later format, or damaged.
pub(crate) fn decode(bytes: &[u8]) -> Option<Kept> {
    let (format, mut rest) = bytes.split_first()?;
    let view = match *format {
        FORMAT => Vantage::read(std::str::from_utf8(take_text(&mut rest)?).ok()?),
        WITHOUT_VIEW => Vantage::default(),
        _ => return None,
    };
    let status = u16::from_le_bytes(take(&mut rest, 2)?.try_into().ok()?);
    let media = *MEDIA.get(usize::from(take(&mut rest, 1)?[0]))?;
    let count = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
    let mut fields = Vec::new();
    for _ in 0..count {
        let name = HeaderName::from_bytes(take_text(&mut rest)?).ok()?;
        let value = HeaderValue::from_bytes(take_text(&mut rest)?).ok()?;
        fields.push((name, value));
    }
    let answer = Answer { fields, ..Answer::new(status, media, rest.to_vec()) };
    Some(Kept { view, answer })
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put(out, &u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
    put(out, text);
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    take(rest, usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::{Kept, decode, encode};
    use crate::answer::Answer;
    use crate::vantage::Vantage;
    use http::{HeaderValue, header};

    #[test]
    fn what_is_kept_comes_back_and_half_of_it_does_not() {
        let answer = Answer {
            fields: vec![
                (header::LOCATION, HeaderValue::from_static("/api/users/43")),
                (header::ETAG, HeaderValue::from_static("\"a.j\"")),
            ],
            ..Answer::new(201, "application/json", b"{\"id\":43}".to_vec())
        };
        let view = Vantage::read("users 00ff email,phone\nnotes  \n");
        let bytes = encode(&view, &answer);
        let older: Vec<u8> = [&[1], &bytes[1 + 4 + view.written().len()..]].concat();
        assert_eq!(decode(&bytes), Some(Kept { view, answer: answer.clone() }));
        assert_eq!(decode(&bytes[..12]), None);
        assert_eq!(decode(&older), Some(Kept { view: Vantage::default(), answer }));
        assert_eq!(decode(&[9, 9, 9]), None);
    }
}
