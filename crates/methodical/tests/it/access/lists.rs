//! Whatever shows or counts many records: it shows and counts what the caller may see.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::matrix::Faults;
use super::world::{Act, Caller, Kind, RESOURCES, Standing, Who, World, may_at_all, reads};
use crate::law::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::Request;

/// The ids in a list.
fn ids(resource: &str, answer: &Answer) -> Vec<u64> {
    let list = answer.json()[resource].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|record| record["id"].as_u64()).collect()
}

/// Callers whose credentials count for reading.
fn readers(world: &World) -> Vec<Caller> {
    let mut callers = world.callers();
    callers.retain(|caller| caller.standing != Standing::Bad);
    callers
}

#[test]
fn every_form_of_a_list_shows_and_counts_what_is_visible() {
    decisive(|| {
        let world = World::new();
        let mut faults = Faults::default();
        for caller in readers(&world) {
            for resource in RESOURCES {
                if !may_at_all(caller.who, resource, Act::Read) {
                    refused(&world, &mut faults, &caller, resource);
                    continue;
                }
                let visible = world.visible(caller.who, resource);
                let mut is = |what: &str, found: Vec<u64>| {
                    faults.must(found == visible, || {
                        format!("{}: {what} of {resource}: {found:?}, not {visible:?}", caller.name)
                    });
                };
                for (what, found) in forms(&world, &caller, resource) {
                    is(what, found);
                }
                is("cursor", walk(&world, &caller, resource, "cursor=&limit=2&sort=id"));
                is("pages", walk(&world, &caller, resource, "page=1&limit=3&sort=id"));
                let total = visible.len() as u64;
                for (what, found) in totals(&world, &caller, resource) {
                    faults.must(found == json!(total), || {
                        format!("{}: {what} of {resource}: {found}, not {total}", caller.name)
                    });
                }
            }
        }
        faults.none();
    });
}

/// Where nothing can be seen at all, the list is refused, in each form.
fn refused(world: &World, faults: &mut Faults, caller: &Caller, resource: &str) {
    let client = world.server.client();
    let status = if caller.who.is_signed_in() { 403 } else { 401 };
    for target in [
        format!("/api/{resource}"),
        format!("/api/{resource}?aggregate=count"),
        format!("/api/{resource}?cursor="),
        format!("/api/search?resource={resource}&limit=1"),
    ] {
        let answer = client.send(&caller.request("GET", &target));
        faults.must(answer.status == status, || {
            format!("{}: {target}: {} {}", caller.name, answer.status, answer.text())
        });
    }
}

