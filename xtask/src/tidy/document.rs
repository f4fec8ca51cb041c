//! Rules over the documents: what they point at exists.

use super::{Fault, House};
use crate::scan::line;

/// Every rule over documents.
pub(crate) const RULES: &[fn(&House) -> Vec<Fault>] = &[named_paths_exist, links_lead_somewhere];

/// How a path in backticks begins that is one of this repository.
const OURS: &[&str] = &["crates/", "xtask/", "docs/", "scripts/", "examples/", "fuzz/"];

/// What a server leaves beside a declaration: not in the repository, and rightly named.
const MADE_AT_RUN_TIME: &[&str] = &[".db", ".db-wal", ".db-shm"];

fn documents(house: &House) -> impl Iterator<Item = (&str, &str)> {
    let texts = house.texts.iter().filter(|(path, _)| path.ends_with(".md"));
    texts.map(|(path, text)| (path.as_str(), text.as_str()))
}

/// True of a file, and of a folder that has one.
fn exists(house: &House, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    house.paths.iter().any(|known| {
        known.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn named_paths_exist(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (document, text) in documents(house) {
        // Every second piece between backticks is code.
        let mut offset = 0;
        for (index, piece) in text.split('`').enumerate() {
            let plain = !piece.contains(|c: char| c.is_whitespace() || "*{}…<>$".contains(c));
            let ours = OURS.iter().any(|start| piece.starts_with(start));
            let made = MADE_AT_RUN_TIME.iter().any(|ending| piece.ends_with(ending));
            if index % 2 == 1 && plain && ours && !made && !exists(house, piece) {
                let text_of = format!("`{piece}` is not there");
                faults.push(Fault::at(document, line(text, offset), text_of));
            }
            offset += piece.len() + 1;
        }
    }
    faults
}

fn links_lead_somewhere(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (document, text) in documents(house) {
        for (offset, _) in text.match_indices("](") {
            let rest = &text[offset + 2..];
            let target = rest.split([')', '#']).next().unwrap_or("");
            if target.is_empty() || target.contains(':') || target.contains(char::is_whitespace) {
                continue;
            }
            match resolve(document, target) {
                Some(path) if path.is_empty() || exists(house, &path) => {}
                _ => {
                    let text_of = format!("the link to {target} leads nowhere");
                    faults.push(Fault::at(document, line(text, offset), text_of));
                }
            }
        }
    }
    faults
}

/// A link's path from the root; `None` where it leaves the repository.
fn resolve(document: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
