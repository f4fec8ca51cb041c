//! Stored answers: each caller has its own, by whatever spelling of the key and of the URL.

use serde_json::json;

use super::world::{Caller, Who, World, command};
use crate::law::run::decisive;
use crate::support::answer::Answer;
use crate::support::client::Request;

const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

/// Spellings of one key, and of one target.
fn spellings() -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    for key in [KEY.to_owned(), format!("\"{KEY}\"")] {
        for target in ["/api/orders", "/orders", "/api/%6frders", "/%6Frders"] {
            all.push((key.clone(), target));
        }
    }
    all
}

fn order(world: &World, caller: &Caller, key: &str, target: &str, content: &str) -> Answer {
    let request = caller.request("POST", target).field("idempotency-key", key).json(content);
    world.server.client().send(&request)
}

fn is_replayed(answer: &Answer) -> bool {
    answer.field("idempotent-replayed").is_some()
}

#[test]
fn no_caller_gets_the_stored_answer_of_another() {
    decisive(|| {
        let world = World::new();
        let nobody = world.callers().remove(0);
        let ann = world.bearer("a user", Who::Ann, &world.token(Who::Ann));
        let again = world.bearer("a user, signed in twice", Who::Ann, &world.token(Who::Ann));
        let ben = world.bearer("another user", Who::Ben, &world.token(Who::Ben));
        let key = |name| world.bearer(name, Who::AdminKey, &world.key(&["--role", "admin"]));
        let (one, two) = (key("a key"), key("another key"));
        let content = r#"{"count": 7}"#;
        let mut ids = Vec::new();
        for caller in [&nobody, &ann, &ben, &one, &two] {
            let first = order(&world, caller, KEY, "/api/orders", content);
            assert_eq!(first.status, 201, "{}: {}", caller.name, first.show());
            assert!(!is_replayed(&first), "{} got another's answer", caller.name);
            let id = first.json()["id"].as_u64().expect("an id");
            assert!(!ids.contains(&id), "{} got another's record", caller.name);
            ids.push(id);
            for (key, target) in spellings() {
                let answer = order(&world, caller, &key, target, content);
                assert!(is_replayed(&answer), "{}: {key} {target}", caller.name);
                assert_eq!(answer.content, first.content, "{}: {key} {target}", caller.name);
            }
        }
        // The same user by another session is the same caller.
        for (key, target) in spellings() {
            let answer = order(&world, &again, &key, target, content);
            assert!(is_replayed(&answer), "{key} {target}: {}", answer.show());
            assert_eq!(answer.json()["id"], ids[1]);
        }
        // And by a cookie.
        let cookie = world.cookie(Who::Ann);
        let request = Request::new("POST", "/api/orders")
            .field("cookie", &cookie)
            .field("sec-fetch-site", "same-origin")
            .field("idempotency-key", KEY)
            .json(content);
        assert!(is_replayed(&world.server.client().send(&request)));
    });
}

#[test]
fn nobody_gets_an_answer_for_another_request_and_needs_a_long_key() {
    decisive(|| {
        let world = World::new();
        let callers = world.callers();
        let nobody = &callers[0];
        let first = order(&world, nobody, KEY, "/api/orders", r#"{"count": 1, "address": "a"}"#);
        assert_eq!(first.status, 201, "{}", first.show());
        let other = order(&world, nobody, KEY, "/api/orders", r#"{"count": 2}"#);
        assert_eq!(other.status, 422, "{}", other.show());
        assert!(!other.text().contains("\"a\""), "{}", other.show());
        let id = first.json()["id"].to_string();
        assert!(!other.text().contains(&format!("/{id}")), "{}", other.show());
        let count = world.count("orders");
        let short = order(&world, nobody, "123456789012345678901", "/api/orders", "{}");
        assert_eq!(short.status, 400, "{}", short.show());
        assert_eq!(world.count("orders"), count);
        let signed = world.bearer("a user", Who::Ann, &world.token(Who::Ann));
        assert_eq!(order(&world, &signed, "k", "/api/orders", "{}").status, 201);
    });
}

#[test]
fn who_is_revoked_gets_no_replay() {
    decisive(|| {
        let world = World::new();
        let content = r#"{"count": 3}"#;
        let token = world.token(Who::Ann);
        let ann = world.bearer("a user", Who::Ann, &token);
        let secret = world.key(&["--role", "admin", "--name", "short-lived"]);
        let key = world.bearer("a key", Who::AdminKey, &secret);
        for caller in [&ann, &key] {
            assert_eq!(order(&world, caller, KEY, "/api/orders", content).status, 201);
            assert!(is_replayed(&order(&world, caller, KEY, "/api/orders", content)));
        }
        let out = world.server.client_as(&token).send(&Request::new("POST", "/api/logout"));
        assert_eq!(out.status, 200, "{}", out.show());
        let list = command(&["key", "list"], world.server.home(), &[]);
        let line = list.lines().find(|line| line.contains("short-lived")).expect("the key");
        let number = line.split_whitespace().next().expect("a number");
        assert!(!list.contains(&secret), "{list}");
        command(&["key", "revoke"], world.server.home(), &[number]);
        for caller in [&ann, &key] {
            for (key, target) in spellings() {
                let answer = order(&world, caller, &key, target, content);
                assert_eq!(answer.status, 401, "{}: {}", caller.name, answer.show());
                assert!(!is_replayed(&answer), "{}", caller.name);
            }
        }
    });
}

#[test]
fn who_may_no_longer_do_it_gets_no_replay() {
    decisive(|| {
        let world = World::new();
        let ben = world.bearer("a user", Who::Ben, &world.token(Who::Ben));
        let role = |role: &str| {
            let patch = json!({"role": role}).to_string();
            let answer = world.admin.send(&Request::new("PATCH", "/api/users/3").json(patch));
            assert_eq!(answer.status, 200, "{}", answer.show());
        };
        role("moderator");
        let target = format!("/api/orders/{}", world.create("orders", &json!({"customer": 2})));
        let send = || {
            let request = ben.request("PATCH", &target).field("idempotency-key", KEY);
            world.server.client().send(&request.json(r#"{"cost": 77}"#))
        };
        assert_eq!(send().status, 200);
        assert!(is_replayed(&send()));
        role("customer");
        let refused = send();
        assert_eq!(refused.status, 403, "{}", refused.show());
        assert!(!refused.text().contains("77") && !is_replayed(&refused));
    });
}

#[test]
fn answers_that_carry_a_credential_are_not_kept() {
    decisive(|| {
        let world = World::new();
        let content = json!({"username": "ann", "password": "the password of Ann"}).to_string();
        let login = || {
            let request = Request::new("POST", "/api/login").field("idempotency-key", KEY);
            world.server.client().send(&request.json(content.clone()))
        };
        let (one, two) = (login(), login());
        assert_eq!((one.status, two.status), (200, 200), "{}", two.show());
        assert!(!is_replayed(&two));
        assert_ne!(one.json()["token"], two.json()["token"]);
        let database = std::fs::read(world.server.database()).expect("the database");
        let log = std::fs::read(world.server.home().join("data.db-wal")).unwrap_or_default();
        for secret in [one.json()["token"].as_str().expect("a token"), &world.server.admin_key()] {
            for bytes in [&database, &log] {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "a token is in the database");
            }
            assert!(!world.server.log().contains(secret), "a token is in the log");
        }
    });
}
