//! What is hidden cannot be found out: two servers that differ in nothing but what is hidden from
//! a caller give it the same answers, whatever it asks.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::matrix::Faults;
use super::world::{Caller, Kind, Standing, Who, World};
use crate::law::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::Request;

/// What is hidden, in each of the two.
struct Hidden {
    title: &'static str,
    body: &'static str,
    rank: u32,
    salary: u32,
    email: &'static str,
    extra: u32,
}

const HIDDEN: [Hidden; 2] = [
    Hidden {
        title: "alpha",
        body: "zebra crossing",
        rank: 10,
        salary: 100,
        email: "a@hidden.example",
        extra: 0,
    },
    Hidden {
        title: "omega",
        body: "quagga quagga quagga",
        rank: 99,
        salary: 9000,
        email: "zz@hidden.example",
        extra: 3,
    },
];

fn patch(world: &World, target: &str, patch: &Value) {
    let answer = world.admin.send(&Request::new("PATCH", target).json(patch.to_string()));
    assert_eq!(answer.status, 200, "{target} {patch}: {}", answer.show());
}

/// A world with this hidden in it, from everybody but Ann and admins; ids are the same in both.
fn world(hidden: &Hidden) -> World {
    let world = World::new();
    let salary = json!({"salary": hidden.salary, "email": hidden.email, "hint": hidden.title});
    patch(&world, "/api/users/2", &salary);
    for (kind, id) in world.records() {
        let target = format!("/api/{}/{id}", kind.resource());
        match kind {
            Kind::Note(Who::Ann) => patch(
                &world,
                &target,
                &json!({"title": hidden.title, "body": hidden.body, "rank": hidden.rank}),
            ),
            Kind::Post(Who::Ann, false) => {
                patch(&world, &target, &json!({"title": hidden.title, "body": hidden.body}));
            }
            Kind::Post(Who::Ann, true) => patch(&world, &target, &json!({"remark": hidden.body})),
            Kind::Comment(Who::Ann, false) => patch(&world, &target, &json!({"text": hidden.body})),
            Kind::Order(Who::Ann) => patch(
                &world,
                &target,
                &json!({"count": hidden.rank, "cost": hidden.rank, "address": hidden.body}),
            ),
            Kind::Order(Who::Ben) => patch(&world, &target, &json!({"cost": hidden.rank})),
            Kind::Vault => patch(&world, &target, &json!({"word": hidden.title})),
            _ => {}
        }
    }
    // A published post that names a note which is hidden.
    let note = find(&world, Kind::Note(Who::Ann));
    let post = find(&world, Kind::Post(Who::Ben, true));
    patch(&world, &format!("/api/posts/{post}"), &json!({"note": note}));
    for n in 0..hidden.extra {
        let title = format!("extra {n}");
        let body = hidden.body;
        world.create("notes", &json!({"author": 2, "title": title, "body": body, "rank": n}));
        world.create("posts", &json!({"author": 2, "title": title, "body": body}));
        world.create("orders", &json!({"customer": 2, "count": n}));
        world.create("vault", &json!({"word": title, "owner": 2}));
    }
    world
}

fn find(world: &World, kind: Kind) -> u64 {
    world.records().into_iter().find(|(other, _)| *other == kind).expect("a record").1
}

