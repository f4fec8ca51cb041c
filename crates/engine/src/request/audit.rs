//! Query parameters of the audit log.

use std::sync::Arc;

use contract::problem::{Kind, Problem, Violation};
use model::query;
use model::value::Timestamp;
use store::audit_log::{ACTORS, Acts, OPERATIONS};

use crate::Inner;
use crate::call::Auditing;
use crate::refused::REFUSALS_MAX;
use crate::report::Report;

/// Refusals that are told where no number is asked for.
const REFUSALS_DEFAULT: u32 = 100;

const KNOWN: &[&str] = &[
    "resource",
    "record",
    "actor",
    "actorId",
    "operation",
    "since",
    "until",
    "limit",
    "before",
    "refused",
];

/// Reads a question to the audit log.
///
/// # Errors
/// 400 that lists the known parameters, or says what a value has to be.
pub(super) fn read(
    inner: &Inner,
    pairs: &[(String, String)],
    report: &mut Report,
) -> Result<Arc<Auditing>, Problem> {
    super::parameters::refuse_unknown(&inner.model, pairs, KNOWN)?;
    let pairs = pairs.iter().filter(|(name, _)| !query::is_ignored(&inner.model, name));
    let pairs: Vec<_> = pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    report.parameters = pairs.iter().map(|(name, _)| (*name).to_owned()).collect();
    let text = |name: &str| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    match text("refused") {
        Some("true") => return refusals(inner, &pairs),
        None | Some("false") => {}
        Some(_) => return Err(wrong("refused", "is `true` or `false`")),
    }
    let resource = text("resource").map(|name| {
        let all = &inner.model.resources;
        let names = || all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
        all.iter()
            .position(|resource| resource.name == name)
            .ok_or_else(|| wrong("resource", &format!("is no resource; there are {}", names())))
    });
    let resource = resource.transpose()?;
    let record = match (text("record"), resource) {
        (None, _) => None,
        (Some(_), None) => return Err(wrong("record", "needs `resource` beside it")),
        (Some(id), Some(index)) => {
            let id = inner.model.resources[index].id.read(id);
            Some(id.ok_or_else(|| wrong("record", "is no id that a record of it can have"))?)
        }
    };
    let moment = |name: &'static str| match text(name) {
        None => Ok(None),
        Some(text) => Timestamp::parse(text)
            .map(Some)
            .ok_or_else(|| wrong(name, "is a moment as in 2026-02-06T10:30:00Z")),
    };
    let most = inner.settings.page_rows_max;
    let limit = limit(text("limit"), inner.settings.page_rows_default, most)?;
    let before = match text("before").map(str::parse::<i64>) {
        None => None,
        Some(Ok(number)) if number > 0 => Some(number),
        Some(_) => return Err(wrong("before", "is the `id` of an entry")),
    };
    Ok(Arc::new(Auditing::Acts(Acts {
        before,
        actor: one_of("actor", text("actor"), ACTORS)?,
        actor_id: text("actorId").map(str::to_owned),
        operation: one_of("operation", text("operation"), OPERATIONS)?,
        resource,
        record,
        since: moment("since")?,
        until: moment("until")?,
        limit,
    })))
}

/// The sample of what was refused; only how much of it is asked for.
fn refusals(inner: &Inner, pairs: &[(&str, &str)]) -> Result<Arc<Auditing>, Problem> {
    let other = pairs.iter().find(|(name, _)| !["refused", "limit"].contains(name));
    if let Some((name, _)) = other {
        return Err(wrong(name, "is not for what was refused: `limit` alone goes with it"));
    }
    let text = pairs.iter().find(|(name, _)| *name == "limit").map(|(_, value)| *value);
    let most = u32::try_from(REFUSALS_MAX).unwrap_or(u32::MAX);
    let limit = limit(text, REFUSALS_DEFAULT, most)?;
    let limit = usize::try_from(limit).unwrap_or(REFUSALS_MAX);
    Ok(Arc::new(Auditing::Refusals(inner.refused.newest(limit))))
}

fn limit(text: Option<&str>, default: u32, most: u32) -> Result<u32, Problem> {
    let Some(text) = text else { return Ok(default) };
    let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| wrong("limit", &format!("is a whole number from 1 to {most}")))
}

/// One of a few words.
fn one_of(name: &str, text: Option<&str>, words: &[&str]) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if !words.contains(&text) => {
            Err(wrong(name, &format!("is one of {}", words.join(", "))))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn wrong(name: &str, detail: &str) -> Problem {
    Problem::new(Kind::InvalidParameter, "A parameter has a value that does not fit.")
        .with_errors(vec![Violation::parameter(name, detail)])
}
