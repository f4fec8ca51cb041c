//! One record, and what is included in it.

use contract::problem::Problem;
use store::lookup::{Current, Lookup, Node};

use crate::call::Call;
use crate::op::{change, list};
use crate::outcome::{Outcome, Seen};

pub(crate) fn lookup(call: &Call) -> Lookup {
    let (resource, _) = call.resource();
    let mut root = Node::key(resource, call.id().clone());
    root.children = list::children(&call.view, &call.settings);
    Lookup { states: call.tables.clone(), ..Lookup::of(root) }
}

pub(crate) fn answer(call: &Call, mut current: Current) -> Result<Outcome, Problem> {
    let row = current.roots.pop().and_then(|mut found| found.rows.pop());
    let states = current.states;
    row.map(|found| Outcome::Fetched(Seen { found, states })).ok_or_else(|| change::missing(call))
}
