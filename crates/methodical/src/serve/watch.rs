//! `--watch`: a valid declaration is taken over while connections go on; an invalid one is told of
//! and the old one stays.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engine::{Engine, Parts};
use model::complaint::Level;
use model::model::Model;
use model::setting::Settings;
use store::{OpenError, Options, Reader, Writer};

use super::app::App;
use crate::command::{Declaration, FILE, complain, database, joined, read, shown};
use crate::settings::{self, Given};

/// How often the declaration is looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// What a new engine is made of beside a model.
pub(crate) struct Base {
    /// Settings, which stay until the next start.
    pub(crate) settings: Arc<Settings>,
    /// Reads.
    pub(crate) reader: Reader,
    /// Writes.
    pub(crate) writer: Writer,
    /// The epoch of the database.
    pub(crate) epoch: u64,
    /// The secret of the database.
    pub(crate) secret: [u8; 32],
}

impl Base {
    /// An engine for a model.
    pub(crate) fn engine(&self, model: Arc<Model>) -> Engine {
        Engine::new(Parts {
            model,
            settings: Arc::clone(&self.settings),
            reader: self.reader.clone(),
            writer: self.writer.clone(),
            epoch: self.epoch,
            secret: self.secret,
        })
    }
}

/// What a change of the declaration comes to.
#[derive(Debug)]
pub(crate) enum Change {
    /// The new model serves from now on; `true` where settings changed too.
    Taken(Arc<Model>, bool),
    /// The new model serves as soon as the tables fit it, and the store is opened anew for it.
    Tables(Arc<Model>, bool),
    /// It is kept out; why.
    Refused(String),
}

/// Looks at the declaration every half second, and exchanges the engine on a valid change.
pub(crate) async fn watch(
    first: Declaration,
    mut model: Arc<Model>,
    given: &Given,
    mut base: Base,
    app: &App,
) {
    let Declaration { dir, mut text, .. } = first;
    let mut seen = stamp(&dir);
    let mut missed = 0_u32;
    loop {
        tokio::time::sleep(PAUSE).await;
        let now = stamp(&dir);
        if now == seen && now.is_some() {
            continue;
        }
        seen = now;
        let declaration = match read(&dir) {
            Ok(declaration) => declaration,
            Err(failure) => {
                // A file that is being replaced is missing for a moment: the next look finds it.
                missed = missed.saturating_add(1);
                if missed == 2 {
                    let what = failure.message.lines().next().unwrap_or_default();
                    tracing::error!("{what}; the old declaration stays");
                }
                seen = None;
                continue;
            }
        };
        missed = 0;
        if declaration.text == text {
            continue;
        }
        text.clone_from(&declaration.text);
        let (new, settings_changed) = match judge(&declaration, &model, given, &base.settings) {
            Change::Taken(new, settings_changed) => {
                app.exchange(base.engine(Arc::clone(&new)));
                (new, settings_changed)
            }
            Change::Tables(new, settings_changed) => {
                if let Err(why) = base.reopen(&dir, &model, &new, app).await {
                    kept_out(&why);
                    continue;
                }
                (new, settings_changed)
            }
            Change::Refused(why) => {
                kept_out(&why);
                continue;
            }
        };
        model = new;
        tracing::info!("{FILE} changed and is served from now on");
        if settings_changed {
            tracing::warn!("settings changed too: they take effect at the next start");
        }
    }
}

fn kept_out(why: &str) {
    tracing::error!("{FILE} changed and is not taken over: {why}; the old one stays");
}

impl Base {
    /// Opens the store anew for another declaration, by the rules by which `serve` does. Where
    /// that is refused, the old one goes on.
    async fn reopen(
        &mut self,
        dir: &Path,
        old: &Arc<Model>,
        new: &Arc<Model>,
        app: &App,
    ) -> Result<(), String> {
        let path = database(dir, &self.settings);
        let options = Options::from(&self.settings, &path);
        let (looked, model) = (options.clone(), Arc::clone(new));
        let plan = blocking(move || store::plan(&looked, &model, &mut |_| {})).await?;
        if let Some(why) = plan.objection(options.migrate_rows_max) {
            let dir = shown(dir);
            return Err(format!("{why}; see `methodical migrate {dir}`, with the server stopped"));
        }
        // What is under way is finished; who writes meanwhile is told to come again.
        let writer = self.writer.clone();
        blocking(move || {
            writer.close();
            Ok(())
        })
        .await?;
        let (again, model) = (options.clone(), Arc::clone(new));
        let opened = blocking(move || store::open(&again, model, &mut || Ok(Vec::new()))).await;
        let (opened, model, refused) = match opened {
            Ok(opened) => (opened, new, None),
            Err(why) => {
                let model = Arc::clone(old);
                let opened =
                    blocking(move || store::open(&options, model, &mut || Ok(Vec::new()))).await?;
                (opened, old, Some(why))
            }
        };
        (self.reader, self.writer) = (opened.reader, opened.writer);
        (self.epoch, self.secret) = (opened.epoch, opened.secret);
        app.exchange_store(self.engine(Arc::clone(model)), self.writer.clone());
        // Told when writes are taken again: whoever waits for this line may send one.
        if let Some((plan, took)) = &opened.migrated {
            let took = took.as_millis();
            tracing::info!("migrated {} in {took} ms: {}", path.display(), plan.summary());
        }
        refused.map_or(Ok(()), Err)
    }
}

