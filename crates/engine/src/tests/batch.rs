//! Several writes as one: all of them or none, each as a request of its own would be.

use http::Response;
use model::setting::Settings;
use serde_json::{Value as Json, json};

use super::access::By;
use super::{Bench, JSON, KEY, bench, bench_of, bench_with, field, text};
use bytes::Bytes;

const DECLARATION: &str = r#"
title = "Batch"
alias = ["/"]
[resources.teams]
fields.name = { type = "string", unique = true }
fields.note = { type = "string", optional = true }
fields.code = { type = "string", writeOnly = true, optional = true }
[resources.players]
fields.team = { references = "teams", onDelete = "cascade" }
fields.name = { type = "string", default = "" }
fields.extra = { optional = true }
[resources.goals]
fields.player = { references = "players", onDelete = "cascade" }
[resources.names]
id = "text"
fields.text = { type = "string", default = "" }
[resources.marks]
id = "uuid"
fields.text = { type = "string", default = "" }
[resources.users]
login = ["name"]
fields.name = { type = "string", unique = true }
fields.password = { type = "string", format = "password", optional = true }
"#;

async fn send(bench: &Bench, operations: &str) -> Response<Bytes> {
    let content = format!(r#"{{"operations":[{operations}]}}"#);
    bench.ask("POST /api/batch", &[JSON], &content).await
}

fn json(response: &Response<Bytes>) -> Json {
    serde_json::from_slice(response.body()).unwrap()
}

/// The pointers of a problem.
fn pointers(response: &Response<Bytes>) -> Vec<String> {
    let errors = json(response)["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["pointer"].as_str().unwrap_or("-").to_owned()).collect()
}

const TEAM: &str = r#"{"method":"POST","path":"/api/teams","body":{"name":"A"}}"#;

#[tokio::test]
async fn operations_are_done_in_order_and_see_each_other() {
    let bench = bench_of(DECLARATION);
    let done = send(
        &bench,
        r#"{"method":"POST","path":"/api/teams","body":{"name":"A"}},
           {"method":"POST","path":"/players","body":{"team":"$1.id","name":"$1.name"}},
           {"method":"PATCH","path":"/api/teams/$2.team","body":{"note":"$$1.id"}},
           {"method":"PATCH","path":"/api/teams/$1.id?utm_a=b","body":{"note":"at $1.id"}},
           {"method":"DELETE","path":"/api/players/$2.id"}"#,
    )
    .await;
    assert_eq!(done.status(), 200, "{}", text(&done));
    assert_eq!(field(&done, "cache-control"), "no-store");
    assert_eq!(field(&done, "cache-group-invalidation"), r#""teams", "players", "goals""#);
    let results = json(&done)["results"].as_array().unwrap().clone();
    let statuses: Vec<_> = results.iter().map(|each| each["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 200, 200, 200]);
    assert_eq!(results[0]["headers"]["location"], "/api/teams/1");
    assert_eq!(results[1]["body"]["team"], 1);
    assert_eq!(results[1]["body"]["name"], "A");
    assert_eq!(results[2]["body"]["note"], "$1.id");
    assert_eq!(results[3]["body"]["note"], "at $1.id");
    assert_eq!(results[4]["body"]["status"], "deleted");
    // One record changed twice in one batch is later each time.
    let moments: Vec<_> = [0, 2, 3]
        .iter()
        .map(|at| results[*at]["body"]["updatedAt"].as_str().unwrap().to_owned())
        .collect();
    assert!(moments[0] < moments[1] && moments[1] < moments[2], "{moments:?}");
    let team = bench.ask("GET /api/teams/1", &[], "").await;
    assert_eq!(field(&team, "etag"), results[3]["headers"]["etag"]);
    assert_eq!(json(&team), results[3]["body"]);
    assert_eq!(bench.ask("GET /api/players/1", &[], "").await.status(), 404);
}

#[tokio::test]
async fn a_failure_undoes_all_and_says_which_it_was() {
    let bench = bench_of(DECLARATION);
    for (second, status, expected) in [
        (r#"{"method":"PATCH","path":"/api/teams/9","body":{}}"#, 404, vec!["/operations/1"]),
        (
            r#"{"method":"POST","path":"/api/teams","body":{"name":"A"}}"#,
            409,
            vec!["/operations/1", "/operations/1/body/name"],
        ),
        (
            r#"{"method":"POST","path":"/api/teams","body":{"name":1,"nmae":2}}"#,
            422,
            vec!["/operations/1", "/operations/1/body/name", "/operations/1/body/nmae"],
        ),
        (
            r#"{"method":"PATCH","path":"/api/teams/$1.id","headers":{"if-match":"\"x.j\""},
               "body":{}}"#,
            412,
            vec!["/operations/1", "/operations/1/headers/If-Match"],
        ),
        (
            r#"{"method":"POST","path":"/api/players","body":{"team":77}}"#,
            422,
            vec!["/operations/1", "/operations/1/body/team"],
        ),
        (
            r#"{"method":"POST","path":"/api/players","body":{"team":"$1.note"}}"#,
            422,
            vec!["/operations/1", "/operations/1/body/team"],
        ),
        (
            r#"{"method":"PATCH","path":"/api/teams/$1.note","body":{}}"#,
            422,
            vec!["/operations/1", "/operations/1/path"],
        ),
        (r#"{"method":"PATCH","path":"/api/teams/$1.name","body":{}}"#, 404, vec!["/operations/1"]),
        (
            r#"{"method":"PATCH","path":"/api/teams/$1.id",
               "headers":{"content-type":"application/json-patch+json"},
               "body":[{"op":"test","path":"/name","value":"B"}]}"#,
            409,
            vec!["/operations/1", "/operations/1/body/0/value"],
        ),
    ] {
        let refused = send(&bench, &format!("{TEAM},{second}")).await;
        assert_eq!(refused.status(), status, "{}", text(&refused));
        assert_eq!(pointers(&refused), expected, "{}", text(&refused));
        let detail = json(&refused)["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("Operation 2 of the batch"), "{detail}");
        let list = json(&bench.ask("GET /api/teams", &[], "").await);
        assert_eq!(list["total"], 0, "{second}");
    }
    // The ids of what was undone are given to the next.
    let done = send(&bench, TEAM).await;
    assert_eq!(json(&done)["results"][0]["body"]["id"], 1);
}

#[tokio::test]
async fn what_cannot_be_right_is_told_at_once_before_anything_is_done() {
    let bench = bench_of(DECLARATION);
    for (operations, status, expected) in [
        (
            r#"{"method":"DELETE","path":"/api/teams"},
               {"method":"POST","path":"/api/teems","body":{}},
               {"method":"GET","path":"/api/teams/1"},
               {"method":"POST","path":"/api/batch","body":{}},
               {"method":"POST","path":"/api/teams?token=abc","body":{}},
               {"method":"POST","path":"/api/teams?x=1","body":{}}"#,
            405,
            vec![
                "/operations/0",
                "/operations/0/path",
                "/operations/1",
                "/operations/1/path",
                "/operations/2",
                "/operations/2/method",
                "/operations/3",
                "/operations/3/path",
                "/operations/4",
                "/operations/4/path",
                "/operations/5",
                "/operations/5/path",
            ],
        ),
        (
            r#"{"method":"POST","path":"/api/teams","body":[{"name":"A"}]}"#,
            422,
            vec!["/operations/0", "/operations/0/body"],
        ),
        (
            r#"{"method":"POST","path":"/api/teams","headers":{"content-type":"text/plain"},
               "body":{}}"#,
            415,
            vec!["/operations/0"],
        ),
        (
            r#"{"method":"POST","path":"/api/teams","body":{},
               "headers":{"content-type":"application/x-www-form-urlencoded"}}"#,
            415,
            vec!["/operations/0"],
        ),
        (
            r#"{"method":"PATCH","path":"/api/teams/1","headers":{"if-match":"x"},"body":{}}"#,
            400,
            vec!["/operations/0", "/operations/0/headers/If-Match"],
        ),
    ] {
        let refused = send(&bench, operations).await;
        assert_eq!(refused.status(), status, "{}", text(&refused));
        assert_eq!(pointers(&refused), expected, "{}", text(&refused));
        assert!(!text(&refused).contains("abc"), "{}", text(&refused));
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(bench.ask("POST /api/batch", &form, "operations=1").await.status(), 415);
}

#[tokio::test]
async fn references_lead_to_earlier_records_and_what_they_show() {
    let bench = bench_of(DECLARATION);
    for (second, place, said) in [
        (r#"{"team":"$2.id"}"#, "body/team", "only $1 to $1"),
        (r#"{"team":"$9.id"}"#, "body/team", "only $1 to $1"),
        (r#"{"team":"$1.nmae"}"#, "body/team", "$1.name"),
        (r#"{"team":"$1.code"}"#, "body/team", "no such member"),
        (r#"{"team":1,"extra":[{"a":"$1.code"}]}"#, "body/extra/0/a", "no such member"),
        (r#"{"team":"$1.id.deep"}"#, "body/team", "has no `id.deep`"),
        (r#""$1.note""#, "body", "is one reference"),
    ] {
        let player = format!(r#"{{"method":"POST","path":"/api/players","body":{second}}}"#);
        let refused = send(&bench, &format!("{TEAM},{player}")).await;
        assert_eq!(refused.status(), 422, "{}", text(&refused));
        assert_eq!(
            pointers(&refused),
            ["/operations/1".to_owned(), format!("/operations/1/{place}")]
        );
        assert!(text(&refused).contains(said), "{}", text(&refused));
    }
    let first =
        send(&bench, r#"{"method":"POST","path":"/api/teams","body":{"name":"$1.id"}}"#).await;
    assert!(text(&first).contains("none is before the first"), "{}", text(&first));
    let gone = send(
        &bench,
        r#"{"method":"DELETE","path":"/api/teams/1"},
           {"method":"POST","path":"/api/teams","body":{"name":"$1.id"}}"#,
    )
    .await;
    assert_eq!(gone.status(), 422, "{}", text(&gone));
    assert!(text(&gone).contains("leaves no record"), "{}", text(&gone));
}

#[tokio::test]
async fn ids_of_every_kind_are_drawn_and_referred_to() {
    let bench = bench_of(DECLARATION);
    let done = send(
        &bench,
        r#"{"method":"POST","path":"/api/marks","body":{}},
           {"method":"POST","path":"/api/marks","body":{"text":"$1.id"}},
           {"method":"PUT","path":"/api/names/a.b","body":{}},
           {"method":"PUT","path":"/api/names/$3.id","body":{"text":"again"}},
           {"method":"PATCH","path":"/api/marks/$2.text","body":{"text":"by text"}},
           {"method":"DELETE","path":"/api/names/$4.id"},
           {"method":"PUT","path":"/api/names/a.b","headers":{"If-None-Match":"*"},"body":{}},
           {"method":"POST","path":"/api/teams","body":{"name":"with space"}},
           {"method":"PUT","path":"/api/names/$8.id","body":{}}"#,
    )
    .await;
    assert_eq!(done.status(), 200, "{}", text(&done));
    let results = json(&done)["results"].as_array().unwrap().clone();
    let id = |at: usize| results[at]["body"]["id"].clone();
    assert_ne!(id(0), id(1));
    assert_eq!(results[1]["body"]["text"], id(0));
    assert_eq!(id(4), id(0));
    let statuses: Vec<_> = results.iter().map(|each| each["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 201, 200, 200, 200, 201, 201, 201]);
    assert_eq!(id(8), "1");
}

#[tokio::test]
async fn a_keyed_batch_is_done_once_and_replayed_byte_for_byte() {
    let bench = bench_of(DECLARATION);
    let content = format!(r#"{{"operations":[{TEAM}]}}"#);
    let first = bench.ask("POST /api/batch", &[JSON, KEY], &content).await;
    let again = bench.ask("POST /batch", &[JSON, KEY], &content).await;
    assert_eq!((first.status(), again.status()), (200.try_into().unwrap(), first.status()));
    assert_eq!(first.body(), again.body());
    assert_eq!(field(&again, "idempotent-replayed"), "true");
    assert_eq!(field(&again, "cache-group-invalidation"), r#""teams""#);
    let other = bench.ask("POST /api/batch", &[JSON, KEY], &content.replace('A', "B")).await;
    assert_eq!(other.status(), 422, "{}", text(&other));
    assert!(text(&other).contains("idempotency-key-reused"), "{}", text(&other));
    let held = bench.ask("POST /api/batch", &[JSON, ("if-match", "*")], &content).await;
    assert_eq!(held.status(), 412, "{}", text(&held));
    assert!(text(&held).contains("of the operation"), "{}", text(&held));
}

#[tokio::test]
async fn a_large_keyed_answer_leaves_out_its_bodies_first_and_again() {
    let settings = Settings { key_answer_bytes_max: 300, ..Settings::default() };
    let bench = bench_with(DECLARATION, settings);
    let patch = r#"{"method":"PATCH","path":"/api/teams/$1.id","body":{"note":"n"}}"#;
    let content = format!(r#"{{"operations":[{TEAM},{patch}]}}"#);
    let first = bench.ask("POST /api/batch", &[JSON, KEY], &content).await;
    let again = bench.ask("POST /api/batch", &[JSON, KEY], &content).await;
    assert_eq!(first.body(), again.body());
    let results = &json(&first)["results"];
    assert_eq!((&results[0]["status"], &results[1]["status"]), (&201.into(), &204.into()));
    assert_eq!(results[0].get("body"), None);
    assert_eq!(results[0]["headers"]["location"], "/api/teams/1");
    let open = send(&bench, r#"{"method":"DELETE","path":"/api/teams/1"}"#).await;
    assert!(text(&open).contains(r#""body":{"status":"deleted"}"#), "{}", text(&open));
}

#[tokio::test]
async fn what_a_declaration_demands_is_demanded_of_each_operation() {
    let bench = bench();
    let order = r#"{"method":"POST","path":"/api/orders","body":{"customer":"$1.id"}}"#;
    let user = r#"{"method":"POST","path":"/api/users","body":{"name":"A","email":"a@b.cd"}}"#;
    let keyless = send(&bench, &format!("{user},{order}")).await;
    assert_eq!(keyless.status(), 400, "{}", text(&keyless));
    assert!(text(&keyless).contains("idempotency-key-required"), "{}", text(&keyless));
    assert_eq!(pointers(&keyless), ["/operations/1"]);
    let content = format!(r#"{{"operations":[{user},{order}]}}"#);
    let keyed = bench.ask("POST /api/batch", &[JSON, KEY], &content).await;
    assert_eq!(keyed.status(), 200, "{}", text(&keyed));
    let blind = send(&bench, r#"{"method":"DELETE","path":"/api/orders/1"}"#).await;
    assert_eq!(blind.status(), 428, "{}", text(&blind));
    let held = send(&bench, r#"{"method":"DELETE","path":"/api/users/1"}"#).await;
    assert_eq!(held.status(), 409, "{}", text(&held));
    assert!(text(&held).contains("1 in orders by `customer`"), "{}", text(&held));
    let tag = json(&keyed)["results"][1]["headers"]["etag"].as_str().unwrap().replace('"', "\\\"");
    let both = format!(
        r#"{{"method":"DELETE","path":"/api/orders/1","headers":{{"If-Match":"{tag}"}}}},
           {{"method":"DELETE","path":"/api/users/1","headers":{{"Prefer":"return=minimal"}}}}"#
    );
    let gone = send(&bench, &both).await;
    assert_eq!(gone.status(), 200, "{}", text(&gone));
    let results = &json(&gone)["results"];
    assert_eq!((&results[0]["status"], &results[1]["status"]), (&200.into(), &204.into()));
    assert_eq!(results[1]["headers"]["preference-applied"], "return=minimal");
}

#[tokio::test]
async fn a_condition_is_about_the_record_as_the_operations_before_left_it() {
    let bench = bench_of(DECLARATION);
    let made = json(&send(&bench, TEAM).await);
    let tag = made["results"][0]["headers"]["etag"].as_str().unwrap().replace('"', "\\\"");
    let patch = format!(
        r#"{{"method":"PATCH","path":"/api/teams/1","headers":{{"If-Match":"{tag}"}},
           "body":{{"note":"n"}}}}"#
    );
    let twice = send(&bench, &format!("{patch},{}", patch.replace("\"n\"", "\"m\""))).await;
    assert_eq!(twice.status(), 412, "{}", text(&twice));
    assert_eq!(pointers(&twice)[0], "/operations/1");
    let once = send(&bench, &patch).await;
    assert_eq!(once.status(), 200, "{}", text(&once));
}

#[tokio::test]
async fn passwords_in_a_batch_are_hashed_and_not_lent() {
    let bench = bench_of(DECLARATION);
    let user =
        r#"{"method":"POST","path":"/api/users","body":{"name":"a","password":"$$1.secret"}}"#;
    let patch = r#"{"method":"PATCH","path":"/api/users/$1.id","body":{"password":"$$1.other"}}"#;
    // Of a record that is there, only admins set the password.
    let send = async |operations: &str| {
        let content = format!(r#"{{"operations":[{operations}]}}"#);
        bench.by(By::Operator, "POST /api/batch", &[JSON], &content).await
    };
    let done = send(&format!("{user},{patch}")).await;
    assert_eq!(done.status(), 200, "{}", text(&done));
    assert!(!text(&done).contains("secret") && !text(&done).contains("argon"), "{}", text(&done));
    let lent = patch.replace("$$1.other", "$1.name");
    let refused = send(&format!("{},{lent}", user.replace("\"a\"", "\"b\""))).await;
    assert_eq!(refused.status(), 422, "{}", text(&refused));
    assert!(text(&refused).contains("A password is not taken"), "{}", text(&refused));
}

#[tokio::test]
async fn what_references_bring_in_is_bounded() {
    let settings = Settings { content_bytes_max: 4000, ..Settings::default() };
    let bench = bench_with(DECLARATION, settings);
    let team = format!(
        r#"{{"method":"POST","path":"/api/teams","body":{{"name":"{}"}}}}"#,
        "long".repeat(250)
    );
    let player = |extra: &str| {
        format!(r#"{{"method":"POST","path":"/api/players","body":{{"team":1,"extra":{extra}}}}}"#)
    };
    let (two, three) = (r#"["$1.name","$1.name"]"#, r#"["$1.name","$1.name","$1.name"]"#);
    let much = send(&bench, &format!("{team},{},{}", player(two), player(two))).await;
    assert_eq!(much.status(), 413, "{}", text(&much));
    assert_eq!(pointers(&much), ["/operations/2"]);
    let done = send(&bench, &format!("{team},{}", player(three))).await;
    assert_eq!(done.status(), 200, "{}", text(&done));
    let nested = format!("{}{}", "[".repeat(50), "]".repeat(50));
    let deep = format!("{}\"$2.extra\"{}", "[".repeat(20), "]".repeat(20));
    let deep = send(&bench, &format!("{TEAM},{},{}", player(&nested), player(&deep))).await;
    assert_eq!(deep.status(), 422, "{}", text(&deep));
    assert!(text(&deep).contains("nested deeper than 64"), "{}", text(&deep));
}

#[tokio::test]
async fn the_number_of_operations_is_a_setting() {
    let settings = Settings { batch_operations_max: 2, ..Settings::default() };
    let bench = bench_with(DECLARATION, settings);
    for (operations, status) in [("", 422), (TEAM, 200), ("1,2,3", 422)] {
        let answer = send(&bench, operations).await;
        assert_eq!(answer.status(), status, "{}", text(&answer));
    }
    for (path, status) in [("/api/batch", 405), ("/batch", 405), ("/api/batch/", 404)] {
        assert_eq!(bench.ask(&format!("GET {path}"), &[], "").await.status(), status);
    }
}

/// A write of some kind to some record, drawn from a few so that they meet each other.
fn drawn(random: &mut impl FnMut(u64) -> u64, earlier: &[Json]) -> Json {
    let id = random(3) + 1;
    let name = ["A", "B", "C", ""][random(4) as usize];
    let made = earlier.iter().position(|each| each["method"] == "POST");
    let reference = made.map_or_else(|| json!(1), |at| json!(format!("${}.id", at + 1)));
    match random(9) {
        0 | 1 => json!({"method": "POST", "path": "/api/teams", "body": {"name": name}}),
        2 => json!({"method": "PATCH", "path": format!("/api/teams/{id}"), "body": {"note": name}}),
        3 => json!({"method": "PATCH", "path": format!("/api/teams/{id}"), "body": {"name": name}}),
        4 => json!({"method": "PUT", "path": format!("/api/names/{id}"), "body": {"text": name},
            "headers": {"If-None-Match": if random(2) == 0 { "*" } else { "\"x\"" }}}),
        5 => json!({"method": "DELETE", "path": format!("/api/teams/{id}")}),
        6 => json!({"method": "POST", "path": "/api/players", "body": {"team": reference}}),
        7 => json!({"method": "DELETE", "path": format!("/api/names/{id}"),
            "headers": {"Prefer": "return=minimal"}}),
        _ => json!({"method": "PATCH", "path": format!("/api/players/{id}"),
            "headers": {"Content-Type": "application/json-patch+json"},
            "body": [{"op": "replace", "path": "/name", "value": name}]}),
    }
}

/// An operation by itself: its status and what of its content does not tell the time.
async fn alone(bench: &Bench, operation: &Json, before: &[(u64, Json)]) -> (u64, Json) {
    let mut operation = operation.clone();
    model::batch::fill(&mut operation, &mut String::new(), &mut |_, reference| {
        reference.pick(&before[reference.number - 1].1).ok().cloned()
    });
    let line = format!(
        "{} {}",
        operation["method"].as_str().unwrap(),
        operation["path"].as_str().unwrap()
    );
    let named = operation["headers"].as_object().cloned().unwrap_or_default();
    let mut fields: Vec<_> =
        named.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    if !named.contains_key("Content-Type") {
        fields.push(JSON);
    }
    let content = operation.get("body").map_or_else(String::new, Json::to_string);
    let answer = bench.ask(&line, &fields, &content).await;
    (answer.status().as_u16().into(), timeless(serde_json::from_slice(answer.body()).ok()))
}

fn timeless(body: Option<Json>) -> Json {
    let mut body = body.unwrap_or_default();
    if let Json::Object(members) = &mut body {
        members.retain(|name, _| !name.ends_with("At"));
    }
    body
}

async fn state(bench: &Bench) -> Vec<Json> {
    let mut lists = Vec::new();
    for name in ["teams", "players", "names"] {
        let list = json(&bench.ask(&format!("GET /api/{name}"), &[], "").await);
        let records = list[name].as_array().unwrap().iter();
        lists.push(records.map(|record| timeless(Some(record.clone()))).collect());
    }
    lists
}

#[tokio::test]
async fn a_batch_comes_to_what_its_operations_come_to_one_by_one_or_to_nothing() {
    let mut state_of_chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: u64| {
        state_of_chance ^= state_of_chance << 13;
        state_of_chance ^= state_of_chance >> 7;
        state_of_chance ^= state_of_chance << 17;
        (state_of_chance >> 20) % below
    };
    let (mut whole, mut failed) = (0, 0);
    for _ in 0..20 {
        let (batch, single) = (bench_of(DECLARATION), bench_of(DECLARATION));
        for bench in [&batch, &single] {
            for name in ["A", "Z"] {
                let content = format!(r#"{{"name":"{name}"}}"#);
                bench.ask("POST /api/teams", &[JSON], &content).await;
            }
        }
        let before = state(&batch).await;
        let mut operations = Vec::new();
        for _ in 0..random(6) + 1 {
            let next = drawn(&mut random, &operations);
            operations.push(next);
        }
        let mut results = Vec::new();
        for operation in &operations {
            let result = alone(&single, operation, &results).await;
            let is_over = result.0 >= 400;
            results.push(result);
            if is_over {
                break;
            }
        }
        let content = json!({ "operations": operations }).to_string();
        let answer = batch.ask("POST /api/batch", &[JSON], &content).await;
        let last = results.last().unwrap();
        if last.0 >= 400 {
            failed += 1;
            assert_eq!(u64::from(answer.status().as_u16()), last.0, "{content} {}", text(&answer));
            assert_eq!(pointers(&answer)[0], format!("/operations/{}", results.len() - 1));
            assert_eq!(json(&answer)["type"], last.1["type"], "{content}");
            assert_eq!(state(&batch).await, before, "{content}");
        } else {
            whole += 1;
            assert_eq!(answer.status(), 200, "{content} {}", text(&answer));
            let told: Vec<_> = json(&answer)["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|each| (each["status"].as_u64().unwrap(), timeless(each.get("body").cloned())))
                .collect();
            assert_eq!(told, results, "{content}");
            assert_eq!(state(&batch).await, state(&single).await, "{content}");
        }
    }
    assert!(whole > 3 && failed > 3, "{whole} whole and {failed} failed: not much of a test");
}
