//! Rows in every form, cut the same however the content arrives, and faults with their places.
#![allow(clippy::unwrap_used)]

use contract::problem::{Place, Violation};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Cutter, Form, Row, Stop};
use crate::json;
use crate::json::tests::any_json;
use crate::sample::{model, people};

const MOST: usize = 1 << 20;

fn cut_in(form: Form, pieces: &[&[u8]], most: usize) -> (Vec<Row>, Option<Stop>) {
    let resource = people();
    let mut cutter = Cutter::new(form, &resource, most);
    let mut rows = Vec::new();
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => cutter.feed(piece),
            None => cutter.end(),
        }
        loop {
            match cutter.next() {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => break,
                Err(stop) => return (rows, Some(stop)),
            }
        }
    }
    (rows, None)
}

/// Cuts a content at once, in two pieces at every place, and byte by byte: it is all the same.
fn cut(form: Form, content: &str) -> (Vec<Row>, Option<Stop>) {
    let content = content.as_bytes();
    let whole = cut_in(form, &[content], MOST);
    for at in 0..=content.len() {
        assert_eq!(cut_in(form, &[&content[..at], &content[at..]], MOST), whole, "{at}");
    }
    let bytes: Vec<&[u8]> = content.chunks(1).collect();
    assert_eq!(cut_in(form, &bytes, MOST), whole);
    whole
}

fn documents(form: Form, content: &str) -> Vec<Value> {
    let (rows, stop) = cut(form, content);
    assert_eq!(stop, None, "{content}");
    assert!(rows.iter().enumerate().all(|(number, row)| row.number == number));
    rows.into_iter().map(|row| row.document.unwrap()).collect()
}

fn lines(form: Form, content: &str) -> Vec<usize> {
    cut(form, content).0.iter().map(|row| row.line).collect()
}

/// Line, column and detail of what makes a content malformed, with the pointer.
fn malformed(form: Form, content: &str) -> (usize, usize, String, String) {
    match cut(form, content).1 {
        Some(Stop::Malformed(fault)) => (fault.line, fault.column, fault.detail, fault.pointer),
        other => panic!("{content}: {other:?}"),
    }
}

#[test]
fn an_array_is_cut_into_its_items() {
    for (content, items) in [
        ("[]", json!([])),
        (" \n[ \n] \n", json!([])),
        ("\u{feff}[1]", json!([1])),
        ("[1,2]", json!([1, 2])),
        (
            "[ {\"a\": \"]},[{\\\"\"} , [[],{}] ,\n\"x\\\\\" ]",
            json!([{"a": "]},[{\""}, [[], {}], "x\\"]),
        ),
        ("[\"ä,\",null]\r\n", json!(["ä,", null])),
    ] {
        assert_eq!(documents(Form::Array, content), *items.as_array().unwrap(), "{content}");
    }
    assert_eq!(lines(Form::Array, "[{},\n{}, {},\n\n {\n}]"), [1, 2, 2, 4]);
}

#[test]
fn lines_are_rows_and_blank_ones_are_none() {
    for (content, items) in [
        ("", json!([])),
        ("\n \r\n", json!([])),
        ("{\"a\":1}\n{\"a\":2}", json!([{"a": 1}, {"a": 2}])),
        ("\u{feff}1\r\n\n2\r\n", json!([1, 2])),
    ] {
        assert_eq!(documents(Form::Lines, content), *items.as_array().unwrap(), "{content}");
    }
    assert_eq!(lines(Form::Lines, "1\n\n2\n"), [1, 3]);
}

#[test]
fn cells_are_typed_by_their_columns() {
    for (content, items) in [
        ("name\n", json!([])),
        ("name\nBob", json!([{"name": "Bob"}])),
        ("\u{feff}name,age\r\nBob,5\r\n", json!([{"name": "Bob", "age": 5}])),
        (
            "\"name\",\"age\"\n\"B,\"\"o\"\"\r\nb\",\n",
            json!([{"name": "B,\"o\"\r\nb", "age": null}]),
        ),
        (
            "active,score\nTRUE,1e3\nfalse,\n",
            json!([{"active": true, "score": 1e3}, {"active": false}]),
        ),
        ("name,email\n,\n\"\",\"\"\n", json!([{}, {"name": "", "email": ""}])),
        ("name\nA\n\n\r\nB\n", json!([{"name": "A"}, {"name": "B"}])),
        (
            "data\n\"{\"\"a\"\":[1]}\"\n5\nplain\n",
            json!([{"data": {"a": [1]}}, {"data": 5}, {"data": "plain"}]),
        ),
        (
            "tags\n\"[\"\"a\"\",\"\"b\"\"]\"\na\n\"\"\n",
            json!([{"tags": ["a", "b"]}, {"tags": ["a"]}, {}]),
        ),
        ("boss,team\n3,3\n", json!([{"boss": 3, "team": "3"}])),
        ("name\n\" a \"\n b\n", json!([{"name": " a "}, {"name": " b"}])),
    ] {
        assert_eq!(documents(Form::Cells, content), *items.as_array().unwrap(), "{content}");
    }
    assert_eq!(lines(Form::Cells, "name\n\"a\nb\"\n\nc\n"), [2, 5]);
}

