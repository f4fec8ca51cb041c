//! A record replaced whole, or created under the client's id (RFC 9110 §9.3.4).

use model::record::{self, Purpose};
use store::lookup::{Current, Lookup};

use crate::call::{Call, Content};
use crate::op::change::{self, Draftable};
use crate::op::permission;
use crate::outcome::Decided;
use crate::sight;

pub(crate) fn lookup(call: &Call) -> Lookup {
    permission::lookup(call)
}

pub(crate) fn decide(call: &Call, current: &Current) -> Decided {
    let (_, resource) = call.resource();
    let Content::Document(document) = &call.content else {
        return Decided::Refused(change::no_content());
    };
    let before = permission::before(call, current);
    let (resource, purpose) = match &before {
        Some(before) => {
            let purpose = Purpose::Replace { current: before.record };
            (sight::in_record(call, before.seen()), purpose)
        }
        None => (sight::in_new(&call.admitted.sight, resource), Purpose::CreateAt(call.id())),
    };
    let draft = match record::read(&call.model, &resource, document, purpose) {
        Ok(draft) => draft,
        Err(rejection) => return Decided::Refused(change::rejected(&rejection, call)),
    };
    let draft = Draftable { id: call.id().clone(), values: draft.values, unseen: draft.unseen };
    match &before {
        Some(before) => change::update(call, before, draft, &current.roots[1..]),
        None => change::insert(call, draft, &current.roots[1..]),
    }
}
