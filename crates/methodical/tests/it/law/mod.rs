//! **The law**: what the specifications say, written by hand, one sentence a case, and held
//! against the real program. Nothing here is derived from `contract::table`: a wrong row there
//! has to fail here.

mod case;
mod concurrency;
pub(crate) mod run;
mod table;

use std::collections::HashSet;
use std::fs;

use crate::support::server::tests;

macro_rules! laws {
    ($($test:ident: $file:literal,)*) => {
        $(
            #[test]
            fn $test() {
                run::run(&tests().join("law").join(concat!($file, ".law")));
            }
        )*

        const FILES: &[&str] = &[$($file,)*];
    };
}

laws! {
    every_method_keeps_its_promise: "methods",
    every_status_has_its_request: "statuses",
    representations_are_negotiated: "negotiation",
    validators_say_what_is_current_and_put_replaces: "validators",
    conditions_are_evaluated_in_order: "conditions",
    interim_answers_come_when_they_are_due: "expect",
    answers_say_how_they_may_be_kept: "caching",
    broken_framing_is_refused: "framing",
    limits_are_refusals_with_a_reason: "limits",
    query_is_a_safe_get_with_content: "query",
    a_key_makes_a_write_once: "idempotency",
    refusals_say_what_is_wrong_and_where: "problems",
    preferences_are_optional: "prefer",
    patches_are_applied_whole_or_not_at_all: "patch",
    targets_have_one_canonical_url: "links",
    forms_are_read_like_json: "forms",
    secrets_in_a_url_are_refused: "secrets",
    readable_fields_may_have_the_name_of_a_secret: "visible",
    a_batch_is_done_whole_or_not_at_all: "batch",
    lists_have_the_shape_of_the_article: "lists",
    searches_find_what_was_committed_and_nothing_else: "search",
    filters_leave_what_they_say: "filters",
    cursors_are_places_that_stay: "cursors",
    records_stand_within_records: "includes",
    records_come_to_something_together: "aggregates",
    deletions_take_along_what_refers_or_are_refused: "relations",
    what_takes_too_long_says_what_to_declare: "slow",
    lists_come_as_json_ndjson_and_csv: "forms_of_lists",
    many_records_are_created_all_or_none: "bulk",
    changes_come_in_the_order_of_their_commits: "changes",
    who_asks_is_known_by_what_is_sent: "signin",
    pages_of_other_origins_may_what_is_declared: "origins",
    secrets_do_not_go_in_the_clear: "plain",
    who_asks_too_often_is_told_before: "rates",
    codes_come_back_from_mail: "mail",
}

#[test]
fn every_file_of_the_law_is_run_and_there_are_at_least_250_sentences() {
    let folder = tests().join("law");
    let mut sentences = HashSet::new();
    for entry in fs::read_dir(&folder).expect("the law") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "law") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(FILES.contains(&name.as_str()), "no test runs {name}.law");
            for case in case::read(&path).cases {
                assert!(!case.steps.is_empty(), "{name}.law:{} has no steps", case.line);
                assert!(
                    sentences.insert((case.section.clone(), case.sentence.clone())),
                    "{name}.law:{}: stands twice: {}",
                    case.line,
                    case.sentence
                );
            }
        }
    }
    assert!(sentences.len() >= 250, "the law has only {} sentences", sentences.len());
}

/// The kind of target that a path names, in the words of the table.
fn target(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or_default();
    match path {
        "*" => return Some("Server"),
        "/api" => return Some("Home"),
        "/api/search" | "/search" | "/v0/search" => return Some("Search"),
        "/api/changes" | "/changes" | "/v0/changes" => return Some("Changes"),
        "/api/batch" | "/batch" | "/v0/batch" => return Some("Batch"),
        "/api/login" | "/login" => return Some("Login"),
        "/api/login/reset" | "/login/reset" => return Some("Reset"),
        "/api/login/confirm" | "/login/confirm" => return Some("Confirm"),
        "/api/me/email" => return Some("Address"),
        "/api/logout" => return Some("Logout"),
        "/api/me" => return Some("Me"),
        "/api/me/sessions" => return Some("Sessions"),
        "/api/me/password" => return Some("Password"),
        "/api/audit" => return Some("Audit"),
        _ if path.starts_with("/api/me/sessions/") => return Some("Session"),
        "/healthz" => return Some("Health"),
        "/readyz" => return Some("Ready"),
        "/robots.txt" => return Some("Robots"),
        _ if path.starts_with("/problems") => return Some("Problems"),
        _ => {}
    }
    let inside = ["/api/", "/v0/", "/"].iter().find_map(|prefix| path.strip_prefix(prefix))?;
    match inside.split('/').collect::<Vec<_>>()[..] {
        [_] => Some("Collection"),
        [_, _] => Some("Item"),
        _ => None,
    }
}

/// Statuses that need a disk that is full or a setting of their own: `crash/` and `concurrency.rs`
/// reach them.
const ELSEWHERE: &[u16] = &[429, 507];

#[test]
fn every_status_that_a_row_lists_is_reached_by_a_sentence_and_no_other_is_expected() {
    let mut reached = HashSet::new();
    for file in FILES {
        let law = case::read(&tests().join("law").join(format!("{file}.law")));
        for (_, steps) in law.cases.iter().map(|case| (case.line, &case.steps)) {
            let mut asked = None;
            for (_, step) in steps {
                match step {
                    case::Step::Send { head, .. } => {
                        let (method, path) = head[0].split_once(' ').expect("a target");
                        asked = target(path).map(|target| (target, method.to_owned()));
                    }
                    case::Step::Bytes(_) => asked = None,
                    case::Step::Status(status, _) => {
                        if let Some((target, method)) = asked.clone() {
                            reached.insert((target.to_owned(), method, *status));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    let mut faults = Vec::new();
    for row in contract::table::ROWS {
        let target = format!("{:?}", row.target);
        let method = contract::table::nature(row.method).name;
        for status in row.statuses.iter().filter(|status| !ELSEWHERE.contains(status)) {
            let place = (target.clone(), method.to_owned(), *status);
            if !reached.contains(&place) {
                faults.push(format!("no sentence reaches {status} of {method} {target}"));
            }
        }
        for (_, _, status) in reached.iter().filter(|(t, m, _)| *t == target && m == method) {
            let listed =
                row.statuses.contains(status) || contract::table::COMMON_STATUSES.contains(status);
            if !listed {
                faults.push(format!("{method} {target} does not list {status}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// No build but that of `make mutants` can break a promise on purpose.
#[cfg(not(feature = "faults"))]
#[test]
fn a_build_without_seeded_faults_does_not_know_the_flag() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(["serve", "--fault", "head-with-body"])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "wrong usage is exit code 2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--fault"), "{said}");
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(["serve", "--help"])
        .output()
        .expect("the program starts");
    assert!(!String::from_utf8_lossy(&help.stdout).contains("fault NAME"));
    let program = std::fs::read(env!("CARGO_BIN_EXE_methodical")).expect("the program");
    let name = b"replay-rendered-anew";
    assert!(!program.windows(name.len()).any(|bytes| bytes == name), "the faults are in it");
}
