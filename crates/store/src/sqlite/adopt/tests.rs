//! Tests of the reading of SQL: what a CHECK, a DEFAULT and a view say.

use model::adopt::foreign::{Column, Default_, Listed, Literal, Rule, Says, Table};

use super::{table, token, view};

fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column { name: (*name).to_owned(), ..Column::default() }).collect()
}

fn rules(checks: &str) -> Vec<Rule> {
    let text = format!("CREATE TABLE t (a INT, \"b c\" TEXT, CHECK ({checks}))");
    table::read(&text, &mut columns(&["a", "b c"]))
}

fn says(check: &str) -> Vec<Option<(usize, Says)>> {
    rules(check).into_iter().map(|rule| rule.says).collect()
}

#[test]
fn words_are_found_whatever_stands_between_them() {
    let text = "a -- it's (\n/* \" */ 'it''s' \"x\"\"y\" [p q] `r` 1.5e-3 0x1F <> || é";
    let words: Vec<String> =
        token::read(text).into_iter().map(|word| format!("{:?}", word.token)).collect();
    let expected = [
        "Word(\"a\")",
        "Text(\"it's\")",
        "Name(\"x\\\"y\")",
        "Name(\"p q\")",
        "Name(\"r\")",
        "Number(\"1.5e-3\")",
        "Number(\"0x1F\")",
        "Mark(\"<>\")",
        "Mark(\"||\")",
        "Word(\"é\")",
    ];
    assert_eq!(words, expected);
    // What is not closed goes to the end, and nothing panics.
    for broken in ["'a", "\"a", "[a", "[", "`", "/* a", "-- a", "1e", ".", "(", "é'", "\u{1f980}"]
    {
        let all: usize = token::read(broken).iter().map(|word| word.at.len()).sum();
        assert!(all <= broken.len(), "{broken}");
    }
}

#[test]
fn a_check_of_one_column_is_understood() {
    let integer = Literal::Integer;
    let text = |text: &str| Literal::Text(text.to_owned());
    for (check, expected) in [
        ("a >= 1", vec![Says::Minimum(integer(1))]),
        ("(((a) >= (-1)))", vec![]),
        ("1.5 > a", vec![Says::ExclusiveMaximum(Literal::Real(1.5))]),
        ("A BETWEEN 1 AND 5", vec![Says::Minimum(integer(1)), Says::Maximum(integer(5))]),
        ("a IN (1, 2)", vec![Says::OneOf(vec![integer(1), integer(2)])]),
        ("a = 1 OR (a = 2) OR a IS NULL", vec![Says::OneOf(vec![integer(1), integer(2)])]),
        (
            "a IS NULL OR (a > 0 AND a < 9)",
            vec![Says::ExclusiveMinimum(integer(0)), Says::ExclusiveMaximum(integer(9))],
        ),
        (
            "a IS NOT NULL AND typeof(a) = 'integer'",
            vec![Says::Present, Says::Type("integer".to_owned())],
        ),
        ("a NOTNULL", vec![Says::Present]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|says| Some((0, says))).collect();
        let expected = if expected.is_empty() { vec![None] } else { expected };
        assert_eq!(says(check), expected, "{check}");
    }
    for (check, expected) in [
        ("length(\"b c\") <= 9", Says::MaxLength(9)),
        ("length([b c]) > 0", Says::MinLength(1)),
        ("\"b c\" <> ''", Says::MinLength(1)),
        ("\"b c\" IN (\"x\", 'y')", Says::OneOf(vec![text("x"), text("y")])),
        ("json_valid(\"b c\")", Says::Json),
        ("\"b c\" GLOB 'A.[0-9]*'", Says::Pattern(r"^A\.[0-9][\s\S]*$".to_owned())),
        ("\"b c\" LIKE '%_@_%'", Says::Pattern(r"^[\s\S]*[\s\S]@[\s\S][\s\S]*$".to_owned())),
    ] {
        assert_eq!(says(check), [Some((1, expected))], "{check}");
    }
}

