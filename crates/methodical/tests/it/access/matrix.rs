//! Single records: what each caller may do with each.

use serde_json::{Value, json};

use super::world::{Act, Caller, KINDS, Kind, RESOURCES, Standing, Who, World};
use super::world::{deletes, may_at_all, reads, reads_field, updates};
use crate::law::run::decisive;
use crate::support::answer::Answer;

/// The status of what is refused before a record is looked for; `None` where it is not.
fn refusal(caller: &Caller, resource: &str, act: Act) -> Option<u16> {
    match caller.standing {
        Standing::Bad => return Some(401),
        Standing::Foreign if act != Act::Read => return Some(403),
        _ => {}
    }
    let refused = if caller.who.is_signed_in() { 403 } else { 401 };
    (!may_at_all(caller.who, resource, act)).then_some(refused)
}

/// The status of an operation on a record that is there.
fn expected(caller: &Caller, kind: Kind, act: Act) -> u16 {
    if let Some(status) = refusal(caller, kind.resource(), act) {
        return status;
    }
    let who = caller.who;
    match act {
        _ if !reads(who, kind) => 404,
        Act::Update if !updates(who, kind) => 403,
        Act::Delete if !deletes(who, kind) => 403,
        _ => 200,
    }
}

/// Faults, all told at the end.
#[derive(Default)]
pub(super) struct Faults(Vec<String>);

impl Faults {
    pub(super) fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }

    pub(super) fn none(self) {
        let shown: Vec<_> = self.0.iter().take(40).cloned().collect();
        assert!(self.0.is_empty(), "{} faults:\n{}", self.0.len(), shown.join("\n"));
    }

    fn status(&mut self, caller: &Caller, what: &str, answer: &Answer, expected: u16) {
        let named = answer.text();
        self.must(answer.status == expected, || {
            format!("{}: {what}: {} and not {expected}: {named}", caller.name, answer.status)
        });
    }
}

#[test]
fn each_caller_reads_what_it_may() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        for caller in world.callers() {
            for (kind, id) in world.records() {
                let target = format!("/api/{}/{id}", kind.resource());
                let status = expected(&caller, kind, Act::Read);
                let get = client.send(&caller.request("GET", &target));
                faults.status(&caller, &format!("GET {kind:?} {target}"), &get, status);
                let head = client.send(&caller.request("HEAD", &target));
                faults.must(head.status == get.status, || format!("HEAD {target} is another"));
                faults.must(head.field("etag") == get.field("etag"), || format!("HEAD {target}"));
                if get.status == 200 {
                    members(&mut faults, &caller, kind, &get.json());
                }
            }
        }
        faults.none();
    });
}

/// Exactly the members that the caller may read are there.
fn members(faults: &mut Faults, caller: &Caller, kind: Kind, record: &Value) {
    for field in ["name", "email", "salary", "hint", "password", "remark", "cost", "address"] {
        let has = match kind {
            Kind::User(_) => ["name", "email", "salary", "hint", "password"].contains(&field),
            Kind::Post(..) => field == "remark",
            Kind::Order(_) => ["cost", "address"].contains(&field),
            _ => false,
        };
        let expected = has && reads_field(caller.who, kind, field);
        faults.must(record.get(field).is_some() == expected, || {
            format!("{}: {kind:?} {field}: expected {expected}: {record}", caller.name)
        });
    }
}

#[test]
fn each_caller_changes_what_it_may() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        for caller in world.callers() {
            for (kind, id) in world.records() {
                let target = format!("/api/{}/{id}", kind.resource());
                let before = world.admin.get(&target).json();
                let value = match kind {
                    Kind::Order(_) => json!(world.next()),
                    _ => json!(format!("changed {}", world.next())),
                };
                let patch = json!({ kind.plain(): value }).to_string();
                let request = caller.request("PATCH", &target);
                let answer = client.send(&request.json(patch));
                let status = expected(&caller, kind, Act::Update);
                faults.status(&caller, &format!("PATCH {kind:?} {target}"), &answer, status);
                let after = world.admin.get(&target).json();
                let done = after[kind.plain()] == value;
                faults.must(done == (status == 200), || {
                    format!("{}: PATCH {kind:?}: done is {done}", caller.name)
                });
                faults.must(done || after == before, || format!("{target} was changed"));
                if answer.status == 200 {
                    members(&mut faults, &caller, kind, &answer.json());
                }
                replace(&world, &mut faults, &caller, kind, &target);
            }
        }
        faults.none();
    });
}