/// The ids in lists of each form.
fn forms(world: &World, caller: &Caller, resource: &str) -> Vec<(&'static str, Vec<u64>)> {
    let client = world.server.client();
    let target = format!("/api/{resource}?limit=100&sort=id");
    let list = client.send(&caller.request("GET", &target));
    let query = caller.request("QUERY", &format!("/api/{resource}"));
    let query = client.send(&query.json(r#"{"limit": 100, "sort": "id"}"#));
    let search = caller.request("POST", "/api/search");
    let content = json!({"resource": resource, "limit": 100, "sort": "id"}).to_string();
    let search = client.send(&search.json(content));
    let lines = caller.request("GET", &format!("/api/{resource}?sort=id"));
    let ndjson = client.send(&lines.clone().field("accept", "application/x-ndjson"));
    let of_lines = ndjson
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["id"].as_u64())
        .collect();
    let csv = client.send(&lines.field("accept", "text/csv"));
    let csv = csv.text();
    let of_csv = csv.lines().skip(1).filter_map(|line| line.split(',').next()?.parse().ok());
    // POST is no safe method, whatever it is for: a cookie of another site does not count there.
    let is_foreign = caller.standing == Standing::Foreign;
    assert!(!is_foreign || search.status == 403, "{}", search.show());
    let searched = if is_foreign { ids(resource, &list) } else { ids(resource, &search) };
    vec![
        ("GET", ids(resource, &list)),
        ("QUERY", ids(resource, &query)),
        ("POST /search", searched),
        ("NDJSON", of_lines),
        ("CSV", of_csv.collect()),
    ]
}

/// The ids on all pages; all but the last are full.
fn walk(world: &World, caller: &Caller, resource: &str, how: &str) -> Vec<u64> {
    let client = world.server.client();
    let mut found = Vec::new();
    let mut next = Some(format!("/api/{resource}?{how}"));
    while let Some(target) = next {
        let answer = client.send(&caller.request("GET", &target));
        assert_eq!(answer.status, 200, "{target}: {}", answer.show());
        let page = ids(resource, &answer);
        let json = answer.json();
        next = json["next"].as_str().map(str::to_owned);
        assert!(next.is_none() || json["limit"] == page.len(), "{target}: {}", answer.show());
        found.extend(page);
    }
    found
}

/// The totals in answers of each form.
fn totals(world: &World, caller: &Caller, resource: &str) -> Vec<(&'static str, Value)> {
    let client = world.server.client();
    let ask = |query: &str| {
        client.send(&caller.request("GET", &format!("/api/{resource}?{query}"))).json()
    };
    vec![
        ("total", ask("limit=1")["total"].clone()),
        ("count=exact", ask("limit=1&count=exact")["total"].clone()),
        ("aggregate", ask("aggregate=count")["groups"][0]["count"].clone()),
        ("total by cursor", ask("cursor=&limit=1")["total"].clone()),
    ]
}

#[test]
fn a_search_finds_what_is_visible() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        // Each word begins so.
        for caller in readers(&world) {
            let mut expected = BTreeSet::new();
            for resource in ["notes", "posts", "comments", "vault"] {
                let has_word = |id: u64| {
                    let record = world.admin.get(&format!("/api/{resource}/{id}")).json();
                    ["body", "text", "word"].iter().any(|field| {
                        record[*field].as_str().is_some_and(|text| text.starts_with("word"))
                    })
                };
                let found: Vec<u64> = world
                    .visible(caller.who, resource)
                    .into_iter()
                    .filter(|id| has_word(*id))
                    .collect();
                expected.extend(found.iter().map(|id| (resource.to_owned(), *id)));
                if !may_at_all(caller.who, resource, Act::Read) {
                    continue;
                }
                let target = format!("/api/{resource}?q=word*&sort=id&limit=100&highlight=true");
                let answer = client.send(&caller.request("GET", &target));
                faults.must(ids(resource, &answer) == found, || {
                    format!("{}: {target}: {}, not {found:?}", caller.name, answer.text())
                });
                faults.must(answer.json()["total"] == found.len(), || target.clone());
            }
            let answer = client.send(&caller.request("GET", "/api/search?q=word*&limit=100"));
            let results = answer.json()["results"].as_array().cloned().unwrap_or_default();
            let found: BTreeSet<(String, u64)> = results
                .iter()
                .map(|result| {
                    let resource = result["resource"].as_str().unwrap_or_default().to_owned();
                    (resource, result["record"]["id"].as_u64().unwrap_or_default())
                })
                .collect();
            faults.must(found == expected, || format!("{}: {}", caller.name, answer.text()));
            faults.must(answer.json()["total"] == expected.len(), || {
                format!("{}: the total of a search: {}", caller.name, answer.text())
            });
        }
        faults.none();
    });
}

#[test]
fn what_is_included_or_looked_at_through_a_reference_is_visible() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        // Published posts that name private notes, and published comments of everybody.
        let records = world.records();
        let notes: Vec<(Kind, u64)> =
            records.iter().filter(|(kind, _)| matches!(kind, Kind::Note(_))).copied().collect();
        for (kind, note) in &notes {
            let title = format!("about {kind:?}");
            let post = json!({"author": 3, "title": title, "status": "published", "note": note});
            let post = world.create("posts", &post);
            for caller in readers(&world) {
                let sees = reads(caller.who, *kind);
                let target = format!("/api/posts/{post}?include=note,comments,author");
                let answer = client.send(&caller.request("GET", &target));
                if answer.status == 200 {
                    faults.must(answer.json()["note"].is_object() == sees, || {
                        format!("{}: {target}: {}", caller.name, answer.text())
                    });
                    let author = answer.json()["author"].is_object();
                    faults.must(author == caller.who.is_signed_in(), || {
                        format!("{}: {target}: {}", caller.name, answer.text())
                    });
                } else {
                    // What never can be read is not a relation.
                    let is_hidden = !may_at_all(caller.who, "notes", Act::Read)
                        || !may_at_all(caller.who, "users", Act::Read);
                    faults.must(is_hidden && answer.status == 400, || {
                        format!("{}: {target}: {}", caller.name, answer.text())
                    });
                }
                let filter = format!("/api/posts?id={post}&note.title[prefix]=n");
                let found = client.send(&caller.request("GET", &filter));
                let total = found.json()["total"].clone();
                faults.must(total == u64::from(sees) || found.status == 400, || {
                    format!("{}: {filter}: {}", caller.name, found.text())
                });
                let order = format!("/api/posts?id={post}&sort=note.title&fields=id");
                let sorted = client.send(&caller.request("GET", &order));
                faults.must([200, 400].contains(&sorted.status), || sorted.show());
            }
        }
        faults.none();
    });
}

