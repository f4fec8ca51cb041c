//! `import`: records out of files and pipes into the database, beside a running server or without
//! one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use serde_json::json;
use store::transfer::{Attached, attach};
use store::{OpenError, Options};
use tempfile::TempDir;

use crate::failure::{Failure, Outcome};
use crate::transfer::content::Content;
use crate::transfer::faults::Faults;
use crate::transfer::run::{self, Sum, Task};
use crate::transfer::{Project, grouped, records};

/// Rows of a chunk: enough that its commit no longer counts, and few enough that a server beside
/// waits some hundredths of a second for it.
const CHUNK_ROWS: usize = 1_000;
/// Most rows of a chunk.
const CHUNK_ROWS_MAX: usize = 1_000_000;

/// Imports what the arguments name.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let project = Project::read(matches)?;
    let words: Vec<&String> = matches.get_many("from").into_iter().flatten().collect();
    let (resource, from) = match words.as_slice() {
        [resource, from] => (Some(resource.as_str()), from.as_str()),
        [from] => (None, from.as_str()),
        _ => return Err(Failure::usage("say what to import: a file, a folder or -")),
    };
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let content = Content::find(&project, resource, from, text("format"))?;
    let chunk_rows = chunk_rows(text("chunk"))?;
    let faults = text("faults").map_or_else(|| content.faults.clone(), PathBuf::from);
    let target = Target::open(&project, matches.get_flag("dry-run"))?;
    let import = target.attached.import().map_err(|error| project.failed(error))?;
    if target.copy.is_some() {
        import.hurry().map_err(|error| project.failed(error))?;
    }
    let key = text("key").or(content.identity.as_deref());
    let task = Task {
        project: &project,
        import: &import,
        content: &content,
        key,
        chunk_rows,
        faults: Faults::new(&faults),
    };
    tell(&run::run(task)?, &target, &faults)
}

fn chunk_rows(text: Option<&str>) -> Result<usize, Failure> {
    let Some(text) = text else { return Ok(CHUNK_ROWS) };
    let rows = text.parse().ok().filter(|rows| (1..=CHUNK_ROWS_MAX).contains(rows));
    rows.ok_or_else(|| {
        Failure::usage(format!("--chunk takes a whole number from 1 to {CHUNK_ROWS_MAX}"))
    })
}

/// Where rows go.
struct Target {
    attached: Attached,
    /// The folder of a copy that goes when this does: nothing that is written to it stays.
    copy: Option<TempDir>,
}

impl Target {
    /// The database, made empty where there is none, or a copy of it.
    fn open(project: &Project, is_dry: bool) -> Result<Self, Failure> {
        let failed = |error: OpenError| project.failed(error);
        let model = || project.model.clone();
        // A run that was killed while it made the database leaves a file without tables.
        let found = match attach(&project.options, model()) {
            Err(OpenError::Missing) => None,
            found => Some(found.map_err(failed)?),
        };
        if !is_dry {
            if let Some(attached) = found {
                return Ok(Self { attached, copy: None });
            }
            make(project, &project.options)?;
            let attached = attach(&project.options, model()).map_err(failed)?;
            return Ok(Self { attached, copy: None });
        }
        let folder = match project.path().parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let copy = tempfile::Builder::new().prefix(".methodical-dry-run-").tempdir_in(folder);
        let copy = copy.map_err(|fault| project.failed(format!("cannot be copied: {fault}")))?;
        let path = copy.path().join("copy.db");
        let options = Options { path: path.clone(), ..project.options.clone() };
        match found {
            Some(attached) => attached.copy(&path).map_err(|error| project.failed(error))?,
            None => make(project, &options)?,
        }
        let attached = attach(&options, model()).map_err(failed)?;
        Ok(Self { attached, copy: Some(copy) })
    }
}

/// Makes an empty database: what is imported takes the place of a seed.
fn make(project: &Project, options: &Options) -> Result<(), Failure> {
    let opened = store::open(options, project.model.clone(), &mut || Ok(Vec::new()));
    opened.map(|opened| opened.writer.close()).map_err(|error| project.failed(error))
}

/// Says what it came to: for a script on standard output, for a person on standard error.
fn tell(sum: &Sum, target: &Target, faults: &Path) -> Outcome {
    let Sum { state, before, told, time } = sum;
    let was = |number: fn(&crate::transfer::state::State) -> u64| before.as_ref().map_or(0, number);
    let created = state.created - was(|state| state.created);
    let is_dry = target.copy.is_some();
    println!(
        "{}",
        json!({
            "rows": state.rows,
            "created": state.created,
            "faulty": state.faulty,
            "dryRun": is_dry,
        })
    );
    match before {
        Some(before) if before.is_finished => {
            eprintln!(
                "this was imported before: {} created, {} not taken; nothing was done. To import \
                 it once more, give it another --key",
                records(state.created),
                grouped(state.faulty)
            );
        }
        Some(before) => {
            eprintln!(
                "an earlier run was interrupted: went on behind row {}",
                grouped(before.rows)
            );
            eprintln!("{}", sentence(created, *time, is_dry));
        }
        None => eprintln!("{}", sentence(created, *time, is_dry)),
    }
    if state.faulty == 0 {
        return Ok(());
    }
    for line in told {
        eprintln!("  {line}");
    }
    let verb = if is_dry { "would not be" } else { "were not" };
    Err(Failure::refused(format!(
        "{} rows {verb} taken; they are in {} with what is wrong: correct them there, and import \
         that file",
        grouped(state.faulty),
        faults.display()
    )))
}

fn sentence(created: u64, time: Duration, is_dry: bool) -> String {
    let verb = if is_dry { "would be created" } else { "created" };
    let rate = (created as f64 / time.as_secs_f64().max(0.001)).round() as u64;
    let end = if is_dry { "; nothing was changed" } else { "" };
    format!(
        "{} {verb} in {:.1}s, {} a second{end}",
        records(created),
        time.as_secs_f64(),
        grouped(rate)
    )
}
