//! Programs that break the law must not compile: `tests/wrong/*.rs`. The first lines of each say
//! what the compiler has to answer (`//@ error: TEXT`), or that it is right (`//@ compiles`), so
//! that an error of another cause is not taken for the one that is wanted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

#[test]
fn programs_that_break_the_law_do_not_compile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let scratch = tempfile::tempdir().expect("a folder");
    let mut complaints = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the wrong programs") {
        let path = entry.expect("an entry").path();
        count += 1;
        if let Err(complaint) = check(&path, scratch.path()) {
            complaints.push(format!("{}: {complaint}", path.display()));
        }
    }
    assert!(count >= 10, "only {count} programs");
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

fn check(path: &Path, scratch: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).expect("a program");
    let expected: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("//@ error: ")).collect();
    let compiles = text.lines().any(|line| line == "//@ compiles");
    if compiles == !expected.is_empty() {
        return Err("it has to say either `//@ error: TEXT` or `//@ compiles`".to_owned());
    }
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = libraries();
    let mut command = Command::new(rustc);
    command
        .arg(path)
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"])
        .arg("--out-dir")
        .arg(scratch)
        .arg("-L")
        .arg(format!("dependency={}", libraries.display()));
    for name in ["contract", "store", "engine"] {
        let library = newest(&libraries, name);
        command.arg("--extern").arg(format!("{name}={}", library.display()));
    }
    let output = command.output().expect("rustc starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match (compiles, output.status.success()) {
        (true, true) => Ok(()),
        (true, false) => Err(format!("it does not compile:\n{said}")),
        (false, true) => Err("it compiles".to_owned()),
        (false, false) => match expected.iter().find(|text| !said.contains(**text)) {
            None => Ok(()),
            Some(text) => Err(format!("the compiler does not say {text:?}:\n{said}")),
        },
    }
}

/// Where cargo has put the libraries that this very test was linked with.
fn libraries() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    own.parent().expect("a folder").to_owned()
}

/// The library of this name that was built last.
fn newest(folder: &Path, name: &str) -> PathBuf {
    let prefix = format!("lib{name}-");
    let built = fs::read_dir(folder)
        .expect("the libraries")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.starts_with(&prefix) && file.ends_with(".rlib")
        })
        .max_by_key(|path| {
            let made = fs::metadata(path).and_then(|data| data.modified());
            made.unwrap_or(SystemTime::UNIX_EPOCH)
        });
    built.unwrap_or_else(|| panic!("{name} is not in {}", folder.display()))
}
