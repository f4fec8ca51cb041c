//! `serve`: from a folder to a running API, and to its end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;

use model::complaint::Level;
use model::model::Model;
use model::setting::Settings;
use store::{OpenError, Opened, Options};

use crate::command::{Declaration, complain, count, joined, place, read, shown, site};
use crate::failure::{Failure, Outcome};
use crate::log::Log;
use crate::serve::acme::{self, Acme, Challenges};
use crate::serve::app::App;
use crate::serve::backups::{Running, Schedule};
use crate::serve::first_key::{Handing, Whence};
use crate::serve::handover::{self, Sockets};
use crate::serve::http1::connection::Service;
use crate::serve::id::Ids;
use crate::serve::inherit::Inherited;
use crate::serve::listen::{self, Bound, Door, Entrance};
use crate::serve::metrics::Page;
use crate::serve::notify;
use crate::serve::queue::{self, Office};
use crate::serve::shutdown::{Asked, Connections, Signals};
use crate::serve::tls::Tls;
use crate::serve::tour::Access;
use crate::serve::traces::{Exporter, Traces};
use crate::serve::watch::{self, Base};
use crate::serve::{issuers, outside};
use crate::serve::{metrics, seed, tour};
use crate::settings::{self, Given, Resolved};

/// Serves until a signal.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    #[cfg(feature = "faults")]
    for name in matches.get_many::<String>("fault").into_iter().flatten() {
        contract::fault::select(name).map_err(Failure::usage)?;
        // The store knows nothing of the contract, so it keeps its own switches.
        store::fault::select(name);
    }
    let declaration = read(&place(matches))?;
    let given = Given::read(matches)?;
    let (model, resolved) = accept(&declaration, &given)?;
    if let Some(complaint) = acme::complaint(&resolved.settings) {
        return Err(Failure::refused(complaint));
    }
    let shown = shown(&declaration.dir);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // What a worker's own queue has no room for goes into the one that all share, which is
        // asked as rarely as every 31st time otherwise: with many connections at once some would
        // wait ten times as long as the others.
        .global_queue_interval(2)
        .build()
        .map_err(|fault| Failure::refused(format!("the system gives no threads: {fault}")))?;
    let (log, closer) = Log::start(&resolved.settings);
    raise_descriptors();
    let ended = runtime.block_on(async {
        // Before the database: a start that fails for the port leaves nothing behind.
        let mut inherited = Inherited::find().map_err(|fault| {
            Failure::refused(format!("what was handed over is no listening socket: {fault}"))
        })?;
        let bound = listen::bind_all(&resolved, &mut inherited, &declaration.dir).await?;
        for name in inherited.left() {
            tracing::warn!("a socket was handed over as {name:?}, and is not used");
        }
        let named = format!("{shown}{}", given.place());
        let (opened, whence) = open(&declaration.dir, &named, &model, &resolved)?;
        let schedule = Schedule::of(&declaration.dir, &resolved.settings);
        let key = Access { whence, named, dir: shown };
        let backups = schedule.map(Schedule::start);
        let dir = declaration.dir.clone();
        let beside = Beside { backups, key, succeeds: inherited.succeeds(), dir };
        let watching = matches.get_flag("watch").then_some((declaration, given));
        serve(bound, model, resolved, opened, log, watching, beside).await
    });
    // Connections that did not end in time are left behind; the store is closed by now.
    runtime.shutdown_background();
    drop(closer);
    match ended? {
        Ended::Done => Ok(()),
        Ended::HandedOver(sockets) => {
            let Err(fault) = handover::become_successor(&sockets);
            Err(Failure::refused(format!("the new process could not be started: {fault}")))
        }
    }
}

/// How serving ended.
enum Ended {
    /// For good.
    Done,
    /// For a new process, which takes these.
    HandedOver(Sockets),
}

/// As many files as the system allows: each connection is one, and the usual limit is far below.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    // With the usual limit connections are turned away earlier, and that is told.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// Reads model and settings, and tells of every fault at once.
pub(crate) fn accept(
    declaration: &Declaration,
    given: &Given,
) -> Result<(Arc<Model>, Resolved), Failure> {
    let reading = &declaration.reading;
    let resolved = settings::resolve(&reading.settings, &settings::environment(), given)?;
    let complaints = joined(reading, &resolved.complaints);
    let errors = complain(declaration, &complaints, Level::Warning);
    for warning in &resolved.warnings {
        eprintln!("warning: {warning}");
    }
    match reading.model.as_ref().filter(|_| errors == 0) {
        Some(model) => Ok((Arc::new(model.clone()), resolved)),
        None => Err(Failure::refused(format!(
            "{} in the declaration; nothing was done",
            count(errors.max(1), "error")
        ))),
    }
}

