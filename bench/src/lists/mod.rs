//! Lists, search and many records: the lines of `--lists`, each over a thousand to ten million
//! records.

mod backups;
mod data;
mod flows;
pub(crate) mod raw;
mod reads;
mod stream;
mod words;

use std::path::{Path, PathBuf};

use crate::fill::copy;
use crate::load;
use crate::measure::{Bench, Effort, Fault, Figure, emptied};
use crate::process::{Launcher, Server};
use crate::requests;

/// A server over one database, and what is measured on it.
pub(crate) struct Lists<'a> {
    launcher: &'a Launcher,
    effort: Effort,
    size: u64,
    folder: PathBuf,
    /// The database as it was filled; never written to.
    filled: PathBuf,
    /// That of the server.
    database: PathBuf,
}

impl<'a> Lists<'a> {
    /// Finds or fills the database of a size. The launcher's declaration is that of lists.
    pub(crate) fn new(
        launcher: &'a Launcher,
        effort: Effort,
        size: u64,
        target: &Path,
    ) -> Result<Self, String> {
        let folder = emptied(&target.join("bench/lists"), size)?;
        let fresh = folder.join("fresh.db");
        launcher.ours(&fresh)?.stop()?;
        let filled = data::filled(&target.join("bench/filled"), &fresh, size)?;
        let database = folder.join("ours.db");
        copy(&filled, &database)?;
        Ok(Self { launcher, effort, size, folder, filled, database })
    }

    /// Measures every line that is wanted. One that fails does not keep the others from it.
    pub(crate) fn run(
        &mut self,
        wanted: &dyn Fn(&str) -> bool,
        told: &mut dyn FnMut(&Figure),
    ) -> Result<Vec<Fault>, String> {
        let size = self.size;
        let server = self.launcher.ours(&self.database)?;
        let mut bench = Bench::new(self.launcher, self.effort, size, &self.folder.join("reads"))?;
        let mut faults = Vec::new();
        let mut note = |name, measured: Result<Figure, String>| match measured {
            Ok(figure) => told(&figure),
            Err(why) => {
                eprintln!("bench: {name}: {why}");
                faults.push(Fault { name, size, why });
            }
        };
        for work in reads::READS.iter().filter(|work| wanted(work.name)) {
            note(work.name, bench.figure(work, &server));
        }
        for flow in flows::FLOWS.iter().filter(|flow| wanted(flow.aim.name)) {
            note(flow.aim.name, (flow.measure)(self, &server, flow.aim));
        }
        server.stop()?;
        std::fs::remove_dir_all(&self.folder).map_err(|error| error.to_string())?;
        Ok(faults)
    }

    /// Copies of the database for raw SQLite: with the server's triggers, and without them.
    fn raw_copies(&self) -> Result<(PathBuf, PathBuf), String> {
        let (raw, plain) = (self.folder.join("raw.db"), self.folder.join("plain.db"));
        if !plain.exists() {
            copy(&self.filled, &raw)?;
            copy(&self.filled, &plain)?;
            crate::raw::drop_triggers(&plain)
                .map_err(|error| format!("without triggers: {error}"))?;
        }
        Ok((raw, plain))
    }

    /// The id that the next order gets.
    fn next(&self, server: &Server) -> Result<u64, String> {
        let answer = load::once(
            server.address,
            &requests::get("/api/orders?sort=-id&limit=1&fields=id", ""),
        )?;
        let id = answer
            .content
            .split_once("\"id\":")
            .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        let id: Option<u64> = id.and_then(|digits| digits.parse().ok());
        id.map(|id| id + 1).ok_or_else(|| "a list without a last record".to_owned())
    }
}
