//! Measures: baseline, ours, baseline, ours, …; the median of the ratios of neighbours counts.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::bare::Constant;
use crate::latency::Histogram;
use crate::load::{self, Lane, Run, Whole};
use crate::process::{Busy, Launcher, Server};
use crate::requests::{self, Pool, Source};
use crate::work::{Aim, Baseline, Ground, WORKS, Work};
use crate::{data, raw};

/// The part of its time that a server may wait for its core before the machine counts as busy.
pub(crate) const BUSY: f64 = 0.05;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// One run.
    pub(crate) time: Duration,
    /// Before each, unmeasured.
    pub(crate) warm_up: Duration,
    /// Runs of each side.
    pub(crate) rounds: usize,
}

impl Effort {
    /// Loads a server for one run.
    pub(crate) fn load(self, server: &Server, lanes: &mut [Lane<'_>]) -> Result<Vec<Run>, String> {
        load::run(server.address, &|| server.busy(), lanes, self.warm_up, self.time)
    }
}

/// A line of the table, measured.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What was measured, and what is wanted of it.
    pub(crate) aim: Aim,
    /// Users in the database at the start.
    pub(crate) size: u64,
    /// Of the baseline, a second.
    pub(crate) baseline: f64,
    /// Of raw SQLite without triggers, a second, and the ratio to it.
    pub(crate) plain: Option<(f64, f64)>,
    /// Of ours, a second.
    pub(crate) ours: f64,
    /// Ours by baseline.
    pub(crate) ratio: f64,
    /// The same of processor time for each answer: what remains of the ratio on a busy machine.
    /// With the microseconds of both sides.
    pub(crate) effort: (f64, f64, f64),
    /// Which part of the time that it was ready to run the baseline had to wait: it has one
    /// thread, so that whoever it waits for is a stranger. Nothing where the baseline is ours.
    pub(crate) waited: f64,
    /// How long an answer of ours takes.
    pub(crate) latency: Histogram,
    /// What a reader has to know beside.
    pub(crate) note: String,
}

impl Figure {
    /// The ratio that counts: on a busy machine the worse one, because there whoever needs the
    /// core longer is not slowed down as much as he should be.
    pub(crate) fn judged(&self) -> f64 {
        if self.waited > BUSY { self.ratio.min(self.effort.0) } else { self.ratio }
    }
}

/// A line that could not be measured.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Its name.
    pub(crate) name: &'static str,
    /// Records in the database.
    pub(crate) size: u64,
    /// What happened.
    pub(crate) why: String,
}

/// What a process takes, beside answers a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    /// Users in the database.
    pub(crate) size: u64,
    /// From the start of the process to its first answer from the database, in milliseconds.
    pub(crate) start: f64,
    /// Memory before any load, in megabytes.
    pub(crate) idle: f64,
    /// Memory after all of it.
    pub(crate) loaded: f64,
}

/// One server with its database, and what is measured on it.
pub(crate) struct Bench<'a> {
    launcher: &'a Launcher,
    effort: Effort,
    size: u64,
    folder: PathBuf,
    series: u64,
}

/// The middle one.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let (low, high) = ((numbers.len().max(1) - 1) / 2, numbers.len() / 2);
    match (numbers.get(low), numbers.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}

