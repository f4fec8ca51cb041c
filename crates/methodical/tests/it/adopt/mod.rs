//! Databases of other programs, adopted and served: what is asked for over HTTP has to be what SQL
//! says of the source, and what is said to stay behind has to be all that does.

mod expected;
mod refused;
mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::client::{Client, Request};
use crate::support::server::{Options, Server, open, tests};

/// A database of another program, and what became of it.
pub(crate) struct Adopted {
    home: TempDir,
    /// The report, as it was printed.
    pub(crate) report: String,
}

/// Runs `methodical adopt`.
pub(crate) fn adopt(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_methodical"))
        .arg("adopt")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Makes a database from one of the schemas beside this file.
pub(crate) fn source(name: &str, home: &Path) -> PathBuf {
    let script = std::fs::read_to_string(tests().join(format!("adopt/{name}.sql")));
    let path = home.join(format!("{name}.db"));
    let database = Connection::open(&path).expect("a database");
    // As in the shell, and in most programs.
    database.execute_batch("PRAGMA foreign_keys = OFF").expect("no foreign keys");
    database.execute_batch(&script.expect("a schema")).expect("the schema is SQL");
    path
}

impl Adopted {
    /// Makes a source of a schema and adopts it.
    pub(crate) fn new(name: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let path = source(name, home.path());
        let before = std::fs::read(&path).expect("the source");
        let out = home.path().join("api");
        let output = adopt(&[&format!("sqlite:{}", text(&path)), text(&out)]);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words}");
        assert_eq!(std::fs::read(&path).expect("the source"), before, "the source was changed");
        let report = String::from_utf8(output.stdout).expect("a report");
        let kept = std::fs::read_to_string(out.join("adopted.txt")).expect("the report");
        assert_eq!(kept, report);
        let left: Vec<_> = std::fs::read_dir(home.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|other| *other != format!("{name}.db") && other != "api")
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let check = Command::new(env!("CARGO_BIN_EXE_methodical")).arg("check").arg(&out).output();
        let check = check.expect("the program runs");
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
        Self { home, report }
    }

    /// The source, to be asked by SQL.
    pub(crate) fn source(&self, name: &str) -> Connection {
        Connection::open(self.home.path().join(format!("{name}.db"))).expect("the source")
    }

    /// Serves what was made, to anyone.
    pub(crate) fn serve(&self) -> Server {
        let out = self.home.path().join("api");
        let declaration = out.join("methodical.toml");
        let text = std::fs::read_to_string(&declaration).expect("a declaration");
        std::fs::write(&declaration, open(&text)).expect("a declaration");
        self.serve_as_it_is()
    }

    /// Serves what was made as it was made: to admins.
    pub(crate) fn serve_as_it_is(&self) -> Server {
        let out = self.home.path().join("api");
        let database = out.join("data.db");
        Options::folder(&out).argument("--database").argument(text(&database)).start()
    }
}

/// What a query gives: one map of names and cells a row, without nulls.
pub(crate) fn rows(database: &Connection, query: &str) -> Vec<BTreeMap<String, Cell>> {
    let mut statement = database.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let cell = |(at, name): (usize, &String)| Ok((name.clone(), row.get(at)?));
        names.iter().enumerate().map(cell).collect::<rusqlite::Result<BTreeMap<_, _>>>()
    });
    let rows: rusqlite::Result<Vec<BTreeMap<String, Cell>>> = rows.expect("rows").collect();
    let mut rows = rows.expect("rows");
    rows.iter_mut().for_each(|row| row.retain(|_, cell| *cell != Cell::Null));
    rows
}

/// Every record of a resource, without nulls and times.
pub(crate) fn records(client: &Client, target: &str) -> Vec<BTreeMap<String, Value>> {
    let request = Request::new("GET", target).field("accept", "application/x-ndjson");
    let answer = client.send(&request);
    assert_eq!(answer.status, 200, "{target}: {}", answer.show());
    let record = |line: &str| {
        // By a parser that keeps every digit of a number.
        let record = model::json::parse(line.as_bytes()).expect("a record");
        let Value::Object(record) = record else { panic!("not an object: {line}") };
        let mut record: BTreeMap<String, Value> = record.into_iter().collect();
        record.retain(|name, value| {
            !value.is_null() && !matches!(name.as_str(), "createdAt" | "updatedAt")
        });
        record
    };
    answer.text().lines().map(record).collect()
}

/// True where a member says what a cell does.
fn is_same(cell: &Cell, member: &Value) -> bool {
    match (cell, member) {
        (Cell::Integer(number), Value::Bool(truth)) => *number == i64::from(*truth),
        (Cell::Integer(number), Value::Number(member)) => {
            member.as_i64() == Some(*number) || member.as_f64() == Some(*number as f64)
        }
        (Cell::Real(number), Value::Number(member)) => member.as_f64() == Some(*number),
        (Cell::Text(text), Value::String(member)) => text == member,
        (Cell::Text(text), Value::Array(_) | Value::Object(_)) => {
            serde_json::from_str::<Value>(text).is_ok_and(|cell| cell == *member)
        }
        _ => false,
    }
}

/// Holds records against rows, member by member, in order.
pub(crate) fn compare(
    what: &str,
    rows: &[BTreeMap<String, Cell>],
    records: &[BTreeMap<String, Value>],
) {
    assert_eq!(rows.len(), records.len(), "{what}: records are missing, or too many");
    assert!(!rows.is_empty(), "{what}: nothing is compared");
    for (row, record) in rows.iter().zip(records) {
        let is_equal = row.len() == record.len()
            && row
                .iter()
                .all(|(name, cell)| record.get(name).is_some_and(|member| is_same(cell, member)));
        assert!(is_equal, "{what}: the source says\n  {row:?}\nand the API\n  {record:?}");
    }
}