/// Everything that a caller may ask, by GET. `{note}` and so on are records that are hidden from
/// it, `{gone}` what never was.
const QUESTIONS: &[&str] = &[
    // Records.
    "/api/notes/{note}",
    "/api/notes/{gone}",
    "/api/posts/{draft}",
    "/api/posts/{draft}?include=comments",
    "/api/posts/{draft}?fields=title",
    "/api/comments/{comment}",
    "/api/orders/{order}",
    "/api/vault/{vault}",
    "/api/users/2",
    "/api/users/2?include=notes,posts,orders,vault",
    "/api/users/2?include=notes",
    "/api/users/2?include=posts",
    "/api/users/2?include=orders",
    "/api/users/2?include=comments.post",
    "/api/users/2?fields=salary",
    "/api/users/2?fields=email",
    "/api/users/2?fields=hint",
    "/api/users/2?fields=nothing",
    "/api/posts/{about}?include=note",
    "/api/posts/{about}?include=note.author",
    "/api/posts/{about}?include=note&fields=note.title",
    // Lists, totals and groups.
    "/api/notes?limit=100",
    "/api/notes?count=exact",
    "/api/notes?count=none",
    "/api/notes?page=2&limit=1",
    "/api/notes?aggregate=count,min(rank),max(rank),sum(rank)",
    "/api/notes?aggregate=count&groupBy=author",
    "/api/posts?limit=100",
    "/api/posts?cursor=&limit=2&sort=title",
    "/api/posts?aggregate=count&groupBy=status",
    "/api/posts?aggregate=count&groupBy=author,status",
    "/api/posts?include=note&limit=100",
    "/api/posts?include=comments&limit=100",
    "/api/comments?limit=100&include=post",
    "/api/comments?aggregate=count&groupBy=post",
    "/api/orders?limit=100",
    "/api/orders?aggregate=count,sum(count)",
    "/api/vault",
    "/api/users?limit=100&include=notes",
    // Filters on hidden records and hidden fields.
    "/api/notes?title=alpha",
    "/api/notes?rank[gt]=50",
    "/api/notes?rank[lte]=50",
    "/api/notes?author=2",
    "/api/notes?author.name=Ann",
    "/api/posts?title=alpha",
    "/api/posts?status=draft",
    "/api/posts?author=2&status=draft",
    "/api/posts?remark=fine",
    "/api/posts?remark[prefix]=zebra",
    "/api/posts?note.title=alpha",
    "/api/posts?note.title[prefix]=a",
    "/api/posts?note.title[ne]=alpha",
    "/api/posts?note.title[null]=true",
    "/api/posts?note.rank[gt]=50",
    "/api/posts?note.author=2",
    "/api/posts?note.author.name=Ann",
    "/api/comments?post.title=alpha",
    "/api/comments?post.status=draft",
    "/api/comments?post.note.title=alpha",
    "/api/users?salary[gt]=1000",
    "/api/users?salary[lt]=1000",
    "/api/users?salary[null]=true",
    "/api/users?nothing[null]=true",
    "/api/users?email=a@hidden.example",
    "/api/users?email[prefix]=z",
    "/api/users?hint=alpha",
    "/api/users?password[null]=true",
    "/api/posts?author.salary[gt]=1000",
    "/api/posts?author.email[prefix]=z",
    "/api/orders?cost[gt]=50",
    "/api/orders?customer.salary[gt]=1000",
    // Orders.
    "/api/users?sort=salary",
    "/api/users?sort=-salary&fields=id",
    "/api/users?sort=email&fields=id",
    "/api/users?sort=hint",
    "/api/posts?sort=note.title&fields=id",
    "/api/posts?sort=-note.rank&fields=id",
    "/api/posts?sort=author.salary&fields=id",
    "/api/posts?sort=author.email&fields=id",
    "/api/posts?sort=remark&fields=id",
    "/api/orders?sort=cost&fields=id",
    // Groups of what is hidden.
    "/api/users?aggregate=count&groupBy=salary",
    "/api/users?aggregate=max(salary)",
    "/api/users?aggregate=count&groupBy=email",
    "/api/posts?aggregate=count&groupBy=note.title",
    "/api/posts?aggregate=max(note.rank)",
    "/api/posts?aggregate=count&groupBy=remark",
    // Searches.
    "/api/search?q=zebra",
    "/api/search?q=quagga",
    "/api/search?q=alpha",
    "/api/search?q=hidden",
    "/api/notes?q=zebra",
    "/api/posts?q=quagga&highlight=true",
    "/api/posts?q=word*&limit=100",
    "/api/posts?q=word*&aggregate=count",
    "/api/comments?q=zebra",
    // The rest.
    "/api/me",
    "/api/me/sessions/1",
    "/api/audit",
    "/api",
    "/api/changes?resource=vault",
    "/api/changes?resource=nothing",
];

