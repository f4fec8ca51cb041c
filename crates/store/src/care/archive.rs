//! The file of a backup: a Zstandard file (RFC 8878) of three frames, so that `zstd -d` gives the
//! database without this program. The first is skippable and holds the header in JSON, the second
//! is the database, the third is skippable and holds the SHA-256 of all bytes before it.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::ops::ControlFlow;

use sha2::{Digest, Sha256};
use zstd::stream::raw::CParameter;

use super::error::CareError;
use super::header::Header;

/// The magic number of a skippable frame (RFC 8878 §3.1.2): the fourteenth of sixteen.
const SKIPPABLE: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];
/// How the content of the first frame begins.
const SIGNATURE: &[u8] = b"methodical backup\n";
/// How the content of the last frame begins.
const SUM: &[u8] = b"sha256 ";
/// Length of the last frame's content: the word, 64 digits, a line feed.
const SUM_BYTES: usize = SUM.len() + 64 + 1;
/// Longest header that is read.
const HEADER_BYTES_MAX: usize = 1 << 20;
/// Zstandard's own default: a fifth of the size for little time.
const LEVEL: i32 = 3;
/// Bytes between two looks at whether to go on.
const CHUNK_BYTES: usize = 1 << 18;

/// Told of progress in bytes of the database; `Break` stops.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

