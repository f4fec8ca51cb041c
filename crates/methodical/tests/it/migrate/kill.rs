//! `kill -9` at any moment of a migration: afterwards there is what was before, or what was to be,
//! and never anything between.

use std::time::{Duration, Instant};

use super::*;
use crate::property::chance::{Chance, setting};

/// Records of the table that every kind of change is tried on.
const FEW: u32 = 20_000;
/// Records of the table that is rewritten as a whole.
const MANY: u32 = 200_000;

const BEFORE: &str = "[resources.owners]\nfields.name = { type = \"string\" }\n\
    [resources.things]\n\
    fields.name = { type = \"string\", maxLength = 40, index = true }\n\
    fields.size = { type = \"integer\" }\n\
    fields.note = { type = \"string\", optional = true }\n\
    fields.owner = { references = \"owners\", onDelete = \"cascade\" }\n";

/// A change of every kind, by what is replaced in the declaration.
const CHANGES: &[(&str, &[(&str, &str)])] = &[
    ("type", &[("size = { type = \"integer\" }", "size = { type = \"string\" }")]),
    ("case and unique", &[("index = true", "unique = true, ignoreCase = true")]),
    ("drop a field", &[("fields.note = { type = \"string\", optional = true }\n", "")]),
    ("add a field", &[("fields.size", "fields.more = { default = [1] }\nfields.size")]),
    (
        "rename",
        &[
            ("[resources.things]", "[resources.items]\nwas = \"things\""),
            ("fields.size = {", "fields.width = { was = \"size\","),
        ],
    ),
    ("ids", &[("[resources.owners]", "[resources.owners]\nid = \"text\"")]),
    ("constraint", &[("maxLength = 40", "maxLength = 50, pattern = \"^[a-z0-9 ]+$\"")]),
    ("index", &[("fields.size = {", "fields.size = { index = true,")]),
    (
        "default",
        &[(
            "fields.size = { type = \"integer\"",
            "fields.size = { type = \"integer\", default = 4",
        )],
    ),
    ("reference", &[("onDelete = \"cascade\"", "onDelete = \"restrict\"")]),
    ("search", &[("[resources.owners]", "[resources.owners]\nsearch = [\"name\"]")]),
    (
        "drop a resource",
        &[
            ("[resources.owners]\nfields.name = { type = \"string\" }\n", ""),
            ("fields.owner = { references = \"owners\", onDelete = \"cascade\" }\n", ""),
        ],
    ),
];

/// The database that all begin with. Triggers would make it slow to fill: they come back as they
/// were, and what they would have kept is written beside.
fn fill(rows: u32) -> Home {
    let home = Home::new(BEFORE);
    home.make();
    let sql = home.sql();
    let triggers: Vec<(String, String)> = sql
        .prepare(
            "SELECT name, sql FROM sqlite_schema \
             WHERE type = 'trigger' AND tbl_name IN ('things', 'owners')",
        )
        .expect("triggers")
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("triggers")
        .collect::<Result<_, _>>()
        .expect("triggers");
    sql.execute_batch("BEGIN").expect("begun");
    for (name, _) in &triggers {
        sql.execute_batch(&format!("DROP TRIGGER \"{name}\"")).expect("dropped");
    }
    sql.execute_batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) \
         INSERT INTO owners (name) SELECT 'owner ' || i FROM n;\
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) \
         INSERT INTO things (name, size, note, owner) SELECT 'thing ' || i, i % 1000, \
         CASE WHEN i % 3 = 0 THEN 'note ' || i END, 1 + i % 500 FROM n;\
         UPDATE _methodical_resource SET total = CASE name WHEN 'things' THEN {rows} ELSE 500 END"
    ))
    .expect("rows");
    for (_, text) in &triggers {
        sql.execute_batch(text).expect("made again");
    }
    sql.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").expect("committed");
    home
}

/// A copy of a folder with its database.
fn copy(from: &Home, declaration: &str) -> Home {
    let home = Home::new(declaration);
    std::fs::copy(from.database(), home.database()).expect("copied");
    home
}

