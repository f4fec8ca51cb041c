//! A page of the audit log, or of what was refused of late.

use contract::problem::Problem;
use store::audit_log::Acts;
use store::lookup::{Current, Lookup};

use crate::call::{Auditing, Call};
use crate::outcome::Outcome;

/// One act more than a page tells whether there is another.
pub(crate) fn lookup(call: &Call) -> Lookup {
    let acts = match call.auditing.as_deref() {
        Some(Auditing::Acts(acts)) => Some(Acts { limit: acts.limit + 1, ..acts.clone() }),
        Some(Auditing::Refusals(_)) | None => None,
    };
    Lookup { acts: acts.map(Box::new), ..Lookup::default() }
}

pub(crate) fn answer(_: &Call, current: Current) -> Result<Outcome, Problem> {
    Ok(Outcome::Audited(current.acts))
}
