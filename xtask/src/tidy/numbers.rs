//! The numbers of the house: how long its functions and files are.

use std::fmt::Write as _;

use super::{FUNCTION_LINES_MAX, House};

/// A few lines for a person: medians, the 95th in a hundred, the longest.
pub(crate) fn summary(house: &House) -> String {
    let shipped: Vec<_> = house.rust.iter().filter(|file| !file.is_test).collect();
    let mut functions = Vec::new();
    for file in &shipped {
        for function in file.source.functions() {
            if !file.source.is_test(function.start) {
                functions.push((function.lines, format!("{} in {}", function.name, file.path)));
            }
        }
    }
    let mut files: Vec<(usize, String)> =
        shipped.iter().map(|file| (file.source.lines_outside_tests(), file.path.clone())).collect();
    functions.sort();
    files.sort();
    let long = functions.iter().filter(|(lines, _)| *lines > FUNCTION_LINES_MAX).count();
    let mut out = String::new();
    line(&mut out, "functions", &functions);
    line(&mut out, "files    ", &files);
    let share = 100.0 * ratio(long, functions.len());
    let _ = writeln!(out, "functions over {FUNCTION_LINES_MAX} lines: {long} ({share:.1} %)");
    let all: usize = house.rust.iter().map(|file| file.source.text.lines().count()).sum();
    let code: usize = files.iter().map(|(lines, _)| lines).sum();
    let tests = 100.0 * ratio(all - code, all);
    let _ = writeln!(out, "lines of Rust: {all}, of which tests {tests:.0} %");
    out
}

fn line(out: &mut String, what: &str, sorted: &[(usize, String)]) {
    let Some((most, which)) = sorted.last() else { return };
    let (median, high) = (percentile(sorted, 50), percentile(sorted, 95));
    let count = sorted.len();
    let _ = writeln!(out, "{what} {count}: lines p50 {median}, p95 {high}, most {most} ({which})");
}

/// The value that so many in a hundred do not exceed.
pub(crate) fn percentile(sorted: &[(usize, String)], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0, |(value, _)| *value)
}

#[allow(clippy::cast_precision_loss)] // Counts of lines: far below 2^52.
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
