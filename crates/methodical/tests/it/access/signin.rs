//! Signing in and out, and what ends a session.

use serde_json::{Value, json};

use super::world::{Who, World};
use crate::law::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::Request;
use crate::support::server::{Options, await_that, tests};

fn options() -> Options {
    Options::folder(&tests().join("access"))
}

fn post(world: &World, token: &str, target: &str, content: &Value) -> Answer {
    let request = Request::new("POST", target).json(content.to_string());
    world.server.client_as(token).send(&request)
}

fn me(world: &World, token: &str) -> u16 {
    world.server.client_as(token).get("/api/me").status
}

/// An answer but for what each message has of its own.
fn lasting(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let own = ["date", "request-id"];
    let mut fields = answer.fields.clone();
    fields.retain(|(name, _)| !own.contains(&name.as_str()));
    (answer.status, fields, answer.content.clone())
}

#[test]
fn a_wrong_name_no_password_and_a_wrong_password_are_told_the_same() {
    decisive(|| {
        let world = World::new();
        let login = |content: &Value| {
            let request = Request::new("POST", "/api/login").json(content.to_string());
            world.server.client().send(&request)
        };
        world.create("users", &json!({"name": "No", "username": "no"}));
        let wrong = login(&json!({"username": "ann", "password": "wrong"}));
        assert_eq!(wrong.status, 401, "{}", wrong.show());
        assert_eq!(wrong.json()["type"], "/problems/sign-in-failed");
        for content in [
            json!({"username": "who", "password": "wrong"}),
            json!({"username": "no", "password": "wrong"}),
            json!({"username": "no", "password": ""}),
            json!({"username": "ANN", "password": "the password of ann"}),
        ] {
            assert_eq!(lasting(&login(&content)), lasting(&wrong), "{content}");
        }
        let folded = login(&json!({"username": "ANN", "password": "the password of Ann"}));
        assert_eq!(folded.status, 200, "the name is compared as it is unique");
        let answer = folded.json();
        assert_eq!((&answer["tokenType"], &answer["user"]["id"]), (&"Bearer".into(), &2.into()));
        let own = world.server.client_as(answer["token"].as_str().expect("a token"));
        assert_eq!(answer["user"], own.get("/api/me").json());
        assert!(!folded.text().contains("argon2") && !folded.text().contains("hint"));
        for content in [json!({"username": "ann"}), json!({"password": "x"}), json!([])] {
            let answer = login(&content);
            assert!([400, 422].contains(&answer.status), "{content}: {}", answer.show());
        }
    });
}

