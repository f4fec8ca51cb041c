//! Tests of the conditions: RFC 9110 §13, a sentence or a row at a time.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::table::{Method, nature};

const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const THEN_S: u64 = 784_111_777;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn read(lines: &[(&'static str, &str)]) -> Conditions {
    Conditions::read(&headers(lines)).unwrap()
}

fn current() -> Validators<'static> {
    let last_modified = Some(UNIX_EPOCH + Duration::from_secs(THEN_S));
    Validators { version: "a1.7", variant: "json-gzip", last_modified }
}

fn judge(method: Method, lines: &[(&'static str, &str)]) -> Verdict {
    read(lines).evaluate(nature(method), Some(&current()))
}

fn judge_absent(method: Method, lines: &[(&'static str, &str)]) -> Verdict {
    read(lines).evaluate(nature(method), None)
}

const SAFE: [Method; 3] = [Method::Get, Method::Head, Method::Query];
const UNSAFE: [Method; 4] = [Method::Post, Method::Put, Method::Patch, Method::Delete];

fn all() -> impl Iterator<Item = Method> {
    SAFE.into_iter().chain(UNSAFE)
}

fn list(tags: &[&str]) -> Option<Tags> {
    Some(Tags::List(tags.iter().map(|tag| EntityTag::parse(tag).unwrap()).collect()))
}

// --- reading -------------------------------------------------------------------------------

#[test]
fn a_list_of_tags_is_read_over_all_its_lines() {
    for (lines, tags) in [
        (&[r#""a""#][..], &[r#""a""#][..]),
        (&[r#""a", W/"b""#], &[r#""a""#, r#"W/"b""#]),
        (&[r#""a","b""#], &[r#""a""#, r#""b""#]),
        (&[r#" "a"	,  "b" "#], &[r#""a""#, r#""b""#]),
        (&[r#""a""#, r#""b""#], &[r#""a""#, r#""b""#]),
        (&[r#""a,b", "c""#], &[r#""a,b""#, r#""c""#]),
        // §5.6.1.2: a recipient reads and ignores empty members.
        (&[r#", "a",, "b","#], &[r#""a""#, r#""b""#]),
        (&["", r#""a""#], &[r#""a""#]),
        (&[""], &[]),
        (&[r#""*""#], &[r#""*""#]),
        (&[r#""a\", "b""#], &[r#""a\""#, r#""b""#]),
    ] {
        let sent: Vec<_> = lines.iter().map(|line| ("if-match", *line)).collect();
        assert_eq!(read(&sent).if_match, list(tags), "{lines:?}");
        let sent: Vec<_> = lines.iter().map(|line| ("if-none-match", *line)).collect();
        assert_eq!(read(&sent).if_none_match, list(tags), "{lines:?}");
    }
    assert_eq!(read(&[("if-match", "*")]).if_match, Some(Tags::Any));
    assert_eq!(read(&[("if-match", " * ")]).if_match, Some(Tags::Any));
    assert_eq!(read(&[]), Conditions::default());
}

#[test]
fn what_is_no_list_of_tags_is_refused_and_not_ignored() {
    for lines in [
        &["a"][..],
        &["'a'"],
        &["\"a"],
        &["w/\"a\""],
        &["W/ \"a\""],
        &["\"a\" \"b\""],
        &["\"a\"; \"b\""],
        &["\"a b\""],
        &["*, \"a\""],
        &["\"a\", *"],
        &["*, *"],
        &["**"],
        &["*", "*"],
        &["*", "\"a\""],
        &["\"a\"", "*"],
        &["*", ""],
        &["", "*"],
        &["null"],
    ] {
        for field in ["if-match", "if-none-match"] {
            let sent: Vec<_> = lines.iter().map(|line| (field, *line)).collect();
            let problem = Conditions::read(&headers(&sent)).unwrap_err();
            assert_eq!(problem.kind, Kind::MalformedField, "{field} {lines:?}");
            assert_eq!(problem.errors.len(), 1);
        }
    }
}

/// §13.1.3 and §13.1.4: a recipient MUST ignore the field if it is not a valid HTTP-date, or has
/// more than one member.
#[test]
fn dates_are_read_in_three_forms_and_ignored_otherwise() {
    let then = Some(UNIX_EPOCH + Duration::from_secs(THEN_S));
    for (lines, moment) in [
        (&[THEN][..], then),
        (&["Sunday, 06-Nov-94 08:49:37 GMT"], then),
        (&["Sun Nov  6 08:49:37 1994"], then),
        (&["1994-11-06T08:49:37Z"], None),
        (&["784111777"], None),
        (&[""], None),
        (&[THEN, THEN], None),
        (&["Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"], None),
    ] {
        for field in ["if-modified-since", "if-unmodified-since"] {
            let sent: Vec<_> = lines.iter().map(|line| (field, *line)).collect();
            let conditions = read(&sent);
            let read = conditions.if_modified_since.or(conditions.if_unmodified_since);
            assert_eq!(read, moment, "{field} {lines:?}");
            assert_eq!(conditions.is_empty(), moment.is_none());
        }
    }
}

/// RFC 6585 §3: a 428 is due where the request names no state that it wants to change.
#[test]
fn what_guards_against_a_lost_update() {
    for (field, value, guards) in [
        ("if-match", r#""a1.7.json""#, true),
        ("if-match", "*", true),
        ("if-unmodified-since", THEN, true),
        ("if-unmodified-since", "yesterday", false),
        ("if-none-match", "*", true),
        ("if-none-match", r#""a1.7.json""#, false),
        ("if-modified-since", THEN, false),
        ("accept", "*/*", false),
    ] {
        assert_eq!(read(&[(field, value)]).guards(), guards, "{field}: {value}");
    }
}

// --- §13.1.1 If-Match ----------------------------------------------------------------------

#[test]
fn if_match_is_true_for_a_strong_tag_of_any_face_of_the_current_version() {
    for method in all() {
        for value in
            [r#""a1.7.json-gzip""#, r#""a1.7.json""#, r#""a1.7.html""#, r#""x", "a1.7.json""#, "*"]
        {
            assert_eq!(judge(method, &[("if-match", value)]), Verdict::Proceed, "{value}");
        }
        for value in [
            r#"W/"a1.7.json-gzip""#,
            r#""a1.8.json-gzip""#,
            r#""a1.json-gzip""#,
            r#""a1.7""#,
            r#""a1.7x.json""#,
            r#""A1.7.json""#,
            r#""a1.7.7.json""#,
            r#""json-gzip""#,
            r#""""#,
            r#""*""#,
            "",
        ] {
            let verdict = judge(method, &[("if-match", value)]);
            assert_eq!(verdict, Verdict::Failed("If-Match"), "{value}");
        }
    }
}

/// "If the field value is "*", the condition is true if the origin server has a current
/// representation for the target resource."
#[test]
fn if_match_is_false_where_nothing_is() {
    for method in all() {
        for value in ["*", r#""a1.7.json""#] {
            let verdict = judge_absent(method, &[("if-match", value)]);
            assert_eq!(verdict, Verdict::Failed("If-Match"), "{value}");
        }
    }
}

// --- §13.1.2 If-None-Match -----------------------------------------------------------------

/// "respond with either a) 304 if the request method is GET or HEAD or b) 412 for all other
/// request methods"; QUERY counts as GET (RFC 10008 §2.6).
#[test]
fn a_false_if_none_match_is_304_for_reads_and_412_for_all_others() {
    for value in [r#""a1.7.json-gzip""#, r#"W/"a1.7.json-gzip""#, r#""x", "a1.7.json-gzip""#, "*"] {
        for method in SAFE {
            let verdict = judge(method, &[("if-none-match", value)]);
            assert_eq!(verdict, Verdict::NotModified, "{value}");
        }
        for method in UNSAFE {
            let verdict = judge(method, &[("if-none-match", value)]);
            assert_eq!(verdict, Verdict::Failed("If-None-Match"), "{value}");
        }
    }
}

#[test]
fn a_read_compares_with_the_selected_representation_and_a_write_with_any_face() {
    let lines = [("if-none-match", r#""a1.7.html""#)];
    for method in SAFE {
        assert_eq!(judge(method, &lines), Verdict::Proceed, "another variant was asked for");
    }
    for method in UNSAFE {
        assert_eq!(judge(method, &lines), Verdict::Failed("If-None-Match"));
    }
}

#[test]
fn if_none_match_is_true_for_another_version_and_where_nothing_is() {
    for method in all() {
        for value in [r#""a1.8.json-gzip""#, r#""a1.7""#, r#""""#, ""] {
            assert_eq!(judge(method, &[("if-none-match", value)]), Verdict::Proceed, "{value}");
        }
        for value in ["*", r#""a1.7.json-gzip""#] {
            let verdict = judge_absent(method, &[("if-none-match", value)]);
            assert_eq!(verdict, Verdict::Proceed, "{value}");
        }
    }
}

// --- §13.1.3 If-Modified-Since -------------------------------------------------------------

#[test]
fn if_modified_since_is_for_reads_only() {
    for (value, verdict) in [
        (EARLIER, Verdict::Proceed),
        (THEN, Verdict::NotModified),
        (LATER, Verdict::NotModified),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Verdict::NotModified),
        ("Sun Nov  6 08:49:37 1994", Verdict::NotModified),
        ("then", Verdict::Proceed),
    ] {
        for method in SAFE {
            assert_eq!(judge(method, &[("if-modified-since", value)]), verdict, "{value}");
        }
        for method in UNSAFE {
            let verdict = judge(method, &[("if-modified-since", value)]);
            assert_eq!(verdict, Verdict::Proceed, "{value}");
        }
    }
}

/// "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header
/// field", whatever the latter comes to.
#[test]
fn if_none_match_takes_the_place_of_if_modified_since() {
    let changed = [("if-none-match", r#""old.json""#), ("if-modified-since", LATER)];
    let same = [("if-none-match", r#""a1.7.json-gzip""#), ("if-modified-since", EARLIER)];
    for method in SAFE {
        assert_eq!(judge(method, &changed), Verdict::Proceed);
        assert_eq!(judge(method, &same), Verdict::NotModified);
    }
}

// --- §13.1.4 If-Unmodified-Since -----------------------------------------------------------

#[test]
fn if_unmodified_since_fails_where_the_resource_changed_later() {
    for method in all() {
        for (value, verdict) in [
            (EARLIER, Verdict::Failed("If-Unmodified-Since")),
            (THEN, Verdict::Proceed),
            (LATER, Verdict::Proceed),
            ("then", Verdict::Proceed),
        ] {
            assert_eq!(judge(method, &[("if-unmodified-since", value)]), verdict, "{value}");
        }
    }
}

/// "A recipient MUST ignore If-Unmodified-Since if the request contains an If-Match header
/// field", whatever the latter comes to.
#[test]
fn if_match_takes_the_place_of_if_unmodified_since() {
    for method in all() {
        let matches = [("if-match", r#""a1.7.json""#), ("if-unmodified-since", EARLIER)];
        assert_eq!(judge(method, &matches), Verdict::Proceed);
        let other = [("if-match", r#""a1.6.json""#), ("if-unmodified-since", LATER)];
        assert_eq!(judge(method, &other), Verdict::Failed("If-Match"));
    }
}

/// "A recipient MUST ignore the … header field if the resource does not have a modification date
/// available."
#[test]
fn dates_are_ignored_where_none_is_known() {
    let undated = Validators { last_modified: None, ..current() };
    for method in all() {
        for field in ["if-modified-since", "if-unmodified-since"] {
            for value in [EARLIER, LATER] {
                let conditions = read(&[(field, value)]);
                let verdict = conditions.evaluate(nature(method), Some(&undated));
                assert_eq!(verdict, Verdict::Proceed);
                assert_eq!(conditions.evaluate(nature(method), None), Verdict::Proceed);
            }
        }
    }
}

#[test]
fn a_fraction_of_a_second_is_passed_over() {
    let last_modified = Some(UNIX_EPOCH + Duration::from_millis(THEN_S * 1000 + 900));
    let fine = Validators { last_modified, ..current() };
    let get = read(&[("if-modified-since", THEN)]);
    assert_eq!(get.evaluate(nature(Method::Get), Some(&fine)), Verdict::NotModified);
    let put = read(&[("if-unmodified-since", THEN)]);
    assert_eq!(put.evaluate(nature(Method::Put), Some(&fine)), Verdict::Proceed);
}

// --- §13.2 evaluation and precedence -------------------------------------------------------

/// §13.2.2: step 1 or 2 comes before step 3 or 4.
#[test]
fn a_false_if_match_is_a_412_before_anything_is_a_304() {
    let lines = [("if-match", r#""a1.6.json""#), ("if-none-match", r#""a1.7.json-gzip""#)];
    for method in all() {
        assert_eq!(judge(method, &lines), Verdict::Failed("If-Match"));
    }
    let lines = [("if-unmodified-since", EARLIER), ("if-none-match", "*")];
    for method in all() {
        assert_eq!(judge(method, &lines), Verdict::Failed("If-Unmodified-Since"));
    }
    let lines = [("if-unmodified-since", EARLIER), ("if-modified-since", LATER)];
    assert_eq!(judge(Method::Get, &lines), Verdict::Failed("If-Unmodified-Since"));
}

#[test]
fn a_true_if_match_goes_on_to_if_none_match() {
    let lines = [("if-match", r#""a1.7.json""#), ("if-none-match", r#""a1.7.json-gzip""#)];
    assert_eq!(judge(Method::Get, &lines), Verdict::NotModified);
    assert_eq!(judge(Method::Put, &lines), Verdict::Failed("If-None-Match"));
    let lines = [("if-unmodified-since", THEN), ("if-modified-since", THEN)];
    assert_eq!(judge(Method::Get, &lines), Verdict::NotModified);
    assert_eq!(judge(Method::Put, &lines), Verdict::Proceed);
}

/// §13.2.1: conditions are ignored where the method involves no selected representation.
#[test]
fn options_ignores_every_condition() {
    for line in [
        ("if-match", r#""x""#),
        ("if-none-match", "*"),
        ("if-unmodified-since", EARLIER),
        ("if-modified-since", LATER),
    ] {
        assert_eq!(judge(Method::Options, &[line]), Verdict::Proceed);
    }
}

#[test]
fn without_conditions_the_method_is_performed() {
    for method in all() {
        assert_eq!(judge(method, &[]), Verdict::Proceed);
        assert_eq!(judge_absent(method, &[]), Verdict::Proceed);
    }
    assert!(read(&[]).is_empty());
    assert!(!read(&[("if-match", "*")]).is_empty());
}

// --- the fingerprint -----------------------------------------------------------------------

#[test]
fn the_fingerprint_does_not_depend_on_how_conditions_are_spelled() {
    let same = |one: &[(&'static str, &str)], other: &[(&'static str, &str)]| {
        read(one).fingerprint() == read(other).fingerprint()
    };
    let list = [("if-match", r#""a", "b""#)];
    assert!(same(&list, &[("if-match", r#""b","a""#)]));
    assert!(same(&list, &[("if-match", r#""b""#), ("if-match", r#""a", "b""#)]));
    assert!(same(
        &[("if-unmodified-since", THEN)],
        &[("if-unmodified-since", "Sun Nov  6 08:49:37 1994")]
    ));
    assert!(same(
        &[("if-match", "*")],
        &[("if-match", "*"), ("if-unmodified-since", THEN), ("if-modified-since", THEN)]
    ));
    assert!(same(&[], &[("if-unmodified-since", "then")]));
}

#[test]
fn different_conditions_have_different_fingerprints() {
    let texts: Vec<_> = [
        &[][..],
        &[("if-match", r#""a""#)],
        &[("if-match", r#"W/"a""#)],
        &[("if-match", r#""a", "b""#)],
        &[("if-match", r#""a,b""#)],
        &[("if-match", "*")],
        &[("if-match", r#""*""#)],
        &[("if-match", "")],
        &[("if-none-match", r#""a""#)],
        &[("if-none-match", "*")],
        &[("if-match", r#""a""#), ("if-none-match", r#""a""#)],
        &[("if-unmodified-since", THEN)],
        &[("if-unmodified-since", LATER)],
    ]
    .iter()
    .map(|lines| read(lines).fingerprint())
    .collect();
    for (index, text) in texts.iter().enumerate() {
        assert!(!texts[..index].contains(text), "{text}");
    }
}

#[test]
fn what_has_no_tag_is_named_by_the_star_alone() {
    let judge = |lines: &[(&'static str, &str)]| {
        read(lines).evaluate(nature(Method::Get), Some(&Validators::UNTAGGED))
    };
    assert_eq!(judge(&[("if-match", "*")]), Verdict::Proceed);
    assert_eq!(judge(&[("if-none-match", "*")]), Verdict::NotModified);
    for tag in [r#""""#, r#"".""#, r#""a.j""#, r#"W/".""#] {
        assert_eq!(judge(&[("if-match", tag)]), Verdict::Failed("If-Match"), "{tag}");
        assert_eq!(judge(&[("if-none-match", tag)]), Verdict::Proceed, "{tag}");
    }
    assert_eq!(judge(&[("if-modified-since", LATER)]), Verdict::Proceed);
    assert_eq!(judge(&[("if-unmodified-since", EARLIER)]), Verdict::Proceed);
}