/// The folder for a size, without what an earlier run left there.
pub(crate) fn emptied(folder: &Path, size: u64) -> Result<PathBuf, String> {
    let folder = folder.join(size.to_string());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

impl<'a> Bench<'a> {
    /// A bench in a folder of its own.
    pub(crate) fn new(
        launcher: &'a Launcher,
        effort: Effort,
        size: u64,
        folder: &Path,
    ) -> Result<Self, String> {
        let folder = emptied(folder, size)?;
        Ok(Self { launcher, effort, size, folder, series: 0 })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Has the server make its tables, fills them, and copies them for raw SQLite.
    fn prepare(&self) -> Result<(), String> {
        let (ours, raw, plain) = (self.path("ours.db"), self.path("raw.db"), self.path("plain.db"));
        self.launcher.ours(&ours)?.stop()?;
        data::fill(&ours, self.size).map_err(|error| format!("filling: {error}"))?;
        for copy in [&raw, &plain] {
            std::fs::copy(&ours, copy).map_err(|error| error.to_string())?;
        }
        raw::drop_triggers(&plain).map_err(|error| format!("without triggers: {error}"))
    }

    /// Measures every line that is wanted.
    pub(crate) fn run(
        &mut self,
        wanted: &dyn Fn(&Work) -> bool,
        told: &mut dyn FnMut(&Figure),
    ) -> Result<Footprint, String> {
        self.prepare()?;
        let database = self.path("ours.db");
        let server = self.launcher.ours(&database)?;
        std::thread::sleep(Duration::from_secs(1));
        let idle = server.memory()?;
        for work in WORKS.iter().filter(|work| wanted(work)) {
            let figure =
                self.figure(work, &server).map_err(|fault| format!("{}: {fault}", work.name))?;
            told(&figure);
        }
        let loaded = server.memory()?;
        server.stop()?;
        let start = self.start(&database)?;
        std::fs::remove_dir_all(&self.folder).map_err(|error| error.to_string())?;
        Ok(Footprint { size: self.size, start, idle, loaded })
    }

    /// Starts the server again and again; the files are in the system's cache.
    fn start(&self, database: &Path) -> Result<f64, String> {
        let probe = requests::get(&requests::item(self.size / 2 + 1), "");
        let mut times = Vec::new();
        for _ in 0..5 {
            let start = Instant::now();
            let server = self.launcher.ours(database)?;
            let answer = load::once(server.address, &probe)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            if answer.status != 200 {
                return Err(format!("after a start, an item is a {}", answer.status));
            }
            server.stop()?;
        }
        Ok(median(times))
    }

    fn ground(&mut self, server: &Server) -> Ground {
        self.series += 1;
        Ground { address: server.address, size: self.size, series: self.series }
    }

    /// Measures one line on a server that runs.
    pub(crate) fn figure(
        &mut self,
        work: &'static Work,
        server: &Server,
    ) -> Result<Figure, String> {
        match work.baseline {
            Baseline::Hyper => self.beside_hyper(work, server),
            Baseline::Raw(group) => self.beside_raw(work, server, group),
            Baseline::Ours(name) => {
                let other = WORKS.iter().find(|other| other.name == name);
                self.beside_ours(work, server, other.ok_or("its baseline is no line")?)
            }
        }
    }

    fn beside_hyper(&mut self, work: &'static Work, server: &Server) -> Result<Figure, String> {
        let answer = load::once(server.address, (work.requests)(&self.ground(server))?.next())?;
        let bare = self.bare(&answer)?;
        let mut note = format!("{} + {} bytes", answer.head.len(), answer.content.len());
        let mut changes = Vec::new();
        let mut pairs = Pairs::default();
        for _ in 0..self.effort.rounds {
            let mut constant = Pool::new(vec![requests::get(&requests::item(7), "")]);
            let lanes = &mut [lane(work, &mut constant)];
            let baseline = self.effort.load(&bare, lanes)?.remove(0);
            let (ours, changed) = self.ours(work, server)?;
            changes.extend(changed);
            pairs.add(&baseline, &ours);
        }
        bare.stop()?;
        if !changes.is_empty() {
            let changes = median(changes);
            note.push_str(&format!("; every answer made anew; {changes:.0} changes/s beside"));
        }
        Ok(pairs.figure(work.aim(), self.size, note))
    }

    /// A bare server whose answers are as long as this one, to the byte.
    fn bare(&self, answer: &Whole) -> Result<Server, String> {
        let content = if answer.status == 304 { 0 } else { answer.content.len() };
        let mut constant = Constant { status: answer.status, content, field: 1 };
        let wanted = answer.head.len() + content;
        for _ in 0..2 {
            let server = self.launcher.bare(constant)?;
            let other = load::once(server.address, &requests::get("/", ""))?;
            let length = other.head.len() + other.content.len();
            if length == wanted {
                return Ok(server);
            }
            constant.field = (constant.field + wanted).saturating_sub(length).max(1);
        }
        Err("a bare answer cannot be made as short as ours".to_owned())
    }

    fn beside_raw(
        &mut self,
        work: &'static Work,
        server: &Server,
        group: u64,
    ) -> Result<Figure, String> {
        let (raw, plain) = (self.path("raw.db"), self.path("plain.db"));
        let before = total(server)?;
        let (mut pairs, mut plains, mut ratios) = (Pairs::default(), Vec::new(), Vec::new());
        for _ in 0..self.effort.rounds {
            let baseline = self.launcher.raw(&raw, group, self.effort.time)?;
            let (ours, _) = self.ours(work, server)?;
            let without = self.launcher.raw(&plain, group, self.effort.time)?;
            pairs.add(&baseline, &ours);
            plains.push(without.rate());
            ratios.push(ours.rate() / without.rate());
        }
        let created = total(server)?.saturating_sub(before);
        if created < pairs.answers {
            return Err(format!("{} answers, but {created} new users", pairs.answers));
        }
        let mut figure = pairs.figure(work.aim(), self.size, String::new());
        figure.plain = Some((median(plains), median(ratios)));
        Ok(figure)
    }

    fn beside_ours(
        &mut self,
        work: &'static Work,
        server: &Server,
        other: &Work,
    ) -> Result<Figure, String> {
        let mut pairs = Pairs::default();
        for _ in 0..self.effort.rounds {
            let (baseline, _) = self.ours(other, server)?;
            let (ours, _) = self.ours(work, server)?;
            pairs.add(&baseline, &ours);
        }
        pairs.busy.clear();
        Ok(pairs.figure(work.aim(), self.size, format!("baseline is our own {}", other.name)))
    }

    /// One run of ours, with the changes a second that went on beside it.
    fn ours(&mut self, work: &Work, server: &Server) -> Result<(Run, Option<f64>), String> {
        let mut source = (work.requests)(&self.ground(server))?;
        let mut lanes = vec![lane(work, source.as_mut())];
        let mut changer = Pool::new(changes(self.size));
        if work.changing {
            lanes.push(Lane::new(&mut changer, 1, 200));
        }
        let mut runs = self.effort.load(server, &mut lanes)?;
        let changes = runs.get(1).map(Run::rate);
        Ok((runs.remove(0), changes))
    }
}

fn lane<'a>(work: &Work, source: &'a mut dyn Source) -> Lane<'a> {
    Lane::new(source, work.connections, work.status)
}

