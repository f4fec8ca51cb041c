//! Content codings of answers (RFC 9110 §8.4): gzip and zstd, at the levels where time is best
//! spent.

use std::io::Write;

use contract::negotiate::Coding;

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
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(content)?;
    encoder.finish()
}
