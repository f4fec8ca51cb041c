//! The bank of these tests: where it is declared, and a payment as a request.

use super::crowd::Errand;
use crate::support::answer::Answer;
use crate::support::client::Request;
use crate::support::server::{Options, tests};

/// How many accounts are seeded.
pub(super) const ACCOUNTS: u32 = 4;

/// The bank, in a folder of its own.
pub(super) fn options() -> Options {
    Options::folder(&tests().join("crash/bank"))
}

/// What a client wants done once.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    /// Its own text, by which it is found again.
    pub(super) marker: String,
    /// In cents.
    pub(super) amount: u32,
}

impl Errand for Payment {
    type Promise = Promise;

    fn new(whose: &str, number: u32) -> Self {
        Self { marker: format!("{whose}-{number}"), amount: number % 97 + 1 }
    }

    fn request(&self) -> Request {
        let account = self.amount % ACCOUNTS + 1;
        let Self { marker, amount } = self;
        let content = format!(r#"{{"account":{account},"amount":{amount},"marker":"{marker}"}}"#);
        Request::new("POST", "/api/payments")
            .field("idempotency-key", &format!("\"{marker:->36}\""))
            .json(content)
    }

    fn promised(self, answer: Answer) -> Result<Promise, String> {
        Promise::read(self, answer)
    }
}

/// A payment that was acknowledged, and how.
#[derive(Clone, Debug)]
pub(super) struct Promise {
    /// What was asked.
    pub(super) payment: Payment,
    /// The id that it was given.
    pub(super) id: i64,
    /// The answer that the client read.
    pub(super) answer: Answer,
}

impl Promise {
    /// What a 201 promises.
    ///
    /// # Errors
    /// Says what is wrong with the answer.
    pub(super) fn read(payment: Payment, answer: Answer) -> Result<Self, String> {
        let record = answer.json();
        let id = record["id"].as_i64().ok_or("no id")?;
        let same =
            record["marker"] == payment.marker.as_str() && record["amount"] == payment.amount;
        let location = answer.field("location");
        if !same || location.as_deref() != Some(&format!("/api/payments/{id}")) {
            return Err(format!("{payment:?} was answered with\n{}", answer.show()));
        }
        Ok(Self { payment, id, answer })
    }
}
