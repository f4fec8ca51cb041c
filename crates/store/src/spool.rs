//! Rows that wait for their transaction: in memory while they are few, otherwise in a file without
//! a name, which is gone with the process whatever ends it.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use model::value::{Id, Value};

use crate::error::Error;
use crate::sqlite::failure::{Failure, broken};

/// Bytes that are kept in memory; more goes to the disk.
const MEMORY_BYTES_MAX: usize = 1 << 20;
/// Bytes that are written, and read, at a time.
const PIECE_BYTES: usize = 64 << 10;

/// A spool that is being filled.
pub struct Spooling {
    folder: PathBuf,
    rows: u64,
    /// What is not in the file: everything, while there is none.
    bytes: Vec<u8>,
    file: Option<File>,
}

/// Rows that are read as often as their write is tried.
pub struct Spool {
    rows: u64,
    held: Held,
}

enum Held {
    Memory(Vec<u8>),
    File(File),
}

/// A row as it comes back.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Spooled {
    /// The line of the content that it began at.
    pub(crate) line: u32,
    /// Its id, where it brought one.
    pub(crate) id: Option<Id>,
    /// Its values.
    pub(crate) values: Vec<Option<Value>>,
}

impl Spooling {
    /// An empty spool; a file that it needs is made in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), rows: 0, bytes: Vec::new(), file: None }
    }

    /// Adds a row: the line of the content that it began at, its id where it brings one, its
    /// values.
    ///
    /// # Errors
    /// `Full` where the disk is, `Broken` where it fails.
    pub fn push(
        &mut self,
        line: u32,
        id: Option<&Id>,
        values: &[Option<Value>],
    ) -> Result<(), Error> {
        self.rows += 1;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&line.to_le_bytes());
        write_id(&mut self.bytes, id);
        values.iter().for_each(|value| write_value(&mut self.bytes, value.as_ref()));
        let length = u32::try_from(self.bytes.len() - start - 4)
            .map_err(|_| Error::Broken("a row has 4 GiB".to_owned()))?;
        self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        let most = if self.file.is_some() { PIECE_BYTES } else { MEMORY_BYTES_MAX };
        if self.bytes.len() > most { self.spill().map_err(|error| told(&error)) } else { Ok(()) }
    }

    /// Moves what is in memory to the disk.
    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.folder)?),
        };
        file.write_all(&self.bytes)?;
        self.bytes = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        Ok(())
    }

    /// How many rows it holds.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// True once there are more than stay in memory.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.file.is_some()
    }

    /// Ends the filling.
    ///
    /// # Errors
    /// As `push`.
    pub fn finish(mut self) -> Result<Spool, Error> {
        if self.file.is_some() {
            self.spill().map_err(|error| told(&error))?;
        }
        let held = match self.file {
            Some(file) => Held::File(file),
            None => Held::Memory(self.bytes),
        };
        Ok(Spool { rows: self.rows, held })
    }
}

impl Spool {
    /// How many rows it holds.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads it from its beginning. One reading at a time: a file has one place.
    pub(crate) fn read(&self, values: usize) -> Result<Reading<'_>, Failure> {
        let source: Box<dyn Read + '_> = match &self.held {
            Held::Memory(bytes) => Box::new(bytes.as_slice()),
            Held::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0)).map_err(|error| unread(&error))?;
                Box::new(BufReader::with_capacity(PIECE_BYTES, file))
            }
        };
        Ok(Reading { source, left: self.rows, values, row: Vec::new() })
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Spool({} rows)", self.rows)
    }
}

/// A spool is equal to itself only: its rows are not compared.
impl PartialEq for Spool {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Rows on their way out, in order.
pub(crate) struct Reading<'a> {
    source: Box<dyn Read + 'a>,
    left: u64,
    values: usize,
    row: Vec<u8>,
}

impl Reading<'_> {
    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Spooled>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut length = [0; 4];
        self.source.read_exact(&mut length).map_err(|error| unread(&error))?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        self.row.resize(length, 0);
        self.source.read_exact(&mut self.row).map_err(|error| unread(&error))?;
        let row = decode(&self.row, self.values);
        row.map(Some).ok_or_else(|| broken("a spooled row is not as it was written"))
    }
}

fn told(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
        _ => Error::Broken(format!("rows cannot be spooled: {error}")),
    }
}

fn unread(error: &io::Error) -> Failure {
    broken(format!("spooled rows cannot be read: {error}"))
}

const ABSENT: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const INTEGER: u8 = 4;
const NUMBER: u8 = 5;
const TEXT: u8 = 6;
const JSON: u8 = 7;

