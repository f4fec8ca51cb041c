//! A record replaced whole, or created under the client's id (RFC 9110 §9.3.4).

use model::record::{self, Purpose};
use store::lookup::{Current, Lookup, Node};

use crate::call::{Call, Content};
use crate::op::change::{self, Draftable};
use crate::outcome::Decided;

pub(crate) fn lookup(call: &Call) -> Lookup {
    let (resource, _) = call.resource();
    Lookup::of(Node::key(resource, call.id().clone()))
}

pub(crate) fn decide(call: &Call, current: &Current) -> Decided {
    let (_, resource) = call.resource();
    let Content::Document(document) = &call.content else {
        return Decided::Refused(change::no_content());
    };
    let present = change::present(current);
    let purpose = match present {
        Some(current) => Purpose::Replace { current },
        None => Purpose::CreateAt(call.id()),
    };
    let draft = match record::read(&call.model, resource, document, purpose) {
        Ok(draft) => draft,
        Err(rejection) => return Decided::Refused(change::rejected(&rejection, call)),
    };
    let draft = Draftable { id: call.id().clone(), values: draft.values };
    match present {
        Some(present) => change::update(call, present, draft, &current.roots[1..]),
        None => change::insert(call, draft, &current.roots[1..]),
    }
}