/// Patches of users drawn at random, each a change.
fn changes(size: u64) -> Vec<Vec<u8>> {
    let patch = |draw: u64| {
        let content = format!("{{\"email\":\"changed.{draw}@example.com\"}}");
        let item = requests::item(1 + data::mix(draw) % size);
        format!(
            "PATCH {item} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: \
             application/merge-patch+json\r\ncontent-length: {}\r\n\r\n{content}",
            content.len()
        )
        .into_bytes()
    };
    (0..4096).map(patch).collect()
}

/// How many users the server says that there are.
fn total(server: &Server) -> Result<u64, String> {
    let answer = load::once(server.address, &requests::get("/api/users?limit=1", ""))?;
    let (_, rest) = answer.content.split_once("\"total\":").ok_or("a list without total")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| "a total that is no number".to_owned())
}

/// Runs of both sides.
#[derive(Default)]
pub(crate) struct Pairs {
    baseline: Vec<f64>,
    ours: Vec<f64>,
    ratios: Vec<f64>,
    efforts: [Vec<f64>; 3],
    busy: Vec<Busy>,
    latency: Histogram,
    answers: u64,
}

impl Pairs {
    /// Adds a run of each side.
    pub(crate) fn add(&mut self, baseline: &Run, ours: &Run) {
        self.baseline.push(baseline.rate());
        self.ours.push(ours.rate());
        self.ratios.push(ours.rate() / baseline.rate());
        self.latency.merge(&ours.latency);
        self.answers += ours.answers;
        let (theirs, effort) = (baseline.effort(), ours.effort());
        let three = [theirs / effort, theirs, effort];
        self.efforts.iter_mut().zip(three).for_each(|(kept, new)| kept.push(new));
        self.busy.push(baseline.busy);
    }

    /// What they come to.
    pub(crate) fn figure(self, aim: Aim, size: u64, note: String) -> Figure {
        let [ratios, baselines, efforts] = self.efforts;
        let sum = |part: fn(&Busy) -> f64| self.busy.iter().map(part).sum::<f64>();
        let (ran, waited) = (sum(|busy| busy.ran), sum(|busy| busy.waited));
        Figure {
            aim,
            size,
            effort: (median(ratios), median(baselines), median(efforts)),
            waited: waited / (ran + waited).max(f64::MIN_POSITIVE),
            baseline: median(self.baseline),
            plain: None,
            ours: median(self.ours),
            ratio: median(self.ratios),
            latency: self.latency,
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }
}