/// Opens the database beside the declaration; a fresh one gets its tables, its seed and a key.
fn open(
    dir: &Path,
    named: &str,
    model: &Arc<Model>,
    resolved: &Resolved,
) -> Result<(Opened, Whence), Failure> {
    let settings = &resolved.settings;
    let path = site::database(dir, settings);
    let mut seed = || seed::read(dir, model);
    let options = Options::from(settings, &path);
    let handing = Handing::prepare(&options, model, &settings.log_format);
    let options = Options { first_key: handing.key(), ..options };
    let opened = match store::open(&options, Arc::clone(model), &mut seed) {
        Ok(opened) => opened,
        Err(fault) => {
            handing.give_up();
            let mut message = refusal(dir, &path, &fault);
            if fault.is_damage() {
                message.push_str(&site::way_out(dir, &path, &dir.join(&settings.backup_dir)));
            }
            return Err(Failure::refused(message));
        }
    };
    let whence = handing.hand_over(opened.first_key, named, model, &settings.log_format);
    if let Some((plan, took)) = &opened.migrated {
        tracing::info!(
            "migrated {} in {} ms: {}",
            path.display(),
            took.as_millis(),
            plan.summary()
        );
    }
    Ok((opened, whence))
}

/// What kept a database from being opened, and which command to run next.
pub(crate) fn refusal(dir: &Path, path: &Path, fault: &OpenError) -> String {
    let mut text = format!("{}: {fault}", path.display());
    if matches!(fault, OpenError::Changed { .. }) {
        let dir = shown(dir);
        text.push_str(&format!(
            "\nTo see what would be done:\n\n    methodical migrate {dir}\n\nand to do it:\n\n    \
             methodical migrate {dir} --apply\n"
        ));
    }
    text
}

/// What goes on beside the serving.
struct Beside {
    backups: Option<Running>,
    /// How somebody at the terminal is let in.
    key: Access,
    /// True where this process takes the place of another.
    succeeds: bool,
    /// The folder of the declaration.
    dir: PathBuf,
}

/// Serves connections, and finishes what was accepted when a signal comes.
async fn serve(
    bound: Bound,
    model: Arc<Model>,
    resolved: Resolved,
    opened: Opened,
    log: Log,
    watching: Option<(Declaration, Given)>,
    beside: Beside,
) -> Result<Ended, Failure> {
    let failed = |what: &str, fault: std::io::Error| Failure::refused(format!("{what}: {fault}"));
    let Bound { doors, metrics, sockets, tls } = bound;
    let address = doors[0].0.local_addr().map_err(|fault| failed("no address", fault))?;
    let mut signals = Signals::new().map_err(|fault| failed("no signals", fault))?;
    let settings = resolved.settings;
    let base = Base {
        settings: Arc::new(settings.clone()),
        reader: opened.reader,
        writer: opened.writer.clone(),
        epoch: opened.epoch,
        secret: opened.secret,
    };
    let (acme, challenges) = acme(tls.as_deref(), &settings, &beside.dir)?.unzip();
    let client = outside::client(&settings, &beside.dir)?;
    let (ids, instance) = (Ids::new(), Ids::new().next());
    let traces = Traces::open(&settings, &client, &model.title, instance)?;
    let (traces, exporter) = traces.unzip();
    let outside = Outside {
        office: Office::open(&settings, &beside.dir)?,
        acme,
        exporter,
        client,
        tls: tls.clone(),
    };
    let answerer = App::new(base.engine(Arc::clone(&model)), opened.writer, challenges);
    let meter = metrics.is_some().then(Arc::default);
    let service = Arc::new(Service { answerer, settings, log, ids, meter, traces });
    announce(address, &service.settings, &model, tls.as_deref(), &beside);
    let connections = Arc::new(Connections::default());
    // What goes on beside the connections, and ends with them.
    let mut along = JoinSet::new();
    along.spawn(notify::watchdog(base.reader.clone()));
    outside.go_along(&mut along, &service);
    if let Some(listener) = metrics {
        let page = Page::new(&service, opened.measures, &connections);
        along.spawn(metrics::serve(listener, page, Arc::clone(&service)));
    }
    if let Some((declaration, given)) = watching {
        let service = Arc::clone(&service);
        along.spawn(async move {
            watch::watch(declaration, model, &given, base, &service.answerer).await;
        });
    }
    let entrance = Entrance::new(&service, &connections);
    let asked = listen_on(&doors, &entrance, &mut signals, &beside.dir).await;
    // From here on nobody is let in, but by a successor.
    drop(doors);
    let sockets = (asked == Asked::HandOver).then_some(sockets);
    let ended = finish(&connections, &service, signals, asked).await;
    along.shutdown().await;
    if let Some(backups) = beside.backups {
        backups.end().await;
    }
    ended?;
    close(&service).await?;
    Ok(sockets.map_or(Ended::Done, Ended::HandedOver))
}

