//! Backups that the running server makes by itself, in the background and gently.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use engine::clock;
use model::setting::Settings;
use model::value::Timestamp;
use store::care::backup::{Pace, Plan, Target, backup, retain};
use store::care::beside::{backup_name, backups, made_at};

use crate::command::backup::{make_folder, told};
use crate::command::site;

/// The shortest and the longest time after which a backup that failed is tried again.
const AGAIN_MIN: Duration = Duration::from_mins(1);
const AGAIN_MAX: Duration = Duration::from_hours(1);
/// How long the end of the program waits for a backup to notice.
const END_WAIT: Duration = Duration::from_secs(5);

/// What is backed up when.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    database: PathBuf,
    folder: PathBuf,
    every: Duration,
    keep: usize,
    log_bytes_max: u64,
}

/// A schedule that is being kept.
pub(crate) struct Running {
    stop: Arc<Stop>,
    task: JoinHandle<()>,
}

/// Tells a schedule that it is over.
#[derive(Default)]
struct Stop {
    is_set: AtomicBool,
    bell: Notify,
}

impl Stop {
    fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }
}

impl Schedule {
    /// The schedule that the settings ask for, if they do.
    pub(crate) fn of(dir: &Path, settings: &Settings) -> Option<Self> {
        Some(Self {
            database: site::database(dir, settings),
            folder: dir.join(&settings.backup_dir),
            every: settings.backup_interval?,
            keep: settings.backups_kept,
            log_bytes_max: settings.backup_log_bytes_max,
        })
    }

    /// Keeps it from now on.
    pub(crate) fn start(self) -> Running {
        let stop = Arc::new(Stop::default());
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move { self.keep_on(&stopped).await });
        Running { stop, task }
    }

    async fn keep_on(self, stop: &Arc<Stop>) {
        let mut wait = self.due(clock::now());
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.bell.notified() => return,
            }
            let (one, stopped) = (self.clone(), Arc::clone(stop));
            let made = tokio::task::spawn_blocking(move || one.make(&stopped)).await;
            let made = made.unwrap_or_else(|panic| Err(panic.to_string()));
            wait = match made {
                Ok(text) => {
                    tracing::info!("{text}");
                    self.every
                }
                Err(_) if stop.is_set() => return,
                Err(text) => {
                    tracing::error!("no backup was made, and those before are kept: {text}");
                    (self.every / 10).clamp(AGAIN_MIN, AGAIN_MAX).min(self.every)
                }
            };
        }
    }

    /// How long the newest backup is good for. It may be of an earlier start.
    fn due(&self, now: Timestamp) -> Duration {
        let newest = backups(&self.database, &self.folder).ok().and_then(|mut all| all.pop());
        let Some(made) = newest.and_then(|path| made_at(&path)) else { return Duration::ZERO };
        let age = u64::try_from(now.0.saturating_sub(made.0)).unwrap_or(0);
        self.every.saturating_sub(Duration::from_millis(age))
    }

    /// Makes one, and removes those that are too many. Gives what the log says.
    fn make(&self, stop: &Stop) -> Result<String, String> {
        make_folder(&self.folder, &self.database).map_err(|fault| fault.to_string())?;
        let plan = Plan {
            database: self.database.clone(),
            now: clock::now(),
            pace: Pace::Gentle,
            log_bytes_max: self.log_bytes_max,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let file = self.folder.join(backup_name(&self.database, plan.now));
        let mut watch =
            |_| if stop.is_set() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let made = backup(&plan, Target::File(&file), &mut watch);
        let made = made.map_err(|fault| fault.to_string())?;
        let mut text = told(&made, &file.display().to_string());
        match retain(&self.database, &self.folder, self.keep) {
            Ok(old) if old.is_empty() => {}
            Ok(old) => text.push_str(&format!("; removed {} of before", old.len())),
            Err(error) => tracing::error!("backups of before cannot be removed: {error}"),
        }
        Ok(text)
    }
}

impl Running {
    /// Ends it. A backup that is being made is given up, and leaves nothing behind.
    pub(crate) async fn end(self) {
        self.stop.is_set.store(true, Ordering::Relaxed);
        self.stop.bell.notify_one();
        let mut task = self.task;
        if tokio::time::timeout(END_WAIT, &mut task).await.is_err() {
            task.abort();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Schedule;
    use model::setting::Settings;
    use model::value::Timestamp;
    use std::time::Duration;

    #[test]
    fn the_newest_backup_says_when_the_next_is_due() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        assert!(Schedule::of(folder.path(), &settings).is_none(), "nobody asked for it");
        settings.set("backup.every", "24h").unwrap();
        let schedule = Schedule::of(folder.path(), &settings).unwrap();
        let at = |text| Timestamp::parse(text).unwrap();
        assert_eq!(schedule.due(at("2026-11-27T00:00:00.000Z")), Duration::ZERO);
        std::fs::create_dir(folder.path().join("backups")).unwrap();
        let file = folder.path().join("backups/data-20261126T100000Z.db.zst");
        std::fs::write(file, "").unwrap();
        let due = |text| schedule.due(at(text));
        assert_eq!(due("2026-11-26T12:00:00.000Z"), Duration::from_hours(22));
        assert_eq!(due("2026-11-28T12:00:00.000Z"), Duration::ZERO);
    }
}
