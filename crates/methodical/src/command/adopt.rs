//! `adopt`: a database that is not ours, as a declaration and a copy with everything in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;

use model::adopt::foreign::Foreign;
use model::adopt::plan::{self, Plan};
use model::declaration;
use model::model::Model;
use model::setting::Settings;
use store::Options;
use store::adopt::{AdoptError, Adoptee, Copied, Progress};

use crate::command::{FILE, complaints_of, shown};
use crate::failure::{Failure, Outcome};

/// The report, beside the declaration.
const REPORT: &str = "adopted.txt";
/// The database, as the settings call it where they say nothing.
const DATABASE: &str = "data.db";
/// The schema that the declaration points editors to.
const SCHEMA: &str = "methodical.schema.json";
/// What says that somebody is at work in a folder.
const LOCK: &str = "lock";
/// Ids that the report shows of records that lost a cell.
const IDS_SHOWN: usize = 10;

/// Reads the database, and writes the folder that is named; or only says what it would write.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let named = matches.get_one::<String>("from").map_or("", String::as_str);
    let path = PathBuf::from(named.strip_prefix("sqlite:").unwrap_or(named));
    let dir = matches.get_one::<String>("dir").map(PathBuf::from);
    if let Some(dir) = &dir {
        free(dir)?;
    }
    let failed = |error: AdoptError| Failure::refused(format!("{}: {error}", path.display()));
    let adoptee = Adoptee::open(&path).map_err(failed)?;
    let foreign = adoptee.inspect(&mut progress()).map_err(failed)?;
    let plan = plan::plan(&foreign);
    if plan.carried.is_empty() {
        let text = format!("no record could hold anything of it:\n\n{}", plan.report);
        return Err(failed(AdoptError::Failed(text)));
    }
    let model = read(&plan)?;
    match dir.filter(|_| !matches.get_flag("check")) {
        None => {
            let copied =
                adoptee.try_copy(&foreign, &plan, &model, &mut progress()).map_err(failed)?;
            clear();
            print!("{}", annotated(&plan, &report(&foreign, &plan, &copied)));
        }
        Some(dir) => {
            let stage = Stage::begin(&dir)?;
            let options = Options::from(&Settings::default(), &stage.folder.join(DATABASE));
            let target = (&options, engine::clock::now());
            let copied =
                adoptee.copy(&foreign, &plan, &model, target, &mut progress()).map_err(failed)?;
            clear();
            let report = report(&foreign, &plan, &copied);
            stage.finish(&dir, &plan, &report)?;
            print!("{report}");
            let count: u64 = copied.records.iter().sum();
            let shown = shown(&dir);
            eprintln!(
                "\nCopied {count} records to {shown}, with the declaration {FILE} and this report \
                 in {REPORT}.\nNothing was changed in {}. Next:\n\n    methodical serve {shown}\n",
                path.display()
            );
        }
    }
    Ok(())
}

/// The declaration as the program reads it.
fn read(plan: &Plan) -> Result<Arc<Model>, Failure> {
    let reading = declaration::read(&plan.declaration);
    reading.model.clone().map(Arc::new).ok_or_else(|| {
        eprint!("{}", complaints_of(&reading, &plan.declaration, FILE));
        Failure::refused(
            "the declaration that was written does not hold, which is a fault of this program; \
             nothing was made. Please send the lines above, and the schema of the database",
        )
    })
}

/// The report with what was found while copying.
fn report(foreign: &Foreign, plan: &Plan, copied: &Copied) -> String {
    let mut out = plan.report.clone();
    if !copied.left.is_empty() {
        out.push_str("\nCells that are absent, by the ids of their records:\n");
    }
    for left in &copied.left {
        let table = &foreign.tables[left.table];
        let ids = &left.ids[..left.ids.len().min(IDS_SHOWN)];
        let more = if left.count > ids.len() as u64 { ", …" } else { "" };
        out.push_str(&format!(
            "  {}.{}: {} ({}): {}{more}\n",
            table.name,
            table.columns[left.column].name,
            left.count,
            left.why,
            ids.join(", ")
        ));
    }
    out
}

