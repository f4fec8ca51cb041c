//! Lists that are walked by cursor while records come and go: none is seen twice, and none that
//! was there throughout is missed.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::ask::encoded;
use super::hold::links;
use super::naive::{ordered, present};
use super::schema::{IdKind, Kind};
use super::values;
use super::world::{Doc, Wire, started};
use crate::property::chance::{Chance, rounds, setting};
use crate::support::client::Request;
use crate::support::server::await_that;

const DECLARATION: &str = r#"
title = "Changes"
[resources.runs]
id = "text"
index = [["lane", "name"]]
fields.lane = { type = ["integer", "null"] }
fields.name = { type = "string", ignoreCase = true, optional = true }
fields.pace = { type = "number", optional = true, index = true }
fields.stays = { type = "boolean" }
fields.note = { type = "string", default = "" }
"#;
const STAYING: usize = 150;
const WALKS: usize = 16;
/// What runs are ordered by; `note` and `updatedAt` change meanwhile.
const KEYS: [(&str, Kind); 5] = [
    ("lane", Kind::Integer),
    ("name", Kind::Folded),
    ("pace", Kind::Number),
    ("stays", Kind::Boolean),
    ("id", Kind::Id(IdKind::Text)),
];

/// Members from few values, so that there are many ties.
fn draw(chance: &mut Chance, stays: bool) -> Doc {
    let mut doc = Doc::new();
    doc.insert("id".to_owned(), format!("{:016x}", chance.next()).into());
    let lane = chance.below(4);
    doc.insert("lane".to_owned(), if lane == 0 { Value::Null } else { lane.into() });
    if !chance.once_in(4) {
        let name = *chance.pick(&["a", "A", "b", "ß", "SS", "é", "\u{10ffff}"]);
        doc.insert("name".to_owned(), name.into());
    }
    if !chance.once_in(4) {
        doc.insert("pace".to_owned(), values::plain(chance, Kind::Number));
    }
    doc.insert("stays".to_owned(), stays.into());
    doc
}

fn post(wire: &mut Wire, doc: &Doc) {
    let answer =
        wire.send(Request::new("POST", "/api/runs").json(Value::Object(doc.clone()).to_string()));
    assert_eq!(answer.status, 201, "{}", answer.show());
}

