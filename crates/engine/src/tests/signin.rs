//! Signing in and out, and who is let in by what.

use bytes::Bytes;
use http::Response;
use model::setting::Settings;
use serde_json::Value;

use super::access::By;
use super::{Bench, JSON, bench_with, field, text};

mod attacks;

const DECLARATION: &str = r#"
title = "The \"Café\""
prefix = "/api"
alias = ["/"]
[resources.users]
login = ["username", "email"]
access = { read = "anyone", create = "anyone", update = ["owner", "admin"], delete = "admin" }
fields.username = { type = "string", unique = true, ignoreCase = true }
fields.email = { type = "string", unique = true, optional = true }
fields.password = { type = "string", format = "password", minLength = 8, optional = true }
fields.role = { enum = ["customer", "admin"], default = "customer", write = "admin" }
[resources.notes]
access = { read = "signed-in", write = "signed-in" }
fields.text = { type = "string" }
[resources.plans]
fields.text = { type = "string" }
"#;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const BROWSER: (&str, &str) = ("accept", "text/html,application/xml;q=0.9,*/*;q=0.8");
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

async fn bench() -> Bench {
    bench_of(Settings::default()).await
}

async fn bench_of(settings: Settings) -> Bench {
    // What declares nothing stays for admins: `bench_with` opens it for the other tests.
    let declaration = DECLARATION.replace(
        "[resources.plans]\n",
        "[resources.plans]\naccess = { read = \"admin\", write = \"admin\" }\n",
    );
    let bench = bench_with(&declaration, settings);
    for user in [
        r#"{"username":"Alice","email":"alice@example.com","password":"correct horse"}"#,
        r#"{"username":"bob","password":"battery staple"}"#,
        r#"{"username":"carol"}"#,
    ] {
        let created = bench.ask("POST /api/users", &[JSON], user).await;
        assert_eq!(created.status(), 201, "{}", text(&created));
    }
    bench
}

fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|_| panic!("{}", text(response)))
}

fn attempt(name: &str, password: &str) -> String {
    format!(r#"{{"username":"{name}","password":"{password}"}}"#)
}

async fn login(bench: &Bench, name: &str, password: &str) -> String {
    let answer = bench.ask("POST /api/login", &[JSON], &attempt(name, password)).await;
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    let token = json(&answer)["token"].as_str().unwrap().to_owned();
    format!("Bearer {token}")
}

#[tokio::test]
async fn a_name_and_a_password_become_a_token() {
    let bench = bench().await;
    for content in [
        attempt("alice", "correct horse"),
        r#"{"email":"alice@example.com","password":"correct horse"}"#.to_owned(),
    ] {
        let answer = bench.ask("POST /login", &[JSON], &content).await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
        assert_eq!(field(&answer, "cache-control"), "no-store");
        assert_eq!(field(&answer, "set-cookie"), "");
        let answer = json(&answer);
        assert_eq!(answer["tokenType"], "Bearer");
        assert!(answer["token"].as_str().unwrap().starts_with("mtds_"), "{answer}");
        assert_eq!(answer["user"]["username"], "Alice");
        assert_eq!(answer["user"]["password"], Value::Null);
        let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
        let read = bench.ask("GET /api/notes", &[("authorization", &bearer)], "").await;
        assert_eq!(read.status(), 200, "{}", text(&read));
        assert_eq!(field(&read, "cache-control"), "private, no-cache");
    }
    let form = "username=Alice&password=correct+horse";
    let answer = bench.ask("POST /api/login", &[FORM, ("accept", "*/*")], form).await;
    assert_eq!(answer.status(), 200, "a program's form: {}", text(&answer));
}

#[tokio::test]
async fn username_is_the_name_of_any_field_unless_one_has_it() {
    let declaration = DECLARATION
        .replace("login = [\"username\", \"email\"]", "login = [\"nick\", \"email\"]")
        .replace("fields.username", "fields.nick");
    let bench = bench_with(&declaration, Settings::default());
    let user = r#"{"nick":"Alice","email":"alice@example.com","password":"correct horse"}"#;
    assert_eq!(bench.ask("POST /api/users", &[JSON], user).await.status(), 201);
    for (name, status) in [("alice", 200), ("alice@example.com", 200), ("al", 401)] {
        let content = attempt(name, "correct horse");
        let answer = bench.ask("POST /api/login", &[JSON], &content).await;
        assert_eq!(answer.status(), status, "{}", text(&answer));
    }
}

