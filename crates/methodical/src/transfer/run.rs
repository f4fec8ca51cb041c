//! One import: the rows of a content in their order, and where an earlier run was interrupted.

use std::collections::HashSet;
use std::io::{self, Read};
use std::time::Duration;

use contract::problem::Violation;
use model::rows::{Cutter, Stop};
use serde_json::Value as Json;
use store::transfer::Import;

use super::chunk::{Chunks, Place, Stage, unheld};
use super::content::{Content, Part, Trail};
use super::faults::Faults;
use super::judge::Judge;
use super::meter::Meter;
use super::state::State;
use super::waiting::{Origin, Waiting};
use super::{Project, grouped};
use crate::failure::Failure;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 64 << 10;
/// Bytes of content after which a chunk ends, however few rows it has.
const CHUNK_BYTES: u64 = 8 << 20;

/// What is to be done.
pub(crate) struct Task<'a> {
    /// For this project.
    pub(crate) project: &'a Project,
    /// Into this database.
    pub(crate) import: &'a Import,
    /// From here.
    pub(crate) content: &'a Content,
    /// Under this name it is known again; None: never.
    pub(crate) key: Option<&'a str>,
    /// Most rows of a chunk.
    pub(crate) chunk_rows: usize,
    /// Where faulty rows go.
    pub(crate) faults: Faults,
}

/// What an import came to.
#[derive(Debug)]
pub(crate) struct Sum {
    /// Where it stands, earlier runs included.
    pub(crate) state: State,
    /// Where it stood when this run began, if it had begun before.
    pub(crate) before: Option<State>,
    /// The first faults of this run, in words.
    pub(crate) told: Vec<String>,
    /// How long this run took.
    pub(crate) time: Duration,
}

/// An import under way.
struct Run<'a> {
    project: &'a Project,
    content: &'a Content,
    chunks: Chunks<'a>,
    trail: Trail,
    /// Rows that an earlier run has looked at.
    done: u64,
    /// Those of them that wait.
    left: HashSet<u64>,
    /// What has been looked at: rows, and bytes up to their end.
    place: (u64, u64),
    meter: Meter,
}

/// Imports everything that is not imported yet.
pub(crate) fn run(task: Task<'_>) -> Result<Sum, Failure> {
    let found = match task.key {
        Some(key) => task.import.remembered(key).map_err(|error| task.project.failed(error))?,
        None => None,
    };
    let known = found.and_then(|(text, left)| Some((State::parse(&text)?, left)));
    let known = match known {
        Some((state, _)) if state.is_finished => {
            if is_same(task.content, &state)? {
                return Ok(Sum {
                    before: Some(state.clone()),
                    state,
                    told: Vec::new(),
                    time: Duration::ZERO,
                });
            }
            let key = task.key.unwrap_or_default();
            task.import.forget(key).map_err(|error| task.project.failed(error))?;
            None
        }
        other => other,
    };
    let before = known.as_ref().map(|(state, _)| state.clone());
    let (state, left) = known.unwrap_or_default();
    let Task { project, import, content, key, chunk_rows, faults } = task;
    let mut run = Run {
        project,
        content,
        trail: Trail::default(),
        done: state.rows,
        left: left.into_iter().collect(),
        place: (0, 0),
        meter: Meter::start(),
        chunks: Chunks {
            judge: Judge { model: &project.model, parts: &content.parts },
            import,
            key,
            rows_max: chunk_rows,
            waiting_max: project.waiting_rows_max,
            faults,
            state,
            waiting: Waiting::default(),
            rows: Vec::new(),
            refused: Vec::new(),
            told: Vec::new(),
            now: engine::clock::now(),
        },
    };
    let ran = run.read().and_then(|()| run.finish());
    let time = run.meter.end();
    let Chunks { state, told, .. } = run.chunks;
    ran.map(|()| Sum { state, before, told, time })
}

/// True where a content is the one that was imported to its end.
fn is_same(content: &Content, state: &State) -> Result<bool, Failure> {
    if content.identity.is_none() {
        let rows = grouped(state.rows);
        return Err(Failure::refused(format!(
            "the import of this key is finished: {rows} rows; to import more, choose another --key"
        )));
    }
    if content.bytes.is_some_and(|bytes| bytes != state.bytes) {
        return Ok(false);
    }
    let mut trail = Trail::default();
    let mut piece = vec![0; PIECE_BYTES];
    for part in &content.parts {
        let mut reader = part.open()?;
        loop {
            let length = read_some(&mut reader, &mut piece, part)?;
            if length == 0 {
                break;
            }
            trail.add(&piece[..length]);
            trail.digest(trail.read());
        }
    }
    Ok(trail.read() == state.bytes && trail.digest(state.bytes) == state.digest)
}

fn read_some(reader: &mut dyn Read, piece: &mut [u8], part: &Part) -> Result<usize, Failure> {
    loop {
        match reader.read(piece) {
            Ok(length) => return Ok(length),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => {
                return Err(Failure::refused(format!("{} cannot be read: {fault}", part.name)));
            }
        }
    }
}

