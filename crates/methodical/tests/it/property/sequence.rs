//! One client, request after request: every answer is the one that the model gives.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::chance::{Chance, rounds, setting};
use super::draw;
use super::wish::{Id, Wish};
use super::world::{Expect, Page, Remembered, Row, World, unknown, view};
use crate::support::answer::Answer;
use crate::support::server::{Options, Server, tests};

const SEQUENCES: usize = 12;
const LENGTH: usize = 500;
/// What has to come about again and again.
const KINDS: &[&str] = &[
    "GET 200",
    "GET 304",
    "GET 404",
    "GET 412",
    "GET 400",
    "HEAD 200",
    "POST 201",
    "POST 400",
    "POST 409",
    "POST 422",
    "POST replayed",
    "PUT 200",
    "PUT 201",
    "PUT 204",
    "PUT 409",
    "PUT 412",
    "PUT 422",
    "PUT 428",
    "PUT replayed",
    "PATCH 200",
    "PATCH 204",
    "PATCH 404",
    "PATCH 409",
    "PATCH 412",
    "PATCH 422",
    "PATCH 428",
    "PATCH replayed",
    "DELETE 200",
    "DELETE 204",
    "DELETE 404",
    "DELETE 409",
    "DELETE 412",
    "DELETE replayed",
];

/// A server for the declaration of these tests.
pub(super) fn server() -> Server {
    Options::folder(&tests().join("property/lab")).start()
}

#[test]
fn any_sequence_of_requests_gets_the_answers_that_a_model_in_memory_gives() {
    let first = setting("METHODICAL_TEST_SEED", 1_000);
    let mut met = BTreeMap::new();
    for seed in (first..).take(rounds(SEQUENCES)) {
        let mut run = Run::new(seed);
        for number in 0..LENGTH {
            if number % 170 == 169 {
                run.server.kill_and_restart();
            }
            if let Err(fault) = run.step() {
                panic!("{fault}\n\n{}", run.story());
            }
        }
        for (kind, number) in run.met {
            *met.entry(kind).or_default() += number;
        }
    }
    // A model that never met one of these would have shown nothing.
    for kind in KINDS {
        let number: usize = met.get(*kind).copied().unwrap_or_default();
        assert!(number > 0, "{kind} was never met: {met:?}");
    }
}

struct Run {
    seed: u64,
    chance: Chance,
    server: Server,
    world: World,
    keyed: Vec<Wish>,
    told: Vec<String>,
    met: BTreeMap<String, usize>,
}

impl Run {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            chance: Chance::new(seed),
            server: server(),
            world: World::new(),
            keyed: Vec::new(),
            told: Vec::new(),
            met: BTreeMap::new(),
        }
    }

    /// What was sent, numbered, with what came back.
    fn story(&self) -> String {
        let from = self.told.len().saturating_sub(40);
        let told = self.told[from..].join("\n");
        // What the server says of it may still be on its way through the pipe.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let log = self.server.log();
        let last = log.lines().last().unwrap_or_default();
        format!("METHODICAL_TEST_SEED={} and the last requests are\n{told}\n{last}", self.seed)
    }

    fn step(&mut self) -> Result<(), String> {
        let wish = draw::wish(&mut self.chance, &self.world, &self.keyed);
        if wish.key.is_some() {
            self.keyed.push(wish.clone());
        }
        let expected = self.world.judge(&wish);
        let mut request = wish.request();
        if wish.method == "HEAD" {
            request.method = "GET".to_owned();
        }
        let answer = self.server.client().send(&request);
        let number = self.told.len();
        let mut line = format!("{number}. {} {}", wish.method, wish.target());
        for (name, value) in &request.fields {
            line.push_str(&format!("  {name}: {value}"));
        }
        if let Some((_, content)) = &wish.content {
            line.push_str(&format!("  {content}"));
        }
        self.told.push(format!("{line}\n    {} {expected:?}", answer.status));
        let kind = match expected {
            Expect::Replayed => "replayed".to_owned(),
            _ => answer.status.to_string(),
        };
        *self.met.entry(format!("{} {kind}", wish.method)).or_default() += 1;
        let held = self.world.hold(&wish, &expected, &answer);
        held.map_err(|fault| format!("{fault}\n\nRequest {number} got\n{}", answer.show()))?;
        if wish.method == "HEAD" {
            let bare = self.server.client().send(&wish.request());
            return same_head(&answer, &bare);
        }
        Ok(())
    }
}

