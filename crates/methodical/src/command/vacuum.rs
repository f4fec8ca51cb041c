//! `vacuum`: gives the room that deleted records have left back to the disk.

use clap::ArgMatches;

use store::care::vacuum::vacuum;

use super::site::{Site, size};
use crate::failure::Outcome;

/// Vacuums, and says what it gained.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let site = Site::read(matches)?;
    let done = vacuum(&site.database).map_err(|fault| site.failure(&fault))?;
    let gained = done.before.saturating_sub(done.after);
    eprintln!(
        "{} was {} and is {} now: {} were given back",
        site.database.display(),
        size(done.before),
        size(done.after),
        size(gained)
    );
    Ok(())
}
