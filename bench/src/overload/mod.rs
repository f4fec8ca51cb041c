//! What becomes of it when more is asked for than there is to give: the lines of `--overload`.

mod idle;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bare::Constant;
use crate::data;
use crate::latency::Histogram;
use crate::load::{self, Lane, Run};
use crate::measure::{Effort, Fault, Figure, Pairs, emptied, median};
use crate::process::{Launcher, Server};
use crate::requests::{self, Pool};
use crate::work::Aim;

/// What is still served, of the best that can be.
const SERVED: f64 = 0.9;
/// How many times more is asked for.
const TIMES: usize = 10;
/// Connections that get the best out of it.
const CONNECTIONS: usize = 64;
/// The same of reads that take long: the pool has four threads.
const LONG_CONNECTIONS: usize = 8;
/// How long a client waits after its answer: what a refusal asks for.
const REST: Duration = Duration::from_secs(1);
/// Most clients that ask for what takes long.
const CLIENTS_MAX: f64 = 6000.0;
/// Clients that read one record now and then meanwhile.
const READERS: usize = 4;
const READERS_REST: Duration = Duration::from_millis(20);
/// Milliseconds in which a refusal is wanted.
const REFUSED: f64 = 50.0;

const TEN_READS: &str = "GET one, 640 connections";
const TEN_WRITES: &str = "POST, 640 connections";
const LONG: &str = "long reads, asked for at ten times the rate";
const AFTER: &str = "long reads, right after that";

/// Something that must not be more than so much.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// What it is.
    pub(crate) name: &'static str,
    /// Of how many.
    pub(crate) number: u64,
    /// What was measured: the median, and the worst of the rounds.
    pub(crate) value: (f64, f64),
    /// In what.
    pub(crate) unit: &'static str,
    /// What it may be; infinite where nothing is wanted.
    pub(crate) most: f64,
}

/// All that was measured.
#[derive(Default)]
pub(crate) struct Findings {
    /// Ratios.
    pub(crate) figures: Vec<Figure>,
    /// What is bounded.
    pub(crate) bounds: Vec<Bound>,
    /// What could not be measured.
    pub(crate) faults: Vec<Fault>,
}

/// A database of single records, and what is measured on it.
pub(crate) struct Overload<'a> {
    launcher: &'a Launcher,
    effort: Effort,
    size: u64,
    folder: PathBuf,
    database: PathBuf,
}

const fn aim(name: &'static str) -> Aim {
    Aim { name, least: SERVED, moonshot: f64::INFINITY, grows: None }
}

impl<'a> Overload<'a> {
    /// Fills a database of this size.
    pub(crate) fn new(
        launcher: &'a Launcher,
        effort: Effort,
        size: u64,
        target: &Path,
    ) -> Result<Self, String> {
        let folder = emptied(&target.join("bench/overload"), size)?;
        let database = folder.join("ours.db");
        launcher.ours(&database)?.stop()?;
        data::fill(&database, size).map_err(|error| format!("filling: {error}"))?;
        Ok(Self { launcher, effort, size, folder, database })
    }

