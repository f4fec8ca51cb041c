//! The rules of the house that rustfmt and clippy cannot check, each with a number or a list.

mod document;
mod manifest;
mod numbers;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::scan::{Source, TestModule};

/// Longest function outside tests, from `fn` to its brace.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;
/// Most lines of a file outside tests.
pub(crate) const FILE_LINES_MAX: usize = 500;
/// Widest line of Rust text, in characters.
pub(crate) const LINE_COLUMNS_MAX: usize = 100;

/// Folders that hold nothing we wrote, or data only.
const PASSED_OVER: &[&str] = &["target", "node_modules", "corpus", "artifacts"];
/// Folders with a dot that are ours.
const DOTTED: &[&str] = &[".ci", ".cargo"];
/// Endings of text files that the rules on words read.
const TEXTS: &[&str] = &["rs", "md", "toml", "sh", "py", "js", "mjs", "yml", "http"];
/// Text files without an ending.
const BARE_TEXTS: &[&str] = &["Makefile", "run"];

/// One Rust file.
pub(crate) struct RustFile {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) source: Source,
    /// True where the whole file is test code.
    pub(crate) is_test: bool,
}

/// Everything that the rules look at.
pub(crate) struct House {
    /// Every Rust file.
    pub(crate) rust: Vec<RustFile>,
    /// Every text file, Rust included: path and text.
    pub(crate) texts: Vec<(String, String)>,
    /// Every file, whatever it holds.
    pub(crate) paths: Vec<String>,
}

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The file.
    pub(crate) path: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong, and what to do instead.
    pub(crate) text: String,
}

impl Fault {
    /// A fault at a line.
    pub(crate) fn at(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Checks every rule. The numbers come with both endings.
pub(crate) fn run(root: &Path) -> Result<String, String> {
    let house = House::read(root).map_err(|error| format!("tidy: {error}\n"))?;
    let faults = house.faults();
    let numbers = numbers::summary(&house);
    if faults.is_empty() {
        return Ok(format!("tidy: no faults\n{numbers}"));
    }
    let list: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
    Err(format!("{list}tidy: {} faults\n{numbers}", faults.len()))
}

impl House {
    /// Reads every file under the root.
    fn read(root: &Path) -> Result<Self, String> {
        let mut found = Vec::new();
        walk(root, &mut found)?;
        found.sort();
        let (mut texts, mut paths) = (Vec::new(), Vec::new());
        for path in found {
            let name =
                path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            paths.push(name.clone());
            if is_text(&path) {
                let text = fs::read_to_string(&path)
                    .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
                texts.push((name, text));
            }
        }
        Ok(Self { paths, ..Self::of(texts) })
    }

    /// A house of these files.
    fn of(texts: Vec<(String, String)>) -> Self {
        let mut rust: Vec<RustFile> = texts
            .iter()
            .filter(|(path, _)| path.ends_with(".rs"))
            .map(|(path, text)| RustFile {
                path: path.clone(),
                source: Source::read(text),
                is_test: in_test_folder(path),
            })
            .collect();
        let homes: Vec<String> = rust.iter().flat_map(test_modules).collect();
        for file in &mut rust {
            file.is_test |= homes.iter().any(|home| {
                file.path
                    .strip_prefix(home.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
        }
        let paths = texts.iter().map(|(path, _)| path.clone()).collect();
        Self { rust, texts, paths }
    }

    /// Every broken rule, by file and line.
    fn faults(&self) -> Vec<Fault> {
        let rules = rules::RULES.iter().chain(manifest::RULES).chain(document::RULES);
        let mut faults: Vec<Fault> = rules.flat_map(|rule| rule(self)).collect();
        faults.sort_by(|a, b| (&a.path, a.line, &a.text).cmp(&(&b.path, b.line, &b.text)));
        faults
    }
}

/// Collects the files below a folder.
fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries =
        fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    for entry in entries {
        let entry = entry.map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        if kind.is_dir() {
            let hidden = name.starts_with('.') && !DOTTED.contains(&name.as_str());
            if !hidden && !PASSED_OVER.contains(&name.as_str()) {
                walk(&path, paths)?;
            }
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

fn is_text(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    let script = path.parent().is_some_and(|folder| folder.ends_with("scripts"));
    match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) => TEXTS.contains(&ending),
        None => script || BARE_TEXTS.contains(&name),
    }
}

/// Folders that cargo compiles for tests and measurements only.
fn in_test_folder(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches")) && !path.contains("/src/")
}

/// The paths, without ending, of the modules of this file that are test code.
fn test_modules(file: &RustFile) -> Vec<String> {
    let stem = file.path.strip_suffix(".rs").unwrap_or(&file.path);
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let home = if matches!(name, "mod" | "lib" | "main") { folder } else { stem };
    let paths = file.source.test_modules.iter().map(|module| match module {
        TestModule::Named(name) => format!("{home}/{name}"),
        TestModule::At(path) => format!("{folder}/{}", path.strip_suffix(".rs").unwrap_or(path)),
    });
    paths.collect()
}
