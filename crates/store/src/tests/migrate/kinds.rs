//! Every kind of change.

use super::*;

/// A change, with data on both sides.
struct Case {
    before: &'static str,
    rows: &'static str,
    after: &'static str,
    /// The steps, as they are said.
    steps: &'static [&'static str],
    ask: &'static str,
    answer: &'static str,
}

const PEOPLE: &str = "[resources.people]\nfields.name = { type = \"string\" }\n";
const TWO: &str = "INSERT INTO people (name) VALUES ('Ann'), ('Bob')";

fn try_case(case: &Case, data_loss: DataLoss) -> Plan {
    let ground = Ground::new(case.before, case.rows);
    let kept = "SELECT position, operation, version FROM _methodical_changes";
    let log = ground.ask(kept);
    let plan = ground.migrated(case.after, data_loss);
    let said: Vec<String> = plan.steps.iter().map(crate::migrate::Step::says).collect();
    assert_eq!(said, case.steps);
    assert_eq!(ground.ask(kept), log, "a migration is no write of anybody's");
    assert_eq!(ground.ask(case.ask), case.answer, "{}", case.steps.join("; "));
    assert_eq!(ground.ask("SELECT count(*) FROM _methodical_migrations"), "1");
    plan
}

fn lossless(cases: &[Case]) {
    for case in cases {
        let plan = try_case(case, DataLoss::Refused);
        assert!(!plan.loses());
    }
}

#[test]
fn resources_come_and_are_renamed_and_what_refers_to_them_follows() {
    lossless(&[Case {
        before: PEOPLE,
        rows: TWO,
        after: "[resources.people]\nfields.name = { type = \"string\" }\n\
                    [resources.pets]\nsearch = [\"name\"]\nfields.name = { type = \"string\", \
                    ignoreCase = true, unique = true }\nfields.of = { references = \"people\" }\n",
        steps: &["add the resource"],
        ask: "SELECT resource, name FROM _methodical_resource",
        answer: "1 'people'\n2 'pets'",
    }]);
    lossless(&[Case {
        before: "[resources.people]\nsearch = [\"name\"]\n\
                 fields.name = { type = \"string\", unique = true }\n\
                 [resources.pets]\nfields.of = { references = \"people\" }\n",
        rows: "INSERT INTO people (name) VALUES ('Ann'), ('Bob'); INSERT INTO pets (of) VALUES (2)",
        after: "[resources.users]\nwas = \"people\"\nsearch = [\"name\"]\n\
                fields.name = { type = \"string\", unique = true }\n\
                [resources.pets]\nfields.of = { references = \"users\" }\n",
        steps: &["rename the resource, it was `people`"],
        ask: "SELECT users.id, name, pets.id FROM users LEFT JOIN pets ON of = users.id \
              WHERE users.id IN (SELECT rowid FROM \"_methodical_search(users)\" \
              WHERE \"_methodical_search(users)\" MATCH 'bob')",
        answer: "2 'Bob' 1",
    }]);
}

#[test]
fn fields_come_and_are_renamed() {
    lossless(&[
        Case {
            before: PEOPLE,
            rows: TWO,
            after: "[resources.people]\nfields.name = { type = \"string\" }\n\
                    fields.rank = { type = \"integer\", default = 7 }\n\
                    fields.note = { type = \"string\", optional = true, index = true }\n\
                    fields.alias = { type = \"string\", default = \"Straße\", ignoreCase = true }",
            steps: &[
                "add field `rank`, 7 in every record that is there",
                "add field `note`",
                "add field `alias`, \"Straße\" in every record that is there",
                "index `note`",
            ],
            ask: "SELECT id, name, rank, note, alias, _fold_alias FROM people",
            answer: "1 'Ann' 7 NULL 'Straße' 'strasse'\n2 'Bob' 7 NULL 'Straße' 'strasse'",
        },
        Case {
            before: PEOPLE,
            rows: TWO,
            after: "[resources.people]\nfields.rank = { type = \"integer\", default = 7 }\n\
                    fields.name = { type = \"string\" }\n",
            steps: &["add field `rank`, 7 in every record that is there"],
            ask: "SELECT id, name, rank, _version FROM people",
            answer: "1 'Ann' 7 1\n2 'Bob' 7 1",
        },
        Case {
            before: "[resources.people]\nsearch = [\"name\"]\nunique = [[\"name\", \"born\"]]\n\
                     fields.name = { type = \"string\", ignoreCase = true, minLength = 1 }\n\
                     fields.born = { type = \"integer\", index = true }\n",
            rows: "INSERT INTO people (name, born) VALUES ('Ann', 1), ('ÄNN', 2)",
            after: "[resources.people]\nsearch = [\"title\"]\nunique = [[\"title\", \"born\"]]\n\
                    fields.title = { type = \"string\", ignoreCase = true, minLength = 1, \
                    was = \"name\" }\nfields.born = { type = \"integer\", index = true }\n",
            steps: &["rename field `name` to `title`"],
            ask: "SELECT title, _fold_title FROM people",
            answer: "'Ann' 'ann'\n'ÄNN' 'a\u{308}nn'",
        },
        Case {
            before: PEOPLE,
            rows: TWO,
            after: "[resources.people]\nfields.Name = { type = \"string\" }\n",
            steps: &["rename field `name` to `Name`"],
            ask: "SELECT name FROM pragma_table_info('people') LIMIT 1 OFFSET 1",
            answer: "'Name'",
        },
    ]);
}

