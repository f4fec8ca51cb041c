//! What holds for every answer, whatever was asked: each sentence with its section.

use serde_json::Value;

use super::answer::Answer;
use super::pattern;

/// The sentences that an answer breaks.
pub(crate) fn faults(answer: &Answer, method: &str) -> Vec<String> {
    if answer.status < 200 {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut must = |holds: bool, sentence: &str| {
        if !holds {
            faults.push(sentence.to_owned());
        }
    };
    fields(answer, method, &mut must);
    status(answer, method, &mut must);
    caching(answer, method, &mut must);
    if answer.status >= 400 && method != "HEAD" {
        problem(answer, &mut must);
    }
    faults
}

fn fields(answer: &Answer, method: &str, must: &mut dyn FnMut(bool, &str)) {
    let count = |name: &str| answer.fields.iter().filter(|(other, _)| other == name).count();
    must(
        answer.field("date").is_some_and(|date| pattern::is_http_date(&date)),
        "RFC 9110 §6.6.1: an origin server with a clock sends Date as an IMF-fixdate",
    );
    for single in ["date", "content-length", "content-type", "etag", "last-modified", "location"] {
        must(count(single) <= 1, &format!("RFC 9110 §5.3: {single} is sent once"));
    }
    let has_length = answer.field("content-length").is_some();
    if answer.status == 204 {
        must(!has_length, "RFC 9110 §8.6: a 204 has no Content-Length");
        must(
            answer.field("transfer-encoding").is_none(),
            "RFC 9112 §6.1: a 204 has no Transfer-Encoding",
        );
    } else if answer.status != 304 {
        let framed = has_length || answer.field("transfer-encoding").is_some();
        must(framed, "RFC 9110 §9.3.2 and RFC 9112 §6.3: the length of the content is sent");
    }
    must(
        !(has_length && answer.field("transfer-encoding").is_some()),
        "RFC 9112 §6.2: never Content-Length and Transfer-Encoding",
    );
    must(
        answer.content.is_empty() || answer.field("content-type").is_some(),
        "RFC 9110 §8.3: content has a Content-Type",
    );
    must(
        method != "HEAD" || answer.content.is_empty(),
        "RFC 9110 §9.3.2: HEAD is answered without content",
    );
    if let Some(tag) = answer.field("etag") {
        must(pattern::is_entity_tag(&tag), "RFC 9110 §8.8.3: ETag has its form");
    }
    if let Some(date) = answer.field("last-modified") {
        must(pattern::is_http_date(&date), "RFC 9110 §8.8.2: Last-Modified is an HTTP-date");
    }
}

fn status(answer: &Answer, method: &str, must: &mut dyn FnMut(bool, &str)) {
    let safe = matches!(method, "GET" | "HEAD" | "QUERY" | "OPTIONS");
    must(
        answer.status != 304 || safe,
        "RFC 9110 §15.4.5: only conditional safe requests are answered with 304",
    );
    must(
        answer.status != 405 || answer.field("allow").is_some(),
        "RFC 9110 §15.5.6: a 405 has Allow",
    );
    must(
        answer.status != 401 || answer.field("www-authenticate").is_some(),
        "RFC 9110 §15.5.2: a 401 has WWW-Authenticate",
    );
    must(
        answer.status != 429 || answer.field("retry-after").is_some(),
        "DESIGN §3: a 429 says when to try again",
    );
    must(
        answer.status != 201 || answer.field("location").is_some() || is_about_many(answer),
        "RFC 9110 §15.3.2: a 201 names what was created in Location, or the target is meant",
    );
    must(
        answer.status != 201 || matches!(method, "POST" | "PUT"),
        "RFC 9110 §9.3: only POST and PUT create",
    );
    let names_types = ["accept", "accept-patch", "accept-query", "accept-encoding"];
    must(
        answer.status != 415 || names_types.iter().any(|name| answer.field(name).is_some()),
        "RFC 9110 §15.5.16: a 415 says what would be taken",
    );
    must(
        method != "PUT" || answer.status >= 400 || answer.field("etag").is_none(),
        "RFC 9110 §9.3.4: no validator after a PUT whose content was not stored as it was",
    );
    must(
        method != "PUT" || answer.status >= 400 || answer.field("last-modified").is_none(),
        "RFC 9110 §9.3.4: no validator after a PUT whose content was not stored as it was",
    );
}

/// True of the answer to many new records: no one of them has its tag in it, and what content there
/// is counts them.
fn is_about_many(answer: &Answer) -> bool {
    let members: Value = serde_json::from_slice(&answer.decoded()).unwrap_or(Value::Null);
    let counts = answer.content.is_empty() || members.get("created").is_some_and(Value::is_u64);
    counts && answer.field("etag").is_none()
}

fn caching(answer: &Answer, method: &str, must: &mut dyn FnMut(bool, &str)) {
    let directives = answer.list("cache-control");
    let has = |name: &str| directives.iter().any(|directive| directive.eq_ignore_ascii_case(name));
    must(!directives.is_empty(), "CONTRACT §7: every answer has Cache-Control");
    let read = matches!(method, "GET" | "HEAD" | "QUERY");
    if answer.status >= 400 || !read {
        must(has("no-store"), "DESIGN §3: errors and answers to unsafe methods are no-store");
    }
    must(
        !has("must-revalidate"),
        "RFC 9111 §3.5: must-revalidate lets shared caches keep private answers",
    );
    if read && answer.status == 200 && answer.field("etag").is_some() {
        let vary = answer.list("vary");
        must(
            vary.iter().any(|name| name.eq_ignore_ascii_case("accept-encoding")),
            "RFC 9110 §12.5.5: Vary names Accept-Encoding, which chose the coding",
        );
    }
}

fn problem(answer: &Answer, must: &mut dyn FnMut(bool, &str)) {
    must(
        answer.field("content-type").as_deref() == Some("application/problem+json"),
        "RFC 9457 §3: a refusal is application/problem+json",
    );
    let members: Value = serde_json::from_slice(&answer.decoded()).unwrap_or(Value::Null);
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    must(
        members.get("status").and_then(Value::as_u64) == Some(u64::from(answer.status)),
        "RFC 9457 §3.1.2: `status` is the status",
    );
    must(text("type").contains("/problems/"), "RFC 9457 §3.1.1: `type` is a URI of its own");
    must(!text("title").is_empty(), "RFC 9457 §3.1.3: `title` says what kind of problem it is");
    must(!text("detail").is_empty(), "RFC 9457 §3.1.4: `detail` says what is wrong this time");
    if let Some(errors) = members.get("errors") {
        let named = errors.as_array().is_some_and(|errors| {
            !errors.is_empty()
                && errors.iter().all(|error| {
                    let place = ["pointer", "parameter", "field"]
                        .iter()
                        .any(|name| error.get(name).is_some_and(Value::is_string));
                    place && error.get("detail").is_some_and(Value::is_string)
                })
        });
        must(named, "RFC 9457 §3: each of `errors` has a place and a detail");
    }
}
