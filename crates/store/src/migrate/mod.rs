//! Migrations as data: what a changed declaration means for a database, step by step.

pub(crate) mod convert;
pub(crate) mod diff;
pub(crate) mod pair;
mod say;

use std::time::Duration;

use model::model::IdKind;
use model::value::Timestamp;
use serde_json::{Value as Json, json};

/// Most ids that are listed of what stands in the way, or would be lost.
pub const IDS_MAX: usize = 100;

/// What has to be done for a database to fit a declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The digest that the tables were made for.
    pub before: String,
    /// The digest of the declaration.
    pub after: String,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What the existing data has against it. Nothing is done while there is any.
    pub obstacles: Vec<Obstacle>,
}

/// One thing that is done to one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The resource, as it is called afterwards; one that is dropped as it was called.
    pub resource: String,
    /// What is done.
    pub action: Action,
    /// Records of the resource.
    pub rows: u64,
    /// What the database has to do for it.
    pub work: Work,
    /// How long writes wait for it, as far as can be told before.
    pub estimate: Duration,
    /// What is lost by it.
    pub loss: Option<Loss>,
}

/// What a step changes. Fields are named as they are called afterwards.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names of the members say what they are")]
pub enum Action {
    /// A table is made.
    AddResource,
    /// A table goes, with everything in it.
    DropResource,
    /// A table gets another name.
    RenameResource { was: String },
    /// The ids are of another kind.
    ChangeId { was: IdKind, now: IdKind },
    /// A column is added; what existing records get in it.
    AddField { field: String, fills: Option<String> },
    /// A column goes, with everything in it.
    DropField { field: String },
    /// A column gets another name.
    RenameField { was: String, field: String },
    /// A column holds values of another type.
    ChangeType { field: String, was: String, now: String },
    /// Values may be absent or null, or no longer.
    ChangePresence { field: String, was: Presence, now: Presence },
    /// The keywords of the schema that are other ones, as they are now; null: gone.
    ChangeConstraint { field: String, keywords: Vec<(String, Json)> },
    /// What stands in for values that are not sent.
    ChangeDefault { field: String, now: Option<String> },
    /// Text is compared without regard to case, or with it.
    ChangeCase { field: String, ignored: bool },
    /// What a value names a record of, and what becomes of it when that one is deleted.
    ChangeReference { field: String, now: Option<(String, &'static str)> },
    /// An index is built.
    AddIndex { fields: Vec<String> },
    /// An index goes.
    DropIndex { fields: Vec<String> },
    /// Values have to be unique from now on.
    AddUnique { fields: Vec<String> },
    /// Values need not be unique any more.
    DropUnique { fields: Vec<String> },
    /// Other fields are searched.
    ChangeSearch { fields: Vec<String> },
    /// The change log keeps other values of what changes: those that say who sees a record.
    Watch { fields: Vec<String> },
    /// What keeps the bookkeeping true is written as this version of the program writes it.
    Renew,
}

/// Whether a field always has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It always has one.
    Required,
    /// It may be absent.
    Optional,
    /// It may be null.
    Nullable,
}

/// What the database has to do for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Only the description of the table changes.
    Describe,
    /// Every row is read, none is written.
    Read,
    /// An index is built, of a column or of text.
    Index,
    /// Every row is written anew.
    Rewrite,
}

/// What is lost by a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// How many records lose something.
    pub rows: u64,
    /// What goes.
    pub what: String,
    /// The first of them, by id.
    pub ids: Vec<String>,
}

/// Existing data that does not fit the declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The resource, as it is called in the declaration.
    pub resource: String,
    /// What does not fit, and why.
    pub what: String,
    /// How many records.
    pub rows: u64,
    /// The first of them, by id; empty where it is no single record's fault.
    pub ids: Vec<String>,
}

/// Whether a plan may lose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataLoss {
    /// It is refused if it would.
    Refused,
    /// Somebody has read what goes, and agrees.
    Allowed,
}

/// How far a migration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, and to which resource.
    pub doing: String,
    /// Rows that are done.
    pub done: u64,
    /// Rows there are.
    pub rows: u64,
}

/// What came of carrying out a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The database fits already.
    Nothing,
    /// The plan was carried out.
    Done(Plan, Duration),
    /// The plan has obstacles, or loses data that nobody has agreed to lose. Nothing was changed.
    Refused(Plan),
}

/// A plan that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number, from 1.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// The version of the program that did it.
    pub program: String,
    /// The digest before.
    pub before: String,
    /// The digest after.
    pub after: String,
    /// Its steps as `Plan::to_json` writes them.
    pub plan: Json,
    /// How long it took.
    pub took: Duration,
}

impl Plan {
    /// True where nothing has to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// True where some step loses data.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.steps.iter().any(|step| step.loss.is_some())
    }

    /// The first step that takes more than a moment: one that reads or writes the rows of a table
    /// that has as many as this.
    #[must_use]
    pub fn slow(&self, rows: u64) -> Option<&Step> {
        self.steps.iter().find(|step| step.work != Work::Describe && step.rows >= rows)
    }

    /// Why the plan is not carried out without being asked for, where tables with as many rows as
    /// this take too long. None where it may be.
    #[must_use]
    pub fn objection(&self, rows: u64) -> Option<String> {
        if let Some(obstacle) = self.obstacles.first() {
            return Some(format!(
                "data does not fit it ({}: {})",
                obstacle.resource, obstacle.what
            ));
        }
        if let Some(step) = self.steps.iter().find(|step| step.loss.is_some()) {
            return Some(format!("data would be lost ({}: {})", step.resource, step.says()));
        }
        let step = self.slow(rows)?;
        let (resource, says, rows) = (&step.resource, step.says(), step.rows);
        Some(format!("it takes more than a moment ({resource}: {says}, {rows} rows)"))
    }

    /// How long writes wait for all of it, as far as can be told before.
    #[must_use]
    pub fn estimate(&self) -> Duration {
        self.steps.iter().map(|step| step.estimate).sum()
    }

    /// All steps in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let steps = self.steps.iter().map(|step| format!("{}: {}", step.resource, step.says()));
        steps.collect::<Vec<_>>().join("; ")
    }

    /// The plan as JSON, for scripts and for the history.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let steps = self.steps.iter().map(Step::to_json).collect::<Vec<_>>();
        let obstacles: Vec<Json> = self
            .obstacles
            .iter()
            .map(|it| {
                json!({
                    "resource": it.resource, "what": it.what, "rows": it.rows, "ids": it.ids,
                })
            })
            .collect();
        json!({
            "before": self.before,
            "after": self.after,
            "steps": steps,
            "obstacles": obstacles,
        })
    }
}

impl Step {
    fn to_json(&self) -> Json {
        let mut out = json!({
            "resource": self.resource,
            "action": self.action.name(),
            "says": self.says(),
            "rows": self.rows,
            "work": self.work.word(),
            "seconds": self.estimate.as_secs_f64(),
        });
        if let Some(loss) = &self.loss {
            out["loses"] = json!({ "rows": loss.rows, "what": loss.what, "ids": loss.ids });
        }
        out
    }
}
