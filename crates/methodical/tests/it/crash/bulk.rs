//! Processes that are killed while clients create many records at a time: what is there afterwards
//! are whole bulks, each exactly once.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::audit::Books;
use super::bank;
use super::crowd::{Crowd, Errand};
use crate::property::chance::{Chance, rounds, setting};
use crate::support::answer::Answer;
use crate::support::client::Request;

const CLIENTS: usize = 4;
const KILLS: usize = 12;

/// Payments that are made together.
#[derive(Clone)]
struct Bulk {
    /// The text that all of them share.
    marker: String,
    /// How many they are.
    rows: u64,
}

/// A bulk that was acknowledged.
#[derive(Clone)]
struct Promise {
    bulk: Bulk,
    /// The id of the first; the others follow it.
    first: i64,
    answer: Answer,
}

impl Errand for Bulk {
    type Promise = Promise;

    fn new(whose: &str, number: u32) -> Self {
        // Some are a handful, and some are more than the megabyte that stays in memory.
        let is_large = number % 8 == 3;
        let rows = if is_large { 5_000 } else { u64::from(number % 5) * 40 + 2 };
        let padding = "x".repeat(if is_large { 200 } else { 0 });
        Self { marker: format!("{whose}-{number}-{padding}-{rows}"), rows }
    }

    fn request(&self) -> Request {
        let Self { marker, rows } = self;
        let table = (1..=*rows).map(|amount| format!("1,{amount},{marker}\n"));
        let mut request = Request::new("POST", "/api/payments")
            .field("idempotency-key", &format!("\"{marker:->36}\""))
            .field("content-type", "text/csv");
        let table = std::iter::once("account,amount,marker\n".to_owned()).chain(table);
        request.content = Some(table.collect::<String>().into_bytes());
        request
    }

    fn promised(self, answer: Answer) -> Result<Promise, String> {
        let told = answer.json();
        let ids: Option<Vec<i64>> = told["ids"]
            .as_array()
            .map(|ids| ids.iter().filter_map(serde_json::Value::as_i64).collect());
        // What is too much to be remembered is left out.
        let first = ids.as_ref().and_then(|ids| ids.first().copied()).unwrap_or_default();
        let follow = ids.is_none_or(|ids| (first..).zip(&ids).all(|(next, id)| next == *id));
        if told["created"] != self.rows || !follow {
            return Err(format!("{} was answered with\n{}", self.marker, answer.show()));
        }
        Ok(Promise { bulk: self, first, answer })
    }
}

fn audit(database: &Path, promises: &[Promise]) {
    let books = Books::of(database);
    let mut complaints = Vec::new();
    books.is_sound(&mut complaints);
    for rule in [
        // The marker says how many there are.
        "SELECT 'not whole: ' || marker || ' has ' || count(*) FROM payments GROUP BY marker \
         HAVING count(*) <> CAST(replace(marker, rtrim(marker, '0123456789'), '') AS INTEGER) \
         OR count(DISTINCT amount) <> count(*) OR max(id) - min(id) + 1 <> count(*)",
        "SELECT 'keys are ' || k || ', bulks ' || b FROM (SELECT (SELECT count(*) FROM \
         _methodical_keys) AS k, (SELECT count(DISTINCT marker) FROM payments) AS b) WHERE k <> b",
        "SELECT 'total is ' || total || ', records are ' || n FROM _methodical_resource, \
         (SELECT (SELECT count(*) FROM payments) AS n) WHERE name = 'payments' AND total <> n",
        "SELECT 'not logged: ' || id FROM (SELECT id, _birth FROM payments EXCEPT \
         SELECT id, birth FROM _methodical_changes)",
    ] {
        complaints.extend(books.texts(rule));
    }
    let firsts = books.texts("SELECT marker || '=' || min(id) FROM payments GROUP BY marker");
    let firsts: HashMap<&str, &str> =
        firsts.iter().filter_map(|line| line.rsplit_once('=')).collect();
    for Promise { bulk, first, .. } in promises {
        match firsts.get(bulk.marker.as_str()) {
            Some(id) if *first == 0 || **id == first.to_string() => {}
            found => complaints.push(format!("{} from {first} is {found:?}", bulk.marker)),
        }
    }
    assert!(complaints.is_empty(), "{} faults:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn kills_leave_whole_bulks_each_exactly_once() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 1));
    let mut server = bank::options().start();
    let folder = server.database().parent().expect("a folder").to_owned();
    let crowd = Crowd::<Bulk>::gather("bulk", CLIENTS);
    for _ in 0..rounds(KILLS) {
        crowd.point_at(Some(server.address()));
        crowd.await_more(chance.below(4) + 1);
        std::thread::sleep(Duration::from_micros(chance.next() % 30_000));
        crowd.point_at(None);
        server.kill();
        audit(&server.database(), &crowd.promises());
        let strange: Vec<_> = std::fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with(".tmp"))
            .collect();
        assert!(strange.is_empty(), "spools are left behind: {strange:?}");
        server.restart();
    }
    crowd.point_at(Some(server.address()));
    let harvest = crowd.disperse();
    let client = server.client();
    for Promise { bulk, answer, .. } in harvest.promises.iter().rev().take(20) {
        let again = client.send(&bulk.request());
        assert_eq!(again.field("idempotent-replayed").as_deref(), Some("true"));
        assert_eq!(again.content, answer.content);
    }
    server.kill();
    audit(&server.database(), &harvest.promises);
}