#[test]
fn types_change_where_every_value_can_be_said_otherwise() {
    let cases = [
        ("integer", "1, -2", "number", "from integer to number", "1.0\n-2.0"),
        ("integer", "1, -2", "string", "from integer to string", "'1'\n'-2'"),
        ("integer", "1, 0", "boolean", "from integer to boolean", "1\n0"),
        ("number", "1.0, -2.0", "integer", "from number to integer", "1\n-2"),
        ("number", "0.5, 1e300", "string", "from number to string", "'0.5'\n'1e+300'"),
        ("boolean", "1, 0", "string", "from boolean to string", "'true'\n'false'"),
        ("boolean", "1, 0", "integer", "from boolean to integer", "1\n0"),
        ("string", "'12', '-3'", "integer", "from string to integer", "12\n-3"),
        ("string", "'0.5', '-3.25'", "number", "from string to number", "0.5\n-3.25"),
        ("string", "'true', 'false'", "boolean", "from string to boolean", "1\n0"),
    ];
    for (from, values, to, says, answer) in cases {
        let body =
            |kind: &str| format!("[resources.a]\nfields.x = {{ type = \"{kind}\", index = true }}");
        let values: Vec<String> = values.split(", ").map(|value| format!("({value})")).collect();
        let rows = format!("INSERT INTO a (x) VALUES {}", values.join(", "));
        let ground = Ground::new(&body(from), &rows);
        let before = ground.ask("SELECT x FROM a ORDER BY id");
        let kept = "SELECT id, createdAt, updatedAt, _birth, _version FROM a";
        let versions = ground.ask(kept);
        let plan = ground.migrated(&body(to), DataLoss::Refused);
        assert_eq!(plan.steps[0].says(), format!("change the type of `x` {says}"));
        assert_eq!(ground.ask("SELECT x FROM a ORDER BY id"), answer);
        assert_eq!(ground.ask(kept), versions);
        ground.migrated(&body(from), DataLoss::Refused);
        assert_eq!(ground.ask("SELECT x FROM a ORDER BY id"), before, "and back");
    }
    lossless(&[Case {
        before: "[resources.a]\nfields.x = { type = \"string\", optional = true }",
        rows: "INSERT INTO a (x) VALUES ('a\"b'), (NULL)",
        after: "[resources.a]\nfields.x = {}",
        steps: &[
            "change the type of `x` from string to any JSON",
            "change `x` from optional to nullable",
        ],
        ask: "SELECT x FROM a",
        answer: "'\"a\\\"b\"'\nNULL",
    }]);
}

