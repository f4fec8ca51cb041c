//! A page of records, or of groups of them.

use contract::problem::Problem;
use model::model::ResourceIndex;
use model::query::{Count, Filter, Paging, Query, View};
use model::setting::Settings;
use store::lookup::{Child, Current, Groups, Lookup, Node, Page, Pick};

use crate::call::Call;
use crate::outcome::{Outcome, Seen};

pub(crate) fn lookup(call: &Call) -> Lookup {
    let query = call.query.as_ref().expect("lists are asked for with a query");
    let (resource, _) = call.resource();
    let root = match &query.aggregate {
        Some(_) => groups(resource, query),
        None => records(call, resource, query),
    };
    Lookup { states: call.tables.clone(), ..Lookup::of(root) }
}

fn records(call: &Call, resource: ResourceIndex, query: &Query) -> Node {
    let page = Page {
        filter: query.filter.clone(),
        sort: query.sort.clone(),
        is_ranked: query.is_ranked(),
        after: call.position.clone(),
        offset: query.offset(),
        limit: query.limit + peek(query),
        count: query.count,
    };
    let children = children(&query.view, &call.settings);
    Node { children, ..Node::new(resource, Pick::Page(page)) }
}

/// Where the total may be unknown, one record more tells whether there is a next page.
fn peek(query: &Query) -> u32 {
    let by_cursor = matches!(query.paging, Paging::Cursor(_));
    u32::from(by_cursor || query.count == Count::None || !query.filter.is_all())
}

fn groups(resource: ResourceIndex, query: &Query) -> Node {
    let aggregate = query.aggregate.clone().expect("groups are asked for with an aggregate");
    let groups = Groups {
        filter: query.filter.clone(),
        aggregate,
        offset: query.offset(),
        limit: query.limit + 1,
        count: query.count,
    };
    Node::new(resource, Pick::Groups(groups))
}

/// What hangs on a record that is shown so.
pub(crate) fn children(view: &View, settings: &Settings) -> Vec<Child> {
    let child = |include: &model::query::Include| Child {
        relation: include.relation,
        node: Node {
            resource: include.resource,
            pick: Pick::Related {
                each: settings.include_rows_max.min(settings.page_rows_max),
                limit: settings.included_rows_max,
            },
            among: Filter::all(),
            children: children(&include.view, settings),
        },
    };
    view.include.iter().map(child).collect()
}

/// Only the states of the tables, without records.
pub(crate) fn state(call: &Call) -> Lookup {
    Lookup::states(call.tables.clone())
}

// The signature is that of every read, and a list is never refused.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn answer(_: &Call, mut current: Current) -> Result<Outcome, Problem> {
    let found = current.roots.pop().unwrap_or_default();
    Ok(Outcome::Listed(Seen { found, states: current.states }))
}
