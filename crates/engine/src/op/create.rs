//! A new record in a collection.

use model::model::IdKind;
use model::query::Filter;
use model::value::Id;
use store::lookup::{Current, Lookup, Node, Pick};

use crate::call::{Call, Content};
use crate::op::change::{self, Draftable};
use crate::outcome::Decided;

/// The next id and the records that the new one refers to: both are known before the writer is met.
/// Under a condition the state of the list comes first: the condition is about that.
pub(crate) fn lookup(call: &Call) -> Lookup {
    let (index, resource) = call.resource();
    let own = |pick| Node { resource: index, pick, children: Vec::new() };
    let mut roots = Vec::with_capacity(4);
    if !call.conditions.is_empty() {
        roots.push(own(Pick::Number(Filter::all())));
    }
    roots.push(own(Pick::NextId));
    if let Content::Draft(Ok(draft)) = &call.content {
        roots.extend(change::references(resource, &draft.values, None).map(|(_, node)| node));
    }
    Lookup { remembered: None, roots }
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
    let own = 1 + usize::from(!call.conditions.is_empty());
    let (own, referred) = current.roots.split_at(own.min(current.roots.len()));
    let next = own.last().and_then(|found| found.next_id);
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