#[test]
fn constraints_defaults_and_presence_change() {
    lossless(&[
        Case {
            before: "[resources.a]\nfields.x = { type = \"string\", maxLength = 5 }",
            rows: "INSERT INTO a (x) VALUES ('one'), ('three')",
            after: "[resources.a]\nfields.x = { type = \"string\", minLength = 3, \
                    maxLength = 9, pattern = \"^[a-z]+$\" }",
            steps: &["constrain `x`: `maxLength` 9, `minLength` 3, `pattern` \"^[a-z]+$\""],
            ask: "SELECT x FROM a",
            answer: "'one'\n'three'",
        },
        Case {
            before: "[resources.a]\nfields.x = { type = \"string\", maxLength = 5 }",
            rows: "INSERT INTO a (x) VALUES ('one')",
            after: "[resources.a]\nfields.x = { type = \"string\" }",
            steps: &["constrain `x`: no `maxLength`"],
            ask: "INSERT INTO a (x) VALUES ('a long text') RETURNING x",
            answer: "'a long text'",
        },
        Case {
            before: "[resources.a]\nfields.x = { type = \"integer\", default = 1 }",
            rows: "INSERT INTO a DEFAULT VALUES",
            after: "[resources.a]\nfields.x = { type = \"integer\", default = 2 }",
            steps: &["change the default of `x` to 2"],
            ask: "INSERT INTO a DEFAULT VALUES RETURNING (SELECT x FROM a WHERE id = 1), x",
            answer: "1 2",
        },
        Case {
            before: "[resources.a]\nfields.x = { type = \"integer\", optional = true }",
            rows: "INSERT INTO a (x) VALUES (4)",
            after: "[resources.a]\nfields.x = { type = \"integer\" }",
            steps: &["change `x` from optional to required"],
            ask: "SELECT \"notnull\", x FROM pragma_table_info('a'), a WHERE name = 'x'",
            answer: "1 4",
        },
        Case {
            before: "[resources.a]\nfields.x = { type = \"integer\" }",
            rows: "INSERT INTO a (x) VALUES (4)",
            after: "[resources.a]\nfields.x = { type = [\"integer\", \"null\"] }",
            steps: &["change `x` from required to nullable"],
            ask: "INSERT INTO a (x) VALUES (NULL) RETURNING x",
            answer: "NULL",
        },
    ]);
}

#[test]
fn a_default_that_changes_leaves_the_rows_alone_that_have_the_old_one() {
    let body = |default: u8| {
        format!(
            "[resources.a]\nfields.y = {{ type = \"string\" }}\n\
             fields.x = {{ type = \"integer\", default = {default} }}"
        )
    };
    let ground = Ground::new(
        "[resources.a]\nfields.y = { type = \"string\" }",
        "INSERT INTO a (y) VALUES ('before')",
    );
    ground.migrated(&body(1), DataLoss::Refused);
    // The row ends before the column: what is read of it is the default of the time.
    ground.migrated(&body(2), DataLoss::Refused);
    assert_eq!(ground.ask("SELECT x FROM a"), "1");
    ground.migrated(&body(3), DataLoss::Refused);
    assert_eq!(ground.ask("SELECT x FROM a"), "1");
}

