//! Worlds drawn by chance, and every list of them as the naive evaluation has it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ask::{Ask, Filter, Place, Relation, View};
use super::hold::{Held, equal, links};
use super::world::Served;
use crate::property::chance::{Chance, rounds, setting};
use crate::support::answer::Answer;
use crate::support::client::Request;

const WORLDS: usize = 10;
const ASKS: usize = 120;

#[test]
fn every_list_answer_is_that_of_a_naive_evaluation_over_all_records() {
    let first = setting("METHODICAL_TEST_SEED", 1);
    let mut met = BTreeMap::new();
    for seed in (first..).take(rounds(WORLDS)) {
        let mut run = Run::new(seed);
        for _ in 0..ASKS {
            run.told.clear();
            if let Err(fault) = run.step() {
                panic!(
                    "{fault}\n\nMETHODICAL_TEST_SEED={seed}, and asked was\n{}\n\n{:?}\n{}",
                    run.told.join("\n"),
                    run.served.world.schema.limits,
                    run.served.world.schema.toml()
                );
            }
        }
        for (kind, number) in run.met {
            *met.entry(kind).or_insert(0) += number;
        }
    }
    // What was never met was not shown.
    for kind in [
        "page",
        "empty page",
        "cursor page",
        "back page",
        "groups",
        "record",
        "cut",
        "bound",
        "next by cursor",
        "location",
        "include",
        "path",
        "304",
        "all as lines",
    ] {
        assert!(met.get(kind).is_some_and(|number| *number > 0), "{kind} was never met: {met:?}");
    }
}

