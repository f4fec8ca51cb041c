//! Rows that were not taken, written so that they can be corrected and imported again: each as it
//! was, with what is wrong with it beside.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use contract::problem::{Place, Violation};
use model::record::whole;
use serde_json::{Map, Value as Json, json};

/// A row that was not taken.
pub(crate) struct Fault {
    /// The file that it stood in.
    pub(crate) file: String,
    /// The line that it began at.
    pub(crate) line: usize,
    /// The name of its resource, where that is known.
    pub(crate) resource: Option<String>,
    /// The row, where it could be read.
    pub(crate) document: Option<Json>,
    /// What is wrong.
    pub(crate) errors: Vec<Violation>,
}

impl Fault {
    /// The row as a line.
    fn text(&self) -> String {
        let errors = self
            .errors
            .iter()
            .map(|violation| json!({ "pointer": pointer(violation), "detail": violation.detail }));
        let errors: Vec<_> = errors.collect();
        let about = json!({ "file": self.file, "line": self.line, "errors": errors });
        let mut members = Map::new();
        members.insert(whole::FAULT.to_owned(), about);
        if let Some(resource) = &self.resource {
            members.insert(whole::RESOURCE.to_owned(), resource.clone().into());
        }
        match &self.document {
            Some(Json::Object(own)) => {
                let own = own.iter().filter(|(name, _)| {
                    *name != whole::FAULT && !(*name == whole::RESOURCE && self.resource.is_some())
                });
                members.extend(own.map(|(name, value)| (name.clone(), value.clone())));
            }
            Some(other) => drop(members.insert("_row".to_owned(), other.clone())),
            None => {}
        }
        Json::Object(members).to_string() + "\n"
    }

    /// The first thing that is wrong, for people.
    pub(crate) fn words(&self) -> String {
        let first = self.errors.first();
        let what = first.map_or_else(String::new, |violation| match pointer(violation) {
            "" => violation.detail.clone(),
            pointer => format!("{pointer}: {}", violation.detail),
        });
        format!("{}:{}: {what}", self.file, self.line)
    }
}

fn pointer(violation: &Violation) -> &str {
    match &violation.place {
        Place::Pointer(pointer) => pointer,
        Place::Parameter(_) | Place::Field(_) => "",
    }
}

/// The file of faulty rows; made with the first of them.
pub(crate) struct Faults {
    path: PathBuf,
    file: Option<File>,
}

impl Faults {
    /// Nothing is written yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None }
    }

    /// Writes these behind the bytes that count, whatever stands there, and gives how many count
    /// then. They are on the disk when it returns.
    pub(crate) fn write<'a>(
        &mut self,
        behind: u64,
        faults: impl Iterator<Item = &'a Fault>,
    ) -> Result<u64, String> {
        let mut text = String::new();
        faults.for_each(|fault| text.push_str(&fault.text()));
        if text.is_empty() {
            return Ok(behind);
        }
        self.put(behind, &text).map_err(|fault| {
            format!(
                "{} cannot be written: {fault}; name another with --faults",
                self.path.display()
            )
        })
    }

    fn put(&mut self, behind: u64, text: &str) -> io::Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(open(&self.path)?),
        };
        // A pipe, or a terminal, has no place to go back to.
        if !file.metadata()?.is_file() {
            file.write_all(text.as_bytes())?;
            return Ok(behind);
        }
        file.set_len(behind)?;
        file.seek(SeekFrom::Start(behind))?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(behind + text.len() as u64)
    }
}

/// Nobody else may read it: a row can hold a password as it was sent.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Fault, Faults};
    use contract::problem::Violation;
    use serde_json::json;

    fn fault(line: usize) -> Fault {
        Fault {
            file: "users.csv".to_owned(),
            line,
            resource: Some("users".to_owned()),
            document: Some(json!({"_fault": "old", "_resource": "users", "name": 5})),
            errors: vec![Violation::at("/name", "must be a string")],
        }
    }

    #[test]
    fn a_fault_is_the_row_with_what_is_wrong_and_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faults.ndjson");
        let mut faults = Faults::new(&path);
        assert_eq!(faults.write(0, std::iter::empty()).unwrap(), 0);
        assert!(!path.exists());
        let one = faults.write(0, [fault(1)].iter()).unwrap();
        faults.write(one, [fault(2), fault(3)].iter()).unwrap();
        // What was written for a chunk that was lost is written over.
        let two = faults.write(one, [fault(4)].iter()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.len() as u64, two);
        let line = |number: usize| {
            format!(
                "{{\"_fault\":{{\"file\":\"users.csv\",\"line\":{number},\"errors\":[{{\
                 \"pointer\":\"/name\",\"detail\":\"must be a string\"}}]}},\
                 \"_resource\":\"users\",\"name\":5}}\n"
            )
        };
        assert_eq!(text, line(1) + &line(4));
        assert_eq!(fault(4).words(), "users.csv:4: /name: must be a string");
    }
}
