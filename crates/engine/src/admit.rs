//! Who asks, and may they try: the stage between route and request, which is the first to meet the
//! store.

use std::sync::Arc;

use contract::problem::{Kind, Problem};
use contract::table::Operation;
use http::request::Parts;
use model::access::Sight;
use model::model::ResourceIndex;
use store::audit_log::Actor;

use crate::Inner;
use crate::route::Routed;

/// Who asks, as every later stage sees it. Made here only.
#[derive(Clone)]
pub(crate) struct Admitted {
    /// What the caller may see and do.
    pub(crate) sight: Arc<Sight>,
    /// Who that is, for the audit log and for the scope of Idempotency-Keys.
    pub(crate) actor: Actor,
    /// The address that the request came from; empty where it came from none.
    pub(crate) address: String,
    /// The number of the session that it came under, where it did.
    pub(crate) session: Option<i64>,
}

/// Finds out who asks.
///
/// # Errors
/// 401, 403 of the operation, 429.
// Everybody may do everything until callers are told apart.
#[allow(clippy::unused_async, clippy::unnecessary_wraps)]
pub(crate) async fn admit(
    inner: &Inner,
    routed: &Routed,
    parts: &Parts,
) -> Result<Admitted, Problem> {
    #[cfg(test)]
    if let Some(admitted) = parts.extensions.get::<Admitted>() {
        permit(admitted, routed.row.operation, routed.resource)?;
        return Ok(admitted.clone());
    }
    let _ = (routed, parts);
    Ok(Admitted {
        sight: inner.operator.clone(),
        actor: Actor { kind: "nobody", id: None },
        address: String::new(),
        session: None,
    })
}

/// Whether the caller may try an operation at all, whatever the record.
///
/// # Errors
/// 403.
pub(crate) fn permit(
    admitted: &Admitted,
    operation: Operation,
    resource: Option<ResourceIndex>,
) -> Result<(), Problem> {
    let Some(grants) = resource.map(|index| &admitted.sight.resources[index]) else {
        return Ok(());
    };
    let is_open = match operation {
        Operation::Create => !grants.create.is_nothing(),
        Operation::Replace => !(grants.update.is_nothing() && grants.create.is_nothing()),
        Operation::Patch => !grants.update.is_nothing(),
        Operation::Delete => !grants.delete.is_nothing(),
        Operation::List | Operation::Fetch => !grants.read.is_nothing(),
        _ => true,
    };
    if is_open { Ok(()) } else { Err(Problem::new(Kind::Forbidden, "You may not do this here.")) }
}
