//! Who may do what: the lines of `--access`. What credentials and rules cost, and what signing in
//! does to the others.

mod data;
mod logins;
mod people;
mod reads;

use std::path::{Path, PathBuf};

use crate::fill::copy;
use crate::load::{self, Lane, Run};
use crate::measure::{Effort, Fault, Figure, Pairs, emptied, median};
use crate::process::{Launcher, Server};
use crate::requests::{Pool, Source};
use logins::LOGINS;
use people::People;
use reads::{Data, READS, Read, Twins};

/// A database, and what is measured on it.
pub(crate) struct Access<'a> {
    launcher: &'a Launcher,
    effort: Effort,
    size: u64,
    folder: PathBuf,
    database: PathBuf,
}

impl<'a> Access<'a> {
    /// Finds or fills the database of a size. The launcher's declaration is that of access.
    pub(crate) fn new(
        launcher: &'a Launcher,
        effort: Effort,
        size: u64,
        target: &Path,
    ) -> Result<Self, String> {
        if size < data::LEAST {
            return Err(format!("of access at least {} rows are measured", data::LEAST));
        }
        let folder = emptied(&target.join("bench/access"), size)?;
        let (fresh, database) = (folder.join("fresh.db"), folder.join("ours.db"));
        launcher.ours(&fresh)?.stop()?;
        let filled = data::filled(size, |filling| {
            let path = filling.path(&target.join("bench/filled"), &fresh)?;
            if !path.exists() {
                let server = launcher.ours(&fresh)?;
                people::create(launcher, &fresh, server.address)?;
                server.stop()?;
                filling.fill(&fresh, &path)?;
            }
            Ok(path)
        })?;
        copy(&filled, &database)?;
        Ok(Self { launcher, effort, size, folder, database })
    }

    /// Measures every line that is wanted. One that fails does not keep the others from it.
    pub(crate) fn run(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        told: &mut dyn FnMut(&Figure),
    ) -> Result<Vec<Fault>, String> {
        let size = self.size;
        let mut faults = Vec::new();
        let mut note = |name, measured: Result<Figure, String>| match measured {
            Ok(figure) => told(&figure),
            Err(why) => {
                eprintln!("bench: {name}: {why}");
                faults.push(Fault { name, size, why });
            }
        };
        let server = self.launcher.ours(&self.database)?;
        let people = People::new(self.launcher, &self.database, server.address, size)?;
        for (at, read) in READS.iter().enumerate().filter(|(_, read)| wanted(read.aim.name)) {
            note(read.aim.name, self.read(read, at, &people, &server));
        }
        server.stop()?;
        for line in LOGINS.iter().filter(|line| wanted(line.aim.name)) {
            let server = self.launcher.ours_with(&self.database, line.settings)?;
            note(line.aim.name, line.measure(self, &server));
            server.stop()?;
        }
        std::fs::remove_dir_all(&self.folder).map_err(|error| error.to_string())?;
        Ok(faults)
    }

    /// Reads of the one side and of the other, in turn.
    fn read(
        &self,
        read: &Read,
        at: usize,
        people: &People,
        server: &Server,
    ) -> Result<Figure, String> {
        let mut changes = Vec::new();
        let mut pairs = Pairs::default();
        for round in 0..self.effort.rounds {
            // No query comes twice, in no round of no line.
            let twins = read.requests(people, (at * 1000 + round) as u64);
            if round == 0 {
                twins.iter().take(4).try_for_each(|twins| same(server, read, twins))?;
            }
            let (plain, ours) = twins.into_iter().map(|twins| (twins.plain, twins.ours)).unzip();
            let [table, ruled] = read.tables;
            let baseline = self.side(read, people, server, plain, table)?.remove(0);
            let mut runs = self.side(read, people, server, ours, ruled)?;
            changes.extend(runs.get(1).map(Run::rate));
            pairs.add(&baseline, &runs.remove(0));
        }
        let mut note = read.remark.to_owned();
        if !changes.is_empty() {
            note.push_str(&format!("; {:.0} changes/s beside", median(changes)));
        }
        Ok(pairs.figure(read.aim, self.size, note))
    }

    fn side(
        &self,
        read: &Read,
        people: &People,
        server: &Server,
        requests: Vec<Vec<u8>>,
        table: &str,
    ) -> Result<Vec<Run>, String> {
        let (mut source, mut changer) = (Pool::new(requests), None);
        if read.data == Data::Changing {
            changer = Some(Pool::new(Read::changes(people, table)));
        }
        let mut lanes = vec![Lane::new(&mut source, read.connections, 200)];
        if let Some(changer) = &mut changer {
            lanes.push(Lane::new(changer as &mut dyn Source, 1, 200));
        }
        self.effort.load(server, &mut lanes)
    }
}

/// Both get the same records, or what is compared is not the same work.
fn same(server: &Server, read: &Read, twins: &Twins) -> Result<(), String> {
    let [plain, ours] = [&twins.plain, &twins.ours].map(|request| {
        let answer = load::once(server.address, request)?;
        if answer.status == 200 {
            return Ok(answer.content);
        }
        Err(format!("an answer is a {}: {:.300}", answer.status, answer.content))
    });
    let (plain, ours) = (plain?, ours?);
    if named(&plain) == named(&ours) {
        return Ok(());
    }
    let [table, ruled] = read.tables;
    Err(format!("{table} are {:?}, but {ruled} are {:?}", named(&plain), named(&ours)))
}

/// Which records there are, and how many in all. Other values change meanwhile.
fn named(content: &str) -> Vec<&str> {
    let parts = content.split(['{', ',']);
    parts.filter(|part| part.starts_with("\"id\":") || part.starts_with("\"total")).collect()
}
