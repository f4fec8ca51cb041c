//! Records moved by the operator's commands, beside a running server or without one: as any other
//! process, through SQLite's own locks.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use model::model::{FieldIndex, Model, ResourceIndex};
use model::record::Record;
use model::value::Id;

use crate::error::{Error, OpenError};
use crate::options::Options;
use crate::sqlite;

/// A database that was found to fit the declaration, and that is not claimed.
pub struct Attached(sqlite::transfer::Attached);

/// One snapshot of everything.
pub struct Export(sqlite::transfer::Outgoing);

/// A way in for many records.
pub struct Import(sqlite::transfer::Incoming);

/// A record to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Of this resource.
    pub resource: ResourceIndex,
    /// The record.
    pub record: Record,
    /// False where the id of the record means nothing: the database chooses it.
    pub has_id: bool,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was created.
    Created,
    /// A value, or a group of values, is taken by these fields; none: the id is.
    Taken(Vec<FieldIndex>),
    /// It refers to these records, which are not there.
    Missing(Vec<(FieldIndex, ResourceIndex, Id)>),
    /// The table does not take it, as it says.
    Unfit(String),
}

/// When a reference must lead to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// When its row is written.
    AtOnce,
    /// When all rows of the chunk are: they may refer to each other in circles. Then all of them
    /// are created, or none.
    Together,
}

/// What is remembered of an import, in the transaction of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// How far it is, in the words of whoever imports.
    pub state: String,
    /// The numbers of rows that begin to wait for others.
    pub waiting: Vec<u64>,
    /// The numbers of rows that wait no longer.
    pub settled: Vec<u64>,
}

/// Opens a database that is there already, without claiming it.
///
/// # Errors
/// `Missing` where there is none; otherwise as opening a store.
pub fn attach(options: &Options, model: Arc<Model>) -> Result<Attached, OpenError> {
    sqlite::transfer::attach(options, model).map(Attached)
}

impl Attached {
    /// Takes a snapshot. It holds until it is dropped, and what others write meanwhile stays in
    /// the log ahead of the database.
    ///
    /// # Errors
    /// `Broken`.
    pub fn export(&self) -> Result<Export, Error> {
        self.0.export().map(Export)
    }

    /// Begins to take rows in.
    ///
    /// # Errors
    /// `Broken`, `Full`, `Busy`.
    pub fn import(&self) -> Result<Import, Error> {
        self.0.import().map(Import)
    }

    /// Writes a copy of the database to a new file.
    ///
    /// # Errors
    /// `Broken`, `Full`.
    pub fn copy(&self, to: &Path) -> Result<(), Error> {
        self.0.copy(to)
    }
}

impl Export {
    /// How many records a resource has.
    ///
    /// # Errors
    /// `Broken`.
    pub fn total(&self, resource: ResourceIndex) -> Result<u64, Error> {
        self.0.total(resource)
    }

    /// Gives every record of a resource, in the order in which they were created, until the taker
    /// has enough.
    ///
    /// # Errors
    /// `Broken`.
    pub fn records(
        &self,
        resource: ResourceIndex,
        take: &mut dyn FnMut(&Record) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.0.records(resource, take)
    }
}

impl Import {
    /// What is remembered of the import of this key, with the rows that wait, in order.
    ///
    /// # Errors
    /// `Broken`, `Busy`.
    pub fn remembered(&self, key: &str) -> Result<Option<(String, Vec<u64>)>, Error> {
        self.0.remembered(key)
    }

    /// Forgets what is remembered.
    ///
    /// # Errors
    /// `Broken`, `Full`, `Busy`.
    pub fn forget(&self, key: &str) -> Result<(), Error> {
        self.0.forget(key)
    }

    /// Writes the rows that can be written, and what `note` makes of their fates, in one
    /// transaction. Where `note` fails nothing is written, nor where all should be created
    /// together and one is not. Without a key nothing is remembered.
    ///
    /// # Errors
    /// `Busy`, `Full` and `Broken`, and `Dangling` where a record that one of many refers to has
    /// just gone; nothing was written then.
    pub fn write(
        &self,
        key: Option<&str>,
        rows: &[&Row],
        references: References,
        note: &mut dyn FnMut(&[Fate]) -> Result<Note, String>,
    ) -> Result<Vec<Fate>, Error> {
        self.0.write(key, rows, references, note)
    }

    /// Gives up that what is written survives a power cut, for a copy that will not live long.
    ///
    /// # Errors
    /// `Broken`.
    pub fn hurry(&self) -> Result<(), Error> {
        self.0.hurry()
    }
}
