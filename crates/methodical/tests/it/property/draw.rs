//! Requests drawn by chance, valid ones and others, aimed at what there is.

use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::rules::{NAMES, fields};
use super::wish::{Id, Query, Wish};
use super::world::World;

const PLACES: [&str; 6] = ["a", "b", "c", "d", "e.f", "g~1"];
const FAULTS: [&str; 8] = [
    "rank=abc",
    "size=1.5",
    "colour=red",
    "limit=3",
    "sort=colour",
    "fields=id,colour",
    "page[eq]=1",
    "count=perhaps",
];
const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";

/// Draws the next request.
pub(super) fn wish(chance: &mut Chance, world: &World, sent: &[Wish]) -> Wish {
    if chance.once_in(8) && !sent.is_empty() {
        return again(chance, world, sent);
    }
    let resource =
        *chance.pick(&["things", "things", "things", "things", "parts", "parts", "parts", "notes"]);
    let method = *chance.pick(&[
        "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "PUT", "PUT", "PATCH", "PATCH",
        "PATCH", "DELETE",
    ]);
    let mut wish = Wish::new(method, resource);
    let is_list = matches!(method, "GET" | "HEAD") && chance.once_in(2);
    if is_list {
        list(chance, world, &mut wish);
        return wish;
    }
    if method != "POST" {
        wish.id = Some(place(chance, world, resource));
    }
    if matches!(method, "GET" | "HEAD") {
        if chance.once_in(4) {
            wish.fields = Some(some_fields(chance, resource));
        }
    } else {
        wish.content = content(chance, world, &wish);
        wish.is_minimal = chance.once_in(8);
        wish.is_broken = wish.content.is_some() && chance.once_in(40);
        let demanded = method == "POST" && resource == "notes" && !chance.once_in(5);
        if demanded || chance.once_in(3) {
            wish.key = Some(format!("{:016x}-{:016x}", chance.next(), chance.next()));
        }
    }
    if method != "POST" {
        conditions(chance, world, &mut wish);
    }
    wish
}

/// A request that was sent before: as it was, or with the same key and other content, or with the
/// same key somewhere else, where it is another key.
fn again(chance: &mut Chance, world: &World, sent: &[Wish]) -> Wish {
    let mut wish = chance.pick(sent).clone();
    if wish.id.is_some() && chance.once_in(4) {
        wish.id = Some(place(chance, world, wish.resource));
        return wish;
    }
    if chance.once_in(3) {
        match (&mut wish.content, wish.id.is_some()) {
            (Some((media_type, Value::Object(members))), _) if *media_type != JSON_PATCH => {
                members.insert("name".to_owned(), json!("Other"));
            }
            (_, true) => wish.if_match = Some("\"other\"".to_owned()),
            _ => {}
        }
    }
    wish
}

fn place(chance: &mut Chance, world: &World, resource: &str) -> Id {
    let there: Vec<&Id> = world.tables[resource].rows.keys().collect();
    if !there.is_empty() && !chance.once_in(4) {
        return (*chance.pick(&there)).clone();
    }
    match resource {
        "things" => Id::Text((*chance.pick(&PLACES)).to_owned()),
        _ => Id::Number(i64::try_from(chance.below(9) + 1).expect("small")),
    }
}

fn content(chance: &mut Chance, world: &World, wish: &Wish) -> Option<(&'static str, Value)> {
    match wish.method {
        "DELETE" => None,
        "PATCH" if chance.once_in(2) => Some((JSON_PATCH, json_patch(chance, world, wish))),
        "PATCH" => {
            let media_type = *chance.pick(&[MERGE, "application/json"]);
            Some((media_type, merge_patch(chance, world, wish)))
        }
        _ => {
            let unchanged = world.row(wish).filter(|_| chance.once_in(4));
            let document = match (unchanged, &wish.id) {
                // What GET gave, sent back: nothing changes.
                (Some(row), Some(id)) if row.updated.is_some() && row.created.is_some() => {
                    row.document(id)
                }
                _ => document(chance, world, wish),
            };
            Some(("application/json", document))
        }
    }
}

fn document(chance: &mut Chance, world: &World, wish: &Wish) -> Value {
    let mut members = Map::new();
    for &name in fields(wish.resource) {
        let needed = matches!(name, "name" | "mood" | "of" | "text");
        if chance.once_in(if needed { 30 } else { 2 }) {
            continue;
        }
        members.insert(name.to_owned(), value(chance, world, name));
    }
    if chance.once_in(12) {
        let strange = [
            ("nmae", json!("x")),
            ("createdAt", json!("2020-01-01T00:00:00.000Z")),
            ("id", json!("a b")),
            ("id", json!("a")),
            ("id", json!(3)),
        ];
        let (name, value) = chance.pick(&strange).clone();
        members.insert(name.to_owned(), value);
    } else if wish.method == "POST" && wish.resource == "things" && chance.once_in(3) {
        members.insert("id".to_owned(), json!(chance.pick(&PLACES)));
    }
    Value::Object(members)
}

