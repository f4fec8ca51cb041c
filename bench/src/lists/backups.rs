//! What backups do to the writes beside them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Lists;
use super::data::Order;
use crate::latency::Histogram;
use crate::load::Lane;
use crate::measure::{Figure, Pairs, median};
use crate::process::Server;
use crate::requests::{self, Pool};
use crate::work::Aim;

/// Writes that are under way at a time.
const CONNECTIONS: usize = 16;

/// Durable writes alone, and beside one backup after the other.
pub(super) fn writes_beside(
    lists: &mut Lists<'_>,
    server: &Server,
    aim: Aim,
) -> Result<Figure, String> {
    let size = lists.size;
    let create =
        |id| requests::post("/api/orders", "application/json", &Order::of(id, size).content());
    let requests: Vec<Vec<u8>> = (size..size + 4096).map(create).collect();
    let file = lists.folder.join("backup.zst");
    let (mut pairs, mut shares, mut made) = (Pairs::default(), Vec::new(), 0);
    let (mut alone, mut beside) = (Histogram::default(), Histogram::default());
    for _ in 0..lists.effort.rounds {
        let (mut first, mut second) = (Pool::new(requests.clone()), Pool::new(requests.clone()));
        let lane = |source| Lane { source, connections: CONNECTIONS, status: 201 };
        let quiet = lists.load(server, &mut [lane(&mut first)])?.remove(0);
        let (crowded, backups) =
            during_backups(lists, &file, || lists.load(server, &mut [lane(&mut second)]))?;
        let crowded = crowded.into_iter().next().ok_or("a load without a run")?;
        made += backups;
        shares.push(quiet.latency.per_mille(990) / crowded.latency.per_mille(990));
        alone.merge(&quiet.latency);
        beside.merge(&crowded.latency);
        pairs.add(&quiet, &crowded);
    }
    let note = format!(
        "ratio of the p99, alone by beside; {:.2} / {:.2} ms alone, {:.2} / {:.2} ms beside, at \
         {CONNECTIONS} connections; {made} backups were made",
        alone.per_mille(500),
        alone.per_mille(990),
        beside.per_mille(500),
        beside.per_mille(990)
    );
    let mut figure = pairs.figure(aim, size, note);
    figure.waited = 0.0;
    figure.ratio = median(shares);
    Ok(figure)
}

/// Does something while backups are made; gives how many came to their end. The last is waited for,
/// and at least one is made.
fn during_backups<T>(
    lists: &Lists<'_>,
    file: &Path,
    what: impl FnOnce() -> Result<T, String>,
) -> Result<(T, u64), String> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let backups = scope.spawn(|| {
            let mut made = 0;
            while made == 0 || !is_over.load(Ordering::Relaxed) {
                lists.launcher.backup(&lists.database, file)?;
                made += 1;
            }
            Ok::<u64, String>(made)
        });
        let done = what();
        is_over.store(true, Ordering::Relaxed);
        let made = backups.join().map_err(|_| "the backups panicked".to_owned())??;
        Ok((done?, made))
    })
}