/// The declaration with the report in it: one text that can be saved as it is.
fn annotated(plan: &Plan, report: &str) -> String {
    let (first, rest) = plan.declaration.split_once('\n').unwrap_or((&plan.declaration, ""));
    let mut out = format!("{first}\n");
    for line in report.lines() {
        let text: String = line.chars().filter(|c| !c.is_control()).collect();
        out.push_str(&format!("# {text}"));
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out.push('\n');
    out.push_str(rest);
    out
}

/// Shows progress where a person looks.
fn progress() -> impl FnMut(Progress<'_>) {
    let is_seen = io::stderr().is_terminal();
    move |progress| {
        if is_seen {
            let of = progress.of.map_or_else(String::new, |of| format!(" of {of}"));
            let name: String = progress.table.chars().filter(|c| !c.is_control()).collect();
            eprint!("\r\u{1b}[K{name}: {}{of} rows", progress.rows);
        }
    }
}

/// Takes the progress away.
fn clear() {
    if io::stderr().is_terminal() {
        eprint!("\r\u{1b}[K");
    }
}

/// A folder that is not there yet, or is empty.
fn free(dir: &Path) -> Outcome {
    let shown = shown(dir);
    match fs::read_dir(dir) {
        Ok(entries) => match entries.take(1).count() {
            0 => Ok(()),
            _ => Err(Failure::refused(format!(
                "{shown} is not empty, and is left as it is\nName a folder that is not there yet."
            ))),
        },
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(()),
        Err(fault) => Err(Failure::refused(format!("{shown} cannot be a folder: {fault}"))),
    }
}

/// A folder beside the one that is wanted: it gets its name when it is whole.
struct Stage {
    folder: PathBuf,
    /// Held until the end, so that what an adoption left behind that was killed can be told from
    /// one that is at work.
    lock: File,
    is_done: bool,
}

impl Stage {
    fn begin(dir: &Path) -> Result<Self, Failure> {
        let mut folder = dir.as_os_str().to_owned();
        if let Some(trimmed) = dir.to_str().map(|text| text.trim_end_matches('/')) {
            folder = trimmed.into();
        }
        folder.push(".adopting");
        let folder = PathBuf::from(folder);
        let at = |fault: io::Error| Failure::refused(format!("{}: {fault}", folder.display()));
        fs::create_dir_all(&folder).map_err(at)?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).open(folder.join(LOCK));
        let lock = lock.map_err(at)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!("another `methodical adopt` writes to {}", shown(dir));
                return Err(Failure::refused(text));
            }
            Err(TryLockError::Error(fault)) => return Err(at(fault)),
        }
        // What is left of one that was killed: files of ours only.
        for name in [DATABASE, "data.db-wal", "data.db-shm", FILE, SCHEMA, REPORT] {
            match fs::remove_file(folder.join(name)) {
                Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(at(fault)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(Self { folder, lock, is_done: false })
    }

    fn finish(mut self, dir: &Path, plan: &Plan, report: &str) -> Outcome {
        let at = |fault: io::Error| Failure::refused(format!("{}: {fault}", shown(dir)));
        let schema = model::declaration_schema::declaration_schema();
        let schema = serde_json::to_string_pretty(&schema)
            .map_err(|fault| Failure::refused(format!("the schema cannot be written: {fault}")))?;
        let texts = [(FILE, &plan.declaration), (SCHEMA, &schema), (REPORT, &report.to_owned())];
        for (name, text) in texts {
            let mut file = File::create(self.folder.join(name)).map_err(at)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at)?;
        }
        let database = OpenOptions::new().write(true).open(self.folder.join(DATABASE));
        database.and_then(|file| file.sync_all()).map_err(at)?;
        fs::remove_file(self.folder.join(LOCK)).map_err(at)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at)?;
        // Takes the place of an empty folder, and of no other.
        fs::rename(&self.folder, dir).map_err(at)?;
        self.is_done = true;
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(at)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.is_done {
            // What cannot be removed is removed by the next attempt.
            drop(fs::remove_dir_all(&self.folder));
        }
        drop(self.lock.unlock());
    }
}
