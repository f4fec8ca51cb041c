//! A record changed by a patch document (RFC 5789): all of it or nothing.

use contract::problem::{Kind, Problem, Violation};
use model::patch::{json, merge};
use model::record::{self, Purpose};
use serde_json::Value;
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
            record::clear_hidden(resource, patch, &mut document);
        }
        Content::JsonPatch(patch) => match json::apply(&document, patch, DOCUMENT_BYTES_MAX) {
            Ok(patched) => document = patched,
            Err(refusal) => return Decided::Refused(inapplicable(call, patch, refusal)),
        },
        _ => return Decided::Refused(change::no_content()),
    }
    let purpose = Purpose::Patch { current: present };
    let draft = match record::read(&call.model, resource, &document, purpose) {
        Ok(draft) => draft,
        Err(rejection) => return Decided::Refused(change::rejected(&rejection, call)),
    };
    let draft = Draftable { id: present.id.clone(), values: draft.values };
    change::update(call, &before, draft, &current.roots[1..])
}

fn inapplicable(call: &Call, patch: &Value, mut refusal: json::Fault) -> Problem {
    if is_about_password(call, patch, &refusal.pointer) {
        let how = match call.admitted.sight.caller.is_admin() {
            true => "\"add\" sets another one".to_owned(),
            false => format!("a POST to {}/me/password changes it", call.model.prefix),
        };
        refusal.detail.push_str(&format!(": a password is never shown, and {how}"));
    }
    let kind = match refusal.kind {
        json::FaultKind::Malformed => Kind::MalformedContent,
        json::FaultKind::Inapplicable => Kind::Invalid,
        json::FaultKind::TestFailed => Kind::Conflict,
    };
    let detail = "The patch cannot be applied, so none of it was (RFC 5789 §2).";
    Problem::new(kind, detail).with_errors(vec![Violation::at(refusal.pointer, refusal.detail)])
}

/// True where the operation of a patch that fails is about a password, which is not in the document
/// that it is applied to.
fn is_about_password(call: &Call, patch: &Value, pointer: &str) -> bool {
    let number = pointer.split('/').nth(1).and_then(|number| number.parse::<usize>().ok());
    let operation = number.and_then(|number| patch.get(number));
    let path = operation.and_then(|operation| operation.get("path")?.as_str());
    let fields = &call.resource().1.fields;
    fields.iter().any(|field| {
        field.password && path.and_then(|path| path.strip_prefix('/')) == Some(field.name.as_str())
    })
}
