//! What backups do to the writes beside them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Lists;
use super::data::Order;
use crate::beside::Beside;
use crate::load::Lane;
use crate::measure::Figure;
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
    let (mut pairs, mut made) = (Beside::default(), 0);
    for _ in 0..lists.effort.rounds {
        let (mut first, mut second) = (Pool::new(requests.clone()), Pool::new(requests.clone()));
        let lane = |source| Lane::new(source, CONNECTIONS, 201);
        let quiet = lists.effort.load(server, &mut [lane(&mut first)])?;
        let (crowded, backups) =
            during_backups(lists, &file, || lists.effort.load(server, &mut [lane(&mut second)]))?;
        made += backups;
        pairs.add(quiet, crowded)?;
    }
    Ok(pairs
        .figure(aim, size, |_| format!("at {CONNECTIONS} connections; {made} backups were made")))
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
