//! All SQL, and nothing of HTTP: a Reader that cannot write, and a Writer that commits decisions.

pub mod care;
pub mod change;
pub mod decision;
pub mod dependents;
pub mod error;
pub mod fault;
pub mod lookup;
pub mod measure;
mod opened;
mod options;
mod reader;
pub mod spool;
mod sql;
mod sqlite;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use model::model::{Model, ResourceIndex};
use model::record::Record;

use measure::Measures;

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
    let (meters, log) = (Arc::clone(&base.source.meters), Arc::clone(&base.source.log));
    let readers = sqlite::reader::Readers::new(base.source.clone());
    let writers =
        sqlite::writer::Writers::start(base).map_err(|error| OpenError::Io(error.to_string()))?;
    let writers = Arc::new(writers);
    let path = options.path.canonicalize().unwrap_or_else(|_| options.path.clone());
    let measures = Measures::new(meters, log, &writers, path);
    let (reader, writer) = (Reader::new(readers), Writer::new(writers));
    Ok(Opened { reader, writer, epoch, secret, measures, fresh })
}
