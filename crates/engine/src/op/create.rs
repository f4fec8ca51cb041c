//! A new record in a collection.

use model::model::IdKind;
use model::value::{ID_MAX, Id};
use store::lookup::{Current, Lookup, Node, Pick};

use crate::call::{Call, Content};
use crate::op::change::{self, Draftable};
use crate::outcome::Decided;

/// The next id and the records that the new one refers to: both are known before the writer is met.
/// Under a condition the state of the list is too: the condition is about that.
pub(crate) fn lookup(call: &Call) -> Lookup {
    let (index, resource) = call.resource();
    let states = if call.conditions.is_empty() { Vec::new() } else { vec![index] };
    let mut roots = Vec::with_capacity(4);
    roots.push(Node { resource: index, pick: Pick::NextId, children: Vec::new() });
    if let Content::Draft(Ok(draft)) = &call.content {
        roots.extend(change::references(resource, &draft.values, None).map(|(_, node)| node));
    }
    Lookup { remembered: None, states, roots }
}

pub(crate) fn decide(call: &Call, current: &Current) -> Decided {
    let (_, resource) = call.resource();
    let draft = match &call.content {
        Content::Draft(Ok(draft)) => draft,
        Content::Draft(Err(rejection)) => {
            return Decided::Refused(change::rejected(rejection, call));
        }
        _ => return Decided::Refused(change::no_content()),
    };
    let (own, referred) = current.roots.split_at(1.min(current.roots.len()));
    let next = own.first().and_then(|found| found.next_id);
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
    change::insert(call, Draftable { id, values: draft.values.clone() }, referred)
}
