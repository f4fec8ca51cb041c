//! `jobs`: what waits to be done outside, such as mail, and what was given up; beside a running
//! server or without one.

use std::fmt::Write;
use std::path::Path;

use clap::ArgMatches;

use engine::clock;
use model::value::Timestamp;
use store::Options;
use store::care::error::CareError;
use store::care::jobs::Queue;
use store::queue::Waiting;

use super::site::Site;
use super::{numbered, when};
use crate::failure::{Failure, Outcome};

/// Does what the arguments name.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let (first, second) = (text("dir"), text("number"));
    let site = |dir: Option<&str>| Site::at(Path::new(dir.unwrap_or(".")), matches);
    match (text("action").unwrap_or_default(), first, second) {
        ("list", dir, None) => list(&site(dir)?),
        ("retry", dir, Some(number)) => retry(&site(dir)?, number),
        // What stands alone is the number.
        ("retry", Some(number), None) if number.parse::<i64>().is_ok() => {
            retry(&site(None)?, number)
        }
        ("retry", _, None) => Err(Failure::usage(
            "say which job to try again, by its number: methodical jobs retry [DIR] NUMBER; \
             `methodical jobs list` has the numbers"
                .to_owned(),
        )),
        (action, _, Some(more)) => Err(Failure::usage(format!("{action} takes no {more:?}"))),
        (action, _, None) => Err(Failure::usage(format!("jobs does not know {action:?}"))),
    }
}

fn open(site: &Site) -> Result<Queue, Failure> {
    let options = Options::from(&site.settings, &site.database);
    Queue::open(&options, &site.model).map_err(|fault| match fault {
        CareError::Missing(_) => Failure::refused(format!(
            "there is no database {} yet, and so nothing waits",
            site.database.display()
        )),
        fault => site.failure(&fault),
    })
}

fn list(site: &Site) -> Outcome {
    let jobs = open(site)?.list().map_err(|fault| site.failure(&fault))?;
    if jobs.is_empty() {
        println!("nothing waits, and nothing was given up");
        return Ok(());
    }
    print!("{}", lines(&jobs, clock::now()));
    Ok(())
}

/// A line a job. What it needs is not shown: it may hold what is good for a login.
fn lines(jobs: &[Waiting], now: Timestamp) -> String {
    let mut out = String::new();
    for job in jobs {
        let state = match job.failed_at {
            Some(at) => format!("given up {}", when(at)),
            None if job.due <= now => "due".to_owned(),
            None => format!("due {}", when(job.due)),
        };
        let fault = job.fault.as_deref().map(|fault| format!(": {fault}")).unwrap_or_default();
        // Writing into memory does not fail.
        let _ = writeln!(
            out,
            "{:>6}  {}  {state}, tried {} times{fault}",
            job.number, job.kind, job.attempts
        );
    }
    out
}

fn retry(site: &Site, number: &str) -> Outcome {
    let number = numbered("job", number, &format!("methodical jobs list {}", site.named))?;
    let found = open(site)?.retry(number, clock::now());
    if found.map_err(|fault| site.failure(&fault))? {
        eprintln!("job {number} is due: a running server tries it within seconds");
        return Ok(());
    }
    Err(Failure::refused(format!(
        "there is no job {number}; `methodical jobs list {}` has those that there are",
        site.named
    )))
}
