//! What SQLite says of a failure, in the store's own words.

use model::model::{FieldIndex, Model, ResourceIndex};
use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::Error;
use crate::sql::fold_column;

/// What SQLite says where a record that is still referred to would go.
const RESTRICTED: &str = "FOREIGN KEY constraint failed";

/// What SQLite says where a chain of references is longer than its limit.
const TOO_DEEP: &str = "triggers nested too deep";

/// A failure on its way up, before it is known which step of which write it belongs to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// As SQLite says it.
    Sqlite(rusqlite::Error),
    /// In the store's words already.
    Told(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A fault whose text is for the log only.
pub(crate) fn broken(text: impl Into<String>) -> Failure {
    Failure::Told(Error::Broken(text.into()))
}

impl Failure {
    /// True where a progress handler stopped the statement.
    pub(crate) fn is_interrupt(&self) -> bool {
        self.code() == Some(ErrorCode::OperationInterrupted)
    }

    /// True where another connection holds the lock.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// True where the disk took what was written and could not say that it will keep it.
    pub(crate) fn is_failed_sync(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                error.extended_code == ffi::SQLITE_IOERR_FSYNC
            }
            Self::Sqlite(_) | Self::Told(_) => false,
        }
    }

    /// The class of what SQLite says, where it says it.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            Self::Told(_) => None,
        }
    }

    /// The failure in the store's words, met by this step of a write (0 for a read).
    pub(crate) fn told(self, model: &Model, resource: ResourceIndex, step: usize) -> Error {
        let error = match self {
            Self::Told(error) => return error,
            Self::Sqlite(error) => error,
        };
        let rusqlite::Error::SqliteFailure(code, text) = &error else {
            return Error::Broken(error.to_string());
        };
        match code.extended_code {
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                Error::Taken { resource, fields: Vec::new(), step }
            }
            ffi::SQLITE_CONSTRAINT_UNIQUE => {
                let (resource, fields) =
                    taken(model, text.as_deref().unwrap_or_default()).unwrap_or((resource, vec![]));
                Error::Taken { resource, fields, step }
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::Dangling { step },
            // RESTRICT is carried out by a trigger of SQLite's own.
            ffi::SQLITE_CONSTRAINT_TRIGGER if text.as_deref() == Some(RESTRICTED) => {
                Error::Dangling { step }
            }
            ffi::SQLITE_ERROR if text.as_deref() == Some(TOO_DEEP) => Error::TooDeep { step },
            _ => match code.code {
                ErrorCode::DiskFull => Error::Full,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::Broken(format!(
                    "the database is damaged: {error}; `methodical check --database` says where"
                )),
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                    Error::Busy("another process has locked the database")
                }
                _ => Error::Broken(error.to_string()),
            },
        }
    }
}

/// Reads `UNIQUE constraint failed: users.name, users._fold_email`.
fn taken(model: &Model, text: &str) -> Option<(ResourceIndex, Vec<FieldIndex>)> {
    let columns = text.split_once(": ")?.1;
    let mut found = None;
    let mut fields = Vec::new();
    for column in columns.split(", ") {
        let (table, column) = column.split_once('.')?;
        let index = model.resources.iter().position(|resource| resource.name == table)?;
        found = Some(index);
        let named = |field: &model::model::Field| {
            field.name == column || (field.ignore_case && fold_column(field) == column)
        };
        fields.extend(model.resources[index].fields.iter().position(named));
    }
    found.map(|resource| (resource, fields))
}
