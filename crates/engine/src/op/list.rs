//! A page of records, or of groups of them.

use contract::problem::Problem;
use model::model::ResourceIndex;
use model::query::{Count, Paging, Query};
use store::lookup::{Current, Groups, Lookup, Node, Page, Pick, Row};

use crate::call::Call;
use crate::outcome::{Outcome, Seen};
use crate::sight;

pub(crate) fn lookup(call: &Call) -> Lookup {
    let query = call.query.as_ref().expect("lists are asked for with a query");
    let (resource, _) = call.resource();
    let root = match &query.aggregate {
        Some(_) => groups(call, resource, query),
        None => records(call, resource, query),
    };
    Lookup { states: call.tables.clone(), ..Lookup::of(root) }
}

fn records(call: &Call, resource: ResourceIndex, query: &Query) -> Node {
    let page = Page {
        filter: sight::selected(call, resource, &query.filter),
        sort: match query.is_ranked() {
            true => sight::search_order(call, resource),
            false => query.sort.clone(),
        },
        is_ranked: query.is_ranked() && sight::ranks(call, resource),
        after: call.position.clone(),
        offset: query.offset(),
        limit: query.limit + peek(call, resource, query),
        count: query.count,
    };
    let children = sight::children(call, resource, &query.view);
    Node { children, ..Node::new(resource, Pick::Page(page)) }
}

/// Where the total may be unknown, one record more tells whether there is a next page.
fn peek(call: &Call, resource: ResourceIndex, query: &Query) -> u32 {
    let by_cursor = matches!(query.paging, Paging::Cursor(_));
    let is_whole = sight::is_whole(call, resource, &query.filter);
    u32::from(by_cursor || query.count == Count::None || !is_whole)
}

fn groups(call: &Call, resource: ResourceIndex, query: &Query) -> Node {
    let aggregate = query.aggregate.clone().expect("groups are asked for with an aggregate");
    let groups = Groups {
        filter: sight::selected(call, resource, &query.filter),
        aggregate,
        offset: query.offset(),
        limit: query.limit + 1,
        count: query.count,
    };
    Node::new(resource, Pick::Groups(groups))
}

/// Only the states of the tables, without records.
pub(crate) fn state(call: &Call) -> Lookup {
    Lookup::states(call.tables.clone())
}

// The signature is that of every read, and a list is never refused.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn answer(call: &Call, mut current: Current) -> Result<Outcome, Problem> {
    let mut found = current.roots.pop().unwrap_or_default();
    mask(call, &mut found.rows);
    Ok(Outcome::Listed(Seen { found, states: current.states }))
}

/// Takes out of the rows of the list what the caller may not read of each.
pub(crate) fn mask(call: &Call, rows: &mut [Row]) {
    let (resource, _) = call.resource();
    let query = call.query.as_ref().expect("lists are asked for with a query");
    sight::mask(call, resource, rows, &query.view);
}