#[test]
fn what_refers_is_included_where_it_is_visible() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        for caller in readers(&world).iter().filter(|caller| caller.who.is_user()) {
            for user in [Who::Ann, Who::Ben, Who::Mia] {
                let id = user.id().expect("a user");
                let target = format!("/api/users/{id}?include=notes,posts,orders&limit=100");
                let target = target.replace("&limit=100", "");
                let answer = client.send(&caller.request("GET", &target));
                faults.must(answer.status == 200, || format!("{target}: {}", answer.show()));
                for (relation, owner) in
                    [("notes", "author"), ("posts", "author"), ("orders", "customer")]
                {
                    let of = |record: &u64| {
                        let target = format!("/api/{relation}/{record}");
                        world.admin.get(&target).json()[owner] == id
                    };
                    let mut expected = world.visible(caller.who, relation);
                    expected.retain(of);
                    let mut found = ids(relation, &answer);
                    found.sort_unstable();
                    faults.must(found == expected, || {
                        format!("{}: {target}: {relation} {found:?} {expected:?}", caller.name)
                    });
                }
            }
        }
        faults.none();
    });
}

/// All changes since a position, as resource, id and operation.
fn changes(world: &World, caller: &Caller, after: &str) -> Vec<(String, u64, String)> {
    let client = world.server.client();
    let mut found = Vec::new();
    let mut next = Some(format!("/api/changes{after}"));
    while let Some(target) = next {
        let answer = client.send(&caller.request("GET", &target));
        assert_eq!(answer.status, 200, "{target}: {}", answer.show());
        let json = answer.json();
        for change in json["changes"].as_array().expect("changes") {
            let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
            found.push((text("resource"), change["id"].as_u64().unwrap_or(0), text("operation")));
        }
        next = json["next"].as_str().map(str::to_owned);
    }
    found
}

fn now(world: &World, caller: &Caller) -> String {
    let answer = world.server.client().send(&caller.request("GET", "/api/changes?after=now"));
    let position = answer.json()["position"].as_str().expect("a position").to_owned();
    format!("?after={position}")
}

#[test]
fn the_change_log_tells_what_is_visible() {
    decisive(|| {
        let world = World::new();
        let mut faults = Faults::default();
        for caller in readers(&world) {
            let told = changes(&world, &caller, "");
            for (kind, id) in world.records() {
                let resource = kind.resource().to_owned();
                let is_told = told.iter().any(|(name, told, _)| *name == resource && *told == id);
                let sees = reads(caller.who, kind);
                faults.must(is_told == sees, || {
                    format!("{}: {kind:?} {id}: told {is_told}, seen {sees}", caller.name)
                });
            }
        }
        faults.none();
    });
}

#[test]
fn what_leaves_a_view_is_told_as_removed_and_what_never_was_in_it_is_not_told() {
    decisive(|| {
        let world = World::new();
        let ben = world.bearer("another user", Who::Ben, &world.token(Who::Ben));
        let nobody = Caller {
            name: "nobody",
            who: Who::Nobody,
            standing: Standing::Good,
            fields: Vec::new(),
        };
        let post = |status: &str| {
            let n = world.next();
            world.create("posts", &json!({"author": 2, "title": format!("p{n}"), "status": status}))
        };
        let (seen, draft, gone) = (post("published"), post("draft"), post("published"));
        for caller in [ben, nobody] {
            let start = now(&world, &caller);
            let patch = |id: u64, patch: Value| {
                let request = Request::new("PATCH", &format!("/api/posts/{id}"));
                let answer = world.admin.send(&request.json(patch.to_string()));
                assert_eq!(answer.status, 200, "{}", answer.show());
            };
            patch(draft, json!({"body": "never seen"}));
            assert_eq!(changes(&world, &caller, &start), Vec::new(), "{}", caller.name);
            patch(seen, json!({"status": "draft"}));
            let told = changes(&world, &caller, &start);
            assert_eq!(told.len(), 1, "{}: {told:?}", caller.name);
            assert_eq!((told[0].1, told[0].2.as_str()), (seen, "removed"), "{told:?}");
            let client = world.server.client();
            let answer = client.send(&caller.request("GET", &format!("/api/changes{start}")));
            assert!(!answer.text().contains("draft"), "{}", answer.show());
            patch(seen, json!({"body": "while it is hidden"}));
            assert_eq!(changes(&world, &caller, &start).len(), 1, "{}", caller.name);
            patch(seen, json!({"status": "published"}));
            let told = changes(&world, &caller, &start);
            assert!(told.iter().any(|(_, id, what)| *id == seen && what != "removed"), "{told:?}");
        }
        let ben = world.bearer("another user", Who::Ben, &world.token(Who::Ben));
        let start = now(&world, &ben);
        for id in [draft, gone] {
            let deleted = world.admin.send(&Request::new("DELETE", &format!("/api/posts/{id}")));
            assert_eq!(deleted.status, 200, "{}", deleted.show());
        }
        let told = changes(&world, &ben, &start);
        assert_eq!(told.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), [gone], "{told:?}");
    });
}
