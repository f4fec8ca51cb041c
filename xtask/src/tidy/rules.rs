//! Rules over the text of single files: lengths, words, names that belong to one file.

use super::{FILE_LINES_MAX, FUNCTION_LINES_MAX, Fault, House, LINE_COLUMNS_MAX, RustFile};
use crate::scan::{line, words};

/// Every rule over texts.
pub(crate) const RULES: &[fn(&House) -> Vec<Fault>] = &[
    functions_are_short,
    files_are_short,
    lines_are_narrow,
    files_say_what_they_are_for,
    methods_are_named_in_the_table,
    databases_are_named_in_the_store,
    pure_crates_are_pure,
    the_runtime_is_named_in_the_binary,
    wall_clocks_are_few,
    nothing_is_unwrapped,
    words_are_fit_to_publish,
    no_machine_is_named,
];

/// Files that may have wide lines: tables, which are read by column. Each with its reason.
const WIDE: &[(&str, &str)] = &[
    ("crates/contract/src/table.rs", "one row of the contract a line, under rustfmt::skip"),
    ("crates/contract/src/problem.rs", "one sentence a line in the table of problems"),
];

/// Where a method may be named outside tests.
const METHODS_NAMED: &[&str] = &["crates/contract/src/table.rs", "crates/contract/src/proof.rs"];

/// Where the wall clock may be read, and what for. Clippy refuses it elsewhere; this keeps the
/// list of exceptions from growing by an attribute.
const WALL_CLOCKS: &[(&str, &str)] = &[
    ("crates/engine/src/clock.rs", "createdAt, updatedAt, ids: the one source of both"),
    ("crates/methodical/src/log.rs", "when a line was written"),
    ("crates/methodical/src/serve/id.rs", "request ids begin with the time"),
    ("crates/methodical/src/serve/http1/answer.rs", "the Date field"),
    ("crates/methodical/src/serve/http1/connection.rs", "when a request arrived"),
    ("crates/store/src/options.rs", "what has expired is swept when nobody asks"),
];

/// Code that `contract` and `model` do without.
const IMPURE: &[&str] = &[
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
];

/// Words that do not belong into what is published. Spelt in halves, so as not to find themselves.
const BANNED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

fn fault(file: &RustFile, offset: usize, text: impl Into<String>) -> Fault {
    Fault::at(&file.path, file.source.line(offset), text)
}

/// Offsets at which this stands in code that is shipped.
fn shipped<'a>(file: &'a RustFile, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let offsets = (!file.is_test).then(|| file.source.find(needle));
    offsets.into_iter().flatten().filter(|offset| !file.source.is_test(*offset))
}

/// Files of these crates.
fn of_crates<'a>(house: &'a House, names: &'a [&str]) -> impl Iterator<Item = &'a RustFile> + 'a {
    house.rust.iter().filter(|file| {
        let mut parts = file.path.split('/');
        parts.next() == Some("crates") && parts.next().is_some_and(|name| names.contains(&name))
    })
}

fn functions_are_short(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in house.rust.iter().filter(|file| !file.is_test) {
        for function in file.source.functions() {
            if function.lines > FUNCTION_LINES_MAX && !file.source.is_test(function.start) {
                let text = format!(
                    "`{}` has {} lines; at most {FUNCTION_LINES_MAX}: name its parts",
                    function.name, function.lines
                );
                faults.push(fault(file, function.start, text));
            }
        }
    }
    faults
}

fn files_are_short(house: &House) -> Vec<Fault> {
    let long =
        |file: &&RustFile| !file.is_test && file.source.lines_outside_tests() > FILE_LINES_MAX;
    let faults = house.rust.iter().filter(long).map(|file| {
        let lines = file.source.lines_outside_tests();
        fault(file, 0, format!("{lines} lines outside tests; at most {FILE_LINES_MAX}: split it"))
    });
    faults.collect()
}

fn lines_are_narrow(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in &house.rust {
        let mut wide = file.source.text.lines().enumerate().filter_map(|(index, line)| {
            let columns = line.chars().count();
            (columns > LINE_COLUMNS_MAX).then_some((index + 1, columns))
        });
        if WIDE.iter().any(|(path, _)| *path == file.path) {
            if wide.next().is_none() {
                faults.push(fault(file, 0, "has no wide line any more: take it off the list WIDE"));
            }
            continue;
        }
        faults.extend(wide.map(|(line, columns)| Fault {
            path: file.path.clone(),
            line,
            text: format!("{columns} columns; at most {LINE_COLUMNS_MAX}"),
        }));
    }
    faults
}