#[test]
fn what_is_malformed_is_named_by_line_and_column_of_the_whole() {
    for (form, content, line, column, pointer, says) in [
        (Form::Array, "5", 1, 1, "/0", "array of records"),
        (Form::Array, "[", 1, 2, "/0", "expected a JSON value or \"]\""),
        (Form::Array, "[1,", 1, 4, "/1", "expected a JSON value"),
        (Form::Array, "[1, ]", 1, 5, "/1", "found ']'"),
        (Form::Array, "[1,\n,2]", 2, 1, "/1", "found ','"),
        (Form::Array, "[1", 1, 3, "/0", "\",\" or \"]\""),
        (Form::Array, "[1.,2]", 1, 4, "/0", "found ','"),
        (Form::Array, "[1}", 1, 3, "/0", "found '}'"),
        (Form::Array, "[1 2]", 1, 4, "/0", "found '2'"),
        (Form::Array, "[1]\n x", 2, 2, "/1", "after the end"),
        (Form::Array, "[] []", 1, 4, "/0", "after the end"),
        (Form::Array, "[\"ä\", {\"a\":}]", 1, 12, "/1/a", "expected a JSON value"),
        (Form::Array, "[{},\n {\"a\":1,\n\"a\":2}]", 3, 1, "/1/a", "twice"),
        (Form::Array, "[{\"a\": \"b}]", 1, 12, "/0/a", "closing quote"),
        (Form::Array, "[{\"a\":[}]", 1, 8, "/0/a/0", "expected a JSON value"),
        (Form::Lines, "{}\n\n{\"a\":}", 3, 6, "/1/a", "expected a JSON value"),
        (Form::Lines, "{}\n{}{}\n", 2, 3, "/1", "after the end"),
        (Form::Lines, "[\n1]\n", 1, 2, "/0/0", "the line ends here"),
        (Form::Cells, "", 1, 1, "/0", "header"),
        (Form::Cells, "\n\n", 3, 1, "/0", "header"),
        (Form::Cells, "name\nä\"b", 2, 2, "/0", "does not begin with one"),
        (Form::Cells, "name\na\n\"b\"c", 3, 4, "/1", "closes a cell"),
        (Form::Cells, "name\na\rb", 2, 2, "/0", "line feed"),
        (Form::Cells, "name,age\n\"a\nb\",\"5", 3, 4, "/0", "never closed"),
    ] {
        let (at_line, at_column, detail, at) = malformed(form, content);
        assert!(detail.contains(says), "{content}: {detail}");
        assert_eq!((at_line, at_column, at.as_str()), (line, column, pointer), "{content}");
    }
    let bytes = cut_in(Form::Cells, &[b"name\n\xe4\n"], MOST);
    let Some(Stop::Malformed(fault)) = bytes.1 else { panic!("{bytes:?}") };
    assert_eq!((fault.line, fault.column), (2, 1));
    let deep = format!("[{}{}]", "[".repeat(64), "]".repeat(64));
    assert!(malformed(Form::Array, &deep).2.contains("deeper"), "the array counts");
    let (deep, _) = cut(Form::Array, &deep[1..deep.len() - 1]);
    assert_eq!(deep.len(), 1);
}

#[test]
fn a_value_that_cannot_be_kept_is_a_fault_of_its_row_alone() {
    for (form, content) in [
        (Form::Array, "[{\"a\":NaN}, {\"a\":[\"\\ud800\"]},{}]"),
        (Form::Lines, "{\"a\":NaN}\n{\"a\":[\"\\ud800\"]}\n{}"),
    ] {
        let (rows, stop) = cut(form, content);
        assert_eq!(stop, None);
        let place = |row: &Row| row.document.as_ref().unwrap_err()[0].place.clone();
        assert_eq!(place(&rows[0]), Place::Pointer("/a".to_owned()));
        assert_eq!(place(&rows[1]), Place::Pointer("/a/0".to_owned()));
        assert_eq!(rows[2].document, Ok(json!({})));
    }
    let (rows, stop) = cut(Form::Cells, "age,active\nx,yes\n1\n1,2,3\n7,true\n");
    assert_eq!(stop, None);
    let faults: Vec<Vec<Violation>> =
        rows.iter().filter_map(|row| row.document.clone().err()).collect();
    assert_eq!(faults[0].len(), 2);
    assert_eq!(faults[0][0], Violation::at("/age", "must be a whole number"));
    assert_eq!(
        faults[1],
        [Violation::at("", "has another number of cells (1) than the header (2)")]
    );
    assert_eq!(faults[2].len(), 1);
    assert_eq!(rows[3].document, Ok(json!({"age": 7, "active": true})));
}

