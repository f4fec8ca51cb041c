//! Migrations on real files: from populated database to populated database, for every kind of
//! change, and afterwards everything is as if the tables had been made so.

mod kinds;
mod pairs;
mod refusals;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::model::Model;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{declared, options, seedless};
use crate::migrate::{Applied, DataLoss, Plan};
use crate::sqlite::ddl;
use crate::{OpenError, Opened, Options};

/// A database in a folder of its own.
struct Ground {
    folder: TempDir,
}

fn reading(body: &str) -> Arc<Model> {
    declared(&format!("title = \"T\"\n{body}"))
}

impl Ground {
    /// Makes the database of a declaration and fills it, as a person with `sqlite3` would.
    fn new(body: &str, rows: &str) -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        drop(ground.open(body).unwrap());
        ground.sql().execute_batch(rows).unwrap();
        // Whatever SQL cannot fold is folded by the server when it looks.
        let opened = ground.open(body).unwrap();
        let marks = || ground.ask("SELECT count(*) FROM _methodical_refold");
        let deadline = Instant::now() + Duration::from_secs(60);
        while marks() != "0" {
            assert!(Instant::now() < deadline, "the server folds what was edited");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(opened);
        ground
    }

    fn options(&self) -> Options {
        options(&self.folder)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data.db")
    }

    fn sql(&self) -> Connection {
        let connection = Connection::open(self.path()).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        connection
    }

    fn open(&self, body: &str) -> Result<Opened, OpenError> {
        crate::open(&self.options(), reading(body), &mut seedless)
    }

    fn plan(&self, body: &str) -> Plan {
        crate::plan(&self.options(), &reading(body), &mut |_| {}).unwrap()
    }

    fn migrate(&self, body: &str, data_loss: DataLoss) -> Applied {
        crate::migrate(&self.options(), reading(body), data_loss, &mut |_| {}).unwrap()
    }

    /// Migrates, and sees that it was done and that nothing is left to do.
    fn migrated(&self, body: &str, data_loss: DataLoss) -> Plan {
        let planned = self.plan(body);
        let plan = match self.migrate(body, data_loss) {
            Applied::Done(plan, _) => plan,
            other => panic!("{other:?}"),
        };
        let names = |plan: &Plan| {
            plan.steps.iter().map(super::super::migrate::Step::says).collect::<Vec<_>>()
        };
        assert_eq!(names(&planned), names(&plan), "what was planned was done");
        assert_eq!(self.migrate(body, DataLoss::Refused), Applied::Nothing);
        self.assert_as_made(body);
        plan
    }

    /// Migrates where other things than ours are in the file.
    fn migrated_beside(&self, body: &str) {
        let applied = self.migrate(body, DataLoss::Refused);
        assert!(matches!(applied, Applied::Done(..)), "{applied:?}");
        assert_eq!(self.ask("PRAGMA integrity_check"), "'ok'");
        drop(self.open(body).expect("it is served"));
    }

    /// One column of text a row, lines joined.
    fn ask(&self, query: &str) -> String {
        let connection = self.sql();
        let mut statement = connection.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let each = (0..columns).map(|at| {
                Ok(match row.get::<_, rusqlite::types::Value>(at)? {
                    rusqlite::types::Value::Null => "NULL".to_owned(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Real(number) => format!("{number:?}"),
                    rusqlite::types::Value::Text(text) => format!("'{text}'"),
                    rusqlite::types::Value::Blob(_) => "blob".to_owned(),
                })
            });
            Ok(each.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
        });
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("\n")
    }

    /// Tables, indexes and triggers are what a fresh database of this declaration has, whatever
    /// was migrated, and everything that is kept beside the records is true.
    fn assert_as_made(&self, body: &str) {
        let model = reading(body);
        let connection = self.sql();
        let text = |name: &str| -> String {
            let query = "SELECT sql FROM sqlite_schema WHERE name = ?";
            connection.query_row(query, [name], |row| row.get(0)).unwrap()
        };
        let sorted = |text: &str| {
            let inner = text.split_once("(\n  ").unwrap().1.trim_end_matches("\n) STRICT");
            let mut columns: Vec<String> = inner.split(",\n  ").map(str::to_owned).collect();
            columns.sort();
            columns
        };
        let mut ours = 0;
        for resource in &model.resources {
            let number: i64 = connection
                .query_row(
                    "SELECT resource FROM _methodical_resource WHERE name = ?",
                    [&resource.name],
                    |row| row.get(0),
                )
                .unwrap();
            let columns = ddl::columns(&model, resource).into_iter().map(|it| it.definition);
            let table = ddl::table(&resource.name, columns);
            assert_eq!(sorted(&text(&resource.name)), sorted(&table));
            let pieces = ddl::indexes(resource)
                .into_iter()
                .chain(ddl::triggers(number, resource))
                .chain(ddl::search(resource));
            for piece in pieces {
                assert_eq!(text(&piece.name), piece.text);
                ours += 1;
            }
            let name = &resource.name;
            let kept: (i64, i64) = connection
                .query_row(
                    &format!(
                        "SELECT total, (SELECT count(*) FROM \"{name}\") \
                         FROM _methodical_resource WHERE name = '{name}'"
                    ),
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .unwrap();
            assert_eq!(kept.0, kept.1, "total of {name}");
        }
        let there: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' \
                 AND tbl_name NOT IN (SELECT name FROM sqlite_schema WHERE name LIKE '%)\\_%' \
                 ESCAPE '\\') AND (type <> 'table' OR name LIKE '%(%') \
                 AND tbl_name NOT IN ('_methodical_keys', '_methodical_sessions', \
                 '_methodical_api_keys', '_methodical_audit', '_methodical_jobs', \
                 '_methodical_codes', '_methodical_confirmed') \
                 AND sql IS NOT NULL",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(there, ours, "nothing is left over");
        assert_eq!(self.ask("PRAGMA integrity_check"), "'ok'");
        assert_eq!(self.ask("PRAGMA foreign_key_check"), "");
        drop(self.open(body).expect("it is served"));
    }
}
