//! Carries a plan out, in one transaction: a process that is killed meanwhile leaves what was
//! there before.

use std::time::Instant;

use model::model::{IdKind, Model, ResourceIndex};
use rusqlite::{Connection, OptionalExtension};

use super::super::ddl;
use super::super::failure::{Failure, broken};
use super::super::session::Session;
use super::check::Tell;
use super::schema::{self, Object, Objects};
use super::table::{self, Way};
use super::{Prepared, Table, functions, history, kept_model, next_number, prepare, remember};
use crate::error::Error;
use crate::migrate::pair::Models;
use crate::migrate::{Applied, DataLoss, Plan, Progress};
use crate::sql::quote;

/// What a table is called while another one takes its place. No resource has such a name.
const ASIDE: &str = "_methodical_aside()";
/// Rows that are copied by one statement.
const CHUNK: i64 = 10_000;

/// Carries out the plan for the session's declaration, if `agreed` says so when it has seen it.
pub(crate) fn apply(
    session: &Session,
    data_loss: DataLoss,
    agreed: &dyn Fn(&Plan) -> bool,
    tell: Tell<'_>,
) -> Result<Applied, Failure> {
    let connection = &session.connection;
    // Rows are copied from table to table: what refers to what is checked at the end, all at once.
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    let applied = within(session, data_loss, agreed, tell);
    if !connection.is_autocommit() {
        // The first error is the one that counts.
        drop(connection.execute_batch("ROLLBACK"));
    }
    connection.execute_batch(
        "PRAGMA writable_schema = OFF; PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON",
    )?;
    applied
}

fn within(
    session: &Session,
    data_loss: DataLoss,
    agreed: &dyn Fn(&Plan) -> bool,
    tell: Tell<'_>,
) -> Result<Applied, Failure> {
    let connection = &session.connection;
    let begun = Instant::now();
    functions(connection)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let old = kept_model(connection)?;
    let models = Models { old: &old, new: &session.catalog.model };
    let prepared = prepare(connection, models, tell)?;
    let plan = &prepared.plan;
    if plan.is_empty() && plan.obstacles.is_empty() && plan.before == plan.after {
        return Ok(Applied::Nothing);
    }
    let loses = plan.loses() && data_loss == DataLoss::Refused;
    if !plan.obstacles.is_empty() || loses || !agreed(plan) {
        return Ok(Applied::Refused(prepared.plan));
    }
    let theirs = schema::theirs(connection)?;
    let work = Work { session, prepared: &prepared, theirs: &theirs };
    work.run(tell)?;
    remember(connection, models.new, &theirs)?;
    if plan.steps.iter().any(|step| step.action.is_shown()) {
        draw_epoch(connection)?;
    }
    history::record(connection, plan, (session.options.clock)(), begun.elapsed())?;
    connection.execute_batch("COMMIT")?;
    Ok(Applied::Done(prepared.plan, begun.elapsed()))
}

/// A new epoch: no ETag and no cursor from before matches any more, not even once a later
/// migration has led back to the same tables.
fn draw_epoch(connection: &Connection) -> Result<(), Failure> {
    let mut epoch = [0_u8; 8];
    getrandom::fill(&mut epoch).map_err(|error| broken(format!("no random numbers: {error}")))?;
    let text = "UPDATE _methodical_meta SET value = ? WHERE name = 'epoch'";
    connection.execute(text, [epoch.as_slice()])?;
    Ok(())
}

/// A plan that is being carried out.
struct Work<'a> {
    session: &'a Session,
    prepared: &'a Prepared<'a>,
    /// What of the database is not ours.
    theirs: &'a Objects,
}

/// What somebody else has made does not go together with the new tables.
fn in_the_way(name: &str, error: &rusqlite::Error) -> Failure {
    Failure::Told(Error::Broken(format!(
        "{} is not of Methodical's making and does not go together with the new tables ({error}): \
         drop it, migrate, and make it again",
        quote(name)
    )))
}

