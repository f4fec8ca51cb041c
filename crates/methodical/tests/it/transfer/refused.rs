//! Rows that are not taken, files that cannot be read, and runs that only try.

use std::fs;

use serde_json::Value;

use super::{Project, assert_sound, everything, fed, good, run};

const DECLARATION: &str = "[resources.users]\nsearch = [\"name\"]\n\
    fields.name = { type = \"string\", minLength = 1 }\n\
    fields.email = { type = \"string\", unique = true, ignoreCase = true, optional = true }\n\
    fields.age = { type = \"integer\", minimum = 0, optional = true }\n\
    [resources.notes]\nfields.text = { type = \"string\" }\n";

fn faults(text: &str) -> Vec<(u64, String, Value)> {
    let line = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("a row");
        let fault = &row["_fault"];
        let error = &fault["errors"][0];
        let what = format!("{} {}", error["pointer"].as_str()?, error["detail"].as_str()?);
        Some((fault["line"].as_u64()?, what, row.clone()))
    };
    text.lines().map(|text| line(text).expect("a fault")).collect()
}

#[test]
fn faulty_rows_are_written_with_reasons_and_the_others_are_created() {
    let project = Project::of(DECLARATION);
    let rows = "{\"name\":\"A\",\"email\":\"A@x\"}\n\
        {\"name\":\"\"}\n\
        {\"name\":\"B\",\"age\":-1,\"nmae\":1}\n\
        {\"name\":\"C\",\"email\":\"a@X\"}\n\
        not json\n\
        {\"name\":\"D\",\"_resource\":\"notes\"}\n\
        {\"id\":1,\"name\":\"E\"}\n\
        \n\
        [1]\n\
        {\"name\":\"F\",\"email\":\"a@x\"}";
    let file = project.file("users.ndjson", rows);
    let name = file.to_str().expect("a path");
    let said = run("import", project.home(), &["users", name]);
    assert_eq!((said.code, said.sum()), (1, (9, 1, 8)), "{}", said.err);
    assert!(said.err.contains("users.ndjson:2: /name: "), "{}", said.err);
    let text = fs::read_to_string(project.path("users.ndjson.faults.ndjson")).expect("faults");
    let mut found = faults(&text);
    found.sort_by_key(|(line, ..)| *line);
    let expected = [
        (2, "/name "),
        (3, "/age "),
        (4, "/email is taken"),
        (5, " column 1: "),
        (6, "/_resource is not users"),
        (7, "/id is taken"),
        (9, " must be an object"),
        (10, "/email is taken"),
    ];
    for ((line, what, _), (number, beginning)) in found.iter().zip(expected) {
        assert!(*line == number && what.starts_with(beginning), "{line}: {what}");
    }
    assert_eq!(found.len(), expected.len(), "{text}");
    assert_eq!(found[1].2["_fault"]["errors"].as_array().expect("errors").len(), 2);
    assert_eq!(found[2].2["email"], "a@X", "the row is as it was");
    // The index is as true as if the faulty rows had never been.
    assert_sound(&project.path("data.db"));
    let again = fed("import", project.home(), &["-"], text.as_bytes());
    assert_eq!((again.code, again.sum()), (1, (8, 0, 8)), "{}", again.err);
}

#[test]
fn a_table_is_read_with_what_only_the_operator_may_set() {
    let project = Project::of(DECLARATION);
    let table = "id,name,age,createdAt,_version\r\n\
        7,A,,2026-01-01T00:00:00Z,5-3\r\n\
        x,B,1,,\r\n\
        8,C,2,,\r\n\
        9,D\r\n";
    let file = project.file("users.csv", table);
    let said = run("import", project.home(), &["users", file.to_str().expect("a path")]);
    assert_eq!((said.code, said.sum()), (1, (4, 2, 2)), "{}", said.err);
    assert_eq!(
        project.ask("SELECT id, name, age, createdAt, _birth, _version FROM users WHERE id = 7"),
        ["7|A|NULL|2026-01-01T00:00:00.000Z|5|3"]
    );
    let text = fs::read_to_string(project.path("users.csv.faults.ndjson")).expect("faults");
    let found = faults(&text);
    assert!(found[0].1.starts_with("/id must be a whole number"), "{text}");
    assert!(found[1].1.contains("another number of cells"), "{text}");
    let header = project.file("header.csv", "name,nmae\n");
    let said = run("import", project.home(), &["users", header.to_str().expect("a path")]);
    assert!(said.code == 1 && said.err.contains("did you mean \"name\""), "{}", said.err);
}

