//! Many records in one content: read row by row while they arrive, and spooled. The writer is met
//! once all of them are known to be whole.

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::problem::{Kind, Place, Problem, Violation};
use contract::table::Operation;
use http::{HeaderValue, header};
use http_body::Body;
use model::json;
use model::model::{IdKind, Resource, ResourceIndex};
use model::record::{self, Draft, Purpose, Record, Version};
use model::rows::{Cutter, FAULTY_ROWS_MAX, Form, Row, Stop};
use model::value::{Id, Timestamp, Value};
use std::sync::Arc;
use store::error::Error;
use store::spool::Spooling;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{self, Arriving, Limit};
use crate::Inner;
use crate::admit::Admitted;
use crate::call::{Content, Rows};
use crate::clock;
use crate::content::ContentError;
use crate::idempotency::Print;
use crate::op::permission;
use crate::password::Hashes;
use crate::report::Report;
use crate::route::Routed;
use crate::sight;

/// What to do with more than one request may hold.
pub(super) const IN_PARTS: &str = "Send them in several requests, each of which is all or nothing, \
                                   with an Idempotency-Key of its own. Or whoever runs this \
                                   server imports them from a file, while it goes on serving: \
                                   methodical import DIR RESOURCE FILE.";

/// Faults that are named of one row; whoever has more begins with these.
const ROW_FAULTS_MAX: usize = 10;

/// Content that has arrived.
pub(super) enum Arrived {
    /// As bytes.
    Whole(Bytes),
    /// As many records, with the canonical text for the fingerprint.
    Many(Content, String),
}

/// What is wanted of the records beside them.
#[derive(Clone, Copy)]
pub(super) struct Want {
    /// Their fingerprint.
    pub(super) fingerprint: bool,
    /// Their ids.
    pub(super) ids: bool,
}

/// How many records would be written in this content; `None` where it holds one. JSON shows by its
/// first byte whether it is an array.
pub(super) fn form(routed: &Routed, media_type: Option<&MediaType>) -> Option<Form> {
    if routed.row.operation != Operation::Create {
        return None;
    }
    match media_type?.essence.as_str() {
        "application/json" => Some(Form::Array),
        "application/x-ndjson" => Some(Form::Lines),
        "text/csv" => Some(Form::Cells),
        _ => None,
    }
}

/// Reads the content to its end: as bytes, or row by row where it holds many records.
pub(super) async fn gather<B>(
    inner: &Inner,
    (routed, admitted): (&Routed, &Admitted),
    form: Option<Form>,
    want: Want,
    mut arriving: Arriving<'_, B>,
    report: &mut Report,
) -> Result<Arrived, Problem>
where
    B: Body<Data = Bytes, Error = ContentError> + Unpin,
{
    let settings = &inner.settings;
    let (Some(form), Some(index)) = (form, routed.resource) else {
        return arriving.collect(routed).await.map(Arrived::Whole);
    };
    if form == Form::Array && arriving.first(settings.content_bytes_max).await? != Some(b'[') {
        arriving.limit(Limit::Record(settings.content_bytes_max))?;
        return arriving.collect(routed).await.map(Arrived::Whole);
    }
    let sight = &admitted.sight;
    let resource = sight::in_new(sight, &sight.model.resources[index]);
    let mut cutter = Cutter::new(form, &resource, settings.content_bytes_max);
    let mut reading = Reading::new(inner, admitted, (index, &resource), (form, want));
    while !reading.has_enough() {
        match arriving.next().await? {
            Some(piece) => cutter.feed(&piece),
            None => cutter.end(),
        }
        let is_over = !reading.take(&mut cutter, report).await?;
        if is_over {
            break;
        }
        // Whoever sends fast must not keep others from this thread.
        tokio::task::yield_now().await;
    }
    reading.finish(report)
}

