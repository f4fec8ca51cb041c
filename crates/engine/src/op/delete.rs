//! A record removed, with what goes along, unless something holds it back.

use contract::problem::{Kind, Problem};
use model::model::OnDelete;
use model::record::Record;
use store::change::Change;
use store::dependents::{Dependent, Dependents};
use store::lookup::{Current, Lookup, Node, Pick};

use crate::call::Call;
use crate::op::{change, permission};
use crate::outcome::{Decided, Outcome};
use crate::sight;

/// The record. What depends on it is asked for once it is known that it is there, and that the
/// conditions hold.
pub(crate) fn lookup(call: &Call) -> Lookup {
    permission::lookup(call)
}

pub(crate) fn decide(call: &Call, current: &Current) -> Decided {
    let Some(present) = change::present(current) else {
        return Decided::Refused(change::missing(call));
    };
    let (resource, _) = call.resource();
    if call.model.referrers(resource).next().is_some() {
        let Some(found) = current.roots.get(1) else {
            return Decided::More(dependents(call, present));
        };
        let refused = found.dependents.as_ref().and_then(|found| refusal(call, found));
        if let Some(problem) = refused {
            return Decided::Refused(problem);
        }
    }
    let change = Change::Delete { resource, id: present.id.clone(), expected: present.version };
    Decided::Done(Outcome::Deleted, vec![change])
}

fn dependents(call: &Call, present: &Record) -> Lookup {
    let (resource, _) = call.resource();
    let limit = call.settings.cascade_rows_max;
    let pick = Pick::Dependents { id: present.id.clone(), limit, seen: sight::reads(call) };
    Lookup::of(Node::new(resource, pick))
}

/// 409: something restricts the deletion, or too much would go along.
fn refusal(call: &Call, found: &Dependents) -> Option<Problem> {
    let of =
        |wanted: OnDelete| found.references.iter().filter(move |to| on_delete(call, to) == wanted);
    if of(OnDelete::Restrict).next().is_some() {
        let counts = counts(call, of(OnDelete::Restrict), "");
        let detail = format!(
            "Records that refer to this one, or to one that would go with it: {counts}. Nothing \
             was deleted."
        );
        return Some(Problem::new(Kind::StillReferenced, detail));
    }
    found.is_partial.then(|| {
        let deleted = counts(call, of(OnDelete::Cascade), "deleted ");
        let cleared = counts(call, of(OnDelete::Clear), "cleared ");
        let both = [deleted, cleared].into_iter().filter(|counts| !counts.is_empty());
        let limit = call.settings.cascade_rows_max;
        let detail = format!(
            "More records than one request may ({limit}) would go along: {}. Delete some of them \
             first, or clear what refers. Nothing was deleted.",
            both.collect::<Vec<_>>().join(", ")
        );
        Problem::new(Kind::CascadeTooLarge, detail)
    })
}

/// 409 of a chain that is too long to be followed.
pub(crate) fn too_deep(call: &Call) -> Problem {
    let limit = call.settings.cascade_levels_max;
    let detail = format!(
        "A chain of more than {limit} records would go along, each of which refers to the one \
         before. Delete the last ones of it first. Nothing was deleted."
    );
    Problem::new(Kind::CascadeTooLarge, detail)
}

fn on_delete(call: &Call, dependent: &Dependent) -> OnDelete {
    let field = &call.model.resources[dependent.resource].fields[dependent.field];
    field.references.map_or(OnDelete::Restrict, |to| to.on_delete)
}

/// How many refer, for each field. One that is not shown is not named, and records that are not
/// shown are not counted.
fn counts<'a>(call: &Call, found: impl Iterator<Item = &'a Dependent>, what: &str) -> String {
    let mut counts = Vec::new();
    let (mut is_any_hidden, mut is_any_unseen) = (false, false);
    for dependent in found {
        let resource = &call.model.resources[dependent.resource];
        let field = &resource.fields[dependent.field];
        if !field.visible() {
            is_any_hidden = true;
            continue;
        }
        if dependent.records == 0 {
            is_any_unseen = true;
            continue;
        }
        let least = if dependent.is_lower_bound { "at least " } else { "" };
        let (records, name) = (dependent.records, &resource.name);
        counts.push(format!("{least}{records} {what}in {name} by `{}`", field.name));
    }
    if is_any_hidden {
        counts.push(format!("some {what}by fields that are not shown"));
    }
    if counts.is_empty() && is_any_unseen {
        counts.push(format!("some {what}that are not shown"));
    }
    counts.join(", ")
}
