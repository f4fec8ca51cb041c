//! A new record in a collection, or many of them.

use model::model::IdKind;
use model::record::Draft;
use model::value::{ID_MAX, Id};
use store::change::{Change, Many};
use store::lookup::{Current, Found, Lookup, Node, Pick};

use crate::call::{Call, Content, Rows};
use crate::op::change::{self, Draftable};
use crate::op::permission;
use crate::outcome::{Decided, Ids, Outcome};

/// The next id and the records that the new one refers to: both are known before the writer is met.
/// Under a condition the state of the list is too: the condition is about that.
pub(crate) fn lookup(call: &Call) -> Lookup {
    let (index, _) = call.resource();
    let states = if call.conditions.is_empty() { Vec::new() } else { vec![index] };
    let mut roots = Vec::with_capacity(4);
    roots.push(Node::new(index, Pick::NextId));
    if let Content::Draft(Ok(draft)) = &call.content {
        roots.extend(change::references(call, &draft.values, None).map(|(_, node)| node));
    }
    Lookup { states, roots, ..Lookup::default() }
}

pub(crate) fn decide(call: &Call, current: &Current) -> Decided {
    let (own, referred) = current.roots.split_at(1.min(current.roots.len()));
    let next = own.first().and_then(|found| found.next_id);
    match &call.content {
        Content::Draft(Ok(draft)) => one(call, draft, next, referred),
        Content::Draft(Err(rejection)) => Decided::Refused(change::rejected(rejection, call)),
        Content::Rows(Ok(rows)) => many(call, rows, next),
        Content::Rows(Err(problem)) => Decided::Refused(problem.clone()),
        Content::None
        | Content::Document(_)
        | Content::MergePatch(_)
        | Content::JsonPatch(_)
        | Content::Batch(_)
        | Content::Account(_) => Decided::Refused(change::no_content()),
    }
}

fn one(call: &Call, draft: &Draft, next: Option<i64>, referred: &[Found]) -> Decided {
    let (_, resource) = call.resource();
    if draft.id.is_none() && next.is_some_and(|next| next > ID_MAX) {
        return Decided::Refused(change::no_ids_left());
    }
    let id = match (resource.id, &draft.id, next) {
        (_, Some(id), _) => id.clone(),
        (IdKind::Integer, None, Some(next)) => Id::Integer(next),
        _ => call
            .fresh_id
            .clone()
            .expect("the request stage draws an id where the database does not"),
    };
    change::insert(
        call,
        Draftable { id, values: draft.values.clone(), unseen: Vec::new() },
        referred,
    )
}

/// What the rows refer to is found out by the tables while they are inserted: it may be a row of
/// the same content.
fn many(call: &Call, rows: &Rows, next: Option<i64>) -> Decided {
    let count = rows.spool.rows();
    let first_id = next.unwrap_or_default();
    let last = i64::try_from(count).map_or(i64::MAX, |count| first_id.saturating_add(count - 1));
    if next.is_some() && last > ID_MAX {
        return Decided::Refused(change::no_ids_left());
    }
    let ids = match next {
        Some(first) => Ids::From(first),
        None => Ids::Written(rows.ids.clone()),
    };
    let (resource, _) = call.resource();
    let change = Change::InsertMany(Many {
        resource,
        rows: rows.spool.clone(),
        first_id,
        birth: call.birth,
        at: call.now,
        must: permission::must(call, resource),
        referred: permission::referred(call, resource),
    });
    Decided::Done(Outcome::CreatedMany(count, ids), vec![change])
}
