//! `migrate`: what a changed declaration means for the database, and doing it.

use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::ArgMatches;

use serde_json::json;
use store::Options;
use store::migrate::{Applied, DataLoss, Entry, Loss, Plan, Progress, Step, Work};

use crate::command::serve::{accept, refusal};
use crate::command::{count, database, place, read, shown};
use crate::failure::{Failure, Outcome};
use crate::settings::Given;

/// How often progress is told.
const PAUSE: Duration = Duration::from_millis(100);
/// Ids that stand in a line.
const IDS_SHOWN: usize = 100;

/// Shows the plan, carries it out, or shows what was carried out before.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let flag = |name| matches.get_flag(name);
    if flag("allow-data-loss") && !flag("apply") {
        return Err(Failure::usage("--allow-data-loss belongs to --apply"));
    }
    if flag("history") && flag("apply") {
        return Err(Failure::usage("--history shows what was done: leave --apply out"));
    }
    let declaration = read(&place(matches))?;
    let (model, resolved) = accept(&declaration, &Given::read(matches)?)?;
    let path = database(&declaration.dir, &resolved.settings);
    let options = Options::from(&resolved.settings, &path);
    let failed = |fault| Failure::refused(refusal(&declaration.dir, &path, &fault));
    if flag("history") {
        let entries = store::history(&options).map_err(failed)?;
        print!("{}", history(&entries, flag("json")));
        return Ok(());
    }
    let mut teller = Teller::new();
    if !flag("apply") {
        let plan = store::plan(&options, &model, &mut |progress| teller.tell(&progress));
        teller.end();
        return show(&plan.map_err(failed)?, &path, &declaration.dir, flag("json"));
    }
    let agreed = if flag("allow-data-loss") { DataLoss::Allowed } else { DataLoss::Refused };
    let applied = store::migrate(&options, model, agreed, &mut |progress| teller.tell(&progress));
    teller.end();
    tell_applied(&applied.map_err(failed)?, &path, &declaration.dir, flag("json"))
}

fn print_plan(plan: &Plan, path: &Path, as_json: bool) {
    if as_json {
        println!("{}", plan.to_json());
    } else {
        print!("{}", text(plan, path));
    }
}

/// Prints a plan, and says what to do next.
fn show(plan: &Plan, path: &Path, dir: &Path, as_json: bool) -> Outcome {
    print_plan(plan, path, as_json);
    if !plan.obstacles.is_empty() {
        return Err(Failure::refused(hindered(plan)));
    }
    let dir = shown(dir);
    if plan.loses() {
        eprintln!("To do it, and to lose what is lost by it:\n");
        eprintln!("    methodical migrate {dir} --apply --allow-data-loss\n");
    } else if !plan.is_empty() {
        eprintln!("To do it:\n\n    methodical migrate {dir} --apply\n");
    }
    Ok(())
}

fn hindered(plan: &Plan) -> String {
    let obstacles = count(plan.obstacles.len(), "obstacle");
    format!("{obstacles}: change these records, or the declaration; nothing was changed now")
}

/// Says what came of carrying a plan out.
fn tell_applied(applied: &Applied, path: &Path, dir: &Path, as_json: bool) -> Outcome {
    match applied {
        Applied::Nothing => show(&Plan::default(), path, dir, as_json),
        Applied::Done(plan, took) => {
            print_plan(plan, path, as_json);
            eprintln!("Done in {}.", span(*took));
            Ok(())
        }
        Applied::Refused(plan) => {
            print_plan(plan, path, as_json);
            if !plan.obstacles.is_empty() {
                return Err(Failure::refused(hindered(plan)));
            }
            let losing = plan.steps.iter().filter(|step| step.loss.is_some()).count();
            Err(Failure::refused(format!(
                "{} would lose data; nothing was changed\nTo do it all the same:\n\n    methodical \
                 migrate {} --apply --allow-data-loss\n",
                count(losing, "step"),
                shown(dir)
            )))
        }
    }
}

/// A plan for people.
fn text(plan: &Plan, path: &Path) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        // Writing into memory does not fail.
        let _ = writeln!(out, "{text}");
    };
    let path = path.display();
    if plan.is_empty() && plan.obstacles.is_empty() {
        line(&format!("{path} fits the declaration: there is nothing to do."));
        return out;
    }
    let steps = count(plan.steps.len(), "step");
    line(&format!("{path}: {steps} in one transaction, {}.", about(plan.estimate())));
    line("Writes wait until its end, reads go on.");
    line("");
    for (number, step) in (1..).zip(&plan.steps) {
        line(&format!("{number:3}. {}: {}", step.resource, step.says()));
        line(&format!("     {}", effort(step)));
        if let Some(loss) = &step.loss {
            line(&format!("     LOSES DATA: {}", lost(loss)));
        }
    }
    if !plan.obstacles.is_empty() {
        line("");
        line("Existing data does not fit:");
        line("");
    }
    for obstacle in &plan.obstacles {
        let of = match obstacle.rows {
            0 => String::new(),
            rows => format!(" in {}", records(rows)),
        };
        line(&format!("  {}: {}{of}", obstacle.resource, obstacle.what));
        if !obstacle.ids.is_empty() {
            line(&format!("     {}", ids(&obstacle.ids, obstacle.rows)));
        }
    }
    out
}