#[test]
fn indexes_uniqueness_case_search_and_references_change() {
    const TWO_FIELDS: &str = "fields.x = { type = \"string\" }\nfields.y = { type = \"string\" }";
    let body = |keys: &str| format!("[resources.a]\n{keys}{TWO_FIELDS}");
    let rows = "INSERT INTO a (x, y) VALUES ('Müller', 'a'), ('Schmidt', 'b')";
    let ground = Ground::new(&body(""), rows);
    let says = |plan: &Plan| plan.steps.iter().map(crate::migrate::Step::says).collect::<Vec<_>>();
    let plan = ground.migrated(&body("index = [[\"x\", \"y\"]]\n"), DataLoss::Refused);
    assert_eq!(says(&plan), ["index `x` and `y`"]);
    let dated = "index = [[\"x\", \"y\"], [\"y\", \"createdAt\"]]\n";
    let plan = ground.migrated(&body(dated), DataLoss::Refused);
    assert_eq!(says(&plan), ["index `y` and `createdAt`"]);
    let plan = ground.migrated(&body("index = [[\"x\", \"y\"]]\n"), DataLoss::Refused);
    assert_eq!(says(&plan), ["drop the index of `y` and `createdAt`"]);
    let plan = ground.migrated(&body("unique = [[\"x\", \"y\"]]\n"), DataLoss::Refused);
    assert_eq!(says(&plan), ["make `x` and `y` unique", "drop the index of `x` and `y`"]);
    assert_eq!(ground.ask("SELECT \"unique\" FROM pragma_index_list('a')"), "1");
    let plan = ground.migrated(&body("search = [\"x\"]\n"), DataLoss::Refused);
    assert_eq!(says(&plan), ["let values of `x` and `y` occur more than once", "search `x`"]);
    let found = "SELECT rowid FROM \"_methodical_search(a)\" \
                 WHERE \"_methodical_search(a)\" MATCH 'schmidt'";
    assert_eq!(ground.ask(found), "2");
    let plan = ground.migrated(&body("search = [\"x\", \"y\"]\n"), DataLoss::Refused);
    assert_eq!(says(&plan), ["search `x` and `y`"]);
    assert_eq!(ground.ask(found), "2");
    let plan = ground.migrated(&body(""), DataLoss::Refused);
    assert_eq!(says(&plan), ["search it no more"]);
    let folded = "[resources.a]\nfields.x = { type = \"string\", ignoreCase = true, \
                  unique = true }\nfields.y = { type = \"string\" }";
    let plan = ground.migrated(folded, DataLoss::Refused);
    assert_eq!(says(&plan), ["compare `x` without regard to case", "make `x` unique"]);
    assert_eq!(ground.ask("SELECT _fold_x FROM a"), "'mu\u{308}ller'\n'schmidt'");
    ground.migrated(&body(""), DataLoss::Refused);

    let before = "[resources.a]\nfields.x = { type = \"integer\" }\n[resources.b]\n\
                  fields.y = { type = \"string\" }";
    let after = before.replace("{ type = \"integer\" }", "{ references = \"b\" }");
    let ground =
        Ground::new(before, "INSERT INTO b (y) VALUES ('b'); INSERT INTO a (x) VALUES (1)");
    let plan = ground.migrated(&after, DataLoss::Refused);
    assert_eq!(says(&plan), ["let `x` refer to b, onDelete \"restrict\"", "index `x`"]);
    ground.sql().execute("DELETE FROM b", []).unwrap_err();
    let after = after.replace("\"b\" }", "\"b\", onDelete = \"cascade\" }");
    let plan = ground.migrated(&after, DataLoss::Refused);
    assert_eq!(says(&plan), ["let `x` refer to b, onDelete \"cascade\""]);
    ground.sql().execute("DELETE FROM b", []).unwrap();
    assert_eq!(ground.ask("SELECT count(*) FROM a"), "0");
    let plan = ground.migrated(before, DataLoss::Refused);
    assert_eq!(says(&plan), ["let `x` refer to nothing any more", "drop the index of `x`"]);
}

#[test]
fn ids_change_and_what_refers_to_them_follows() {
    let body = |id: &str| {
        format!(
            "[resources.a]\nid = \"{id}\"\nsearch = [\"x\"]\nfields.x = {{ type = \"string\" }}\n\
             [resources.b]\nfields.to = {{ references = \"a\", onDelete = \"cascade\" }}"
        )
    };
    let rows = "INSERT INTO a (x) VALUES ('one'), ('two'), ('three');\
                INSERT INTO b (\"to\") VALUES (3), (1); DELETE FROM a WHERE id = 3";
    let ground = Ground::new(&body("integer"), rows);
    let plan = ground.migrated(&body("text"), DataLoss::Refused);
    assert_eq!(plan.steps[0].says(), "change ids from integer to text");
    assert_eq!(ground.ask("SELECT id, x FROM a ORDER BY id"), "'1' 'one'\n'2' 'two'");
    assert_eq!(ground.ask("SELECT \"to\" FROM b"), "'1'");
    let log = "SELECT DISTINCT typeof(id) FROM _methodical_changes WHERE resource = 1";
    assert_eq!(ground.ask(log), "'text'");
    ground.migrated(&body("integer"), DataLoss::Refused);
    assert_eq!(ground.ask("SELECT a.id, b.id FROM a JOIN b ON \"to\" = a.id"), "1 2");
    ground.sql().execute("DELETE FROM a WHERE id = 1", []).unwrap();
    assert_eq!(ground.ask("SELECT count(*) FROM b"), "0");
}

#[test]
fn an_id_is_not_used_again_after_a_migration() {
    let ground = Ground::new(PEOPLE, "INSERT INTO people (id, name) VALUES (9, 'Ann');");
    ground.sql().execute("DELETE FROM people", []).unwrap();
    let after = "[resources.people]\nfields.name = { type = \"string\", ignoreCase = true }\n";
    ground.migrated(after, DataLoss::Refused);
    let id = ground.ask("INSERT INTO people (name) VALUES ('Bob') RETURNING id");
    assert_eq!(id, "10");
}