#[test]
fn a_flood_of_attempts_is_stopped_and_others_are_not() {
    decisive(|| {
        let world = World::new();
        let token = world.token(Who::Ben);
        let attempts: Vec<u16> = (0..60).map(|_| world.login(Who::Ann, "wrong").status).collect();
        assert!(attempts[..3].iter().all(|status| *status == 401), "{attempts:?}");
        assert_eq!(attempts.last(), Some(&429), "{attempts:?}");
        assert_eq!(me(&world, &token), 200, "who is signed in goes on");
    });
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    decisive(|| {
        let world = World::new();
        let [one, two] = [world.token(Who::Ann), world.token(Who::Ann)];
        let new = "another password of Ann";
        let wrong =
            post(&world, &one, "/api/me/password", &json!({"current": "no", "password": new}));
        assert_eq!(wrong.status, 422, "{}", wrong.show());
        assert_eq!((me(&world, &one), me(&world, &two)), (200, 200));
        let current = "the password of Ann";
        let short =
            post(&world, &one, "/api/me/password", &json!({"current": current, "password": 5}));
        assert_eq!(short.status, 422, "{}", short.show());
        let done =
            post(&world, &one, "/api/me/password", &json!({"current": current, "password": new}));
        assert_eq!(
            (done.status, &done.json()["status"]),
            (200, &"changed".into()),
            "{}",
            done.show()
        );
        assert_eq!((me(&world, &one), me(&world, &two)), (200, 401));
        assert_eq!(world.login(Who::Ann, current).status, 401);
        assert_eq!(world.login(Who::Ann, new).status, 200);
        // By an admin, and by a person with sqlite3.
        let patch =
            Request::new("PATCH", "/api/users/2").json(r#"{"password": "a third password"}"#);
        assert_eq!(world.admin.send(&patch).status, 200);
        assert_eq!(me(&world, &one), 401);
        let ben = world.token(Who::Ben);
        let outside = rusqlite::Connection::open(world.server.database()).expect("a database");
        let sql =
            "UPDATE users SET password = (SELECT password FROM users WHERE id = 1) WHERE id = 3";
        outside.execute_batch(sql).expect("an update");
        assert_eq!(me(&world, &ben), 401);
    });
}

#[test]
fn sessions_are_listed_and_ended_by_whom_they_are_of() {
    decisive(|| {
        let world = World::new();
        let [one, two] = [world.token(Who::Ann), world.token(Who::Ann)];
        let ben = world.token(Who::Ben);
        let list = world.server.client_as(&one).get("/api/me/sessions").json();
        let sessions = list["sessions"].as_array().expect("sessions");
        assert_eq!((sessions.len(), &list["total"]), (2, &2.into()), "{list}");
        assert!(!list.to_string().contains("mtds_"), "{list}");
        let other = sessions.iter().find(|one| one["current"] == false).expect("the other");
        let id = other["id"].as_str().map_or_else(|| other["id"].to_string(), str::to_owned);
        let target = format!("/api/me/sessions/{id}");
        let delete = |token: &str| {
            world.server.client_as(token).send(&Request::new("DELETE", &target)).status
        };
        assert_eq!(delete(&ben), 404);
        assert_eq!(me(&world, &two), 200);
        assert_eq!(delete(&one), 200);
        assert_eq!((me(&world, &one), me(&world, &two)), (200, 401));
        assert_eq!(delete(&one), 404);
    });
}

#[test]
fn who_somebody_is_counts_as_it_is_at_each_request() {
    decisive(|| {
        let world = World::new();
        let ben = world.token(Who::Ben);
        let client = world.server.client_as(&ben);
        assert_eq!(client.get("/api/vault").status, 403);
        let role = |role: &str| {
            let patch =
                Request::new("PATCH", "/api/users/3").json(json!({"role": role}).to_string());
            assert_eq!(world.admin.send(&patch).status, 200);
        };
        role("admin");
        assert_eq!(client.get("/api/vault").status, 200);
        role("customer");
        assert_eq!(client.get("/api/vault").status, 403);
        // By hand, beside the server.
        let outside = rusqlite::Connection::open(world.server.database()).expect("a database");
        outside.execute_batch("UPDATE users SET role = 'admin' WHERE id = 3").expect("an update");
        assert_eq!(client.get("/api/vault").status, 200);
    });
}

#[test]
fn a_session_ends_with_its_time_and_survives_a_restart() {
    decisive(|| {
        let mut world = World::with(options());
        let token = world.token(Who::Ann);
        world.server.kill_and_restart();
        assert_eq!(me(&world, &token), 200);
        let short = World::with(options().set("sessions.lifetime", "1s"));
        let token = short.token(Who::Ann);
        await_that("a session expires", || me(&short, &token) == 401);
        let answer = short.server.client_as(&token).get("/api/posts");
        let challenge = answer.field("www-authenticate").expect("a challenge");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    });
}

#[test]
fn refusals_say_how_to_come_as_rfc_6750_does() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let challenge = |request: Request| {
            let answer = client.send(&request);
            (answer.status, answer.field("www-authenticate").unwrap_or_default())
        };
        let get = |target: &str| Request::new("GET", target);
        let bare = challenge(get("/api/notes"));
        assert_eq!(bare, (401, "Bearer realm=\"Access\"".to_owned()));
        let (status, text) = challenge(get("/api/posts").field("authorization", "Bearer x"));
        let form = "Bearer realm=\"Access\", error=\"invalid_token\", error_description=\"";
        assert!(status == 401 && text.starts_with(form), "{status} {text}");
        let ann = format!("Bearer {}", world.token(Who::Ann));
        let (status, text) = challenge(get("/api/vault").field("authorization", &ann));
        let form = "Bearer realm=\"Access\", error=\"insufficient_scope\"";
        assert!(status == 403 && text.starts_with(form), "{status} {text}");
        let (status, text) = challenge(get("/api/posts").field("authorization", "Basic YTpi"));
        assert_eq!((status, text.as_str()), (401, "Bearer realm=\"Access\""));
        // RFC 9110 §11.1: the scheme is compared without case.
        let lower = ann.replace("Bearer", "bearer");
        assert_eq!(challenge(get("/api/me").field("authorization", &lower)).0, 200);
        let twice = get("/api/posts").field("authorization", &ann).field("authorization", &ann);
        assert!([400, 401].contains(&challenge(twice).0));
    });
}

