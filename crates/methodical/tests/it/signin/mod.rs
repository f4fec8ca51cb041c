//! What of signing in is seen from outside the answers: the log, and that nobody feels a flood.

use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::support::client::Request;
use crate::support::server::{Options, Server, tests};

fn options() -> Options {
    Options::folder(&tests().join("access"))
}

fn login(password: &str) -> Request {
    let content = json!({"username": "ann", "password": password});
    Request::new("POST", "/api/login").json(content.to_string())
}

fn user(server: &Server) {
    let content = json!({"name": "Ann", "username": "ann", "password": "the password of Ann"});
    let request = Request::new("POST", "/api/users").json(content.to_string());
    let answer = server.admin().send(&request);
    assert_eq!(answer.status, 201, "{}", answer.show());
}

#[test]
fn the_log_names_who_asked_and_holds_no_token() {
    let server = options().start();
    user(&server);
    let answer = server.client().send(&login("the password of Ann"));
    let token = answer.json()["token"].as_str().expect("a token").to_owned();
    let id = answer.json()["user"]["id"].to_string();
    assert_eq!(server.client_as(&token).get("/api/audit").status, 403);
    assert_eq!(server.client().get("/api/me").status, 401);
    assert_eq!(server.client().send(&login("hunter2hunter2")).status, 401);
    assert_eq!(server.client_as(&format!("{token}x")).get("/api/me").status, 401);
    server.await_log("problem=invalid-token");
    let log = server.log();
    let line = |problem: &str| log.lines().find(|line| line.contains(problem)).expect("a line");
    let forbidden = line("problem=forbidden");
    assert!(forbidden.contains(&format!(" caller=user:{id} ")), "{forbidden}");
    assert!(forbidden.contains(" address=127.0.0.1"), "{forbidden}");
    assert!(!line("problem=not-signed-in").contains("caller="));
    for secret in [token.as_str(), &server.admin_key(), "hunter2hunter2", "the password of Ann"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_flood_of_logins_is_refused_and_others_are_answered() {
    let settings = [("login.address", "1000000"), ("login.account", "1000000")];
    let options = settings.iter().fold(options(), |all, (key, value)| all.set(key, value));
    let server = options.set("login.queue", "4").start();
    user(&server);
    let (client, request) = (server.client(), login("wrong"));
    let ask = |_| {
        let (client, request) = (client.clone(), request.clone());
        thread::spawn(move || client.send(&request))
    };
    let flood: Vec<_> = (0..100).map(ask).collect();
    let begun = Instant::now();
    let reads = (0..50).filter(|_| server.client().get("/healthz").status == 200).count();
    assert_eq!(reads, 50);
    let took = begun.elapsed();
    let mut refused = 0;
    for answer in flood.into_iter().map(|one| one.join().expect("an answer")) {
        match answer.status {
            401 => {}
            429 => {
                refused += 1;
                let seconds = answer.field("retry-after").expect("when to come again");
                assert!(seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{seconds}");
            }
            _ => panic!("{}", answer.show()),
        }
    }
    assert!(refused > 0, "100 at one time, and 4 may wait");
    assert!(took.as_secs() < 20, "50 reads took {took:?} beside a flood");
    assert_eq!(client.send(&login("the password of Ann")).status, 200);
}
