//! A batch, understood: its operations as requests of their own, what one of them came to, and how
//! a failure says which one it is about.

use contract::problem::{Kind, Place, Problem, Violation};
use model::batch::{VIOLATIONS_MAX, pointer};
use model::json;
use model::model::Model;
use model::record::Record;

use crate::answer::Answer;
use crate::call::Call;
use crate::route::Routed;

/// Several writes that are done together or not at all.
#[derive(Clone)]
pub(crate) struct Batch {
    /// The writes, in their order.
    pub(crate) operations: Vec<Operation>,
}

/// One write of a batch.
#[derive(Clone)]
pub(crate) struct Operation {
    /// It as a request. Where it refers to others, its content is as it was sent, and its id may be
    /// any.
    pub(crate) call: Call,
    /// What it takes from those before it. `None` where it stands by itself.
    pub(crate) open: Option<Open>,
}

/// What of an operation is open until those before it are done.
#[derive(Clone)]
pub(crate) struct Open {
    /// The path as it was sent, where a reference stands in it.
    pub(crate) path: Option<String>,
    /// The media type of the content.
    pub(crate) essence: String,
}

/// What one operation came to.
pub(crate) struct Part {
    /// Its answer, as a request of its own would have got it.
    pub(crate) answer: Answer,
    /// The record, for those that refer to it; none where it was deleted.
    pub(crate) record: Option<Record>,
    /// How many bytes it took from the records of those before it.
    pub(crate) taken_bytes: usize,
}

/// Says of a problem of the operation with this number, counted from 0, which one it was: the
/// places in its content, its header fields and its path become places in the batch.
pub(crate) fn blame(
    number: usize,
    model: &Model,
    routed: &Routed,
    mut problem: Problem,
) -> Problem {
    let at = pointer(number);
    let place = |violation: Violation| match violation.place {
        Place::Pointer(inner) => Violation::at(format!("{at}/body{inner}"), violation.detail),
        Place::Field(name) => Violation::at(format!("{at}/headers/{name}"), violation.detail),
        Place::Parameter(name) => {
            let detail = format!("parameter {}: {}", json::escape(&name), violation.detail);
            Violation::at(format!("{at}/path"), detail)
        }
    };
    problem.errors = problem.errors.into_iter().map(place).collect();
    accuse(number, &named(model, routed), problem)
}

/// The same for a problem whose places are in the batch already. What it does is said where it is
/// known, as in ` (DELETE /api/users/{id})`.
pub(crate) fn accuse(number: usize, named: &str, mut problem: Problem) -> Problem {
    let detail = match problem.errors.is_empty() {
        true => problem.detail.as_str(),
        false => problem.kind.entry().title,
    };
    problem.errors.insert(0, Violation::at(pointer(number), detail));
    problem.errors.truncate(VIOLATIONS_MAX);
    let ordinal = number + 1;
    problem.detail = format!(
        "Operation {ordinal} of the batch{named} fails, so none was done. {}",
        problem.detail
    );
    problem
}

/// What an operation does, without its id or anything else that was sent.
fn named(model: &Model, routed: &Routed) -> String {
    let resource = routed.resource.map_or("", |index| model.resources[index].name.as_str());
    let id = if routed.id.is_some() { "/{id}" } else { "" };
    format!(" ({} {}/{resource}{id})", routed.nature.name, model.prefix)
}

/// All failures that were found before anything was done, as one: the kind is that of the first.
pub(crate) fn together(failures: Vec<Problem>) -> Option<Problem> {
    let others = failures.len().saturating_sub(1);
    let mut failures = failures.into_iter();
    let mut first = failures.next()?;
    for other in failures {
        first.errors.extend(other.errors);
    }
    first.errors.truncate(VIOLATIONS_MAX);
    if others > 0 {
        first.detail.push_str(&format!(" `errors` names {others} more that cannot be right."));
    }
    Some(first)
}

/// 422 for what is wrong with an operation as it is written, or with what it refers to.
pub(crate) fn invalid(violations: Vec<Violation>) -> Problem {
    let detail = "It is not what an operation of a batch has to be; `errors` names each member.";
    Problem::new(Kind::Invalid, detail).with_errors(violations)
}