impl Work<'_> {
    fn models(&self) -> Models<'_> {
        self.prepared.models
    }

    fn run(&self, tell: Tell<'_>) -> Result<(), Failure> {
        let connection = &self.session.connection;
        let views = self.sound_views();
        let touched: Vec<&Table<'_>> =
            self.prepared.tables.iter().filter(|table| table.is_touched()).collect();
        for table in &touched {
            self.strip(table)?;
        }
        self.drop_resources()?;
        for table in &touched {
            self.rename(table)?;
        }
        for table in &touched {
            match table.way {
                Way::Leave => {}
                Way::Describe => self.describe(table)?,
                Way::Rebuild => self.rebuild(table, tell)?,
            }
        }
        for at in self.models().added() {
            self.add(at)?;
        }
        for table in &touched {
            self.dress(table, tell)?;
        }
        self.check_references(&touched)?;
        for view in views {
            self.try_view(&view).map_err(|error| in_the_way(&view, &error))?;
        }
        let changed = "UPDATE _methodical_resource SET change = change + 1 WHERE resource = ?";
        for table in &touched {
            connection.execute(changed, [table.number])?;
        }
        Ok(())
    }

    fn batch(&self, text: &str) -> Result<(), Failure> {
        Ok(self.session.connection.execute_batch(text)?)
    }

    /// Views of somebody else's that work now, and have to work afterwards.
    fn sound_views(&self) -> Vec<String> {
        let views = self.theirs.iter().filter(|(_, object)| object.kind == "view");
        views.map(|(name, _)| name.clone()).filter(|name| self.try_view(name).is_ok()).collect()
    }

    fn try_view(&self, name: &str) -> rusqlite::Result<()> {
        let text = format!("SELECT * FROM {} LIMIT 0", quote(name));
        self.session.connection.prepare(&text).map(drop)
    }

    /// Takes away what is made anew: triggers, indexes that are other ones, the full-text index.
    fn strip(&self, table: &Table<'_>) -> Result<(), Failure> {
        let connection = &self.session.connection;
        let kept = schema::kept(connection)?;
        let stay = ddl::indexes(table.pair.new);
        for (name, object) in kept.iter().filter(|(_, it)| it.table == table.pair.old.name) {
            let is_other =
                || !stay.iter().any(|piece| piece.name == *name && piece.text == object.text);
            match object.kind.as_str() {
                "trigger" => self.batch(&format!("DROP TRIGGER {}", quote(name)))?,
                "index" if is_other() => self.batch(&format!("DROP INDEX {}", quote(name)))?,
                _ => {}
            }
        }
        let before = ddl::search(table.pair.old).filter(|_| table.refills_search());
        if let Some(index) = before.filter(|index| kept.contains_key(&index.name)) {
            self.batch(&format!("DROP TABLE {}", quote(&index.name)))?;
        }
        Ok(())
    }

    fn drop_resources(&self) -> Result<(), Failure> {
        let connection = &self.session.connection;
        for resource in self.models().dropped() {
            let number = super::number(connection, &resource.name)?;
            // Its number is not given again: the change log goes on telling of it.
            super::keep_number(connection)?;
            if let Some(index) = ddl::search(resource) {
                self.batch(&format!("DROP TABLE {}", quote(&index.name)))?;
            }
            self.batch(&format!("DROP TABLE {}", quote(&resource.name)))?;
            for table in ["_methodical_resource", "_methodical_refold", "_methodical_suspect"] {
                connection.execute(&format!("DELETE FROM {table} WHERE resource = ?"), [number])?;
            }
        }
        Ok(())
    }

    /// Gives table and columns their new names; what somebody else has made follows them.
    fn rename(&self, table: &Table<'_>) -> Result<(), Failure> {
        let pair = &table.pair;
        let renamed = pair.renamed();
        for (number, gone) in (1..).zip(pair.dropped()) {
            if renamed.iter().any(|(_, now)| now.name.eq_ignore_ascii_case(&gone.name)) {
                // It makes room under its name, and goes with the rebuilding of the table.
                self.rename_column(&pair.old.name, &gone.name, &gone_name(number))?;
            }
        }
        for (was, now) in renamed {
            self.rename_column(&pair.old.name, &was.name, &now.name)?;
        }
        let (was, now) = (&pair.old.name, &pair.new.name);
        if was == now {
            return Ok(());
        }
        if was.eq_ignore_ascii_case(now) {
            self.rename_table(was, ASIDE)?;
            self.rename_table(ASIDE, now)?;
        } else {
            self.rename_table(was, now)?;
        }
        let text = "UPDATE _methodical_resource SET name = ? WHERE resource = ?";
        self.session.connection.execute(text, (now, table.number))?;
        Ok(())
    }

    fn rename_column(&self, table: &str, was: &str, now: &str) -> Result<(), Failure> {
        let [table, from, to] = [table, was, now].map(quote);
        self.batch(&format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"))
    }

    fn rename_table(&self, was: &str, now: &str) -> Result<(), Failure> {
        self.batch(&format!("ALTER TABLE {} RENAME TO {}", quote(was), quote(now)))
    }

    /// Writes another description of a table whose rows fit it: what
    /// <https://sqlite.org/lang_altertable.html#otheralter> allows for constraints and defaults.
    fn describe(&self, table: &Table<'_>) -> Result<(), Failure> {
        let connection = &self.session.connection;
        let text = table::described(&table.pair, &table.targets, &table.lies);
        let version: i64 = connection.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
        self.batch("PRAGMA writable_schema = ON")?;
        let update = "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?";
        let updated = connection.execute(update, (&text, &table.pair.new.name))?;
        self.batch(&format!(
            "PRAGMA schema_version = {}; PRAGMA writable_schema = RESET",
            version + 1
        ))?;
        let name = quote(&table.pair.new.name);
        connection.prepare(&format!("SELECT * FROM {name} LIMIT 0"))?;
        if updated == 1 { Ok(()) } else { Err(broken("a table is not in the schema")) }
    }

    /// Copies the rows into a new table.
    fn rebuild(&self, table: &Table<'_>, tell: Tell<'_>) -> Result<(), Failure> {
        let connection = &self.session.connection;
        let name = &table.pair.new.name;
        let theirs = self.belongings(name)?;
        let sequence = self.sequence(table)?;
        // The old way of renaming leaves alone what refers to the table by its name.
        self.batch("PRAGMA legacy_alter_table = ON")?;
        self.rename_table(name, ASIDE)?;
        self.batch("PRAGMA legacy_alter_table = OFF")?;
        let definitions = table.targets.iter().map(|target| target.column.definition.clone());
        self.batch(&ddl::table(name, definitions))?;
        self.copy(table, tell)?;
        self.batch(&format!("DROP TABLE {}", quote(ASIDE)))?;
        if let (Some(sequence), IdKind::Integer) = (sequence, table.pair.new.id) {
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", [name])?;
            let text = format!(
                "INSERT INTO sqlite_sequence (name, seq) \
                 SELECT ?, max(?, coalesce((SELECT max(\"id\") FROM {}), 0))",
                quote(name)
            );
            connection.execute(&text, (name, sequence))?;
        }
        for piece in ddl::indexes(table.pair.new) {
            self.batch(&piece.text)?;
        }
        for (name, object) in theirs {
            connection.execute_batch(&object.text).map_err(|error| in_the_way(&name, &error))?;
        }
        Ok(())
    }

    /// The largest id that a table has ever had, where ids are numbers.
    fn sequence(&self, table: &Table<'_>) -> Result<Option<i64>, Failure> {
        if table.pair.old.id != IdKind::Integer {
            return Ok(None);
        }
        let text = "SELECT seq FROM sqlite_sequence WHERE name = ?";
        let name = &table.pair.new.name;
        Ok(self.session.connection.query_row(text, [name], |row| row.get(0)).optional()?)
    }

    /// Indexes and triggers of somebody else's on a table.
    fn belongings(&self, table: &str) -> Result<Objects, Failure> {
        let mut present = schema::present(&self.session.connection)?;
        let is_theirs = |name: &String, object: &mut Object| {
            let belongs = object.table == table && object.kind != "table";
            belongs && self.theirs.contains_key(name)
        };
        present.retain(is_theirs);
        Ok(present)
    }

    fn copy(&self, table: &Table<'_>, tell: Tell<'_>) -> Result<(), Failure> {
        let connection = &self.session.connection;
        let now = |was: &str| table.name_now(was);
        let columns = table.targets.iter().filter_map(|target| {
            Some((quote(&target.column.name), target.source.expression(&now)?))
        });
        let (names, values): (Vec<String>, Vec<String>) = columns.unzip();
        let aside = quote(ASIDE);
        let text = format!(
            "INSERT INTO {} ({}) SELECT {} FROM {aside} WHERE _rowid_ > ? AND _rowid_ <= ? \
             ORDER BY _rowid_",
            quote(&table.pair.new.name),
            names.join(", "),
            values.join(", ")
        );
        let mut insert = connection.prepare(&text)?;
        // `_rowid_` begins as no field does, so no field hides it.
        let mut bound = connection.prepare(&format!(
            "SELECT max(number) FROM (SELECT _rowid_ AS number FROM {aside} \
             WHERE _rowid_ > ? ORDER BY _rowid_ LIMIT {CHUNK})"
        ))?;
        let (mut last, mut done) = (i64::MIN, 0);
        while let Some(end) = bound.query_row([last], |row| row.get::<_, Option<i64>>(0))? {
            done += insert.execute([last, end])? as u64;
            last = end;
            let doing = format!("rewriting {}", table.pair.new.name);
            tell(Progress { doing, done, rows: table.facts.rows });
        }
        Ok(())
    }

    fn add(&self, at: ResourceIndex) -> Result<(), Failure> {
        let model: &Model = self.models().new;
        let resource = &model.resources[at];
        let number = next_number(&self.session.connection)?;
        let columns = ddl::columns(model, resource).into_iter().map(|column| column.definition);
        self.batch(&ddl::table(&resource.name, columns))?;
        let pieces = ddl::indexes(resource).into_iter().chain(ddl::search(resource));
        for piece in pieces.chain(ddl::triggers(number, resource)) {
            self.batch(&piece.text)?;
        }
        self.batch(&ddl::numbered(number, &resource.name))
    }

    /// Makes what was taken away: indexes, the full-text index and its content, triggers.
    fn dress(&self, table: &Table<'_>, tell: Tell<'_>) -> Result<(), Failure> {
        let connection = &self.session.connection;
        let resource = table.pair.new;
        let present = schema::present(connection)?;
        for piece in ddl::indexes(resource) {
            if !present.contains_key(&piece.name) {
                let doing = format!("indexing {}", resource.name);
                tell(Progress { doing, done: 0, rows: table.facts.rows });
                self.batch(&piece.text)?;
            }
        }
        if table.pair.old.id != resource.id {
            let kind = if resource.id == IdKind::Integer { "INTEGER" } else { "TEXT" };
            for kept in ["_methodical_changes", "_methodical_refold", "_methodical_suspect"] {
                let text = format!("UPDATE {kept} SET id = CAST(id AS {kind}) WHERE resource = ?");
                connection.execute(&text, [table.number])?;
            }
        }
        if let Some(index) = ddl::search(resource).filter(|_| table.refills_search()) {
            self.batch(&index.text)?;
            self.fill_search(table, tell)?;
        }
        for piece in ddl::triggers(table.number, resource) {
            self.batch(&piece.text)?;
        }
        Ok(())
    }

    fn fill_search(&self, table: &Table<'_>, tell: Tell<'_>) -> Result<(), Failure> {
        let name = &table.pair.new.name;
        let text = format!("SELECT \"id\" FROM {} ORDER BY _rowid_", quote(name));
        let mut statement = self.session.connection.prepare(&text)?;
        let mut rows = statement.query([])?;
        let mut done = 0;
        while let Some(row) = rows.next()? {
            let id: rusqlite::types::Value = row.get(0)?;
            self.session.index(table.pair.at, &id)?;
            done += 1;
            if done % CHUNK as u64 == 0 {
                let doing = format!("searching {name}");
                tell(Progress { doing, done, rows: table.facts.rows });
            }
        }
        Ok(())
    }

    /// Every reference names a record, in every table that may have been touched by the plan.
    fn check_references(&self, touched: &[&Table<'_>]) -> Result<(), Failure> {
        let described = touched.iter().all(|table| table.way != Way::Rebuild);
        if described && self.models().dropped().is_empty() {
            // Rows and ids are what they were, and what refers elsewhere was read before.
            return Ok(());
        }
        let found: Option<(String, Option<i64>, String)> = self
            .session
            .connection
            .query_row("PRAGMA foreign_key_check", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        match found {
            None => Ok(()),
            Some((table, row, parent)) => Err(Failure::Told(Error::Broken(format!(
                "row {} of {} refers to a record of {} that is not there, from before the \
                 migration: mend that first",
                row.unwrap_or_default(),
                quote(&table),
                quote(&parent)
            )))),
        }
    }
}

impl Table<'_> {
    /// What a column of before is called once everything has its new name.
    fn name_now(&self, was: &str) -> String {
        let renamed = self.pair.renamed();
        let dropped = self.pair.dropped();
        let gone = (1..).zip(dropped).find(|(_, field)| field.name == was);
        if let Some((number, field)) = gone {
            let makes_room =
                renamed.iter().any(|(_, now)| now.name.eq_ignore_ascii_case(&field.name));
            return if makes_room { gone_name(number) } else { was.to_owned() };
        }
        let now = renamed.iter().find(|(old, _)| old.name == was);
        now.map_or_else(|| was.to_owned(), |(_, now)| now.name.clone())
    }

    /// True where the full-text index is made anew: another one, or of other texts.
    fn refills_search(&self) -> bool {
        let (before, after) = (ddl::search(self.pair.old), ddl::search(self.pair.new));
        let texts = |fields: &[usize]| {
            fields.iter().any(|at| {
                let field = &self.pair.new.fields[*at];
                let target = self.targets.iter().find(|target| target.column.name == field.name);
                !matches!(target.map(|target| &target.source), Some(table::Source::Copy(_)))
            })
        };
        self.is_stale
            || before != after
            || self.pair.old.id != self.pair.new.id
            || texts(&self.pair.new.search)
    }
}

/// What a column is called that makes room for another one.
fn gone_name(number: usize) -> String {
    format!("_gone_{number}")
}