/// Finishes the writes that are queued, and the database's log.
async fn close(service: &Service<App>) -> Outcome {
    let writer = service.answerer.writer();
    let closed = tokio::task::spawn_blocking(move || writer.close()).await;
    closed.map_err(|fault| Failure::refused(format!("the database did not close: {fault}")))
}

/// What has to do with others, beside the connections.
struct Outside {
    office: Option<Office>,
    acme: Option<Acme>,
    exporter: Option<Exporter>,
    client: outbound::Client,
    tls: Option<Arc<Tls>>,
}

impl Outside {
    fn go_along(self, along: &mut JoinSet<()>, service: &Arc<Service<App>>) {
        along.spawn(issuers::follow(Arc::clone(service), self.client));
        if let Some(office) = self.office {
            along.spawn(queue::run(Arc::clone(service), office));
        }
        if let Some(exporter) = self.exporter {
            along.spawn(exporter.run());
        }
        if let Some(tls) = self.tls {
            along.spawn(async move { tls.follow().await });
        }
        if let Some(acme) = self.acme {
            along.spawn(acme.run());
        }
    }
}

/// Who orders certificates, and what it shows to whoever validates names.
fn acme(
    tls: Option<&Tls>,
    settings: &Settings,
    dir: &Path,
) -> Result<Option<(Acme, Arc<Challenges>)>, Failure> {
    let Some(tls) = tls.filter(|_| settings.tls_source == "acme") else { return Ok(None) };
    let shown = Arc::<Challenges>::default();
    let acme = Acme::new(settings, dir, Arc::clone(&tls.certificates), Arc::clone(&shown))?;
    Ok(Some((acme, shown)))
}

/// Accepts connections until there is a reason to stop, and tells systemd of it.
async fn listen_on(
    doors: &[Door],
    entrance: &Arc<Entrance<App>>,
    signals: &mut Signals,
    dir: &Path,
) -> Asked {
    let asked = loop {
        let asked = listen::accept(doors, entrance, signals.next()).await;
        if asked == Asked::End || may_hand_over(dir).await {
            break asked;
        }
    };
    match asked {
        Asked::End => {
            notify::stopping();
            listen::accept_waiting(doors, entrance).await;
        }
        Asked::HandOver => notify::reloading(),
    }
    asked
}

/// Says that connections are served, and what to try, to whom it is of use.
fn announce(
    address: SocketAddr,
    settings: &Settings,
    model: &Model,
    tls: Option<&Tls>,
    beside: &Beside,
) {
    let url = listen::base_url(address, settings);
    println!("{url}");
    if let Some(warning) = listen::warning(address, settings) {
        tracing::warn!("{warning}");
    }
    if beside.succeeds {
        tracing::info!("took over from the process before; {address} was open throughout");
    } else if settings.log_format == "json" {
        // Whoever reads JSON lines reads nothing else.
        tracing::info!("{}", tour::summary(model, &url));
    } else {
        let key = engine::clock::uuid();
        let trusted_by = tls.and_then(|tls| tls.trusted_by.as_deref()).unwrap_or_default();
        eprint!("{trusted_by}{}", tour::tour(model, &url, &key, &beside.key));
    }
    notify::ready(&format!("serving at {url}"));
}

/// Whether the program as it is on the disk now takes the declaration as it is there now.
async fn may_hand_over(dir: &Path) -> bool {
    let dir = dir.to_owned();
    let checked = tokio::task::spawn_blocking(move || handover::check(&dir)).await;
    let refused = match checked {
        Ok(Ok(())) => return true,
        Ok(Err(why)) => why,
        Err(fault) => fault.to_string(),
    };
    tracing::error!("asked to hand over to a new process, and went on instead: {refused}");
    false
}

/// Lets every connection finish what it has accepted, within the time that is set for it.
async fn finish(
    connections: &Connections,
    service: &Service<App>,
    mut signals: Signals,
    asked: Asked,
) -> Outcome {
    connections.stop();
    let within = match asked {
        Asked::End => service.settings.shutdown_timeout,
        Asked::HandOver => service.settings.hand_over_timeout,
    };
    tracing::info!(
        "{}: {} to finish; a second signal exits at once",
        if asked == Asked::End { "stopping" } else { "handing over to a new process" },
        count(connections.count(), "connection")
    );
    tokio::select! {
        () = connections.drained() => Ok(()),
        () = signals.end() => exit_at_once(),
        () = tokio::time::sleep(within) => {
            tracing::error!("{} did not finish in time", count(connections.count(), "connection"));
            match asked {
                Asked::End => Err(Failure { code: 1, message: String::new() }),
                Asked::HandOver => Ok(()),
            }
        }
    }
}

/// Ends the process here and now. What was acknowledged is on the disk.
#[expect(clippy::disallowed_methods, reason = "whoever asks a second time wants no order kept")]
fn exit_at_once() -> Outcome {
    std::process::exit(1)
}
