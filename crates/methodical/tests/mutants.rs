//! Seeded faults, one at a time: with none the suite has to pass, with each it has to fail. Ends
//! with 1 where a fault goes unnoticed. `make mutants`, or
//! `cargo test --package methodical --features faults --test mutants [-- NAME…]`.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use contract::fault::FAULTS;

/// The tests that are asked first: they are quick.
const FIRST: &[&str] = &["law::", "story::"];
/// Those that are asked where the first did not notice: they take longer.
const THEN: &[&str] = &["property::", "crash::"];

fn main() -> ExitCode {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let suite = match build() {
        Ok(suite) => suite,
        Err(why) => {
            eprintln!("the suite does not build: {why}");
            return ExitCode::FAILURE;
        }
    };
    if let Verdict::Noticed(by) = ask(&suite, None, FIRST) {
        eprintln!("without a fault the suite fails, so that a failure says nothing: {by}");
        return ExitCode::FAILURE;
    }
    println!("{:<34}{:>8}  noticed by", "fault", "seconds");
    println!("{:<34}{:>8}  (every test passes)", "none", "");
    let chosen: Vec<_> = FAULTS
        .iter()
        .map(|(_, name)| *name)
        .filter(|name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
        .collect();
    let mut trusted = None;
    let survivors: Vec<_> =
        chosen.iter().filter(|name| !notices(&suite, name, &mut trusted)).collect();
    println!("{} of {} faults noticed", chosen.len() - survivors.len(), chosen.len());
    if survivors.is_empty() && !chosen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

enum Verdict {
    /// The first test that failed.
    Noticed(String),
    Unnoticed,
}

/// Whether a test notices a fault. `trusted` says whether the longer tests pass without one, once
/// that had to be known.
fn notices(suite: &PathBuf, name: &str, trusted: &mut Option<bool>) -> bool {
    let start = Instant::now();
    let mut verdict = ask(suite, Some(name), FIRST);
    if matches!(verdict, Verdict::Unnoticed)
        && *trusted.get_or_insert_with(|| matches!(ask(suite, None, THEN), Verdict::Unnoticed))
    {
        verdict = ask(suite, Some(name), THEN);
    }
    let seconds = start.elapsed().as_secs_f64();
    match verdict {
        Verdict::Noticed(by) => {
            println!("{name:<34}{seconds:>8.1}  {by}");
            true
        }
        Verdict::Unnoticed => {
            println!("{name:<34}{seconds:>8.1}  NOBODY");
            false
        }
    }
}

/// Builds the suite with the same features as this program, and gives its path.
fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--package", "methodical", "--features", "faults", "--test", "it"])
        .args(["--no-run", "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(output.status.to_string());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = messages.lines().rev().find_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        let (path, _) = rest.split_once('"')?;
        line.contains("\"name\":\"it\"").then(|| PathBuf::from(path))
    });
    path.ok_or_else(|| "cargo names no executable".to_owned())
}

/// Runs tests with a fault, or with none, until the first that fails.
fn ask(suite: &PathBuf, fault: Option<&str>, tests: &[&str]) -> Verdict {
    let mut command = Command::new(suite);
    command
        .args(tests)
        .env("RUST_BACKTRACE", "0")
        .env_remove("METHODICAL_FAULT")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    if let Some(fault) = fault {
        command.env("METHODICAL_FAULT", fault).env("METHODICAL_FIRST_FAILURE", "1");
    }
    let output = command.output().expect("the suite that was just built starts");
    if output.status.success() {
        return Verdict::Unnoticed;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Verdict::Noticed(evidence(&text).unwrap_or_else(|| output.status.to_string()))
}

/// The first sentence of the law that does not hold, or else the first test that failed.
fn evidence(text: &str) -> Option<String> {
    let sentence = text.lines().find(|line| line.starts_with("  ") && line.contains(" | "));
    let test = text.lines().find_map(|line| {
        line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(str::to_owned)
    });
    sentence.map(|line| line.trim().to_owned()).or(test)
}
