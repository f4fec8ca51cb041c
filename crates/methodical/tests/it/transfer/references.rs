//! Rows that refer to rows further on, in circles, or to nothing.

use std::fmt::Write;

use super::{Project, assert_sound, fed, good, run};

const DECLARATION: &str = "[resources.people]\nid = \"text\"\n\
    fields.boss = { references = \"people\", optional = true }\n\
    fields.team = { references = \"teams\", optional = true }\n\
    fields.email = { type = \"string\", unique = true, optional = true }\n\
    [resources.teams]\nid = \"text\"\n\
    fields.lead = { references = \"people\" }\n";

fn person(id: &str, boss: Option<&str>, team: Option<&str>) -> String {
    let boss = boss.map_or_else(String::new, |boss| format!(",\"boss\":\"{boss}\""));
    let team = team.map_or_else(String::new, |team| format!(",\"team\":\"{team}\""));
    format!("{{\"id\":\"{id}\"{boss}{team}}}\n")
}

#[test]
fn a_chain_from_its_end_is_created_whatever_the_chunks() {
    let mut rows = String::new();
    for number in 0..500 {
        let boss = format!("p{}", number + 1);
        let boss = (number < 499).then_some(boss.as_str());
        write!(rows, "{}", person(&format!("p{number}"), boss, None)).expect("memory");
    }
    for chunk in ["1", "7", "1000"] {
        let project = Project::of(DECLARATION);
        let said =
            fed("import", project.home(), &["people", "-", "--chunk", chunk], rows.as_bytes());
        assert_eq!(said.sum(), (500, 500, 0), "{}", said.err);
        let joined = "SELECT count(*) FROM people AS a JOIN people AS b ON a.boss = b.id";
        assert_eq!(project.ask(joined), ["499"]);
        assert_sound(&project.path("data.db"));
    }
}

#[test]
fn circles_are_created_together_within_a_resource_and_between_two() {
    for chunk in ["1", "100"] {
        let project = Project::of(DECLARATION);
        // Of a circle of people who are in a team that is led by one of them.
        let people = person("a", Some("b"), Some("t"))
            + &person("b", Some("c"), None)
            + &person("c", Some("a"), Some("t"))
            + &person("self", Some("self"), None)
            + &person("hangs", Some("on"), None)
            + &person("on", Some("a"), Some("t"));
        let folder = project.path("in");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("people.ndjson"), people).expect("a file");
        std::fs::write(folder.join("teams.csv"), "id,lead\nt,c\n").expect("a file");
        let folder = folder.to_str().expect("a path");
        let said = good("import", project.home(), &[folder, "--chunk", chunk]);
        assert_eq!(said.sum(), (7, 7, 0), "{}", said.err);
        assert_sound(&project.path("data.db"));
    }
}

#[test]
fn what_refers_to_nothing_is_named_and_so_is_what_hangs_on_it() {
    let project = Project::of(DECLARATION);
    let people = person("good", None, None)
        + &person("lost", Some("nobody"), None)
        + &person("hangs", Some("lost"), None)
        + &person("circle", Some("other"), Some("none"))
        + &person("other", Some("circle"), None)
        + &person("fine", Some("later"), None)
        + &person("later", None, None);
    let file = project.file("people.ndjson", &people);
    let name = file.to_str().expect("a path");
    let said = run("import", project.home(), &["people", name, "--chunk", "2"]);
    assert_eq!((said.code, said.sum()), (1, (7, 3, 4)), "{}", said.err);
    assert_eq!(project.ask("SELECT id FROM people ORDER BY id"), ["fine", "good", "later"]);
    let faults = std::fs::read_to_string(project.path("people.ndjson.faults.ndjson"));
    let faults = faults.expect("the faults");
    assert_eq!(faults.lines().count(), 4, "{faults}");
    assert!(faults.contains("/boss"), "{faults}");
    assert!(faults.contains("names people nobody, which is not there"), "{faults}");
    assert!(faults.contains("names teams none, which is not there"), "{faults}");
    // Corrected, they are taken.
    let corrected = faults.replace("\"boss\":\"nobody\"", "\"boss\":\"good\"");
    let corrected = corrected.replace(",\"team\":\"none\"", "");
    let file = project.file("corrected.ndjson", &corrected);
    let said = good("import", project.home(), &[file.to_str().expect("a path")]);
    assert_eq!(said.sum(), (4, 4, 0), "{}", said.err);
    assert_sound(&project.path("data.db"));
}

#[test]
fn a_circle_with_a_taken_value_is_refused_and_another_is_created() {
    let project = Project::of(DECLARATION);
    let rows = "{\"id\":\"x\",\"email\":\"taken\"}\n\
        {\"id\":\"a\",\"boss\":\"b\",\"email\":\"taken\"}\n\
        {\"id\":\"b\",\"boss\":\"a\"}\n\
        {\"id\":\"c\",\"boss\":\"d\"}\n\
        {\"id\":\"d\",\"boss\":\"c\"}\n";
    let faults = project.path("faults.ndjson");
    let faults = faults.to_str().expect("a path");
    let arguments = ["people", "-", "--faults", faults];
    let said = fed("import", project.home(), &arguments, rows.as_bytes());
    assert_eq!((said.code, said.sum()), (1, (5, 3, 2)), "{}", said.err);
    assert_eq!(project.ask("SELECT id FROM people ORDER BY id"), ["c", "d", "x"]);
    let faults = std::fs::read_to_string(faults).expect("the faults");
    assert!(faults.contains("\"pointer\":\"/email\""), "{faults}");
    assert!(faults.contains("names people a, which is not there"), "{faults}");
    assert_sound(&project.path("data.db"));
}

#[test]
fn where_too_many_rows_wait_it_is_said_what_to_import_first() {
    let project = Project::of(DECLARATION);
    let mut people = person("boss", None, None);
    for number in 0..20 {
        people += &person(&format!("p{number}"), Some("boss"), Some("t"));
    }
    let file = project.file("people.ndjson", &people);
    let name = file.to_str().expect("a path");
    let limit = ["people", name, "--chunk", "4", "--set", "limits.import_waiting=5"];
    let said = run("import", project.home(), &limit);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("more than 5 rows wait for records of teams"), "{}", said.err);
    fed("import", project.home(), &["teams", "-"], b"{\"id\":\"t\",\"lead\":\"boss\"}");
    let said = good("import", project.home(), &limit);
    assert_eq!(said.sum(), (21, 21, 0), "{}", said.err);
    assert_sound(&project.path("data.db"));
}