    /// Measures every line that is wanted. One that fails does not keep the others from it.
    pub(crate) fn run(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Findings, String> {
        let mut findings = Findings::default();
        let server = self.launcher.ours(&self.database)?;
        let items = || Pool::new(requests::items(self.size, 65_536));
        if wanted(TEN_READS) {
            let measured = self.crowd(&server, aim(TEN_READS), &items, 200).and_then(|figure| {
                let note = format!("{}; a bare server: {:.2}", figure.note, self.bare()?);
                Ok(Figure { note, ..figure })
            });
            self.note(&mut findings, TEN_READS, measured.map(|figure| (vec![figure], Vec::new())));
        }
        if wanted(LONG) || wanted(AFTER) {
            let measured = self.flood(&server);
            self.note(&mut findings, LONG, measured);
        }
        // It leaves more rows than there were.
        if wanted(TEN_WRITES) {
            let creations = || Pool::new(requests::creations(self.size, ""));
            let measured = self.crowd(&server, aim(TEN_WRITES), &creations, 201);
            self.note(&mut findings, TEN_WRITES, measured.map(|figure| (vec![figure], Vec::new())));
        }
        server.stop()?;
        for (name, over_tls) in [(idle::PLAIN, false), (idle::TLS, true)] {
            if wanted(name) {
                let measured = idle::measure(self.launcher, &self.database, self.effort, over_tls);
                let measured = measured.map(|bound| (Vec::new(), vec![bound]));
                self.note(&mut findings, name, measured);
            }
        }
        std::fs::remove_dir_all(&self.folder).map_err(|error| error.to_string())?;
        Ok(findings)
    }

    fn note(
        &self,
        findings: &mut Findings,
        name: &'static str,
        measured: Result<(Vec<Figure>, Vec<Bound>), String>,
    ) {
        match measured {
            Ok((figures, bounds)) => {
                for figure in &figures {
                    eprintln!("bench: {}: {:.2}", figure.aim.name, figure.ratio);
                }
                for bound in &bounds {
                    eprintln!("bench: {}: {:.2} {}", bound.name, bound.value.0, bound.unit);
                }
                findings.figures.extend(figures);
                findings.bounds.extend(bounds);
            }
            Err(why) => {
                eprintln!("bench: {name}: {why}");
                findings.faults.push(Fault { name, size: self.size, why });
            }
        }
    }

    /// What a bare server keeps of its rate where there are ten times as many connections: the
    /// machine's part in it.
    fn bare(&self) -> Result<f64, String> {
        let constant = Constant { status: 200, content: 200, field: 200 };
        let server = self.launcher.bare(constant)?;
        let mut ratios = Vec::new();
        for _ in 0..self.effort.rounds {
            let mut requests = Pool::new(vec![requests::get(&requests::item(7), "")]);
            let mut rate = |connections| -> Result<f64, String> {
                let lanes = &mut [Lane::new(&mut requests, connections, 200)];
                Ok(self.effort.load(&server, lanes)?.remove(0).rate())
            };
            let (few, many) = (rate(CONNECTIONS)?, rate(CONNECTIONS * TIMES)?);
            ratios.push(many / few);
        }
        server.stop()?;
        Ok(median(ratios))
    }

    /// The same from as many connections as it takes, and from ten times as many.
    fn crowd(
        &self,
        server: &Server,
        aim: Aim,
        source: &dyn Fn() -> Pool,
        status: u16,
    ) -> Result<Figure, String> {
        let (mut pairs, mut refused) = (Pairs::default(), Histogram::default());
        for _ in 0..self.effort.rounds {
            let (mut few, mut many) = (source(), source());
            let lanes = &mut [Lane::new(&mut few, CONNECTIONS, status)];
            let best = self.effort.load(server, lanes)?.remove(0);
            let lanes = &mut [Lane::new(&mut many, CONNECTIONS * TIMES, 0)];
            let crowd = self.effort.load(server, lanes)?.remove(0);
            refused.merge(&of(&crowd, 503)?);
            pairs.add(&best, &served(&crowd, status));
        }
        let note = format!("baseline is {CONNECTIONS} connections; {}", told(&refused));
        let mut figure = pairs.figure(aim, self.size, note);
        // Both sides are ours.
        figure.waited = 0.0;
        Ok(figure)
    }

    /// Reads that no index serves: from as many connections as it takes, and by so many clients
    /// that ask again a second after each answer that it is ten times the rate; a few clients read
    /// one record now and then beside either. Then at once as at the beginning.
    fn flood(&self, server: &Server) -> Result<(Vec<Figure>, Vec<Bound>), String> {
        let (mut pairs, mut after) = (Pairs::default(), Pairs::default());
        let (mut refused, mut short) = (Histogram::default(), Histogram::default());
        let (mut refusals, mut clients) = (Vec::new(), Vec::new());
        for round in 0..self.effort.rounds {
            let source = |part: usize| Pool::new(self.long_reads((round * 3 + part) as u64));
            let [mut first, mut second, mut third] = [0, 1, 2].map(source);
            let mut items = Pool::new(requests::items(self.size, 16_384));
            let lanes = &mut [Lane::new(&mut first, LONG_CONNECTIONS, 200), readers(&mut items)];
            let best = self.effort.load(server, lanes)?.remove(0);
            let rate = best.rate() * TIMES as f64 * REST.as_secs_f64();
            let number = rate.clamp(1.0, CLIENTS_MAX) as usize;
            let crowd = Lane { rest: REST, ..Lane::new(&mut second, number, 0) };
            let runs = &self.effort.load(server, &mut [crowd, readers(&mut items)])?;
            let [crowd, readers] = runs.as_slice() else { return Err("a load ran away".into()) };
            let lanes = &mut [Lane::new(&mut third, LONG_CONNECTIONS, 200)];
            let Effort { time, .. } = self.effort;
            let busy = || server.busy();
            let again = load::run(server.address, &busy, lanes, Duration::ZERO, time)?.remove(0);
            let turned_away = of(crowd, 503)?;
            refusals.push(turned_away.per_mille(990));
            refused.merge(&turned_away);
            short.merge(&readers.latency);
            clients.push(crowd.rate());
            pairs.add(&best, &served(crowd, 200));
            after.add(&best, &again);
        }
        let note = format!(
            "baseline is {LONG_CONNECTIONS} connections; {:.0} asked a second; {}; GET one \
             meanwhile {:.1} / {:.1} ms",
            median(clients),
            told(&refused),
            short.per_mille(500),
            short.per_mille(990)
        );
        let mut figures = vec![
            pairs.figure(aim(LONG), self.size, note),
            after.figure(aim(AFTER), self.size, "without a pause or a warm-up".to_owned()),
        ];
        figures.iter_mut().for_each(|figure| figure.waited = 0.0);
        let worst = refusals.iter().copied().fold(0.0, f64::max);
        let bound = Bound {
            name: "p99 of the refusals meanwhile",
            number: refused.number(),
            value: (median(refusals), worst),
            unit: "ms",
            most: REFUSED,
        };
        Ok((figures, vec![bound]))
    }

    /// Every one another, so that no answer is one that was kept; all of them pass over all users.
    fn long_reads(&self, series: u64) -> Vec<Vec<u8>> {
        let target = |draw| format!("/api/users?email=nobody.{series}.{draw}@example.com&limit=10");
        (0..16_384).map(|draw| requests::get(&target(draw), "")).collect()
    }
}

/// Clients that read one record now and then.
fn readers(items: &mut Pool) -> Lane<'_> {
    Lane { rest: READERS_REST, ..Lane::new(items, READERS, 200) }
}

/// The answers of one status. Refusals are 503, and nothing else may come.
fn of(run: &Run, status: u16) -> Result<Histogram, String> {
    let other = run.statuses.keys().find(|status| ![200, 201, 503].contains(*status));
    match other {
        Some(other) => Err(format!("an answer is a {other}")),
        None => Ok(run.statuses.get(&status).cloned().unwrap_or_default()),
    }
}

/// A run without what was refused.
fn served(run: &Run, status: u16) -> Run {
    let latency = run.statuses.get(&status).cloned().unwrap_or_default();
    Run { answers: latency.number(), latency, ..run.clone() }
}

fn told(refused: &Histogram) -> String {
    match refused.number() {
        0 => "none refused".to_owned(),
        number => format!(
            "{number} refused in {:.1} / {:.1} ms",
            refused.per_mille(500),
            refused.per_mille(990)
        ),
    }
}