/// HEAD is GET without content (RFC 9110 §9.3.2).
fn same_head(full: &Answer, bare: &Answer) -> Result<(), String> {
    // Last-Modified comes once its second is over, which may be between the two.
    let both = [full, bare].iter().all(|answer| answer.field("last-modified").is_some());
    let own =
        |name: &str| matches!(name, "date" | "request-id") || (name == "last-modified" && !both);
    let fields = |answer: &Answer| {
        let mut fields = answer.fields.clone();
        fields.retain(|(name, _)| !own(name));
        fields.sort();
        (answer.status, fields)
    };
    equal("HEAD", &fields(bare), &fields(full))
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, must: &T) -> Result<(), String> {
    if is == must { Ok(()) } else { Err(format!("{what} is\n  {is:?}\nand must be\n  {must:?}")) }
}

fn holds(what: &str, is: bool) -> Result<(), String> {
    if is { Ok(()) } else { Err(what.to_owned()) }
}

impl World {
    /// Compares an answer with what it has to be, and learns from it what only the server knows:
    /// moments, tags, and ids that it drew.
    fn hold(&mut self, wish: &Wish, expected: &Expect, answer: &Answer) -> Result<(), String> {
        let status = match expected {
            Expect::Refused(status) | Expect::Shown(status, _) | Expect::Quiet(status, _) => {
                *status
            }
            Expect::NotModified => 304,
            Expect::Deleted | Expect::Listed(_) => 200,
            Expect::Replayed => return self.hold_replay(wish, answer),
        };
        equal("the status", &answer.status, &status)?;
        equal("replayed", &answer.field("idempotent-replayed"), &None)?;
        match expected {
            Expect::Refused(_) => return Ok(()),
            Expect::NotModified => self.hold_unmodified(wish, answer)?,
            Expect::Listed(page) => self.hold_page(wish, page, answer)?,
            Expect::Deleted => equal("the content", &answer.json(), &json!({"status": "deleted"}))?,
            Expect::Shown(_, id) => {
                let id = self.learn_id(wish, id, answer)?;
                let row = self.table(wish.resource).rows.get_mut(&id).expect("a record");
                row.hold(wish, &id, wish.fields.as_deref(), &answer.json())?;
                self.hold_fields(wish, &id, answer)?;
            }
            Expect::Quiet(_, id) => {
                holds("no content", answer.content.is_empty())?;
                let applied = answer.field("preference-applied");
                equal("Preference-Applied", &applied, &Some("return=minimal".to_owned()))?;
                if let Some(id) = id {
                    let id = self.learn_id(wish, id, answer)?;
                    self.hold_fields(wish, &id, answer)?;
                }
            }
            Expect::Replayed => {}
        }
        if let Some(key) = &wish.key {
            let remembered = Remembered { meaning: wish.meaning(), answer: answer.clone() };
            self.keys.insert((wish.method, wish.path(), key.clone()), remembered);
        }
        Ok(())
    }

    fn hold_replay(&self, wish: &Wish, answer: &Answer) -> Result<(), String> {
        let key = wish.key.clone().expect("a key");
        let first = &self.keys[&(wish.method, wish.path(), key)].answer;
        equal("the status of a replay", &answer.status, &first.status)?;
        let replayed = answer.field("idempotent-replayed");
        equal("Idempotent-Replayed", &replayed, &Some("true".to_owned()))?;
        equal("the content of a replay", &answer.content, &first.content)?;
        for name in ["etag", "location", "content-location", "content-type", "content-length"] {
            equal(name, &answer.field(name), &first.field(name))?;
        }
        Ok(())
    }

    fn hold_unmodified(&self, wish: &Wish, answer: &Answer) -> Result<(), String> {
        let tag = answer.field("etag").ok_or("a 304 without ETag")?;
        let sent = wish.if_none_match.as_deref().unwrap_or_default();
        holds("a 304 repeats the tag", sent == "*" || sent.contains(&tag))
    }

