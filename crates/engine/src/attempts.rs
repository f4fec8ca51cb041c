//! How often passwords are tried and set, and from where.

use contract::problem::{Kind, Problem};
use contract::table::Operation;
use http::header::{self, HeaderValue};
use model::network::Neighbourhood;
use model::setting::Settings;
use model::value::Id;

use crate::limit::Limit;

/// The limits. Nobody is limited by an account alone: whoever knows a name could keep its bearer
/// out.
pub(crate) struct Attempts {
    tried: Limit,
    tried_for: Limit,
    set: Limit,
}

/// For whom a password is tried. A name counts whether somebody has it or not, so that nobody
/// learns from the limit who is there; and whoever has it counts beside it, since one user may
/// have several names.
#[derive(Clone, Copy, Hash)]
pub(crate) enum For<'a> {
    /// Whoever has this name.
    Name(&'a str),
    /// This user.
    User(&'a Id),
}

/// One attempt at a password.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// From where.
    pub(crate) from: Neighbourhood,
    /// What for.
    pub(crate) operation: Operation,
    /// For whom.
    pub(crate) accounts: &'a [For<'a>],
}

impl Attempts {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            tried: Limit::a_minute(settings.login_address_max),
            tried_for: Limit::a_minute(settings.login_account_max),
            set: Limit::a_minute(settings.sign_ups_max),
        }
    }

    /// Whether a password may be tried from there at all. Nothing is counted yet: what does not
    /// come to a password costs nobody an attempt.
    ///
    /// # Errors
    /// 429, with the seconds after which another may be tried.
    pub(crate) fn look(&self, from: Neighbourhood) -> Result<(), Problem> {
        self.tried.look(&from).map_err(too_often_tried)
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// As `look`.
    pub(crate) fn count(&self, attempt: Attempt<'_>) -> Result<(), Problem> {
        let Attempt { from, operation, accounts } = attempt;
        self.tried.attempt(&from).map_err(too_often_tried)?;
        self.count_for(Attempt { from, operation, accounts })
    }

    /// Counts an attempt for whom it is made alone.
    ///
    /// # Errors
    /// As `look`.
    pub(crate) fn count_for(&self, attempt: Attempt<'_>) -> Result<(), Problem> {
        let Attempt { from, operation, accounts } = attempt;
        for account in accounts {
            let counted = self.tried_for.attempt(&(from, operation, account));
            counted.map_err(too_often_tried)?;
        }
        Ok(())
    }

    /// Takes an attempt back whose password was not looked at.
    pub(crate) fn give_back(&self, attempt: Attempt<'_>) {
        let Attempt { from, operation, accounts } = attempt;
        self.tried.give_back(&from);
        for account in accounts {
            self.tried_for.give_back(&(from, operation, account));
        }
    }

    /// Counts a password that is set.
    ///
    /// # Errors
    /// 429, with the seconds after which another may be set.
    pub(crate) fn set(&self, from: Neighbourhood) -> Result<(), Problem> {
        self.set.attempt(&from).map_err(|seconds| {
            let detail = format!(
                "Passwords are set too often from here. Nothing was done; send it again after \
                 {seconds} s, with fewer of them where it has many."
            );
            too_many(detail, seconds)
        })
    }

    /// Takes back one that was not set.
    pub(crate) fn unset(&self, from: Neighbourhood) {
        self.set.give_back(&from);
    }
}

fn too_often_tried(seconds: u64) -> Problem {
    let detail = format!(
        "Passwords are tried too often from here. This one was not looked at; send it again after \
         {seconds} s."
    );
    too_many(detail, seconds)
}

fn too_many(detail: String, seconds: u64) -> Problem {
    Problem::new(Kind::TooManyRequests, detail)
        .with_field(header::RETRY_AFTER, HeaderValue::from(seconds))
}
