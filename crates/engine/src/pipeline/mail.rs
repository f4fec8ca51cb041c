//! What is done about accounts by mail: a password that is forgotten, an address that is confirmed.

use std::sync::Arc;

use contract::problem::{Kind, Problem};
use contract::table::Operation;
use model::network::neighbourhood;
use store::lookup::Lookup;

use super::{account, refusal};
use crate::Inner;
use crate::attempts::{Attempt, For};
use crate::call::{Account, Call, Then};
use crate::op::login;
use crate::op::mail::{self, Letter};
use crate::outcome::{Decided, Outcome};
use crate::password::Hashes;
use crate::report::Report;
use crate::route::Routed;

/// 404 where no mail is sent, with what is missing.
pub(super) fn refuse_without(inner: &Inner, routed: &Routed) -> Result<(), Problem> {
    if !is_about_mail(routed.row.operation) {
        return Ok(());
    }
    let users = inner.model.users().map(|at| &inner.model.resources[at]);
    let detail = if inner.settings.mail_from.is_none() {
        "No mail is sent here: whoever runs this server has not set `mail.from`."
    } else if users.and_then(mail::address_field).is_none() {
        "No mail is sent here: users have no field with `format = \"email\"`."
    } else {
        return Ok(());
    };
    Err(Problem::new(Kind::NotFound, detail))
}

fn is_about_mail(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ResetPage
            | Operation::ConfirmPage
            | Operation::Reset
            | Operation::Confirm
            | Operation::Address
            | Operation::SendConfirmation
    )
}

/// Carries it out. Answers that a browser's form gets lead to the page, whatever came of it.
pub(super) async fn carry_out(
    inner: &Arc<Inner>,
    call: &Arc<Call>,
    report: &mut Report,
) -> Result<Outcome, Problem> {
    let answered = attempt(inner, call, report).await;
    let visits = matches!(call.account(), Some(Account::Redeem { then: Then::Visit(_), .. }));
    match answered {
        Err(problem) if visits && problem.kind == Kind::Invalid => {
            report.problem = Some(problem.kind.entry().slug);
            let page = format!("{}#failed", call.routed.path);
            Ok(Outcome::Settled("failed", Then::Visit(page)))
        }
        answered => answered,
    }
}

async fn attempt(
    inner: &Arc<Inner>,
    call: &Arc<Call>,
    report: &mut Report,
) -> Result<Outcome, Problem> {
    let letter = Letter::new();
    let from = neighbourhood(call.admitted.address);
    let operation = call.routed.row.operation;
    let (lookup, decide): (Lookup, Decide) = match (operation, call.account()) {
        (Operation::Reset, Some(Account::Ask { fields, name })) => {
            let folded = model::fold::fold(name);
            let accounts = [For::Name(&folded)];
            inner.attempts.count(Attempt { from, operation, accounts: &accounts })?;
            // Whoever is flooded with mail does not care from where.
            let anywhere = Attempt { from: [0; 4], operation, accounts: &accounts };
            inner.attempts.count_for(anywhere)?;
            let users = inner.model.users().unwrap_or_default();
            let by = |field: &usize| login::by(users, *field, name.clone());
            let lookup = Lookup { roots: fields.iter().map(by).collect(), ..Lookup::default() };
            (lookup, Box::new(move |call, current| mail::ask(call, &letter, current)))
        }
        (Operation::Reset, Some(Account::Redeem { code, password: Some(password), then })) => {
            inner.attempts.count(Attempt { from, operation, accounts: &[] })?;
            let known = inner.reader.read(mail::code(code)).await;
            let known = known.map_err(|error| refusal::of_store(error, call, report))?;
            // Nobody has a password hashed for nothing.
            if known.code.is_none() {
                return Err(mail::no_code());
            }
            let hashes = Hashes::make(inner, &call.admitted, vec![password]).await?;
            let fresh = hashes.of(password).unwrap_or_default().to_owned();
            let then = then.clone();
            (mail::code(code), Box::new(move |call, now| mail::reset(call, &fresh, &then, now)))
        }
        (Operation::Confirm, Some(Account::Redeem { code, then, .. })) => {
            inner.attempts.count(Attempt { from, operation, accounts: &[] })?;
            let then = then.clone();
            (mail::code(code), Box::new(move |call, now| mail::confirm(call, &then, now)))
        }
        (Operation::SendConfirmation, _) => {
            let id = call.admitted.sight.caller.id();
            let accounts: Vec<For<'_>> = id.map(For::User).into_iter().collect();
            inner.attempts.count(Attempt { from, operation, accounts: &accounts })?;
            (mail::own(call), Box::new(move |call, now| mail::again(call, &letter, now)))
        }
        _ => return Err(refusal::internal()),
    };
    let settled = account::settle(inner, call, lookup, report, decide).await;
    inner.queued.notify_one();
    settled
}

type Decide = Box<dyn Fn(&Call, &store::lookup::Current) -> Decided + Send>;
