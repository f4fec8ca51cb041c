//! Who asks, and may they try: the stage between route and request, which is the first to meet the
//! store.

use std::sync::Arc;

use contract::problem::Problem;
use http::request::Parts;
use model::access::Sight;
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
pub(crate) async fn admit(inner: &Inner, _: &Routed, _: &Parts) -> Result<Admitted, Problem> {
    Ok(Admitted {
        sight: inner.operator.clone(),
        actor: Actor { kind: "nobody", id: None },
        address: String::new(),
        session: None,
    })
}
