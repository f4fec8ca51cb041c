//! Each rule against a small house that breaks it and one that does not, and against our own.

use super::manifest::dependencies;
use super::numbers::percentile;
use super::{House, run};

const ROOT: &str = "[workspace]\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
const LINTS: &str = "[package]\n[lints]\nworkspace = true\n";

/// What the rules say about these files, as `path:line: text`.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let mut texts: Vec<(String, String)> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    if !files.iter().any(|(path, _)| *path == "Cargo.toml") {
        texts.push(("Cargo.toml".to_owned(), ROOT.to_owned()));
    }
    House::of(texts).faults().iter().map(ToString::to_string).collect()
}

/// The one fault of one file, behind a purpose sentence that stands on line 1.
fn only(path: &str, code: &str) -> String {
    let text = format!("//! A file that is for a test.\n{code}");
    let mut found = faults(&[(path, &text)]);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn clean(path: &str, code: &str) {
    let text = format!("//! A file that is for a test.\n{code}");
    assert_eq!(faults(&[(path, &text)]), Vec::<String>::new());
}

#[test]
fn our_own_house_is_tidy() {
    if let Err(report) = run(&crate::root()) {
        panic!("{report}");
    }
}

#[test]
fn long_functions_and_files_are_told() {
    let body = "let x = 1;\n".repeat(69);
    let long = format!("fn a() {{\n{body}}}\n");
    assert!(
        only("crates/store/src/a.rs", &long).starts_with("crates/store/src/a.rs:2: `a` has 71")
    );
    clean("crates/store/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}"));
    clean("crates/store/tests/it/a.rs", &long);
    clean("crates/store/src/a.rs", &"const X: u8 = 1;\n".repeat(499));
    assert!(only("crates/store/src/a.rs", &"const X: u8 = 1;\n".repeat(500)).contains("501 lines"));
}

#[test]
fn a_test_module_in_its_own_file_is_test_code() {
    let code = "//! A file that is for a test.\nfn a() { b().unwrap(); }\n";
    let parent = "//! A file that has a test.\n#[cfg(test)]\nmod tests;\n";
    let files = [("crates/store/src/a.rs", parent), ("crates/store/src/a/tests.rs", code)];
    assert_eq!(faults(&files), Vec::<String>::new());
    let files = [("crates/store/src/lib.rs", parent), ("crates/store/src/tests.rs", code)];
    assert_eq!(faults(&files), Vec::<String>::new());
    let parent = "//! A file that has a test.\n#[cfg(test)]\n#[path = \"b.rs\"]\nmod tests;\n";
    let files = [("crates/store/src/a.rs", parent), ("crates/store/src/b.rs", code)];
    assert_eq!(faults(&files), Vec::<String>::new());
    assert_eq!(faults(&[("crates/store/src/tests.rs", code)]).len(), 1);
}

#[test]
fn wide_lines_are_told_but_in_tables() {
    let wide = format!("// {}\n", "é".repeat(98));
    assert!(only("crates/store/src/a.rs", &wide).contains(":2: 101 columns"));
    clean("crates/store/src/a.rs", &format!("// {}\n", "é".repeat(97)));
    clean("crates/contract/src/table.rs", &wide);
    assert!(only("crates/contract/src/table.rs", "").contains("no wide line any more"));
}

#[test]
fn a_file_without_a_purpose_is_told() {
    for text in ["", "fn a() {}\n", "// A comment.\n", "//!\n", "//! Short\n"] {
        assert_eq!(faults(&[("crates/store/src/a.rs", text)]).len(), 1, "{text}");
    }
}

#[test]
fn methods_are_named_in_the_table_only() {
    let needle = "fn a(m: Method) -> bool { m == Method::Get }\n";
    assert!(only("crates/engine/src/a.rs", needle).contains("names a method"));
    assert!(
        only("crates/engine/src/a.rs", "fn a(m: &str) -> bool { m == \"PATCH\" }")
            .contains("spells")
    );
    assert!(only("crates/engine/src/a.rs", "use http::Method::*;").contains("names a method"));
    clean("crates/contract/src/proof.rs", needle);
    clean("crates/engine/src/a.rs", &format!("#[cfg(test)]\nmod tests {{ {needle} }}"));
    clean("crates/methodical/tests/it/main.rs", needle);
    clean("crates/engine/src/a.rs", "fn a() { http::Method::from_bytes(b\"\"); }");
    clean("crates/engine/src/a.rs", "// Method::Get\nconst A: &str = \"Method::Get\";");
}

#[test]
fn databases_runtimes_and_clocks_have_one_home() {
    let connection = "use rusqlite::Connection;\n";
    assert!(only("crates/engine/src/a.rs", connection).contains("only the store"));
    clean("crates/store/src/a.rs", connection);
    clean("crates/model/src/a.rs", "/// SQLite.\nconst A: &str = \"sqlite:\";\n");
    assert!(only("crates/model/src/a.rs", "use std::fs;\n").contains("no I/O"));
    assert!(only("crates/contract/src/a.rs", "async fn a() {}\n").contains("never wait"));
    assert!(only("crates/store/src/a.rs", "use tokio::net::TcpStream;\n").contains("methodical"));
    clean("crates/methodical/src/a.rs", "use tokio::net::TcpStream;\n");
    let clock = "fn a() { std::time::SystemTime::now(); }\n";
    assert!(only("crates/store/src/a.rs", clock).contains("wall clock"));
    clean("crates/engine/src/clock.rs", clock);
}