/// 503 while as many are at it as may.
fn crowded() -> Problem {
    let detail = "As many requests with more records than memory is kept for are being read as \
                  may at one time. Nothing was done.";
    Problem::new(Kind::Unavailable, detail)
        .with_field(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// The rows so far.
struct Reading<'a> {
    inner: &'a Inner,
    admitted: &'a Admitted,
    index: ResourceIndex,
    resource: &'a Resource,
    form: Form,
    spool: Spooling,
    print: Option<Print>,
    ids: Vec<u8>,
    /// How many bytes of ids are of use.
    ids_bytes_max: usize,
    passwords: usize,
    faults: Vec<Violation>,
    faulty: usize,
    /// A row sets what the caller may not.
    is_forbidden: bool,
    /// Taken once the rows do not stay in memory.
    turn: Option<OwnedSemaphorePermit>,
}

impl<'a> Reading<'a> {
    fn new(
        inner: &'a Inner,
        admitted: &'a Admitted,
        (index, resource): (ResourceIndex, &'a Resource),
        (form, want): (Form, Want),
    ) -> Self {
        // Integers are given by the writer. What is too large to be remembered is left out.
        let ids_bytes_max = match (want.ids && resource.id != IdKind::Integer, want.fingerprint) {
            (false, _) => 0,
            (true, true) => inner.settings.key_answer_bytes_max,
            (true, false) => usize::MAX,
        };
        Self {
            inner,
            admitted,
            index,
            resource,
            form,
            spool: inner.writer.spool(),
            print: want.fingerprint.then(|| Print::new(&inner.secret)),
            ids: Vec::new(),
            ids_bytes_max,
            passwords: 0,
            faults: Vec::new(),
            faulty: 0,
            is_forbidden: false,
            turn: None,
        }
    }

    /// True where so many faults are known that no more are looked for.
    fn has_enough(&self) -> bool {
        self.faulty >= FAULTY_ROWS_MAX
    }

    /// Takes the rows that have arrived. False where no more are wanted.
    async fn take(
        &mut self,
        cutter: &mut Cutter<'_>,
        report: &mut Report,
    ) -> Result<bool, Problem> {
        loop {
            match cutter.next() {
                Ok(Some(row)) => self.row(row, report).await?,
                Ok(None) => return Ok(!cutter.has_ended()),
                Err(stop) => {
                    self.stop(stop)?;
                    return Ok(false);
                }
            }
            if self.has_enough() {
                return Ok(false);
            }
        }
    }

    async fn row(&mut self, row: Row, report: &mut Report) -> Result<(), Problem> {
        let Row { number, line, document, .. } = row;
        let most = self.inner.settings.bulk_rows_max;
        if number >= most {
            let detail = format!("One request creates at most {most} records. {IN_PARTS}");
            return Err(Problem::new(Kind::ContentTooLarge, detail));
        }
        if let Ok(document) = &document {
            body::refuse_tokens(document).map_err(|problem| in_row(number, problem))?;
        }
        let read = document.and_then(|document| {
            if let Some(print) = &mut self.print {
                print.add(&json::canonical(&document));
            }
            record::read(&self.admitted.sight.model, self.resource, &document, Purpose::Create)
                .map_err(|rejection| rejection.violations)
        });
        let kept = match read {
            Ok(mut draft) => match self.unwritable(&mut draft) {
                faults if faults.is_empty() => self.keep(line, draft, report).await?,
                faults => Err(faults),
            },
            Err(faults) => Err(faults),
        };
        if let Err(faults) = kept {
            self.fault(number, line, faults);
        }
        Ok(())
    }

    /// The members of a row that the caller may not set.
    fn unwritable(&mut self, draft: &mut Draft) -> Vec<Violation> {
        let record = Record {
            id: Id::Integer(0),
            version: Version { birth: 0, counter: 1 },
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            values: std::mem::take(&mut draft.values),
        };
        let faults =
            permission::unwritable(&self.admitted.sight, (self.index, self.resource), &record);
        draft.values = record.values;
        self.is_forbidden |= !faults.is_empty();
        faults
    }

    /// Spools a row; where there are faults already, it will not be written.
    async fn keep(
        &mut self,
        line: usize,
        mut draft: Draft,
        report: &mut Report,
    ) -> Result<Result<(), Vec<Violation>>, Problem> {
        if let Err(faults) = self.hash(&mut draft).await? {
            return Ok(Err(faults));
        }
        if self.faulty > 0 {
            return Ok(Ok(()));
        }
        if self.resource.id != IdKind::Integer {
            let id = draft.id.get_or_insert_with(|| Id::Text(clock::uuid()));
            if self.ids.len() < self.ids_bytes_max {
                let separator = if self.ids.is_empty() { "\"" } else { ",\"" };
                // An id needs no escapes.
                self.ids.extend_from_slice(format!("{separator}{id}\"").as_bytes());
            }
        }
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let spooled = self.spool.push(line, draft.id.as_ref(), &draft.values);
        spooled.map_err(|error| unspooled(&error, report))?;
        if self.turn.is_none() && self.spool.is_on_disk() {
            let turn = self.inner.bulks.clone().acquire_owned();
            let turn = tokio::time::timeout(self.inner.settings.bulk_wait, turn).await;
            let Ok(Ok(turn)) = turn else { return Err(crowded()) };
            self.turn = Some(turn);
        }
        Ok(Ok(()))
    }

    /// Puts hashes in the place of passwords: a spool may lie on the disk.
    async fn hash(&mut self, draft: &mut Draft) -> Result<Result<(), Vec<Violation>>, Problem> {
        let fields = self.resource.fields.iter().zip(&draft.values);
        let sent: Vec<(&str, &str)> = fields
            .filter(|(field, _)| field.password)
            .filter_map(|(field, value)| match value {
                Some(Value::Text(sent)) => Some((field.name.as_str(), sent.as_str())),
                _ => None,
            })
            .collect();
        if sent.is_empty() {
            return Ok(Ok(()));
        }
        self.passwords += sent.len();
        let most = self.inner.settings.bulk_passwords_max;
        if self.passwords > most {
            let detail = format!(
                "one request sets at most {most} passwords: create the other records without, or \
                 in other requests"
            );
            let pointer = format!("/{}", json::escape(sent[0].0));
            return Ok(Err(vec![Violation::at(pointer, detail)]));
        }
        if self.faulty == 0 {
            let sent = sent.into_iter().map(|(_, sent)| sent).collect();
            let hashes = Hashes::make(self.inner, self.admitted, sent).await?;
            hashes.put_in(self.resource, &mut draft.values, None);
        }
        Ok(Ok(()))
    }

    /// Notes the faults of a row.
    fn fault(&mut self, number: usize, line: usize, faults: Vec<Violation>) {
        self.faulty += 1;
        let line = match self.form {
            Form::Array => String::new(),
            Form::Lines | Form::Cells => format!("line {line}: "),
        };
        for Violation { place, detail } in faults.into_iter().take(ROW_FAULTS_MAX) {
            let pointer = match &place {
                Place::Pointer(pointer) => pointer.as_str(),
                Place::Parameter(_) | Place::Field(_) => "",
            };
            let fault = Violation::at(format!("/{number}{pointer}"), format!("{line}{detail}"));
            self.faults.push(fault);
        }
    }

    fn stop(&mut self, stop: Stop) -> Result<(), Problem> {
        match stop {
            Stop::Malformed(fault) => Err(body::malformed(fault)),
            Stop::RowTooLarge { number, line } => {
                let most = self.inner.settings.content_bytes_max;
                let detail = format!(
                    "Row {number}, which begins at line {line}, has more than the {most} bytes \
                     that one record may have."
                );
                let fault = Violation::at(format!("/{number}"), "is too large");
                Err(Problem::new(Kind::ContentTooLarge, detail).with_errors(vec![fault]))
            }
            Stop::Header(faults) => {
                self.faulty = 1;
                self.faults = faults;
                Ok(())
            }
        }
    }

    fn finish(self, report: &mut Report) -> Result<Arrived, Problem> {
        let canonical = self.print.map(Print::finish).unwrap_or_default();
        let rows = if self.faulty > 0 {
            let kind = if self.is_forbidden { Kind::Forbidden } else { Kind::Invalid };
            Err(faulty(self.faulty, self.faults, kind))
        } else if self.spool.rows() == 0 {
            let detail = "There is no record in the content, so nothing can be created.";
            Err(Problem::new(Kind::Invalid, detail))
        } else {
            let spool = self.spool.finish().map_err(|error| unspooled(&error, report))?;
            let (form, ids) = (self.form, self.ids.into());
            Ok(Rows { spool: Arc::new(spool), form, ids, _turn: self.turn })
        };
        Ok(Arrived::Many(Content::Rows(rows.map(Arc::new)), canonical))
    }
}

/// What is found in a row, at its place among the others.
fn in_row(number: usize, mut problem: Problem) -> Problem {
    for violation in &mut problem.errors {
        if let Place::Pointer(pointer) = &mut violation.place {
            pointer.insert_str(0, &format!("/{number}"));
        }
    }
    problem
}

fn faulty(rows: usize, faults: Vec<Violation>, kind: Kind) -> Problem {
    let why = match kind {
        Kind::Forbidden => "set members that you may not write",
        _ => "do not fit the declaration",
    };
    let detail = match rows {
        FAULTY_ROWS_MAX.. => format!(
            "The first {rows} rows that {why} are named; there may be more. Nothing was created."
        ),
        _ if kind == Kind::Forbidden => {
            format!("Rows {why}; `errors` names each by its number, from 0. Nothing was created.")
        }
        _ => "The content does not fit the declaration; `errors` names each row by its number, \
              from 0. Nothing was created."
            .to_owned(),
    };
    Problem::new(kind, detail).with_errors(faults)
}

/// Rows that cannot be spooled: the disk's fault.
fn unspooled(error: &Error, report: &mut Report) -> Problem {
    if *error == Error::Full {
        let detail = "The server's disk is full. Nothing was done.";
        return Problem::new(Kind::StorageFull, detail);
    }
    report.cause = Some(error.to_string());
    Problem::new(Kind::Internal, "Nothing was done.")
}
