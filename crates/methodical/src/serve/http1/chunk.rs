//! The chunked transfer coding, decoded strictly (RFC 9112 §7.1). Trailers are read and dropped.

use bytes::{Buf, Bytes, BytesMut};

/// Longest chunk extension that is passed over, and the most of all in one content. Extensions
/// mean nothing here, and without a bound they are a way to send for ever (RFC 9112 §7.1.1).
const EXTENSION_BYTES_MAX: usize = 256;
const EXTENSIONS_BYTES_MAX: usize = 16 * 1024;
/// Most hexadecimal digits of a chunk size: as many as 64 bits have.
const SIZE_DIGITS_MAX: usize = 16;
/// Longest trailer section.
const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// Where the decoder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the digits of a size.
    Size { value: u64, digits: usize },
    /// In whitespace that only an extension may follow.
    BeforeExtension { value: u64 },
    /// In an extension.
    Extension { value: u64, length: usize },
    /// At the LF that ends a size line.
    SizeEnd { value: u64 },
    /// In data.
    Data { left: u64 },
    /// At the CR after data.
    DataCr,
    /// At the LF after data.
    DataLf,
    /// At the first byte of a trailer line.
    TrailerStart,
    /// In the name of a trailer field.
    TrailerName,
    /// In the value of a trailer field.
    TrailerValue,
    /// At the LF of a trailer line.
    TrailerLf,
    /// At the LF that ends the whole.
    LastLf,
    /// Past the end.
    Done,
}

/// What a step of decoding gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Some data.
    Data(Bytes),
    /// More bytes are needed.
    More,
    /// The content is complete.
    End,
}

/// Decodes chunked content piece by piece.
#[derive(Debug)]
pub(super) struct Decoder {
    state: State,
    extensions: usize,
    trailers: usize,
}

impl Decoder {
    /// A decoder at the start of content.
    pub(super) const fn new() -> Self {
        Self { state: State::Size { value: 0, digits: 0 }, extensions: 0, trailers: 0 }
    }

    /// True past the end.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How much is still to come of the chunk that has begun.
    pub(super) fn announced(&self) -> u64 {
        if let State::Data { left } = self.state { left } else { 0 }
    }

