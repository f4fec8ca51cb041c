//! Rows that refer to rows further on: kept in a file without a name until those are there. What
//! stays in memory is which of them waits for which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use model::json;
use model::model::{FieldIndex, ResourceIndex};
use model::value::Id;
use serde_json::Value as Json;

/// A record by its name.
pub(crate) type Name = (ResourceIndex, Id);

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Its number in the whole content.
    pub(crate) number: u64,
    /// The part that it stands in.
    pub(crate) part: usize,
    /// The line that it begins at.
    pub(crate) line: usize,
    /// Its resource.
    pub(crate) resource: ResourceIndex,
}

/// A row that waits.
struct Held {
    origin: Origin,
    at: u64,
    length: usize,
    own: Option<Name>,
    missing: Vec<(FieldIndex, Name)>,
}

/// The rows that wait.
#[derive(Default)]
pub(crate) struct Waiting {
    file: Option<File>,
    end: u64,
    held: BTreeMap<u64, Held>,
    /// Who waits for a record.
    wants: HashMap<Name, Vec<u64>>,
    /// Whose record that will be.
    owners: HashMap<Name, u64>,
    ready: BTreeSet<u64>,
}

impl Waiting {
    /// Keeps a row until what it refers to is there. `own` is its name, where it brings one.
    pub(crate) fn hold(
        &mut self,
        origin: Origin,
        document: &Json,
        own: Option<Name>,
        missing: Vec<(FieldIndex, Name)>,
    ) -> io::Result<()> {
        let text = document.to_string();
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(text.as_bytes())?;
        let number = origin.number;
        for (_, name) in &missing {
            self.wants.entry(name.clone()).or_default().push(number);
        }
        if let Some(own) = &own {
            self.owners.insert(own.clone(), number);
        }
        if missing.is_empty() {
            self.ready.insert(number);
        }
        let held = Held { origin, at: self.end, length: text.len(), own, missing };
        self.held.insert(number, held);
        self.end += text.len() as u64;
        Ok(())
    }

    /// How many rows wait.
    pub(crate) fn count(&self) -> usize {
        self.held.len()
    }

    /// True where nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Says that a record is there now.
    pub(crate) fn created(&mut self, name: &Name) {
        for number in self.wants.remove(name).unwrap_or_default() {
            if let Some(held) = self.held.get_mut(&number) {
                held.missing.retain(|(_, missing)| missing != name);
                if held.missing.is_empty() {
                    self.ready.insert(number);
                }
            }
        }
    }

    /// The next row that waits for nothing any more; it is no longer held.
    pub(crate) fn next_ready(&mut self) -> io::Result<Option<(Origin, Json)>> {
        let Some(number) = self.ready.pop_first() else { return Ok(None) };
        let Some((origin, document, _)) = self.take(number)? else { return Ok(None) };
        Ok(Some((origin, document)))
    }

    /// Takes a row out, with what it still waits for.
    #[allow(clippy::type_complexity, reason = "told apart by their types")]
    pub(crate) fn take(
        &mut self,
        number: u64,
    ) -> io::Result<Option<(Origin, Json, Vec<(FieldIndex, Name)>)>> {
        let Some(held) = self.held.remove(&number) else { return Ok(None) };
        if let Some(own) = &held.own {
            self.owners.remove(own);
        }
        let document = self.read(&held)?;
        Ok(Some((held.origin, document, held.missing)))
    }

    fn read(&mut self, held: &Held) -> io::Result<Json> {
        let mut text = vec![0; held.length];
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(held.at))?;
            file.read_exact(&mut text)?;
        }
        json::parse(&text).map_err(|fault| io::Error::other(fault.detail))
    }

    /// The rows that refer to each other in circles, and what hangs on them: nothing that they
    /// wait for is missing if all of them are written together.
    pub(crate) fn circles(&self) -> Vec<u64> {
        let mut alive: BTreeSet<u64> = self.held.keys().copied().collect();
        let hopeless =
            |held: &&Held| held.missing.iter().any(|(_, name)| !self.owners.contains_key(name));
        let mut gone: Vec<u64> =
            self.held.values().filter(hopeless).map(|held| held.origin.number).collect();
        while let Some(number) = gone.pop() {
            if !alive.remove(&number) {
                continue;
            }
            let own = self.held.get(&number).and_then(|held| held.own.as_ref());
            if let Some(waiters) = own.and_then(|own| self.wants.get(own)) {
                gone.extend(waiters.iter().filter(|waiter| alive.contains(waiter)));
            }
        }
        alive.into_iter().collect()
    }

    /// The resources whose records are waited for.
    pub(crate) fn wanted(&self) -> BTreeSet<ResourceIndex> {
        self.wants.keys().map(|(resource, _)| *resource).collect()
    }

    /// The numbers of all that wait.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.held.keys().copied().collect()
    }

    /// A row that waits, as it was, while it goes on waiting.
    pub(crate) fn peek(&mut self, number: u64) -> io::Result<Option<(Origin, Json)>> {
        let Some(held) = self.held.remove(&number) else { return Ok(None) };
        let document = self.read(&held)?;
        let origin = held.origin;
        self.held.insert(number, held);
        Ok(Some((origin, document)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Name, Origin, Waiting};
    use model::value::Id;
    use serde_json::json;

    fn name(id: i64) -> Name {
        (0, Id::Integer(id))
    }

    /// Rows whose numbers are their ids, each with what it refers to.
    fn waiting(rows: &[(u64, &[i64])]) -> Waiting {
        let mut waiting = Waiting::default();
        for (number, missing) in rows {
            let origin = Origin { number: *number, part: 0, line: 1, resource: 0 };
            let own = name(i64::try_from(*number).unwrap());
            let missing = missing.iter().map(|id| (0, name(*id))).collect();
            let document = json!({ "id": number });
            waiting.hold(origin, &document, Some(own), missing).unwrap();
        }
        waiting
    }

    #[test]
    fn a_row_is_ready_when_all_that_it_refers_to_is_there() {
        let mut waiting = waiting(&[(1, &[2, 3]), (2, &[3]), (5, &[9])]);
        assert!(waiting.next_ready().unwrap().is_none());
        waiting.created(&name(3));
        let (origin, document) = waiting.next_ready().unwrap().unwrap();
        assert_eq!((origin.number, document), (2, json!({"id": 2})));
        assert!(waiting.next_ready().unwrap().is_none());
        waiting.created(&name(2));
        assert_eq!(waiting.next_ready().unwrap().unwrap().0.number, 1);
        assert_eq!(waiting.numbers(), [5]);
        assert_eq!(waiting.circles(), [0; 0]);
        assert_eq!(waiting.take(5).unwrap().unwrap().2, [(0, name(9))]);
    }

    #[test]
    fn circles_are_found_with_what_hangs_on_them_and_without_what_is_hopeless() {
        let mut waiting = waiting(&[
            (1, &[2]),
            (2, &[3]),
            (3, &[1]),
            (4, &[1]),
            (5, &[6]),
            (6, &[5, 99]),
            (7, &[6]),
        ]);
        assert_eq!(waiting.circles(), [1, 2, 3, 4]);
        assert_eq!(waiting.peek(4).unwrap().unwrap().0.number, 4);
        waiting.take(2).unwrap();
        assert_eq!(waiting.circles(), [0; 0]);
    }
}