fn records(rows: u64) -> String {
    format!("{} record{}", grouped(rows), if rows == 1 { "" } else { "s" })
}

fn lost(loss: &Loss) -> String {
    format!("{} ({}: {})", loss.what, records(loss.rows), ids(&loss.ids, loss.rows))
}

/// Ids in a line, and how many more there are.
fn ids(ids: &[String], rows: u64) -> String {
    let shown = &ids[..ids.len().min(IDS_SHOWN)];
    let more = rows.saturating_sub(shown.len() as u64);
    let mut out = shown.join(", ");
    if more > 0 {
        out.push_str(&format!(" and {} more", grouped(more)));
    }
    out
}

/// Rows, lock and time of a step.
fn effort(step: &Step) -> String {
    let work = match step.work {
        Work::Describe => return format!("{} rows; only the schema changes", grouped(step.rows)),
        Work::Read => "all are read, none is written",
        Work::Index => "an index is built of them",
        Work::Rewrite => "all are written anew",
    };
    let wait = match step.estimate {
        Duration::ZERO => "writes wait for a moment".to_owned(),
        estimate => format!("writes wait {}", about(estimate)),
    };
    format!("{} rows; {work}; {wait}", grouped(step.rows))
}

fn about(time: Duration) -> String {
    if time < PAUSE { "less than 0.1 s".to_owned() } else { format!("about {}", span(time)) }
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        0 if time < Duration::from_secs(1) => format!("{} ms", time.as_millis()),
        0..120 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The plans that were carried out, the last one last.
fn history(entries: &[Entry], as_json: bool) -> String {
    let mut out = String::new();
    for entry in entries {
        if as_json {
            let line = json!({
                "number": entry.number,
                "at": entry.at.text(),
                "program": entry.program,
                "before": entry.before,
                "after": entry.after,
                "milliseconds": u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
                "plan": entry.plan,
            });
            out.push_str(&format!("{line}\n"));
            continue;
        }
        out.push_str(&format!(
            "{}. {} in {}, by version {}, from {} to {}\n",
            entry.number,
            entry.at.text(),
            span(entry.took),
            entry.program,
            entry.before,
            entry.after
        ));
        for step in entry.plan["steps"].as_array().into_iter().flatten() {
            let part = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
            out.push_str(&format!("     {}: {}\n", part("resource"), part("says")));
        }
    }
    if entries.is_empty() && !as_json {
        out.push_str("No plan was carried out on this database yet.\n");
    }
    out
}

/// Tells progress on standard error, where that is a terminal.
struct Teller {
    is_terminal: bool,
    begun: Instant,
    doing: String,
    told: Option<Instant>,
}

impl Teller {
    fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { is_terminal, begun: Instant::now(), doing: String::new(), told: None }
    }

    fn tell(&mut self, progress: &Progress) {
        if !self.is_terminal {
            return;
        }
        if self.doing != progress.doing {
            self.doing.clone_from(&progress.doing);
            self.begun = Instant::now();
        } else if self.told.is_some_and(|told| told.elapsed() < PAUSE) {
            return;
        }
        self.told = Some(Instant::now());
        eprint!("\r\x1b[K{}", progress_line(progress, self.begun.elapsed()));
    }

    /// Clears the line.
    fn end(&self) {
        if self.told.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

fn progress_line(progress: &Progress, since: Duration) -> String {
    let (done, rows) = (progress.done, progress.rows);
    let mut line = format!("{}: {} of {} rows", progress.doing, grouped(done), grouped(rows));
    if done > 0 && rows > done {
        let left = since.mul_f64((rows - done) as f64 / done as f64);
        line.push_str(&format!(", {} left", about(left)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_written_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(span(Duration::from_millis(12)), "12 ms");
        assert_eq!(span(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(span(Duration::from_secs(150)), "3 min");
        assert_eq!(about(Duration::ZERO), "less than 0.1 s");
        let many: Vec<String> = (1..=100).map(|id: u32| id.to_string()).collect();
        assert!(ids(&many, 1_500).ends_with("99, 100 and 1,400 more"));
    }

    #[test]
    fn progress_says_what_is_left() {
        let progress = Progress { doing: "rewriting a".to_owned(), done: 25_000, rows: 100_000 };
        assert_eq!(
            progress_line(&progress, Duration::from_secs(2)),
            "rewriting a: 25,000 of 100,000 rows, about 6.0 s left"
        );
    }
}
