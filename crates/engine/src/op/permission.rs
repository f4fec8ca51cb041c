//! Whether the caller may make of a record what it wants to: the rules over one record, before and
//! after.

use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use model::access::Sight;
use model::model::{Field, FieldIndex, Resource, ResourceIndex, Shown};
use model::query::{Column, Comparison, Filter, Seen};
use model::record::Record;
use model::value::Value;
use store::lookup::{Current, Lookup, Node};

use crate::call::Call;
use crate::sight::{self, Referred};

/// A record as it is, with what the rules look into.
pub(crate) struct Before<'a> {
    /// The record.
    pub(crate) record: &'a Record,
    /// What it refers to.
    pub(crate) referred: Referred<'a>,
}

impl Before<'_> {
    /// It as the rules see it.
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen { record: self.record, referred: &self.referred }
    }
}

/// The record that a change is about, if the caller sees it.
pub(crate) fn lookup(call: &Call) -> Lookup {
    let (resource, _) = call.resource();
    let children = sight::followed(&call.model, resource, &watched(call)).collect();
    Lookup::of(Node { children, ..sight::record(call, resource, call.id().clone()) })
}

/// What that found.
pub(crate) fn before<'a>(call: &Call, current: &'a Current) -> Option<Before<'a>> {
    let row = current.roots.first()?.rows.first()?;
    let referred = sight::referred(row, 0, &watched(call));
    Some(Before { record: &row.record, referred })
}

/// The reference fields that rules over the record follow.
fn watched(call: &Call) -> Vec<FieldIndex> {
    let (index, _) = call.resource();
    let grants = call.grants(index);
    let fields = grants.fields.iter().flat_map(|own| [&own.read, &own.write]);
    sight::each_once(fields.chain([&grants.update, &grants.delete]))
}

/// 403 where the record is none that the caller may change or delete.
pub(crate) fn refuse_record(call: &Call, current: &Current) -> Option<Problem> {
    let (index, _) = call.resource();
    let grants = call.grants(index);
    let (rule, verb) = match call.routed.row.operation {
        Operation::Delete => (&grants.delete, "delete"),
        Operation::Replace | Operation::Patch => (&grants.update, "change"),
        _ => return None,
    };
    let before = before(call, current)?;
    if rule.holds(&call.model, index, before.seen()) {
        return None;
    }
    let detail = format!("You may not {verb} this record. Nothing was done.");
    Some(Problem::new(Kind::Forbidden, detail))
}

/// A record as it shall be.
pub(crate) struct Attempt<'a> {
    /// As it is, where it is there.
    pub(crate) before: Option<&'a Before<'a>>,
    /// The fields that count as written, whatever they hold.
    pub(crate) unseen: &'a [FieldIndex],
    /// As it shall be.
    pub(crate) after: &'a Record,
    /// What it refers to then, as far as that is known.
    pub(crate) referred: Referred<'a>,
}

/// Which rules are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// Those that look at the record alone.
    Near,
    /// Those that look into records that it refers to.
    Far,
}

/// 403 where the record may not become what it shall be.
pub(crate) fn refuse(call: &Call, attempt: &Attempt<'_>, rules: Rules) -> Option<Problem> {
    let (index, resource) = call.resource();
    let grants = call.grants(index);
    let after = Seen { record: attempt.after, referred: &attempt.referred };
    let asked = |filter: &Filter| (rules == Rules::Near) == filter.references().is_empty();
    let holds = |filter: &Filter, seen| filter.holds(&call.model, index, seen);
    let mut faults = Vec::new();
    for (at, field) in resource.fields.iter().enumerate() {
        let write = &grants.fields[at].write;
        let before = attempt.before;
        if rules == Rules::Near && is_kept_password(call, attempt, at, field) {
            let detail = format!(
                "is changed by its own user, with a POST to {}/me/password, or by an admin",
                call.model.prefix
            );
            faults.push(violation(field, &detail));
        } else if !write.is_all() && asked(write) && is_written(call, attempt, at) {
            let is_allowed = before.is_none_or(|before| holds(write, before.seen()));
            if !(is_allowed && holds(write, after)) {
                faults.push(violation(field, UNWRITABLE));
            }
        }
    }
    if !faults.is_empty() {
        let detail = "You may not write all of these members. Leave out those that `errors` names, \
                      or send them as they are. Nothing was done.";
        return Some(Problem::new(Kind::Forbidden, detail).with_errors(faults));
    }
    let (rule, detail) = match attempt.before {
        Some(_) => (&grants.update, "You may not make this of the record. Nothing was done."),
        None => (&grants.create, "You may not create such a record. Nothing was done."),
    };
    let is_refused = asked(rule) && !holds(rule, after);
    is_refused.then(|| Problem::new(Kind::Forbidden, detail))
}