/// PUT of what the caller sees, or of all where it sees nothing, changes nothing.
fn replace(world: &World, faults: &mut Faults, caller: &Caller, kind: Kind, target: &str) {
    let client = world.server.client();
    let shown = client.send(&caller.request("GET", target));
    let before = world.admin.get(target).json();
    let mut record = if shown.status == 200 { shown.json() } else { before.clone() };
    for name in ["id", "createdAt", "updatedAt"] {
        record.as_object_mut().expect("a record").remove(name);
    }
    let put = client.send(&caller.request("PUT", target).json(record.to_string()));
    let status = expected(caller, kind, Act::Update);
    faults.status(caller, &format!("PUT {kind:?} {record} to {target}"), &put, status);
    let after = world.admin.get(target).json();
    faults.must(after == before, || {
        format!("{}: PUT of what GET gave to {target} changed {before} to {after}", caller.name)
    });
}

#[test]
fn each_caller_deletes_what_it_may() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        let callers = world.callers();
        for caller in &callers {
            for kind in KINDS {
                // A user of one's own would take oneself along.
                let id = world.make(*kind);
                let kind =
                    if matches!(kind, Kind::User(_)) { Kind::User(Who::Nobody) } else { *kind };
                let target = format!("/api/{}/{id}", kind.resource());
                let status = expected(caller, kind, Act::Delete);
                let answer = client.send(&caller.request("DELETE", &target));
                faults.status(caller, &format!("DELETE {kind:?}"), &answer, status);
                let is_gone = world.admin.get(&target).status == 404;
                faults.must(is_gone == (status == 200), || {
                    format!("{}: DELETE {kind:?}: gone is {is_gone}", caller.name)
                });
            }
        }
        faults.none();
    });
}

/// A new record of a resource as somebody who may would write it.
fn fresh(world: &World, resource: &str) -> Value {
    let n = world.next();
    let post = || {
        let of = |kind: &Kind| *kind == Kind::Post(Who::Ben, true);
        world.records().into_iter().find(|(kind, _)| of(kind)).expect("a post").1
    };
    match resource {
        "users" => json!({"name": format!("new {n}"), "username": format!("new{n}")}),
        "comments" => json!({"post": post(), "text": format!("new {n}")}),
        "orders" => json!({"count": n}),
        "vault" => json!({"word": format!("new {n}")}),
        _ => json!({"title": format!("new {n}")}),
    }
}

/// The field of a resource that names its owner.
fn owner(resource: &str) -> Option<&'static str> {
    match resource {
        "notes" | "posts" | "comments" => Some("author"),
        "orders" => Some("customer"),
        _ => None,
    }
}

/// The status of a creation, by itself and as one of many.
fn created(caller: &Caller, resource: &str) -> u16 {
    match refusal(caller, resource, Act::Create) {
        Some(status) => status,
        // Keys own nothing, and these need an owner.
        None if !caller.who.is_user() && matches!(resource, "notes" | "posts" | "comments") => 422,
        None => 201,
    }
}