#[test]
fn a_check_that_is_not_understood_is_kept_as_text_and_its_neighbours_are_not_lost() {
    for check in [
        "a > b",
        "a + 1 > 0",
        "a > 0 OR \"b c\" > 0",
        "a IS NULL OR \"b c\" > 0",
        "NOT a > 0",
        "\"b c\" LIKE 'abc%'",
        "\"b c\" GLOB '[]]'",
        "length(trim(\"b c\")) > 0",
        "a IN (SELECT 1)",
        "a = 1 OR a > 7",
        "a <> 3",
    ] {
        let all = rules(check);
        assert_eq!(all, [Rule { text: check.to_owned(), says: None }], "{check}");
    }
    let all = rules("a > 0 AND a % 2 = 0");
    assert_eq!(all[0].says, Some((0, Says::ExclusiveMinimum(Literal::Integer(0)))));
    assert_eq!((all[1].text.as_str(), &all[1].says), ("a % 2 = 0", &None));
}

#[test]
fn the_text_of_a_table_tells_collations_and_what_is_computed() {
    let mut columns = columns(&["a", "b", "c", "d"]);
    columns[1].generated = Some(String::new());
    let text = "CREATE TABLE \"t(\" (a TEXT DEFAULT ('x') COLLATE nocase CHECK (a <> ''), \
                b INT GENERATED ALWAYS AS (c * (2)) STORED, c COLLATE \"RTRIM\", d COLLATE BINARY \
                CONSTRAINT x CHECK (d > 0), UNIQUE (a, c)) STRICT";
    let rules = table::read(text, &mut columns);
    assert_eq!(rules.len(), 2);
    assert!(columns[0].ignores_case && !columns[3].ignores_case);
    assert_eq!(columns[1].generated.as_deref(), Some("c * (2)"));
    assert_eq!((&columns[2].collation, &columns[3].collation), (&Some("RTRIM".into()), &None));
    let literal = |text: &str| match table::default(text) {
        Default_::Literal(literal) => Some(literal),
        Default_::Expression(_) => None,
    };
    assert_eq!(literal("((-1))"), Some(Literal::Integer(-1)));
    assert_eq!(literal("'it''s'"), Some(Literal::Text("it's".to_owned())));
    assert_eq!(literal("\"x\""), Some(Literal::Text("x".to_owned())));
    assert_eq!(literal("null"), Some(Literal::Null));
    assert_eq!(literal("CURRENT_TIMESTAMP"), None);
    assert_eq!(literal("1 + 1"), None);
}

#[test]
fn a_view_that_is_a_list_is_known_as_one() {
    let named = |name: &str| Table {
        name: name.to_owned(),
        columns: columns(&["a", "b"]),
        ..Table::default()
    };
    let tables = [named("t"), named("u")];
    let read = |query: &str| view::read("v", &format!("CREATE VIEW v AS {query}"), &tables);
    let expected = Listed {
        columns: Some(vec![1, 0]),
        filters: vec![(0, "gt", Literal::Integer(3)), (1, "null", Literal::Boolean(false))],
        sort: vec![(1, true), (0, false)],
    };
    let query = "SELECT x.b, a FROM t AS x WHERE a > 3 AND b IS NOT NULL ORDER BY b DESC, a";
    assert_eq!(read(query).list, Some(expected));
    assert_eq!(read("SELECT * FROM t").list, Some(Listed::default()));
    for other in [
        "SELECT a AS c FROM t",
        "SELECT a + 1 FROM t",
        "SELECT a FROM t LIMIT 3",
        "SELECT DISTINCT a FROM t",
        "SELECT a FROM t GROUP BY a",
        "SELECT a FROM t WHERE a <> 3",
        "SELECT a FROM t WHERE a = 3 OR b = 4",
        "SELECT a FROM t UNION SELECT a FROM t",
        "SELECT t.a FROM t JOIN u ON t.a = u.a",
    ] {
        assert_eq!(read(other).list, None, "{other}");
    }
    assert_eq!(read("SELECT t.a FROM t JOIN u ON t.a = u.a").tables, [0, 1]);
}