/// What a member that is not the caller's to write is told.
pub(crate) const UNWRITABLE: &str = "is not yours to write here";

fn violation(field: &Field, detail: &str) -> Violation {
    Violation::at(format!("/{}", model::json::escape(&field.name)), detail)
}

/// True of another password for a record that is there, where that is not for the caller to set.
fn is_kept_password(call: &Call, attempt: &Attempt<'_>, at: FieldIndex, field: &Field) -> bool {
    field.password
        && attempt.before.is_some()
        && is_written(call, attempt, at)
        && !call.admitted.sight.caller.is_admin()
}

/// True where a field gets another value than it has, or in a new record than it has by itself. Of
/// a field that the caller cannot read any value is another one.
fn is_written(call: &Call, attempt: &Attempt<'_>, at: FieldIndex) -> bool {
    let (_, resource) = call.resource();
    let after = &attempt.after.values[at];
    match attempt.before {
        Some(before) => attempt.unseen.contains(&at) || before.record.values[at] != *after,
        None => is_set(&call.admitted.sight, &resource.fields[at], after.as_ref()),
    }
}

/// True where a field of a new record has another value than it has by itself.
fn is_set(sight: &Sight, field: &Field, value: Option<&Value>) -> bool {
    !field.read_only && value != sight::by_itself(sight, field).as_ref()
}

/// The fields of a new record that are set and must not be, as far as the record alone tells. Its
/// id and its moments are not known yet.
pub(crate) fn unwritable(
    sight: &Sight,
    (index, resource): (ResourceIndex, &Resource),
    record: &Record,
) -> Vec<Violation> {
    let grants = &sight.resources[index].fields;
    let is_refused =
        |write: &Filter| is_told(write) && !write.holds(&sight.model, index, Seen::alone(record));
    let fields = resource.fields.iter().zip(&record.values).zip(grants);
    fields
        .filter(|((field, value), own)| {
            (field.sealed || is_refused(&own.write)) && is_set(sight, field, value.as_ref())
        })
        .map(|((field, _), _)| violation(field, UNWRITABLE))
        .collect()
}

/// True of a filter that looks at nothing but fields of the record itself.
fn is_told(filter: &Filter) -> bool {
    let mut is_told = true;
    filter.each_path(&mut |path| {
        is_told &= path.through.is_empty() && matches!(path.column, Column::Field(_));
    });
    is_told
}

/// What has to be true of each of many new records. What must not be written was looked for before,
/// as far as the record alone tells.
pub(crate) fn must(call: &Call, index: ResourceIndex) -> Filter {
    let (grants, sight) = (call.grants(index), &call.admitted.sight);
    let fields = call.model.resources[index].fields.iter().zip(&grants.fields).enumerate();
    let partial = fields.filter(|(_, (field, own))| {
        !(field.read_only || own.write.is_all() || own.write.is_nothing())
    });
    partial.fold(grants.create.clone(), |must, (at, (field, own))| {
        let column = Column::Field(at);
        let kept = match sight::by_itself(sight, field) {
            None | Some(Value::Null) => {
                Filter::Compare { path: column.into(), comparison: Comparison::Null }
            }
            // Documents are not compared in the database: they count as written.
            Some(Value::Json(_)) => Filter::nothing(),
            Some(value) => Filter::equal(column, value),
        };
        must.and(kept.or(own.write.clone()))
    })
}

/// For reference fields of many new records: which records they may name.
pub(crate) fn referred(call: &Call, index: ResourceIndex) -> Vec<(FieldIndex, Filter)> {
    let fields = call.model.resources[index].fields.iter().enumerate();
    let seen = fields.filter_map(|(at, field)| {
        let read = call.grants(field.references?.resource).read.clone();
        let own = call.admitted.sight.caller.id().filter(|_| field.owner);
        let own = own.map_or_else(Filter::nothing, |id| Filter::equal(Column::Id, id.to_value()));
        Some((at, read.or(own)))
    });
    seen.filter(|(_, read)| !read.is_all()).collect()
}

/// True where a field is not shown to the caller in any record, though others may read it.
pub(crate) fn is_hidden(field: &Field) -> bool {
    field.shown == Shown::Never
}
