//! What create, replace, patch and delete share: the shape of a change and the words of a refusal.

use contract::fault::{self, Fault};
use contract::problem::{Kind, Problem, Violation};
use model::model::{FieldIndex, Resource, ResourceIndex};
use model::record::{Record, Rejection, Version};
use model::value::{CHOSEN_ID_MAX, Id, Timestamp, Value};
use store::change::Change;
use store::lookup::{Current, Found, Lookup, Node};

use crate::call::Call;
use crate::op::permission::{self, Attempt, Before, Rules};
use crate::outcome::{Decided, Outcome};
use crate::sight::{self, Referred};

/// A record as the client wants it, under its id.
pub(crate) struct Draftable {
    /// Its id.
    pub(crate) id: Id,
    /// Its values.
    pub(crate) values: Vec<Option<Value>>,
    /// The fields that are written whatever they hold: `record::Draft::unseen`.
    pub(crate) unseen: Vec<FieldIndex>,
}

/// The record that the first root found.
pub(crate) fn present(current: &Current) -> Option<&Record> {
    current.roots.first()?.rows.first().map(|row| &row.record)
}

/// The records that values refer to, with the field that does; those that `besides` has too are
/// left out, for the database holds them already. What the caller does not see is not found, but
/// that it is there itself is known to it.
pub(crate) fn references<'a>(
    call: &'a Call,
    values: &'a [Option<Value>],
    besides: Option<&'a Record>,
) -> impl Iterator<Item = (usize, Node)> {
    let (_, resource) = call.resource();
    resource.fields.iter().enumerate().filter_map(move |(index, field)| {
        let reference = field.references?;
        let value = values[index].as_ref()?;
        if besides.is_some_and(|record| record.values[index].as_ref() == Some(value)) {
            return None;
        }
        let id = match value {
            Value::Integer(id) => Id::Integer(*id),
            Value::Text(id) => Id::Text(id.clone()),
            Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Json(_) => return None,
        };
        let is_own = field.owner && call.admitted.sight.caller.id() == Some(&id);
        let node = match is_own {
            true => Node::key(reference.resource, id),
            false => sight::record(call, reference.resource, id),
        };
        Some((index, node))
    })
}

/// Inserts a record, once what it refers to is known to be there.
pub(crate) fn insert(call: &Call, draft: Draftable, found: &[Found]) -> Decided {
    let (index, resource) = call.resource();
    let mut record = Record {
        id: draft.id,
        version: Version { birth: call.birth, counter: 1 },
        created_at: call.now,
        updated_at: call.now,
        values: draft.values,
    };
    if let Some(decided) = settle(call, (None, &[]), &record, found) {
        return decided;
    }
    let shown = shown(call, None, &record, found);
    call.hashes.put_in(resource, &mut record.values, None);
    let change = Change::Insert { resource: index, record };
    Decided::Done(Outcome::Created(shown), vec![change])
}

/// Puts the next version of a record in its place; where nothing differs, nothing is written and
/// its ETag stays. A member that the client cannot read counts as another one.
pub(crate) fn update(
    call: &Call,
    before: &Before<'_>,
    draft: Draftable,
    found: &[Found],
) -> Decided {
    let (index, resource) = call.resource();
    let present = before.record;
    if draft.values == present.values && draft.unseen.is_empty() {
        let shown = sight::masked(call, index, present.clone(), &before.referred);
        return Decided::Done(changed(call, shown), Vec::new());
    }
    let mut record = next(present, call.now, draft.values);
    if let Some(decided) = settle(call, (Some(before), &draft.unseen), &record, found) {
        return decided;
    }
    let shown = shown(call, Some(before), &record, found);
    call.hashes.put_in(resource, &mut record.values, Some(present));
    let change = Change::Update { resource: index, expected: present.version, record };
    Decided::Done(changed(call, shown), vec![change])
}

/// Asks all that stands between a record and its becoming so: the rules that look at it alone, what
/// it refers to, and the rules that look into that.
fn settle(
    call: &Call,
    (before, unseen): (Option<&Before<'_>>, &[FieldIndex]),
    after: &Record,
    found: &[Found],
) -> Option<Decided> {
    let referred = referred(call, before, after, found);
    let attempt = Attempt { before, unseen, after, referred };
    let refused = |rules| permission::refuse(call, &attempt, rules).map(Decided::Refused);
    refused(Rules::Near)
        .or_else(|| check_references(call, &after.values, before.map(|it| it.record), found))
        .or_else(|| refused(Rules::Far))
}

/// What a record will refer to, as far as that was found: beside what is new, what it refers to
/// already.
fn referred<'a>(
    call: &Call,
    before: Option<&Before<'a>>,
    after: &Record,
    found: &'a [Found],
) -> Referred<'a> {
    let present = before.map(|before| before.record);
    let wanted = references(call, &after.values, present).zip(found);
    let mut referred: Referred<'a> = wanted
        .filter_map(|((field, _), found)| Some((field, &found.rows.first()?.record)))
        .collect();
    for (field, record) in before.iter().flat_map(|before| &before.referred) {
        if present.is_some_and(|present| present.values[*field] == after.values[*field]) {
            referred.push((*field, record));
        }
    }
    referred
}

