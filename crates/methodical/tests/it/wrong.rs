//! Programs that break the law must not compile: `tests/wrong/*.rs`. A line of each says
//! what the compiler has to answer (`//@ error: TEXT`), or that it is right (`//@ compiles`), so
//! that an error of another cause is not taken for the one that is wanted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

#[test]
fn programs_that_break_the_law_do_not_compile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let scratch = tempfile::tempdir().expect("a folder");
    let libraries = Libraries::find(scratch.path());
    let mut complaints = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the wrong programs") {
        let path = entry.expect("an entry").path();
        count += 1;
        if let Err(complaint) = check(&path, &libraries) {
            complaints.push(format!("{}: {complaint}", path.display()));
        }
    }
    assert!(count >= 10, "only {count} programs");
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

fn check(path: &Path, libraries: &Libraries<'_>) -> Result<(), String> {
    let text = fs::read_to_string(path).expect("a program");
    let expected: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("//@ error: ")).collect();
    let compiles = text.lines().any(|line| line == "//@ compiles");
    if compiles != expected.is_empty() {
        return Err("it has to say either `//@ error: TEXT` or `//@ compiles`".to_owned());
    }
    match (compiles, libraries.compile(path)) {
        (true, Ok(())) => Ok(()),
        (true, Err(said)) => Err(format!("it does not compile:\n{said}")),
        (false, Ok(())) => Err("it compiles".to_owned()),
        (false, Err(said)) => match expected.iter().find(|text| !said.contains(**text)) {
            None => Ok(()),
            Some(text) => Err(format!("the compiler does not say {text:?}:\n{said}")),
        },
    }
}

/// Needs that `contract` and `engine` are of one build.
const PROBE: &str = "use contract::table::Handle;
pub const fn probe(handle: Handle) { engine::serve::keeps_within(handle, handle) }";

/// The libraries that the programs are compiled against, where cargo has put them: beside this
/// very test. There may be several of each, of builds with other features.
struct Libraries<'a> {
    folder: PathBuf,
    scratch: &'a Path,
    chosen: Vec<(&'static str, PathBuf)>,
}

impl<'a> Libraries<'a> {
    fn find(scratch: &'a Path) -> Self {
        let own = std::env::current_exe().expect("the path of this test");
        let folder = own.parent().expect("a folder").to_owned();
        let probe = scratch.join("probe.rs");
        fs::write(&probe, PROBE).expect("a probe");
        let newest = |name| candidates(&folder, name).into_iter().next().expect("a library");
        let (engine, store) = (newest("engine"), newest("store"));
        for contract in candidates(&folder, "contract") {
            let chosen =
                vec![("contract", contract), ("engine", engine.clone()), ("store", store.clone())];
            let libraries = Self { folder: folder.clone(), scratch, chosen };
            if libraries.compile(&probe).is_ok() {
                return libraries;
            }
        }
        panic!("no build of contract is the one that {} was built with", engine.display());
    }

    /// Compiles a program, or gives what the compiler says.
    fn compile(&self, path: &Path) -> Result<(), String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command
            .arg(path)
            .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"])
            .arg("--out-dir")
            .arg(self.scratch)
            .arg("-L")
            .arg(format!("dependency={}", self.folder.display()));
        for (name, library) in &self.chosen {
            command.arg("--extern").arg(format!("{name}={}", library.display()));
        }
        let output = command.output().expect("rustc starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

/// The libraries of this name, the one that was built last first.
fn candidates(folder: &Path, name: &str) -> Vec<PathBuf> {
    let prefix = format!("lib{name}-");
    let mut built: Vec<_> = fs::read_dir(folder)
        .expect("the libraries")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.starts_with(&prefix) && file.ends_with(".rlib")
        })
        .collect();
    let made = |path: &PathBuf| fs::metadata(path).and_then(|data| data.modified());
    built.sort_by_key(|path| std::cmp::Reverse(made(path).unwrap_or(SystemTime::UNIX_EPOCH)));
    built
}
