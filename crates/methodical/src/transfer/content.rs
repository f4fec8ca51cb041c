//! What is imported: one file, one pipe, or the files of a folder, read as one content; and the
//! trail of what was read of it, by which the same content is known again.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use model::model::ResourceIndex;
use model::rows::Form;
use sha2::{Digest, Sha256};

use super::{Project, file_name};
use crate::failure::Failure;

/// How rows are written, and what files of them end with.
pub(crate) const FORMATS: &[(&str, Form)] =
    &[("ndjson", Form::Lines), ("csv", Form::Cells), ("json", Form::Array), ("jsonl", Form::Lines)];

/// A file or a pipe.
pub(crate) struct Part {
    /// What people call it.
    pub(crate) name: String,
    /// The resource of its rows; None where each says it.
    pub(crate) resource: Option<ResourceIndex>,
    /// How they are written.
    pub(crate) form: Form,
    /// Where it lies; None for standard input.
    path: Option<PathBuf>,
}

/// Everything that is imported, in order.
pub(crate) struct Content {
    /// The files.
    pub(crate) parts: Vec<Part>,
    /// How many bytes they have, where that is known.
    pub(crate) bytes: Option<u64>,
    /// What tells this content from others where nobody gave it a key.
    pub(crate) identity: Option<String>,
    /// Where faulty rows go if nobody says it.
    pub(crate) faults: PathBuf,
}

impl Part {
    /// Opens it.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>, Failure> {
        match &self.path {
            None => Ok(Box::new(io::stdin().lock())),
            Some(path) => match File::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(fault) => Err(unreadable(path, &fault)),
            },
        }
    }
}

fn unreadable(path: &Path, fault: &io::Error) -> Failure {
    Failure::refused(format!("{} cannot be read: {fault}", path.display()))
}

impl Content {
    /// Finds what the arguments name: `-`, a file or a folder, of one resource or of several.
    pub(crate) fn find(
        project: &Project,
        resource: Option<&str>,
        from: &str,
        format: Option<&str>,
    ) -> Result<Self, Failure> {
        let index = resource.map(|name| project.resource(name)).transpose()?;
        let form = format.and_then(form);
        if from == "-" {
            let form = form.unwrap_or(Form::Lines);
            let part = Part { name: "-".to_owned(), resource: index, form, path: None };
            let faults = PathBuf::from("faults.ndjson");
            return Self { parts: vec![part], bytes: None, identity: None, faults }.whole();
        }
        let path = Path::new(from);
        let found = std::fs::metadata(path).map_err(|fault| unreadable(path, &fault))?;
        let identity = path.canonicalize().map_err(|fault| unreadable(path, &fault))?;
        let mut faults = identity.clone().into_os_string();
        faults.push(".faults.ndjson");
        let parts = if found.is_dir() {
            folder(project, path, index, form)?
        } else {
            let ending = path.extension().and_then(|ending| ending.to_str());
            let form = form.or_else(|| ending.and_then(self::form)).unwrap_or(Form::Lines);
            let path = Some(path.to_owned());
            vec![Part { name: from.to_owned(), resource: index, form, path }]
        };
        let bytes = parts.iter().map(|part| {
            let found = part.path.as_ref().map(std::fs::metadata)?.ok()?;
            found.is_file().then_some(found.len())
        });
        let bytes: Option<Vec<u64>> = bytes.collect();
        let name = resource.unwrap_or_default();
        let identity = Some(format!("{name} {}", identity.display()));
        let bytes = bytes.map(|bytes| bytes.iter().sum());
        Self { parts, bytes, identity, faults: faults.into() }.whole()
    }

    /// A table names the columns of one resource, so it has to be known of which.
    fn whole(self) -> Result<Self, Failure> {
        let nameless = |part: &&Part| part.resource.is_none() && matches!(part.form, Form::Cells);
        match self.parts.iter().find(nameless) {
            None => Ok(self),
            Some(part) => Err(Failure::usage(format!(
                "{}: CSV holds records of one resource: name it before the file",
                part.name
            ))),
        }
    }
}

fn form(name: &str) -> Option<Form> {
    FORMATS.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
}

/// The files of a folder, each of the resource that it is named for, behind those that it refers
/// to.
fn folder(
    project: &Project,
    folder: &Path,
    only: Option<ResourceIndex>,
    wanted: Option<Form>,
) -> Result<Vec<Part>, Failure> {
    refuse_strangers(project, folder)?;
    let mut parts = Vec::new();
    for index in engine::transfer::order(&project.model) {
        if only.is_some_and(|only| only != index) {
            continue;
        }
        let name = &project.model.resources[index].name;
        let found: Vec<_> = FORMATS
            .iter()
            .filter(|(_, form)| wanted.is_none_or(|wanted| wanted == *form))
            .map(|(ending, form)| (folder.join(file_name(name, ending)), *form))
            .filter(|(path, _)| path.is_file())
            .collect();
        match found.as_slice() {
            [] => {}
            [(path, form)] => parts.push(Part {
                name: path.display().to_string(),
                resource: Some(index),
                form: *form,
                path: Some(path.clone()),
            }),
            [(one, _), (other, _), ..] => {
                let (one, other) = (one.display(), other.display());
                return Err(Failure::refused(format!(
                    "{one} and {other} are both of {name}: say which with --format"
                )));
            }
        }
    }
    if parts.is_empty() {
        let shown = folder.display();
        return Err(Failure::refused(format!(
            "{shown} holds no file of records; their names are RESOURCE.ndjson or RESOURCE.csv"
        )));
    }
    Ok(parts)
}

/// A misspelt file would be left out silently.
fn refuse_strangers(project: &Project, folder: &Path) -> Result<(), Failure> {
    let entries = std::fs::read_dir(folder).map_err(|fault| unreadable(folder, &fault))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_known = project.model.resources.iter().any(|resource| resource.name == stem);
        if form(ending).is_some() && !is_known && !stem.ends_with(".faults") {
            return Err(Failure::refused(format!(
                "{} belongs to no resource; its name has to be RESOURCE.{ending}",
                path.display()
            )));
        }
    }
    Ok(())
}

/// What was read, hashed up to a place.
#[derive(Default)]
pub(crate) struct Trail {
    hasher: Sha256,
    hashed: u64,
    /// What was read behind that place.
    tail: Vec<u8>,
}

impl Trail {
    /// Adds what was read.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.tail.extend_from_slice(piece);
    }

    /// How many bytes have been read.
    pub(crate) fn read(&self) -> u64 {
        self.hashed + self.tail.len() as u64
    }

    /// Moves the place on to here, and gives the digest of all before it.
    pub(crate) fn digest(&mut self, place: u64) -> String {
        let length = usize::try_from(place.saturating_sub(self.hashed)).unwrap_or(usize::MAX);
        let length = length.min(self.tail.len());
        self.hasher.update(&self.tail[..length]);
        self.tail.drain(..length);
        self.hashed += length as u64;
        self.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Trail;

    #[test]
    fn the_digest_is_of_what_stands_before_a_place() {
        let mut whole = Trail::default();
        whole.add(b"abcdefgh");
        let mut parts = Trail::default();
        parts.add(b"abc");
        parts.digest(2);
        parts.add(b"def");
        parts.add(b"!");
        assert_eq!(parts.read(), 7);
        assert_eq!(parts.digest(6), whole.digest(6));
        assert_ne!(parts.digest(7), whole.digest(7));
    }
}
