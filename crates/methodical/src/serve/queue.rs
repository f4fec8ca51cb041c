//! Carries out what was put into the queue: after its commit, at least once, later and later where
//! it fails, and never for ever.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::clock;
use model::setting::Settings;
use model::value::Timestamp;
use outbound::mail::{Mail, Post, Unsent, is_sender};
use serde_json::Value;
use store::change::Change;
use store::decision::{Decision, Step, Verdict};
use store::lookup::{Beside, Lookup};
use store::queue::{Fate, Jobs, Waiting};

use super::app::App;
use super::http1::connection::Service;
use crate::failure::Failure;

/// How often the queue is looked at where nobody rings: what failed becomes due.
const PAUSE: Duration = Duration::from_secs(2);
/// Jobs that are taken at once.
const AT_ONCE: u32 = 8;
/// How long a job belongs to whoever has taken it.
const CLAIM: Duration = Duration::from_mins(2);
/// How often a job is tried: over more than a day.
const ATTEMPTS_MAX: u32 = 16;
/// The first pause after a failure; twice as long with each.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_hours(4);

const RESET: &str = include_str!("../template/mail/reset.txt");
const CONFIRM: &str = include_str!("../template/mail/confirm.txt");

/// Who sends mail, and what it says.
pub(crate) struct Office {
    post: Post,
    from: String,
    reset: String,
    confirm: String,
}

impl Office {
    /// Who sends mail as the settings have it; nobody where they say nothing.
    ///
    /// # Errors
    /// A template or the server's URL cannot be used.
    pub(crate) fn open(settings: &Settings, dir: &Path) -> Result<Option<Self>, Failure> {
        let Some(from) = settings.mail_from.clone() else { return Ok(None) };
        if !is_sender(&from) {
            return Err(Failure::refused(format!(
                "`mail.from`: {from:?} is no address; write it as `Shop <shop@shop.example>`"
            )));
        }
        let roots = settings.outbound_roots.as_ref().map(|path| dir.join(path));
        let post = match (&settings.mail_url, &settings.mail_file) {
            (Some(url), _) => Post::server(url, roots.as_deref(), settings.outbound_timeout)
                .map_err(|fault| Failure::refused(format!("`mail.url`: {fault}")))?,
            (None, Some(folder)) => Post::Folder(dir.join(folder)),
            (None, None) => return Ok(None),
        };
        let template = |name: &str, own: &str| {
            let path = dir.join(&settings.mail_templates).join(format!("{name}.txt"));
            match std::fs::read_to_string(&path) {
                Ok(text) if text.contains("{link}") && text.contains('\n') => Ok(text),
                Ok(_) => Err(Failure::refused(format!(
                    "{}: the first line is the subject, and `{{link}}` has to stand below it",
                    path.display()
                ))),
                Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(own.to_owned()),
                Err(fault) => Err(Failure::refused(format!("{}: {fault}", path.display()))),
            }
        };
        let (reset, confirm) = (template("reset", RESET)?, template("confirm", CONFIRM)?);
        Ok(Some(Self { post, from, reset, confirm }))
    }

    async fn carry_out(&self, job: &Waiting) -> Result<(), Unsent> {
        let payload: Value = serde_json::from_str(&job.payload)
            .map_err(|_| Unsent::Ever("what it needs cannot be read".to_owned()))?;
        let text = |name: &str| payload[name].as_str().unwrap_or_default();
        let template = match text("template") {
            "reset" => &self.reset,
            "confirm" => &self.confirm,
            _ => return Err(Unsent::Ever("there is no such mail".to_owned())),
        };
        let hours = payload["hours"].to_string();
        let filled = template
            .replace("{title}", &text("title").replace(['\r', '\n'], " "))
            .replace("{hours}", &hours)
            .replace("{link}", text("link"));
        let (subject, body) = filled.split_once('\n').unwrap_or((&filled, ""));
        let mail = Mail {
            id: job.id.clone(),
            from: self.from.clone(),
            to: text("to").to_owned(),
            subject: subject.trim().to_owned(),
            text: body.trim_start_matches(['\r', '\n']).to_owned(),
        };
        self.post.send(&mail).await
    }
}

/// Goes on as long as the server does. What was begun when it ends is somebody's again after a
/// time.
pub(crate) async fn run(service: Arc<Service<App>>, office: Office) {
    let office = Arc::new(office);
    loop {
        let queued = service.answerer.present().queued();
        let taken = take(&service).await;
        let more = taken.len() == AT_ONCE as usize;
        let mut running = tokio::task::JoinSet::new();
        for job in taken {
            let (service, office) = (Arc::clone(&service), Arc::clone(&office));
            running.spawn(async move { attempt(&service, &office, &job).await });
        }
        while running.join_next().await.is_some() {}
        if !more {
            let _ = tokio::time::timeout(PAUSE, queued.notified()).await;
        }
    }
}

/// Takes jobs that are due, so that nobody else does.
async fn take(service: &Service<App>) -> Vec<Waiting> {
    let now = clock::now();
    let until = later(now, CLAIM);
    let lookup =
        Lookup::beside(Beside { jobs: Some(Jobs::Due(now, AT_ONCE)), ..Beside::default() });
    let reader = service.answerer.present().reader();
    // Nothing is written where there is nothing to do.
    if !matches!(reader.read(lookup.clone()).await, Ok(current) if !current.jobs.is_empty()) {
        return Vec::new();
    }
    let step = Step::alone(lookup, move |current| Decision::Commit {
        outcome: current.jobs.clone(),
        changes: current
            .jobs
            .iter()
            .map(|job| Change::SettleJob(job.number, Fate::Claimed(until)))
            .collect(),
    });
    match service.answerer.writer().transact(vec![step]).await {
        Ok(Verdict::Committed(mut outcomes)) => outcomes.pop().unwrap_or_default(),
        Ok(Verdict::Refused { .. }) => Vec::new(),
        Err(fault) => {
            tracing::warn!("jobs cannot be taken now: {fault}");
            Vec::new()
        }
    }
}

async fn attempt(service: &Service<App>, office: &Office, job: &Waiting) {
    let done = tokio::time::timeout(CLAIM / 2, office.carry_out(job)).await;
    let done = done.unwrap_or_else(|_| Err(Unsent::Now("it took too long".to_owned())));
    let now = clock::now();
    let attempts = job.attempts + 1;
    let (id, kind) = (&job.id, &job.kind);
    let fate = match done {
        Ok(()) => {
            tracing::info!("job {id} ({kind}) is done, at attempt {attempts}");
            Fate::Done
        }
        Err(Unsent::Now(why)) if attempts < ATTEMPTS_MAX => {
            tracing::warn!("job {id} ({kind}) failed and is tried again: {why}");
            Fate::Later(later(now, pause(attempts)), why)
        }
        Err(Unsent::Now(why) | Unsent::Ever(why)) => {
            tracing::error!("job {id} ({kind}) is given up, at attempt {attempts}: {why}");
            Fate::GivenUp(now, why)
        }
    };
    let changes = vec![Change::SettleJob(job.number, fate)];
    let step: Step<()> = Step::alone(Lookup::default(), move |_| Decision::Commit {
        outcome: (),
        changes: changes.clone(),
    });
    if let Err(fault) = service.answerer.writer().transact(vec![step]).await {
        tracing::error!("what became of job {id} ({kind}) could not be written down: {fault}");
    }
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(PAUSE_MAX)
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}
