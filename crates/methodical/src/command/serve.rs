//! `serve`: from a folder to a running API, and to its end.

use std::path::Path;
use std::sync::Arc;

use clap::ArgMatches;
use tokio::net::TcpListener;

use model::complaint::Level;
use model::model::Model;
use store::{OpenError, Opened, Options};

use crate::command::{Declaration, complain, count, joined, place, read, shown, site};
use crate::failure::{Failure, Outcome};
use crate::log::Log;
use crate::serve::app::App;
use crate::serve::backups::{Running, Schedule};
use crate::serve::first_key::{Handing, Whence};
use crate::serve::http1::connection::Service;
use crate::serve::id::Ids;
use crate::serve::metrics::Page;
use crate::serve::shutdown::{Connections, Signals};
use crate::serve::tour::Access;
use crate::serve::watch::{self, Base};
use crate::serve::{listen, metrics, seed, tour};
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
    let shown = shown(&declaration.dir);
    let listen = &resolved.settings.listen;
    let addresses = listen::addresses(listen, &resolved.origin("listen"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|fault| Failure::refused(format!("the system gives no threads: {fault}")))?;
    let (log, closer) = Log::start(&resolved.settings);
    let ended = runtime.block_on(async {
        // Before the database: a start that fails for the port leaves nothing behind.
        let listener = listen::bind(&addresses, &shown).await?;
        let metrics = match &resolved.settings.metrics_listen {
            Some(listen) => Some(metrics::bind(listen, &resolved.origin("metrics.listen")).await?),
            None => None,
        };
        let named = format!("{shown}{}", given.place());
        let (opened, whence) = open(&declaration.dir, &named, &model, &resolved)?;
        let schedule = Schedule::of(&declaration.dir, &resolved.settings);
        let key = Access { whence, named, dir: shown };
        let beside = Beside { metrics, backups: schedule.map(Schedule::start), key };
        let watching = matches.get_flag("watch").then_some((declaration, given));
        serve(listener, model, resolved, opened, log, watching, beside).await
    });
    // Connections that did not end in time are left behind; the store is closed by now.
    runtime.shutdown_background();
    drop(closer);
    ended
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
    metrics: Option<TcpListener>,
    backups: Option<Running>,
    /// How somebody at the terminal is let in.
    key: Access,
}

/// Serves connections, and finishes what was accepted when a signal comes.
async fn serve(
    listener: TcpListener,
    model: Arc<Model>,
    resolved: Resolved,
    opened: Opened,
    log: Log,
    watching: Option<(Declaration, Given)>,
    beside: Beside,
) -> Outcome {
    let failed = |what: &str, fault: std::io::Error| Failure::refused(format!("{what}: {fault}"));
    let address = listener.local_addr().map_err(|fault| failed("no address", fault))?;
    let mut signals = Signals::new().map_err(|fault| failed("no signals", fault))?;
    let settings = resolved.settings;
    let base = Base {
        settings: Arc::new(settings.clone()),
        reader: opened.reader,
        writer: opened.writer.clone(),
        epoch: opened.epoch,
        secret: opened.secret,
    };
    let answerer = App::new(base.engine(Arc::clone(&model)), opened.writer);
    let meter = beside.metrics.is_some().then(Arc::default);
    let service = Arc::new(Service { answerer, settings, log, ids: Ids::new(), meter });
    println!("http://{address}");
    if let Some(warning) = listen::warning(address) {
        tracing::warn!("{warning}");
    }
    if service.settings.log_format == "json" {
        // Whoever reads JSON lines reads nothing else.
        tracing::info!("{}", tour::summary(&model, &format!("http://{address}")));
    } else {
        let key = engine::clock::uuid();
        eprint!("{}", tour::tour(&model, &format!("http://{address}"), &key, &beside.key));
    }

    let watcher = watching.map(|(declaration, given)| {
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            watch::watch(declaration, model, &given, base, &service.answerer).await;
        })
    });
    let connections = Arc::new(Connections::default());
    let page = Page::new(&service, opened.measures, &connections);
    let scraped = beside.metrics.map(|listener| metrics::start(listener, page, &service));
    listen::accept(listener, &service, &connections, signals.next()).await;
    if let Some(watcher) = watcher {
        watcher.abort();
    }
    let ended = finish(&connections, &service, signals).await;
    if let Some(scraped) = scraped {
        scraped.abort();
    }
    if let Some(backups) = beside.backups {
        backups.end().await;
    }
    ended?;
    let writer = service.answerer.writer();
    // Finishes the writes that are queued, and the database's log.
    let closed = tokio::task::spawn_blocking(move || writer.close()).await;
    closed.map_err(|fault| Failure::refused(format!("the database did not close: {fault}")))
}

/// Lets every connection finish what it has accepted, within the time that is set for it.
async fn finish(
    connections: &Connections,
    service: &Service<App>,
    mut signals: Signals,
) -> Outcome {
    connections.stop();
    tracing::info!(
        "stopping: {} to finish; a second signal exits at once",
        count(connections.count(), "connection")
    );
    tokio::select! {
        () = connections.drained() => Ok(()),
        () = signals.next() => exit_at_once(),
        () = tokio::time::sleep(service.settings.shutdown_timeout) => {
            tracing::error!("{} did not finish in time", count(connections.count(), "connection"));
            Err(Failure { code: 1, message: String::new() })
        }
    }
}

/// Ends the process here and now. What was acknowledged is on the disk.
#[expect(clippy::disallowed_methods, reason = "whoever asks a second time wants no order kept")]
fn exit_at_once() -> Outcome {
    std::process::exit(1)
}
