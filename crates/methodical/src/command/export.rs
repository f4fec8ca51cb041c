//! `export`: records out of the database into files and pipes, all from one snapshot, beside a
//! running server or without one.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use model::model::{Resource, ResourceIndex};
use model::record::whole::{self, Secrets};
use store::transfer::{Export, attach};

use crate::failure::{Failure, Outcome};
use crate::transfer::meter::Meter;
use crate::transfer::{Project, file_name, records};

/// Bytes that are written at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Exports what the arguments name.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let project = Project::read(matches)?;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let named = text("resource").map(|name| project.resource(name)).transpose()?;
    let format = if text("format") == Some("csv") { Format::Csv } else { Format::Ndjson };
    let secrets = match matches.get_flag("with-secrets") {
        true => Secrets::Written,
        false => Secrets::Left,
    };
    let output = Output::of(&project, named, text("output").unwrap_or("-"), format)?;
    let attached = attach(&project.options, project.model.clone());
    let attached = attached.map_err(|error| project.failed(error))?;
    let export = attached.export().map_err(|error| project.failed(error))?;
    let wanted = named.map_or_else(|| engine::transfer::order(&project.model), |index| vec![index]);
    let mut work = Work {
        project: &project,
        export: &export,
        format,
        secrets,
        is_among: named.is_none() && output == Output::Pipe,
        meter: Meter::start(),
        written: 0,
        total: 0,
    };
    for index in &wanted {
        work.total += export.total(*index).map_err(|error| project.failed(error))?;
    }
    for index in &wanted {
        work.resource(*index, &output)?;
    }
    let time = work.meter.end();
    let of = match named {
        Some(index) => project.model.resources[index].name.clone(),
        None => format!("{} resources", wanted.len()),
    };
    eprintln!("{} of {of} exported in {:.1}s", records(work.written), time.as_secs_f64());
    if let (Secrets::Left, Some(hidden)) = (secrets, hidden(&project, &wanted)) {
        eprintln!("left out, because nobody is shown them: {hidden} (--with-secrets writes them)");
    }
    Ok(())
}

/// The fields that are left out.
fn hidden(project: &Project, wanted: &[ResourceIndex]) -> Option<String> {
    let resources = wanted.iter().map(|index| &project.model.resources[*index]);
    let of = |resource: &Resource| {
        let hidden = resource.fields.iter().filter(|field| !field.visible());
        hidden.map(|field| format!("{}.{}", resource.name, field.name)).collect::<Vec<_>>()
    };
    let names: Vec<String> = resources.flat_map(of).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// How records are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// Where records go.
#[derive(PartialEq, Eq)]
enum Output {
    /// Standard output.
    Pipe,
    /// One file.
    File(PathBuf),
    /// A file a resource.
    Folder(PathBuf),
}

impl Output {
    fn of(
        project: &Project,
        named: Option<ResourceIndex>,
        output: &str,
        format: Format,
    ) -> Result<Self, Failure> {
        let path = Path::new(output);
        match (named, output) {
            (None, "-") if format == Format::Csv => Err(Failure::usage(
                "CSV holds records of one resource: name it, or name a folder with --output",
            )),
            (_, "-") => Ok(Self::Pipe),
            (Some(index), _) if path.is_dir() => {
                let name = &project.model.resources[index].name;
                Ok(Self::File(path.join(file_name(name, format.ending()))))
            }
            (Some(_), _) => Ok(Self::File(path.to_owned())),
            (None, _) if path.is_file() => Err(Failure::refused(format!(
                "{output} is a file: records of all resources go to a folder, a file each"
            ))),
            (None, _) => match std::fs::create_dir_all(path) {
                Ok(()) => Ok(Self::Folder(path.to_owned())),
                Err(fault) => Err(unwritable(path, &fault)),
            },
        }
    }
}

/// An export under way.
struct Work<'a> {
    project: &'a Project,
    export: &'a Export,
    format: Format,
    secrets: Secrets,
    /// True where each line names its resource.
    is_among: bool,
    meter: Meter,
    written: u64,
    total: u64,
}

impl Work<'_> {
    /// Writes one resource to where it belongs.
    fn resource(&mut self, index: ResourceIndex, output: &Output) -> Outcome {
        let name = &self.project.model.resources[index].name;
        match output {
            Output::Pipe => {
                let mut pipe = io::stdout().lock();
                self.records(index, &mut pipe, Path::new("standard output"))
            }
            Output::File(path) => self.file(index, path),
            Output::Folder(path) => {
                let path = path.join(file_name(name, self.format.ending()));
                self.file(index, &path)
            }
        }
    }

    /// Writes a file beside its place, and moves it there once it is whole.
    fn file(&mut self, index: ResourceIndex, path: &Path) -> Outcome {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut file = create(&part, self.secrets).map_err(|fault| unwritable(&part, &fault))?;
        self.records(index, &mut file, &part)?;
        let moved = file.sync_all().and_then(|()| std::fs::rename(&part, path));
        moved.map_err(|fault| unwritable(path, &fault))
    }

    /// Writes the records of a resource.
    fn records(&mut self, index: ResourceIndex, out: &mut dyn Write, name: &Path) -> Outcome {
        let resource = &self.project.model.resources[index];
        let among = self.is_among.then_some(resource.name.as_str());
        let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
        if self.format == Format::Csv {
            whole::write_names(&mut piece, resource, self.secrets);
        }
        let mut failed = None;
        let read = self.export.records(index, &mut |record| {
            match self.format {
                Format::Csv => whole::write_line(&mut piece, resource, record, self.secrets),
                Format::Ndjson => {
                    whole::write_json(&mut piece, resource, record, self.secrets, among);
                    piece.push(b'\n');
                }
            }
            self.written += 1;
            if piece.len() < PIECE_BYTES {
                return ControlFlow::Continue(());
            }
            self.meter.show(self.written, self.written, Some(self.total));
            let put = out.write_all(&piece);
            piece.clear();
            match put {
                Ok(()) => ControlFlow::Continue(()),
                Err(fault) => {
                    failed = Some(fault);
                    ControlFlow::Break(())
                }
            }
        });
        read.map_err(|error| self.project.failed(error))?;
        let put = failed.map_or_else(|| out.write_all(&piece).and_then(|()| out.flush()), Err);
        put.map_err(|fault| unwritable(name, &fault))
    }
}

/// Nobody else may read a file with secrets.
fn create(path: &Path, secrets: Secrets) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    if secrets == Secrets::Written {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn unwritable(path: &Path, fault: &io::Error) -> Failure {
    // Whoever reads has enough, and knows it.
    if fault.kind() == ErrorKind::BrokenPipe {
        return Failure::refused("");
    }
    Failure::refused(format!("{} cannot be written: {fault}", path.display()))
}
