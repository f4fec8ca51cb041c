//! Content codings of answers (RFC 9110 §8.4): gzip and zstd, at the levels where time is best
//! spent; of content that is there at once, and piece by piece.

use std::io::Write;
use std::mem::take;

use contract::negotiate::Coding;
use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

const GZIP_LEVEL: u32 = 5;
const ZSTD_LEVEL: i32 = 3;

/// The content in a coding. The same bytes always give the same bytes, so a strong tag holds.
pub(crate) fn encode(coding: Coding, content: Vec<u8>) -> Vec<u8> {
    let encoded = match coding {
        Coding::Identity => return content,
        Coding::Gzip => gzip(&content),
        Coding::Zstd => zstd::bulk::compress(&content, ZSTD_LEVEL),
    };
    encoded.expect("compressing into memory does not fail")
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    encoder.write_all(content)?;
    encoder.finish()
}

/// A coding in the middle of content that comes in pieces.
pub(crate) enum Coder {
    /// None.
    Identity,
    /// RFC 1952.
    Gzip(Box<GzEncoder<Vec<u8>>>),
    /// RFC 8878.
    Zstd(Box<ZstdEncoder<'static, Vec<u8>>>),
}

impl Coder {
    /// A coding at its beginning.
    pub(crate) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => {
                let level = Compression::new(GZIP_LEVEL);
                Self::Gzip(Box::new(GzEncoder::new(Vec::new(), level)))
            }
            Coding::Zstd => {
                let encoder = ZstdEncoder::new(Vec::new(), ZSTD_LEVEL);
                Self::Zstd(Box::new(encoder.expect("the level is one of zstd's")))
            }
        }
    }

    /// A piece in the coding. Flushed, so that whoever gets it can read all of it at once.
    pub(crate) fn piece(&mut self, content: Vec<u8>) -> Vec<u8> {
        let coded = match self {
            Self::Identity => return content,
            Self::Gzip(encoder) => encoder
                .write_all(&content)
                .and_then(|()| encoder.flush())
                .map(|()| take(encoder.get_mut())),
            Self::Zstd(encoder) => encoder
                .write_all(&content)
                .and_then(|()| encoder.flush())
                .map(|()| take(encoder.get_mut())),
        };
        coded.expect("compressing into memory does not fail")
    }

    /// The last piece in the coding, and what ends it.
    pub(crate) fn last(&mut self, content: Vec<u8>) -> Vec<u8> {
        let coded = match self {
            Self::Identity => return content,
            Self::Gzip(encoder) => encoder
                .write_all(&content)
                .and_then(|()| encoder.try_finish())
                .map(|()| take(encoder.get_mut())),
            Self::Zstd(encoder) => encoder
                .write_all(&content)
                .and_then(|()| encoder.do_finish())
                .map(|()| take(encoder.get_mut())),
        };
        coded.expect("compressing into memory does not fail")
    }
}

impl std::fmt::Debug for Coder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Identity => "Identity",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read, Write};

    use super::Coder;
    use contract::negotiate::Coding;

    /// What a reader has of the coded bytes that it got so far.
    fn decoded(coding: Coding, coded: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match coding {
            Coding::Identity => plain.extend_from_slice(coded),
            Coding::Gzip => {
                let mut decoder = flate2::write::GzDecoder::new(&mut plain);
                decoder.write_all(coded).unwrap();
                decoder.flush().unwrap();
            }
            Coding::Zstd => {
                let mut decoder = zstd::stream::write::Decoder::new(&mut plain).unwrap();
                decoder.write_all(coded).unwrap();
                decoder.flush().unwrap();
            }
        }
        plain
    }

    #[test]
    fn each_piece_can_be_read_when_it_is_there_and_the_last_one_ends_the_coding() {
        for coding in [Coding::Identity, Coding::Gzip, Coding::Zstd] {
            let mut coder = Coder::new(coding);
            let (mut coded, mut plain) = (Vec::new(), Vec::new());
            for number in 0..50 {
                let piece = format!("{{\"id\":{number},\"name\":\"Alice\"}}\n").repeat(100);
                plain.extend_from_slice(piece.as_bytes());
                coded.extend_from_slice(&coder.piece(piece.into_bytes()));
                assert_eq!(decoded(coding, &coded), plain, "{coding:?}");
            }
            coded.extend_from_slice(&coder.last(b"end\n".to_vec()));
            plain.extend_from_slice(b"end\n");
            let mut whole = Vec::new();
            match coding {
                Coding::Identity => whole = coded,
                Coding::Gzip => {
                    flate2::read::GzDecoder::new(&coded[..])
                        .read_to_end(&mut whole)
                        .map(drop)
                        .unwrap();
                }
                Coding::Zstd => whole = zstd::decode_all(&coded[..]).unwrap(),
            }
            assert_eq!(whole, plain, "{coding:?}");
        }
    }
}
