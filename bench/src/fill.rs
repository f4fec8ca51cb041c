//! Databases that were filled once and are found again: a million records take a minute.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Statement};

/// Records in one transaction.
const CHUNK: u64 = 50_000;

/// What a database is filled with.
pub(crate) struct Filling<'a> {
    /// What it is for; a part of its name.
    pub(crate) name: &'a str,
    /// To be changed with the data, so that no older database is taken for the same.
    pub(crate) edition: u32,
    /// How many records, which is a part of its name too.
    pub(crate) size: u64,
    /// How many records there are in the end, by table.
    pub(crate) totals: &'a [(&'a str, u64)],
    /// Writes them.
    pub(crate) rows: &'a dyn Fn(&mut Connection) -> rusqlite::Result<()>,
}

impl Filling<'_> {
    /// Where the filled database of this kind is, or will be. `fresh` is one that the server has
    /// just made.
    pub(crate) fn path(&self, folder: &Path, fresh: &Path) -> Result<PathBuf, String> {
        let mut hasher = DefaultHasher::new();
        (self.name, self.edition, schema(fresh).map_err(|error| told(&error))?).hash(&mut hasher);
        Ok(folder.join(format!("{}-{:016x}.db", self.size, hasher.finish())))
    }

    /// Fills the tables that the server has made, and puts the database where it is found again.
    pub(crate) fn fill(&self, fresh: &Path, path: &Path) -> Result<(), String> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        self.write(fresh).map_err(|error| told(&error))?;
        std::fs::rename(fresh, path).map_err(|error| error.to_string())
    }

    /// The server's triggers and indexes are taken away meanwhile, and what they would have kept is
    /// written at the end: minutes for ten million, not hours.
    fn write(&self, path: &Path) -> rusqlite::Result<()> {
        let mut connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
             PRAGMA foreign_keys = OFF; PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY;",
        )?;
        let aside = "SELECT type, name, sql FROM sqlite_schema \
                     WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY rowid";
        let aside: Vec<(String, String, String)> = connection
            .prepare(aside)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (kind, name, _) in &aside {
            connection.execute_batch(&format!("DROP {kind} \"{name}\""))?;
        }
        (self.rows)(&mut connection)?;
        for (_, _, text) in &aside {
            connection.execute_batch(text)?;
        }
        for (table, number) in self.totals {
            let kept = "UPDATE _methodical_resource SET total = ?1, change = ?1 WHERE name = ?2";
            connection.execute(kept, rusqlite::params![signed(*number), table])?;
        }
        connection.execute_batch("PRAGMA journal_mode = WAL;")
    }
}

fn told(error: &rusqlite::Error) -> String {
    format!("filling: {error}")
}

/// The text of everything that a database is made of.
fn schema(path: &Path) -> rusqlite::Result<String> {
    let connection = Connection::open(path)?;
    let text = "SELECT group_concat(sql, ';') FROM sqlite_schema";
    connection.query_row(text, [], |row| row.get(0))
}

/// Copies a file, and has the system write it out before anything is measured.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let done = std::fs::copy(from, to)
        .and_then(|_| std::fs::File::open(to))
        .and_then(|file| file.sync_all());
    std::thread::sleep(Duration::from_millis(100));
    done.map_err(|error| format!("{}: {error}", to.display()))
}

/// A number as SQLite has it.
pub(crate) fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// Runs a statement for each of these ids.
pub(crate) fn chunks(
    connection: &mut Connection,
    text: &str,
    ids: std::ops::RangeInclusive<u64>,
    each: impl Fn(u64, &mut Statement<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let (mut next, last) = ids.into_inner();
    while next <= last {
        let transaction = connection.transaction()?;
        let mut statement = transaction.prepare(text)?;
        let end = (next + CHUNK).min(last + 1);
        for id in next..end {
            each(id, &mut statement)?;
        }
        drop(statement);
        transaction.commit()?;
        next = end;
    }
    Ok(())
}
