//! A page of the change log, with the records as they are now.

use contract::problem::{Kind, Problem};
use model::query;
use store::log::{After, Operation, Since};
use store::lookup::{Current, Lookup};

use crate::call::{Call, Following};
use crate::outcome::Outcome;
use crate::positions::Positions;
use crate::sight;

pub(crate) fn lookup(call: &Call) -> Lookup {
    let asked = following(call);
    let (resource, limit) = (asked.since.resource, asked.since.limit);
    let seen = sight::reads(call);
    let since = Since { after: asked.after, resource, limit, seen };
    Lookup { log: Some(since), ..Lookup::default() }
}

pub(crate) fn answer(call: &Call, current: Current) -> Result<Outcome, Problem> {
    let mut log = current.log.unwrap_or_default();
    if log.is_gone {
        return Err(gone(call));
    }
    for entry in &mut log.entries {
        let record = entry.record.take();
        entry.record = record.map(|it| sight::masked_in_log(call, entry.resource, it));
        let may_be_hidden = !call.grants(entry.resource).read.is_all();
        if entry.record.is_none() && may_be_hidden && entry.operation != Operation::Insert {
            // Whether it is still there, hidden, is told by nothing: it went, with what it was.
            if entry.operation == Operation::Update {
                entry.version.counter -= 1;
            }
            entry.operation = Operation::Leave;
        }
    }
    Ok(Outcome::Changed(log))
}

/// What is asked of the log.
///
/// # Panics
/// On another target: the row would be bound to the wrong operation.
pub(crate) fn following(call: &Call) -> &Following {
    call.following.as_ref().expect("changes are asked for since a position")
}

/// 410, with the way to begin again.
fn gone(call: &Call) -> Problem {
    let prefix = &call.model.prefix;
    let of = following(call).since.resource;
    let of = of.map_or("", |index| call.model.resources[index].name.as_str());
    let (named, list) = match of {
        "" => (String::new(), format!("{prefix}/{{resource}}")),
        name => (format!("resource={name}&"), format!("{prefix}/{name}")),
    };
    let detail = format!(
        "Changes after this position have been forgotten, or it is of another life of the \
         database, or of somebody who sees other things. To begin again: keep `position` of GET \
         {prefix}/changes?{named}after=now, read GET {list} to its end (Accept: \
         application/x-ndjson), then go on after that position."
    );
    Problem::new(Kind::ChangesGone, detail)
}

/// From where on changes are wanted; `None` where that is no position at all.
pub(crate) fn after(asked: &query::After, positions: &Positions) -> Option<After> {
    match asked {
        query::After::Oldest => Some(After::Oldest),
        query::After::Newest => Some(After::Newest),
        query::After::Position(text) => positions.number(text).map(After::Position),
    }
}
