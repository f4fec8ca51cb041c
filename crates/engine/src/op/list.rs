//! A page of records.

use contract::problem::Problem;
use model::query::Count;
use store::lookup::{Current, Lookup, Node, Page, Pick};

use crate::call::Call;
use crate::outcome::Outcome;

pub(crate) fn lookup(call: &Call) -> Lookup {
    let query = call.query.as_ref().expect("lists are asked for with a query");
    // Where the total may be unknown, one record more tells whether there is a next page.
    let peek = u32::from(query.count == Count::None || !query.filter.is_all());
    let page = Page {
        filter: query.filter.clone(),
        sort: query.sort.clone(),
        offset: query.offset(),
        limit: query.limit + peek,
        count: query.count,
    };
    let (resource, _) = call.resource();
    Lookup::of(Node { resource, pick: Pick::Page(page), children: Vec::new() })
}

/// Only the state of the table, without records.
pub(crate) fn state(call: &Call) -> Lookup {
    let (resource, _) = call.resource();
    Lookup::of(Node::state(resource))
}

// The signature is that of every read, and a list is never refused.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn answer(_: &Call, mut current: Current) -> Result<Outcome, Problem> {
    Ok(Outcome::Listed(current.roots.pop().unwrap_or_default()))
}
