//! Query parameters of the audit log.

use std::sync::Arc;

use contract::problem::{Kind, Problem, Violation};
use model::query;
use model::value::Timestamp;
use store::audit_log::Acts;

use crate::Inner;
use crate::call::Auditing;
use crate::report::Report;

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
    match (text("refused"), pairs.len()) {
        (Some("true"), 1) => return Ok(Arc::new(Auditing::Refusals(inner.refused.newest()))),
        (None, _) | (Some("false"), _) => {}
        (Some(_), _) => {
            return Err(wrong("refused", "is `true`, with nothing beside it, or is left out"));
        }
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
    let limit = match text("limit").map(|text| (text, text.parse::<u32>())) {
        None => inner.settings.page_rows_default,
        Some((_, Ok(limit))) if (1..=most).contains(&limit) => limit,
        Some(_) => return Err(wrong("limit", &format!("is a whole number from 1 to {most}"))),
    };
    let before = match text("before").map(str::parse::<i64>) {
        None => None,
        Some(Ok(number)) if number > 0 => Some(number),
        Some(_) => return Err(wrong("before", "is the `id` of an entry")),
    };
    Ok(Arc::new(Auditing::Acts(Acts {
        before,
        actor: text("actor").map(str::to_owned),
        actor_id: text("actorId").map(str::to_owned),
        operation: text("operation").map(str::to_owned),
        resource,
        record,
        since: moment("since")?,
        until: moment("until")?,
        limit,
    })))
}

fn wrong(name: &str, detail: &str) -> Problem {
    Problem::new(Kind::InvalidParameter, "A parameter has a value that does not fit.")
        .with_errors(vec![Violation::parameter(name, detail)])
}