/// The record that is answered with.
fn shown(call: &Call, before: Option<&Before<'_>>, after: &Record, found: &[Found]) -> Record {
    let referred = referred(call, before, after, found);
    sight::masked(call, call.resource().0, after.clone(), &referred)
}

fn changed(call: &Call, record: Record) -> Outcome {
    match call.routed.row.operation {
        contract::table::Operation::Replace => Outcome::Replaced(record),
        _ => Outcome::Patched(record),
    }
}

/// The next version of a record.
pub(crate) fn next(present: &Record, now: Timestamp, values: Vec<Option<Value>>) -> Record {
    // Two changes within a millisecond, or a clock set back, still leave an order.
    let floor = if fault::on(Fault::UpdatedAtStuck) { 0 } else { present.updated_at.0 + 1 };
    Record {
        id: present.id.clone(),
        version: Version { counter: present.version.counter + 1, ..present.version },
        created_at: present.created_at,
        updated_at: Timestamp(now.0.max(floor)),
        values,
    }
}

/// Asks for the referred records where they are not known yet, and refuses those that are missing.
fn check_references(
    call: &Call,
    values: &[Option<Value>],
    besides: Option<&Record>,
    referred: &[Found],
) -> Option<Decided> {
    let (_, resource) = call.resource();
    let wanted: Vec<_> = references(call, values, besides).collect();
    if wanted.len() > referred.len() {
        let roots = wanted.into_iter().map(|(_, node)| node).collect();
        return Some(Decided::More(Lookup { roots, ..Lookup::default() }));
    }
    let missing: Vec<_> = wanted
        .iter()
        .zip(referred)
        .filter(|(_, found)| found.rows.is_empty())
        .map(|((field, node), _)| dangling(&call.model, resource, *field, node.resource))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let detail = "A reference names a record that is not there.";
    Some(Decided::Refused(Problem::new(Kind::Invalid, detail).with_errors(missing)))
}

fn dangling(
    model: &model::model::Model,
    resource: &Resource,
    field: usize,
    target: ResourceIndex,
) -> Violation {
    let detail = no_record(model, target);
    Violation::at(format!("/{}", resource.fields[field].name), detail)
}

/// What a reference to nothing is told.
pub(crate) fn no_record(model: &model::model::Model, target: ResourceIndex) -> String {
    let target = &model.resources[target].name;
    format!("no record of {target} has this id; GET {}/{target} lists them", model.prefix)
}

/// 404 of an item.
pub(crate) fn missing(call: &Call) -> Problem {
    let (_, resource) = call.resource();
    let mut detail = format!(
        "No record of {} has this id, or it has been deleted. GET {}/{} lists those that are \
            there.",
        resource.name, call.model.prefix, resource.name
    );
    let replaces = call.routed.row.operation == contract::table::Operation::Replace;
    if replaces && resource.upsert {
        detail.push_str(&format!(" PUT creates under ids up to {CHOSEN_ID_MAX}."));
    } else if replaces {
        detail.push_str(&format!(
            " The server chooses the ids here: POST to {}/{} creates.",
            call.model.prefix, resource.name
        ));
    }
    Problem::new(Kind::NotFound, detail)
}

/// 422, or 409 where a PUT names read-only members that differ from what is there.
pub(crate) fn rejected(rejection: &Rejection, call: &Call) -> Problem {
    let conflicts =
        rejection.read_only && call.routed.row.operation == contract::table::Operation::Replace;
    let (kind, detail) = if conflicts {
        (
            Kind::Conflict,
            "A member that the server keeps differs from what is there. Leave it out, or send it \
                as it is.",
        )
    } else {
        (Kind::Invalid, "The content does not fit the declaration; `errors` names each member.")
    };
    Problem::new(kind, detail).with_errors(rejection.violations.clone())
}

/// A client has taken the largest id by PUT, and the server goes on from there.
pub(crate) fn no_ids_left() -> Problem {
    let detail = "The largest id that every client can hold (2^53-1) is taken, so the server has \
                  no next one. PUT the record at an id of your own.";
    Problem::new(Kind::Conflict, detail)
}

/// Content of a kind that the operation was not bound for.
pub(crate) fn no_content() -> Problem {
    Problem::new(Kind::MalformedContent, "The request has no content that could be applied.")
}