#[test]
fn unwrapping_and_debugging_are_told_outside_tests() {
    assert!(only("crates/store/src/a.rs", "fn a() { b().unwrap(); }").contains("expect"));
    assert!(only("crates/store/src/a.rs", "fn a() { dbg!(1); }").contains("terminal"));
    clean("crates/store/src/a.rs", "// unwrap()\nfn a() { b().unwrap_or(1); }");
    clean("crates/store/src/a.rs", "#[cfg(test)]\nfn a() { b().unwrap(); }");
}

#[test]
fn banned_words_and_machine_paths_are_told_in_every_text() {
    let word = concat!("TO", "DO");
    assert!(only("crates/store/src/a.rs", &format!("// {word}: later\n")).contains(":2: "));
    clean("crates/store/src/a.rs", "// A method for mastodons, XXXX.\n");
    let path = concat!("see /ro", "ot/x");
    assert_eq!(faults(&[("README.md", path)]).len(), 1);
    assert_eq!(faults(&[("README.md", concat!("see a/ro", "ot/x"))]), Vec::<String>::new());
}

#[test]
fn what_documents_point_at_exists() {
    let told = |text: &str| {
        faults(&[("docs/A.md", text), ("crates/a/src/b.rs", "//! A file that is for a test.\n")])
    };
    for text in [
        "`crates/a/src/b.rs`, `crates/a/`, `crates/a`, `crates/*/src`, crates/x",
        "[a](A.md) [b](../crates/a/src/b.rs#x) [c](#d) [e](https://example.org/f) [g](../)",
        "`examples/shop/data.db`",
    ] {
        assert_eq!(told(text), Vec::<String>::new());
    }
    assert_eq!(told("\n`crates/a/src/c.rs`"), ["docs/A.md:2: `crates/a/src/c.rs` is not there"]);
    assert_eq!(told("`crates/a/src/b`").len(), 1);
    assert_eq!(told("[a](B.md)"), ["docs/A.md:1: the link to B.md leads nowhere"]);
    assert_eq!(told("[a](../../x.md)").len(), 1);
}

#[test]
fn dependencies_are_read_from_every_table() {
    let manifest = "[dependencies]\nmodel.workspace = true\n# no = 1\nhttp = \"1\"\n\n\
                    [features]\na = []\n[dev-dependencies]\nstore = { path = \"../store\" }\n\
                    [dependencies.tokio]\nversion = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n\
                    [build-dependencies]\n\"cc\" = \"1\"\n";
    let found: Vec<(String, usize, bool)> =
        dependencies(manifest).into_iter().map(|d| (d.name, d.line, d.dev)).collect();
    let expected = [
        ("model", 2, false),
        ("http", 4, false),
        ("store", 9, true),
        ("tokio", 10, false),
        ("libc", 13, false),
        ("cc", 15, false),
    ];
    assert_eq!(found, expected.map(|(name, line, dev)| (name.to_owned(), line, dev)));
    assert_eq!(dependencies("[workspace.dependencies]\nhttp = \"1\"\n"), []);
}

#[test]
fn dependencies_go_one_way() {
    let manifest = |path: &str, rest: &str| faults(&[(path, &format!("{LINTS}{rest}"))]);
    let store = "crates/store/Cargo.toml";
    assert_eq!(manifest(store, "[dependencies]\nmodel.workspace = true\n"), Vec::<String>::new());
    assert_eq!(manifest(store, "[dependencies]\nhttp.workspace = true\n").len(), 1);
    assert_eq!(manifest(store, "[dev-dependencies]\nhttp.workspace = true\n").len(), 1);
    assert_eq!(
        manifest("crates/model/Cargo.toml", "[dependencies]\nstore.workspace = true\n").len(),
        1
    );
    assert_eq!(
        manifest("crates/model/Cargo.toml", "[dependencies]\ntokio.workspace = true\n").len(),
        1
    );
    assert_eq!(manifest("crates/engine/Cargo.toml", "[dependencies]\nrusqlite = \"1\"\n").len(), 1);
    let methodical = "crates/methodical/Cargo.toml";
    assert_eq!(manifest(methodical, "[dependencies]\nrusqlite = \"1\"\n").len(), 1);
    assert_eq!(
        manifest(methodical, "[dev-dependencies]\nrusqlite = \"1\"\n"),
        Vec::<String>::new()
    );
}

#[test]
fn lints_are_inherited_and_faults_stay_off() {
    assert_eq!(faults(&[("crates/store/Cargo.toml", "[package]\n")]).len(), 1);
    assert_eq!(faults(&[("fuzz/Cargo.toml", "[package]\n[workspace]\n")]), Vec::<String>::new());
    assert_eq!(
        faults(&[("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"warn\"\n")]).len(),
        1
    );
    let on = format!("{LINTS}[features]\ndefault = [\"faults\"]\nfaults = []\n");
    assert_eq!(faults(&[("crates/store/Cargo.toml", &on)]).len(), 1);
}

#[test]
fn percentiles_are_values_that_occur() {
    let sorted: Vec<(usize, String)> = (1..=20).map(|n| (n, String::new())).collect();
    assert_eq!((percentile(&sorted, 50), percentile(&sorted, 95)), (10, 19));
    assert_eq!(percentile(&[], 95), 0);
}
