//! `check`: what is wrong with the declaration, and what is open to everybody.

use std::fmt::Write;
use std::net::SocketAddr;

use clap::ArgMatches;

use model::complaint::Level;
use model::model::{Model, Who};

use crate::command::{Declaration, check_database, complain, count, joined, place, read};
use crate::failure::{Failure, Outcome};
use crate::serve::{listen, seed};
use crate::settings::{self, Given, Resolved};

/// Prints complaints on standard error, and what is open on standard output; or, if asked to, what
/// is wrong with the database.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    match (matches.get_flag("database"), matches.get_flag("repair")) {
        (true, _) => check_database::run(matches),
        (false, true) => Err(Failure::usage("--repair is about the database: add --database")),
        (false, false) => check_declaration(matches),
    }
}

fn check_declaration(matches: &ArgMatches) -> Outcome {
    let declaration = read(&place(matches))?;
    let environment = settings::environment();
    let resolved =
        settings::resolve(&declaration.reading.settings, &environment, &Given::default())?;
    let complaints = joined(&declaration.reading, &resolved.complaints);
    let mut errors = complain(&declaration, &complaints, Level::Note);
    for warning in &resolved.warnings {
        eprintln!("warning: {warning}");
    }
    errors += check_seed(&declaration);
    let reached = address(&resolved);
    if let Some(warning) = reached.and_then(|at| listen::warning(at, &resolved.settings)) {
        eprintln!("warning: {warning}");
    }
    let Some(model) = declaration.reading.model.as_ref().filter(|_| errors == 0) else {
        let message = format!("{} in the declaration", count(errors.max(1), "error"));
        return Err(Failure::refused(message));
    };
    print!("{}", open(model));
    Ok(())
}

/// Reads the seed as a fresh database would. Gives the number of errors.
fn check_seed(declaration: &Declaration) -> usize {
    let Some(model) = &declaration.reading.model else { return 0 };
    let Err(faults) = seed::read(&declaration.dir, model) else { return 0 };
    for fault in faults.lines() {
        eprintln!("error: the seed does not fit: {fault}");
    }
    faults.lines().count()
}

/// The address that `serve` would listen on. A name is not looked up: another machine may know it.
fn address(resolved: &Resolved) -> Option<SocketAddr> {
    resolved.settings.listen.parse().ok()
}

/// What the declaration opens to everybody, in words.
fn open(model: &Model) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        // Writing into memory does not fail.
        let _ = writeln!(out, "{text}");
    };
    let what = count(model.resources.len(), "resource");
    line(&format!("The declaration of {:?} is sound: {what}.", model.title));
    line("");
    line("What it opens to everybody:");
    let mut any = false;
    for resource in &model.resources {
        let Some(access) = &resource.access else { continue };
        let rights = [
            ("read", &access.read),
            ("create", &access.create),
            ("update", &access.update),
            ("delete", &access.delete),
        ];
        let open: Vec<String> =
            rights.iter().filter_map(|(name, who)| to_anyone(name, who.as_ref())).collect();
        if !open.is_empty() {
            any = true;
            line(&format!("  {}: {}", resource.name, open.join(", ")));
        }
    }
    if !any {
        line("  nothing: a resource that declares no access is for admins");
    }
    line("");
    line("`methodical access` says who else may do what.");
    out
}

/// The name of a right that anybody has, with the condition if there is one.
fn to_anyone(name: &str, who: Option<&Who>) -> Option<String> {
    let who = who.filter(|who| who.names.iter().any(|name| name == "anyone"))?;
    Some(match &who.when {
        None => name.to_owned(),
        Some(when) => format!("{name} (when {when})"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::open;
    use crate::cli;
    use std::path::Path;

    fn check(dir: &Path) -> u8 {
        let arguments = ["methodical".as_ref(), "check".as_ref(), dir.as_os_str()];
        cli::run(arguments.map(std::ffi::OsStr::to_owned)).map_or_else(|fault| fault.code, |()| 0)
    }

    #[test]
    fn a_sound_declaration_is_0_and_an_error_is_1() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(folder.path()), 1, "no declaration");
        let file = folder.path().join("methodical.toml");
        std::fs::write(&file, "title = \"T\"\n[resources.a]\nfields.b = { type = \"strin\" }\n")
            .unwrap();
        assert_eq!(check(folder.path()), 1);
        let sound =
            "title = \"T\"\nseed = \"seed/\"\n[resources.a]\nfields.b = { type = \"string\" }\n";
        std::fs::write(&file, sound).unwrap();
        std::fs::create_dir(folder.path().join("seed")).unwrap();
        assert_eq!(check(folder.path()), 0);
        std::fs::write(folder.path().join("seed/a.ndjson"), "{\"b\": 5}\n").unwrap();
        assert_eq!(check(folder.path()), 1, "the seed does not fit");
        std::fs::write(&file, format!("limits.target = \"much\"\n{sound}")).unwrap();
        assert_eq!(check(folder.path()), 1, "a setting does not fit");
        std::fs::remove_file(folder.path().join("seed/a.ndjson")).unwrap();
        std::fs::write(&file, format!("listen = \"0.0.0.0:80\"\n{sound}")).unwrap();
        assert_eq!(check(folder.path()), 0, "others may reach it");
        std::fs::write(&file, format!("listen = \"[::1]:80\"\n{sound}")).unwrap();
        assert_eq!(check(folder.path()), 0);
    }

    #[test]
    fn what_is_open_is_said() {
        let text = "title = \"T\"\n\
            [resources.a]\naccess = { read = \"anyone\", create = \"anyone\", write = \"admin\" }\n\
            fields.b = { type = \"string\" }\n\
            [resources.c]\nfields.d = { type = \"string\" }\n\
            [resources.e]\naccess.read = { who = \"anyone\", when = \"record.f == 'x'\" }\n\
            fields.f = { type = \"string\" }\n";
        let model = model::declaration::read(text).model.unwrap();
        let open = open(&model);
        assert!(open.contains("  a: read, create\n"), "{open}");
        assert!(!open.contains("  c:"), "{open}");
        assert!(open.contains("  e: read (when record.f == 'x')\n"), "{open}");
        assert!(open.contains("methodical access"), "{open}");
    }
}
