//! Operations bound to their handlers, and the proof that none reaches further than its row.

use contract::problem::Problem;
use contract::table::{Handle, Operation, ROWS};
use store::lookup::{Current, Lookup};

use crate::call::Call;
use crate::op;
use crate::op::login::Vouched;
use crate::outcome::{Decided, Outcome};
use crate::page;

/// A handler, by the most that it can reach. None of them is async and none meets a connection.
#[derive(Clone, Copy)]
pub(crate) enum Serve {
    /// Answers from the declaration and the request alone.
    Describe(fn(&Call) -> Outcome),
    /// Answers once the store has said that it is there.
    Probe(fn(&Call) -> Outcome),
    /// Answers from what a Reader found.
    Read {
        /// What must be known.
        lookup: fn(&Call) -> Lookup,
        /// The answer.
        answer: fn(&Call, Current) -> Result<Outcome, Problem>,
    },
    /// Decides changes that a Writer commits.
    Write {
        /// What must be known first.
        lookup: fn(&Call) -> Lookup,
        /// The decision: pure, and may be asked twice.
        decide: fn(&Call, &Current) -> Decided,
    },
    /// Decides changes once a password was verified.
    Verify(Verify),
    /// Decides changes that a Writer commits, without a key and without conditions.
    Settle {
        /// What must be known first.
        lookup: fn(&Call) -> Lookup,
        /// The decision: pure, and may be asked twice.
        decide: fn(&Call, &Current) -> Decided,
    },
    /// What is done about accounts by mail.
    Mail,
    /// Decides several writes, each as the handler of its own operation does.
    Batch,
}

/// How something is decided that needs a password.
#[derive(Clone, Copy)]
pub(crate) struct Verify {
    /// Whose password it is.
    pub(crate) lookup: fn(&Call) -> Lookup,
    /// The decision, once it was verified: pure, and may be asked twice.
    pub(crate) decide: fn(&Call, &Vouched, &Current) -> Decided,
    /// What is answered where it is wrong, or there is none.
    pub(crate) wrong: fn() -> Problem,
}

impl Serve {
    const fn handle(self) -> Handle {
        match self {
            Self::Describe(_) => Handle::None,
            Self::Probe(_) | Self::Read { .. } => Handle::Reader,
            Self::Write { .. }
            | Self::Verify(_)
            | Self::Settle { .. }
            | Self::Mail
            | Self::Batch => Handle::Writer,
        }
    }
}

/// The handler of an operation. An operation without an arm does not compile.
pub(crate) const fn serve(operation: Operation) -> Serve {
    match operation {
        Operation::List => Serve::Read { lookup: op::list::lookup, answer: op::list::answer },
        Operation::Search => Serve::Read { lookup: op::search::lookup, answer: op::search::answer },
        Operation::Changes => {
            Serve::Read { lookup: op::changes::lookup, answer: op::changes::answer }
        }
        Operation::Fetch => Serve::Read { lookup: op::fetch::lookup, answer: op::fetch::answer },
        Operation::Create => {
            Serve::Write { lookup: op::create::lookup, decide: op::create::decide }
        }
        Operation::Replace => {
            Serve::Write { lookup: op::replace::lookup, decide: op::replace::decide }
        }
        Operation::Patch => Serve::Write { lookup: op::patch::lookup, decide: op::patch::decide },
        Operation::Delete => {
            Serve::Write { lookup: op::delete::lookup, decide: op::delete::decide }
        }
        Operation::Batch => Serve::Batch,
        Operation::Login => Serve::Verify(Verify {
            lookup: op::login::named,
            decide: op::login::open,
            wrong: op::login::failed,
        }),
        Operation::Password => Serve::Verify(Verify {
            lookup: op::login::own,
            decide: op::login::change_password,
            wrong: op::login::mistaken,
        }),
        Operation::ResetPage => Serve::Describe(page::reset),
        Operation::ConfirmPage => Serve::Describe(page::confirm),
        Operation::Reset | Operation::Confirm | Operation::SendConfirmation => Serve::Mail,
        Operation::Address => Serve::Read { lookup: op::mail::own, answer: op::mail::answer_own },
        Operation::Logout => {
            Serve::Settle { lookup: op::account::nothing, decide: op::account::log_out }
        }
        Operation::EndSession => {
            Serve::Settle { lookup: op::account::sessions, decide: op::account::end }
        }
        Operation::Me => Serve::Read { lookup: op::account::me, answer: op::account::answer_me },
        Operation::Sessions => {
            Serve::Read { lookup: op::account::sessions, answer: op::account::answer_sessions }
        }
        Operation::Audit => Serve::Read { lookup: op::audit::lookup, answer: op::audit::answer },
        Operation::Ready => Serve::Probe(op::page::ready),
        Operation::Describe => Serve::Describe(op::page::describe),
        Operation::Home => Serve::Describe(op::page::home),
        Operation::Health => Serve::Describe(op::page::health),
        Operation::Explain => Serve::Describe(op::page::explain),
        Operation::Robots => Serve::Describe(op::page::robots),
    }
}

// The second half of the contract's proof: what a row allows and what its handler reaches.
const _: () = {
    let mut i = 0;
    while i < ROWS.len() {
        keeps_within(ROWS[i].handle, serve(ROWS[i].operation).handle());
        i += 1;
    }
};

/// Proves of one row that its handler reaches no further than the row allows. Evaluated while
/// compiling; public so that a read that is bound with a writer can be seen not to compile.
///
/// # Panics
/// Where it reaches further.
pub const fn keeps_within(allowed: Handle, reached: Handle) {
    assert!(reached as u8 <= allowed as u8, "an operation reaches further than its row allows");
}
