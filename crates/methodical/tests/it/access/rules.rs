//! Rules that look at the time, at the record before and after, and one reference further.

use serde_json::{Value, json};

use super::world::{Caller, Standing, Who, World};
use crate::law::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::Request;
use crate::support::server::await_that;

fn nobody() -> Caller {
    Caller { name: "nobody", who: Who::Nobody, standing: Standing::Good, fields: Vec::new() }
}

fn send(world: &World, caller: &Caller, method: &str, target: &str, value: &Value) -> Answer {
    let request = caller.request(method, target);
    let request = if value.is_null() { request } else { request.json(value.to_string()) };
    world.server.client().send(&request)
}

#[test]
fn a_rule_holds_before_and_after() {
    decisive(|| {
        let world = World::new();
        let ben = world.bearer("a user", Who::Ben, &world.token(Who::Ben));
        let task = || format!("/api/tasks/{}", world.create("tasks", &json!({"title": "t"})));
        let closed = json!({"state": "closed"});
        for (method, value) in [("PATCH", closed.clone()), ("PUT", closed.clone())] {
            let target = task();
            let answer = send(&world, &ben, method, &target, &value);
            assert_eq!(answer.status, 403, "{method}: {}", answer.show());
            assert_eq!(world.admin.get(&target).json()["state"], "open");
        }
        let target = task();
        let close = Request::new("PATCH", &target).json(closed.to_string());
        assert_eq!(world.admin.send(&close).status, 200);
        let open = json!({"state": "open"});
        for (method, value) in [("PATCH", open.clone()), ("PUT", open), ("DELETE", Value::Null)] {
            let answer = send(&world, &ben, method, &target, &value);
            assert_eq!(answer.status, 403, "{method}: {}", answer.show());
        }
        assert_eq!(world.admin.get(&target).json()["state"], "closed");
        // In many, and in a batch, nothing is done where one of them may not be.
        let count = world.count("tasks");
        let many = json!([{"title": "one"}, {"state": "closed"}]);
        let answer = send(&world, &ben, "POST", "/api/tasks", &many);
        assert_eq!(answer.status, 403, "{}", answer.show());
        let operations = json!({"operations": [
            {"method": "POST", "path": "/api/tasks", "body": {"title": "one"}},
            {"method": "PATCH", "path": "/api/tasks/$1.id", "body": {"state": "closed"}}]});
        let answer = send(&world, &ben, "POST", "/api/batch", &operations);
        assert!([403, 422].contains(&answer.status), "{}", answer.show());
        let operations = json!({"operations": [
            {"method": "POST", "path": "/api/tasks", "body": {"title": "one"}},
            {"method": "PATCH", "path": target, "body": {"title": "two"}}]});
        let answer = send(&world, &ben, "POST", "/api/batch", &operations);
        assert_eq!(answer.status, 403, "{}", answer.show());
        let place = answer.json()["errors"][0]["pointer"].as_str().map(str::to_owned);
        assert!(place.is_some_and(|at| at.starts_with("/operations/1")), "{}", answer.show());
        assert_eq!(world.count("tasks"), count, "something was done");
    });
}

/// A moment in so many seconds, as the server writes one.
fn moment(seconds: u32) -> String {
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1 || ' seconds')";
    let database = rusqlite::Connection::open_in_memory().expect("a database");
    database.query_row(sql, [seconds], |row| row.get(0)).expect("a moment")
}

#[test]
fn what_waits_for_its_time_appears_without_a_write() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        world.create("news", &json!({"title": "old", "at": "2020-01-01T00:00:00.000Z"}));
        world.create("news", &json!({"title": "far", "at": "2999-01-01T00:00:00.000Z"}));
        let soon = json!({"title": "soon", "at": moment(2)});
        let soon = world.create("news", &soon);
        let list = |query: &str| client.get(&format!("/api/news?sort=id{query}"));
        let first = list("");
        assert_eq!(first.json()["total"], 1, "{}", first.show());
        let tag = first.field("etag").expect("a tag");
        let again = Request::new("GET", "/api/news?sort=id").field("if-none-match", &tag);
        assert_eq!(client.send(&again).status, 304);
        assert_eq!(client.get(&format!("/api/news/{soon}")).status, 404);
        await_that("its time has come", || list("").json()["total"] == 2);
        assert_eq!(client.send(&again).status, 200, "the tag is of another list");
        assert_eq!(client.get(&format!("/api/news/{soon}")).status, 200);
    });
}

#[test]
fn shared_caches_keep_nothing_that_leaves_something_out() {
    decisive(|| {
        let world = World::new();
        let id = world.create("menu", &json!({"dish": "soup", "cook": 2}));
        let mia = world.server.client_as(&world.token(Who::Mia));
        for target in [format!("/api/menu/{id}"), "/api/menu".to_owned()] {
            let cache = |answer: &Answer| answer.field("cache-control").unwrap_or_default();
            let plain = world.server.client().get(&target);
            assert_eq!(cache(&plain), "public, max-age=60", "{target}");
            let known = mia.get(&target);
            assert!(cache(&known).contains("private"), "{target}: {}", known.show());
            let with = format!("{target}?include=cook");
            let known = mia.get(&with);
            assert!(known.text().contains("Ann"), "{with}: {}", known.show());
            assert!(cache(&known).contains("private"), "{with}: {}", known.show());
            let hidden = world.server.client().get(&with);
            assert!(!hidden.text().contains("Ann"), "{with}: {}", hidden.show());
            assert!(!cache(&hidden).contains("public"), "{with}: {}", hidden.show());
            let filter = format!("{target}?cook.name=Ann");
            assert!(!cache(&world.server.client().get(&filter)).contains("public"), "{filter}");
        }
        let news = world.server.client().get("/api/news");
        assert!(news.field("cache-control").is_some_and(|it| it.contains("private")));
    });
}

