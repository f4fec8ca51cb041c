//! One record, and what is included in it.

use contract::problem::Problem;
use store::lookup::{Current, Lookup, Node};

use crate::call::Call;
use crate::op::change;
use crate::outcome::{Outcome, Seen};
use crate::sight;

pub(crate) fn lookup(call: &Call) -> Lookup {
    let (resource, _) = call.resource();
    let children = sight::children(call, resource, &call.view);
    let root = Node { children, ..sight::record(call, resource, call.id().clone()) };
    Lookup { states: call.tables.clone(), ..Lookup::of(root) }
}

pub(crate) fn answer(call: &Call, mut current: Current) -> Result<Outcome, Problem> {
    let (resource, _) = call.resource();
    let mut rows = current.roots.pop().map(|found| found.rows).unwrap_or_default();
    sight::mask(call, resource, &mut rows, &call.view);
    let row = rows.pop();
    let states = current.states;
    row.map(|found| Outcome::Fetched(Seen { found, states })).ok_or_else(|| change::missing(call))
}