fn write_id(out: &mut Vec<u8>, id: Option<&Id>) {
    match id {
        None => out.push(ABSENT),
        Some(Id::Integer(id)) => write_eight(out, INTEGER, id.to_le_bytes()),
        Some(Id::Text(id)) => write_text(out, TEXT, id),
    }
}

fn write_value(out: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        None => out.push(ABSENT),
        Some(Value::Null) => out.push(NULL),
        Some(Value::Boolean(false)) => out.push(FALSE),
        Some(Value::Boolean(true)) => out.push(TRUE),
        Some(Value::Integer(number)) => write_eight(out, INTEGER, number.to_le_bytes()),
        Some(Value::Number(number)) => write_eight(out, NUMBER, number.to_le_bytes()),
        Some(Value::Text(text)) => write_text(out, TEXT, text),
        Some(Value::Json(text)) => write_text(out, JSON, text),
    }
}

fn write_eight(out: &mut Vec<u8>, tag: u8, bytes: [u8; 8]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}

fn write_text(out: &mut Vec<u8>, tag: u8, text: &str) {
    out.push(tag);
    // A row of 4 GiB is refused as a whole.
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn decode(row: &[u8], values: usize) -> Option<Spooled> {
    let mut rest = row;
    let line = u32::from_le_bytes(take(&mut rest)?);
    let id = match read_value(&mut rest)? {
        None => None,
        Some(Value::Integer(id)) => Some(Id::Integer(id)),
        Some(Value::Text(id)) => Some(Id::Text(id)),
        Some(Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Json(_)) => return None,
    };
    let mut read = Vec::with_capacity(values);
    while !rest.is_empty() {
        read.push(read_value(&mut rest)?);
    }
    Some(Spooled { line, id, values: read })
}

/// The outer None: the bytes are no value.
fn read_value(rest: &mut &[u8]) -> Option<Option<Value>> {
    let [tag] = take(rest)?;
    Some(Some(match tag {
        ABSENT => return Some(None),
        NULL => Value::Null,
        FALSE => Value::Boolean(false),
        TRUE => Value::Boolean(true),
        INTEGER => Value::Integer(i64::from_le_bytes(take(rest)?)),
        NUMBER => Value::Number(f64::from_le_bytes(take(rest)?)),
        TEXT => Value::Text(read_text(rest)?),
        JSON => Value::Json(read_text(rest)?),
        _ => return None,
    }))
}

fn read_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    let (text, left) = rest.split_at_checked(length)?;
    *rest = left;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Held, Spooled, Spooling};
    use crate::error::Error;
    use model::value::{Id, Value};

    fn row(number: i64) -> Spooled {
        Spooled {
            line: u32::try_from(number).unwrap() + 2,
            id: match number % 3 {
                0 => None,
                1 => Some(Id::Integer(-number)),
                _ => Some(Id::Text(format!("id-{number}"))),
            },
            values: vec![
                None,
                Some(Value::Null),
                Some(Value::Boolean(number % 2 == 0)),
                Some(Value::Integer(i64::MIN + number)),
                Some(Value::Number(0.1)),
                Some(Value::Text("ä\0\n".repeat(20))),
                Some(Value::Json("{\"a\":[]}".to_owned())),
            ],
        }
    }

    #[test]
    fn what_is_spooled_comes_back_as_often_as_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for (rows, is_in_memory) in [(0, true), (50, true), (20_000, false)] {
            let mut spooling = Spooling::new(folder.path());
            for number in 0..rows {
                let Spooled { line, id, values } = row(number);
                spooling.push(line, id.as_ref(), &values).unwrap();
            }
            let spool = spooling.finish().unwrap();
            assert_eq!(spool.rows(), u64::try_from(rows).unwrap());
            assert_eq!(matches!(spool.held, Held::Memory(_)), is_in_memory);
            for _ in 0..2 {
                let mut reading = spool.read(7).unwrap();
                for number in 0..rows {
                    assert_eq!(reading.next().unwrap(), Some(row(number)));
                }
                assert_eq!(reading.next().unwrap(), None);
            }
            let named = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(named, 0, "the file has no name, so that it cannot be left behind");
        }
    }

    #[test]
    fn a_folder_that_takes_no_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut spooling = Spooling::new(&folder.path().join("gone"));
        let values = [Some(Value::Text("x".repeat(600_000)))];
        spooling.push(1, None, &values).unwrap();
        let error = spooling.push(2, None, &values).unwrap_err();
        assert!(matches!(error, Error::Broken(text) if text.contains("cannot be spooled")));
    }
}