#[tokio::test]
async fn whoever_fails_is_told_nothing_and_costs_one_verification() {
    let bench = bench().await;
    let mut said = Vec::new();
    for (name, password) in
        [("nobody", "correct horse"), ("carol", "correct horse"), ("alice", "wrong horse")]
    {
        let before = bench.engine.passwords_verified();
        let answer = bench.ask("POST /api/login", &[JSON], &attempt(name, password)).await;
        assert_eq!(answer.status(), 401, "{}", text(&answer));
        assert_eq!(bench.engine.passwords_verified() - before, 1, "{name}");
        assert_eq!(field(&answer, "www-authenticate"), "Bearer realm=\"The Caf?\"");
        said.push((answer.headers().clone(), answer.body().clone()));
    }
    assert!(said.iter().all(|answer| *answer == said[0]));
    for (content, status) in [
        ("{}", 422),
        (r#"{"username":"alice"}"#, 422),
        (r#"{"username":"alice","password":1}"#, 422),
        (r#"{"username":"alice","email":"a","password":"b"}"#, 422),
        (r#"{"username":"alice","password":"b","remember":"c"}"#, 422),
        ("[", 400),
    ] {
        let before = bench.engine.passwords_verified();
        let answer = bench.ask("POST /api/login", &[JSON], content).await;
        assert_eq!(answer.status(), status, "{content}: {}", text(&answer));
        assert_eq!(bench.engine.passwords_verified(), before);
    }
    let url = bench.ask("POST /login?username=alice&password=x", &[JSON], "{}").await;
    assert_eq!(url.status(), 400, "{}", text(&url));
}

#[tokio::test]
async fn a_browser_gets_a_cookie_and_a_way_on() {
    let mut settings = Settings::default();
    settings.set("origin", "https://shop.example").unwrap();
    let bench = bench_of(settings).await;
    let form = "username=Alice&password=correct+horse";
    for (next, location) in [("", "/"), ("&next=%2Fapi%2Fnotes", "/api/notes")] {
        let content = format!("{form}{next}");
        let answer = bench.ask("POST /api/login", &[FORM, BROWSER, OWN], &content).await;
        assert_eq!((answer.status().as_u16(), field(&answer, "location")), (303, location));
        assert_eq!(field(&answer, "cache-control"), "no-store");
        let cookie = field(&answer, "set-cookie").to_owned();
        assert!(cookie.starts_with("__Host-methodical=mtds_"), "{cookie}");
        let end = "; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure";
        assert!(cookie.ends_with(end), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        let me = bench.ask("GET /api/me", &[("cookie", pair)], "").await;
        assert_eq!(json(&me)["username"], "Alice");
        let out = bench.ask("POST /api/logout", &[FORM, BROWSER, OWN, ("cookie", pair)], "").await;
        assert_eq!(out.status(), 303, "{}", text(&out));
        assert!(field(&out, "set-cookie").starts_with("__Host-methodical=; Path=/; Max-Age=0;"));
        let me = bench.ask("GET /api/me", &[("cookie", pair)], "").await;
        assert_eq!(me.status(), 401, "{}", text(&me));
        let again = bench.ask("POST /api/logout", &[FORM, OWN, ("cookie", pair)], "").await;
        assert_eq!(text(&again), r#"200 {"status":"signed-out"}"#);
    }
    for next in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let content = format!("{form}&next={next}");
        let answer = bench.ask("POST /api/login", &[FORM, BROWSER, OWN], &content).await;
        assert_eq!(answer.status(), 422, "{next}");
    }
}

#[tokio::test]
async fn a_cookie_counts_for_pages_of_ours_alone() {
    let bench = bench().await;
    let bearer = login(&bench, "alice", "correct horse").await;
    let cookie = format!("methodical={}", bearer.strip_prefix("Bearer ").unwrap());
    let note = r#"{"text":"n"}"#;
    let host = ("host", "192.0.2.7:8080");
    let site = |value| ("sec-fetch-site", value);
    let origin = |value| ("origin", value);
    let own = origin("http://192.0.2.7:8080");
    for (fields, status) in [
        (vec![site("same-origin")], 201),
        (vec![site("none")], 201),
        (vec![site("same-site")], 403),
        (vec![site("cross-site")], 403),
        (vec![site("cross-site"), own], 403),
        (vec![own], 201),
        (vec![origin("https://192.0.2.7:8080")], 403),
        (vec![origin("http://evil.example")], 403),
        (vec![origin("null")], 403),
        (vec![origin("http://localhost:5173")], 403),
        (vec![], 403),
    ] {
        let mut all = vec![JSON, host, ("cookie", cookie.as_str())];
        all.extend(fields.iter().copied());
        let answer = bench.ask_from("192.0.2.9", "POST /api/notes", &all, note).await;
        assert_eq!(answer.status(), status, "{fields:?}: {}", text(&answer));
        let answer = bench.ask_from("192.0.2.9", "GET /api/notes", &all[1..], "").await;
        // What a page elsewhere could read by script is read as by nobody.
        let names_another = status == 403 && fields.iter().any(|(name, _)| *name == "origin");
        let read = if names_another { 401 } else { 200 };
        assert_eq!(answer.status(), read, "a read changes nothing: {fields:?}");
        // Authorization is no browser's own doing, and is never completed by a cookie.
        all.push(("authorization", &bearer));
        let answer = bench.ask_from("192.0.2.9", "POST /api/notes", &all, note).await;
        assert_eq!(answer.status(), 201, "{fields:?}: {}", text(&answer));
        let at = all.len() - 1;
        all[at] = ("authorization", "Bearer mtds_x");
        let answer = bench.ask_from("192.0.2.9", "POST /api/notes", &all, note).await;
        assert_eq!(answer.status(), 401, "{fields:?}: {}", text(&answer));
    }
    let sent = attempt("alice", "correct horse");
    for (fields, status) in [
        (vec![], 200),
        (vec![site("same-origin")], 200),
        (vec![own], 200),
        (vec![site("cross-site")], 403),
        (vec![site("same-site")], 403),
        (vec![origin("http://evil.example")], 403),
        (vec![origin("http://localhost:5173")], 403),
        (vec![("cookie", cookie.as_str())], 200),
        (vec![origin("http://evil.example"), ("authorization", bearer.as_str())], 403),
    ] {
        let mut all = vec![JSON, host];
        all.extend(fields.iter().copied());
        let answer = bench.ask_from("192.0.2.9", "POST /api/login", &all, &sent).await;
        assert_eq!(answer.status(), status, "{fields:?}: {}", text(&answer));
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_how() {
    let bench = bench().await;
    let bearer = login(&bench, "bob", "battery staple").await;
    let realm = "Bearer realm=\"The Caf?\"";
    let invalid = format!(
        "{realm}, error=\"invalid_token\", error_description=\"unknown, expired or revoked\""
    );
    let scope = format!("{realm}, error=\"insufficient_scope\"");
    let unknown = format!("Bearer mtds_{}", "A".repeat(43));
    let cases: &[(&str, &[&str], u16, &str)] = &[
        ("GET /api/notes", &[], 401, realm),
        ("HEAD /api/notes", &[], 401, realm),
        ("GET /api/plans", &[], 401, realm),
        ("GET /api/me", &[], 401, realm),
        ("GET /api/me/sessions", &[], 401, realm),
        ("GET /api/audit", &[], 401, realm),
        ("POST /api/logout", &[], 401, realm),
        ("DELETE /api/users/1", &[], 401, realm),
        ("GET /api/users", &[&unknown], 401, &invalid),
        ("GET /api/users", &["Basic YTpi"], 401, realm),
        ("GET /api/users", &["Token abc"], 401, realm),
        ("GET /api/users", &[""], 401, realm),
        ("GET /api/users", &["Bearer"], 401, realm),
        ("GET /api/users", &["Bearer a b"], 401, &invalid),
        ("GET /api/users", &[&bearer, &bearer], 400, ""),
        ("GET /api/plans", &[&bearer], 403, &scope),
        ("HEAD /api/plans", &[&bearer], 403, &scope),
        ("GET /api/audit", &[&bearer], 403, &scope),
        ("DELETE /api/users/1", &[&bearer], 403, &scope),
        ("OPTIONS /api/plans", &[&unknown], 204, ""),
        ("OPTIONS /api/plans", &["Basic YTpi"], 204, ""),
        ("GET /api", &[&unknown], 401, &invalid),
        ("GET /", &["Basic YTpi"], 401, realm),
        ("GET /api", &[&bearer], 200, ""),
        ("GET /healthz", &[&unknown], 200, ""),
        ("GET /problems", &[&unknown], 200, ""),
        ("GET /robots.txt", &[&unknown], 200, ""),
        ("GET /api/users/1", &[], 200, ""),
        ("PUT /api/plans/1", &[], 401, realm),
        ("FROB /api/plans", &[], 501, ""),
        ("GET /api/nothing", &[], 404, ""),
        ("PATCH /api/plans", &[], 405, ""),
        ("PUT /api/login", &[], 405, ""),
    ];
    for (line, bearers, status, challenge) in cases {
        let fields: Vec<_> = bearers.iter().map(|bearer| ("authorization", *bearer)).collect();
        let answer = bench.ask(line, &fields, "").await;
        assert_eq!(answer.status(), *status, "{line} {bearers:?}: {}", text(&answer));
        assert_eq!(field(&answer, "www-authenticate"), *challenge, "{line} {bearers:?}");
        assert!(!line.starts_with("HEAD") || answer.body().is_empty());
        if *status >= 400 {
            assert_eq!(field(&answer, "cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn one_sees_oneself_and_ones_sessions() {
    let bench = bench().await;
    let agent = ("user-agent", "a browser");
    let sent = attempt("bob", "battery staple");
    let first = bench.ask_from("192.0.2.9", "POST /api/login", &[JSON, agent], &sent).await;
    let first = format!("Bearer {}", json(&first)["token"].as_str().unwrap());
    let second = login(&bench, "bob", "battery staple").await;
    let alice = login(&bench, "alice", "correct horse").await;
    let (first, second) = (("authorization", first.as_str()), ("authorization", second.as_str()));
    let me = bench.ask("GET /api/me", &[first], "").await;
    let record = bench.ask("GET /api/users/2", &[first], "").await;
    assert_eq!(me.body(), record.body());
    assert_eq!(field(&me, "content-location"), "/api/users/2");
    assert_eq!(field(&me, "etag"), field(&record, "etag"));
    let tag = ("if-none-match", field(&me, "etag"));
    assert_eq!(bench.ask("GET /api/me", &[first, tag], "").await.status(), 304);
    let sessions = json(&bench.ask("GET /api/me/sessions", &[first], "").await);
    assert_eq!(sessions["total"], 2, "{sessions}");
    let own: Vec<&Value> = sessions["sessions"].as_array().unwrap().iter().collect();
    let current: Vec<_> = own.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["address"], "192.0.2.9");
    assert_eq!(current[0]["userAgent"], "a browser");
    let other = own.iter().find(|session| session["current"] == false).unwrap();
    let line = format!("DELETE /api/me/sessions/{}", other["id"]);
    let foreign = bench.ask(&line, &[("authorization", &alice)], "").await;
    assert_eq!(foreign.status(), 404, "another's session: {}", text(&foreign));
    assert_eq!(bench.ask("GET /api/notes", &[second], "").await.status(), 200);
    let ended = bench.ask(&line, &[first], "").await;
    assert_eq!(text(&ended), r#"200 {"status":"deleted"}"#);
    assert_eq!(bench.ask("GET /api/notes", &[second], "").await.status(), 401, "at once");
    let out = bench.ask("POST /api/logout", &[first], "").await;
    assert_eq!(text(&out), r#"200 {"status":"signed-out"}"#);
    assert_eq!(bench.ask("GET /api/notes", &[first], "").await.status(), 401);
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let bench = bench().await;
    let first = login(&bench, "bob", "battery staple").await;
    let second = login(&bench, "bob", "battery staple").await;
    let (first, second) = (("authorization", first.as_str()), ("authorization", second.as_str()));
    let change = |current: &str, password: &str| {
        format!(r#"{{"current":"{current}","password":"{password}"}}"#)
    };
    for (content, status) in [
        (change("wrong", "another staple"), 422),
        (change("battery staple", "short"), 422),
        (r#"{"password":"another staple"}"#.to_owned(), 422),
    ] {
        let answer = bench.ask("POST /api/me/password", &[first, JSON], &content).await;
        assert_eq!(answer.status(), status, "{content}: {}", text(&answer));
        assert_eq!(bench.ask("GET /api/notes", &[second], "").await.status(), 200);
    }
    let content = change("battery staple", "another staple");
    let answer = bench.ask("POST /api/me/password", &[first, JSON], &content).await;
    assert_eq!(text(&answer), r#"200 {"status":"changed"}"#);
    assert_eq!(bench.ask("GET /api/notes", &[first], "").await.status(), 200, "this one goes on");
    assert_eq!(bench.ask("GET /api/notes", &[second], "").await.status(), 401);
    let old = bench.ask("POST /api/login", &[JSON], &attempt("bob", "battery staple")).await;
    assert_eq!(old.status(), 401);
    login(&bench, "bob", "another staple").await;
}

#[tokio::test]
async fn passwords_are_tried_so_often_and_no_more() {
    let settings = Settings { login_address_max: 6, login_account_max: 3, ..Settings::default() };
    let bench = bench_of(settings).await;
    let (wrong, right) = (attempt("alice", "wrong"), attempt("ALICE", "correct horse"));
    let ask = async |peer: &str, content: &str| {
        let answer = bench.ask_from(peer, "POST /api/login", &[JSON], content).await;
        (answer.status().as_u16(), field(&answer, "retry-after").to_owned())
    };
    for _ in 0..3 {
        assert_eq!(ask("2001:db8::1", &wrong).await.0, 401);
    }
    let (status, after) = ask("2001:db8::2", &right).await;
    assert_eq!(status, 429, "one household, one account");
    assert!((1..=20).contains(&after.parse::<u64>().unwrap()), "{after}");
    assert_eq!(ask("2001:db8:0:1::1", &right).await.0, 200, "never the account alone");
    for _ in 0..2 {
        assert_eq!(ask("2001:db8::3", &attempt("x", "y")).await.0, 401, "another account");
    }
    assert_eq!(ask("2001:db8::3", &attempt("z", "y")).await.0, 429, "one household");
}

#[tokio::test]
async fn a_key_is_of_its_caller() {
    let bench = bench().await;
    let alice = login(&bench, "alice", "correct horse").await;
    let again = login(&bench, "alice", "correct horse").await;
    let bob = login(&bench, "bob", "battery staple").await;
    let key = ("idempotency-key", "short");
    let note = r#"{"text":"n"}"#;
    let post = async |bearer: &str| {
        let fields = [JSON, key, ("authorization", bearer)];
        let answer = bench.ask("POST /api/notes", &fields, note).await;
        assert_eq!(answer.status(), 201, "{}", text(&answer));
        (json(&answer)["id"].to_string(), field(&answer, "idempotent-replayed").to_owned())
    };
    let own = post(&alice).await;
    assert_eq!(post(&again).await, (own.0.clone(), "true".to_owned()), "the user, not the token");
    assert_ne!(post(&bob).await.0, own.0);
    let short = bench.ask("POST /api/users", &[JSON, key], r#"{"username":"dora"}"#).await;
    assert_eq!(short.status(), 400, "{}", text(&short));
    bench.ask("POST /api/logout", &[("authorization", &again)], "").await;
    let fields = [JSON, key, ("authorization", again.as_str())];
    assert_eq!(bench.ask("POST /api/notes", &fields, note).await.status(), 401, "no replay");
    // A session is not to be had twice.
    let login = [JSON, ("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324")];
    let sent = attempt("bob", "battery staple");
    let one = bench.ask("POST /api/login", &login, &sent).await;
    let two = bench.ask("POST /api/login", &login, &sent).await;
    assert_ne!(json(&one)["token"], json(&two)["token"]);
}

#[tokio::test]
async fn whoever_signs_in_is_shown_as_it_sees_itself() {
    let closed =
        DECLARATION.replace("read = \"anyone\", create", "read = \"owner\", create").replace(
            "fields.role",
            "fields.diary = { type = \"string\", default = \"d\", read = \"owner\" }\n\
             fields.rank = { type = \"string\", default = \"r\", read = \"admin\" }\n\
             fields.role",
        );
    for (declaration, shows) in [
        (closed.clone(), true),
        (closed.replace("read = \"owner\", create", "read = \"admin\", create"), false),
    ] {
        let bench = bench_with(&declaration, Settings::default());
        let user = r#"{"username":"alice","password":"correct horse"}"#;
        assert_eq!(bench.ask("POST /api/users", &[JSON], user).await.status(), 201);
        let answer = bench.ask("POST /api/login", &[JSON], user).await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
        let answer = json(&answer);
        let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
        let bearer = ("authorization", bearer.as_str());
        let me = json(&bench.ask("GET /api/me", &[bearer], "").await);
        assert_eq!(me, answer["user"]);
        let record = bench.ask("GET /api/users/1", &[bearer], "").await;
        if shows {
            assert_eq!(me, json(&record));
            assert_eq!((&me["diary"], &me["rank"]), (&"d".into(), &Value::Null));
        } else {
            assert_eq!(record.status(), 403, "{}", text(&record));
            assert_eq!(me, serde_json::json!({ "id": 1 }));
        }
    }
}

#[tokio::test]
async fn what_was_done_is_written_down_once() {
    let bench = bench().await;
    let alice = login(&bench, "alice", "correct horse").await;
    let fields = [JSON, ("authorization", alice.as_str())];
    let key = ("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324");
    let keyed = [JSON, ("authorization", alice.as_str()), key];
    for _ in 0..2 {
        bench.ask("POST /api/notes", &keyed, r#"{"text":"a"}"#).await;
    }
    bench.ask("POST /api/notes", &fields, r#"[{"text":"b"},{"text":"c"}]"#).await;
    bench.ask_from("192.0.2.9", "PATCH /api/notes/1", &fields, r#"{"text":"d"}"#).await;
    bench.ask("PATCH /api/notes/1", &fields, r#"{"text":"d"}"#).await;
    bench.ask("PATCH /api/notes/1", &fields, r#"{"text":5}"#).await;
    let batch = r#"{"operations":[{"method":"POST","path":"/api/notes","body":{"text":"e"}},
        {"method":"DELETE","path":"/api/notes/2"}]}"#;
    let done = bench.ask("POST /api/batch", &fields, batch).await;
    assert_eq!(done.status(), 200, "{}", text(&done));
    bench.ask("POST /api/logout", &fields[1..], "").await;
    let ask = async |target: &str| {
        let answer = bench.by(By::Admin(9), &format!("GET {target}"), &[], "").await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
        json(&answer)
    };
    let all = ask("/api/audit?limit=100").await;
    let acts: Vec<String> = all["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|act| {
            let of = |name: &str| act[name].as_str().unwrap_or("-").to_owned();
            format!(
                "{}:{} {} {}/{} {} {}",
                of("actor"),
                of("actorId"),
                of("operation"),
                of("resource"),
                of("record"),
                act["records"],
                of("address")
            )
        })
        .collect();
    let expected = [
        "user:1 logout users/1 1 ",
        "user:1 delete notes/2 1 ",
        "user:1 create notes/4 1 ",
        "user:1 update notes/1 1 192.0.2.9",
        "user:1 create notes/- 2 ",
        "user:1 create notes/1 1 ",
        "user:1 login users/1 1 ",
        "nobody:- create users/3 1 ",
        "nobody:- create users/2 1 ",
        "nobody:- create users/1 1 ",
    ];
    assert_eq!(acts, expected);
    let first = ask("/api/audit?limit=4&actor=user").await;
    assert_eq!(first["audit"].as_array().unwrap().len(), 4);
    let second = ask(first["next"].as_str().unwrap()).await;
    assert_eq!(second["audit"].as_array().unwrap().len(), 3, "{second}");
    assert_eq!(second["next"], Value::Null);
    let of = ask("/api/audit?resource=notes&record=1&operation=update").await;
    assert_eq!(of["audit"].as_array().unwrap().len(), 1);
    for bad in ["resource=x", "record=1", "limit=0", "since=now", "before=x", "what=1", "refused=1"]
    {
        let answer = bench.by(By::Admin(9), &format!("GET /api/audit?{bad}"), &[], "").await;
        assert_eq!(answer.status(), 400, "{bad}: {}", text(&answer));
    }
}

#[tokio::test]
async fn a_record_of_a_bulk_is_found_in_the_audit_log() {
    let bench = bench().await;
    let alice = login(&bench, "alice", "correct horse").await;
    let fields = [JSON, ("authorization", alice.as_str())];
    bench.ask("POST /api/notes", &fields, r#"[{"text":"b"},{"text":"c"}]"#).await;
    let ask = async |query: &str| {
        bench.by(By::Admin(9), &format!("GET /api/audit?{query}"), &[], "").await
    };
    let of = json(&ask("resource=notes&record=2").await);
    let bulk = &of["audit"][0];
    assert_eq!((&bulk["first"], &bulk["last"]), (&"1".into(), &"2".into()), "{of}");
    assert_eq!(json(&ask("resource=notes&record=3").await)["audit"], Value::Array(Vec::new()));
    for (bad, known) in [("actor=1", "operator"), ("operation=bogus", "create-key")] {
        let answer = ask(bad).await;
        assert_eq!(answer.status(), 400, "{bad}: {}", text(&answer));
        assert!(text(&answer).contains(known), "{}", text(&answer));
    }
}

#[tokio::test]
async fn what_was_refused_is_told_to_admins() {
    let bench = bench().await;
    let bob = login(&bench, "bob", "battery staple").await;
    bench.ask_from("192.0.2.9", "GET /api/plans", &[], "").await;
    bench.ask("GET /api/plans", &[("authorization", &bob)], "").await;
    bench.ask("GET /api/users/99", &[], "").await;
    let refused = bench.by(By::Admin(9), "GET /api/audit?refused=true", &[], "").await;
    let refused = json(&refused);
    assert_eq!(refused["total"], 2, "{refused}");
    let of = |at: usize, name: &str| refused["refused"][at][name].clone();
    assert_eq!((of(0, "status"), of(0, "actor")), (403.into(), "user:2".into()));
    assert_eq!((of(1, "status"), of(1, "actor")), (401.into(), "nobody".into()));
    assert_eq!((of(1, "address"), of(1, "kind")), ("192.0.2.9".into(), "not-signed-in".into()));
    assert_eq!(of(1, "route"), "/{resource}");
    assert!(of(1, "requestId").is_string());
    let secret = bench.ask("GET /api/users?api_key=sk-1234567890abcdef", &[], "").await;
    assert_eq!(secret.status(), 400, "{}", text(&secret));
    let ask = async |query: &str| {
        bench.by(By::Admin(9), &format!("GET /api/audit?refused=true&{query}"), &[], "").await
    };
    let newest = json(&ask("limit=1").await);
    assert_eq!((&newest["total"], &newest["refused"][0]["status"]), (&1.into(), &400.into()));
    let first = &newest["refused"][0];
    assert_eq!((&first["kind"], &first["route"]), (&"secret-in-url".into(), &"/{resource}".into()));
    assert!(!newest.to_string().contains("sk-"), "{newest}");
    for wrong in ["limit=0", "limit=1001", "limit=x", "actor=user"] {
        assert_eq!(ask(wrong).await.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn what_goes_along_with_a_deletion_is_written_down_too() {
    let declaration = "title = \"T\"\nprefix = \"/api\"\n\
        [resources.users]\nlogin = [\"name\"]\n\
        fields.name = { type = \"string\", unique = true }\n\
        fields.password = { type = \"string\", format = \"password\", optional = true }\n\
        fields.role = { enum = [\"customer\", \"admin\"], default = \"customer\" }\n\
        [resources.subs]\n\
        fields.user = { references = \"users\", onDelete = \"cascade\" }\n\
        [resources.notes]\nid = \"text\"\n\
        fields.user = { references = \"users\", optional = true, onDelete = \"clear\" }\n";
    let bench = bench_with(declaration, Settings::default());
    bench.ask("POST /api/users", &[JSON], r#"{"name":"a"}"#).await;
    bench.ask("POST /api/subs", &[JSON], r#"[{"user":1},{"user":1}]"#).await;
    bench.ask("POST /api/notes", &[JSON], r#"{"id":"n","user":1}"#).await;
    let gone = bench.ask("DELETE /api/users/1", &[], "").await;
    assert_eq!(gone.status(), 200, "{}", text(&gone));
    for (query, expected) in [
        ("resource=subs&record=1", vec!["delete", "create"]),
        ("resource=subs&record=2", vec!["delete", "create"]),
        ("resource=notes&record=n", vec!["update", "create"]),
        ("resource=users&record=1", vec!["delete", "create"]),
    ] {
        let answer = bench.by(By::Admin(9), &format!("GET /api/audit?{query}"), &[], "").await;
        let answer = json(&answer);
        let acts = answer["audit"].as_array().unwrap();
        let done: Vec<&str> = acts.iter().map(|act| act["operation"].as_str().unwrap()).collect();
        assert_eq!(done, expected, "{query}: {answer}");
    }
}