#[test]
fn a_token_belongs_in_authorization_only() {
    decisive(|| {
        let world = World::new();
        let token = world.token(Who::Ann);
        let client = world.server.client();
        for target in [
            format!("/api/notes?access_token={token}"),
            format!("/api/posts?title={token}"),
            format!("/api/posts/{token}"),
            format!("/api/posts?title={}", world.server.admin_key()),
        ] {
            let answer = client.get(&target);
            assert_eq!(answer.status, 400, "{}", answer.show());
            assert!(!answer.text().contains(&token), "{}", answer.show());
        }
        let form = Request::new("POST", "/api/orders")
            .content("application/x-www-form-urlencoded", format!("count=1&access_token={token}"));
        let answer = client.send(&form);
        assert_eq!(answer.status, 400, "{}", answer.show());
        assert!(!answer.text().contains(&token), "{}", answer.show());
        assert!(!world.server.log().contains(&token));
    });
}

/// A form from a browser.
fn form(fields: &[(&str, &str)], content: &str) -> Request {
    let request = Request::new("POST", "/api/login")
        .content("application/x-www-form-urlencoded", content)
        .field("accept", "text/html,*/*;q=0.8");
    fields.iter().fold(request, |request, (name, value)| request.field(name, value))
}

#[test]
fn a_form_of_another_site_neither_signs_in_nor_out() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let content = "username=ann&password=the+password+of+Ann";
        for fields in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
            // What a browser remembers of Basic goes along by itself.
            &[("sec-fetch-site", "cross-site"), ("authorization", "Basic YTpi")],
        ] {
            let answer = client.send(&form(fields, content));
            assert_eq!(answer.status, 403, "{fields:?}: {}", answer.show());
            assert_eq!(answer.field("set-cookie"), None, "{fields:?}");
        }
        // A program sends neither.
        assert_eq!(world.login(Who::Ann, "the password of Ann").status, 200);
        let cookie = world.cookie(Who::Ann);
        let out = |fields: &[(&str, &str)]| {
            let request = Request::new("POST", "/api/logout").field("cookie", &cookie);
            client.send(&fields.iter().fold(request, |request, (n, v)| request.field(n, v)))
        };
        assert_eq!(out(&[("sec-fetch-site", "cross-site")]).status, 403);
        assert_eq!(out(&[]).status, 403);
        let me = Request::new("GET", "/api/me").field("cookie", &cookie);
        assert_eq!(client.send(&me).status, 200);
        let done = out(&[("sec-fetch-site", "same-origin")]);
        assert_eq!(done.status, 200, "{}", done.show());
        let cleared = done.field("set-cookie").expect("the cookie is cleared");
        assert!(cleared.contains("Max-Age=0"), "{cleared}");
        assert_eq!(client.send(&me).status, 401);
    });
}

