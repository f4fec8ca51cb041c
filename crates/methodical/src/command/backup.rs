//! `backup`: one file that holds the database as it was at one moment.

use std::io::{IsTerminal, Write, stdout};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use engine::clock;
use store::care::backup::{Made, Pace, Plan, Progress, Target, backup};
use store::care::beside::{backup_name, own_like};
use store::care::error::CareError;

use super::progress::Line;
use super::site::{Site, size};
use crate::command::{count, shown};
use crate::failure::{Failure, Outcome};

/// Backs up, and prints the name of the file.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let site = Site::read(matches)?;
    let plan = plan(&site, Pace::Quick);
    let named = matches.get_one::<String>("file").map(String::as_str);
    if named == Some("-") {
        let made = to_pipe(&site, &plan)?;
        eprintln!("{}", told(&made, "standard output"));
        return Ok(());
    }
    let file = match named {
        Some(name) => PathBuf::from(name),
        None => default_file(&site, &plan).map_err(|fault| site.failure(&fault))?,
    };
    let mut line = Line::new();
    let made = backup(&plan, Target::File(&file), &mut |progress| tell(&mut line, progress));
    line.end();
    let made = made.map_err(|fault| site.failure(&fault))?;
    println!("{}", file.display());
    eprintln!("{}", told(&made, &shown(&file)));
    eprintln!("To restore it, with no server running:\n");
    eprintln!("    methodical restore {} {}\n", shown(&site.dir), shown(&file));
    Ok(())
}

/// What is backed up, and how.
pub(crate) fn plan(site: &Site, pace: Pace) -> Plan {
    Plan {
        database: site.database.clone(),
        now: clock::now(),
        pace,
        log_bytes_max: site.settings.backup_log_bytes_max,
        program: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// A name by the time, in the folder of backups, which is made.
fn default_file(site: &Site, plan: &Plan) -> Result<PathBuf, CareError> {
    if !plan.database.exists() {
        return Err(CareError::Missing(plan.database.display().to_string()));
    }
    let folder = site.backup_dir();
    make_folder(&folder, &plan.database)?;
    Ok(folder.join(backup_name(&plan.database, plan.now)))
}

/// Makes the folder of backups where it is missing, for the owner of the database alone.
pub(crate) fn make_folder(folder: &Path, database: &Path) -> Result<(), CareError> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(folder);
    made.map_err(|error| CareError::Io(format!("{}: {error}", folder.display())))?;
    own_like(folder, database);
    Ok(())
}

fn to_pipe(site: &Site, plan: &Plan) -> Result<Made, Failure> {
    if stdout().is_terminal() {
        return Err(Failure::usage(
            "standard output is a terminal, and a backup is not for reading: name a file, or \
             pipe it, such as `methodical backup DIR - | ssh host 'cat > data.db.zst'`",
        ));
    }
    let mut out = stdout().lock();
    let mut line = Line::new();
    let target = Target::Stream(&mut out);
    let made = backup(plan, target, &mut |progress| tell(&mut line, progress));
    line.end();
    let made = made.map_err(|fault| site.failure(&fault))?;
    out.flush().map_err(|error| Failure::refused(format!("standard output: {error}")))?;
    Ok(made)
}

fn tell(line: &mut Line, progress: Progress) -> ControlFlow<()> {
    match progress {
        Progress::Copied(done, all) => line.tell("copying", done, all),
        Progress::Written(done, all) => line.tell("compressing", done, all),
    }
    ControlFlow::Continue(())
}

/// What was made, for people and for the log.
pub(crate) fn told(made: &Made, place: &str) -> String {
    format!(
        "backed up {} to {place}: {} for {}, SHA-256 {}",
        count(usize::try_from(made.header.records()).unwrap_or(usize::MAX), "record"),
        size(made.bytes),
        size(made.header.bytes),
        made.sum
    )
}
