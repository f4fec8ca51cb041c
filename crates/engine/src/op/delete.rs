//! A record removed.

use contract::problem::{Kind, Problem};
use model::model::OnDelete;
use model::query::{Column, Filter};
use store::change::Change;
use store::lookup::{Current, Lookup, Node, Pick};

use crate::call::Call;
use crate::op::change;
use crate::outcome::{Decided, Outcome};

/// The record, and how many others each restricting reference holds against it.
pub(crate) fn lookup(call: &Call) -> Lookup {
    let (resource, _) = call.resource();
    let mut roots = vec![Node::key(resource, call.id().clone())];
    roots.extend(restrictions(call).map(|(referrer, field)| Node {
        resource: referrer,
        pick: Pick::Number(Filter::equal(Column::Field(field), call.id().to_value())),
        children: Vec::new(),
    }));
    Lookup { roots, ..Lookup::default() }
}

pub(crate) fn decide(call: &Call, current: &Current) -> Decided {
    let Some(present) = change::present(current) else {
        return Decided::Refused(change::missing(call));
    };
    let counts: Vec<_> = restrictions(call)
        .zip(current.roots.iter().skip(1))
        .filter_map(|((referrer, field), found)| {
            let records = found.total.map_or(0, |total| total.records);
            let referrer = &call.model.resources[referrer];
            let field = &referrer.fields[field].name;
            (records > 0).then(|| format!("{records} in {} by `{field}`", referrer.name))
        })
        .collect();
    if !counts.is_empty() {
        let detail =
            format!("Records that refer to this one: {}. Nothing was deleted.", counts.join(", "));
        return Decided::Refused(Problem::new(Kind::StillReferenced, detail));
    }
    let (resource, _) = call.resource();
    let change = Change::Delete { resource, id: present.id.clone(), expected: present.version };
    Decided::Done(Outcome::Deleted, vec![change])
}

/// The reference fields that keep a record of this resource from being deleted.
fn restrictions(call: &Call) -> impl Iterator<Item = (usize, usize)> {
    let (target, _) = call.resource();
    call.model.resources.iter().enumerate().flat_map(move |(referrer, resource)| {
        resource.fields.iter().enumerate().filter_map(move |(index, field)| {
            let reference = field.references?;
            let restricts = reference.on_delete == OnDelete::Restrict;
            (restricts && reference.resource == target).then_some((referrer, index))
        })
    })
}