    /// The id that the server drew.
    fn learn_id(&mut self, wish: &Wish, id: &Id, answer: &Answer) -> Result<Id, String> {
        if *id != unknown() {
            return Ok(id.clone());
        }
        let location = answer.field("location").ok_or("no Location")?;
        let text = location.strip_prefix("/api/things/").ok_or("a strange Location")?;
        let id = Id::Text(text.to_owned());
        let rows = &mut self.table(wish.resource).rows;
        let row = rows.remove(&unknown()).expect("the record that was just made");
        holds("an id that is new", rows.insert(id.clone(), row).is_none())?;
        Ok(id)
    }

    /// Location, Content-Location and ETag of one record.
    fn hold_fields(&mut self, wish: &Wish, id: &Id, answer: &Answer) -> Result<(), String> {
        let path = format!("/api/{}/{id}", wish.resource);
        let created = (answer.status == 201).then(|| path.clone());
        equal("Location", &answer.field("location"), &created)?;
        let located = matches!(wish.method, "PUT" | "PATCH") && answer.status != 204;
        if located {
            let location = answer.field("content-location");
            // Without content there is nothing whose location could be told.
            holds("Content-Location", location.as_ref() == Some(&path) || wish.is_minimal)?;
        }
        let tag = answer.field("etag");
        if wish.method == "PUT" {
            return equal("ETag", &tag, &None);
        }
        let tag = tag.ok_or("no ETag")?;
        holds("a tag of a version that is no more", !self.spent.contains_key(&tag))?;
        let face = format!("{:?}", wish.fields);
        let row = self.table(wish.resource).rows.get_mut(id).expect("a record");
        let known = row.faces.entry(face).or_insert_with(|| tag.clone());
        equal("ETag", &tag, known)
    }

    fn hold_page(&mut self, wish: &Wish, page: &Page, answer: &Answer) -> Result<(), String> {
        let query = wish.query.as_ref().expect("a query");
        let list = answer.json();
        let shown = list[wish.resource].as_array().ok_or("no records")?;
        let table = self.table(wish.resource);
        for (id, record) in page.ids.iter().zip(shown) {
            let row = table.rows.get_mut(id).expect("a record");
            row.hold(wish, id, query.fields.as_deref(), record)?;
        }
        equal("records", &shown.len(), &page.ids.len())?;
        let total = (!query.is_uncounted).then(|| json!(page.total));
        equal("total", &list.get("total"), &total.as_ref())?;
        equal("page", &list["page"], &json!(query.page))?;
        equal("limit", &list["limit"], &json!(query.limit))?;
        let next = list.get("next").and_then(Value::as_str);
        equal("next", &next.is_some(), &page.has_next)?;
        let follows = |next: &str| next.contains(&format!("page={}", query.page + 1));
        holds("next names the next page", next.is_none_or(follows))?;
        self.hold_list_tag(wish, answer)
    }

    /// The tag of a list changes where something in its table did, and only there.
    fn hold_list_tag(&mut self, wish: &Wish, answer: &Answer) -> Result<(), String> {
        let tag = answer.field("etag").ok_or("a list without ETag")?;
        let stamp = self.tables[wish.resource].stamp;
        match self.tables[wish.resource].lists.get(&wish.target()) {
            Some((seen, known)) if *seen == stamp => equal("the list's ETag", &tag, known)?,
            Some((_, known)) => {
                let gone = known.clone();
                self.spent.insert(gone, wish.target());
            }
            None => {}
        }
        holds("a list that changed has another tag", !self.spent.contains_key(&tag))?;
        self.table(wish.resource).lists.insert(wish.target(), (stamp, tag));
        Ok(())
    }
}

impl Row {
    /// Compares what is shown of a record, and learns its moments.
    fn hold(
        &mut self,
        wish: &Wish,
        id: &Id,
        only: Option<&[&'static str]>,
        shown: &Value,
    ) -> Result<(), String> {
        let moment = |name: &str| shown.get(name).and_then(Value::as_str).map(str::to_owned);
        if let Some(updated) = moment("updatedAt") {
            let known = self.updated.get_or_insert_with(|| updated.clone());
            equal("updatedAt", &updated, known)?;
            holds("updatedAt grows", updated > self.floor)?;
        }
        if let Some(created) = moment("createdAt") {
            let known = self.created.get_or_insert_with(|| created.clone());
            equal("createdAt", &created, known)?;
        }
        let members = shown.as_object().ok_or("not a record")?;
        let members: Vec<_> =
            members.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        equal("the record", &members, &view(wish.resource, &self.document(id), only))
    }
}
