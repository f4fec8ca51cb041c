//! `make bench`: our server beside a bare hyper server and raw SQLite, in one run, as one table.

mod access;
mod bare;
mod beside;
mod data;
mod fill;
mod latency;
mod lists;
mod load;
mod machine;
mod measure;
mod overload;
mod process;
mod raw;
mod report;
mod requests;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use bare::Constant;
use load::Lane;
use machine::Machine;
use measure::{Bench, Effort};
use process::{Busy, Launcher};
use report::Circumstances;
use work::Ground;

const USAGE: &str = "\
bench [--quick] [--records|--lists|--access|--overload] [--sizes N,N,…] [--seconds S] [--rounds N]
      [--only WORDS]

  --quick         100,000 rows only, short runs: with --records about two minutes
  --records       only the lines of single records; together: 1000,100000,1000000 rows
  --lists         only lists, search and many records: 10000,1000000,10000000 rows
  --access        only credentials, rules and logins: 10000,1000000 rows
  --overload      only more than can be served, and idle connections: 100000 rows
  --sizes, --rows rows in the database, for all parts
  --seconds       length of a run: 2
  --rounds        runs of each side: 3
  --only          lines whose name contains these words; the results are not written to a file

bench fill DATABASE ROWS
  Fills the tables that the server has made there for the declaration of bench/.
bench load ADDRESS ROWS SECONDS NAME
  Loads a server that runs already with the line of this name, for a profiler to look at.

Run by scripts/bench, which builds and also says: --server PATH --target FOLDER --date DAY
--commit NAME --compiler TEXT --core N (of the servers; none where they are not pinned).";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Single records and their first pages.
    Records,
    /// Lists, search and many records.
    Lists,
    /// Credentials, rules and logins.
    Access,
    /// More than can be served.
    Overload,
}

impl Part {
    fn all() -> Vec<Self> {
        vec![Self::Records, Self::Lists, Self::Access, Self::Overload]
    }

    /// The one that an option names.
    fn named(option: &str) -> Option<Self> {
        match option {
            "--records" => Some(Self::Records),
            "--lists" => Some(Self::Lists),
            "--access" => Some(Self::Access),
            "--overload" => Some(Self::Overload),
            _ => None,
        }
    }
}