#[test]
fn each_caller_creates_what_it_may_and_owns_it() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        for caller in world.callers() {
            for resource in RESOURCES {
                let target = format!("/api/{resource}");
                let status = created(&caller, resource);
                let count = world.count(resource);
                let record = fresh(&world, resource);
                let post = client.send(&caller.request("POST", &target).json(record.to_string()));
                faults.status(&caller, &format!("POST {resource}"), &post, status);
                let made = world.count(resource) - count;
                faults.must(made == u64::from(status == 201), || {
                    format!("{}: POST {resource} made {made}", caller.name)
                });
                if let (201, Some(owner)) = (post.status, owner(resource)) {
                    let id = &post.json()["id"];
                    let made = world.admin.get(&format!("/api/{resource}/{id}")).json();
                    let of = made.get(owner).and_then(Value::as_u64);
                    faults.must(of == caller.who.id(), || format!("{}: {made}", caller.name));
                }
                let two = json!([fresh(&world, resource), fresh(&world, resource)]);
                let bulk = client.send(&caller.request("POST", &target).json(two.to_string()));
                faults.status(&caller, &format!("POST of two {resource}"), &bulk, status);
                batch(&world, &mut faults, &caller, resource, status);
            }
        }
        faults.none();
    });
}

/// The same as an operation of a batch, after one that anybody may do.
fn batch(world: &World, faults: &mut Faults, caller: &Caller, resource: &str, status: u16) {
    let operation = |resource: &str| {
        json!({"method": "POST", "path": format!("/api/{resource}"),
               "body": fresh(world, resource)})
    };
    let content = json!({"operations": [operation("orders"), operation(resource)]}).to_string();
    let before = world.count("orders");
    let request = caller.request("POST", "/api/batch").json(content);
    let answer = world.server.client().send(&request);
    let expected = if status == 201 { 200 } else { status };
    faults.status(caller, &format!("a batch with POST {resource}"), &answer, expected);
    let made = world.count("orders") - before;
    let whole = if resource == "orders" { 2 } else { 1 };
    faults.must(made == if expected == 200 { whole } else { 0 }, || {
        format!("{}: a batch with {resource}: {made} orders were made", caller.name)
    });
    // What is refused is named by its place; what is refused as a whole names none.
    if expected != 200 && caller.standing == Standing::Good {
        let errors = &answer.json()["errors"][0]["pointer"];
        let names = errors.as_str().is_some_and(|place| place.starts_with("/operations/1"));
        faults.must(names, || format!("{}: {resource}: {}", caller.name, answer.text()));
    }
}

#[test]
fn nobody_makes_somebody_else_the_owner_but_an_admin() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        for caller in world.callers() {
            for resource in ["notes", "posts", "comments", "orders"] {
                let name = owner(resource).expect("an owner");
                let mut record = fresh(&world, resource);
                record[name] = Who::Mia.id().into();
                let may = caller.who == Who::Mia || caller.who.is_admin();
                let status = match refusal(&caller, resource, Act::Create) {
                    Some(status) => status,
                    None if may => 201,
                    // To whom is not seen, nothing can be given: said as of what is not there.
                    None if caller.who.is_signed_in() => 403,
                    None => 422,
                };
                let target = format!("/api/{resource}");
                let count = world.count(resource);
                let post = client.send(&caller.request("POST", &target).json(record.to_string()));
                let is_expected =
                    post.status == status || status == 422 && [401, 403].contains(&post.status);
                faults.must(is_expected, || {
                    format!("{}: POST {resource} {record}: {}", caller.name, post.show())
                });
                let made = world.count(resource) - count;
                faults.must(made == u64::from(status == 201), || format!("{made} {resource}"));
                let many = json!([fresh(&world, resource), record]).to_string();
                let count = world.count(resource);
                let bulk = client.send(&caller.request("POST", &target).json(many));
                let made = world.count(resource) - count;
                faults.must(bulk.status == post.status || may, || {
                    format!("{}: two {resource}: {} {}", caller.name, bulk.status, bulk.text())
                });
                faults.must(may || made == 0, || format!("{}: {made} {resource}", caller.name));
            }
        }
        faults.none();
    });
}

