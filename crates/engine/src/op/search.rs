//! What matches in every resource that has something to search, best first; or, where a resource is
//! named, a page of its list.

use contract::problem::Problem;
use model::model::ResourceIndex;
use model::query::{Count, Everywhere, Filter, View};
use store::lookup::{Current, Lookup, Node, Page, Pick, Row, Total};

use crate::call::Call;
use crate::op::list;
use crate::outcome::{Hit, Hits, Outcome, Seen};
use crate::sight;

pub(crate) fn lookup(call: &Call) -> Lookup {
    let Some(search) = &call.everywhere else { return list::lookup(call) };
    let roots = places(call).map(|table| matching(call, table, search)).collect();
    Lookup { states: call.tables.clone(), roots, ..Lookup::default() }
}

/// The resources that are searched. What they are seen by may be in other tables besides.
fn places(call: &Call) -> impl Iterator<Item = ResourceIndex> {
    call.tables.iter().copied().filter(|table| sight::is_searched(&call.admitted.sight, *table))
}

/// The best of one resource, as many as the page could hold if no other had any.
fn matching(call: &Call, resource: ResourceIndex, search: &Everywhere) -> Node {
    let reach = u32::try_from(search.reach(search.page)).unwrap_or(u32::MAX);
    let found = Filter::Search { terms: search.terms.clone(), within: None };
    let page = Page {
        filter: sight::selected(call, resource, &found),
        sort: sight::search_order(call, resource),
        is_ranked: sight::ranks(call, resource),
        after: None,
        offset: 0,
        limit: reach.saturating_add(1),
        count: Count::Bounded,
    };
    let children = sight::children(call, resource, &View::default());
    Node { children, ..Node::new(resource, Pick::Page(page)) }
}

pub(crate) fn answer(call: &Call, current: Current) -> Result<Outcome, Problem> {
    let Some(search) = &call.everywhere else { return list::answer(call, current) };
    let mut total = Total { records: 0, is_lower_bound: false };
    let mut ranked: Vec<(f64, ResourceIndex, Row)> = Vec::new();
    for (resource, mut found) in places(call).zip(current.roots) {
        sight::mask(call, resource, &mut found.rows, &View::default());
        if let Some(own) = found.total {
            total.records += own.records;
            total.is_lower_bound |= own.is_lower_bound;
        }
        // Those without a rank stand behind those with one, which are all below zero.
        let ranks = found.ranks.into_iter().chain(std::iter::repeat(0.0));
        let rows = ranks.zip(found.rows);
        ranked.extend(rows.map(|(rank, row)| (rank, resource, row)));
    }
    // Equals stay in the order of the declaration, and of their ids.
    ranked.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let before = usize::try_from(search.reach(search.page - 1)).unwrap_or(usize::MAX);
    let limit = search.limit as usize;
    let has_next = ranked.len() > before.saturating_add(limit);
    let page = ranked.into_iter().skip(before).take(limit);
    let hits = page.map(|(_, resource, row)| Hit { resource, row }).collect();
    let found = Hits { hits, total, has_next };
    Ok(Outcome::Searched(Seen { found, states: current.states }))
}
