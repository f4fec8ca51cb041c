//! Tests of the plan: types by what cells hold, names, ids, and a declaration that always holds.

use proptest::prelude::{any, prop, prop_assert, proptest};

use super::cell::{Cell, Form, read};
use super::facts::{Facts, Look};
use super::foreign::{Column, Default_, Foreign, Group, Literal, Reference, Rule, Says, Table};
use super::name::{Of, choose};
use super::plan::{IdSource, plan};
use crate::declaration;
use crate::value::Value;

fn column(name: &str, declared: &str, cells: &[Cell<'_>]) -> Column {
    let mut facts = Facts::default();
    cells.iter().for_each(|cell| facts.see(*cell, Look::ForJson));
    Column { name: name.to_owned(), declared: declared.to_owned(), facts, ..Column::default() }
}

fn table(name: &str, columns: Vec<Column>) -> Table {
    let rows = columns.iter().map(|column| column.facts.values() + column.facts.nulls).max();
    let numbers = Some((1, 1));
    Table { name: name.to_owned(), columns, rows: rows.unwrap_or(0), numbers, ..Table::default() }
}

/// The line that declares a column of a table which has another one.
fn declared(column: Column) -> String {
    let name = format!("fields.{} = ", column.name);
    let other = self::column("other", "TEXT", &[Cell::Text("x")]);
    let tables = vec![table("t", vec![other, column])];
    let text = plan(&Foreign { name: "f".to_owned(), tables, ..Foreign::default() }).declaration;
    let reading = declaration::read(&text);
    assert!(reading.model.is_some(), "{text}\n{:?}", reading.complaints);
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or("none").to_owned()
}

#[test]
fn a_type_is_what_the_cells_hold() {
    let (one, half, text) = (Cell::Integer(1), Cell::Real(0.5), Cell::Text("a"));
    for (kind, cells, expected) in [
        ("INT", &[one][..], "{ type = \"integer\", optional = true }"),
        ("BOOLEAN", &[one], "{ type = \"boolean\", optional = true }"),
        ("BOOLEAN", &[Cell::Integer(2)], "{ type = \"integer\", optional = true }"),
        ("DECIMAL(9,2)", &[one], "{ type = \"number\", optional = true }"),
        ("DECIMAL(9)", &[one], "{ type = \"integer\", optional = true }"),
        ("INT", &[one, half], "{ type = \"number\", optional = true }"),
        ("INT", &[one, text], "{ type = [\"integer\", \"string\"], optional = true }"),
        (
            "INT",
            &[Cell::Integer(i64::MAX)],
            "{ type = \"integer\", format = \"int64\", optional = true }",
        ),
        ("VARCHAR(1)", &[text], "{ type = \"string\", maxLength = 1, optional = true }"),
        ("VARCHAR(0)", &[text], "{ type = \"string\", optional = true }"),
        (
            "DATE",
            &[Cell::Text("2024-02-29")],
            "{ type = \"string\", format = \"date\", optional = true }",
        ),
        (
            "DATETIME",
            &[Cell::Text("2024-02-29 1:02")],
            "{ type = \"string\", pattern = \"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]:[0-9]{2}$\", \
             optional = true }",
        ),
        ("DATE", &[Cell::Text("soon")], "{ type = \"string\", optional = true }"),
        ("JSON", &[Cell::Text("{}")], "{ optional = true }"),
        ("JSON", &[Cell::Text("{")], "{ type = \"string\", optional = true }"),
        ("BLOB", &[Cell::Blob(3)], "none"),
        ("BLOB", &[Cell::Blob(3), text], "{ type = \"string\", optional = true }"),
        ("TEXT", &[], "{ type = \"string\", optional = true }"),
        ("", &[], "{ optional = true }"),
        ("BLOB", &[], "none"),
    ] {
        assert_eq!(declared(column("c", kind, cells)), expected, "{kind} {cells:?}");
    }
}

#[test]
fn a_default_and_null_stand_beside_each_other_where_they_can() {
    let with = |not_null: bool, default: Literal| {
        let default = Some(Default_::Literal(default));
        declared(Column { not_null, default, ..column("c", "TEXT", &[Cell::Text("a")]) })
    };
    let a = || Literal::Text("a".to_owned());
    assert_eq!(with(true, a()), "{ type = \"string\", default = \"a\" }");
    assert_eq!(with(false, a()), "{ type = [\"string\", \"null\"], default = \"a\" }");
    assert_eq!(with(false, Literal::Null), "{ type = \"string\", optional = true }");
    assert_eq!(with(true, Literal::Real(0.5)), "{ type = \"string\", optional = true }");
}

#[test]
fn a_cell_becomes_a_value_or_says_why_not() {
    assert_eq!(read(Form::Number, Cell::Integer(2)), Ok(Value::Number(2.0)));
    assert_eq!(read(Form::Boolean, Cell::Integer(0)), Ok(Value::Boolean(false)));
    assert_eq!(read(Form::Json, Cell::Text("[ 1 ]")), Ok(Value::Json("[1]".to_owned())));
    assert_eq!(read(Form::Mixed, Cell::Text("a")), Ok(Value::Json("\"a\"".to_owned())));
    for (form, cell) in [
        (Form::Text, Cell::Blob(1)),
        (Form::Text, Cell::Broken),
        (Form::Text, Cell::Text("a\0")),
        (Form::Text, Cell::Integer(1)),
        (Form::Number, Cell::Real(f64::INFINITY)),
        (Form::Number, Cell::Integer(i64::MAX)),
        (Form::Boolean, Cell::Integer(2)),
        (Form::Json, Cell::Text("{")),
    ] {
        assert!(read(form, cell).is_err(), "{form:?} {cell:?}");
    }
}

#[test]
fn names_are_kept_where_they_can_be() {
    let resource = |name: &str, taken: &[&str]| {
        let taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        choose(Of::Resource, name, &taken)
    };
    for (name, taken, expected) in [
        ("Track", &[][..], "Track"),
        ("Order Details", &[], "Order-Details"),
        ("search", &[], "search_"),
        ("2024", &[], "t2024"),
        ("_x", &[], "x"),
        ("Größe", &[], "Gro-e"),
        ("日本", &[], "table"),
        ("a", &["A"], "a_"),
        ("a", &["A", "a_"], "a_2"),
    ] {
        assert_eq!(resource(name, taken), expected, "{name}");
    }
    let long = "x".repeat(80);
    assert_eq!(resource(&long, &[]).len(), 48);
    assert_eq!(choose(Of::Field, "updatedat", &[]), "updatedat_");
    assert_eq!(choose(Of::Field, "e-mail", &[]), "e_mail");
}

#[test]
fn a_key_is_the_id_where_it_can_be_one() {
    let id = |cells: &[Cell<'_>], numbers: Option<(i64, i64)>| {
        let columns = vec![
            column("key", "X", cells),
            column("c", "TEXT", &vec![Cell::Text("a"); cells.len()]),
        ];
        let table = Table { key: vec![0], numbers, ..table("t", columns) };
        let foreign = Foreign { tables: vec![table], ..Foreign::default() };
        plan(&foreign).carried[0].id
    };
    let numbers = Some((1, 9));
    assert_eq!(id(&[Cell::Integer(1), Cell::Integer((1 << 53) - 1)], numbers), IdSource::Column(0));
    assert_eq!(id(&[Cell::Text("ALFKI")], numbers), IdSource::Column(0));
    assert_eq!(id(&[Cell::Text("A B")], numbers), IdSource::Row);
    assert_eq!(id(&[Cell::Integer(0)], Some((0, 0))), IdSource::Count);
    assert_eq!(id(&[Cell::Integer(1), Cell::Text("a")], numbers), IdSource::Row);
    assert_eq!(id(&[Cell::Text("a"), Cell::Null], numbers), IdSource::Row);
    assert_eq!(id(&[Cell::Text(".")], None), IdSource::Count);
}

/// Names and texts that somebody may have thought of, and cells of all kinds.
fn any_column(seed: &[u8], name: &str) -> Column {
    let of = |at: usize| seed.get(at).copied().unwrap_or(0);
    let declared =
        ["INT", "TEXT", "", "BLOB", "VARCHAR(3)", "DATE", "BOOLEAN", "JSON", "DECIMAL(4,1)"];
    let cells: Vec<Cell<'_>> = seed
        .iter()
        .skip(4)
        .map(|byte| match byte % 9 {
            0 => Cell::Null,
            1 => Cell::Integer(i64::from(*byte) - 100),
            2 => Cell::Integer(i64::MAX),
            3 => Cell::Real(f64::from(*byte) / 7.0),
            4 => Cell::Text("2024-01-01"),
            5 => Cell::Text("a\u{7f}\"\\"),
            6 => Cell::Blob(u64::from(*byte)),
            7 => Cell::Integer(1),
            _ => Cell::Text("0"),
        })
        .collect();
    let default = match of(0) % 5 {
        0 => Some(Default_::Literal(Literal::Text("\u{7f}\n'\"".to_owned()))),
        1 => Some(Default_::Literal(Literal::Integer(i64::from(of(1))))),
        2 => Some(Default_::Expression("CURRENT_TIMESTAMP\n, '".to_owned())),
        3 => Some(Default_::Literal(Literal::Real(0.25))),
        _ => None,
    };
    Column {
        not_null: of(1) % 2 == 0,
        ignores_case: of(2) % 3 == 0,
        default,
        generated: (of(3) % 7 == 0).then(|| "a\n+ 1".to_owned()),
        ..column(name, declared[usize::from(of(3)) % declared.len()], &cells)
    }
}

proptest! {
    /// Whatever is found, the declaration that is written holds, and has a field for each source.
    #[test]
    fn every_declaration_holds(
        names in prop::collection::vec("[ -~é\n]{0,60}", 3..6),
        seeds in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 12),
    ) {
        let tables: Vec<Table> = (0..3)
            .map(|at| {
                let mut columns: Vec<Column> = Vec::new();
                for (number, seed) in seeds[at * 4..at * 4 + 4].iter().enumerate() {
                    let name = format!("{}{number}", names[number % names.len()]);
                    columns.push(any_column(seed, &name));
                }
                let flag = seeds[at].first().copied().unwrap_or(0);
                let literals = vec![Literal::Integer(1), Literal::Text("0".to_owned())];
                let group = |unique, columns: &[usize], folds: &[bool]| Group {
                    unique,
                    columns: columns.to_vec(),
                    folds: folds.to_vec(),
                    ..Group::default()
                };
                let rule = |says| Rule { text: "x\n> 1".to_owned(), says };
                Table {
                    name: format!("{}{at}", names[at]),
                    key: if flag % 3 == 0 { vec![0, 1] } else { vec![usize::from(flag) % 4] },
                    rules: vec![
                        rule(Some((0, Says::OneOf(literals)))),
                        rule(Some((1, Says::Minimum(Literal::Real(0.5))))),
                        rule(Some((2, Says::MaxLength(2)))),
                        rule(None),
                    ],
                    groups: vec![group(true, &[1], &[true]), group(false, &[2, 3], &[false, true])],
                    references: vec![Reference {
                        columns: vec![2],
                        target: Some(((at + 1) % 3, vec![0])),
                        on_delete: "SET NULL".to_owned(),
                        ..Reference::default()
                    }],
                    ..table("", columns)
                }
            })
            .collect();
        let foreign = Foreign { name: names[0].clone(), tables, ..Foreign::default() };
        let plan = plan(&foreign);
        if !plan.carried.is_empty() {
            let reading = declaration::read(&plan.declaration);
            prop_assert!(reading.model.is_some(), "{}\n{:?}", plan.declaration, reading.complaints);
            let model = reading.model.expect("a model");
            prop_assert!(model.resources.len() == plan.carried.len());
            for (resource, carried) in model.resources.iter().zip(&plan.carried) {
                prop_assert!(resource.name == carried.name);
                prop_assert!(resource.fields.len() == carried.values.len());
            }
        }
    }
}
