//! A batch as steps of one write: the key, each operation judged as a request of its own, and the
//! answer, remembered with what they did.

use std::sync::Arc;

use contract::precondition::Verdict;
use contract::problem::{Kind, Problem, Violation};
use store::decision::{Asks, Decision, Step};
use store::lookup::{Current, Lookup};

use super::{Judged, judge, recall, refusal, remember};
use crate::batch::{Part, blame};
use crate::call::Call;
use crate::outcome::{Decided, Outcome};
use crate::representation;
use crate::request::bind::{Bound, bind};
use crate::serve::{Serve, serve};

/// The steps of a batch. That of operation `$1` stands at 1: the first one is the batch's own, and
/// so is the last.
pub(super) fn steps(call: &Arc<Call>) -> Vec<Step<Judged>> {
    let operations = call.batch().map_or(0, |batch| batch.operations.len());
    let mut steps = Vec::with_capacity(operations + 2);
    let first = call.clone();
    let remembered = call.key.as_ref().map(|key| key.hash);
    let lookup = Lookup { remembered, ..Lookup::default() };
    steps.push(Step::alone(lookup, move |current| enter(&first, current)));
    steps.extend((0..operations).map(|number| operation(call, number)));
    let last = call.clone();
    steps.push(Step {
        asks: Asks::This(Lookup::default()),
        decide: Box::new(move |_, earlier| gather(&last, earlier)),
    });
    steps
}

/// What was answered before, and the conditions of the batch itself.
fn enter(call: &Call, current: &Current) -> Decision<Judged> {
    if let Some(decision) = recall(call, current) {
        return decision;
    }
    // A batch is no representation, so that no tag names its current one (RFC 9110 §13.1.1).
    match call.conditions.evaluate(call.routed.nature, None) {
        Verdict::Proceed | Verdict::NotModified => {
            Decision::Commit { outcome: Ok(Outcome::Described), changes: Vec::new() }
        }
        Verdict::Failed(field) => {
            let detail = format!(
                "A batch has no version that {field} could name. Put the condition into the \
                 `headers` of the operation that it is about. Nothing was done."
            );
            let violation = Violation::field(field, "is about one operation");
            let problem = Problem::new(Kind::PreconditionFailed, detail);
            Decision::Refuse(Err(problem.with_errors(vec![violation])))
        }
    }
}

fn operation(call: &Arc<Call>, number: usize) -> Step<Judged> {
    let (asking, deciding) = (call.clone(), call.clone());
    Step {
        asks: Asks::Of(Box::new(move |earlier| lookup(&asking, number, earlier))),
        decide: Box::new(move |current, earlier| decide(&deciding, number, current, earlier)),
    }
}

/// What an operation must know. One that cannot be bound is refused when it decides.
fn lookup(call: &Call, number: usize, earlier: &[Judged]) -> Lookup {
    let bound = call.batch().and_then(|batch| bind(call, batch, number, earlier).ok());
    let asked = bound.and_then(|bound| Some(handler(&bound.call)?.0(&bound.call)));
    asked.unwrap_or_default()
}

/// Judges an operation as a request of its own: without a key, because the key is the batch's.
fn decide(call: &Call, number: usize, current: &Current, earlier: &[Judged]) -> Decision<Judged> {
    let Some(batch) = call.batch() else { return Decision::Refuse(Err(refusal::internal())) };
    let bound = match bind(call, batch, number, earlier) {
        Ok(bound) => bound,
        Err(problem) => return Decision::Refuse(Err(problem)),
    };
    let Some((_, decide)) = handler(&bound.call) else {
        return Decision::Refuse(Err(refusal::internal()));
    };
    match judge(&bound.call, decide, current) {
        Decision::Commit { outcome: Ok(outcome), changes } => {
            Decision::Commit { outcome: Ok(part(&bound, outcome)), changes }
        }
        Decision::Commit { outcome: Err(problem), .. } | Decision::Refuse(Err(problem)) => {
            Decision::Refuse(Err(blame(number, &call.model, &bound.call.routed, problem)))
        }
        Decision::Refuse(Ok(_)) => Decision::Refuse(Err(refusal::internal())),
        Decision::More(lookup) => Decision::More(lookup),
    }
}

type Handler = (fn(&Call) -> Lookup, fn(&Call, &Current) -> Decided);

/// How an operation is decided. The request stage lets no others pass.
fn handler(call: &Call) -> Option<Handler> {
    match serve(call.routed.row.operation) {
        Serve::Write { lookup, decide } => Some((lookup, decide)),
        Serve::Describe(_)
        | Serve::Probe(_)
        | Serve::Read { .. }
        | Serve::Verify(_)
        | Serve::Settle { .. }
        | Serve::Mail
        | Serve::Batch => None,
    }
}

fn part(bound: &Bound<'_>, outcome: Outcome) -> Outcome {
    let record = match &outcome {
        Outcome::Created(record) | Outcome::Replaced(record) | Outcome::Patched(record) => {
            Some(record.clone())
        }
        Outcome::Listed(_)
        | Outcome::Searched(_)
        | Outcome::Fetched(_)
        | Outcome::CreatedMany(..)
        | Outcome::Deleted
        | Outcome::SignedIn(_)
        | Outcome::SignedOut(_)
        | Outcome::Settled(..)
        | Outcome::Audited(_)
        | Outcome::Described
        | Outcome::Document(_)
        | Outcome::State(_)
        | Outcome::Page(_)
        | Outcome::Accepted
        | Outcome::Part(_)
        | Outcome::Rendered(_)
        | Outcome::Changed(_)
        | Outcome::Replayed(_) => None,
    };
    let answer = representation::render(&bound.call, outcome);
    Outcome::Part(Box::new(Part { answer, record, taken_bytes: bound.taken_bytes }))
}

/// The answer to the batch, from those to its operations.
fn gather(call: &Call, earlier: &[Judged]) -> Decision<Judged> {
    let parts = earlier.iter().filter_map(|judged| match judged {
        Ok(Outcome::Part(part)) => Some(&part.answer),
        _ => None,
    });
    let answer = representation::batch::render(call, &parts.collect::<Vec<_>>());
    remember(call, Outcome::Rendered(answer), Vec::new())
}