#[test]
fn conditions_and_chosen_ids_do_not_tell_what_is_hidden() {
    decisive(|| {
        let world = World::new();
        let ann = world.bearer("a user", Who::Ann, &world.token(Who::Ann));
        let ben = world.bearer("another user", Who::Ben, &world.token(Who::Ben));
        let made = send(&world, &ann, "POST", "/api/pages", &json!({"id": "hers", "title": "h"}));
        assert_eq!(made.status, 201, "{}", made.show());
        let tag = made.field("etag").expect("a tag");
        for (field, value) in [
            ("if-match", "*"),
            ("if-match", tag.as_str()),
            ("if-match", "\"other\""),
            ("if-none-match", "*"),
            ("if-none-match", tag.as_str()),
            ("prefer", "return=minimal"),
            ("range", "bytes=0-1"),
        ] {
            for method in ["GET", "HEAD", "PATCH", "DELETE"] {
                let ask = |id: &str| {
                    let request = ben.request(method, &format!("/api/pages/{id}"));
                    let request = request.field(field, value);
                    let request = match method {
                        "PATCH" => request.json(r#"{"title": "x"}"#),
                        _ => request,
                    };
                    let answer = world.server.client().send(&request);
                    (answer.status, answer.text().replace(id, "«id»"))
                };
                assert_eq!(ask("hers"), ask("none"), "{method} {field}: {value}");
                assert_eq!(ask("hers").0, 404, "{method} {field}: {value}");
            }
        }
        // An id that is taken is said to be, as any unique value, and nothing else is.
        let taken = send(&world, &ben, "POST", "/api/pages", &json!({"id": "hers"}));
        assert_eq!(taken.status, 409, "{}", taken.show());
        assert!(!taken.text().contains("\"h\""), "{}", taken.show());
        for fields in [&[][..], &[("if-none-match", "*")], &[("if-match", "*")]] {
            let request = ben.request("PUT", "/api/pages/hers").json(r#"{"title": "mine"}"#);
            let request = fields.iter().fold(request, |request, (n, v)| request.field(n, v));
            let answer = world.server.client().send(&request);
            assert!([404, 409, 412].contains(&answer.status), "{}", answer.show());
        }
        assert_eq!(world.admin.get("/api/pages/hers").json()["title"], "h");
        let own = send(&world, &ben, "PUT", "/api/pages/his", &json!({"title": "mine"}));
        assert_eq!(own.status, 201, "{}", own.show());
        assert_eq!(world.admin.get("/api/pages/his").json()["author"], 3);
    });
}

#[test]
fn what_was_only_ever_hidden_behind_another_record_is_not_told_when_it_goes() {
    decisive(|| {
        let world = World::new();
        let draft = world.create("posts", &json!({"author": 3, "title": "d"}));
        let nobody = nobody();
        let changes = |after: &str| {
            let target = format!("/api/changes?resource=comments&after={after}");
            send(&world, &nobody, "GET", &target, &Value::Null).json()
        };
        let start = changes("now")["position"].as_str().expect("a position").to_owned();
        let comment = world.create("comments", &json!({"post": draft, "author": 3, "text": "t"}));
        let target = format!("/api/comments/{comment}");
        let patch = Request::new("PATCH", &target).json(r#"{"text": "changed"}"#);
        assert_eq!(world.admin.send(&patch).status, 200);
        assert_eq!(world.admin.send(&Request::new("DELETE", &target)).status, 200);
        let told = changes(&start);
        assert_eq!(told["changes"], json!([]), "{told}");
    });
}

#[test]
fn a_cookie_that_has_ended_is_nobodys_and_a_role_is_no_name() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let ended = Request::new("GET", "/api/posts").field("cookie", "methodical=mtds_ended");
        assert_eq!(client.send(&ended).status, 200, "what anyone may");
        let private = Request::new("GET", "/api/notes").field("cookie", "methodical=mtds_ended");
        assert_eq!(client.send(&private).status, 401);
        // Who is called like a role, or like a word of the rules, has neither.
        for name in ["admin", "moderator", "owner", "anyone"] {
            let content = json!({"name": name, "username": name, "password": "a long password"});
            world.create("users", &content);
            let login = json!({"username": name, "password": "a long password"}).to_string();
            let token = client.send(&Request::new("POST", "/api/login").json(login)).json();
            let token = token["token"].as_str().expect("a token").to_owned();
            assert_eq!(world.server.client_as(&token).get("/api/vault").status, 403, "{name}");
            assert_eq!(world.server.client_as(&token).get("/api/notes").json()["total"], 0);
        }
    });
}
