//! A list to its end, read while it is sent: chunk by chunk, each in a snapshot of its own, so that
//! the pace of the client is the pace of reading and memory holds one chunk, however long the list
//! is.

use std::fmt;
use std::mem::{replace, take};
use std::sync::Arc;

use bytes::Bytes;
use contract::negotiate::Coding;
use model::value::Value;
use store::error::Error;
use store::lookup::{Current, Row};

use crate::Inner;
use crate::call::Call;
use crate::coding::Coder;
use crate::content::Interrupted;
use crate::op::chunk::{self, Place};
use crate::op::list;
use crate::representation::lines;

/// Records of the first chunk: as many as the longest page has by default, so that the first bytes
/// come as quickly as those of a page.
const FIRST_ROWS: u32 = 100;
/// Most records of a chunk: so many that finding the place again and handing the chunk from thread
/// to thread hardly counts, and so few that one is read in a fraction of a millisecond. A request
/// that comes meanwhile may have to wait for it where there is no other processor.
const ROWS_MAX: u32 = 250;
/// What the records of a chunk should weigh in memory. A record may be as large as the content of
/// a request, so their number follows the weight of those that were read last.
const CHUNK_BYTES: usize = 128 * 1024;

/// The records of a list, on their way to one client.
pub struct Records {
    inner: Arc<Inner>,
    call: Arc<Call>,
    place: Place,
    /// How many records the next chunk asks for.
    rows: u32,
    /// The most that it may ask for.
    rows_max: u32,
    coder: Coder,
    /// The first chunk, until it is asked for: it was read before there was a status.
    first: Option<Vec<u8>>,
    /// True once everything has been read, or nothing more can be.
    is_over: bool,
}

impl Records {
    /// Reads the first chunk.
    pub(crate) async fn begin(inner: &Arc<Inner>, call: &Arc<Call>) -> Result<Self, Error> {
        let rows_max = ROWS_MAX.min(chunk::rows_max(call));
        let mut records = Self {
            inner: Arc::clone(inner),
            call: Arc::clone(call),
            place: Place::default(),
            rows: FIRST_ROWS.min(rows_max),
            rows_max,
            coder: Coder::Identity,
            first: None,
            is_over: false,
        };
        let mut first = Vec::new();
        lines::write_head(&mut first, call);
        let lookup = chunk::lookup(call, &records.place, records.rows);
        let current = records.inner.reader.read(lookup).await?;
        let rows = rows_of(call, current);
        lines::write_records(&mut first, call, &rows);
        records.place.pass(call, &rows);
        records.is_over = rows.len() < records.rows as usize;
        records.rows = rows_for(&rows).min(rows_max);
        records.first = Some(first);
        Ok(records)
    }

    /// Everything, where the first chunk is the last.
    pub(crate) fn take_whole(&mut self) -> Option<Vec<u8>> {
        if self.is_over { self.first.take() } else { None }
    }

    /// Sends it in a content coding. To be said before the first chunk is taken.
    pub(crate) fn code(&mut self, coding: Coding) {
        self.coder = Coder::new(coding);
    }

    /// The next chunk of the content; `None` at its end. Dropping the future stops the read that
    /// is under way, and what was dropped cannot be asked again.
    ///
    /// # Errors
    /// A read failed: what was given so far is not the whole.
    pub async fn next(&mut self) -> Option<Result<Bytes, Interrupted>> {
        while self.first.is_some() || !self.is_over {
            let coded = match self.first.take() {
                Some(first) if self.is_over => self.coder.last(first),
                Some(first) => self.coder.piece(first),
                None => match self.read().await {
                    Ok(coded) => coded,
                    Err(error) => {
                        self.is_over = true;
                        return Some(Err(Interrupted { cause: words(&error) }));
                    }
                },
            };
            if !coded.is_empty() {
                return Some(Ok(Bytes::from(coded)));
            }
        }
        None
    }

    /// Reads the next records, and writes and codes them, all of it where it holds up no other
    /// request.
    async fn read(&mut self) -> Result<Vec<u8>, Error> {
        let lookup = chunk::lookup(&self.call, &self.place, self.rows);
        let call = Arc::clone(&self.call);
        let mut place = take(&mut self.place);
        let mut coder = replace(&mut self.coder, Coder::Identity);
        let (asked, rows_max) = (self.rows as usize, self.rows_max);
        let made = move |current: Current| {
            let rows = rows_of(&call, current);
            let mut plain = Vec::with_capacity(CHUNK_BYTES);
            lines::write_records(&mut plain, &call, &rows);
            let is_over = rows.len() < asked;
            let coded = if is_over { coder.last(plain) } else { coder.piece(plain) };
            place.pass(&call, &rows);
            (place, rows_for(&rows).min(rows_max), is_over, coder, coded)
        };
        let coded;
        (self.place, self.rows, self.is_over, self.coder, coded) =
            self.inner.reader.read_part(lookup, made).await?;
        Ok(coded)
    }
}

fn rows_of(call: &Call, mut current: Current) -> Vec<Row> {
    let mut rows = current.roots.first_mut().map(|it| take(&mut it.rows)).unwrap_or_default();
    list::mask(call, &mut rows);
    rows
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

/// How many records the next chunk should have, where these were read last.
fn rows_for(rows: &[Row]) -> u32 {
    let weight: usize = rows.iter().map(weight).sum();
    let fit = rows.len().saturating_mul(CHUNK_BYTES) / weight.max(1);
    u32::try_from(fit).unwrap_or(ROWS_MAX).clamp(1, ROWS_MAX)
}

/// About the bytes that a record takes, with what hangs on it.
fn weight(row: &Row) -> usize {
    let value = |value: &Option<Value>| match value {
        Some(Value::Text(text) | Value::Json(text)) => 32 + text.len(),
        None | Some(Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Number(_)) => 32,
    };
    let values: usize = row.record.values.iter().map(value).sum();
    let children: usize = row.children.iter().flat_map(|found| &found.rows).map(weight).sum();
    64 + values + children
}

/// What the log says of an error of the store.
fn words(error: &Error) -> String {
    match error {
        Error::TooSlow { index: Some(index) } => format!("{error}: no index on {index}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{ROWS_MAX, rows_for};
    use model::record::{Record, Version};
    use model::value::{Id, Timestamp, Value};
    use store::lookup::Row;

    fn rows(number: usize, bytes: usize) -> Vec<Row> {
        let values = vec![Some(Value::Text("x".repeat(bytes))), None];
        let (now, version) = (Timestamp(0), Version { birth: 1, counter: 1 });
        let record =
            Record { id: Id::Integer(1), version, created_at: now, updated_at: now, values };
        vec![Row { record, children: Vec::new() }; number]
    }

    #[test]
    fn the_larger_the_records_the_fewer_are_in_a_chunk() {
        for (number, bytes, next) in [
            (100, 0, ROWS_MAX),
            (250, 100, ROWS_MAX),
            (250, 1000, 116),
            (116, 1000, 116),
            (100, 50_000, 2),
            (2, 1 << 20, 1),
            (1, 1 << 20, 1),
            (0, 0, 1),
        ] {
            assert_eq!(rows_for(&rows(number, bytes)), next, "{number} of {bytes} bytes");
        }
    }
}