struct Run {
    chance: Chance,
    served: Served,
    told: Vec<String>,
    met: BTreeMap<&'static str, usize>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let served = Served::draw(&mut chance);
        Self { chance, served, told: Vec::new(), met: BTreeMap::new() }
    }

    fn meet(&mut self, kind: &'static str) {
        *self.met.entry(kind).or_default() += 1;
    }

    fn send(&mut self, request: Request) -> Answer {
        let content = request.content.clone().unwrap_or_default();
        let content = String::from_utf8(content).expect("text");
        self.told.push(format!("{} {} {content}", request.method, request.target));
        let answer = self.served.wire.send(request);
        self.told.push(format!("    {}", answer.text()));
        answer
    }

    fn get(&mut self, target: &str) -> Answer {
        self.send(Request::new("GET", target))
    }

    fn step(&mut self) -> Held {
        if self.chance.once_in(6) {
            return self.record();
        }
        let ask = Ask::draw(&mut self.chance, &self.served.world);
        if ask.aggregate.is_none() && self.chance.once_in(4) {
            return self.walk(ask);
        }
        if ask.aggregate.is_none() && self.chance.once_in(8) {
            return self.lines(ask);
        }
        let answer = self.ask(&ask)?;
        if ask.filters.iter().any(|filter| !filter.through.is_empty()) {
            self.meet("path");
        }
        if answer.json().get("totalIsLowerBound").is_some() {
            self.meet("bound");
        }
        if let Some(asked) = &ask.aggregate {
            self.meet("groups");
            return self.served.world.hold_groups(&ask, asked, &answer);
        }
        let start = (ask.page() - 1) * ask.limit(&self.served.world);
        self.served.world.hold_page(&ask, start, &answer)?;
        let list = answer.json();
        let name = self.served.world.resource(ask.resource).name.clone();
        let is_empty = list[&name].as_array().is_some_and(Vec::is_empty);
        self.meet(if is_empty { "empty page" } else { "page" });
        if !ask.view.include.is_empty() {
            self.meet("include");
        }
        if self.chance.once_in(2)
            && let Some(next) = list.get("next").and_then(Value::as_str)
        {
            self.follow(&ask, start, next)?;
        }
        let shown = list[&name].as_array().cloned().unwrap_or_default();
        let is_cut = |record: &Value| {
            record.as_object().is_some_and(|it| it.keys().any(|name| name.ends_with(".next")))
        };
        match shown.iter().position(is_cut) {
            Some(at) => self.others(&ask, start + at, &shown[at]),
            None => Ok(()),
        }
    }

    /// Asks in two of three ways, which have the same answer.
    fn ask(&mut self, ask: &Ask) -> Result<Answer, String> {
        let way = self.chance.below(3);
        let one = ask.request(&mut self.chance, &self.served.world, way);
        let other = (way + 1 + self.chance.below(2)) % 3;
        let two = ask.request(&mut self.chance, &self.served.world, other);
        let again = one.clone();
        let one = self.send(one);
        let two = self.send(two);
        equal("the other way", &two.text(), &one.text())?;
        if self.chance.once_in(4) {
            let tag = one.field("etag").ok_or("no tag")?;
            let coding = *self.chance.pick(&["identity", "gzip", "zstd"]);
            let coded = self.send(again.clone().field("accept-encoding", coding));
            equal("the same in another coding", &coded.text(), &one.text())?;
            let kept = self.send(again.field("if-none-match", &tag));
            equal("unchanged", &kept.status, &304)?;
            self.meet("304");
        }
        if let (Some(location), true) = (one.field("location"), self.chance.once_in(3)) {
            let there = self.get(&location);
            equal("at the Location", &there.text(), &one.text())?;
            self.meet("location");
        }
        Ok(one)
    }

    /// `next` leads to what follows, by number or by place.
    fn follow(&mut self, ask: &Ask, start: usize, next: &str) -> Held {
        let answer = self.get(next);
        let mut there = ask.clone();
        let start = start + ask.limit(&self.served.world);
        // A URL that is written says how many.
        there.limit = Some(ask.limit(&self.served.world));
        there.place = if next.contains("cursor=") {
            self.meet("next by cursor");
            Place::Cursor(String::new())
        } else {
            Place::Page(ask.page() + 1)
        };
        self.served.world.hold_page(&there, start, &answer)
    }

    /// Where a relation was cut, a link leads to what was left out.
    fn others(&mut self, ask: &Ask, at: usize, shown: &Value) -> Held {
        let doc = self.served.world.list(ask)[at].clone();
        for include in &ask.view.include {
            let Relation::From(field) = &include.relation else { continue };
            let next = shown.get(format!("{}.next", include.name)).and_then(Value::as_str);
            let Some(next) = next else { continue };
            self.meet("cut");
            let limit = self.served.world.schema.limits.include;
            let is_full = shown[&include.name].as_array().is_some_and(|all| all.len() == limit);
            let page = if is_full { 2 } else { 1 };
            let rest = Ask {
                resource: include.resource,
                filters: vec![Filter::equal(field, &doc["id"])],
                sort: vec![("id".to_owned(), false)],
                place: Place::Page(page),
                limit: Some(limit),
                count: None,
                view: include.view.clone(),
                aggregate: None,
            };
            let answer = self.get(next);
            self.served.world.hold_page(&rest, (page - 1) * limit, &answer)?;
        }
        Ok(())
    }

    /// All records to the end of the list, a line each.
    fn lines(&mut self, ask: Ask) -> Held {
        let ask = Ask { place: Place::Unsaid, limit: None, count: None, ..ask };
        let way = self.chance.below(3);
        let request = ask.request(&mut self.chance, &self.served.world, way);
        let answer = self.send(request.field("accept", "application/x-ndjson"));
        equal("the status", &answer.status, &200)?;
        self.meet("all as lines");
        let world = &self.served.world;
        let docs = world.list(&ask);
        let text = answer.text();
        equal("the number of lines", &text.lines().count(), &docs.len())?;
        let is_whole = world.is_within(&docs, &ask.view, true);
        for (doc, line) in docs.iter().zip(text.lines()) {
            let record = serde_json::from_str(line).map_err(|error| error.to_string())?;
            world.hold_record(ask.resource, doc, &ask.view, is_whole, &record)?;
        }
        Ok(())
    }

    /// One record with what is included in it.
    fn record(&mut self) -> Held {
        let at = self.chance.below(self.served.world.docs.len());
        if self.served.world.all(at).is_empty() {
            return Ok(());
        }
        let number = self.chance.below(self.served.world.all(at).len());
        let view = View::draw(&mut self.chance, &self.served.world, at);
        let doc = self.served.world.all(at)[number].clone();
        let id = doc["id"].as_str().map_or_else(|| doc["id"].to_string(), str::to_owned);
        let words = view.words().into_iter().map(|(name, value)| (name.to_owned(), value));
        let query = super::ask::encoded(&words.collect::<Vec<_>>());
        let mark = if query.is_empty() { "" } else { "?" };
        let name = &self.served.world.resource(at).name;
        let answer = self.get(&format!("/api/{name}/{id}{mark}{query}"));
        equal("the status", &answer.status, &200)?;
        self.meet("record");
        let is_whole = self.served.world.is_within(&[&doc], &view, false);
        self.served.world.hold_record(at, &doc, &view, is_whole, &answer.json())
    }

    /// From the beginning to the end by cursor, and back.
    fn walk(&mut self, mut ask: Ask) -> Held {
        ask.place = Place::Cursor(String::new());
        let number = self.served.world.list(&ask).len();
        let limit = ask.limit(&self.served.world).max(number / 8);
        ask.limit = Some(limit.clamp(1, 100));
        let limit = limit.clamp(1, 100);
        let mut start = 0;
        let mut answer = self.ask(&ask)?;
        loop {
            self.served.world.hold_page(&ask, start, &answer)?;
            self.meet("cursor page");
            let list = answer.json();
            let Some(next) = list.get("next").and_then(Value::as_str) else { break };
            start += limit;
            if self.chance.once_in(2) {
                answer = self.get(next);
            } else {
                let cursor = list["cursor"].as_str().ok_or("no cursor")?;
                ask.place = Place::Cursor(cursor.to_owned());
                answer = self.ask(&ask)?;
            }
        }
        // A long query has no links.
        while let Some(previous) = links(&answer).get("prev") {
            answer = self.get(previous);
            let end = start;
            start = end.saturating_sub(limit);
            let page = Ask { limit: Some(end - start), ..ask.clone() };
            self.back(&page, limit, start, &answer)?;
        }
        Ok(())
    }

    /// A page that ends where the one behind it began; the first may be shorter.
    fn back(&mut self, page: &Ask, limit: usize, start: usize, answer: &Answer) -> Held {
        self.meet("back page");
        let mut list = answer.json();
        equal("limit", &list["limit"], &limit.into())?;
        list["limit"] = page.limit.into();
        let text = list.to_string();
        let answer = Answer { content: text.into_bytes(), ..answer.clone() };
        self.served.world.hold_page(page, start, &answer)
    }
}
