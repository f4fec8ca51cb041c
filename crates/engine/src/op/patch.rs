//! A record changed by a patch document (RFC 5789): all of it or nothing.

use contract::problem::{Kind, Problem, Violation};
use model::model::{Field, Resource};
use model::patch::{json, merge};
use model::record::{self, Purpose};
use store::lookup::{Current, Lookup};

use crate::call::{Call, Content};
use crate::op::change::{self, Draftable};
use crate::op::permission;
use crate::outcome::Decided;
use crate::sight;

/// How large a document may grow under a patch: `copy` can double it with every operation.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

pub(crate) fn lookup(call: &Call) -> Lookup {
    permission::lookup(call)
}

pub(crate) fn decide(call: &Call, current: &Current) -> Decided {
    let Some(before) = permission::before(call, current) else {
        return Decided::Refused(change::missing(call));
    };
    let (present, resource) = (before.record, sight::in_record(call, before.seen()));
    let resource = resource.as_ref();
    let mut document = record::document(resource, present);
    match &call.content {
        Content::MergePatch(patch) => {
            merge::apply(&mut document, patch);
            record::keep_nulls(resource, patch, &mut document);
        }
        Content::JsonPatch(patch) => match json::apply(&document, patch, DOCUMENT_BYTES_MAX) {
            Ok(patched) => document = patched,
            Err(refusal) => {
                let refusal = unseen(call, resource, refusal);
                return Decided::Refused(inapplicable(refusal));
            }
        },
        _ => return Decided::Refused(change::no_content()),
    }
    let purpose = Purpose::Patch { current: present };
    let draft = match record::read(&call.model, resource, &document, purpose) {
        Ok(draft) => draft,
        Err(rejection) => return Decided::Refused(change::rejected(&rejection, call)),
    };
    let draft = Draftable { id: present.id.clone(), values: draft.values, unseen: draft.unseen };
    change::update(call, &before, draft, &current.roots[1..])
}

/// Says of a member that is not shown, and may be set, how that is done; nothing of what it holds.
fn unseen(call: &Call, resource: &Resource, mut refusal: json::Fault) -> json::Fault {
    let mut hidden = resource.fields.iter().filter(|it| !it.visible() && it.exists());
    let is_meant =
        |field: &&Field| refusal.detail == json::nothing_at(std::slice::from_ref(&field.name));
    let Some(field) = hidden.find(is_meant) else { return refusal };
    refusal.detail = match field.password && !call.admitted.sight.caller.is_admin() {
        true => format!(
            "a password is not shown; its own user changes it with a POST to {}/me/password",
            call.model.prefix
        ),
        false => "this member cannot be read here; \"add\" sets it, whatever it holds".to_owned(),
    };
    refusal
}

fn inapplicable(refusal: json::Fault) -> Problem {
    let kind = match refusal.kind {
        json::FaultKind::Malformed => Kind::MalformedContent,
        json::FaultKind::Inapplicable => Kind::Invalid,
        json::FaultKind::TestFailed => Kind::Conflict,
    };
    let detail = "The patch cannot be applied, so none of it was (RFC 5789 §2).";
    Problem::new(kind, detail).with_errors(vec![Violation::at(refusal.pointer, refusal.detail)])
}
