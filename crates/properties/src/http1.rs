//! The parsers of HTTP/1.1, as the binary has them: what they make of bytes does not depend on
//! how these arrive.

#[path = "../../methodical/src/serve/http1/chunk.rs"]
mod chunk;
#[path = "../../methodical/src/serve/http1/diagnose.rs"]
mod diagnose;
#[path = "../../methodical/src/serve/http1/framing.rs"]
mod framing;
#[path = "../../methodical/src/serve/http1/head.rs"]
#[allow(dead_code)] // The connection asks a head for more than is asked here.
mod head;
#[path = "../../methodical/src/serve/http1/target.rs"]
mod target;

use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use http::{Request, header};
use model::setting::Settings;

use crate::world::SETTINGS;
use chunk::{Decoder, Step};
use framing::Framing;
use head::{Head, Reader, Reading};

/// Limits so small that random bytes reach them.
static SMALL: LazyLock<Settings> = LazyLock::new(|| Settings {
    target_bytes_max: 64,
    fields_bytes_max: 512,
    fields_max: 8,
    ..Settings::default()
});

/// What became of a head: nothing yet, a refusal, or a request with what follows it.
#[derive(Debug, PartialEq)]
enum Outcome {
    Partial,
    Refused,
    Complete(String, Vec<u8>),
}

pub(crate) fn head(data: &[u8]) {
    let whole = arrived(data, data.len().max(1), &SMALL);
    for size in [1, 7] {
        let pieces = arrived(data, size, &SMALL);
        // A fault may be seen before the head has ended, or once it has.
        let complete = matches!(whole, Outcome::Complete(..));
        if complete || matches!(pieces, Outcome::Complete(..)) {
            assert_eq!(pieces, whole, "in pieces of {size}");
        }
    }
}

fn arrived(data: &[u8], size: usize, settings: &Settings) -> Outcome {
    let (mut reader, mut input) = (Reader::default(), BytesMut::new());
    for (number, piece) in data.chunks(size).enumerate() {
        input.extend_from_slice(piece);
        match reader.read(&mut input, settings) {
            Reading::Partial => {}
            Reading::Refused(refusal) => {
                let status = refusal.problem.kind.entry().status;
                assert!((400..600).contains(&status) && refusal.problem.close);
                return Outcome::Refused;
            }
            Reading::Complete(head) => {
                is_sound(&head, settings);
                let rest = data.iter().skip((number + 1) * size);
                let rest = input.iter().chain(rest).copied().collect();
                return Outcome::Complete(format!("{head:?}"), rest);
            }
        }
    }
    Outcome::Partial
}

/// What nobody behind the parser checks again.
fn is_sound(head: &Head, settings: &Settings) {
    let fields = head.request.headers();
    let hosts = fields.get_all(header::HOST).iter().count();
    assert!(hosts == 1 || (hosts == 0 && head.http_1_0));
    assert!(fields.len() <= settings.fields_max + 1);
    let lengths = fields.get_all(header::CONTENT_LENGTH).iter().count();
    let coded = fields.contains_key(header::TRANSFER_ENCODING);
    let agrees = match head.framing {
        Framing::Empty => lengths <= 1 && !coded,
        Framing::Length(length) => length > 0 && lengths == 1 && !coded,
        Framing::Chunked => lengths == 0 && coded && !head.http_1_0,
    };
    assert!(agrees, "{head:?}");
    let uri = head.request.uri();
    assert!(uri.path().starts_with('/') || uri == "*", "{uri}");
    assert!(uri.authority().is_none() && uri.scheme().is_none(), "{uri}");
    assert!(!head.expects_continue || head.framing != Framing::Empty);
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    assert!(!fields.values().any(|value| value.as_bytes().iter().any(control)));
}

/// The first request of a connection with its content, if both are whole. What is framed by a
/// length may end early here: nobody waits for the rest.
pub(crate) fn request(data: &[u8]) -> Option<(Request<()>, Bytes)> {
    let mut input = BytesMut::from(data);
    let Reading::Complete(head) = Reader::default().read(&mut input, &SETTINGS) else {
        return None;
    };
    let content = match head.framing {
        Framing::Empty => Bytes::new(),
        Framing::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            input.split_to(length.min(input.len())).freeze()
        }
        Framing::Chunked => Bytes::from(decoded(&input, input.len().max(1)).ok()??.0),
    };
    Some((head.request, content))
}

/// What became of chunked content: the data, and how many bytes follow it.
type Decoded = Result<Option<(Vec<u8>, usize)>, &'static str>;

pub(crate) fn chunked(data: &[u8]) {
    let whole = decoded(data, data.len().max(1));
    for size in [1, 3] {
        assert_eq!(decoded(data, size), whole, "in pieces of {size}");
    }
    let read = reference(data);
    match &whole {
        Ok(Some((content, rest))) => {
            assert_eq!(read, Some((content.clone(), *rest)));
        }
        Err(how) if how.contains("too long") => {}
        Ok(None) | Err(_) => assert_eq!(read, None, "{whole:?}"),
    }
    let mut coded = Vec::new();
    for piece in data.chunks(data.len() / 3 + 1) {
        coded.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
        coded.extend_from_slice(piece);
        coded.extend_from_slice(b"\r\n");
    }
    coded.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(decoded(&coded, coded.len()), Ok(Some((data.to_vec(), 0))));
}

fn decoded(data: &[u8], size: usize) -> Decoded {
    let (mut decoder, mut input) = (Decoder::new(), BytesMut::new());
    let mut content = Vec::new();
    for (number, piece) in data.chunks(size).enumerate() {
        input.extend_from_slice(piece);
        loop {
            let announced = decoder.announced();
            match decoder.step(&mut input)? {
                Step::Data(data) => {
                    assert!(!data.is_empty());
                    let length = data.len() as u64;
                    assert!(announced == 0 || announced == length + decoder.announced());
                    content.extend_from_slice(&data);
                }
                Step::More => break,
                Step::End => {
                    assert!(decoder.is_done());
                    let rest = input.len() + data.len().saturating_sub((number + 1) * size);
                    return Ok(Some((content, rest)));
                }
            }
        }
    }
    Ok(None)
}

/// RFC 9112 §7.1 once more, on whole lines: content and how much follows, if it is all there.
fn reference(data: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut content, mut rest) = (Vec::new(), data);
    loop {
        let (size, after) = line(rest)?;
        let digits = size.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, extension) = size.split_at(digits);
        let plain = extension.is_empty() || extension.trim_ascii_start().starts_with(b";");
        if digits.is_empty() || digits.len() > 16 || !plain || !is_text(extension) {
            return None;
        }
        let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        rest = after;
        if size == 0 {
            break;
        }
        let (data, after) = rest.split_at_checked(usize::try_from(size).ok()?)?;
        content.extend_from_slice(data);
        rest = after.strip_prefix(b"\r\n")?;
    }
    loop {
        let (trailer, after) = line(rest)?;
        rest = after;
        if trailer.is_empty() {
            return Some((content, rest.len()));
        }
        let colon = trailer.iter().position(|byte| *byte == b':')?;
        let (name, value) = trailer.split_at(colon);
        if name.is_empty() || !name.iter().copied().all(chunk::is_token) || !is_text(value) {
            return None;
        }
    }
}

fn line(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = data.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&data[..end], &data[end + 2..]))
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}
