//! Signing in, and changing a password: read, verify, decide. Between reading and deciding the
//! password is verified, for which no transaction is held open.

use std::sync::Arc;

use contract::problem::Problem;
use model::access::Caller;
use model::model::Field;
use model::network::neighbourhood;
use model::record::Record;
use store::decision::{Decision, Step, Verdict as Written};
use store::lookup::{Current, Lookup};

use super::{Judged, refusal};
use crate::admit::Admitted;
use crate::attempts::{Attempt, For};
use crate::call::{Account, Call};
use crate::op::login::{self, Vouched};
use crate::outcome::{Decided, Outcome};
use crate::password::{self, Hashes, Verified};
use crate::report::Report;
use crate::serve::Verify;
use crate::{Inner, clock};

/// Carries out what needs a password.
pub(super) async fn verify(
    inner: &Arc<Inner>,
    call: &Arc<Call>,
    Verify { lookup, decide, wrong }: Verify,
    report: &mut Report,
) -> Result<Outcome, Problem> {
    let (Some(users), Some(account)) = (inner.model.users(), call.account()) else {
        return Err(refusal::internal());
    };
    let (name, sent, fresh) = match account {
        Account::SignIn { name, password, .. } => (Some(model::fold::fold(name)), password, None),
        Account::Password { current, password, .. } => (None, current, Some(password)),
        Account::SignOut(_) | Account::Ask { .. } | Account::Redeem { .. } => {
            return Err(refusal::internal());
        }
    };
    let found = inner.reader.read(lookup(call)).await;
    let user = login::first(found.map_err(|error| refusal::of_store(error, call, report))?);
    let resource = &inner.model.resources[users];
    let hash = user.as_ref().and_then(|user| password::of(resource, user)).map(str::to_owned);
    let named = name.as_deref().map(For::Name);
    let accounts: Vec<For<'_>> =
        named.into_iter().chain(user.as_ref().map(|user| For::User(&user.id))).collect();
    let verified = attempt(inner, call, &accounts, (sent, hash.as_deref())).await?;
    let (Verified::Right, Some(user), Some(hash)) = (verified, user, hash) else {
        return Err(wrong());
    };
    let fresh = match fresh {
        Some(password) => {
            let hashes = Hashes::make(inner, &call.admitted, vec![password]).await?;
            hashes.of(password).map(str::to_owned)
        }
        None => None,
    };
    let token = clock::token(contract::secret::SESSION);
    let own = as_user(inner, call, &user);
    let vouched = Vouched { users, user, hash, token, call: own, fresh };
    settle(inner, call, login::again(&vouched), report, move |call, current| {
        decide(call, &vouched, current)
    })
    .await
}

/// Verifies a password, counted. Whatever was found, one verification: neither the time nor the
/// answer tells what there is.
async fn attempt(
    inner: &Inner,
    call: &Call,
    accounts: &[For<'_>],
    (sent, hash): (&str, Option<&str>),
) -> Result<Verified, Problem> {
    let (from, operation) = (neighbourhood(call.admitted.address), call.routed.row.operation);
    let attempt = Attempt { from, operation, accounts };
    inner.attempts.count(attempt)?;
    let users = inner.model.users().map(|index| &inner.model.resources[index]);
    let field = users.and_then(|users| users.fields.iter().find(|field| field.password));
    let most = field.map_or(0, Field::password_characters_max);
    // Nobody has a longer one, so it is not worth the hashing: it fails as any other does.
    let (sent, hash) = match sent.chars().nth(most) {
        Some(_) => ("", None),
        None => (sent, hash),
    };
    let verified = inner.hasher.verify(sent, hash).await;
    verified.inspect_err(|_| inner.attempts.give_back(attempt))
}

/// The request as one of this user.
fn as_user(inner: &Inner, call: &Call, user: &Record) -> Call {
    let caller = Caller::user(&inner.model, Arc::new(user.clone()));
    let sight = inner.callers.sight(inner, caller, call.now);
    let model = sight.model.clone();
    Call { admitted: Admitted { sight, ..call.admitted.clone() }, model, ..call.clone() }
}

/// Decides and commits what has neither keys nor conditions: its answer is or ends a credential,
/// and it is no representation.
pub(super) async fn settle(
    inner: &Arc<Inner>,
    call: &Arc<Call>,
    lookup: Lookup,
    report: &mut Report,
    decide: impl Fn(&Call, &Current) -> Decided + Send + 'static,
) -> Result<Outcome, Problem> {
    let asking = call.clone();
    let step: Step<Judged> = Step::alone(lookup, move |current| match decide(&asking, current) {
        Decided::Refused(problem) => Decision::Refuse(Err(problem)),
        Decided::More(lookup) => Decision::More(lookup),
        Decided::Done(outcome, changes) => Decision::Commit { outcome: Ok(outcome), changes },
    });
    match inner.writer.transact(vec![step]).await {
        Ok(Written::Committed(mut outcomes)) => outcomes.pop().unwrap_or(Err(refusal::internal())),
        Ok(Written::Refused { outcome, .. }) => outcome,
        Err(error) => Err(refusal::of_store(error, call, report)),
    }
}
