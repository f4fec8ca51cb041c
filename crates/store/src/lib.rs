//! All SQL, and nothing of HTTP: a Reader that cannot write, and a Writer that commits decisions.

pub mod change;
pub mod decision;
pub mod dependents;
pub mod error;
pub mod fault;
pub mod log;
pub mod lookup;
mod opened;
mod options;
mod reader;
pub mod spool;
mod sql;
mod sqlite;
pub mod transfer;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use model::model::{Model, ResourceIndex};
use model::record::Record;

pub use error::OpenError;
pub use opened::Opened;
pub use options::Options;
pub use reader::Reader;
pub use writer::Writer;

/// Opens the store of a declaration. A file that is not there is made, with its tables and its
/// seed in one transaction; `seed` is only called then.
///
/// # Errors
/// Nothing was changed then. Each says what to do.
pub fn open(
    options: &Options,
    model: Arc<Model>,
    seed: &mut dyn FnMut() -> Result<Vec<(ResourceIndex, Record)>, String>,
) -> Result<Opened, OpenError> {
    let base = sqlite::open::open(options, model, seed)?;
    let (epoch, secret, fresh) = (base.epoch, base.secret, base.is_fresh);
    let readers = sqlite::reader::Readers::new(base.source.clone());
    let writers =
        sqlite::writer::Writers::start(base).map_err(|error| OpenError::Io(error.to_string()))?;
    Ok(Opened { reader: Reader::new(readers), writer: Writer::new(writers), epoch, secret, fresh })
}
