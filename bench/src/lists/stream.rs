//! A client that takes an answer in chunks as fast as it comes, and counts its lines.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const BUFFER_BYTES: usize = 256 * 1024;

/// What was taken of an answer.
pub(super) struct Taken {
    /// Lines.
    pub(super) lines: u64,
    /// Bytes of content.
    pub(super) bytes: u64,
    /// In how many seconds.
    pub(super) seconds: f64,
    /// True where the answer came to its end; otherwise the time was over.
    pub(super) is_whole: bool,
}

/// Asks, and takes the answer to its end, or for so long.
pub(super) fn take(address: SocketAddr, request: &[u8], time: Duration) -> Result<Taken, String> {
    let told = |error: std::io::Error| format!("a long answer: {error}");
    let mut stream = TcpStream::connect(address).map_err(told)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(told)?;
    let start = Instant::now();
    stream.write_all(request).map_err(told)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut filled = 0;
    let head = loop {
        let read = stream.read(&mut buffer[filled..]).map_err(told)?;
        filled += read;
        match memchr::memmem::find(&buffer[..filled], b"\r\n\r\n") {
            Some(end) => break end + 4,
            None if read == 0 => return Err("a long answer ended within its head".to_owned()),
            None => {}
        }
    };
    let (status, fields) = (&buffer[9..12], &buffer[..head]);
    let is_chunked = memchr::memmem::find(fields, b"\r\ntransfer-encoding: chunked\r\n").is_some();
    if status != b"200" || !is_chunked {
        return Err(format!("no long answer: {}", String::from_utf8_lossy(&buffer[..filled])));
    }
    let mut chunks = Chunks::default();
    let mut part = head..filled;
    loop {
        chunks.pass(&buffer[part]);
        if chunks.is_over || start.elapsed() >= time {
            break;
        }
        let read = stream.read(&mut buffer).map_err(told)?;
        if read == 0 {
            return Err("a long answer broke off".to_owned());
        }
        part = 0..read;
    }
    let Chunks { lines, bytes, is_over, .. } = chunks;
    Ok(Taken { lines, bytes, seconds: start.elapsed().as_secs_f64(), is_whole: is_over })
}

/// Reads the framing of chunks (RFC 9112 section 7.1), without extensions and trailers.
#[derive(Default)]
struct Chunks {
    lines: u64,
    bytes: u64,
    is_over: bool,
    /// Bytes of data that are still to come.
    left: usize,
    /// The size, while its digits come.
    size: usize,
    digits: usize,
}

impl Chunks {
    fn pass(&mut self, mut bytes: &[u8]) {
        while let Some(first) = bytes.first() {
            if self.left > 0 {
                let (data, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.lines += memchr::memchr_iter(b'\n', data).count() as u64;
                self.bytes += data.len() as u64;
                self.left -= data.len();
                bytes = rest;
                continue;
            }
            bytes = &bytes[1..];
            if let Some(digit) = char::from(*first).to_digit(16) {
                self.size = self.size * 16 + digit as usize;
                self.digits += 1;
            } else if *first == b'\n' && self.digits > 0 {
                self.is_over = self.size == 0;
                (self.left, self.size, self.digits) = (self.size, 0, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chunks;

    #[test]
    fn lines_are_counted_wherever_the_bytes_are_cut() {
        let sent = b"c\r\n{\"id\":1}\n{\"i\r\n7\r\nd\":2}\nx\r\n0\r\n\r\n";
        for cut in 0..sent.len() {
            let mut chunks = Chunks::default();
            chunks.pass(&sent[..cut]);
            assert!(!chunks.is_over || cut + 2 >= sent.len());
            chunks.pass(&sent[cut..]);
            assert_eq!((chunks.lines, chunks.bytes, chunks.is_over), (2, 19, true), "{cut}");
        }
    }
}