#[test]
fn a_field_is_written_by_whom_it_says() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        // The record, the field, another value, and whether the caller may write it.
        type May = fn(Who) -> bool;
        let admin: May = |who| who.is_admin();
        let moderator: May = |who| who.is_admin() || who.is_moderator();
        let cases: &[(Kind, &str, Value, May)] = &[
            (Kind::User(Who::Ann), "role", json!("moderator"), admin),
            (Kind::User(Who::Ann), "role", json!("admin"), admin),
            (Kind::User(Who::Ann), "salary", json!(9), admin),
            (Kind::User(Who::Ann), "password", json!("another password"), admin),
            (Kind::Post(Who::Ann, false), "status", json!("published"), moderator),
            (Kind::Post(Who::Ann, false), "remark", json!("bad"), moderator),
            (Kind::Post(Who::Ann, false), "author", json!(3), admin),
            (Kind::Note(Who::Ann), "author", json!(3), admin),
            (Kind::Order(Who::Ann), "cost", json!(1), moderator),
        ];
        for caller in world.callers() {
            for (kind, field, value, may) in cases {
                let record = world.records().into_iter().find(|(other, _)| other == kind);
                // One's own user stays as it is: later callers are it.
                let id = record.expect("a record").1;
                let target = format!("/api/{}/{id}", kind.resource());
                if matches!(kind, Kind::User(_)) && caller.who.is_admin() {
                    continue;
                }
                let before = world.admin.get(&target);
                let patch = json!({*field: value}).to_string();
                let answer = client.send(&caller.request("PATCH", &target).json(patch));
                let allowed = expected(&caller, *kind, Act::Update);
                let status = match allowed {
                    200 if may(caller.who) => 200,
                    200 if !reads_field(caller.who, *kind, field) && *field != "password" => 422,
                    200 => 403,
                    refused => refused,
                };
                faults.status(&caller, &format!("PATCH {kind:?} {field}"), &answer, status);
                let after = world.admin.get(&target);
                if status == 200 {
                    let back = json!({*field: before.json()[*field]}).to_string();
                    let request = crate::support::client::Request::new("PATCH", &target);
                    let done = world.admin.send(&request.json(back));
                    assert_eq!(done.status, 200, "{}", done.show());
                } else {
                    faults.must(after.content == before.content, || {
                        format!("{}: {kind:?} {field} was written", caller.name)
                    });
                }
            }
        }
        faults.none();
    });
}

#[test]
fn what_is_for_admins_and_what_is_for_oneself() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let mut faults = Faults::default();
        for caller in world.callers() {
            let bad = caller.standing == Standing::Bad;
            let (who, signed) = (caller.who, caller.who.is_signed_in());
            let me = client.send(&caller.request("GET", "/api/me"));
            let status = if bad || !signed { 401 } else { 200 };
            faults.status(&caller, "GET /api/me", &me, status);
            if let (200, Some(id)) = (me.status, who.id()) {
                faults.must(me.json()["id"] == id, || format!("{}: {}", caller.name, me.show()));
                let own = client.send(&caller.request("GET", &format!("/api/users/{id}")));
                faults.must(own.content == me.content, || format!("{}: not as me", caller.name));
                members(&mut faults, &caller, Kind::User(who), &me.json());
            }
            let audit = client.send(&caller.request("GET", "/api/audit?limit=1"));
            let status = match (bad, who.is_admin()) {
                (false, true) => 200,
                _ if bad || !signed => 401,
                _ => 403,
            };
            faults.status(&caller, "GET /api/audit", &audit, status);
            for open in ["/healthz", "/readyz", "/problems", "/robots.txt", "/api"] {
                let answer = client.send(&caller.request("GET", open));
                faults.must(answer.status == 200 || bad && answer.status == 401, || {
                    format!("{}: {open}: {}", caller.name, answer.status)
                });
            }
            let options = client.send(&caller.request("OPTIONS", "/api/vault"));
            faults.status(&caller, "OPTIONS /api/vault", &options, 204);
        }
        faults.none();
    });
}