/// Inserts and deletes records that do not stay, and changes what nothing is ordered by, until it
/// is told to stop.
fn churn(
    mut wire: Wire,
    mut chance: Chance,
    staying: &[Doc],
    done: &AtomicUsize,
    stop: &AtomicBool,
) {
    let mut passing: Vec<Doc> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if passing.len() < 60 && !chance.once_in(3) {
            let doc = draw(&mut chance, false);
            post(&mut wire, &doc);
            passing.push(doc);
        } else if !passing.is_empty() {
            let doc = passing.swap_remove(chance.below(passing.len()));
            let id = doc["id"].as_str().expect("an id");
            let answer = wire.send(Request::new("DELETE", &format!("/api/runs/{id}")));
            assert_eq!(answer.status, 200, "{}", answer.show());
        }
        if chance.once_in(3) {
            let id = chance.pick(staying)["id"].as_str().expect("an id");
            let note = json!({ "note": format!("{:x}", chance.next()) });
            let patch = Request::new("PATCH", &format!("/api/runs/{id}"));
            let answer = wire.send(patch.json(note.to_string()));
            assert_eq!(answer.status, 200, "{}", answer.show());
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

type Key = (&'static str, Kind, bool);

fn sort(docs: &mut [&Doc], keys: &[Key]) {
    let last = keys.last().is_some_and(|(_, _, descends)| *descends);
    let id = [("id", Kind::Text, last)];
    docs.sort_by(|one, two| {
        let mut order = std::cmp::Ordering::Equal;
        for (name, kind, descends) in keys.iter().chain(&id) {
            let by = ordered(*kind, present(one, name), present(two, name));
            order = order.then(if *descends { by.reverse() } else { by });
        }
        order
    });
}

struct Walk<'a> {
    wire: Wire,
    done: &'a AtomicUsize,
}

impl Walk<'_> {
    /// A page, once something has changed since the last one; and where the neighbours are.
    fn page(&mut self, target: &str) -> (Vec<String>, Option<String>, Option<String>) {
        let before = self.done.load(Ordering::Relaxed);
        await_that("something has changed", || self.done.load(Ordering::Relaxed) > before);
        let answer = self.wire.get(target);
        assert_eq!(answer.status, 200, "{}", answer.show());
        let list = answer.json();
        let runs = list["runs"].as_array().expect("runs").iter();
        let ids = runs.map(|run| run["id"].as_str().expect("an id").to_owned()).collect();
        let next = list.get("next").and_then(Value::as_str).map(str::to_owned);
        (ids, next, links(&answer).remove("prev"))
    }

    /// All ids from the beginning to the end, and all from the end to the beginning, in order.
    fn there_and_back(&mut self, target: &str) -> [Vec<String>; 2] {
        let (mut there, mut next, mut previous) = self.page(target);
        let mut last = there.clone();
        while let Some(target) = next {
            (last, next, previous) = self.page(&target);
            there.extend(last.iter().cloned());
        }
        let mut back = last;
        while let Some(target) = previous {
            let (page, _, before) = self.page(&target);
            back.splice(0..0, page);
            previous = before;
        }
        [there, back]
    }
}

#[test]
fn a_walk_by_cursor_sees_everything_that_stays_once_while_other_things_come_and_go() {
    let seed = setting("METHODICAL_TEST_SEED", 3);
    let mut chance = Chance::new(seed);
    let server = started(DECLARATION, &[]);
    let mut wire = Wire::new(&server);
    let staying: Vec<Doc> = (0..STAYING).map(|_| draw(&mut chance, true)).collect();
    staying.iter().for_each(|doc| post(&mut wire, doc));
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let other = Chance::new(chance.next());
    std::thread::scope(|scope| {
        let churning = Wire::new(&server);
        let (staying, done, stop) = (&staying, &done, &stop);
        let churns = scope.spawn(move || churn(churning, other, staying, done, stop));
        let mut walk = Walk { wire, done };
        let walks = std::panic::AssertUnwindSafe(|| {
            for _ in 0..rounds(WALKS) {
                if let Err(fault) = round(&mut chance, &mut walk, staying) {
                    panic!("METHODICAL_TEST_SEED={seed}: {fault}");
                }
            }
        });
        let walked = std::panic::catch_unwind(walks);
        stop.store(true, Ordering::Relaxed);
        churns.join().expect("a thread");
        if let Err(panic) = walked {
            std::panic::resume_unwind(panic);
        }
    });
}

/// One order, one filter, and both ways through it.
fn round(chance: &mut Chance, walk: &mut Walk<'_>, staying: &[Doc]) -> Result<(), String> {
    let mut left = KEYS.to_vec();
    let number = chance.below(4);
    let mut keys: Vec<Key> = Vec::new();
    for _ in 0..number {
        let (name, kind) = left.swap_remove(chance.below(left.len()));
        keys.push((name, kind, chance.once_in(2)));
    }
    let name = |(name, _, descends): &Key| format!("{}{name}", if *descends { "-" } else { "" });
    let names: Vec<String> = keys.iter().map(name).collect();
    let filter = *chance.pick(&["", "", "stays", "name[null]", "lane[gte]"]);
    let is_within = |doc: &&Doc| match filter {
        "name[null]" => present(doc, "name").is_none(),
        "lane[gte]" => present(doc, "lane").and_then(Value::as_i64).is_some_and(|lane| lane >= 2),
        _ => true,
    };
    let limit = 3 + chance.below(40);
    let mut pairs = vec![("cursor", String::new()), ("limit", limit.to_string())];
    if !names.is_empty() {
        pairs.push(("sort", names.join(",")));
    }
    match filter {
        "" => {}
        "lane[gte]" => pairs.push((filter, "2".to_owned())),
        filter => pairs.push((filter, "true".to_owned())),
    }
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let target = format!("/api/runs?{}", encoded(&pairs));
    let mut must: Vec<&Doc> = staying.iter().filter(is_within).collect();
    sort(&mut must, &keys);
    let must: Vec<&str> = must.iter().map(|doc| doc["id"].as_str().expect("an id")).collect();
    let [there, back] = walk.there_and_back(&target);
    for (way, ids) in [("forward", there), ("backward", back)] {
        let mut met = HashSet::new();
        if let Some(twice) = ids.iter().find(|id| !met.insert(id.as_str())) {
            return Err(format!("{target} {way}: {twice} was seen twice"));
        }
        let known: HashSet<&str> = must.iter().copied().collect();
        let is: Vec<&str> =
            ids.iter().map(String::as_str).filter(|id| known.contains(id)).collect();
        super::hold::equal(&format!("{target} {way}: what stayed"), &is, &must)?;
    }
    Ok(())
}