/// Cases that lose data: what, of how many records, and of which.
type Losing = (Case, &'static str, u64, &'static [&'static str]);

fn losing() -> [Losing; 4] {
    [
        (
            Case {
                before: "[resources.people]\nfields.name = { type = \"string\" }\n\
                         fields.fax = { type = \"string\", optional = true, index = true }\n",
                rows: "INSERT INTO people (name, fax) VALUES ('Ann', NULL), ('Bob', '1')",
                after: PEOPLE,
                steps: &["drop field `fax`"],
                ask: "SELECT id, name FROM people",
                answer: "1 'Ann'\n2 'Bob'",
            },
            "the values of `fax`",
            1,
            &["2"],
        ),
        (
            Case {
                before: "[resources.a]\nfields.x = { type = \"string\" }\n\
                         [resources.people]\nsearch = [\"name\"]\n\
                         fields.name = { type = \"string\" }\n",
                rows: TWO,
                after: "[resources.a]\nfields.x = { type = \"string\" }\n",
                steps: &["drop the resource"],
                ask: "SELECT name FROM _methodical_resource",
                answer: "'a'",
            },
            "every record of it",
            2,
            &["1", "2"],
        ),
        (
            Case {
                before: "[resources.a]\nfields.x = { type = \"string\" }\n",
                rows: "INSERT INTO a (x) VALUES ('7'), ('007')",
                after: "[resources.a]\nfields.x = { type = \"integer\" }\n",
                steps: &["change the type of `x` from string to integer"],
                ask: "SELECT x FROM a",
                answer: "7\n7",
            },
            "how the values of `x` are written",
            1,
            &["2"],
        ),
        (
            Case {
                before: "[resources.a]\nfields.x = { type = \"integer\", optional = true }\n",
                rows: "INSERT INTO a (x) VALUES (4), (NULL)",
                after: "[resources.a]\nfields.x = { type = \"integer\", default = 5 }\n",
                steps: &["change `x` from optional to required", "change the default of `x` to 5"],
                ask: "SELECT x FROM a",
                answer: "4\n5",
            },
            "which records have no `x`: they get the default",
            1,
            &["2"],
        ),
    ]
}

#[test]
fn what_goes_is_said_and_goes_only_where_somebody_agrees() {
    for (case, what, rows, ids) in losing() {
        let ground = Ground::new(case.before, case.rows);
        let before = ground.ask("SELECT name, sql FROM sqlite_schema");
        let Applied::Refused(plan) = ground.migrate(case.after, DataLoss::Refused) else {
            panic!("{}", case.steps[0]);
        };
        let loss = plan.steps[0].loss.clone().unwrap();
        assert_eq!((loss.what.as_str(), loss.rows), (what, rows));
        assert_eq!(loss.ids, ids);
        assert_eq!(ground.ask("SELECT name, sql FROM sqlite_schema"), before);
        let refused = ground.open(case.after).unwrap_err().to_string();
        assert!(refused.contains("data would be lost"), "{refused}");
        try_case(&case, DataLoss::Allowed);
    }
}

#[test]
fn a_number_of_a_resource_is_not_given_again() {
    let one = "[resources.a]\nfields.x = { type = \"string\" }\n";
    let two = |name: &str| format!("{one}[resources.{name}]\nfields.x = {{ type = \"string\" }}\n");
    let ground = Ground::new(&two("b"), "INSERT INTO b (x) VALUES ('x')");
    ground.migrated(one, DataLoss::Allowed);
    ground.migrated(&two("c"), DataLoss::Refused);
    let numbers = "SELECT resource, name FROM _methodical_resource";
    assert_eq!(ground.ask(numbers), "1 'a'\n3 'c'");
    assert_eq!(ground.ask("SELECT DISTINCT resource FROM _methodical_changes"), "2");
}

#[test]
fn no_tag_of_before_matches_what_is_shown_otherwise() {
    let ground = Ground::new(PEOPLE, TWO);
    let epoch = |body: &str| ground.open(body).unwrap().epoch;
    let first = epoch(PEOPLE);
    let indexed = "[resources.people]\nfields.name = { type = \"string\", index = true }\n";
    ground.migrated(indexed, DataLoss::Refused);
    assert_eq!(epoch(indexed), first, "an index shows nothing otherwise");
    let added = format!("{PEOPLE}fields.rank = {{ type = \"integer\", default = 1 }}\n");
    ground.migrated(&added, DataLoss::Refused);
    ground.migrated(PEOPLE, DataLoss::Allowed);
    assert_ne!(epoch(PEOPLE), first, "there and back is not where it began");
}