/// What is written, and to which target.
fn writes() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("PATCH", "/api/notes/{note}", json!({"title": "x"})),
        ("PATCH", "/api/notes/{gone}", json!({"title": "x"})),
        ("PATCH", "/api/posts/{draft}", json!({"nothing": 1})),
        ("PUT", "/api/posts/{draft}", json!({"title": "x"})),
        ("DELETE", "/api/notes/{note}", Value::Null),
        ("DELETE", "/api/posts/{draft}", Value::Null),
        ("DELETE", "/api/orders/{order}", Value::Null),
        ("DELETE", "/api/users/2", Value::Null),
        ("PATCH", "/api/users/2", json!({"salary": 100})),
        ("PATCH", "/api/users/2", json!({"nothing": 100})),
        ("PATCH", "/api/users/3", json!({"salary": 100})),
        ("POST", "/api/posts", json!({"title": "t", "note": "{note}"})),
        ("POST", "/api/posts", json!({"title": "t", "note": "{gone}"})),
        ("POST", "/api/posts", json!({"title": "t", "note": "{extra}"})),
        ("POST", "/api/comments", json!({"post": "{draft}"})),
        ("POST", "/api/comments", json!({"post": "{gone}"})),
        ("POST", "/api/comments", json!([{"post": "{draft}"}, {"post": "{gone}"}])),
        ("POST", "/api/orders", json!({"customer": 2})),
        ("POST", "/api/orders", json!({"cost": 5})),
        ("POST", "/api/orders", json!({"cost": 99})),
        ("POST", "/api/vault", json!({"word": "alpha"})),
        (
            "POST",
            "/api/batch",
            json!({"operations": [
                {"method": "POST", "path": "/api/orders", "body": {}},
                {"method": "PATCH", "path": "/api/notes/{note}", "body": {"title": "x"}}]}),
        ),
        (
            "POST",
            "/api/batch",
            json!({"operations": [
                {"method": "DELETE", "path": "/api/posts/{draft}"},
                {"method": "POST", "path": "/api/orders", "body": {}}]}),
        ),
        ("POST", "/api/search", json!({"resource": "notes", "rank": {"gt": 50}})),
        ("POST", "/api/search", json!({"resource": "posts", "note.rank": {"gt": 50}})),
    ]
}

fn filled(world: &World, text: &str) -> String {
    let id = |kind: Kind| find(world, kind).to_string();
    text.replace("{note}", &id(Kind::Note(Who::Ann)))
        .replace("{draft}", &id(Kind::Post(Who::Ann, false)))
        .replace("{about}", &id(Kind::Post(Who::Ben, true)))
        .replace("{comment}", &id(Kind::Comment(Who::Ann, false)))
        .replace("{order}", &id(Kind::Order(Who::Ann)))
        .replace("{vault}", &id(Kind::Vault))
        .replace("{gone}", "4242")
        // One that is there in one of the two, and hidden.
        .replace(
            "{extra}",
            &(id(Kind::Note(Who::Mia)).parse::<u64>().expect("an id") + 1).to_string(),
        )
}

/// Numbers in the content of a request stand in quotes where they are filled in.
fn content(world: &World, value: &Value) -> String {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""(\d+)""#).expect("a pattern"));
    QUOTED.replace_all(&filled(world, &value.to_string()), "$1").into_owned()
}

