//! One record.

use contract::problem::Problem;
use store::lookup::{Current, Lookup, Node};

use crate::call::Call;
use crate::op::change;
use crate::outcome::Outcome;

pub(crate) fn lookup(call: &Call) -> Lookup {
    let (resource, _) = call.resource();
    Lookup::of(Node::key(resource, call.id().clone()))
}

pub(crate) fn answer(call: &Call, mut current: Current) -> Result<Outcome, Problem> {
    let row = current.roots.pop().and_then(|mut found| found.rows.pop());
    row.map(|row| Outcome::Fetched(row.record)).ok_or_else(|| change::missing(call))
}