impl Run<'_> {
    /// Looks at every row of the content.
    fn read(&mut self) -> Result<(), Failure> {
        let content = self.content;
        let mut piece = vec![0; PIECE_BYTES];
        for (index, part) in content.parts.iter().enumerate() {
            let base = self.trail.read();
            let mut reader = part.open()?;
            let resource = &self.project.model.resources[part.resource.unwrap_or_default()];
            let mut cutter = Cutter::of_operator(part.form, resource, self.project.row_bytes_max);
            loop {
                match cutter.next() {
                    Ok(Some(row)) => {
                        self.look_at((index, row.line), base + row.end, row.document)?;
                    }
                    Ok(None) if cutter.has_ended() => break,
                    Ok(None) => {
                        self.show();
                        let length = read_some(&mut reader, &mut piece, part)?;
                        if length == 0 {
                            cutter.end();
                        } else {
                            self.trail.add(&piece[..length]);
                            cutter.feed(&piece[..length]);
                        }
                    }
                    Err(stop) => return self.stop(part, stop),
                }
            }
        }
        if self.place.0 < self.done { Err(self.changed()) } else { Ok(()) }
    }

    fn show(&mut self) {
        let (rows, bytes) = self.place;
        self.meter.show(rows, bytes, self.content.bytes);
        if rows < self.done {
            // What was looked at by an earlier run need not be kept for its digest.
            self.trail.digest(bytes);
        }
    }

    fn place(&mut self) -> Place {
        let (rows, bytes) = self.place;
        Place { rows, bytes, digest: self.trail.digest(bytes) }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        // A blank line behind the last row is of the content as well.
        self.place.1 = self.trail.read();
        let place = self.place();
        self.chunks.finish(&place)
    }

    /// What cannot be cut ends the reading; what came before it is kept.
    fn stop(&mut self, part: &Part, stop: Stop) -> Result<(), Failure> {
        let name = &part.name;
        let why = match stop {
            Stop::Malformed(fault) => {
                format!("{name}:{}:{}: {}", fault.line, fault.column, fault.detail)
            }
            Stop::RowTooLarge { line, .. } => {
                let most = self.project.row_bytes_max;
                format!("{name}:{line}: a record has more than {most} bytes (limits.content)")
            }
            Stop::Header(faults) => {
                let details: Vec<_> = faults.iter().map(|fault| fault.detail.as_str()).collect();
                format!("{name}: {}", details.join("\n"))
            }
        };
        if self.place.0 < self.done {
            return Err(self.changed());
        }
        let place = self.place();
        self.chunks.flush(&place)?;
        let rows = grouped(place.rows);
        Err(Failure::refused(format!(
            "{why}\nThe {rows} rows before it are kept: correct the content from there on, and \
             give the same command again"
        )))
    }

    /// The content is not the one whose import was interrupted.
    fn changed(&self) -> Failure {
        let rows = grouped(self.done);
        Failure::refused(format!(
            "an earlier run imported the first {rows} rows, and they are no longer what they were: \
             put the content back as it was, or import it under another --key, where nothing is \
             remembered"
        ))
    }

    /// Looks at the next row of the content.
    fn look_at(
        &mut self,
        (part, line): (usize, usize),
        end: u64,
        document: Result<Json, Vec<Violation>>,
    ) -> Result<(), Failure> {
        let number = self.place.0;
        self.place = (number + 1, end);
        if number + 1 == self.done {
            let known = &self.chunks.state;
            if end != known.bytes || self.trail.digest(end) != known.digest {
                return Err(self.changed());
            }
            self.meter.go_on_behind(end);
        }
        let origin = Origin { number, part, line, resource: 0 };
        if number < self.done {
            return self.hold_again(origin, document);
        }
        let found =
            document.map(|document| (self.chunks.judge.resource(part, &document), document));
        match found {
            Err(errors) => self.chunks.refuse(origin, (None, None), errors, Stage::New),
            Ok((Err(errors), document)) => {
                self.chunks.refuse(origin, (None, Some(document)), errors, Stage::New);
            }
            Ok((Ok(resource), document)) => {
                self.chunks.take(Origin { resource, ..origin }, document, Stage::New);
            }
        }
        if self.chunks.is_full() || end.saturating_sub(self.chunks.state.bytes) >= CHUNK_BYTES {
            let place = self.place();
            self.chunks.flush(&place)?;
        }
        Ok(())
    }

    /// A row that an earlier run has looked at, and that may wait. Whether all is there yet that it
    /// refers to is found out once it is certain that this is the same content.
    fn hold_again(
        &mut self,
        origin: Origin,
        document: Result<Json, Vec<Violation>>,
    ) -> Result<(), Failure> {
        let (true, Ok(document)) = (self.left.contains(&origin.number), document) else {
            return Ok(());
        };
        let Ok(resource) = self.chunks.judge.resource(origin.part, &document) else {
            return Err(self.changed());
        };
        let origin = Origin { resource, ..origin };
        let held = self.chunks.waiting.hold(origin, &document, None, Vec::new());
        held.map_err(|fault| unheld(&fault))
    }
}
