//! The books after a crash: what the database holds, against what was promised.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::bank::Promise;
use super::crowd::Errand;
use super::disk::beside;
use crate::support::client::{Client, Request};

/// How many promises are asked for over HTTP again.
const SAMPLE: usize = 60;

/// What is wrong with a database that no process has open. It is a copy that is read: opening it
/// recovers it, which is left to the server.
pub(super) fn complaints(database: &Path, promises: &[Promise]) -> Vec<String> {
    let books = Books::of(database);
    let mut complaints = Vec::new();
    books.is_sound(&mut complaints);
    if complaints.is_empty() {
        books.is_consistent(&mut complaints);
        books.keeps(promises, &mut complaints);
    }
    complaints
}

/// Fails where anything is wrong.
pub(super) fn audit(database: &Path, promises: &[Promise]) {
    let complaints = complaints(database, promises);
    assert!(complaints.is_empty(), "{} faults:\n{}", complaints.len(), complaints.join("\n"));
}

/// A copy of a database that no process has open.
pub(super) struct Books {
    pub(super) connection: Connection,
    _folder: tempfile::TempDir,
}

impl Books {
    /// Copies a database, with the log of what was committed last.
    pub(super) fn of(database: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy.db");
        for suffix in ["", "-wal", "-journal"] {
            let from = beside(database, suffix);
            if from.exists() {
                fs::copy(from, beside(&copy, suffix)).expect("a file is copied");
            }
        }
        Self { connection: Connection::open(&copy).expect("a database"), _folder: folder }
    }

    /// What a query gives, one text a row.
    pub(super) fn texts(&self, sql: &str) -> Vec<String> {
        let mut statement = match self.connection.prepare(sql) {
            Ok(statement) => statement,
            Err(error) => return vec![format!("{sql}: {error}")],
        };
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("no parameters");
        rows.map(|row| row.unwrap_or_else(|error| format!("{sql}: {error}"))).collect()
    }

    /// Complains where the file is not whole.
    pub(super) fn is_sound(&self, complaints: &mut Vec<String>) {
        let integrity = self.texts("PRAGMA integrity_check");
        if integrity != ["ok"] {
            complaints.push(format!("integrity_check: {}", integrity.join("; ")));
        }
        let dangling = self.texts("PRAGMA foreign_key_check");
        if !dangling.is_empty() {
            complaints.push(format!("foreign_key_check: {}", dangling.join("; ")));
        }
    }

    /// Each query gives a line for every fault.
    fn is_consistent(&self, complaints: &mut Vec<String>) {
        let rules = [
            "SELECT 'made twice: ' || marker FROM payments GROUP BY marker HAVING count(*) > 1",
            "SELECT name || ': total is ' || total || ', records are ' || n \
             FROM _methodical_resource, (SELECT (SELECT count(*) FROM payments) AS n) \
             WHERE name = 'payments' AND total <> n",
            "SELECT name || ': total is ' || total || ', records are ' || n \
             FROM _methodical_resource, (SELECT (SELECT count(*) FROM accounts) AS n) \
             WHERE name = 'accounts' AND total <> n",
            "SELECT r.name || ': ' || change || ' changes are counted, ' || n || ' logged' \
             FROM _methodical_resource AS r JOIN (SELECT o.resource AS of, count(position) AS n \
             FROM _methodical_resource AS o LEFT JOIN _methodical_changes USING (resource) \
             GROUP BY 1) ON of = r.resource WHERE change <> n",
            "SELECT 'not logged once: payment ' || p.id FROM payments AS p WHERE 1 <> \
             (SELECT count(*) FROM _methodical_changes AS c \
             JOIN _methodical_resource AS r USING (resource) \
             WHERE r.name = 'payments' AND c.id = p.id AND c.operation = 'insert' \
             AND c.birth = p._birth AND c.version = p._version)",
            "SELECT 'the log has a gap: ' || count(*) || ' entries up to ' || max(position) \
             FROM _methodical_changes HAVING count(*) <> max(position)",
            "SELECT 'keys are ' || k || ', what they made ' || p FROM (SELECT (SELECT count(*) \
             FROM _methodical_keys) AS k, (SELECT count(*) FROM payments) + \
             (SELECT count(*) FROM transfers) AS p) WHERE k <> p",
            "SELECT 'keys are ' || k || ', counted ' || c FROM (SELECT (SELECT count(*) FROM \
             _methodical_keys) AS k, (SELECT coalesce(sum(keys), 0) \
             FROM _methodical_principals) AS c) WHERE k <> c",
            "SELECT 'an id could be given again: ' || max(id) FROM payments \
             HAVING max(id) > (SELECT seq FROM sqlite_sequence WHERE name = 'payments')",
            "SELECT 'not folded: ' || marker FROM payments WHERE _fold_marker IS NOT lower(marker)",
        ];
        for rule in rules {
            complaints.extend(self.texts(rule));
        }
    }

    fn keeps(&self, promises: &[Promise], complaints: &mut Vec<String>) {
        let mut statement =
            self.connection.prepare("SELECT marker, id, amount FROM payments").expect("a table");
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?))))
            .expect("no parameters");
        let held: HashMap<String, (i64, i64)> = rows.map(|row| row.expect("a row")).collect();
        for promise in promises {
            let payment = &promise.payment;
            match held.get(&payment.marker) {
                Some(&(id, amount)) if id == promise.id && amount == i64::from(payment.amount) => {}
                Some(found) => complaints.push(format!("{promise:?} is {found:?} now")),
                None => complaints
                    .push(format!("acknowledged and lost: {} as {}", payment.marker, promise.id)),
            }
        }
    }
}

/// What clients see of it: the records, their versions, and the same answers to the same keys.
pub(super) fn confirm(client: &Client, promises: &[Promise]) {
    let step = promises.len().div_ceil(SAMPLE).max(1);
    for promise in promises.iter().rev().step_by(step) {
        let first = &promise.answer;
        let found = client.get(&format!("/api/payments/{}", promise.id));
        assert_eq!(found.status, 200, "{}", found.show());
        assert_eq!(found.text(), first.text());
        assert_eq!(found.field("etag"), first.field("etag"));
        let again = client.send(&promise.payment.request());
        assert_eq!(again.status, 201, "{}", again.show());
        assert_eq!(again.field("idempotent-replayed").as_deref(), Some("true"));
        assert_eq!(again.content, first.content);
        for name in ["etag", "location", "content-type"] {
            assert_eq!(again.field(name), first.field(name), "{name} of a replay");
        }
    }
}

/// How many payments a list says that there are.
pub(super) fn total(client: &Client) -> u64 {
    let list = client.send(&Request::new("GET", "/api/payments?limit=1"));
    assert_eq!(list.status, 200, "{}", list.show());
    list.json()["total"].as_u64().expect("a total")
}
