//! Why a command did not succeed, for standard error, and the exit code that says so.

/// Why a command ended without doing what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    /// 1: refused or failed. 2: wrong usage.
    pub(crate) code: u8,
    /// What was wrong and what to do next; may be empty where everything has been said.
    pub(crate) message: String,
}

impl Failure {
    /// Refused or failed.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// Says it on standard error.
    pub(crate) fn print(&self) {
        if !self.message.is_empty() {
            eprintln!("error: {}", self.message);
        }
    }
}

/// What a command gives.
pub(crate) type Outcome = Result<(), Failure>;