#[test]
fn what_cannot_be_cut_ends_the_import_and_goes_on_once_it_is_corrected() {
    let project = Project::of(DECLARATION);
    let broken = "name,email\nA,a\nB,b\nC,\"c\nD,d\n";
    let file = project.file("users.csv", broken);
    let name = file.to_str().expect("a path");
    let said = run("import", project.home(), &["users", name]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("this quote is never closed"), "{}", said.err);
    assert!(said.err.contains("The 2 rows before it are kept"), "{}", said.err);
    project.file("users.csv", &broken.replace("\"c", "c"));
    let said = good("import", project.home(), &["users", name]);
    assert_eq!(said.sum(), (4, 4, 0), "{}", said.err);
    assert_eq!(project.ask("SELECT id || name FROM users ORDER BY id"), ["1A", "2B", "3C", "4D"]);
}

#[test]
fn a_dry_run_finds_the_same_faults_and_changes_nothing() {
    let project = Project::of(DECLARATION);
    let file = project.file("new.ndjson", "{\"name\":\"A\",\"email\":\"a\"}\n");
    let dry =
        good("import", project.home(), &["users", file.to_str().expect("a path"), "--dry-run"]);
    assert!(dry.err.contains("nothing was changed"), "{}", dry.err);
    assert!(!project.path("data.db").exists(), "not even an empty database is made");
    // As a kill in the middle of making it leaves it.
    project.file("data.db", "");
    fed("import", project.home(), &["users", "-"], b"{\"name\":\"A\",\"email\":\"a\"}\n");
    let before = everything(&project.path("data.db"));
    let rows = "{\"name\":\"B\",\"email\":\"A\"}\n{\"name\":\"C\",\"email\":\"c\"}\n\
                {\"name\":\"D\",\"email\":\"C\"}\n{\"name\":\"\"}\n";
    let file = project.file("users.ndjson", rows);
    let name = file.to_str().expect("a path");
    let dry = run("import", project.home(), &["users", name, "--dry-run", "--chunk", "1"]);
    assert_eq!((dry.code, dry.sum()), (1, (4, 1, 3)), "{}", dry.err);
    assert_eq!(everything(&project.path("data.db")), before);
    let told = fs::read(project.path("users.ndjson.faults.ndjson")).expect("faults");
    let left: Vec<_> = fs::read_dir(project.home())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("dry-run"))
        .collect();
    assert_eq!(left, [""; 0], "the copy is gone");
    let real = run("import", project.home(), &["users", name]);
    assert_eq!((real.code, real.sum()), (1, (4, 1, 3)), "{}", real.err);
    assert_eq!(fs::read(project.path("users.ndjson.faults.ndjson")).expect("faults"), told);
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let project = Project::of(DECLARATION);
    let csv = project.file("a.csv", "name\nA\n");
    let csv = csv.to_str().expect("a path");
    project.file("userz.ndjson", "");
    let home = project.home().to_str().expect("a path").to_owned();
    for (arguments, code, words) in [
        (&[csv][..], 2, "CSV holds records of one resource"),
        (&["usrs", csv], 2, "Did you mean users?"),
        (&["users", "/nowhere/at/all"], 1, "cannot be read"),
        (&["users", csv, "--chunk", "0"], 2, "--chunk takes"),
        (&[home.as_str()], 1, "belongs to no resource"),
        (&[], 2, "<FROM>"),
        (&["users", csv, "--key", "k", "extra"], 2, ""),
    ] {
        let said = run("import", project.home(), arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}", said.err);
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
    }
    let said = run("export", project.home(), &["--format", "csv"]);
    assert!(said.code == 2 && said.err.contains("CSV holds records"), "{}", said.err);
}