fn files_say_what_they_are_for(house: &House) -> Vec<Fault> {
    let silent = |file: &&RustFile| {
        let first = file.source.text.lines().next().unwrap_or("");
        !first.starts_with("//! ") || first.len() < "//! A sentence".len()
    };
    let faults = house.rust.iter().filter(silent).map(|file| {
        fault(file, 0, "does not open with `//!` and a sentence that says what it is for")
    });
    faults.collect()
}

fn methods_are_named_in_the_table(house: &House) -> Vec<Fault> {
    const INSTEAD: &str = "ask the row or the nature; if it does not say, add a column";
    let names: Vec<&str> = contract::table::METHODS.iter().map(|nature| nature.name).collect();
    let mut faults = Vec::new();
    for file in house.rust.iter().filter(|file| !METHODS_NAMED.contains(&file.path.as_str())) {
        for needle in ["Method::", "METHOD::"] {
            for offset in shipped(file, needle) {
                let rest = &file.source.code[offset + needle.len()..];
                // `Method::from_bytes` names no method; `Method::Get` and `Method::*` do.
                if !rest.starts_with(|c: char| c.is_ascii_lowercase()) {
                    faults.push(fault(file, offset, format!("names a method: {INSTEAD}")));
                }
            }
        }
        for literal in file.source.literals.iter().filter(|_| !file.is_test) {
            let inside = &file.source.text[literal.clone()];
            if names.contains(&inside) && !file.source.is_test(literal.start) {
                faults.push(fault(file, literal.start, format!("spells {inside}: {INSTEAD}")));
            }
        }
    }
    faults
}

fn databases_are_named_in_the_store(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in of_crates(house, &["contract", "model", "engine"]).filter(|file| !file.is_test) {
        for (offset, word) in words(&file.source.code) {
            let small = word.to_ascii_lowercase();
            if (small.contains("sqlite") || small.contains("postgres"))
                && !file.source.is_test(offset)
            {
                faults.push(fault(
                    file,
                    offset,
                    format!("`{word}`: only the store knows databases"),
                ));
            }
        }
    }
    faults
}

fn pure_crates_are_pure(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in of_crates(house, &["contract", "model"]) {
        for needle in IMPURE {
            for offset in shipped(file, needle) {
                let text = format!("`{needle}`: contract and model do no I/O and read no clock");
                faults.push(fault(file, offset, text));
            }
        }
        let code = words(&file.source.code).filter(|_| !file.is_test);
        for (offset, word) in code.filter(|(_, word)| matches!(*word, "async" | "await")) {
            if !file.source.is_test(offset) {
                faults.push(fault(
                    file,
                    offset,
                    format!("`{word}`: contract and model never wait"),
                ));
            }
        }
    }
    faults
}

fn the_runtime_is_named_in_the_binary(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in of_crates(house, &["contract", "model", "store", "engine"]) {
        for needle in ["tokio::runtime", "tokio::net", "tokio::main", "tokio::signal"] {
            for offset in shipped(file, needle) {
                faults.push(fault(file, offset, format!("`{needle}`: only methodical names it")));
            }
        }
    }
    faults
}

fn wall_clocks_are_few(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in
        house.rust.iter().filter(|file| !WALL_CLOCKS.iter().any(|(path, _)| *path == file.path))
    {
        for offset in shipped(file, "SystemTime::now") {
            faults.push(fault(file, offset, "reads the wall clock: take the time as an argument"));
        }
    }
    faults
}

fn nothing_is_unwrapped(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in &house.rust {
        for offset in shipped(file, ".unwrap()") {
            let text = "`unwrap()`: return the error, or `expect` the reason why there is none";
            faults.push(fault(file, offset, text));
        }
        for offset in shipped(file, "dbg!") {
            faults.push(fault(file, offset, "`dbg!` is for a terminal, not for a commit"));
        }
    }
    faults
}

fn words_are_fit_to_publish(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, content) in &house.texts {
        for (offset, word) in words(content).filter(|(_, word)| BANNED.contains(word)) {
            let text = format!("`{word}`: do it now, or open an issue");
            faults.push(Fault::at(path, line(content, offset), text));
        }
    }
    faults
}

fn no_machine_is_named(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, content) in &house.texts {
        for needle in MACHINE_PATHS {
            for (offset, _) in content.match_indices(needle) {
                // Inside a longer path it is a folder of ours.
                let before = content[..offset].chars().next_back();
                if before.is_none_or(|c| !(c.is_alphanumeric() || "-_.}~)".contains(c))) {
                    let text = format!("`{needle}`: a path that exists on one machine only");
                    faults.push(Fault::at(path, line(content, offset), text));
                }
            }
        }
    }
    faults
}