    /// Takes what it can from the input.
    ///
    /// # Errors
    /// Says which rule of RFC 9112 §7.1 is broken. The connection cannot be used further.
    pub(super) fn step(&mut self, input: &mut BytesMut) -> Result<Step, &'static str> {
        loop {
            match self.state {
                State::Done => return Ok(Step::End),
                State::Data { left } if input.is_empty() => {
                    debug_assert!(left > 0, "an empty rest is DataCr");
                    return Ok(Step::More);
                }
                State::Data { left } => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let data = input.split_to(length).freeze();
                    let left = left - length as u64;
                    self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                    return Ok(Step::Data(data));
                }
                _ if input.is_empty() => return Ok(Step::More),
                state => {
                    let byte = input.get_u8();
                    self.state = match state {
                        State::Size { .. }
                        | State::BeforeExtension { .. }
                        | State::Extension { .. }
                        | State::SizeEnd { .. } => self.size_line(state, byte)?,
                        _ => self.between(state, byte)?,
                    };
                }
            }
        }
    }

    /// A byte of a line with a chunk size.
    fn size_line(&mut self, state: State, byte: u8) -> Result<State, &'static str> {
        Ok(match (state, byte) {
            (State::Size { digits: 0, .. }, byte) if !byte.is_ascii_hexdigit() => {
                return Err("a chunk has no size in hexadecimal digits");
            }
            (State::Size { value, digits }, byte) if byte.is_ascii_hexdigit() => {
                if digits == SIZE_DIGITS_MAX {
                    return Err("a chunk size is larger than 64 bits hold");
                }
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                State::Size { value: (value << 4) | u64::from(digit), digits: digits + 1 }
            }
            (State::Size { value, .. } | State::BeforeExtension { value }, b';') => {
                self.extension(value, 0)?
            }
            (State::Size { value, .. } | State::Extension { value, .. }, b'\r') => {
                State::SizeEnd { value }
            }
            (State::Size { value, .. } | State::BeforeExtension { value }, b' ' | b'\t') => {
                self.extensions += 1;
                if self.extensions > EXTENSIONS_BYTES_MAX {
                    return Err("chunk extensions are too long");
                }
                State::BeforeExtension { value }
            }
            (State::Extension { value, length }, b'\t' | b' '..=b'~' | 0x80..) => {
                self.extension(value, length)?
            }
            (State::SizeEnd { value: 0 }, b'\n') => State::TrailerStart,
            (State::SizeEnd { value }, b'\n') => State::Data { left: value },
            (State::SizeEnd { .. }, _) => {
                return Err("the CR after a chunk size is not followed by LF");
            }
            (_, b'\n') => return Err("a chunk size line ends in LF without CR"),
            (State::Extension { .. }, _) => {
                return Err("a chunk extension holds a control character");
            }
            _ => return Err("a chunk size is followed by something other than `;` or CRLF"),
        })
    }

    /// Counts a byte of an extension.
    fn extension(&mut self, value: u64, length: usize) -> Result<State, &'static str> {
        self.extensions += 1;
        let length = length + 1;
        if length > EXTENSION_BYTES_MAX || self.extensions > EXTENSIONS_BYTES_MAX {
            return Err("chunk extensions are too long");
        }
        Ok(State::Extension { value, length })
    }

    /// A byte after data, or of the trailer section.
    fn between(&mut self, state: State, byte: u8) -> Result<State, &'static str> {
        if matches!(state, State::TrailerStart | State::TrailerName | State::TrailerValue) {
            self.trailers += 1;
            if self.trailers > TRAILER_BYTES_MAX {
                return Err("the trailer section is too long");
            }
        }
        Ok(match (state, byte) {
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size { value: 0, digits: 0 },
            (State::DataCr | State::DataLf, _) => {
                return Err("the data of a chunk is not followed by CRLF: its size is wrong");
            }
            (State::TrailerStart, b'\r') => State::LastLf,
            (State::TrailerStart | State::TrailerName, byte) if is_token(byte) => {
                State::TrailerName
            }
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerLf,
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => State::TrailerValue,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::LastLf, b'\n') => State::Done,
            _ => return Err("the trailer section is malformed"),
        })
    }
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Decoder, Step};
    use bytes::BytesMut;

    /// Decodes a whole text, and the same byte by byte; both ways must agree.
    fn decode(text: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
        let whole = pieces(text, text.len().max(1));
        let single = pieces(text, 1);
        assert_eq!(whole, single, "{}", String::from_utf8_lossy(text));
        whole
    }

    fn pieces(text: &[u8], size: usize) -> Result<Option<Vec<u8>>, &'static str> {
        let (mut decoder, mut data) = (Decoder::new(), Vec::new());
        let mut input = BytesMut::new();
        for piece in text.chunks(size) {
            input.extend_from_slice(piece);
            loop {
                match decoder.step(&mut input)? {
                    Step::Data(bytes) => data.extend_from_slice(&bytes),
                    Step::More => break,
                    Step::End => return Ok(Some(data)),
                }
            }
        }
        Ok(None)
    }

    fn ok(text: &str) -> String {
        String::from_utf8(decode(text.as_bytes()).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn data_extensions_and_trailers() {
        assert_eq!(ok("0\r\n\r\n"), "");
        assert_eq!(ok("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "hello world");
        assert_eq!(ok("00A;name=value;x=\"y z\"\r\n0123456789\r\n000;end\r\n\r\n"), "0123456789");
        assert_eq!(ok("a ; name\r\n0123456789\r\n0\r\nHost: evil\r\nX: \r\n\r\n"), "0123456789");
        assert_eq!(decode(b"5\r\nhel").unwrap(), None);
        assert_eq!(decode(b"5\r\nhello\r\n0\r\n").unwrap(), None);
    }

    #[test]
    fn what_is_outside_the_grammar_is_refused() {
        for text in [
            "\r\n",
            "g\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "5\nhello\n0\n\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhelloo\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\rXhello\r\n0\r\n\r\n",
            "5;a\nb\r\nhello\r\n0\r\n\r\n",
            "5;a\0b\r\nhello\r\n0\r\n\r\n",
            "10000000000000000\r\nhello\r\n0\r\n\r\n",
            "00000000000000005\r\nhello\r\n0\r\n\r\n",
            "0\r\n folded\r\n\r\n",
            "0\r\nno colon\r\n\r\n",
            "0\r\nName : x\r\n\r\n",
            "0\r\nName: x\n\r\n",
            "0\r\n\n",
        ] {
            assert!(decode(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn nothing_goes_on_for_ever() {
        let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300));
        assert!(decode(long.as_bytes()).is_err());
        let spaces = format!("5{}", " ".repeat(20_000));
        assert!(decode(spaces.as_bytes()).is_err());
        let many = format!("1;{}\r\nx\r\n", "y".repeat(200)).repeat(100);
        assert!(decode(many.as_bytes()).is_err());
        let trailers = format!("0\r\n{}", "A: b\r\n".repeat(5000));
        assert!(decode(trailers.as_bytes()).is_err());
    }

    #[test]
    fn what_follows_the_content_stays() {
        let mut input = BytesMut::from(&b"1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n"[..]);
        let mut decoder = Decoder::new();
        assert!(matches!(decoder.step(&mut input), Ok(Step::Data(_))));
        assert_eq!(decoder.step(&mut input), Ok(Step::End));
        assert_eq!(&input[..], b"GET / HTTP/1.1\r\n");
    }

    #[test]
    fn a_chunk_says_how_much_is_still_to_come() {
        let (mut decoder, mut input) = (Decoder::new(), BytesMut::from(&b"ffffffff\r\nabc"[..]));
        assert_eq!(decoder.announced(), 0);
        assert_eq!(decoder.step(&mut input), Ok(Step::Data("abc".into())));
        assert_eq!(decoder.announced(), 0xffff_ffff - 3);
    }
}