/// What the command line says.
struct Plan {
    parts: Vec<Part>,
    sizes: Option<Vec<u64>>,
    effort: Effort,
    only: Option<String>,
    target: PathBuf,
    launcher: Launcher,
    date: String,
    commit: String,
    compiler: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("bare") => serve_bare(&arguments[1..]),
        Some("raw") => insert_raw(&arguments[1..]),
        Some("raw-reads") => read_lists(&arguments[1..]),
        Some("raw-inserts") => insert_lists(&arguments[1..]),
        Some("fill") => fill(&arguments[1..]),
        Some("load") => load_one(&arguments[1..]),
        Some("help" | "--help") => {
            println!("{USAGE}");
            Ok(())
        }
        _ => plan(&arguments).and_then(|plan| measure_all(&plan)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn read<T: FromStr>(arguments: &[String], at: usize) -> Result<T, String> {
    let text = arguments.get(at).ok_or_else(|| USAGE.to_owned())?;
    text.parse().map_err(|_| format!("`{text}` cannot be read\n{USAGE}"))
}

fn serve_bare(arguments: &[String]) -> Result<(), String> {
    let constant = Constant {
        status: read(arguments, 1)?,
        content: read(arguments, 2)?,
        field: read(arguments, 3)?,
    };
    bare::serve(read(arguments, 0)?, constant)
}

fn insert_raw(arguments: &[String]) -> Result<(), String> {
    let path: PathBuf = read(arguments, 0)?;
    let time = Duration::from_millis(read(arguments, 2)?);
    let run = raw::inserts(&path, read(arguments, 1)?, time).map_err(|error| error.to_string())?;
    print(&run);
    Ok(())
}

fn print(run: &load::Run) {
    println!("{} {} {} {}", run.answers, run.seconds, run.busy.ran, run.busy.waited);
}

fn read_lists(arguments: &[String]) -> Result<(), String> {
    let path: PathBuf = read(arguments, 0)?;
    let time = Duration::from_millis(read(arguments, 1)?);
    print(&lists::raw::reads(&path, time).map_err(|error| error.to_string())?);
    Ok(())
}

fn insert_lists(arguments: &[String]) -> Result<(), String> {
    let path: PathBuf = read(arguments, 0)?;
    let (size, number) = (read(arguments, 1)?, read(arguments, 2)?);
    print(&lists::raw::inserts(&path, size, number).map_err(|error| error.to_string())?);
    Ok(())
}

fn fill(arguments: &[String]) -> Result<(), String> {
    let path: PathBuf = read(arguments, 0)?;
    data::fill(&path, read(arguments, 1)?).map_err(|error| error.to_string())
}

fn load_one(arguments: &[String]) -> Result<(), String> {
    let name: String = read(arguments, 3)?;
    let work = work::WORKS.iter().find(|work| work.name == name);
    let work = work.ok_or_else(|| format!("no line is called `{name}`"))?;
    let ground = Ground {
        address: read(arguments, 0)?,
        size: read(arguments, 1)?,
        series: std::process::id().into(),
    };
    let mut source = (work.requests)(&ground)?;
    let lanes = &mut [Lane::new(source.as_mut(), work.connections, work.status)];
    let time = Duration::from_secs_f64(read(arguments, 2)?);
    let run = load::run(ground.address, &Busy::default, lanes, Duration::ZERO, time)?.remove(0);
    println!("{:.0} a second", run.rate());
    Ok(())
}

fn plan(arguments: &[String]) -> Result<Plan, String> {
    let mut plan = Plan {
        parts: Part::all(),
        sizes: None,
        effort: effort(2.0, 3),
        only: None,
        target: PathBuf::from("target"),
        launcher: Launcher {
            core: None,
            server: PathBuf::from("target/release/methodical"),
            declaration: PathBuf::from("bench"),
        },
        date: "undated".to_owned(),
        commit: "unknown".to_owned(),
        compiler: "unknown".to_owned(),
    };
    let mut at = 0;
    while let Some(name) = arguments.get(at) {
        let value = at + 1;
        match name.as_str() {
            "--quick" => {
                (plan.sizes, plan.effort) = (Some(vec![100_000]), effort(0.35, 3));
                at += 1;
                continue;
            }
            "--records" | "--lists" | "--access" | "--overload" => {
                plan.parts = Part::named(name).into_iter().collect();
                at += 1;
                continue;
            }
            "--sizes" | "--rows" => {
                plan.sizes = Some(sizes(&read::<String>(arguments, value)?)?);
            }
            "--seconds" => plan.effort = effort(read(arguments, value)?, plan.effort.rounds),
            "--rounds" => plan.effort.rounds = read::<usize>(arguments, value)?.max(1),
            "--only" => plan.only = Some(read(arguments, value)?),
            "--server" => plan.launcher.server = read(arguments, value)?,
            "--target" => plan.target = read(arguments, value)?,
            "--core" => plan.launcher.core = Some(read(arguments, value)?),
            "--date" => plan.date = read(arguments, value)?,
            "--commit" => plan.commit = read(arguments, value)?,
            "--compiler" => plan.compiler = read(arguments, value)?,
            _ => return Err(format!("`{name}` is not known\n{USAGE}")),
        }
        at += 2;
    }
    Ok(plan)
}

fn effort(seconds: f64, rounds: usize) -> Effort {
    let time = Duration::from_secs_f64(seconds.clamp(0.05, 600.0));
    Effort { time, warm_up: time / 5, rounds }
}

fn sizes(text: &str) -> Result<Vec<u64>, String> {
    let number =
        |part: &str| part.trim().parse().ok().filter(|size| (8..=10_000_000).contains(size));
    let sizes: Option<Vec<u64>> = text.split(',').map(number).collect();
    sizes.ok_or_else(|| format!("`{text}` is no list of sizes from 8 to 10,000,000"))
}

fn measure_all(plan: &Plan) -> Result<(), String> {
    for part in &plan.parts {
        let text = match part {
            Part::Records => records(plan)?,
            Part::Lists => many(plan)?,
            Part::Access => access(plan)?,
            Part::Overload => overload(plan)?,
        };
        println!("{text}");
        if plan.only.is_none() {
            keep(plan, *part, &text)?;
        }
    }
    Ok(())
}

fn keep(plan: &Plan, part: Part, text: &str) -> Result<(), String> {
    let end = match part {
        Part::Records => "",
        Part::Lists => "-lists",
        Part::Access => "-access",
        Part::Overload => "-overload",
    };
    let name = format!("{}-{}{end}.md", plan.date, Machine::here().slug());
    let path = Path::new("bench/results").join(name);
    std::fs::create_dir_all("bench/results")
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("bench: written to {}", path.display());
    Ok(())
}

fn told(figures: &mut Vec<measure::Figure>, figure: &measure::Figure) {
    eprintln!("bench: {}: {:.2}", figure.aim.name, figure.ratio);
    figures.push(figure.clone());
}

fn records(plan: &Plan) -> Result<String, String> {
    let folder = plan.target.join("bench");
    let wanted = |name: &str| plan.only.as_ref().is_none_or(|words| name.contains(words.as_str()));
    let (mut figures, mut prints) = (Vec::new(), Vec::new());
    let sizes = plan.sizes.clone().unwrap_or_else(|| vec![1_000, 100_000, 1_000_000]);
    for size in sizes {
        eprintln!("bench: a database of {size} rows");
        let mut bench = Bench::new(&plan.launcher, plan.effort, size, &folder)?;
        let wanted = |work: &work::Work| wanted(work.name);
        prints.push(bench.run(&wanted, &mut |figure| told(&mut figures, figure))?);
    }
    Ok(report::records(&place(plan), &figures, &prints))
}

fn many(plan: &Plan) -> Result<String, String> {
    let wanted = |name: &str| plan.only.as_ref().is_none_or(|words| name.contains(words.as_str()));
    let mut launcher = plan.launcher.clone();
    launcher.declaration = launcher.declaration.join("lists");
    let (mut figures, mut faults) = (Vec::new(), Vec::new());
    let sizes = plan.sizes.clone().unwrap_or_else(|| vec![10_000, 1_000_000, 10_000_000]);
    for size in sizes {
        eprintln!("bench: lists of {size} rows");
        let mut lists = lists::Lists::new(&launcher, plan.effort, size, &plan.target)?;
        faults.extend(lists.run(&wanted, &mut |figure| told(&mut figures, figure))?);
    }
    Ok(report::lists(&place(plan), &figures, &faults))
}

fn access(plan: &Plan) -> Result<String, String> {
    let wanted = |name: &str| plan.only.as_ref().is_none_or(|words| name.contains(words.as_str()));
    let mut launcher = plan.launcher.clone();
    launcher.declaration = launcher.declaration.join("access");
    let (mut figures, mut faults) = (Vec::new(), Vec::new());
    let sizes = plan.sizes.clone().unwrap_or_else(|| vec![10_000, 1_000_000]);
    for size in sizes {
        eprintln!("bench: access to {size} rows");
        let access = access::Access::new(&launcher, plan.effort, size, &plan.target)?;
        faults.extend(access.run(&wanted, &mut |figure| told(&mut figures, figure))?);
    }
    Ok(report::access(&place(plan), &figures, &faults))
}

fn overload(plan: &Plan) -> Result<String, String> {
    let wanted = |name: &str| plan.only.as_ref().is_none_or(|words| name.contains(words.as_str()));
    let sizes = plan.sizes.clone().unwrap_or_else(|| vec![100_000]);
    let mut all = overload::Findings::default();
    for size in sizes {
        eprintln!("bench: overload of {size} rows");
        let overload = overload::Overload::new(&plan.launcher, plan.effort, size, &plan.target)?;
        let findings = overload.run(&wanted)?;
        all.figures.extend(findings.figures);
        all.bounds.extend(findings.bounds);
        all.faults.extend(findings.faults);
    }
    Ok(report::overload(&place(plan), &all))
}

fn place(plan: &Plan) -> Circumstances {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Circumstances {
        machine: Machine::here(),
        date: plan.date.clone(),
        commit: plan.commit.clone(),
        compiler: plan.compiler.clone(),
        effort: plan.effort,
        pinned: plan.launcher.core.is_some(),
        load: load.split(' ').take(3).collect::<Vec<_>>().join(", "),
    }
}
