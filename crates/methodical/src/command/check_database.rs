//! `check --database`: whether what the database keeps is what it is derived from.

use clap::ArgMatches;

use store::care::audit::{Audit, Finding, Mend, audit, repair};

use super::site::Site;
use crate::command::{count, shown};
use crate::failure::{Failure, Outcome};

/// Checks, and repairs if asked to.
pub(super) fn run(matches: &ArgMatches) -> Outcome {
    let site = Site::read(matches)?;
    let failure = |fault| site.failure(&fault);
    let found = if matches.get_flag("repair") {
        let repaired = repair(&site.database, &site.model).map_err(failure)?;
        for line in &repaired.done {
            println!("repaired: {line}");
        }
        if repaired.done.is_empty() {
            println!("Nothing that is derived had to be repaired.");
        }
        repaired.left
    } else {
        audit(&site.database, &site.model).map_err(failure)?
    };
    tell(&site, &found)
}

fn tell(site: &Site, found: &Audit) -> Outcome {
    let file = site.database.display();
    for finding in &found.findings {
        println!("{}: {finding}", word(finding));
    }
    if found.is_sound() {
        println!("The database {file} is sound. Compared were:");
        for line in &found.compared {
            println!("  {line}");
        }
        return Ok(());
    }
    let dir = shown(&site.dir);
    let wrong = found.findings.iter().filter(|finding| finding.mend != Mend::Server);
    let mut message = format!("{}: {}", file, count(wrong.count(), "fault"));
    let any = |mend: Mend| found.findings.iter().any(|finding| finding.mend == mend);
    if any(Mend::Repair) {
        message.push_str(&format!(
            "\nWhat is marked `derived` is built anew, and no record is touched, by:\n\n    \
             methodical check {dir} --database --repair\n"
        ));
    }
    if any(Mend::Person) {
        message.push_str(&super::site::way_out(&site.dir, &site.database, &site.backup_dir()));
    }
    Err(Failure::refused(message))
}

fn word(finding: &Finding) -> &'static str {
    match finding.mend {
        Mend::Repair => "derived",
        Mend::Server => "note",
        Mend::Person => "error",
    }
}