#[test]
fn a_form_leads_on_within_the_site_only() {
    decisive(|| {
        let world = World::new();
        let client = world.server.client();
        let same = [("sec-fetch-site", "same-origin")];
        for next in [
            "%2Fapi%2Fnotes",
            "%2F%2Fevil.example",
            "https%3A%2F%2Fevil.example",
            "%2F%5Cevil.example",
            "%2F%09%2Fevil.example",
            "evil",
        ] {
            let content = format!("username=ann&password=the+password+of+Ann&next={next}");
            let answer = client.send(&form(&same, &content));
            match answer.status {
                303 if next == "%2Fapi%2Fnotes" => {
                    assert_eq!(answer.field("location").as_deref(), Some("/api/notes"));
                }
                303 => assert_eq!(answer.field("location").as_deref(), Some("/"), "{next}"),
                _ => assert!(answer.status == 422 && next != "%2Fapi%2Fnotes", "{}", answer.show()),
            }
        }
        // Over HTTPS the cookie is bound to the host and never sent in the clear.
        let world = World::with(options().set("origin", "https://shop.example"));
        let content = "username=ann&password=the+password+of+Ann";
        let answer = world.server.client().send(&form(&same, content));
        let cookie = answer.field("set-cookie").expect("a cookie");
        assert!(cookie.starts_with("__Host-methodical=") && cookie.contains("Secure"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    });
}

#[test]
fn the_audit_log_has_each_write_that_was_committed_and_no_other() {
    decisive(|| {
        let world = World::new();
        let ann = world.server.client_as(&world.token(Who::Ann));
        let newest = |query: &str| {
            let list = world.admin.get(&format!("/api/audit?{query}"));
            assert_eq!(list.status, 200, "{}", list.show());
            list.json()["audit"].as_array().expect("acts").clone()
        };
        let made = ann.send(&Request::new("POST", "/api/notes").json(r#"{"title": "audited"}"#));
        let act = newest("limit=1").remove(0);
        assert_eq!(act["resource"], "notes", "{act}");
        assert_eq!(act["record"].to_string().trim_matches('"'), made.json()["id"].to_string());
        assert_eq!(act["actorId"].to_string().trim_matches('"'), "2", "{act}");
        assert_eq!(act["address"], "127.0.0.1", "{act}");
        let id = made.field("request-id").expect("an id");
        assert_eq!(act["requestId"].as_str(), Some(id.as_str()), "{act}");
        // What is refused is in no log of writes.
        let refused = ann.send(&Request::new("POST", "/api/notes").json(r#"{"title": "audited"}"#));
        assert_eq!(refused.status, 409, "{}", refused.show());
        assert_eq!(ann.send(&Request::new("DELETE", "/api/vault/1")).status, 403);
        assert_eq!(newest("limit=1").remove(0), act);
        let many = json!([{"title": "m1"}, {"title": "m2"}, {"title": "m3"}]).to_string();
        assert_eq!(ann.send(&Request::new("POST", "/api/notes").json(many)).status, 201);
        let act = newest("limit=1").remove(0);
        assert_eq!(act["records"], 3, "{act}");
        let key = "a-key-of-more-than-22-characters";
        for _ in 0..3 {
            let request = Request::new("POST", "/api/notes").field("idempotency-key", key);
            assert_eq!(ann.send(&request.json(r#"{"title": "once"}"#)).status, 201);
        }
        assert_eq!(newest("resource=notes&limit=2")[1], act, "a replay wrote nothing");
        let text = world.admin.get("/api/audit?limit=100").text();
        for secret in ["argon2", "the password of", "mtds_", "mtdk_"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        ann.get("/api/vault");
        let refused = world.admin.get("/api/audit?refused=true");
        assert!(refused.text().contains("403"), "{}", refused.show());
    });
}