#[test]
fn a_header_is_told_every_fault_of_its_names() {
    for (header, says) in [
        ("nmae", vec!["\"nmae\" is not a member of people; did you mean \"name\"?"]),
        ("name,age,name", vec!["\"name\" is there twice"]),
        ("id,createdAt,updatedAt", vec!["\"id\"", "\"createdAt\"", "\"updatedAt\""]),
        ("name,", vec!["a column has no name"]),
        ("name;age", vec!["is not a member", "separated by commas"]),
    ] {
        let (rows, stop) = cut(Form::Cells, &format!("\n{header}\nx\n"));
        let Some(Stop::Header(faults)) = stop else { panic!("{header}: {stop:?}") };
        assert!(rows.is_empty());
        assert_eq!(faults.len(), says.len(), "{faults:?}");
        for (fault, says) in faults.iter().zip(says) {
            assert!(fault.detail.starts_with("line 2: "), "{fault:?}");
            assert!(fault.detail.contains(says), "{fault:?}");
        }
    }
    let texts = &model().resources[1];
    let mut cutter = Cutter::new(Form::Cells, texts, MOST);
    cutter.feed(b"id\nabc\n");
    assert_eq!(cutter.next().unwrap().unwrap().document, Ok(json!({"id": "abc"})));
}

#[test]
fn a_row_is_bounded_and_a_forgotten_quote_is_found() {
    let large = |number, line| Some(Stop::RowTooLarge { number, line });
    let text = "x".repeat(40);
    let array = format!("[1,\n\"{text}\"]");
    assert_eq!(cut_in(Form::Array, &[array.as_bytes()], 40).1, large(1, 2));
    assert_eq!(cut_in(Form::Array, &[&array.as_bytes()[..46]], 40).1, large(1, 2));
    assert_eq!(cut_in(Form::Array, &[array.as_bytes()], 42).1, None);
    let lines = format!("1\n\"{text}\"\n");
    assert_eq!(cut_in(Form::Lines, &[lines.as_bytes()], 40).1, large(1, 2));
    assert_eq!(cut_in(Form::Lines, &[&lines.as_bytes()[..44]], 40).1, large(1, 2));
    let cells = format!("name\na\n\"{text}\"\n");
    assert_eq!(cut_in(Form::Cells, &[cells.as_bytes()], 40).1, large(1, 3));
    assert_eq!(cut_in(Form::Cells, &[&cells.as_bytes()[..49]], 40).1, large(1, 3));
    let open = format!("[{{\"name\": \"A}}, {{\"name\": \"{text}\"}}");
    let Some(Stop::Malformed(fault)) = cut_in(Form::Array, &[open.as_bytes()], 40).1 else {
        panic!("the quote was not found")
    };
    assert_eq!((fault.line, fault.column), (1, 18));
}

proptest! {
    #[test]
    fn an_array_is_cut_as_the_parser_reads_it(
        items in prop::collection::vec(any_json(), 0..5),
        at in 0.0..1.0,
        pretty: bool,
    ) {
        let whole = Value::Array(items);
        let text = if pretty { format!("{whole:#}") } else { whole.to_string() };
        let at = (at * text.len() as f64) as usize;
        let (first, second) = text.as_bytes().split_at(at);
        let (rows, stop) = cut_in(Form::Array, &[first, second], MOST);
        match json::parse(text.as_bytes()) {
            Ok(Value::Array(items)) => {
                prop_assert_eq!(stop, None);
                let rows: Result<Vec<_>, _> = rows.into_iter().map(|row| row.document).collect();
                prop_assert_eq!(rows.unwrap(), items);
            }
            Ok(other) => panic!("{other}"),
            Err(fault) => {
                prop_assert!(fault.semantic);
                prop_assert!(rows.iter().any(|row| row.document.is_err()));
            }
        }
    }

    #[test]
    fn a_table_that_is_written_is_read_again(
        names in prop::collection::vec(".{0,6}|[\",\r\n]{0,3}", 0..5),
        at in 0.0..1.0,
    ) {
        let mut text = "name\r\n".to_owned();
        for name in &names {
            text.push_str(&format!("\"{}\"\r\n", name.replace('"', "\"\"")));
        }
        let at = (at * text.len() as f64) as usize;
        let (first, second) = text.as_bytes().split_at(at);
        let (rows, stop) = cut_in(Form::Cells, &[first, second], MOST);
        prop_assert_eq!(stop, None);
        let found: Vec<Value> = rows.into_iter().map(|row| row.document.unwrap()).collect();
        let sent: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        prop_assert_eq!(found, sent);
    }
}
