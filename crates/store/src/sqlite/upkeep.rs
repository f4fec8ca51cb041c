//! What the writer does when nobody waits: forgets expired answers and old log entries in small
//! chunks, folds and indexes what was edited from outside, and finds out whether a trouble has
//! passed.

use std::time::{Duration, Instant};

use model::model::ResourceIndex;
use model::value::{Timestamp, Value};
use rusqlite::params;

use super::failure::Failure;
use super::group::Desk;
use super::trigger::settled;
use super::{acts, code, credential, queue};
use crate::error::Error;
use crate::sql::{fold_column, folded, quote};

/// Rows removed in one transaction, so that no write waits long for it.
const CHUNK: usize = 256;

/// How often sessions are looked for whose users are gone.
const ORPHANS_INTERVAL: Duration = Duration::from_hours(1);

/// How often what the query planner knows is looked after.
const TEND_INTERVAL: Duration = Duration::from_hours(6);

const TENDED: &str = "INSERT INTO _methodical_meta (name, value) VALUES ('optimized', ?1) \
    ON CONFLICT (name) DO UPDATE SET value = ?1";
const EXPIRED: &str = "DELETE FROM _methodical_keys WHERE number IN \
    (SELECT number FROM _methodical_keys WHERE expires <= ? ORDER BY expires LIMIT ?)";
/// From the oldest on, up to the first that is to be kept: whoever asks after a position must find
/// all that came behind it, whatever a clock that was set back wrote there. The newest entry stays,
/// so that no position is given twice.
const OLD: &str = "WITH first AS \
    (SELECT position, at FROM _methodical_changes ORDER BY position LIMIT ?2) \
    DELETE FROM _methodical_changes WHERE position <= (SELECT max(position) FROM first) \
     AND position < coalesce((SELECT min(position) FROM first WHERE at >= ?1), \
       (SELECT max(position) FROM first) + 1) \
     AND position < (SELECT max(position) FROM _methodical_changes)";
const ANY_EXPIRED: &str = "SELECT EXISTS (SELECT 1 FROM _methodical_keys WHERE expires <= ?)";
const ANY_OLD: &str = "SELECT coalesce((SELECT at < ? FROM _methodical_changes \
    ORDER BY position LIMIT 1), 0) AND (SELECT min(position) FROM _methodical_changes) \
    < (SELECT max(position) FROM _methodical_changes)";
/// A fold moves a record in lists and filters.
const MOVED: &str = "UPDATE _methodical_resource SET change = change + 1 WHERE resource = ?";
const MARKED: &str = "SELECT rowid, resource, id FROM _methodical_refold ORDER BY rowid LIMIT ?";

/// What a round has to do.
struct Due {
    /// Forget expired answers.
    answers: bool,
    /// Forget old entries of the change log.
    changes: bool,
    /// Forget sessions and keys that have expired.
    credentials: bool,
    /// Forget old entries of the audit log.
    acts: bool,
    /// Look for sessions whose users are gone.
    orphans: bool,
    /// Write down what was last used when.
    stamps: bool,
    /// Finish what was edited from outside.
    edits: bool,
    /// Find out whether a trouble has passed.
    trouble: bool,
    /// From where on the change log is kept.
    oldest: String,
    /// From where on the audit log is kept.
    oldest_act: Timestamp,
}

impl Due {
    fn any(&self) -> bool {
        self.answers
            || self.changes
            || self.credentials
            || self.acts
            || self.orphans
            || self.stamps
            || self.edits
            || self.trouble
    }
}

impl Desk {
    /// One round. True where there is more to do.
    pub(crate) fn upkeep(&mut self) -> bool {
        match self.round() {
            Ok(more) => more,
            Err(failure) => {
                let error = self.told(failure);
                if matches!(error, Error::Full | Error::Broken(_)) {
                    self.set_trouble(Some(error));
                }
                self.roll_back();
                false
            }
        }
    }

    fn round(&mut self) -> Result<bool, Failure> {
        self.at_home().map_err(Failure::Told)?;
        self.source.anchor.let_go();
        self.look_outside()?;
        let now = (self.session.options.clock)();
        let due = self.due(now)?;
        self.tend(now)?;
        if !due.any() {
            return Ok(false);
        }
        // Upkeep waits for nobody: its patience is spent when it begins.
        let deadline = self.session.options.write_deadline;
        let begun = Instant::now();
        self.begin(begun.checked_sub(deadline).unwrap_or(begun)).map_err(Failure::Told)?;
        let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
        let mut done = 0;
        if due.answers {
            let mut statement = self.session.statement(EXPIRED)?;
            done = done.max(statement.execute(params![now.0, chunk])?);
        }
        if due.changes {
            done = done.max(self.session.statement(OLD)?.execute(params![due.oldest, chunk])?);
        }
        if due.credentials {
            done = done.max(credential::sweep(&self.session, now, chunk)?);
            code::sweep(&self.session, now, chunk)?;
            queue::sweep(&self.session, due.oldest_act, chunk)?;
        }
        if due.acts {
            done = done.max(acts::sweep(&self.session, due.oldest_act, chunk)?);
        }
        if due.orphans {
            self.orphans = credential::sweep_orphans(&self.session, self.orphans.unwrap_or(0))?;
            self.orphans_sought = Instant::now();
        }
        if due.stamps {
            self.stamp(CHUNK)?;
        }
        if due.trouble {
            // Only a write tells whether the disk takes writes again.
            self.session.run("UPDATE _methodical_meta SET value = value WHERE name = 'layout'")?;
        }
        let folded = if self.is_edited { self.mend()? } else { 0 };
        self.commit().map_err(Failure::Told)?;
        self.set_trouble(None);
        self.is_edited = self.is_edited && folded >= CHUNK;
        let more = self.orphans.is_some() || self.stamps.is_due();
        Ok(done >= CHUNK || self.is_edited || more)
    }