/// Runs what waits for the disk where nobody waits behind it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|fault| fault.to_string()),
        Err(fault) => Err(fault.to_string()),
    }
}

/// Length and time of the last change.
fn stamp(dir: &Path) -> Option<(u64, SystemTime)> {
    let found = std::fs::metadata(dir.join(FILE)).ok()?;
    Some((found.len(), found.modified().ok()?))
}

/// Decides about a changed declaration; complaints go to standard error.
fn judge(declaration: &Declaration, old: &Model, given: &Given, settings: &Settings) -> Change {
    let environment = settings::environment();
    let resolved = settings::resolve(&declaration.reading.settings, &environment, given);
    let (complaints, settings_changed) = match resolved {
        Ok(resolved) => {
            (joined(&declaration.reading, &resolved.complaints), resolved.settings != *settings)
        }
        Err(failure) => return Change::Refused(failure.message),
    };
    let errors = complain(declaration, &complaints, Level::Warning);
    let Some(model) = declaration.reading.model.as_ref().filter(|_| errors == 0) else {
        return Change::Refused("it has errors".to_owned());
    };
    let is_other = model.table_digest() != old.table_digest() || names(model) != names(old);
    if is_other {
        return Change::Tables(Arc::new(model.clone()), settings_changed);
    }
    Change::Taken(Arc::new(model.clone()), settings_changed)
}

/// Names in their order: the open store finds resources and fields by it.
fn names(model: &Model) -> Vec<(&str, Vec<&str>)> {
    model
        .resources
        .iter()
        .map(|resource| {
            let fields = resource.fields.iter().map(|field| field.name.as_str()).collect();
            (resource.name.as_str(), fields)
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Change, judge};
    use crate::command::Declaration;
    use crate::settings::Given;
    use model::declaration;
    use model::setting::Settings;

    fn judged(text: &str) -> Change {
        let old = "title = \"T\"\n[resources.a]\nfields.b = { type = \"string\" }\n\
                   fields.c = { type = \"string\" }\n";
        let old = declaration::read(old).model.unwrap();
        let reading = declaration::read(text);
        let declaration = Declaration { dir: "x".into(), text: text.to_owned(), reading };
        judge(&declaration, &old, &Given::default(), &Settings::default())
    }

    fn refused(text: &str) -> String {
        match judged(text) {
            Change::Refused(why) => why,
            Change::Taken(..) | Change::Tables(..) => panic!("taken over: {text}"),
        }
    }

    #[test]
    fn what_leaves_the_tables_alone_is_taken_over() {
        let text = "title = \"New\"\n[resources.a]\npreconditions = \"required\"\n\
                    fields.b = { type = \"string\" }\nfields.c = { type = \"string\" }\n";
        let Change::Taken(model, settings) = judged(text) else { panic!("refused") };
        assert_eq!((model.title.as_str(), settings), ("New", false));
        let text = format!("listen = \"127.0.0.1:9\"\n{text}");
        assert!(matches!(judged(&text), Change::Taken(_, true)));
    }

    #[test]
    fn what_changes_the_tables_opens_the_store_anew() {
        let added = "title = \"T\"\n[resources.a]\nfields.b = { type = \"string\" }\n\
                     fields.c = { type = \"string\" }\nfields.d = { type = \"string\" }\n";
        assert!(matches!(judged(added), Change::Tables(..)));
        let turned = "title = \"T\"\n[resources.a]\nfields.c = { type = \"string\" }\n\
                      fields.b = { type = \"string\" }\n";
        assert!(matches!(judged(turned), Change::Tables(..)));
    }

    #[test]
    fn everything_else_stays_out() {
        assert!(refused("title = \n").contains("errors"));
        let setting = "limits.target = \"x\"\ntitle = \"T\"\n[resources.a]\n\
                       fields.b = { type = \"string\" }\nfields.c = { type = \"string\" }\n";
        assert!(refused(setting).contains("errors"));
    }
}
