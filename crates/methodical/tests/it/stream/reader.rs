//! Reads content in chunks (RFC 9112 §7.1) line by line, as slowly as it is asked to.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

/// An answer on its way.
pub(super) struct Reader {
    stream: BufReader<TcpStream>,
    head: String,
    content: Vec<u8>,
    /// What of the content has been given out.
    given: usize,
    is_whole: bool,
}

impl Reader {
    /// Reads the head.
    pub(super) fn new(stream: TcpStream) -> Self {
        let mut stream = BufReader::with_capacity(4096, stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).expect("a line") > 0, "no end of the head: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        Self { stream, head, content: Vec::new(), given: 0, is_whole: false }
    }

    /// Status line and fields.
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// True once the last chunk has been seen.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The next line of the content, without its end.
    pub(super) fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            let rest = &self.content[self.given..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest[..end].to_vec();
                self.given += end + 1;
                return Some(line);
            }
            self.content.drain(..self.given);
            self.given = 0;
            if !self.chunk() {
                assert!(self.content.is_empty(), "the last line has no end");
                return None;
            }
        }
    }

    /// Reads a chunk. False where it is the last, or the connection ends.
    fn chunk(&mut self) -> bool {
        let mut size = String::new();
        self.stream.read_line(&mut size).expect("a size");
        if size.is_empty() {
            return false;
        }
        let size = size.strip_suffix("\r\n").expect("CRLF behind a size");
        let size = usize::from_str_radix(size, 16).expect("a size in hexadecimal");
        let start = self.content.len();
        self.content.resize(start + size + 2, 0);
        self.stream.read_exact(&mut self.content[start..]).expect("a whole chunk");
        assert!(self.content.ends_with(b"\r\n"), "CRLF behind a chunk");
        self.content.truncate(start + size);
        self.is_whole = size == 0;
        size > 0
    }
}
