//! What is measured of many records at a time: lists to their end, bulks, batches; and what one
//! request that takes long does to the others.

use std::time::{Duration, Instant};

use super::Lists;
use super::backups;
use super::data::Order;
use super::stream;
use crate::beside::{Beside, READERS};
use crate::latency::Histogram;
use crate::load::{self, Lane, Run};
use crate::measure::{Figure, Pairs, median};
use crate::process::Server;
use crate::requests::{self, Pool};
use crate::work::Aim;

/// Half of what raw SQLite does with the same schema: what the project promises.
const HALF: f64 = 0.5;
const OPERATIONS: u64 = 100;
/// An order that no index serves.
const UNINDEXED: &str = "/api/orders?sort=note&limit=10";

/// One line of this file.
pub(super) struct Flow {
    /// What is wanted of it.
    pub(super) aim: Aim,
    /// Measures it.
    pub(super) measure: fn(&mut Lists<'_>, &Server, Aim) -> Result<Figure, String>,
}

const NOTHING: Aim = Aim { name: "", least: 0.0, moonshot: f64::INFINITY, grows: None };
const GROWING: Aim = Aim { grows: Some(1.5), ..NOTHING };

/// Every line, those that change the database at the end.
pub(super) const FLOWS: &[Flow] = &[
    Flow {
        aim: Aim { name: "export as NDJSON, records", ..GROWING },
        measure: |lists, server, aim| export(lists, server, aim, "application/x-ndjson"),
    },
    Flow {
        aim: Aim { name: "export as CSV, records", ..GROWING },
        measure: |lists, server, aim| export(lists, server, aim, "text/csv"),
    },
    Flow {
        aim: Aim { name: "p99 of GET one beside a slow search", least: HALF, ..NOTHING },
        measure: |lists, server, aim| beside(lists, server, aim, slow_search),
    },
    Flow {
        aim: Aim { name: "p99 of GET one beside an export", least: HALF, ..NOTHING },
        measure: |lists, server, aim| {
            let export = requests::get("/api/orders", "");
            let export = String::from_utf8_lossy(&export).replace("*/*", "application/x-ndjson");
            beside(lists, server, aim, |_| export.clone().into_bytes())
        },
    },
    Flow {
        aim: Aim { name: "p99 of GET one beside an order without index", least: HALF, ..NOTHING },
        measure: |lists, server, aim| {
            beside(lists, server, aim, |draw| requests::get(&format!("{UNINDEXED}&_={draw}"), ""))
        },
    },
    Flow {
        aim: Aim { name: "p99 of POST beside backups", least: HALF, ..NOTHING },
        measure: backups::writes_beside,
    },
    Flow {
        aim: Aim { name: "bulk of 10,000 as NDJSON, records", least: HALF, ..GROWING },
        measure: |lists, server, aim| bulk(lists, server, aim, 10_000),
    },
    Flow {
        aim: Aim { name: "bulk of 100,000 as NDJSON, records", least: HALF, ..GROWING },
        measure: |lists, server, aim| bulk(lists, server, aim, 100_000),
    },
    Flow { aim: Aim { name: "batch of 100 creations, records", ..GROWING }, measure: batches },
];

/// Each in another spelling, so that none is answered by what the server has kept.
fn slow_search(draw: u64) -> Vec<u8> {
    let word = super::words::word(0);
    requests::get(&format!("/api/documents?limit=10&q={word}&_={draw}"), "")
}

/// A list to its end, again and again, beside raw SQLite that reads the same.
fn export(lists: &mut Lists<'_>, server: &Server, aim: Aim, form: &str) -> Result<Figure, String> {
    let request = requests::get("/api/orders", "");
    let request = String::from_utf8_lossy(&request).replace("*/*", form);
    let time = lists.effort.time;
    let (mut pairs, mut memory, mut bytes, mut lines) = (Pairs::default(), Vec::new(), 0, 0);
    let before = server.memory()?;
    for _ in 0..lists.effort.rounds {
        let arguments = [&lists.database.to_string_lossy(), &*time.as_millis().to_string()];
        let baseline = lists.launcher.own("raw-reads", &arguments)?;
        let (spent, start) = (server.busy(), Instant::now());
        let mut ours = Run::default();
        while start.elapsed() < time {
            let left = time.saturating_sub(start.elapsed());
            let taken = stream::take(server.address, request.as_bytes(), left)?;
            let head = u64::from(form == "text/csv");
            if taken.is_whole && taken.lines != lists.size + head {
                return Err(format!("a list has {} lines", taken.lines));
            }
            ours.answers += taken.lines;
            ours.seconds += taken.seconds;
            (bytes, lines) = (bytes + taken.bytes, lines + taken.lines);
        }
        memory.push(server.memory()?);
        ours.busy = server.busy().since(spent);
        pairs.add(&baseline, &ours);
    }
    let note = format!(
        "baseline is raw SQLite that reads the same; {:.0} bytes each; memory {before:.0} MB \
         before, {:.0} MB after",
        bytes as f64 / lines.max(1) as f64,
        memory.iter().copied().fold(0.0, f64::max)
    );
    Ok(pairs.figure(aim, lists.size, note))
}

/// Reads of one record alone, and beside one connection that always has a long request under way.
fn beside(
    lists: &mut Lists<'_>,
    server: &Server,
    aim: Aim,
    long: impl Fn(u64) -> Vec<u8>,
) -> Result<Figure, String> {
    let items = requests::orders(lists.size, 16_384);
    let longs: Vec<Vec<u8>> = (0..4096).map(long).collect();
    let mut pairs = Beside::default();
    for _ in 0..lists.effort.rounds {
        let (mut first, mut second) = (Pool::new(items.clone()), Pool::new(items.clone()));
        let mut long = Pool::new(longs.clone());
        let quiet = lists.effort.load(server, &mut [Lane::new(&mut first, READERS, 200)])?;
        let lanes = &mut [Lane::new(&mut second, READERS, 200), Lane::new(&mut long, 1, 0)];
        pairs.add(quiet, lists.effort.load(server, lanes)?)?;
    }
    Ok(pairs.figure(aim, lists.size, |others| {
        format!("at {READERS} connections; {} of the long ones ended meanwhile", others.answers)
    }))
}

/// Creations by the hundred, beside one after the other.
fn batches(lists: &mut Lists<'_>, server: &Server, aim: Aim) -> Result<Figure, String> {
    let size = lists.size;
    let single =
        |id| requests::post("/api/orders", "application/json", &Order::of(id, size).content());
    let batch = |first: u64| {
        let one = |id| {
            let content = Order::of(id, size).content();
            format!("{{\"method\":\"POST\",\"path\":\"/api/orders\",\"body\":{content}}}")
        };
        let operations: Vec<String> = (first..first + OPERATIONS).map(one).collect();
        let content = format!("{{\"operations\":[{}]}}", operations.join(","));
        requests::post("/api/batch", "application/json", &content)
    };
    let mut pairs = Pairs::default();
    for _ in 0..lists.effort.rounds {
        let mut singles = Pool::new((size..size + 4096).map(single).collect());
        let mut hundreds = Pool::new((0..64).map(|at| batch(size + at * OPERATIONS)).collect());
        let lane = &mut [Lane::new(&mut singles, 1, 201)];
        let baseline = lists.effort.load(server, lane)?.remove(0);
        let lane = &mut [Lane::new(&mut hundreds, 1, 200)];
        let mut ours = lists.effort.load(server, lane)?.remove(0);
        ours.answers *= OPERATIONS;
        pairs.add(&baseline, &ours);
    }
    let mut figure = pairs.figure(aim, size, "baseline is our own POST, 1 connection".to_owned());
    figure.waited = 0.0;
    Ok(figure)
}

/// Many records by one request, beside raw SQLite that inserts the same in one transaction.
fn bulk(lists: &mut Lists<'_>, server: &Server, aim: Aim, number: u64) -> Result<Figure, String> {
    let size = lists.size;
    let (raw, plain) = lists.raw_copies()?;
    let (mut pairs, mut plains, mut ratios) = (Pairs::default(), Vec::new(), Vec::new());
    for _ in 0..lists.effort.rounds {
        let insert = |path: &std::path::Path| {
            let arguments = [&*path.to_string_lossy(), &size.to_string(), &number.to_string()];
            lists.launcher.own("raw-inserts", &arguments)
        };
        let baseline = insert(&raw)?;
        let next = lists.next(server)?;
        let rows: String =
            (next..next + number).map(|id| Order::of(id, size).content() + "\n").collect();
        let request = requests::post("/api/orders", "application/x-ndjson", &rows);
        let (spent, start) = (server.busy(), Instant::now());
        let answer = load::once(server.address, &request)?;
        let seconds = start.elapsed().as_secs_f64();
        if answer.status != 201 {
            return Err(format!("a bulk is a {}: {:.300}", answer.status, answer.content));
        }
        let mut latency = Histogram::default();
        latency.add(Duration::from_secs_f64(seconds));
        let busy = server.busy().since(spent);
        let ours = Run { answers: number, seconds, latency, busy, ..Run::default() };
        pairs.add(&baseline, &ours);
        let without = insert(&plain)?;
        plains.push(without.rate());
        ratios.push(ours.rate() / without.rate());
        // What is tidied up after it is not measured with the next.
        std::thread::sleep(Duration::from_millis(300));
    }
    let mut figure =
        pairs.figure(aim, size, "baseline is raw SQLite, one transaction; ".to_owned());
    figure.plain = Some((median(plains), median(ratios)));
    Ok(figure)
}