    /// What there is to do.
    fn due(&self, now: Timestamp) -> Result<Due, Failure> {
        let options = &self.session.options;
        let before = |keep: Duration| {
            let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
            Timestamp(now.0.saturating_sub(keep))
        };
        let oldest = before(options.change_retention).text();
        let oldest_act = before(options.audit_retention);
        let answers = self.session.statement(ANY_EXPIRED)?.query_row([now.0], |row| row.get(0))?;
        let changes = self.session.statement(ANY_OLD)?.query_row([&oldest], |row| row.get(0))?;
        Ok(Due {
            answers,
            changes,
            credentials: credential::any_expired(&self.session, now)?
                || code::any_expired(&self.session, now)?,
            acts: acts::any_old(&self.session, oldest_act)?,
            orphans: self.orphans.is_some() || self.orphans_sought.elapsed() >= ORPHANS_INTERVAL,
            stamps: self.stamps.is_due(),
            edits: self.is_edited,
            trouble: self.trouble().is_some(),
            oldest,
            oldest_act,
        })
    }

    /// Writes down when so many credentials were last used.
    fn stamp(&self, most: usize) -> Result<(), Failure> {
        for (used, at) in self.stamps.part(most) {
            credential::stamp(&self.session, used, at)?;
        }
        Ok(())
    }

    /// Writes down the last uses, all of them.
    pub(crate) fn stamp_all(&self) -> Result<(), Failure> {
        self.session.run("BEGIN IMMEDIATE")?;
        // What was being written, and what was gathered since.
        self.stamp(usize::MAX)?;
        self.stamp(usize::MAX)?;
        self.session.run("COMMIT")
    }

    /// Looks after what the query planner knows, when nobody waits: it takes milliseconds, and
    /// longer only where a table has changed much.
    fn tend(&mut self, now: Timestamp) -> Result<(), Failure> {
        let is_busy = self.waiting.load(std::sync::atomic::Ordering::Relaxed) > 0;
        if is_busy || self.tended.elapsed() < TEND_INTERVAL {
            return Ok(());
        }
        self.tended = Instant::now();
        self.optimize(now)
    }

    /// Lets SQLite look whether what it knows of tables is still true, and notes when.
    pub(crate) fn optimize(&self, now: Timestamp) -> Result<(), Failure> {
        self.session.connection.execute_batch("PRAGMA optimize")?;
        self.session.connection.execute(TENDED, [now.0])?;
        Ok(())
    }

    /// Does for edits from outside what SQL could not: counts rows that were replaced, and folds
    /// text beyond ASCII.
    fn mend(&self) -> Result<usize, Failure> {
        let suspects: bool = self
            .session
            .statement("SELECT EXISTS (SELECT 1 FROM _methodical_suspect)")?
            .query_row([], |row| row.get(0))?;
        if suspects {
            let catalog = &self.session.catalog;
            for (index, resource) in catalog.model.resources.iter().enumerate() {
                let text = settled(catalog.number(index), resource);
                self.session.connection.execute_batch(&text)?;
            }
            self.session.run("DELETE FROM _methodical_suspect")?;
        }
        self.refold()
    }

    fn refold(&self) -> Result<usize, Failure> {
        let mut statement = self.session.statement(MARKED)?;
        let marked = statement.query_map([i64::try_from(CHUNK).unwrap_or(i64::MAX)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?))
        })?;
        let marked: Vec<(i64, i64, rusqlite::types::Value)> = marked.collect::<Result<_, _>>()?;
        for (mark, number, id) in &marked {
            let catalog = &self.session.catalog;
            let known = |index: &ResourceIndex| catalog.number(*index) == *number;
            if let Some(index) = (0..catalog.model.resources.len()).find(known) {
                self.refold_row(index, id)?;
                self.session.index(index, id)?;
                self.session.statement(MOVED)?.execute([number])?;
            }
            self.session
                .statement("DELETE FROM _methodical_refold WHERE rowid = ?")?
                .execute([mark])?;
        }
        Ok(marked.len())
    }

    fn refold_row(&self, index: ResourceIndex, id: &rusqlite::types::Value) -> Result<(), Failure> {
        let resource = self.session.catalog.resource(index);
        let table = quote(&resource.name);
        for (_, field) in folded(resource) {
            let name = quote(&field.name);
            let read = format!("SELECT {name} FROM {table} WHERE \"id\" = ?");
            let mut statement = self.session.statement(&read)?;
            let mut rows = statement.query([id])?;
            let text: Option<String> = match rows.next()? {
                Some(row) => row.get(0)?,
                None => return Ok(()),
            };
            drop(rows);
            let fold = text.map(|text| Value::Text(model::fold::fold(&text)));
            let set =
                format!("UPDATE {table} SET {} = ? WHERE \"id\" = ?", quote(&fold_column(field)));
            let folded = self
                .session
                .statement(&set)?
                .execute(params![fold.as_ref().map(super::value::Bound), id]);
            match folded {
                Ok(_) => {}
                // Two texts that only Unicode finds equal, both from outside: the later one stays
                // as SQL folded it. Refusing to start would help nobody.
                Err(error) if is_constraint(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}
