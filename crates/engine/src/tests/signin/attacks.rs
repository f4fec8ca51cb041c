//! What was tried against signing in, and what comes of it.

use futures_util::future;

use super::{
    BROWSER, Bench, Bytes, DECLARATION, FORM, JSON, OWN, Response, Settings, Value, attempt, bench,
    bench_of, bench_with, field, json, login, text,
};

const PEER: &str = "192.0.2.9";

fn status(answer: &Response<Bytes>) -> u16 {
    answer.status().as_u16()
}

#[tokio::test]
async fn passwords_that_are_set_count_by_address_unless_an_admin_sets_them() {
    let settings = Settings { sign_ups_max: 5, ..Settings::default() };
    let bench = bench_of(settings).await;
    let rows = |from: usize, to: usize| {
        let row = |at| format!("{{\"username\":\"u{at}\",\"password\":\"correct horse\"}}\n");
        (from..to).map(row).collect::<String>()
    };
    let lines = ("content-type", "application/x-ndjson");
    let post = async |peer: &str, fields: &[(&str, &str)], content: &str| {
        bench.ask_from(peer, "POST /api/users", fields, content).await
    };
    assert_eq!(status(&post(PEER, &[lines], &rows(0, 4)).await), 201);
    let over = post(PEER, &[lines], &rows(10, 12)).await;
    assert_eq!(status(&over), 429, "each of many counts: {}", text(&over));
    assert!(field(&over, "retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    let none = post(PEER, &[JSON], r#"{"username":"v"}"#).await;
    assert_eq!(status(&none), 201, "no password: {}", text(&none));
    assert_eq!(status(&post("192.0.2.10", &[lines], &rows(20, 22)).await), 201, "elsewhere");
    let admin = super::By::Admin(9);
    for from in [30, 40] {
        let answer = bench.by(admin, "POST /api/users", &[lines], &rows(from, from + 5)).await;
        assert_eq!(status(&answer), 201, "{}", text(&answer));
    }
}

#[tokio::test]
async fn sign_ups_keep_no_login_waiting() {
    let settings = Settings { login_threads: 1, ..Settings::default() };
    let bench = bench_of(settings).await;
    let row = |at| format!("{{\"username\":\"s{at}\",\"password\":\"correct horse\"}}\n");
    let content = |first: usize| (first..first + 25).map(row).collect::<String>();
    let lines = ("content-type", "application/x-ndjson");
    let [one, two] = [content(0), content(100)];
    let fields = [lines];
    let bulks = future::join(
        bench.ask_from("192.0.2.1", "POST /api/users", &fields, &one),
        bench.ask_from("192.0.2.2", "POST /api/users", &fields, &two),
    );
    let right = attempt("alice", "correct horse");
    let login = bench.ask_from(PEER, "POST /api/login", &[JSON], &right);
    let (bulks, login) = (Box::pin(bulks), Box::pin(login));
    match future::select(bulks, login).await {
        future::Either::Right((answer, _)) => assert_eq!(status(&answer), 200),
        future::Either::Left(_) => panic!("50 sign-ups went before one login"),
    }
}

#[tokio::test]
async fn what_comes_to_no_password_uses_up_no_attempt() {
    let settings = Settings { login_address_max: 2, ..Settings::default() };
    let bench = bench_of(settings).await;
    let ask = async |fields: &[(&str, &str)], content: &str| {
        status(&bench.ask_from(PEER, "POST /api/login", fields, content).await)
    };
    let right = attempt("alice", "correct horse");
    let foreign = ("sec-fetch-site", "cross-site");
    for _ in 0..3 {
        assert_eq!(ask(&[JSON], r#"{"username":"alice"}"#).await, 422);
        assert_eq!(ask(&[JSON, foreign], &right).await, 403);
    }
    assert_eq!((ask(&[JSON], &right).await, ask(&[JSON], &right).await), (200, 200));
    assert_eq!(ask(&[JSON], &right).await, 429);
    assert_eq!(ask(&[JSON], r#"{"username":"alice"}"#).await, 429, "before it is read");
}

#[tokio::test]
async fn one_user_is_one_account_under_each_of_its_names() {
    let settings = Settings { login_account_max: 4, ..Settings::default() };
    let bench = bench_of(settings).await;
    let ask = async |content: &str| {
        status(&bench.ask_from(PEER, "POST /api/login", &[JSON], content).await)
    };
    for _ in 0..2 {
        assert_eq!(ask(&attempt("alice", "wrong")).await, 401);
        assert_eq!(ask(r#"{"email":"alice@example.com","password":"wrong"}"#).await, 401);
    }
    assert_eq!(ask(&attempt("ALICE", "correct horse")).await, 429);
    assert_eq!(ask(r#"{"email":"alice@example.com","password":"wrong"}"#).await, 429);
    // Whether somebody has a name does not show: in whatever case it is written.
    for name in ["bob", "nobody"] {
        let upper = name.to_uppercase();
        for name in [name, &upper, name, &upper] {
            assert_eq!(ask(&attempt(name, "wrong")).await, 401, "{name}");
        }
        assert_eq!(ask(&attempt(name, "wrong")).await, 429, "{name}");
    }
}

#[tokio::test]
async fn no_password_is_longer_than_anybody_needs() {
    let bench = bench().await;
    let user = |length: usize| {
        format!(r#"{{"username":"u{length}","password":"{}"}}"#, "ä".repeat(length))
    };
    assert_eq!(status(&bench.ask("POST /api/users", &[JSON], &user(1024)).await), 201);
    let long = bench.ask("POST /api/users", &[JSON], &user(1025)).await;
    assert_eq!(status(&long), 422);
    assert!(text(&long).contains("1024 characters"), "{}", text(&long));
    assert_eq!(status(&bench.ask("POST /api/login", &[JSON], &user(1024)).await), 200);
    let before = bench.engine.passwords_verified();
    let failed = bench.ask("POST /api/login", &[JSON], &attempt("alice", "wrong")).await;
    let endless = attempt("alice", &"x".repeat(900_000));
    let endless = bench.ask("POST /api/login", &[JSON], &endless).await;
    assert_eq!((status(&endless), endless.body()), (401, failed.body()));
    assert_eq!(bench.engine.passwords_verified() - before, 2);
    let longer = DECLARATION.replace("minLength = 8", "minLength = 8, maxLength = 1500");
    let bench = bench_with(&longer, Settings::default());
    assert_eq!(status(&bench.ask("POST /api/users", &[JSON], &user(1025)).await), 201);
    assert_eq!(status(&bench.ask("POST /api/login", &[JSON], &user(1025)).await), 200);
}

#[tokio::test]
async fn a_wrong_present_password_is_a_member_that_is_wrong() {
    let bench = bench().await;
    let bearer = login(&bench, "bob", "battery staple").await;
    let bearer = ("authorization", bearer.as_str());
    let content = r#"{"current":"wrong","password":"another staple"}"#;
    let before = bench.engine.passwords_verified();
    let answer = bench.ask("POST /api/me/password", &[bearer, JSON], content).await;
    assert_eq!(status(&answer), 422);
    assert_eq!(field(&answer, "www-authenticate"), "");
    let answer = json(&answer);
    assert_eq!(answer["type"], "/problems/invalid");
    assert_eq!(answer["errors"][0]["pointer"], "/current");
    assert_eq!(answer["errors"][0]["detail"], "is not the present password");
    assert_eq!(bench.engine.passwords_verified() - before, 1);
}

#[tokio::test]
async fn every_form_of_a_browser_leads_on() {
    let settings =
        Settings { login_account_max: 100, login_address_max: 100, ..Settings::default() };
    let bench = bench_of(settings).await;
    let multipart = ("content-type", "multipart/form-data; boundary=b");
    let parts = |pairs: &[(&str, &str)]| {
        let part = |(name, value): &(&str, &str)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        pairs.iter().map(part).collect::<String>() + "--b--\r\n"
    };
    let by_parts =
        parts(&[("username", "alice"), ("password", "correct horse"), ("next", "/api/notes")]);
    let by_pairs = "username=alice&password=correct+horse&next=/api/notes";
    for accept in ["text/html", "text/*", BROWSER.1, "TEXT/HTML;q=0.9"] {
        let accept = ("accept", accept);
        for (form, content) in [(multipart, by_parts.as_str()), (FORM, by_pairs)] {
            let answer = bench.ask("POST /api/login", &[form, accept, OWN], content).await;
            assert_eq!(status(&answer), 303, "{accept:?} {form:?}: {}", text(&answer));
            assert_eq!(field(&answer, "location"), "/api/notes");
            let cookie = field(&answer, "set-cookie").split(';').next().unwrap().to_owned();
            let cookie = ("cookie", cookie.as_str());
            let same = "current=correct+horse&password=correct+horse&next=";
            let wrong = "current=wrong&password=correct+horse";
            for (content, expected) in [(wrong, 422), (same, 303)] {
                let fields = [FORM, accept, OWN, cookie];
                let answer = bench.ask("POST /api/me/password", &fields, content).await;
                assert_eq!(status(&answer), expected, "{accept:?}: {}", text(&answer));
                assert_eq!(field(&answer, "set-cookie"), "");
                assert!(expected != 303 || field(&answer, "location") == "/");
            }
            let out = bench.ask("POST /api/logout", &[FORM, accept, OWN, cookie], "").await;
            assert_eq!(status(&out), 303, "{}", text(&out));
        }
    }
    for accept in ["*/*", "application/json", "application/json, text/*;q=0.1"] {
        let answer =
            bench.ask("POST /api/login", &[multipart, ("accept", accept)], &by_parts).await;
        assert_eq!(status(&answer), 200, "{accept}");
    }
    let wrong = "username=alice&password=wrong";
    let answer = bench.ask("POST /api/login", &[FORM, ("accept", "text/html"), OWN], wrong).await;
    assert_eq!(status(&answer), 401, "an error is sent whatever Accept says");
    let form = [FORM, BROWSER, OWN];
    let token = format!("mtds_{}", "A".repeat(43));
    for (next, expected) in [("", 303), ("/a%3Fb=1%23c", 303), (&format!("/a%3Fb={token}"), 422)] {
        let content = format!("username=alice&password=correct+horse&next={next}");
        let answer = bench.ask("POST /api/login", &form, &content).await;
        assert_eq!(status(&answer), expected, "{next}: {}", text(&answer));
    }
}

#[tokio::test]
async fn a_token_is_taken_from_authorization_alone() {
    let declaration = format!(
        "{DECLARATION}[resources.pages]\nid = \"text\"\n\
         fields.text = {{ type = \"string\" }}\nfields.more = {{ optional = true }}\n"
    );
    let bench = bench_with(&declaration, Settings::default());
    let [session, key] = ["mtds_", "mtdk_"].map(|prefix| format!("{prefix}{}", "Ab1-_".repeat(9)));
    let [session, key] = [&session[..48], &key[..48]];
    let lines = ("content-type", "application/x-ndjson");
    let merge = ("content-type", "application/merge-patch+json");
    for (line, fields, content, at) in [
        ("POST /api/pages", JSON, format!(r#"{{"text":"{session}"}}"#), "/text"),
        (
            "POST /api/pages",
            JSON,
            format!(r#"{{"text":"a","more":[{{"b":"{key}"}}]}}"#),
            "/more/0/b",
        ),
        ("POST /api/pages", JSON, format!(r#"[{{"text":"a"}},{{"text":" {key} "}}]"#), "/1/text"),
        (
            "POST /api/pages",
            lines,
            format!("{{\"text\":\"a\"}}\n{{\"text\":\"{key}\"}}"),
            "/1/text",
        ),
        ("POST /api/pages", ("content-type", "text/csv"), format!("text\n{key}\n"), "/0/text"),
        ("POST /api/pages", FORM, format!("text={session}"), "/text"),
        ("POST /api/pages", FORM, "text=a&access_token=b".to_owned(), "/access_token"),
        ("PATCH /api/pages/a", merge, format!(r#"{{"text":"{key}"}}"#), "/text"),
        ("QUERY /api/pages", JSON, format!(r#"{{"text":"{key}"}}"#), "/text"),
        ("QUERY /api/pages", FORM, format!("text={key}"), "/text"),
        ("POST /api/login", JSON, attempt("alice", session), "/password"),
        ("POST /api/login", FORM, "access_token=b".to_owned(), "/access_token"),
        ("POST /api/login", JSON, format!(r#"{{"{key}":"{key}"}}"#), ""),
    ] {
        let answer = bench.ask(line, &[fields], &content).await;
        assert_eq!(status(&answer), 400, "{line} {content}: {}", text(&answer));
        assert!(!text(&answer).contains(session) && !text(&answer).contains(key));
        let answer = json(&answer);
        assert_eq!(answer["type"], "/problems/secret-in-content");
        assert_eq!(answer["errors"][0]["pointer"], at, "{line} {content}");
    }
    for line in [
        format!("GET /api/pages/{session}"),
        format!("PUT /api/pages/{key}"),
        format!("GET /api/pages/%6dtds_{}", &session[5..]),
        format!("GET /api/nothing/{key}/x"),
        format!("DELETE /api/me/sessions/{session}"),
    ] {
        let answer = bench.ask(&line, &[JSON], "").await;
        assert_eq!(status(&answer), 400, "{line}: {}", text(&answer));
        assert_eq!(json(&answer)["type"], "/problems/secret-in-url");
        assert!(!text(&answer).contains(&session[5..]));
        let report = answer.extensions().get::<crate::report::Report>().unwrap();
        assert_eq!(report.path, None, "{line} is not logged");
    }
    // Speaking of tokens is no leak.
    let about = r#"{"text":"Tokens begin with mtds_"}"#;
    assert_eq!(status(&bench.ask("POST /api/pages", &[JSON], about).await), 201);
}

#[tokio::test]
async fn a_cookie_is_of_a_session_and_nothing_beside_authorization() {
    let bench = bench().await;
    let bearer = login(&bench, "alice", "correct horse").await;
    let other = login(&bench, "bob", "battery staple").await;
    let cookie = format!("methodical={}", other.strip_prefix("Bearer ").unwrap());
    let (bearer, cookie) = (("authorization", bearer.as_str()), ("cookie", cookie.as_str()));
    for fields in [&[bearer, cookie][..], &[bearer, cookie, FORM, BROWSER, OWN]] {
        let again = login(&bench, "alice", "correct horse").await;
        let mut fields = fields.to_vec();
        fields[0] = ("authorization", &again);
        let out = bench.ask("POST /api/logout", &fields, "").await;
        assert!([200, 303].contains(&status(&out)), "{}", text(&out));
        assert_eq!(field(&out, "set-cookie"), "", "of the other session nothing is said");
        assert_eq!(status(&bench.ask("GET /api/me", &[fields[0]], "").await), 401);
        assert_eq!(status(&bench.ask("GET /api/me", &[cookie], "").await), 200);
    }
    let origin = [OWN, ("origin", "http://a.example"), ("origin", "http://a.example")];
    let note = r#"{"text":"n"}"#;
    for doubled in [&origin[..], &[OWN, OWN]] {
        let fields: Vec<_> = doubled.iter().copied().chain([JSON, cookie]).collect();
        let answer = bench.ask("POST /api/notes", &fields, note).await;
        assert_eq!(status(&answer), 400, "{}", text(&answer));
    }
}

#[tokio::test]
async fn a_json_patch_of_a_password_says_where_that_is_changed() {
    let bench = bench().await;
    let bearer = login(&bench, "bob", "battery staple").await;
    let patch = ("content-type", "application/json-patch+json");
    let fields = [patch, ("authorization", bearer.as_str())];
    for (op, expected) in [("replace", 422), ("add", 403)] {
        let content = format!(r#"[{{"op":"{op}","path":"/password","value":"a new staple"}}]"#);
        let answer = bench.ask("PATCH /api/users/2", &fields, &content).await;
        assert_eq!(status(&answer), expected, "{}", text(&answer));
        assert!(text(&answer).contains("/api/me/password"), "{}", text(&answer));
    }
}

/// The declaration of these tests, with what a note shows to editors alone.
async fn edited() -> Bench {
    let declaration = DECLARATION
        .replace("[\"customer\", \"admin\"]", "[\"customer\", \"editor\", \"admin\"]")
        .replace(
            "fields.text",
            "fields.hint = { type = \"string\", default = \"h\", read = \"editor\" }\nfields.text",
        );
    let bench = bench_with(&declaration, Settings::default());
    let user = r#"{"username":"alice","password":"correct horse"}"#;
    assert_eq!(status(&bench.ask("POST /api/users", &[JSON], user).await), 201);
    bench
}

async fn role(bench: &Bench, role: &str) {
    let content = format!(r#"{{"role":"{role}"}}"#);
    let done = bench.by(super::By::Admin(9), "PATCH /api/users/1", &[JSON], &content).await;
    assert_eq!(status(&done), 200, "{}", text(&done));
}

#[tokio::test]
async fn a_stored_answer_is_not_shown_under_narrower_rules() {
    let bench = edited().await;
    role(&bench, "editor").await;
    let bearer = login(&bench, "alice", "correct horse").await;
    let batch = r#"{"operations":[{"method":"POST","path":"/api/notes","body":{"text":"n"}}]}"#;
    let key = ("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324");
    let fields = [JSON, key, ("authorization", bearer.as_str())];
    for (line, content) in [("POST /api/notes", r#"{"text":"n"}"#), ("POST /api/batch", batch)] {
        role(&bench, "editor").await;
        let first = bench.ask(line, &fields, content).await;
        assert!(status(&first) < 300 && text(&first).contains("\"hint\""), "{}", text(&first));
        let again = bench.ask(line, &fields, content).await;
        assert_eq!((again.body(), field(&again, "idempotent-replayed")), (first.body(), "true"));
        role(&bench, "customer").await;
        let less = bench.ask(line, &fields, content).await;
        assert_eq!(status(&less), 403, "{}", text(&less));
        assert_eq!(json(&less)["type"], "/problems/replay-withheld");
        assert!(text(&less).contains("carried out") && text(&less).contains("notes"));
        assert!(!text(&less).contains("hint") && field(&less, "www-authenticate").is_empty());
        role(&bench, "admin").await;
        let more = bench.ask(line, &fields, content).await;
        assert_eq!(more.body(), first.body(), "whoever sees all is shown nothing new");
    }
    let list = json(&bench.ask("GET /api/notes", &fields[2..], "").await);
    assert_eq!(list["total"], Value::from(2), "nothing was done again: {list}");
}
