//! Content that arrives in pieces: what of it is not used yet, and where in the whole that stands.

use crate::json::Fault;

/// U+FEFF in UTF-8. It may stand before everything (RFC 8259 §8.1).
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What has arrived and is not used yet.
pub(super) struct Feed {
    bytes: Vec<u8>,
    at: usize,
    /// Bytes before those that are held.
    dropped: u64,
    /// How much of the rest is known to hold no line feed.
    searched: usize,
    has_begun: bool,
    has_ended: bool,
    /// The line of the first byte that is not used, from 1.
    pub(super) line: usize,
    /// Its column in characters, from 1.
    pub(super) column: usize,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            dropped: 0,
            searched: 0,
            has_begun: false,
            has_ended: false,
            line: 1,
            column: 1,
        }
    }
}

impl Feed {
    /// Adds a piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.at);
        self.dropped += self.at as u64;
        self.at = 0;
        self.bytes.extend_from_slice(piece);
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// True where nothing more comes.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// True once it is known whether a byte order mark stands first; it is passed over then.
    pub(super) fn has_begun(&mut self) -> bool {
        if !self.has_begun {
            if self.bytes.starts_with(MARK) {
                self.at = MARK.len();
            } else if MARK.starts_with(&self.bytes) && !self.has_ended {
                return false;
            }
            self.has_begun = true;
        }
        true
    }

    /// How many bytes of the whole have been used.
    pub(super) fn used(&self) -> u64 {
        self.dropped + self.at as u64
    }

    /// What is not used yet.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Where in the rest the first line feed stands. What was searched is not searched again.
    pub(super) fn find_line_feed(&mut self) -> Option<usize> {
        let from = self.searched;
        let found = self.rest()[from..].iter().position(|byte| *byte == b'\n');
        self.searched = if found.is_some() { from } else { self.rest().len() };
        found.map(|at| from + at)
    }

    /// Uses so many bytes.
    pub(super) fn take(&mut self, length: usize) {
        (self.line, self.column) = self.place(length);
        self.at += length;
        self.searched = 0;
    }

    /// Line and column of this byte of the rest.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let passed = &self.rest()[..offset];
        let characters = |bytes: &[u8]| bytes.iter().filter(|b| (**b & 0xc0) != 0x80).count();
        match passed.iter().rposition(|byte| *byte == b'\n') {
            None => (self.line, self.column + characters(passed)),
            Some(last) => {
                let lines = passed.iter().filter(|byte| **byte == b'\n').count();
                (self.line + lines, 1 + characters(&passed[last + 1..]))
            }
        }
    }

    /// A fault of the content at this byte of the rest, in this row.
    pub(super) fn fault(&self, offset: usize, detail: impl Into<String>, number: usize) -> Fault {
        let (line, column) = self.place(offset);
        let pointer = format!("/{number}");
        Fault { line, column, detail: detail.into(), semantic: false, pointer }
    }

    /// A fault of a part that begins here, in its place in the whole.
    pub(super) fn placed(&self, fault: Fault, number: usize) -> Fault {
        let column = if fault.line == 1 { self.column + fault.column - 1 } else { fault.column };
        Fault {
            line: self.line + fault.line - 1,
            column,
            pointer: format!("/{number}{}", fault.pointer),
            ..fault
        }
    }
}
