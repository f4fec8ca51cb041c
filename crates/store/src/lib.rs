//! All SQL, and nothing of HTTP: a Reader that cannot write, and a Writer that commits decisions.

pub mod adopt;
pub mod audit_log;
pub mod care;
pub mod change;
pub mod code;
pub mod credential;
pub mod decision;
pub mod dependents;
pub mod error;
pub mod fault;
pub mod log;
pub mod lookup;
pub mod measure;
pub mod migrate;
mod opened;
mod options;
pub mod priority;
pub mod queue;
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

use crate::measure::Measures;
use crate::migrate::{Applied, DataLoss, Entry, Plan, Progress};

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
    let (migrated, first_key) = (base.migrated.clone(), base.first_key);
    let readers = sqlite::reader::Readers::new(base.source.clone());
    let writers =
        sqlite::writer::Writers::start(base).map_err(|error| OpenError::Io(error.to_string()))?;
    let writers = Arc::new(writers);
    let path = options.path.canonicalize().unwrap_or_else(|_| options.path.clone());
    let measures = Measures::new(meters, log, &writers, path);
    let (reader, writer) = (Reader::new(readers), Writer::new(writers));
    Ok(Opened { reader, writer, epoch, secret, measures, fresh, first_key, migrated })
}

/// The plan for a declaration: what `migrate` would do, and what stands in its way. Changes
/// nothing, and a server may go on meanwhile.
///
/// # Errors
/// The file is not there, not ours, or not as it was made.
pub fn plan(
    options: &Options,
    model: &Model,
    tell: &mut dyn FnMut(Progress),
) -> Result<Plan, OpenError> {
    sqlite::migrate::files::plan(options, model, tell)
}

/// Makes the database fit a declaration, in one transaction. No server may run meanwhile.
///
/// # Errors
/// Nothing was changed then. Each says what to do.
pub fn migrate(
    options: &Options,
    model: Arc<Model>,
    data_loss: DataLoss,
    tell: &mut dyn FnMut(Progress),
) -> Result<Applied, OpenError> {
    sqlite::migrate::files::migrate(options, model, data_loss, tell)
}

/// Every plan that was carried out on a database, the first one first.
///
/// # Errors
/// The file is not there, or not ours.
pub fn history(options: &Options) -> Result<Vec<Entry>, OpenError> {
    sqlite::migrate::files::history(options)
}