/// A value for a field: mostly one that fits.
fn value(chance: &mut Chance, world: &World, name: &str) -> Value {
    let is_wrong = chance.once_in(25);
    match name {
        "name" if is_wrong => chance.pick(&[json!(""), json!("thirteen long"), json!(1)]).clone(),
        "name" => json!(chance.pick(&NAMES).0),
        "code" if is_wrong => chance.pick(&[json!(null), json!(true)]).clone(),
        "code" => json!(chance.pick(&["x", "y", "z", "X", "zz"])),
        "rank" if is_wrong => chance.pick(&[json!(10), json!(-1), json!("3"), json!(null)]).clone(),
        "rank" | "size" => json!(chance.below(10)),
        "mood" if is_wrong => json!(7),
        "mood" => chance.pick(&[json!("glad"), json!("sad"), json!(""), json!(null)]).clone(),
        "tags" if is_wrong => chance.pick(&[json!([1]), json!(["a", "b", "c", "d", "e"])]).clone(),
        "tags" => chance.pick(&[json!([]), json!(["p"]), json!(["p", "q"])]).clone(),
        "text" => json!(chance.pick(&["one", "two", "three"])),
        _ if is_wrong => chance.pick(&[json!("nobody"), json!(5), json!("a b")]).clone(),
        _ => {
            let there: Vec<&Id> = world.tables["things"].rows.keys().collect();
            let place = json!(chance.pick(&PLACES));
            if there.is_empty() { place } else { chance.pick(&there).to_value() }
        }
    }
}

fn merge_patch(chance: &mut Chance, world: &World, wish: &Wish) -> Value {
    if chance.once_in(30) {
        return json!(["not", "an", "object"]);
    }
    let mut members = Map::new();
    for _ in 0..=chance.below(2) {
        let name = *chance.pick(fields(wish.resource));
        let gone = chance.once_in(4);
        let value = if gone { Value::Null } else { value(chance, world, name) };
        members.insert(name.to_owned(), value);
    }
    if chance.once_in(15) {
        members.insert("id".to_owned(), json!("a b"));
    }
    Value::Object(members)
}

fn json_patch(chance: &mut Chance, world: &World, wish: &Wish) -> Value {
    let mut operations = Vec::new();
    for _ in 0..=chance.below(3) {
        let op = *chance.pick(&["add", "replace", "replace", "remove", "test", "test"]);
        let name = *chance.pick(fields(wish.resource));
        let (path, value) = if name == "tags" && chance.once_in(2) {
            let index = *chance.pick(&["0", "1", "-"]);
            (format!("/tags/{index}"), json!(chance.pick(&["p", "q", "r"])))
        } else if chance.once_in(20) {
            (chance.pick(&["/nowhere", "/id", "/createdAt"]).to_string(), json!("x"))
        } else {
            (format!("/{name}"), value(chance, world, name))
        };
        let held = world.row(wish).and_then(|row| row.values.get(&path[1..]));
        let value = match held {
            // A test that holds.
            Some(held) if op == "test" && !chance.once_in(3) => held.clone(),
            _ => value,
        };
        let mut operation = json!({ "op": op, "path": path });
        if op != "remove" {
            operation["value"] = value;
        }
        operations.push(operation);
    }
    Value::Array(operations)
}

fn conditions(chance: &mut Chance, world: &World, wish: &mut Wish) {
    let demanded = wish.resource == "notes" && !matches!(wish.method, "GET" | "HEAD");
    if chance.once_in(if demanded { 2 } else { 3 }) {
        wish.if_match = Some(tags(chance, world, wish));
    }
    if chance.once_in(5) {
        wish.if_none_match = Some(tags(chance, world, wish));
    }
}

fn tags(chance: &mut Chance, world: &World, wish: &Wish) -> String {
    let path = wish.path();
    let row = world.row(wish);
    let current: Vec<&String> = row.map(|row| row.faces.values().collect()).unwrap_or_default();
    let spent = world.spent_at(&path);
    let other = "\"0-1-0.j\"".to_owned();
    let one = |chance: &mut Chance, from: &[&String]| {
        if from.is_empty() { other.clone() } else { (*chance.pick(from)).clone() }
    };
    match chance.below(10) {
        0 => "*".to_owned(),
        1 | 2 => one(chance, &spent),
        3 => format!("W/{}", one(chance, &current)),
        4 => format!("{}, {}", one(chance, &spent), one(chance, &current)),
        5 => other,
        _ => one(chance, &current),
    }
}

fn some_fields(chance: &mut Chance, resource: &str) -> Vec<&'static str> {
    let all = fields(resource);
    let one = all[chance.below(all.len())];
    if chance.once_in(2) { vec!["id", one] } else { vec![one, "updatedAt"] }
}

fn list(chance: &mut Chance, world: &World, wish: &mut Wish) {
    let table = &world.tables[wish.resource];
    // Often a list that was seen before, to learn whether its tag still holds.
    let mut query = Query {
        filter: None,
        sort: Vec::new(),
        page: chance.below(3) + 1,
        limit: *chance.pick(&[1, 2, 5, 100]),
        fields: None,
        is_uncounted: chance.once_in(6),
        fault: chance.once_in(12).then(|| *chance.pick(&FAULTS)),
    };
    let all = fields(wish.resource);
    let sorts: Vec<_> = all.iter().copied().filter(|name| *name != "tags").chain(["id"]).collect();
    for _ in 0..chance.below(3) {
        let name = *chance.pick(&sorts);
        if !query.sort.iter().any(|(other, _)| *other == name) {
            query.sort.push((name, chance.once_in(2)));
        }
    }
    if chance.once_in(3) {
        query.filter = Some(match wish.resource {
            "things" => match chance.below(3) {
                0 => ("name", json!(chance.pick(&NAMES).0)),
                1 => ("rank", json!(chance.below(10))),
                _ => ("mood", json!(chance.pick(&["glad", "sad"]))),
            },
            "parts" => ("of", json!(chance.pick(&PLACES))),
            _ => ("text", json!("one")),
        });
    }
    if chance.once_in(4) {
        query.fields = Some(some_fields(chance, wish.resource));
    }
    wish.query = Some(query);
    if chance.once_in(2)
        && let Some((_, tag)) = table.lists.get(&wish.target())
    {
        wish.if_none_match = Some(tag.clone());
    }
}