/// An answer without what differs from database to database: moments, tags, cursors, positions
/// and the ids of what was just created.
fn essence(answer: &Answer, is_write: bool) -> String {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "«time»"),
            (r#"cursor(=|":")[A-Za-z0-9_-]+"#, "cursor«»"),
            (r#""(position|version)":"[^"]*""#, "\"$1\":«»"),
            (r"after=[A-Za-z0-9_-]+", "after=«»"),
        ]
        .into_iter()
        .map(|(pattern, by)| (Regex::new(pattern).expect("a pattern"), by))
        .collect()
    });
    let own = ["date", "request-id", "etag", "last-modified", "content-length"];
    let mut text = format!("{}\n", answer.status);
    for (name, value) in &answer.fields {
        let is_own = own.contains(&name.as_str()) || is_write && name == "location";
        if !is_own {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    text.push_str(&answer.text());
    let text = PATTERNS
        .iter()
        .fold(text, |text, (pattern, by)| pattern.replace_all(&text, *by).into_owned());
    let made = Regex::new(r#""id":\d+"#).expect("a pattern");
    if is_write && answer.status < 300 {
        made.replace_all(&text, "\"id\":«»").into_owned()
    } else {
        text
    }
}

/// Callers from whom all of it is hidden.
fn strangers(world: &World) -> Vec<Caller> {
    let nobody =
        Caller { name: "nobody", who: Who::Nobody, standing: Standing::Good, fields: Vec::new() };
    let key = world.key(&["--role", "customer"]);
    vec![
        nobody,
        world.bearer("another user", Who::Ben, &world.token(Who::Ben)),
        world.bearer("a key", Who::Nobody, &key),
    ]
}

/// An admin is told of what is hidden by most of the questions, so that they are worth asking.
fn told(worlds: &[World; 2], faults: &mut Faults) {
    let ask =
        |world: &World, question: &str| essence(&world.admin.get(&filled(world, question)), false);
    let differs = |question: &&&str| ask(&worlds[0], question) != ask(&worlds[1], question);
    let count = QUESTIONS.iter().filter(differs).count();
    faults.must(count >= 60, || format!("only {count} questions tell an admin something"));
}

#[test]
fn what_is_hidden_changes_no_answer() {
    decisive(|| {
        let worlds = HIDDEN.each_ref().map(world);
        let mut faults = Faults::default();
        let callers = worlds.each_ref().map(strangers);
        told(&worlds, &mut faults);
        for (one, two) in callers[0].iter().zip(&callers[1]) {
            for question in QUESTIONS {
                for accept in ["application/json", "application/x-ndjson", "text/csv"] {
                    let [one, two] =
                        [(one, &worlds[0]), (two, &worlds[1])].map(|(caller, world)| {
                            let request = caller.request("GET", &filled(world, question));
                            let request = request.field("accept", accept);
                            essence(&world.server.client().send(&request), false)
                        });
                    faults.must(one == two, || format!("{question}:\n{one}\n--- and\n{two}\n"));
                }
            }
            for (method, target, value) in writes() {
                let [one, two] = [(one, &worlds[0]), (two, &worlds[1])].map(|(caller, world)| {
                    let request = caller.request(method, &filled(world, target));
                    let request = match &value {
                        Value::Null => request,
                        value => request.json(content(world, value)),
                    };
                    essence(&world.server.client().send(&request), true)
                });
                faults.must(one == two, || {
                    format!("{method} {target} {value}:\n{one}\n--- and\n{two}\n")
                });
            }
        }
        faults.none();
    });
}

/// Pairs of what is hidden and what never was: a method, two targets and a content.
fn pairs() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    vec![
        ("GET", "/api/notes/{note}", "/api/notes/{gone}", Value::Null),
        ("GET", "/api/posts/{draft}", "/api/posts/{gone}", Value::Null),
        ("GET", "/api/comments/{comment}", "/api/comments/{gone}", Value::Null),
        ("PATCH", "/api/posts/{draft}", "/api/posts/{gone}", json!({"title": "x"})),
        ("PUT", "/api/posts/{draft}", "/api/posts/{gone}", json!({"title": "x"})),
        ("DELETE", "/api/posts/{draft}", "/api/posts/{gone}", Value::Null),
        ("GET", "/api/users?salary=1", "/api/users?qqqqqq=1", Value::Null),
        ("GET", "/api/users?sort=salary", "/api/users?sort=qqqqqq", Value::Null),
        ("GET", "/api/users?fields=salary", "/api/users?fields=qqqqqq", Value::Null),
        ("GET", "/api/users?salary[gt]=1", "/api/users?qqqqqq[gt]=1", Value::Null),
        ("GET", "/api/users?salary[qq]=1", "/api/users?qqqqqq[qq]=1", Value::Null),
        ("GET", "/api/posts?author.salary=1", "/api/posts?author.qqqqqq=1", Value::Null),
        (
            "GET",
            "/api/users?aggregate=sum(salary)",
            "/api/users?aggregate=sum(qqqqqq)",
            Value::Null,
        ),
        (
            "GET",
            "/api/users?aggregate=count&groupBy=salary",
            "/api/users?aggregate=count&groupBy=qqqqqq",
            Value::Null,
        ),
    ]
}

#[test]
fn what_is_hidden_is_told_as_what_is_not_there() {
    decisive(|| {
        let world = world(&HIDDEN[0]);
        let client = world.server.client();
        let mut faults = Faults::default();
        for caller in strangers(&world) {
            for (method, hidden, absent, value) in pairs() {
                let ask = |target: &str| {
                    let request = caller.request(method, &filled(&world, target));
                    let request = match &value {
                        Value::Null => request,
                        value => request.json(value.to_string()),
                    };
                    let text = essence(&client.send(&request), false);
                    let id = |kind| find(&world, kind).to_string();
                    let mut text = text.replace("salary", "qqqqqq").replace("4242", "«id»");
                    for kind in [
                        Kind::Note(Who::Ann),
                        Kind::Post(Who::Ann, false),
                        Kind::Comment(Who::Ann, false),
                    ] {
                        let of = format!("/{}/{}", kind.resource(), id(kind));
                        text = text.replace(&of, &format!("/{}/«id»", kind.resource()));
                    }
                    text
                };
                let (one, two) = (ask(hidden), ask(absent));
                faults.must(one == two, || {
                    format!("{}: {method} {hidden}:\n{one}\n--- and\n{two}\n", caller.name)
                });
            }
            // Members of a body, and references.
            let body = |value: &Value| {
                let request = caller.request("PATCH", "/api/users/3").json(value.to_string());
                essence(&client.send(&request), false).replace("salary", "qqqqqq")
            };
            let (one, two) = (body(&json!({"salary": 1})), body(&json!({"qqqqqq": 1})));
            faults.must(one == two, || format!("{}: {one}\n--- and\n{two}", caller.name));
            let refer = |target: &str| {
                let value = json!({"title": "x", "note": target});
                let request = caller.request("POST", "/api/posts").json(content(&world, &value));
                essence(&client.send(&request), false)
            };
            let (one, two) = (refer("{note}"), refer("{gone}"));
            faults.must(one == two, || format!("{}: {one}\n--- and\n{two}", caller.name));
        }
        faults.none();
    });
}

#[test]
fn a_hidden_change_moves_no_tag() {
    decisive(|| {
        let world = world(&HIDDEN[0]);
        let client = world.server.client();
        let mut faults = Faults::default();
        let targets = [
            "/api/posts?limit=100",
            "/api/posts?q=word*",
            "/api/posts?aggregate=count",
            "/api/posts?aggregate=count&groupBy=status",
            "/api/posts?include=note&limit=100",
            "/api/posts?include=comments&limit=100",
            "/api/posts?cursor=&limit=2",
            "/api/posts/{about}?include=note",
            "/api/posts/{about}?include=comments",
            "/api/comments",
            "/api/search?q=word*",
            "/api/notes",
            "/api/orders",
            "/api/users?include=posts",
        ];
        for caller in strangers(&world) {
            let targets = targets.map(|target| filled(&world, target));
            let tags = || -> Vec<Option<String>> {
                let ask =
                    |target: &String| client.send(&caller.request("GET", target)).field("etag");
                targets.iter().map(ask).collect()
            };
            let before = tags();
            faults.must(before[0].is_some(), || "a list has a tag".to_owned());
            let draft = filled(&world, "/api/posts/{draft}");
            patch(&world, &draft, &json!({"title": format!("moved {}", world.next())}));
            patch(&world, &filled(&world, "/api/notes/{note}"), &json!({"rank": world.next()}));
            patch(&world, &filled(&world, "/api/orders/{order}"), &json!({"count": world.next()}));
            patch(&world, &filled(&world, "/api/vault/{vault}"), &json!({"word": "moved"}));
            let text = json!({"text": format!("moved {}", world.next())});
            patch(&world, &filled(&world, "/api/comments/{comment}"), &text);
            let made = world.make(Kind::Post(Who::Ann, false));
            let gone = world.admin.send(&Request::new("DELETE", &format!("/api/posts/{made}")));
            assert_eq!(gone.status, 200, "{}", gone.show());
            world.make(Kind::Note(Who::Ann));
            let after = tags();
            for (target, (before, after)) in targets.iter().zip(before.iter().zip(&after)) {
                faults.must(before == after, || {
                    format!("{}: {target}: {before:?} and then {after:?}", caller.name)
                });
            }
            // What is seen does move it.
            let seen = filled(&world, "/api/posts/{about}");
            patch(&world, &seen, &json!({"title": format!("seen {}", world.next())}));
            faults.must(tags()[0] != after[0], || format!("{}: no tag moved", caller.name));
        }
        faults.none();
    });
}

#[test]
fn a_tag_of_one_caller_is_not_that_of_another_who_sees_something_else() {
    decisive(|| {
        let world = world(&HIDDEN[0]);
        let client = world.server.client();
        let of = |token: &str, target: &str, tag: Option<&str>| {
            let request = Request::new("GET", target);
            let request = match tag {
                Some(tag) => request.field("if-none-match", tag),
                None => request,
            };
            match token {
                "" => client.send(&request),
                token => world.server.client_as(token).send(&request),
            }
        };
        let tokens = [Who::Ann, Who::Ben, Who::Mia, Who::Ada].map(|who| world.token(who));
        for target in ["/api/users/2", "/api/users", "/api/posts", "/api/notes", "/api/orders"] {
            for one in &tokens {
                let first = of(one, target, None);
                let Some(tag) = first.field("etag") else { continue };
                for two in &tokens {
                    let plain = of(two, target, None);
                    let asked = of(two, target, Some(&tag));
                    let same = plain.content == first.content && plain.status == first.status;
                    assert!(same || asked.status != 304, "{target}: {}", asked.show());
                }
            }
        }
    });
}

#[test]
fn what_is_taken_is_told_without_saying_by_what() {
    decisive(|| {
        let world = world(&HIDDEN[0]);
        let client = world.server.client();
        let ben = world.bearer("another user", Who::Ben, &world.token(Who::Ben));
        let post =
            |value: Value| client.send(&ben.request("POST", "/api/notes").json(value.to_string()));
        let taken = post(json!({"title": "alpha"}));
        assert_eq!(taken.status, 409, "{}", taken.show());
        let note = find(&world, Kind::Note(Who::Ann));
        let text = taken.text();
        for told in [format!("/{note}"), format!(" {note}"), "zebra".to_owned(), "Ann".to_owned()] {
            assert!(!text.contains(&told), "{told}: {text}");
        }
    });
}

#[test]
fn a_deletion_counts_what_the_caller_sees() {
    decisive(|| {
        let world = world(&HIDDEN[0]);
        // Ben's own post, which comments of his and one that is hidden from him refer to.
        let post = json!({"author": 3, "title": "held", "status": "published"});
        let post = world.create("posts", &post);
        for author in [2, 3] {
            world.create("comments", &json!({"post": post, "author": author, "text": "t"}));
        }
        let ben = world.bearer("another user", Who::Ben, &world.token(Who::Ben));
        let delete = || {
            let request = ben.request("DELETE", &format!("/api/posts/{post}"));
            world.server.client().send(&request)
        };
        let held = delete();
        assert_eq!(held.status, 409, "{}", held.show());
        assert!(held.text().contains("2 in comments"), "{}", held.show());
        patch(&world, &format!("/api/posts/{post}"), &json!({"status": "draft"}));
        let held = delete();
        assert_eq!(held.status, 409, "{}", held.show());
        assert!(!held.text().contains("comments"), "{}", held.show());
        assert!(held.text().contains("not shown"), "{}", held.show());
    });
}

#[test]
fn a_secret_is_nowhere() {
    decisive(|| {
        let world = world(&HIDDEN[0]);
        let token = world.token(Who::Ada);
        let client = world.server.client_as(&token);
        for target in [
            "/api/users/2",
            "/api/users?limit=100",
            "/api/users?q=Ann",
            "/api/search?q=Ann",
            "/api/changes?resource=users",
            "/api/changes",
            "/api/me",
            "/api/audit?limit=100",
            "/api/posts?include=author&limit=100",
        ] {
            let text = client.get(target).text();
            for secret in ["argon2", "the password of", "hint", "alpha of"] {
                assert!(!text.contains(secret), "{target}: {secret}: {text}");
            }
        }
        for target in ["/api/users?hint=alpha", "/api/users?sort=hint", "/api/users?fields=hint"] {
            assert_eq!(client.get(target).status, 400, "{target}");
        }
        let export = super::world::command(&["export"], world.server.home(), &["users"]);
        assert!(!export.contains("argon2") && !export.contains("alpha"), "{export}");
        let log = world.server.log();
        for secret in ["the password of", "argon2", token.as_str()] {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
    });
}
