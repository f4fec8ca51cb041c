//! What the project does to itself: `cargo xtask tidy` checks the numbers and edges of the house,
//! `cargo xtask generate` writes the documents that are derived from the tables.

mod generate;
mod scan;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str =
    "usage: cargo xtask tidy               check the house's rules, print its numbers
       cargo xtask generate           write docs/CONTRACT.md, PROBLEMS.md and SETTINGS.md
       cargo xtask generate --check   fail where one of them is stale";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let ended = match words.as_slice() {
        ["tidy"] => tidy::run(&root),
        ["generate"] => generate::write(&root),
        ["generate", "--check"] => generate::check(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(report) => {
            eprint!("{report}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: the parent of this crate's own.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}