/// Passes bytes on and sums them up.
struct Summing<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Summing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    fn digits(&self) -> String {
        let sum = self.hash.clone().finalize();
        sum.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: BufRead> Read for Summing<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.hash.update(&out[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Summing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    /// Only what is taken counts: the sum at the end must not be part of itself.
    fn consume(&mut self, taken: usize) {
        if let Ok(buffer) = self.inner.fill_buf() {
            let taken = &buffer[..taken.min(buffer.len())];
            self.hash.update(taken);
            self.bytes += taken.len() as u64;
        }
        self.inner.consume(taken);
    }
}

fn frame(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [&SKIPPABLE[..], &length.to_le_bytes(), content].concat()
}

/// What was written.
pub(crate) struct Written {
    /// Bytes of the whole file.
    pub(crate) bytes: u64,
    /// The SHA-256, 64 digits.
    pub(crate) sum: String,
}

/// Writes a backup of this content.
pub(crate) fn write(
    out: impl Write,
    header: &Header,
    content: &mut impl Read,
    watch: Watch<'_>,
) -> io::Result<Written> {
    let mut out = Summing::new(out);
    let head = [SIGNATURE, header.text().as_bytes(), b"\n"].concat();
    out.write_all(&frame(&head))?;
    let mut packer = zstd::stream::write::Encoder::new(&mut out, LEVEL)?;
    packer.set_parameter(CParameter::ChecksumFlag(true))?;
    packer.set_pledged_src_size(Some(header.bytes))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut done = 0;
    loop {
        let read = match content.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        packer.write_all(&chunk[..read])?;
        done += read as u64;
        if watch(done).is_break() {
            return Err(ErrorKind::Interrupted.into());
        }
    }
    packer.finish()?;
    let sum = out.digits();
    let tail = [SUM, sum.as_bytes(), b"\n"].concat();
    out.write_all(&frame(&tail))?;
    out.flush()?;
    Ok(Written { bytes: out.bytes, sum })
}

/// A backup whose header has been read.
pub(crate) struct Archive<R> {
    source: Summing<R>,
    /// What it says of itself.
    pub(crate) header: Header,
}

/// Reads the header of a backup.
pub(crate) fn open<R: BufRead>(source: R) -> Result<Archive<R>, CareError> {
    let mut source = Summing::new(source);
    let mut head = [0; 8];
    let found = read_up_to(&mut source, &mut head)?;
    if found < 8 || head[..4] != SKIPPABLE {
        return Err(CareError::NotABackup);
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    if !(SIGNATURE.len()..=HEADER_BYTES_MAX).contains(&length) {
        return Err(CareError::NotABackup);
    }
    let mut content = vec![0; length];
    let found = read_up_to(&mut source, &mut content)?;
    let Some(text) = content[..found].strip_prefix(SIGNATURE) else {
        return Err(CareError::NotABackup);
    };
    if found < length {
        return Err(CareError::CutOff("inside its header".to_owned()));
    }
    let text = std::str::from_utf8(text).map_err(|_| damaged("its header is not text"))?;
    let header = Header::read(text.trim_end())?;
    Ok(Archive { source, header })
}

impl<R: BufRead> Archive<R> {
    /// Unpacks the database and verifies every byte on the way. Gives the SHA-256.
    pub(crate) fn unpack(
        mut self,
        out: &mut impl Write,
        watch: Watch<'_>,
    ) -> Result<String, CareError> {
        let total = self.header.bytes;
        let unpacker = zstd::stream::read::Decoder::with_buffer(&mut self.source);
        let mut unpacker =
            unpacker.map_err(|error| CareError::Io(error.to_string()))?.single_frame();
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut done = 0;
        loop {
            let read = match unpacker.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(unpacking(&error, done, total)),
            };
            done += read as u64;
            if done > total {
                return Err(damaged("it holds more than its header says"));
            }
            out.write_all(&chunk[..read]).map_err(|error| writing(&error))?;
            if watch(done).is_break() {
                return Err(CareError::Stopped);
            }
        }
        drop(unpacker);
        if done < total {
            return Err(cut_off(done, total));
        }
        self.finish()
    }

    /// Compares the sum at the end with that of what was read.
    fn finish(mut self) -> Result<String, CareError> {
        let sum = self.source.digits();
        let mut tail = [0; 8 + SUM_BYTES + 1];
        let found = read_up_to(&mut self.source, &mut tail)?;
        if found < 8 + SUM_BYTES {
            return Err(CareError::CutOff("its checksum is missing".to_owned()));
        }
        if found > 8 + SUM_BYTES {
            return Err(damaged("more bytes follow its end"));
        }
        let wanted = frame(&[SUM, sum.as_bytes(), b"\n"].concat());
        if tail[..found] != wanted[..] {
            return Err(damaged("its SHA-256 is another"));
        }
        Ok(sum)
    }
}

fn damaged(what: &str) -> CareError {
    CareError::BackupDamaged(what.to_owned())
}

fn cut_off(done: u64, total: u64) -> CareError {
    CareError::CutOff(format!("it ends after {done} of {total} bytes of the database"))
}

fn unpacking(error: &io::Error, done: u64, total: u64) -> CareError {
    match error.kind() {
        ErrorKind::UnexpectedEof => cut_off(done, total),
        ErrorKind::Other | ErrorKind::InvalidData => {
            damaged(&format!("Zstandard says: {error}, after {done} of {total} bytes"))
        }
        _ => CareError::Io(format!("the backup cannot be read: {error}")),
    }
}

fn writing(error: &io::Error) -> CareError {
    if error.kind() == ErrorKind::StorageFull {
        return CareError::NoRoom("the database beside the present one".to_owned());
    }
    CareError::Io(format!("the restored database cannot be written: {error}"))
}

/// Fills the buffer as far as there is something to read.
fn read_up_to(source: &mut impl Read, out: &mut [u8]) -> Result<usize, CareError> {
    let mut found = 0;
    while found < out.len() {
        match source.read(&mut out[found..]) {
            Ok(0) => break,
            Ok(read) => found += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(CareError::Io(format!("the backup cannot be read: {error}"))),
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn header(bytes: u64) -> Header {
        Header {
            program: "0.1.0".to_owned(),
            sqlite: "3".to_owned(),
            layout: 1,
            made: "2026-11-27T23:09:26.123Z".to_owned(),
            declaration: "d".to_owned(),
            bytes,
            resources: vec![("users".to_owned(), 3)],
        }
    }

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut go_on = |_| ControlFlow::Continue(());
        let header = header(content.len() as u64);
        let written = write(&mut out, &header, &mut &content[..], &mut go_on).unwrap();
        assert_eq!(written.bytes, out.len() as u64);
        out
    }

    fn unpacked(file: &[u8]) -> Result<(Header, Vec<u8>), CareError> {
        let archive = open(file)?;
        let header = archive.header.clone();
        let mut out = Vec::new();
        archive.unpack(&mut out, &mut |_| ControlFlow::Continue(()))?;
        Ok((header, out))
    }

    fn content() -> Vec<u8> {
        (0..20_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect()
    }

    #[test]
    fn what_is_written_is_read_again_here_and_by_zstd() {
        for content in [content(), Vec::new(), b"x".to_vec()] {
            let file = packed(&content);
            let (found, out) = unpacked(&file).unwrap();
            assert_eq!((found, out), (header(content.len() as u64), content.clone()));
            // Whoever has lost this program unpacks it with any other.
            assert_eq!(zstd::stream::decode_all(&file[..]).unwrap(), content);
        }
    }

    #[test]
    fn no_byte_can_be_lost_or_changed() {
        let content = content();
        let file = packed(&content);
        assert!(file.len() < content.len());
        for length in (0..file.len()).step_by(37).chain(file.len() - 100..file.len()) {
            let fault = unpacked(&file[..length]).unwrap_err();
            let known = matches!(fault, CareError::CutOff(_) | CareError::NotABackup);
            assert!(known, "{length}: {fault}");
        }
        for at in (0..file.len()).step_by(131).chain(file.len() - 100..file.len()) {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            assert!(unpacked(&changed).is_err(), "byte {at}");
        }
        let longer = [&file[..], b"\n"].concat();
        assert!(unpacked(&longer).unwrap_err().to_string().contains("more bytes"));
        assert!(matches!(unpacked(b"a letter, not a backup"), Err(CareError::NotABackup)));
        let newer = String::from_utf8_lossy(&file).contains("\"format\":1");
        assert!(newer, "the header can be read in a pager");
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let head = header(0).text().replace("\"format\":1", "\"format\":7");
        let file = frame(&[SIGNATURE, head.as_bytes(), b"\n"].concat());
        assert!(matches!(unpacked(&file), Err(CareError::NewerFormat(7))));
    }
}