/// All that a database says of itself, and sums over every column of every table of ours.
fn state(home: &Home) -> String {
    let sql = home.sql();
    let text = |query: &str| -> String {
        sql.query_row(query, [], |row| row.get::<_, Option<String>>(0))
            .expect("a row")
            .unwrap_or_default()
    };
    let mut out =
        text("SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
    out.push_str(&text(
        "SELECT group_concat(name || hex(value), ';') FROM _methodical_meta WHERE name <> 'epoch'",
    ));
    out.push_str(&text("SELECT group_concat(name || total, ';') FROM _methodical_resource"));
    out.push_str(&text("SELECT count(*) || '' FROM _methodical_migrations"));
    let tables = text("SELECT group_concat(name) FROM _methodical_resource");
    for table in tables.split(',') {
        let columns = text(&format!("SELECT group_concat(name) FROM pragma_table_info('{table}')"));
        for column in columns.split(',') {
            let sums = format!(
                "SELECT concat_ws(' ', '{table}.{column}', count(*), total(length(\"{column}\")), \
                 min(typeof(\"{column}\")), max(typeof(\"{column}\")), min(\"{column}\"), \
                 max(\"{column}\"), total(\"{column}\")) FROM \"{table}\""
            );
            out.push_str(&format!("\n{}", text(&sums)));
        }
    }
    assert_eq!(text("PRAGMA quick_check"), "ok");
    out
}

/// A declaration with another one's texts in it.
fn changed(replaced: &[(&str, &str)]) -> String {
    replaced.iter().fold(BEFORE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// Carries a change out in peace, and then as often as this with a kill at some moment. How many
/// of these were killed while they ran.
fn kill(chance: &mut Chance, filled: &Home, what: &str, after: &str, kills: u32) -> u32 {
    let old = state(filled);
    let whole = copy(filled, after);
    let begun = Instant::now();
    let done = whole.migrate(&["--apply", "--allow-data-loss"]);
    assert_eq!(done.code, Some(0), "{what}: {}{}", done.out, done.err);
    let took = begun.elapsed();
    let new = state(&whole);
    assert_ne!(old, new, "{what}");
    let mut killed = 0;
    for _ in 0..kills {
        let home = copy(filled, after);
        let mut command = home.command("migrate", &["--apply", "--allow-data-loss"]);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        let share = chance.below(1_000) as u32;
        std::thread::sleep(took * share / 1_000 + Duration::from_millis(1));
        child.kill().expect("killed");
        killed += u32::from(child.wait().expect("it ends").code().is_none());
        let found = state(&home);
        assert!(found == old || found == new, "{what}: between\n{found}\n{old}\n{new}");
        let again = home.migrate(&["--apply", "--allow-data-loss"]);
        assert_eq!(again.code, Some(0), "{what}: {}", again.err);
        assert_eq!(state(&home), new, "{what}: it can be done again");
    }
    killed
}

#[test]
fn a_migration_of_any_kind_that_is_killed_is_done_or_has_never_begun() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 1));
    let filled = fill(FEW);
    let each = |(what, replaced): &(&str, &[(&str, &str)])| {
        kill(&mut chance, &filled, what, &changed(replaced), 1)
    };
    let killed: u32 = CHANGES.iter().map(each).sum();
    assert!(killed > 0, "none was killed while it ran");
}

#[test]
fn a_large_table_that_is_killed_while_it_is_rewritten_is_whole() {
    let mut chance = Chance::new(setting("METHODICAL_TEST_SEED", 1) + 1);
    let after = changed(&[
        ("size = { type = \"integer\" }", "width = { was = \"size\", type = \"string\" }"),
        ("index = true", "unique = true, ignoreCase = true"),
    ]);
    let killed = kill(&mut chance, &fill(MANY), "all at once", &after, 2);
    assert!(killed > 0, "none was killed while it ran");
}
